//! The Merkle tree of RFC 6962, clause 2.1, over SM3: roots, growth, and both kinds of proof.
//!
//! Leaves are hashed as SM3(0x00 || bytes), inner nodes as SM3(0x01 || left || right); the empty
//! tree's root is SM3 of nothing. Proofs are computed from the hashes of complete subtrees, which
//! a caller supplies through a closure `node(level, index)`: the subtree of the 2^level leaves
//! from `index · 2^level` on. So a store can serve proofs from tiles.

use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::{Hash, sm3, sm3_many};

/// Longest proof: one hash a level of a tree of 2⁶⁴ leaves.
pub const PROOF_HASHES_MAX: usize = 65;

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    sm3(&[&[0], bytes])
}

/// The hashes of many leaves, in order.
#[must_use]
pub fn leaf_hashes<B: AsRef<[u8]>>(leaves: &[B]) -> Vec<Hash> {
    let parts: Vec<[&[u8]; 2]> = leaves
        .iter()
        .map(|leaf| [&[0][..], leaf.as_ref()])
        .collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 2]>::as_slice).collect();
    sm3_many(&messages)
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sm3(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The hashes of the inner nodes over neighbours: of the first and second, the third and fourth;
/// a last one without neighbour is left out.
#[must_use]
pub fn node_hashes(children: &[Hash]) -> Vec<Hash> {
    let (pairs, _) = children.as_chunks::<2>();
    let parts: Vec<[&[u8]; 3]> = pairs
        .iter()
        .map(|[left, right]| [&[1][..], left.as_bytes(), right.as_bytes()])
        .collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 3]>::as_slice).collect();
    sm3_many(&messages)
}

/// The root over leaf hashes.
///
/// ```
/// use invoice_core::merkle::{leaf_hash, node_hash, root};
///
/// let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| leaf_hash(bytes));
/// assert_eq!(root(&[a, b, c]), node_hash(&node_hash(&a, &b), &c));
/// ```
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    frontier.extend(leaves);
    frontier.root()
}

/// The right edge of a growing tree: enough to append leaves and to know the root.
///
/// ```
/// use invoice_core::merkle::{Frontier, leaf_hash, root};
///
/// let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// let mut frontier = Frontier::new();
/// leaves.iter().for_each(|leaf| frontier.push(*leaf));
/// assert_eq!((frontier.size(), frontier.root()), (3, root(&leaves)));
/// assert_eq!(Frontier::decode(&frontier.encode())?, frontier);
/// # Ok::<(), invoice_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Hashes of the complete subtrees, largest first: one for each bit that is set in `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        // 2⁶⁴ leaves would take longer than any computer lasts.
        self.size = self.size.saturating_add(1);
    }

    /// Appends leaves, level by level: the same tree as by [`Frontier::push`] of each, with the
    /// nodes of a level hashed side by side.
    pub fn extend(&mut self, leaves: &[Hash]) {
        // A subtree for each set bit below, so that the lowest is the smallest.
        let mut kept: Vec<Hash> = Vec::new();
        let mut level = leaves.to_vec();
        let (mut peaks, mut subtrees) = (std::mem::take(&mut self.peaks), self.size);
        while !level.is_empty() {
            if subtrees & 1 == 1
                && let Some(left) = peaks.pop()
            {
                level.insert(0, left);
            }
            if level.len() & 1 == 1
                && let Some(without_neighbour) = level.pop()
            {
                kept.push(without_neighbour);
            }
            level = node_hashes(&level);
            subtrees >>= 1;
        }
        peaks.extend(kept.into_iter().rev());
        self.peaks = peaks;
        // 2⁶⁴ leaves would take longer than any computer lasts.
        self.size = self.size.saturating_add(leaves.len() as u64);
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => sm3(&[]),
            Some(smallest) => peaks.fold(smallest, |right, left| node_hash(&left, &right)),
        }
    }

    /// The hashes of the complete subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The size (8 bytes) and 32 bytes for each complete subtree.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.put_u64(self.size);
        self.peaks
            .iter()
            .for_each(|peak| writer.put(peak.as_bytes()));
        writer.into_bytes()
    }

    /// Reads what [`Frontier::encode`] writes.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are more or fewer than the size demands.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let size = reader.u64("tree size")?;
        let peaks = (0..size.count_ones())
            .map(|_| reader.hash("subtree"))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { size, peaks })
    }
}

