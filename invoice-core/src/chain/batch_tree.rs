//! Proofs that records are part of a signed batch.

use super::block::BatchProof;
use crate::crypto::Hash;
use crate::merkle;

/// The tree that a batch's signature signs, hashed once for the proofs of all its entries.
#[derive(Clone, Debug)]
pub struct BatchTree {
    count: u32,
    atomic: bool,
    /// Position in the batch of each recorded entry.
    positions: Vec<u32>,
    /// Hashes of the complete subtrees of 2^level leaves, by level.
    levels: Vec<Vec<Hash>>,
}

impl BatchTree {
    /// The tree over all leaves of a batch, of which those at `positions` are recorded.
    pub(super) fn new(
        count: u32,
        atomic: bool,
        positions: Vec<u32>,
        mut leaves: Vec<Hash>,
    ) -> Self {
        let mut levels = Vec::new();
        while !leaves.is_empty() {
            let above = merkle::node_hashes(&leaves);
            levels.push(std::mem::replace(&mut leaves, above));
        }
        Self {
            count,
            atomic,
            positions,
            levels,
        }
    }

    /// The proof that the entry at `entry` (from 0, among those recorded) is part of the batch;
    /// `None` outside the entries.
    #[must_use]
    pub fn proof(&self, entry: usize) -> Option<BatchProof> {
        let position = *self.positions.get(entry)?;
        let node = |level: u8, index: u64| {
            let level = self.levels.get(usize::from(level)).ok_or(())?;
            let index = usize::try_from(index).map_err(|_| ())?;
            level.get(index).copied().ok_or(())
        };
        let path = merkle::inclusion_path(u64::from(position), u64::from(self.count), node).ok()?;
        Some(BatchProof {
            count: self.count,
            position,
            path,
            atomic: self.atomic,
        })
    }
}
