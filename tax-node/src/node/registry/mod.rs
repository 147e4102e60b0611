//! The node as the HTTP interface sees it: each call in a file of its topic.

pub(super) mod chain;
mod figures;
mod keys;
mod reads;
mod records;
mod stamp;
mod submit;

use async_trait::async_trait;
use invoice_api::registry::{
    Asker, BlockView, CheckItem, Checked, CheckpointView, ClaimPage, ClaimQuery, DocumentView,
    EventPage, Gauge, InclusionView, KeyView, OversightAnswer, OversightQuestion, PublicCheck,
    Readiness, RecordFindings, RecordState, Registry, Submission, Submitted, TimelineCursor,
    Unavailable, UnavailableReason, WebhookAnswer, WebhookQuestion,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::Receipt;
use invoice_core::crypto::{Hash, Kid};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::paper_link::{PaperLink, Stamp};
use invoice_core::state::TypedState;
use tokio::sync::watch;

use super::pipeline::reply::unavailable;
use super::{Node, checks, claims, documents, events, oversight, push, validate};

pub(super) use reads::NodeError;

#[async_trait]
impl Registry for Node {
    fn chain_id(&self) -> &str {
        self.shared.genesis.chain_id().as_str()
    }

    fn genesis(&self) -> &[u8] {
        self.shared.genesis.bytes()
    }

    async fn submit(&self, submission: Submission) -> Submitted {
        let mut told = submit::submit(&self.shared, vec![submission]).await;
        told.pop()
            .unwrap_or_else(|| Err(unavailable(UnavailableReason::Stopping)))
    }

    async fn submit_many(&self, submissions: Vec<Submission>) -> Vec<Submitted> {
        submit::submit(&self.shared, submissions).await
    }

    async fn validate(
        &self,
        asker: &Asker,
        submission: Submission,
    ) -> Result<Vec<RecordFindings>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                let next = snapshot.head().time_ms.saturating_add(1);
                let time = (shared.clock)().max(Instant::from_ms(next));
                validate::findings(snapshot, &shared.messages, &asker, &submission, time)
            })
            .await
    }

    async fn key(&self, kid: Kid) -> Result<Option<KeyView>, Unavailable> {
        self.shared.key_view(&kid)
    }

    async fn member_name(&self, member: MemberId) -> Result<Option<String>, Unavailable> {
        self.shared
            .read(move |_, snapshot| {
                let known = TypedState(snapshot).member(&member)?;
                Ok(known.map(|member| member.name))
            })
            .await
    }

    async fn record_by_id(
        &self,
        asker: &Asker,
        by: MemberId,
        id: String,
    ) -> Result<RecordState, Unavailable> {
        records::by_id(&self.shared, asker, by, &id).await
    }

    async fn record_by_hash(&self, asker: &Asker, sm3: Hash) -> Result<RecordState, Unavailable> {
        records::by_hash(&self.shared, asker, sm3).await
    }

    async fn checks(&self, asker: &Asker, items: Vec<CheckItem>) -> Result<Checked, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| checks::check_all(shared, snapshot, Some(&asker), &items))
            .await
    }

    async fn public_check(&self, item: CheckItem) -> Result<PublicCheck, Unavailable> {
        self.shared
            .read(move |shared, snapshot| checks::check_in_public(shared, snapshot, item))
            .await
    }

    async fn document(
        &self,
        asker: &Asker,
        key: DocumentKey,
        from: TimelineCursor,
    ) -> Result<Option<DocumentView>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                documents::logged_view(shared, snapshot, &asker, &key, from)
            })
            .await
    }

    async fn document_records(
        &self,
        asker: &Asker,
        keys: Vec<DocumentKey>,
    ) -> Result<Vec<Option<String>>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                documents::logged_records(shared, snapshot, &asker, &keys)
            })
            .await
    }

    async fn document_receipt(
        &self,
        asker: &Asker,
        key: DocumentKey,
    ) -> Result<Option<Receipt>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| documents::logged_receipt(shared, snapshot, &asker, &key))
            .await
    }

    fn stamp(&self, link: &PaperLink) -> Option<Stamp> {
        stamp::stamp(&self.shared, link)
    }

    async fn claims(
        &self,
        asker: &Asker,
        query: ClaimQuery,
    ) -> Result<Option<ClaimPage>, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| {
                claims::page(snapshot, &asker, &query, shared.as_of(snapshot))
            })
            .await
    }

    async fn events(
        &self,
        asker: &Asker,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |_, snapshot| events::page(snapshot, &asker, after, limit))
            .await
    }

    fn head(&self) -> watch::Receiver<u64> {
        self.shared.head.clone()
    }

    async fn checkpoint(&self) -> Result<Option<CheckpointView>, Unavailable> {
        self.shared
            .read(|shared, snapshot| chain::checkpoint(snapshot, &shared.validators.history()))
            .await
    }

    async fn block(&self, height: u64) -> Result<Option<BlockView>, Unavailable> {
        self.shared
            .read(move |_, snapshot| chain::block(snapshot, height))
            .await
    }

    async fn inclusion_proof(
        &self,
        index: u64,
        tree_size: u64,
    ) -> Result<Option<InclusionView>, Unavailable> {
        self.shared
            .read(move |_, snapshot| chain::inclusion(snapshot, index, tree_size))
            .await
    }

    async fn consistency_proof(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Hash>>, Unavailable> {
        self.shared
            .read(move |_, snapshot| Ok(snapshot.consistency_path(from, to)?))
            .await
    }

    async fn oversight(
        &self,
        asker: &Asker,
        question: OversightQuestion,
    ) -> Result<OversightAnswer, Unavailable> {
        let asker = asker.clone();
        self.shared
            .read(move |shared, snapshot| oversight::answer(shared, snapshot, &asker, question))
            .await
    }

    async fn webhooks(
        &self,
        asker: &Asker,
        question: WebhookQuestion,
    ) -> Result<WebhookAnswer, Unavailable> {
        push::answer(&self.shared.push, asker, question).await
    }

    fn readiness(&self) -> Readiness {
        self.shared.readiness()
    }

    fn gauges(&self) -> Vec<Gauge> {
        self.shared.gauges()
    }
}
