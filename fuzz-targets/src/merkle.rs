//! Merkle proofs: genuine ones hold, and nothing else does.

use std::convert::Infallible;

use invoice_core::codec::Reader;
use invoice_core::crypto::{Hash, sm3};
use invoice_core::merkle::{
    consistency_path, inclusion_path, leaf_hash, root, root_from_path, verify_consistency,
    verify_inclusion,
};

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 4) else {
        return;
    };
    // A stream that is too short for its trial is no trial.
    let _ = match chosen {
        0 => strange_inclusion(rest),
        1 => strange_consistency(rest),
        2 => inclusion(rest),
        _ => consistency(rest),
    };
}

/// Any numbers and any hashes: only terminating is asked.
fn strange_inclusion(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let (index, size) = (reader.u64("index").ok()?, reader.u64("size").ok()?);
    let leaf = leaf_hash(b"leaf");
    let path = hashes(&mut reader);
    let reached = root_from_path(&leaf, index, size, &path)?;
    assert!(index < size && path.len() <= 64);
    assert!(verify_inclusion(&leaf, index, size, &path, &reached));
    Some(())
}

fn strange_consistency(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let (old, new) = (reader.u64("old").ok()?, reader.u64("new").ok()?);
    let roots = [reader.hash("old root").ok()?, reader.hash("new root").ok()?];
    let path = hashes(&mut reader);
    if verify_consistency(old, &roots[0], new, &roots[1], &path) {
        assert!(old <= new);
        assert!(old != new || roots[0] == roots[1]);
    }
    Some(())
}

/// A genuine proof, then changed: it holds exactly as long as it is the genuine one.
fn inclusion(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let size = usize::from(reader.u8("size").ok()? % 70) + 1;
    let index = usize::from(reader.u8("index").ok()?) % size;
    let leaves = leaves(size);
    let (index_64, size_64) = (index as u64, size as u64);
    let genuine = inclusion_path(index_64, size_64, subtrees(&leaves)).expect("inside the tree");
    let changed = change(&genuine, &mut reader);
    let root = root(&leaves);
    let holds = |at: u64| verify_inclusion(&leaves[index], at, size_64, &changed, &root);
    assert_eq!(holds(index_64), changed == genuine);
    let elsewhere = u64::from(reader.u8("another index").unwrap_or(0));
    assert!(elsewhere == index_64 || !holds(elsewhere));
    Some(())
}

fn consistency(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader::new(bytes);
    let new = usize::from(reader.u8("new").ok()? % 70) + 1;
    let old = usize::from(reader.u8("old").ok()?) % new + 1;
    let leaves = leaves(new);
    let (old_64, new_64) = (old as u64, new as u64);
    let genuine = consistency_path(old_64, new_64, subtrees(&leaves)).expect("inside the tree");
    let changed = change(&genuine, &mut reader);
    let (old_root, new_root) = (root(&leaves[..old]), root(&leaves));
    let holds = verify_consistency(old_64, &old_root, new_64, &new_root, &changed);
    assert_eq!(holds, changed == genuine);
    if old != new {
        let wrong = sm3(&[b"another"]);
        assert!(!verify_consistency(
            old_64, &wrong, new_64, &new_root, &changed
        ));
        assert!(!verify_consistency(
            old_64, &old_root, new_64, &wrong, &changed
        ));
    }
    Some(())
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u64)
        .map(|n| leaf_hash(&n.to_be_bytes()))
        .collect()
}

fn subtrees(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Result<Hash, Infallible> {
    |level, index| {
        let start = (index << level) as usize;
        Ok(root(&leaves[start..start + (1 << level)]))
    }
}

fn hashes(reader: &mut Reader<'_>) -> Vec<Hash> {
    std::iter::from_fn(|| reader.hash("sibling").ok()).collect()
}

/// Up to four changes to a path: a bit turned, a hash taken out, doubled, swapped or added.
fn change(path: &[Hash], reader: &mut Reader<'_>) -> Vec<Hash> {
    let mut path = path.to_vec();
    for _ in 0..4 {
        let (Ok(what), Ok(at)) = (reader.u8("change"), reader.u8("place")) else {
            break;
        };
        let at = usize::from(at);
        match (what % 6, path.len()) {
            (1, len @ 1..) => {
                let mut bytes = *path[at % len].as_bytes();
                bytes[at % 32] ^= 1 << (what % 8);
                path[at % len] = Hash::new(bytes);
            }
            (2, len @ 1..) => drop(path.remove(at % len)),
            (3, len @ 1..) => path.insert(at % len, path[at % len]),
            (4, len @ 1..) => path.swap(at % len, usize::from(what) % len),
            (5, len) => path.insert(at % (len + 1), sm3(&[&[what]])),
            _ => {}
        }
    }
    path
}
