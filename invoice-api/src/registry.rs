//! What the HTTP interface needs from whoever keeps the records.
//!
//! The interface defines this trait and the node implements it, so that no handler knows a
//! database or a consensus engine. Every method takes the asker where an answer depends on who
//! asks; writing the access log (who asked what, from whom, when) is the implementation's duty.
//!
//! Three kinds of "no" never mix here: a refusal is a value inside an answer ([`RecordVerdict`]),
//! an operational accident is the `Err` of a method ([`Unavailable`]), and a bug is a panic.

mod chain;
mod claims;
mod documents;
mod events;
mod oversight;
mod submission;

use std::sync::Arc;

use async_trait::async_trait;
use invoice_core::calendar::Instant;
use invoice_core::chain::Receipt;
use invoice_core::crypto::{Hash, Kid, PublicKey};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::paper_link::{PaperLink, Stamp};
use invoice_core::record::RoleSet;
use tokio::sync::watch;

pub use chain::{BlockView, CheckpointView, InclusionView};
pub use claims::{ClaimPage, ClaimQuery, ClaimStatus, ClaimView};
pub use documents::{
    AsOf, CheckItem, CheckResult, CheckVerdict, Checked, DocumentState, DocumentView, PublicCheck,
    TimelineCursor, TimelineEntry,
};
pub use events::{Event, EventPage};
pub use oversight::{
    AccessEntry, AccessPage, BlockHealth, Cursor, Found, HealthView, MemberFound, OversightAnswer,
    OversightQuestion, PeerHealth, RecordPath, ValidatorHealth,
};
pub use submission::{
    Place, RecordAnswer, RecordFindings, RecordState, RecordVerdict, Recorded, Refusal, Submission,
};
pub use webhooks::{WebhookAnswer, WebhookQuestion};

/// What became of one envelope: an answer for each of its records, or why there is none yet.
pub type Submitted = Result<Vec<RecordAnswer>, Unavailable>;

/// The keeper of the records, as the HTTP interface sees it.
///
/// Methods may be called from many tasks at once. None of them blocks the thread it is polled on:
/// verification of signatures and reads of the store run on pools of the implementation.
#[async_trait]
pub trait Registry: Send + Sync + 'static {
    /// The name of the chain, a part of every signed message.
    fn chain_id(&self) -> &str;

    /// The exact bytes of the genesis file, which is all that an offline verifier needs.
    fn genesis(&self) -> &[u8];

    /// Takes one envelope and answers when every record of it is final, one answer per record in
    /// order.
    ///
    /// The implementation judges in the contract's order: shape of each record, authentication,
    /// rights, rules of the record's own values, rules of state. A record sent again is answered
    /// as it was the first time. Submissions are put in order as they are first polled, as far as
    /// the implementation's queues keep it. Dropping the future takes nothing back: a client that
    /// went away before the answer finds the outcome by [`record_by_id`](Self::record_by_id).
    ///
    /// # Errors
    /// [`Unavailable`] when nothing of the envelope was taken, or when its outcome was not known
    /// in time: the same bytes may be sent again and give the one outcome they have.
    async fn submit(&self, submission: Submission) -> Result<Vec<RecordAnswer>, Unavailable>;

    /// Takes many envelopes at once, as a stream brings them: the same as [`submit`](Self::submit)
    /// of each, in order, for the price of one hand-over.
    ///
    /// An envelope for which the queues had no room is answered [`Unavailable`] alone.
    async fn submit_many(&self, submissions: Vec<Submission>) -> Vec<Submitted> {
        let answers = submissions.into_iter().map(|one| self.submit(one));
        futures_util::future::join_all(answers).await
    }

    /// Judges an envelope as [`submit`](Self::submit) would and records nothing. One entry per
    /// record, in order; an envelope without a signature is not judged for authentication.
    async fn validate(
        &self,
        asker: &Asker,
        submission: Submission,
    ) -> Result<Vec<RecordFindings>, Unavailable>;

    /// The key with this identifier, whatever its standing; `None` when it was never registered.
    async fn key(&self, kid: Kid) -> Result<Option<KeyView>, Unavailable>;

    /// The registered name of a member; `None` when it was never admitted.
    async fn member_name(&self, member: MemberId) -> Result<Option<String>, Unavailable>;

    /// What became of a record, found by the member that sent it and its id. What is not the
    /// asker's own is [`RecordState::Absent`], except for authorities.
    async fn record_by_id(
        &self,
        asker: &Asker,
        by: MemberId,
        id: String,
    ) -> Result<RecordState, Unavailable>;

    /// What became of a record, found by the SM3 hash of its exact bytes.
    async fn record_by_hash(&self, asker: &Asker, sm3: Hash) -> Result<RecordState, Unavailable>;

    /// Compares documents with what the asker holds. One result per item, in order.
    async fn checks(&self, asker: &Asker, items: Vec<CheckItem>) -> Result<Checked, Unavailable>;

    /// The same comparison for the public page: nobody in particular asks, so the item must carry
    /// every element, and no amount is ever in the answer. The issuer is named only when all of it
    /// is as recorded.
    async fn public_check(&self, item: CheckItem) -> Result<PublicCheck, Unavailable>;

    /// Everything about one document, for its parties and authorities; `None` both when there is
    /// no such document and when it is none of the asker's business. `from` chooses the page of
    /// its life.
    async fn document(
        &self,
        asker: &Asker,
        key: DocumentKey,
        from: TimelineCursor,
    ) -> Result<Option<DocumentView>, Unavailable>;

    /// The records that issued documents, as their exact texts, one for each key in order: what a
    /// ledger says of each document without the rest of its life. `None` both when there is no such
    /// document and when it is none of the asker's business. At most
    /// [`CLAIMS_PAGE_MAX`](crate::limits::CLAIMS_PAGE_MAX) keys.
    async fn document_records(
        &self,
        asker: &Asker,
        keys: Vec<DocumentKey>,
    ) -> Result<Vec<Option<String>>, Unavailable>;

    /// The receipt of the record that issued a document, for those who may see the document and
    /// print it: it holds the record's exact bytes.
    async fn document_receipt(
        &self,
        asker: &Asker,
        key: DocumentKey,
    ) -> Result<Option<Receipt>, Unavailable>;

    /// A validator's stamp on the link of a printed document; `None` when this node's key is not
    /// that of a validator. Called only with links that were made from a recorded document: what is
    /// signed begins with a purpose of its own and has no text that a stranger chooses. It may
    /// block while a signing device answers.
    fn stamp(&self, link: &PaperLink) -> Option<Stamp>;

    /// A page of claims, in the order in which they were recorded: the asker's own, or everyone's
    /// for an authority that does not ask for its own. `None` when the cursor is not one that this registry gave out.
    async fn claims(
        &self,
        asker: &Asker,
        query: ClaimQuery,
    ) -> Result<Option<ClaimPage>, Unavailable>;

    /// The events after block `after`, whole blocks only, at least one block when there is one,
    /// and about `limit` events. Events that are none of the asker's business are left out, so a
    /// page may be empty and yet move `complete_to` on.
    async fn events(
        &self,
        asker: &Asker,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, Unavailable>;

    /// The height of the last final block, watchable: it changes after a block can be read.
    fn head(&self) -> watch::Receiver<u64>;

    /// The last final header with its certificate; `None` before the first block.
    async fn checkpoint(&self) -> Result<Option<CheckpointView>, Unavailable>;

    /// One block without any content; `None` above the head and for height 0.
    async fn block(&self, height: u64) -> Result<Option<BlockView>, Unavailable>;

    /// The path from a leaf to the root of the log when it had `tree_size` leaves; `None` when
    /// there is no such leaf or the log has not grown that far.
    async fn inclusion_proof(
        &self,
        index: u64,
        tree_size: u64,
    ) -> Result<Option<InclusionView>, Unavailable>;

    /// The proof that the log of `to` leaves continues the log of `from` leaves (`from` at least
    /// 1 and at most `to`); `None` when the log has not grown that far.
    async fn consistency_proof(&self, from: u64, to: u64)
    -> Result<Option<Vec<Hash>>, Unavailable>;

    /// Answers an authority or auditor about the whole chain; others are told
    /// [`OversightAnswer::NotFound`]. A registry that keeps no figures answers
    /// [`OversightAnswer::Off`].
    async fn oversight(
        &self,
        asker: &Asker,
        question: OversightQuestion,
    ) -> Result<OversightAnswer, Unavailable> {
        let _ = (asker, question);
        Ok(OversightAnswer::Off)
    }

    /// Answers a member about its own webhooks on this node, or does what it orders. They are
    /// settings of the node and no records. A registry that sends none answers
    /// [`WebhookAnswer::Off`].
    async fn webhooks(
        &self,
        asker: &Asker,
        question: WebhookQuestion,
    ) -> Result<WebhookAnswer, Unavailable> {
        let _ = (asker, question);
        Ok(WebhookAnswer::Off)
    }

    /// Whether records can be taken now. Cheap: it is asked by every load balancer.
    fn readiness(&self) -> Readiness;

    /// Figures for monitoring, read whenever `/metrics` is.
    fn gauges(&self) -> Vec<Gauge>;
}

