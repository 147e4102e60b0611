//! Which of a member's own claims held money on a document when it was reversed.
//!
//! The event of a reversal names the document; whoever paid wants to know which of its payments it
//! is about. The claims are found by the member's own locks, and what became of each is in the
//! state: nothing that others put on the document is read, so nobody can hide a claim behind it.
//! The state is of now, and what it says of an earlier place never changes: a claim ends once.

use std::collections::BTreeSet;

use invoice_api::registry::Place;
use invoice_core::apply::{Event, EventKind};
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::record::ClaimKind;
use invoice_core::state::Claim;

use super::claims;
use super::registry::NodeError;
use super::timeline::OwnLocks;
use crate::store::{EventPosition, Page, Snapshot};

/// Turns in which a member's events and a document's leaves are compared, for a settlement that
/// was taken back wholly. Each turn passes over at least one of the member's own events.
const EVENT_TURNS_MAX: usize = 20_000;

/// The ids of the member's claims that held money on the document just before a place of the log,
/// in the order of their ids.
pub(super) fn holding_before(
    snapshot: &Snapshot,
    member: MemberId,
    document: &DocumentKey,
    before: &Place,
) -> Result<Vec<String>, NodeError> {
    let mut locks = OwnLocks::new(snapshot, member, document, before.index);
    let mut holding = BTreeSet::new();
    while let Some(row) = locks.next()? {
        let Some((id, claim)) = claims::claim_of(snapshot, &row)? else {
            continue;
        };
        let own = Own {
            snapshot,
            member,
            id: &id,
            claim: &claim,
        };
        if own.holds_before(before)? {
            holding.insert(id.as_str().to_owned());
        }
    }
    Ok(holding.into_iter().collect())
}

/// A claim of the member.
struct Own<'s> {
    snapshot: &'s Snapshot,
    member: MemberId,
    id: &'s RecordId,
    claim: &'s Claim,
}

impl Own<'_> {
    /// Whether a claim that was locked before a place held money just before it.
    fn holds_before(&self, before: &Place) -> Result<bool, NodeError> {
        let claim = self.claim;
        if claim.kind == ClaimKind::Reference {
            return Ok(false);
        }
        if claim.settled_at.is_some() {
            // What was settled later was locked until then.
            return Ok(claim.settled_index >= before.index || self.is_left_before(before)?);
        }
        if claim.expires_at <= before.time {
            return Ok(false);
        }
        // No two blocks have the same time.
        match claim.released_at {
            Some(released_at) if released_at == before.time => {
                Ok(!self.is_released_within_block_of(before)?)
            }
            Some(released_at) => Ok(released_at > before.time),
            None => Ok(true),
        }
    }

    /// Whether it was given back in the block of a place, and earlier. A reversal itself frees
    /// what it meets, which held money just before.
    fn is_released_within_block_of(&self, before: &Place) -> Result<bool, NodeError> {
        let Some(outline) = self.snapshot.outline(before.height)? else {
            return Ok(false);
        };
        let first = outline.header.first_index;
        for (_, bytes) in self.snapshot.told_by(first, before.index)? {
            if self.is_about(&Event::decode(&bytes)?, EventKind::ClaimReleased) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a place came before the whole settlement was taken back, if it ever was.
    fn is_left_before(&self, before: &Place) -> Result<bool, NodeError> {
        let claim = self.claim;
        if claim.effective().is_positive() || !claim.settled.is_positive() {
            return Ok(claim.effective().is_positive());
        }
        let document = claim.document.to_bytes();
        let mut left = claim.settled;
        let mut after = claim.settled_index;
        for _ in 0..EVENT_TURNS_MAX {
            let page = Page {
                after: Some(after),
                limit: 1,
            };
            let leaves = self.snapshot.timeline(&document, page)?;
            let leaf = leaves.first().filter(|leaf| **leaf < before.index);
            let Some(leaf) = leaf.copied() else {
                return Ok(left.is_positive());
            };
            let page = Page {
                after: leaf.checked_sub(1).map(|leaf_index| EventPosition {
                    leaf_index,
                    number: u32::MAX,
                }),
                limit: 1,
            };
            let told = self.snapshot.events_of(self.member.as_bytes(), page)?;
            let Some(told) = told.first().map(|(at, _)| at.leaf_index) else {
                return Ok(left.is_positive());
            };
            after = told.saturating_sub(1);
            if told == leaf {
                left = self.less_what_is_taken_back_by(leaf, left)?;
                after = leaf;
            }
        }
        tracing::warn!(member = %self.member, claim = %self.id.as_str(), "what was taken back of a claim was not read to its end");
        Ok(true)
    }

    fn less_what_is_taken_back_by(&self, leaf: u64, left: Fen) -> Result<Fen, NodeError> {
        let mut left = left;
        for (_, bytes) in self.snapshot.told_by(leaf, leaf.saturating_add(1))? {
            let event = Event::decode(&bytes)?;
            if self.is_about(&event, EventKind::ClaimReversed) {
                let back = event.amount.unwrap_or(Fen::ZERO);
                left = Fen::new(left.get().saturating_sub(back.get()));
            }
        }
        Ok(left)
    }

    fn is_about(&self, event: &Event, kind: EventKind) -> bool {
        let claim = event.claim.as_ref();
        event.kind == kind && claim.is_some_and(|(by, id)| *by == self.member && id == self.id)
    }
}
