//! Merkle hashes of the log: what new leaves add, and the lower levels of one bundle.
//!
//! From level 8 on, subtrees of 256 leaves and more, hashes are rows of the store. Below, they are
//! computed from the leaves of one bundle when they are asked for, all at once, and kept for a
//! while: 32 bytes on disk for every record would cost more than computing them ever does.

use std::sync::Arc;

use invoice_core::codec::{DecodeError, Writer};
use invoice_core::crypto::{Hash, sm3_many};
use invoice_core::merkle::Frontier;

/// Levels below this one are not stored: a bundle's 256 leaves give them.
pub(super) const STORED_LEVEL: u8 = 8;

/// Bundles whose lower levels are kept, at 16 KiB each.
const CACHED_TREES: usize = 1_024;

/// The hashes of the next level: pairs are joined, a last one without partner is left out.
fn level_above(hashes: &[Hash]) -> Vec<Hash> {
    let (pairs, _) = hashes.as_chunks::<2>();
    let parts: Vec<[&[u8]; 3]> = pairs
        .iter()
        .map(|[left, right]| [&[1][..], &left.as_bytes()[..], &right.as_bytes()[..]])
        .collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 3]>::as_slice).collect();
    sm3_many(&messages)
}

/// Level, number and hash of a complete subtree.
pub(super) type Node = (u8, u64, Hash);

/// What leaves add to the log.
pub(super) struct Growth {
    /// The log's right edge with them.
    pub(super) frontier: Frontier,
    /// Every subtree of stored level that they complete.
    pub(super) nodes: Vec<Node>,
}

/// Appends leaves to the log, level by level: neighbouring hashes are computed together.
pub(super) fn grow(before: &Frontier, leaves: &[Hash]) -> Result<Growth, DecodeError> {
    let size = before.size().saturating_add(leaves.len() as u64);
    let mut old = before.peaks().iter().rev();
    let mut peaks = Vec::new();
    let mut nodes = Vec::new();
    let mut hashes = leaves.to_vec();
    // Number of the first of `hashes` at its level.
    let mut first = before.size();
    for level in 0..64_u8 {
        if first & 1 == 1
            && let Some(peak) = old.next()
        {
            hashes.insert(0, *peak);
            first = first.saturating_sub(1);
        }
        if level >= STORED_LEVEL {
            // What was a peak before is stored already.
            let new = before.size().checked_shr(u32::from(level)).unwrap_or(0);
            nodes.extend(
                (first..)
                    .zip(&hashes)
                    .filter(|(number, _)| *number >= new)
                    .map(|(number, hash)| (level, number, *hash)),
            );
        }
        if hashes.len() % 2 == 1
            && let Some(last) = hashes.last()
        {
            peaks.push(*last);
        }
        hashes = level_above(&hashes);
        first /= 2;
    }
    let mut bytes = Writer::new();
    bytes.put_u64(size);
    for peak in peaks.iter().rev() {
        bytes.put(peak.as_bytes());
    }
    Ok(Growth {
        frontier: Frontier::decode(&bytes.into_bytes())?,
        nodes,
    })
}

/// The lower levels of one bundle, or of the beginning of one.
#[derive(Debug)]
pub(super) struct BundleTree {
    levels: Vec<Vec<Hash>>,
}

impl BundleTree {
    /// The levels over these leaves.
    pub(super) fn over(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last()
            && last.len() > 1
        {
            levels.push(level_above(last));
        }
        Self { levels }
    }

    /// The hash of the subtree of 2^`level` leaves that begins at `place` · 2^`level` of the bundle.
    pub(super) fn node(&self, level: u8, place: u64) -> Option<Hash> {
        let hashes = self.levels.get(usize::from(level))?;
        hashes.get(usize::try_from(place).ok()?).copied()
    }
}

/// The trees of whole bundles that were asked for last, by the bundle's number. Leaves never change.
pub(super) type TreeCache = quick_cache::sync::Cache<u64, Arc<BundleTree>>;

/// A cache of a fixed number of trees.
pub(super) fn tree_cache() -> TreeCache {
    TreeCache::new(CACHED_TREES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use invoice_core::merkle::{leaf_hash, node_hash};

    #[test]
    fn growing_by_any_number_gives_the_same_log_as_growing_by_one() {
        let leaves: Vec<Hash> = (0..3_000_u32)
            .map(|n| leaf_hash(&n.to_be_bytes()))
            .collect();
        let mut one_by_one = vec![Frontier::new()];
        for leaf in &leaves {
            let mut next = one_by_one.last().unwrap().clone();
            next.push(*leaf);
            one_by_one.push(next);
        }
        for steps in [
            &[1, 1, 1, 253, 0, 1, 1, 510, 257, 1975][..],
            &[3000],
            &[255, 2, 2743],
            &[512, 512, 1976],
        ] {
            let (mut frontier, mut at) = (Frontier::new(), 0);
            let mut nodes = Vec::new();
            for step in steps {
                let growth = grow(&frontier, &leaves[at..at + step]).unwrap();
                at += step;
                frontier = growth.frontier;
                nodes.extend(growth.nodes);
                assert_eq!(frontier, one_by_one[at]);
            }
            // 11 bundles, then 5, 2 and 1 pairs of them.
            assert_eq!(nodes.len(), 11 + 5 + 2 + 1);
            let tree = BundleTree::over(leaves[256..512].to_vec());
            assert!(nodes.contains(&(8, 1, tree.node(8, 0).unwrap())));
            assert_eq!(tree.node(0, 9), Some(leaves[265]));
            assert_eq!(tree.node(1, 3), Some(node_hash(&leaves[262], &leaves[263])));
            assert_eq!(tree.node(1, 128), None);
            assert_eq!(tree.node(9, 0), None);
        }
    }
}
