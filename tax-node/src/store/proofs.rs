//! Merkle hashes and proofs of the log, read from the tiles.

use invoice_core::codec::Writer;
use invoice_core::crypto::Hash;
use invoice_core::merkle::{self, Frontier, ProofError};

use super::error::{Damage, ReadError};
use super::snapshot::Snapshot;
use super::{tables, tiles};

impl Snapshot {
    /// The Merkle hash of the complete subtree of 2^`level` leaves that begins at leaf
    /// `index` · 2^`level`: what the provers of [`invoice_core::merkle`] ask for. At level 0 that
    /// is the hash of one leaf.
    ///
    /// # Errors
    /// [`ReadError::BeyondLog`] when the log has not all of those leaves; the store has stopped or
    /// cannot be read.
    pub fn node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let end = index.checked_add(1).and_then(|next| {
            let leaves = 1_u64.checked_shl(u32::from(level))?;
            next.checked_mul(leaves)
        });
        match end {
            Some(end) if end <= self.head().log_size() => self
                .shared
                .guard(|| tiles::node(&self.table(tables::TILES)?, level, index)),
            _ => Err(ReadError::BeyondLog {
                leaf: self.head().log_size(),
            }),
        }
    }

    /// The path that proves the leaf at `index` in the log of `size` leaves (RFC 6962, 2.1.1);
    /// `None` when there is no such leaf or the log has not had that size.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn inclusion_path(&self, index: u64, size: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        if index >= size || size > self.head().log_size() {
            return Ok(None);
        }
        self.shared.guard(|| {
            let table = self.table(tables::TILES)?;
            let node = |level, index| tiles::node(&table, level, index);
            proof(merkle::inclusion_path(index, size, node))
        })
    }

    /// The path that proves that the log of `to` leaves continues the log of `from` leaves
    /// (RFC 6962, 2.1.2); `None` when the log has not had those sizes in that order.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn consistency_path(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, ReadError> {
        if from > to || to > self.head().log_size() {
            return Ok(None);
        }
        self.shared.guard(|| {
            let table = self.table(tables::TILES)?;
            let node = |level, index| tiles::node(&table, level, index);
            proof(merkle::consistency_path(from, to, node))
        })
    }

    /// The right edge of the log of the first `size` leaves.
    ///
    /// # Errors
    /// [`ReadError::BeyondLog`] when the log is shorter; the store has stopped or cannot be read.
    pub fn frontier_at(&self, size: u64) -> Result<Frontier, ReadError> {
        if size > self.head().log_size() {
            return Err(ReadError::BeyondLog {
                leaf: self.head().log_size(),
            });
        }
        self.shared.guard(|| self.read_frontier(size))
    }

    /// [`Snapshot::frontier_at`] for a size that the log has had.
    pub(super) fn read_frontier(&self, size: u64) -> Result<Frontier, ReadError> {
        let table = self.table(tables::TILES)?;
        let mut bytes = Writer::new();
        bytes.put_u64(size);
        let mut start = 0_u64;
        for level in (0..64_u8).rev() {
            let leaves = 1_u64 << level;
            if size & leaves != 0 {
                bytes.put(tiles::node(&table, level, start >> level)?.as_bytes());
                start |= leaves;
            }
        }
        let frontier = Frontier::decode(&bytes.into_bytes());
        Ok(frontier.map_err(|_| Damage::new("tiles", size, "give no frontier"))?)
    }
}

/// A proof, or `None` where the log has none.
fn proof(
    outcome: Result<Vec<Hash>, ProofError<ReadError>>,
) -> Result<Option<Vec<Hash>>, ReadError> {
    match outcome {
        Ok(path) => Ok(Some(path)),
        Err(ProofError::OutOfRange) => Ok(None),
        Err(ProofError::Node(error)) => Err(error),
    }
}
