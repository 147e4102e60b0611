//! The way back after a lost answer: what became of a record.

use std::sync::Arc;

use invoice_api::registry::{Asker, RecordState, Unavailable};
use invoice_core::crypto::Hash;
use invoice_core::identity::{MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::state::TypedState;

use crate::node::receipts::{self, Receipts};
use crate::node::start::Shared;

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
    shared
        .read(move |shared, snapshot| {
            let state = TypedState(snapshot);
            let entry = match state.member(&by)? {
                Some(member) => state.record(member.number, &id)?,
                None => None,
            };
            let mut receipts =
                Receipts::new(snapshot, &shared.genesis, shared.validators.history());
            Ok(match entry {
                Some(entry) => RecordState::Final(Arc::new(receipts.receipt(entry.index)?)),
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
                let receipt = Receipts::new(snapshot, &shared.genesis, shared.validators.history())
                    .receipt(index)?;
                return Ok(RecordState::Final(Arc::new(receipt)));
            }
            Ok(match pending.filter(|by| visible(*by)) {
                Some(_) => RecordState::Pending,
                None => RecordState::Absent,
            })
        })
        .await
}