/// A proof cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The index or the size lies outside the tree.
    #[error("超出树的范围 / outside the tree")]
    OutOfRange,
    /// The provider of nodes failed.
    #[error("{0}")]
    Node(E),
}

/// The hashes that lead from the leaf at `index` to the root of the tree of `size` leaves,
/// lowest first (RFC 6962, 2.1.1).
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `index < size`; [`ProofError::Node`] when `node` fails.
pub fn inclusion_path<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut low, mut high, mut path) = (0, size, Vec::new());
    while let Some(middle) = split(low, high) {
        if index < middle {
            path.push(range_root(middle, high, &mut node)?);
            high = middle;
        } else {
            path.push(range_root(low, middle, &mut node)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The root to which a path leads from a leaf, or `None` when the path has the wrong length
/// (RFC 9162, 2.1.3.2).
#[must_use]
pub fn root_from_path(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut position, mut last, mut hash) = (index, size.checked_sub(1)?, *leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether `path` proves that the tree of `size` leaves with `root` has `leaf` at `index`.
///
/// ```
/// use std::convert::Infallible;
/// use invoice_core::merkle::{inclusion_path, leaf_hash, root, verify_inclusion};
///
/// let leaves = [leaf_hash(b"a"), leaf_hash(b"b")];
/// let path = inclusion_path(1, 2, |_, index| Ok::<_, Infallible>(leaves[index as usize]))?;
/// assert!(verify_inclusion(&leaves[1], 1, 2, &path, &root(&leaves)));
/// assert!(!verify_inclusion(&leaves[1], 0, 2, &path, &root(&leaves)));
/// # Ok::<(), invoice_core::merkle::ProofError<Infallible>>(())
/// ```
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    root_from_path(leaf, index, size, path).is_some_and(|reached| reached == *root)
}

/// The hashes that prove the tree of `new_size` leaves to be the tree of `old_size` leaves with
/// more appended (RFC 6962, 2.1.2).
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `0 < old_size <= new_size`; [`ProofError::Node`] when `node`
/// fails.
pub fn consistency_path<E>(
    old_size: u64,
    new_size: u64,
    mut node: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofError::OutOfRange);
    }
    let (mut low, mut high, mut path) = (0, new_size, Vec::new());
    while high != old_size {
        let Some(middle) = split(low, high) else {
            break;
        };
        if old_size <= middle {
            path.push(range_root(middle, high, &mut node)?);
            high = middle;
        } else {
            path.push(range_root(low, middle, &mut node)?);
            low = middle;
        }
    }
    // Whoever knows the old root needs no help when the old tree is a whole subtree of the new.
    if low != 0 {
        path.push(range_root(low, high, &mut node)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` proves that the tree of `new_size` leaves begins with the tree of `old_size`
/// (RFC 9162, 2.1.4.2). The empty tree begins every tree, with an empty proof.
#[must_use]
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> bool {
    if old_size == 0 {
        return path.is_empty()
            && *old_root == sm3(&[])
            && (new_size != 0 || *new_root == sm3(&[]));
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    let (Some(mut position), Some(mut last)) = (old_size.checked_sub(1), new_size.checked_sub(1))
    else {
        return false;
    };
    if position > last {
        return false;
    }
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut old, rest) = if old_size.is_power_of_two() {
        (*old_root, path)
    } else {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        (*first, rest)
    };
    let mut new = old;
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

/// Where the tree over leaves `low..high` divides: after the largest power of two that is less
/// than their number. A single leaf does not divide.
fn split(low: u64, high: u64) -> Option<u64> {
    let last = high.checked_sub(low)?.checked_sub(1)?;
    low.checked_add(1_u64.checked_shl(last.checked_ilog2()?)?)
}

/// The root of the tree over leaves `low..high`, where `low` is where some subtree begins.
fn range_root<E>(
    low: u64,
    high: u64,
    node: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Hash, ProofError<E>> {
    let mut subtrees = Vec::new();
    let mut start = low;
    while let Some(level) = high.checked_sub(start).and_then(u64::checked_ilog2) {
        let index = start.checked_shr(level).ok_or(ProofError::OutOfRange)?;
        let level_byte = u8::try_from(level).map_err(|_| ProofError::OutOfRange)?;
        subtrees.push(node(level_byte, index).map_err(ProofError::Node)?);
        start = 1_u64
            .checked_shl(level)
            .and_then(|len| start.checked_add(len))
            .ok_or(ProofError::OutOfRange)?;
    }
    let smallest = subtrees.pop().ok_or(ProofError::OutOfRange)?;
    Ok(subtrees
        .iter()
        .rev()
        .fold(smallest, |right, left| node_hash(left, &right)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use proptest::prelude::*;

    const SIZES: u64 = 130;

    fn leaf(index: u64) -> Hash {
        leaf_hash(&index.to_be_bytes())
    }

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(leaf).collect()
    }

    /// MTH of RFC 6962, 2.1, word for word.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sm3(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    /// PATH of RFC 6962, 2.1.1.
    fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(k);
        let (mut path, sibling) = if index < k {
            (naive_path(index, left), right)
        } else {
            (naive_path(index - k, right), left)
        };
        path.push(naive_root(sibling));
        path
    }

    /// SUBPROOF of RFC 6962, 2.1.2.
    fn naive_subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole {
                Vec::new()
            } else {
                vec![naive_root(leaves)]
            };
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(k);
        let (mut path, sibling) = if old <= k {
            (naive_subproof(old, left, whole), right)
        } else {
            (naive_subproof(old - k, right, false), left)
        };
        path.push(naive_root(sibling));
        path
    }

    /// Serves complete subtrees only, and refuses any that the tree does not have.
    fn nodes(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Result<Hash, Infallible> {
        let mut levels = vec![leaves.to_vec()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(
                below
                    .chunks_exact(2)
                    .map(|pair| node_hash(&pair[0], &pair[1]))
                    .collect(),
            );
        }
        move |level, index| Ok(levels[usize::from(level)][index as usize])
    }

    #[test]
    fn roots_are_those_of_the_standard_for_every_small_size() {
        let all = leaves(SIZES);
        let mut frontier = Frontier::new();
        for size in 0..=all.len() {
            assert_eq!(frontier.root(), naive_root(&all[..size]), "{size}");
            assert_eq!(root(&all[..size]), frontier.root());
            assert_eq!(Frontier::decode(&frontier.encode()).unwrap(), frontier);
            if let Some(leaf) = all.get(size) {
                frontier.push(*leaf);
            }
        }
    }

    #[test]
    fn leaves_together_grow_the_tree_that_they_grow_one_by_one() {
        let all = leaves(SIZES);
        for first in 0..=all.len() {
            for second in first..=all.len() {
                let mut pushed = Frontier::new();
                all[..second].iter().for_each(|leaf| pushed.push(*leaf));
                let mut extended = Frontier::new();
                extended.extend(&all[..first]);
                extended.extend(&all[first..second]);
                assert_eq!(extended, pushed, "{first} and {second}");
            }
        }
    }

    #[test]
    fn inclusion_is_proved_for_every_index_of_every_small_size() {
        let all = leaves(SIZES);
        for size in 1..=all.len() {
            let (tree, root) = (&all[..size], naive_root(&all[..size]));
            let mut node = nodes(tree);
            for index in 0..size {
                let path = inclusion_path(index as u64, size as u64, &mut node).unwrap();
                assert_eq!(path, naive_path(index, tree), "{index} of {size}");
                assert!(verify_inclusion(
                    &tree[index],
                    index as u64,
                    size as u64,
                    &path,
                    &root
                ));
            }
            assert_eq!(
                inclusion_path(size as u64, size as u64, &mut node),
                Err(ProofError::OutOfRange)
            );
        }
    }

    #[test]
    fn consistency_is_proved_between_all_small_sizes() {
        let all = leaves(SIZES);
        let roots: Vec<Hash> = (0..=all.len()).map(|size| root(&all[..size])).collect();
        for new in 1..=all.len() {
            let mut node = nodes(&all[..new]);
            for old in 1..=new {
                let path = consistency_path(old as u64, new as u64, &mut node).unwrap();
                assert_eq!(
                    path,
                    naive_subproof(old, &all[..new], true),
                    "{old} to {new}"
                );
                assert!(verify_consistency(
                    old as u64,
                    &roots[old],
                    new as u64,
                    &roots[new],
                    &path
                ));
                assert!(!verify_consistency(
                    old as u64,
                    &leaf(999),
                    new as u64,
                    &roots[new],
                    &path
                ));
                assert!(!verify_consistency(
                    old as u64,
                    &roots[old],
                    new as u64,
                    &leaf(999),
                    &path
                ));
            }
            assert!(verify_consistency(
                0,
                &roots[0],
                new as u64,
                &roots[new],
                &[]
            ));
        }
    }

    #[test]
    fn a_frontier_of_the_wrong_length_is_not_read() {
        let mut frontier = Frontier::new();
        leaves(5).into_iter().for_each(|leaf| frontier.push(leaf));
        let bytes = frontier.encode();
        assert!(Frontier::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(Frontier::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Frontier::decode(&u64::MAX.to_be_bytes()).is_err());
    }

    /// One way to spoil a proof: change, drop, repeat or add a hash.
    fn spoil(path: &mut Vec<Hash>, how: u8, at: usize) {
        let at = if path.is_empty() { 0 } else { at % path.len() };
        match (how % 4, path.is_empty()) {
            (0, false) => path[at] = leaf(1_000),
            (1, false) => drop(path.remove(at)),
            (2, false) => path.insert(at, path[at]),
            _ => path.push(leaf(1_000)),
        }
    }

    proptest! {
        #[test]
        fn a_spoilt_inclusion_proof_fails(size in 1..=SIZES, index: u64, how: u8, at: usize) {
            let (tree, index) = (leaves(size), index % size);
            let root = root(&tree);
            let good = inclusion_path(index, size, nodes(&tree)).unwrap();
            let mut path = good.clone();
            spoil(&mut path, how, at);
            prop_assert!(!verify_inclusion(&leaf(index), index, size, &path, &root));
            prop_assert!(!verify_inclusion(&leaf(1_000), index, size, &good, &root));
            let other = (index + 1) % size;
            prop_assert!(other == index || !verify_inclusion(&leaf(index), other, size, &good, &root));
        }

        #[test]
        fn a_spoilt_consistency_proof_fails(new in 1..=SIZES, old: u64, how: u8, at: usize) {
            let old = old % new + 1;
            let tree = leaves(new);
            let mut path = consistency_path(old, new, nodes(&tree)).unwrap();
            spoil(&mut path, how, at);
            prop_assert!(!verify_consistency(old, &root(&tree[..old as usize]), new, &root(&tree), &path));
        }

        #[test]
        fn strangers_proofs_never_panic(index: u64, size: u64, old: u64, hashes in 0_usize..70) {
            let path = vec![leaf(0); hashes];
            let _ = verify_inclusion(&leaf(1), index, size, &path, &leaf(2));
            let _ = verify_consistency(old, &leaf(1), size, &leaf(2), &path);
        }
    }
}
