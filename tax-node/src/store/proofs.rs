//! Merkle hashes and proofs of the log.

use std::sync::Arc;

use invoice_core::codec::Writer;
use invoice_core::crypto::Hash;
use invoice_core::merkle::{self, Frontier, ProofError};

use super::bundle::BUNDLE_LEAVES;
use super::error::{Damage, ReadError};
use super::log_tree::{BundleTree, STORED_LEVEL};
use super::snapshot::Snapshot;
use super::tables::{self, key};

impl Snapshot {
    /// The Merkle hash of the complete subtree of 2^`level` leaves that begins at leaf
    /// `index` · 2^`level`: what the provers of [`invoice_core::merkle`] ask for. At level 0 that
    /// is the hash of one leaf.
    ///
    /// # Errors
    /// [`ReadError::BeyondLog`] when the log has not all of those leaves; the store has stopped or
    /// cannot be read; [`ReadError::BodiesAway`] below level 8 when the year's folder was moved
    /// away.
    pub fn node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let end = index.checked_add(1).and_then(|next| {
            let leaves = 1_u64.checked_shl(u32::from(level))?;
            next.checked_mul(leaves)
        });
        match end {
            Some(end) if end <= self.head().log_size() => {
                self.shared.guard(|| self.read_node(level, index))
            }
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
            let node = |level, index| self.read_node(level, index);
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
            let node = |level, index| self.read_node(level, index);
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
        let known = [Some(&self.published.head), self.published.flushed.as_ref()];
        let known = known.into_iter().flatten();
        if let Some(head) = known.into_iter().find(|head| head.log_size() == size) {
            return Ok(head.frontier.clone());
        }
        if let Some(last) = size.checked_sub(1)
            && last >= self.published.flushed_leaves()
        {
            let height = self.read_height_of_leaf(last)?;
            if let Some(block) = self.young_block(height)
                && block.frontier.size() == size
            {
                return Ok(block.frontier.clone());
            }
        }
        let mut bytes = Writer::new();
        bytes.put_u64(size);
        let mut start = 0_u64;
        for level in (0..64_u8).rev() {
            let leaves = 1_u64 << level;
            if size & leaves != 0 {
                bytes.put(self.read_node(level, start >> level)?.as_bytes());
                start |= leaves;
            }
        }
        let frontier = Frontier::decode(&bytes.into_bytes());
        Ok(frontier.map_err(|_| Damage::new("nodes", size, "give no frontier"))?)
    }

    /// The hash of a subtree that the log has.
    pub(super) fn read_node(&self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let damage = |fault| Damage::new("nodes", format!("({level}, {index})"), fault);
        if level >= STORED_LEVEL {
            let row = self
                .view
                .get(&key(tables::NODES, &[&[level], &index.to_be_bytes()]))?;
            let row = row.ok_or_else(|| damage("missing"))?;
            let hash: Result<[u8; 32], _> = row.as_slice().try_into();
            return Ok(hash.map(Hash::new).map_err(|_| damage("unreadable"))?);
        }
        let bundle = index >> STORED_LEVEL.saturating_sub(level);
        let within = index.saturating_sub(bundle << STORED_LEVEL.saturating_sub(level));
        let tree = self.tree(bundle)?;
        Ok(tree
            .node(level, within)
            .ok_or_else(|| damage("not in its bundle"))?)
    }

    /// The lower levels of a bundle.
    fn tree(&self, bundle: u64) -> Result<Arc<BundleTree>, ReadError> {
        if let Some(tree) = self.shared.trees.get(&bundle) {
            return Ok(tree);
        }
        let first = bundle.saturating_mul(BUNDLE_LEAVES);
        let whole = first.saturating_add(BUNDLE_LEAVES);
        let end = whole.min(self.head().log_size());
        let tree = Arc::new(BundleTree::over(self.leaf_hashes(first, end)?));
        if end == whole {
            self.shared.trees.insert(bundle, Arc::clone(&tree));
        }
        Ok(tree)
    }

    /// The hashes of leaves of one bundle.
    fn leaf_hashes(&self, first: u64, end: u64) -> Result<Vec<Hash>, ReadError> {
        let flushed = self.published.flushed_leaves();
        let mut hashes = Vec::with_capacity(256);
        if first < flushed {
            self.old_leaf_hashes(first, end.min(flushed), &mut hashes)?;
        }
        let mut index = first.saturating_add(hashes.len() as u64);
        while index < end {
            let height = self.read_height_of_leaf(index)?;
            let missing = || Damage::new("journal", height, "missing");
            let block = self.young_block(height).ok_or_else(missing)?;
            let header = &block.outline.header;
            let of_block = match block.leaf_hashes.get() {
                Some(hashes) => hashes,
                None => {
                    let leaves = self.read_leaves(header.first_index, header.count)?;
                    block
                        .leaf_hashes
                        .get_or_init(|| merkle::leaf_hashes(&leaves))
                }
            };
            let skipped = usize::try_from(index.saturating_sub(header.first_index)).unwrap_or(0);
            let wanted = usize::try_from(end.saturating_sub(index)).unwrap_or(0);
            let before = hashes.len();
            hashes.extend(of_block.iter().skip(skipped).take(wanted));
            let got = hashes.len().saturating_sub(before) as u64;
            if got == 0 {
                return Err(Damage::new("journal", height, "has too few leaves").into());
            }
            index = index.saturating_add(got);
        }
        Ok(hashes)
    }

    /// The same for leaves that are in body files: from the rows of a bundle in several parts, or
    /// from the leaves.
    fn old_leaf_hashes(
        &self,
        first: u64,
        end: u64,
        hashes: &mut Vec<Hash>,
    ) -> Result<(), ReadError> {
        let bundle = first / BUNDLE_LEAVES;
        let mut index = first;
        while index < end {
            let within = [u8::try_from(index % BUNDLE_LEAVES).unwrap_or(0)];
            let row = self
                .view
                .get(&key(tables::PART_HASHES, &[&bundle.to_be_bytes(), &within]))?;
            let before = hashes.len();
            match row {
                Some(row) => {
                    let (parts, _) = row.as_chunks::<32>();
                    hashes.extend(parts.iter().map(|bytes| Hash::new(*bytes)));
                }
                None => {
                    let count = u32::try_from(end.saturating_sub(index)).unwrap_or(0);
                    hashes.extend(merkle::leaf_hashes(&self.read_leaves(index, count)?));
                }
            }
            let got = hashes.len().saturating_sub(before) as u64;
            index = index.saturating_add(got);
            if got == 0 || index > end {
                return Err(
                    Damage::new("part_hashes", bundle, "are not those of its parts").into(),
                );
            }
        }
        Ok(())
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
