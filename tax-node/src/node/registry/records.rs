//! The way back after a lost answer: what became of a record.

use std::sync::Arc;

use invoice_api::registry::{Asker, RecordState, Unavailable};
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::record::{Body, Record};
use invoice_core::state::TypedState;

use super::NodeError;
use crate::node::documents;
use crate::node::receipts::{self, Receipts};
use crate::node::start::Shared;
use crate::store::Snapshot;

/// By the member that sent it and its id.
pub(super) async fn by_id(
    shared: &Arc<Shared>,
    asker: &Asker,
    by: MemberId,
    id: &str,
) -> Result<RecordState, Unavailable> {
    let Ok(id) = RecordId::spelled(id) else {
        return Ok(RecordState::Absent);
    };
    if by != asker.member && !asker.roles.has_authority() {
        return Ok(RecordState::Absent);
    }
    let pending = shared.pending.has_id(&by, &id);
    let asker = asker.clone();
    shared
        .read(move |shared, snapshot| {
            let state = TypedState(snapshot);
            let entry = match state.member(&by)? {
                Some(member) => state.record(member.number, &id)?,
                None => None,
            };
            Ok(match entry {
                Some(entry) => told(shared, snapshot, &asker, entry.index)?,
                None if pending => RecordState::Pending,
                None => RecordState::Absent,
            })
        })
        .await
}

/// By the SM3 hash of its exact bytes.
pub(super) async fn by_hash(
    shared: &Arc<Shared>,
    asker: &Asker,
    sm3: Hash,
) -> Result<RecordState, Unavailable> {
    let asker = asker.clone();
    let pending = shared.pending.owner_of(&sm3);
    shared
        .read(move |shared, snapshot| {
            let visible = |by: MemberId| by == asker.member || asker.roles.has_authority();
            if let Some(index) = snapshot.leaf_of_record(&sm3)? {
                let logged = receipts::logged(snapshot, index)?;
                if logged.is_none_or(|logged| !visible(logged.record.by)) {
                    return Ok(RecordState::Absent);
                }
                return told(shared, snapshot, &asker, index);
            }
            Ok(match pending.filter(|by| visible(*by)) {
                Some(_) => RecordState::Pending,
                None => RecordState::Absent,
            })
        })
        .await
}

/// The receipt of a record that the asker may see. It holds the record's content: that of another
/// member's record about a document is told only when the question is in the access log.
fn told(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    index: u64,
) -> Result<RecordState, NodeError> {
    let mut receipts = Receipts::new(snapshot, &shared.genesis, shared.validators.history());
    let receipt = receipts.receipt(index)?;
    if receipt.by != asker.member.as_str()
        && let Some(logged) = receipts::logged(snapshot, index)?
        && let Some(document) = document_of(snapshot, &logged.record)?
    {
        let as_of = shared.as_of(snapshot);
        documents::log(shared, as_of, asker, &document, "record", true)?;
    }
    Ok(RecordState::Final(Arc::new(receipt)))
}

/// The document that a record is about, by itself or by the claim that it names.
fn document_of(snapshot: &Snapshot, record: &Record) -> Result<Option<DocumentKey>, NodeError> {
    if let Some(key) = record.body.document() {
        return Ok(Some(*key));
    }
    let claim = match &record.body {
        Body::ClaimSettle(body) => &body.claim,
        Body::ClaimRelease(body) => &body.claim,
        Body::ClaimReverse(body) => &body.claim,
        Body::InvoiceIssue(_)
        | Body::BillIssue(_)
        | Body::DocumentRegister(_)
        | Body::DocumentReverse(_)
        | Body::ConfirmReversal(_)
        | Body::DocumentFreeze(_)
        | Body::DocumentUnfreeze(_)
        | Body::DocumentAlias(_)
        | Body::ClaimLock(_)
        | Body::ShareGrant(_)
        | Body::MemberAdmit(_)
        | Body::MemberSuspend(_)
        | Body::MemberResume(_)
        | Body::KeyAdd(_)
        | Body::KeyRevoke(_)
        | Body::QuotaSet(_)
        | Body::ValidatorsChange(_) => return Ok(None),
    };
    let state = TypedState(snapshot);
    let Some(owner) = state.member(&record.by)? else {
        return Ok(None);
    };
    Ok(state
        .claim(owner.number, claim)?
        .map(|claim| claim.document))
}
