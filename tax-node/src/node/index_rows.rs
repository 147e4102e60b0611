//! Rows of the store's indexes, derived from a block and its execution.

use invoice_core::apply::{EventKind, Recorded};
use invoice_core::chain::Block;
use invoice_core::crypto::sm3;
use invoice_core::state::{MemberNo, claim_key};

use crate::store::{ClaimRow, EventRow, IndexRows};

/// The rows of a block. `number_of` gives a member's number, which stands in claim keys.
pub(crate) fn index_rows<E>(
    block: &Block,
    records: &[Recorded],
    mut number_of: impl FnMut(&invoice_core::identity::MemberId) -> Result<Option<MemberNo>, E>,
) -> Result<IndexRows, E> {
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
                && let Some(owner) = number_of(by)?
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