/// The member on whose behalf a question is asked, its request signature already verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The member.
    pub member: MemberId,
    /// Its roles.
    pub roles: RoleSet,
    /// The key that signed the request, for the access log.
    pub kid: Kid,
}

/// A registered key and its owner.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The point that verifies signatures.
    pub public_key: Arc<PublicKey>,
    /// Whose key it is.
    pub member: MemberId,
    /// The roles of its owner.
    pub roles: RoleSet,
    /// Whether it may sign now.
    pub standing: KeyStanding,
}

/// Whether a registered key may sign something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// It may.
    Good,
    /// It was revoked by its owner or an authority.
    Revoked,
    /// Its `not_after` has passed in block time.
    Expired,
    /// Its owner is suspended: what the owner has stays readable, nothing new is taken.
    MemberSuspended,
}

/// Why nothing could be answered now, and when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, retry after {retry_after_seconds} s")]
pub struct Unavailable {
    /// What is missing.
    pub reason: UnavailableReason,
    /// Seconds after which asking again makes sense, at least 1.
    pub retry_after_seconds: u32,
}

/// What is missing when nothing can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnavailableReason {
    /// The queues are full.
    #[error("overloaded")]
    Overloaded,
    /// Too few validators answer; the outcome of what was sent may still come.
    #[error("no quorum of validators")]
    NoQuorum,
    /// The disk is nearly full, so nothing new is taken.
    #[error("low on disk space")]
    LowDisk,
    /// A write or a sync failed: the node must be reopened before it may serve again.
    #[error("storage failed")]
    StorageFailed,
    /// The node is shutting down.
    #[error("stopping")]
    Stopping,
}

/// Whether the node serves, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Height of the last final block.
    pub height: u64,
    /// Time of that block; `None` before the first one.
    pub time: Option<Instant>,
    /// Whether the store answers.
    pub storage_ok: bool,
    /// What keeps new records out, if anything does.
    pub refusing: Option<UnavailableReason>,
}

/// One figure for monitoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// Name in the Prometheus style, without the common prefix `piaolian_`: `mempool_records`.
    /// What ends in `_total` only ever grows and is shown as a counter.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// The value now.
    pub value: i64,
}
