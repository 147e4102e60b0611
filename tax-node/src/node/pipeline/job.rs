//! A verified envelope on its way into a block.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use invoice_api::registry::{RecordAnswer, UnavailableReason};
use invoice_core::apply::{Candidate, Verdict};
use invoice_core::crypto::{Hash, HintedSignature};

use super::fresh::FreshBlock;
use super::outbox::Held;
use super::pending::Entered;
use super::reply::{Answered, Decided, Decision, Slot, unavailable};
use crate::node::key_cache::KnownKey;

/// How the signature covers the records.
#[derive(Debug, Clone)]
pub(in crate::node) enum Form {
    /// Over the one record.
    Single,
    /// Over the Merkle root of all records of the envelope.
    Batch {
        /// All or none.
        atomic: bool,
        /// Leaf hashes of the records' bytes by position, also of those that failed before.
        leaf_hashes: Vec<Hash>,
    },
}

/// Records whose shape and signature are right.
#[derive(Debug)]
pub(in crate::node) struct Verified {
    pub(in crate::node) key: Arc<KnownKey>,
    pub(in crate::node) signature: HintedSignature,
    pub(in crate::node) form: Form,
    /// Position in the envelope of each record, ascending.
    pub(in crate::node) positions: Vec<usize>,
    /// The exact bytes of each.
    pub(in crate::node) records: Vec<Bytes>,
    /// What is to be executed of each.
    pub(in crate::node) candidates: Vec<Candidate>,
}

/// An envelope to be executed and recorded.
#[derive(Debug)]
pub(in crate::node) struct Job {
    pub(in crate::node) verified: Verified,
    /// Answers of its other records, by position.
    pub(in crate::node) answers: Vec<Option<RecordAnswer>>,
    /// The records' ids as far as they could be read.
    pub(in crate::node) ids: Vec<Option<String>>,
    pub(in crate::node) slot: Slot,
    pub(in crate::node) pending: Entered,
    /// That it waits, as other nodes are concerned.
    pub(in crate::node) held: Option<Held>,
}

impl Job {
    /// How many records are to be executed.
    pub(in crate::node) fn records(&self) -> usize {
        self.verified.records.len()
    }

    /// Bytes of all records that came with it.
    pub(in crate::node) fn bytes(&self) -> usize {
        self.slot.bytes()
    }

    /// Gives the envelope up when it has waited too long for other nodes to agree.
    pub(in crate::node) fn unless_given_up(self) -> Result<Self, Entered> {
        if !self.held.as_ref().is_some_and(Held::is_given_up) {
            return Ok(self);
        }
        self.slot
            .fill(Err(unavailable(UnavailableReason::NoQuorum)));
        Err(self.pending)
    }

    /// Answers the envelope: its block is durable. What it was pending for comes back, to be left
    /// together with that of others.
    pub(in crate::node) fn answer(
        self,
        decisions: Vec<Decision>,
        fresh: Option<(Arc<FreshBlock>, usize)>,
    ) -> Entered {
        let decisions = match &self.held {
            Some(held) => by_others(held.recorded(), decisions),
            None => decisions,
        };
        let decided = Decided {
            positions: self.verified.positions,
            decisions,
            key: self.verified.key,
            fresh,
        };
        self.slot.fill(Ok(Answered {
            answers: self.answers,
            ids: self.ids,
            decided: Some(decided),
        }));
        self.pending
    }
}

/// Tells what this envelope brought to the chain in a block of another, with these leaves, from what
/// stood there before: the first is answered as recorded now, once for each record.
fn by_others(leaves: Range<u64>, mut decisions: Vec<Decision>) -> Vec<Decision> {
    let mut seen = BTreeSet::new();
    for decision in &mut decisions {
        if let Decision::NotNow(Verdict::Replayed { index, accepted }) = *decision
            && leaves.contains(&index)
            && seen.insert(index)
        {
            *decision = Decision::ByAnother { index, accepted };
        }
    }
    decisions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_envelope_brought_is_new() {
        let at = |index| {
            Decision::NotNow(Verdict::Replayed {
                index,
                accepted: true,
            })
        };
        let told = by_others(5..8, vec![at(4), at(5), at(7), at(5), at(8)]);
        let new: Vec<bool> = told
            .iter()
            .map(|one| matches!(one, Decision::ByAnother { .. }))
            .collect();
        assert_eq!(new, [false, true, true, false, false]);
        let told = by_others(0..0, vec![at(0)]);
        assert!(matches!(told[0], Decision::NotNow(_)));
    }
}
