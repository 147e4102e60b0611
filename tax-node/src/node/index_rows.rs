//! Rows of the store's indexes, derived from a block and its execution.

use invoice_core::apply::{EventKind, Recorded};
use invoice_core::chain::Block;
use invoice_core::crypto::sm3;
use invoice_core::state::{Fault, StateView, TypedState, claim_key};

use crate::store::{ClaimRow, EventRow, IndexRows};

/// The rows of a block, over the state that the block left: members that it admits have their
/// number there.
///
/// # Errors
/// The state cannot be read.
pub fn rows_over<V: StateView>(
    state: &V,
    block: &Block,
    records: &[Recorded],
) -> Result<IndexRows, Fault<V::Error>> {
    let state = TypedState(state);
    let mut rows = IndexRows::default();
    let entries = block
        .envelopes
        .iter()
        .flat_map(|envelope| &envelope.entries);
    for (entry, recorded) in entries.zip(records) {
        rows.records.push((sm3(&[&entry.record]), recorded.index));
        let mut documents = Vec::new();
        for (number, event) in (0_u32..).zip(&recorded.events) {
            if let Some(document) = &event.document {
                documents.push(document.to_bytes());
            }
            if let (EventKind::ClaimLocked, Some((by, id))) = (event.kind, &event.claim)
                && let Some(owner) = state.member(by)?.map(|member| member.number)
            {
                rows.claims.push(ClaimRow {
                    member: *by.as_bytes(),
                    leaf_index: recorded.index,
                    claim: claim_key(owner, id),
                });
            }
            rows.events.push(EventRow {
                leaf_index: recorded.index,
                number,
                bytes: event.encode(),
                members: event
                    .concerns
                    .iter()
                    .map(|member| *member.as_bytes())
                    .collect(),
            });
        }
        documents.sort_unstable();
        documents.dedup();
        rows.timeline.extend(
            documents
                .into_iter()
                .map(|document| (document, recorded.index)),
        );
    }
    Ok(rows)
}
