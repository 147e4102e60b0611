//! Blocks that were proposed and are not decided.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use consensus::LogEntry;
use invoice_core::crypto::Hash;

use super::frames::ProposedBlock;

/// Rounds ahead of the present one of which blocks are kept.
const ROUNDS_AHEAD_MAX: u32 = 2;

/// Proposed blocks of the height that is being decided and of the next.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// Of which rounds a block came already: nobody makes this node execute two.
    taken: BTreeSet<(u64, u32)>,
    /// Came and were not executed yet.
    unchecked: VecDeque<ProposedBlock>,
    /// Blocks that are valid, by id, in the log as well, and hints of their signatures.
    valid: BTreeMap<Hash, (Bytes, Bytes)>,
    /// Rounds in which this node sent its own block.
    own: BTreeSet<u32>,
    /// Rounds of which a block came.
    seen: BTreeSet<u32>,
}

impl Proposals {
    /// A height begins, with what the log has of it.
    pub(super) fn begin(&mut self, logged: &[LogEntry]) {
        for entry in logged {
            match entry {
                LogEntry::Block { block_id, bytes } => {
                    self.valid.insert(*block_id, (bytes.clone(), Bytes::new()));
                }
                LogEntry::Vote(_)
                | LogEntry::Proposal(_)
                | LogEntry::Polka(_)
                | LogEntry::Value(_)
                | LogEntry::Elapsed(_) => {}
            }
        }
    }

    /// Takes a block that the proposer of a round sent; `false` when it is not wanted. `height` and
    /// `round` are where this node is.
    pub(super) fn keep(&mut self, height: u64, round: u32, block: &ProposedBlock) -> bool {
        let rounds = match block.height.checked_sub(height) {
            Some(0) => round..=round.saturating_add(ROUNDS_AHEAD_MAX),
            Some(1) => 0..=ROUNDS_AHEAD_MAX,
            Some(_) | None => return false,
        };
        if !rounds.contains(&block.round) || !self.taken.insert((block.height, block.round)) {
            return false;
        }
        self.unchecked
            .retain(|kept| kept.height > height || kept.round >= round);
        self.unchecked.push_back(block.clone());
        true
    }

    /// The next block of the height that came and was not executed.
    pub(super) fn next_unchecked(&mut self, height: u64) -> Option<ProposedBlock> {
        let place = self
            .unchecked
            .iter()
            .position(|block| block.height == height)?;
        let block = self.unchecked.remove(place)?;
        self.seen.insert(block.round);
        Some(block)
    }

    /// Whether a block of this height waits to be executed.
    pub(super) fn has(&self, height: u64) -> bool {
        self.unchecked.iter().any(|block| block.height == height)
    }

    /// Remembers a valid block; `false` when it is known: what comes under its id later is not
    /// looked at, and may be anything.
    pub(super) fn remember(&mut self, id: Hash, bytes: &Bytes, hints: &Bytes) -> bool {
        match self.valid.entry(id) {
            Entry::Vacant(place) => {
                place.insert((bytes.clone(), hints.clone()));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Whether a block is known to be valid.
    pub(super) fn knows(&self, id: &Hash) -> bool {
        self.valid.contains_key(id)
    }

    /// This node proposes in a round; `false` when it did before.
    pub(super) fn propose(&mut self, round: u32) -> bool {
        self.seen.insert(round);
        self.own.insert(round)
    }

    /// The bytes of a valid block, and hints of its signatures.
    pub(super) fn block(&self, id: &Hash) -> Option<(Bytes, Bytes)> {
        self.valid.get(id).cloned()
    }

    /// Whether a block of the round was seen.
    pub(super) fn is_proposed(&self, round: u32) -> bool {
        self.seen.contains(&round)
    }

    /// A height is decided.
    pub(super) fn forget(&mut self, height: u64) {
        self.taken.retain(|(of, _)| *of > height);
        self.unchecked.retain(|block| block.height > height);
        self.valid.clear();
        self.own.clear();
        self.seen.clear();
    }
}
