//! Rows of the store's indexes, derived from a block and its execution.

use invoice_core::apply::{Event, EventKind, Recorded};
use invoice_core::state::{Fault, StateView, TypedState, claim_key};

use crate::store::{ClaimRow, EventRow, IndexRows};

/// The rows of a block's `records`, over the state that the block left: members that it admits have their
/// number there.
///
/// # Errors
/// The state cannot be read.
pub fn rows_over<V: StateView>(
    state: &V,
    records: &[Recorded],
) -> Result<IndexRows, Fault<V::Error>> {
    let state = TypedState(state);
    let mut rows = IndexRows::default();
    rows.records.reserve(records.len());
    rows.events.reserve(records.len());
    for recorded in records {
        rows.records.push((recorded.hash, recorded.index));
        let mut documents = Vec::new();
        for (number, event) in (0_u32..).zip(&recorded.events) {
            let implied = is_implied(number, event);
            if let (Some(document), false) = (&event.document, implied) {
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
                bytes: (!implied).then(|| event.encode()),
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

/// Most records issue a document, and that event follows from the record alone: who reads it takes
/// it from there (`events.rs`), and no row is spent on it.
fn is_implied(number: u32, event: &Event) -> bool {
    number == 0 && event.kind == EventKind::DocumentIssued
}
