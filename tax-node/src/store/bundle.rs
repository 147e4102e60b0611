//! Bundles: 256 consecutive leaves, compressed together.
//!
//! The same member names recur in every record, so leaves that are compressed together take a
//! fraction of their size. A bundle is `plain size u32 | zstd frame`; the plain text is, for each
//! leaf, `length u32 | bytes`, all integers big-endian.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Leaves in a bundle, and hashes in a tile.
pub const BUNDLE_LEAVES: u64 = 256;

/// The most bytes that one leaf may have: a record of 16 KiB, its outcome, and room to spare.
pub const LEAF_BYTES_MAX: usize = 64 * 1024;

const LEVEL: i32 = 3;
const PLAIN_BYTES_MAX: usize = 256 * (LEAF_BYTES_MAX + 4);
const CACHED_BUNDLES: usize = 16;

/// The leaves of one bundle.
#[derive(Debug)]
pub(super) struct Bundle {
    plain: Vec<u8>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl Bundle {
    /// The bytes of the leaf at `position` in the bundle.
    pub(super) fn leaf(&self, position: u64) -> Option<&[u8]> {
        let range = self.ranges.get(usize::try_from(position).ok()?)?;
        self.plain.get(range.clone())
    }
}

/// Compresses the leaves of one bundle.
pub(super) fn pack<L: AsRef<[u8]>>(leaves: &[L]) -> Result<Vec<u8>, &'static str> {
    let mut plain = Vec::new();
    for leaf in leaves {
        let leaf = leaf.as_ref();
        let length = u32::try_from(leaf.len()).map_err(|_| "a leaf is too long")?;
        plain.extend_from_slice(&length.to_be_bytes());
        plain.extend_from_slice(leaf);
    }
    let size = u32::try_from(plain.len()).map_err(|_| "a bundle is too long")?;
    let frame = zstd::bulk::compress(&plain, LEVEL).map_err(|_| "a bundle cannot be compressed")?;
    let mut packed = Vec::with_capacity(frame.len().saturating_add(4));
    packed.extend_from_slice(&size.to_be_bytes());
    packed.extend_from_slice(&frame);
    Ok(packed)
}

/// Decompresses a bundle; refuses one that is not exactly 256 leaves.
pub(super) fn unpack(packed: &[u8]) -> Result<Bundle, &'static str> {
    let (size, frame) = packed
        .split_first_chunk::<4>()
        .ok_or("the bundle is cut short")?;
    let size = u32::from_be_bytes(*size) as usize;
    if size > PLAIN_BYTES_MAX {
        return Err("the bundle claims to be too large");
    }
    let plain =
        zstd::bulk::decompress(frame, size).map_err(|_| "the bundle does not decompress")?;
    if plain.len() != size {
        return Err("the bundle has the wrong size");
    }
    let mut ranges = Vec::with_capacity(256);
    let mut start = 0_usize;
    while start < plain.len() {
        let (length, rest) = plain
            .get(start..)
            .and_then(|rest| rest.split_first_chunk::<4>())
            .ok_or("a leaf of the bundle is cut short")?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > rest.len() {
            return Err("a leaf of the bundle is cut short");
        }
        let from = start.saturating_add(4);
        start = from.saturating_add(length);
        ranges.push(from..start);
    }
    if ranges.len() as u64 != BUNDLE_LEAVES {
        return Err("the bundle does not hold 256 leaves");
    }
    Ok(Bundle { plain, ranges })
}

/// The bundles that were read last, a fixed number of them: neighbouring leaves are often asked
/// for together. Bundles never change, so nothing here can be stale.
#[derive(Debug, Default)]
pub(super) struct BundleCache {
    bundles: Mutex<VecDeque<(u64, Arc<Bundle>)>>,
}

impl BundleCache {
    /// The bundle if it was read lately.
    pub(super) fn get(&self, number: u64) -> Option<Arc<Bundle>> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        bundles
            .iter()
            .find(|(held, _)| *held == number)
            .map(|(_, bundle)| Arc::clone(bundle))
    }

    /// Keeps a bundle, in place of the one that was read longest ago.
    pub(super) fn put(&self, number: u64, bundle: &Arc<Bundle>) {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if bundles.iter().any(|(held, _)| *held == number) {
            return;
        }
        if bundles.len() >= CACHED_BUNDLES {
            bundles.pop_front();
        }
        bundles.push_back((number, Arc::clone(bundle)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_come_back_from_a_bundle_as_they_went_in() {
        let leaves: Vec<Vec<u8>> = (0..256_usize).map(|n| vec![n as u8; n * 3]).collect();
        let bundle = unpack(&pack(&leaves).unwrap()).unwrap();
        for (n, leaf) in leaves.iter().enumerate() {
            assert_eq!(bundle.leaf(n as u64), Some(leaf.as_slice()));
        }
        assert_eq!(bundle.leaf(256), None);
    }

    #[test]
    fn a_damaged_bundle_is_refused_and_does_not_panic() {
        let leaves: Vec<Vec<u8>> = (0..256_usize).map(|n| vec![n as u8; 40]).collect();
        let packed = pack(&leaves).unwrap();
        for cut in 0..packed.len() {
            assert!(unpack(&packed[..cut]).is_err(), "cut at {cut}");
        }
        assert!(unpack(&pack(&leaves[..255]).unwrap()).is_err());
        let mut huge = packed;
        huge[0] = 0xff;
        assert!(unpack(&huge).is_err());
    }

    #[test]
    fn the_cache_is_bounded() {
        let leaves: Vec<Vec<u8>> = vec![Vec::new(); 256];
        let bundle = Arc::new(unpack(&pack(&leaves).unwrap()).unwrap());
        let cache = BundleCache::default();
        for number in 0..100 {
            cache.put(number, &bundle);
        }
        assert!(cache.get(0).is_none());
        assert!(cache.get(99).is_some());
        assert_eq!(cache.bundles.lock().unwrap().len(), CACHED_BUNDLES);
    }
}
