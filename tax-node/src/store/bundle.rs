//! Bundles: up to 256 consecutive leaves, compressed together.
//!
//! The same member names recur in every record, so leaves that are compressed together take a
//! fraction of their size. Bundle n has the leaves from 256·n on; where a bundle spans blocks, each
//! block first keeps its own *part*, and parts are joined when they go into a body file, except
//! that a part which ends a body file stays one. A packed part is `first leaf u64 | leaves u16 |
//! dictionary u32 | plain size u32 | zstd frame`; the plain text is, for each leaf, its length as
//! a varint and its bytes. Integers are big-endian.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use invoice_core::chain::Leaf;
use invoice_core::codec::{Reader, Writer};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::{CCtx, compress_bound};

use super::dictionary::{Dictionaries, Dictionary};
use super::varint;

/// Leaves in a bundle.
pub const BUNDLE_LEAVES: u64 = 256;

/// The most bytes that one leaf may have: a record of 16 KiB, its outcome, and room to spare.
pub const LEAF_BYTES_MAX: usize = 64 * 1024;

/// Leaves of one signer look so much alike that level 2 saves them less than a hundredth for a
/// quarter more time; others it would make seven hundredths smaller.
pub(super) const LEVEL: i32 = 1;

/// Bytes of a packed part before its frame.
const HEAD_BYTES: usize = 18;

const PLAIN_BYTES_MAX: usize = 256 * (LEAF_BYTES_MAX + 4);

/// Unpacked leaves that are kept at hand, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A bundle of usual records has a quarter of a mebibyte.
const CACHED_BUNDLES: usize = 256;

/// Some consecutive leaves of one bundle, unpacked.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) first: u64,
    plain: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Bundle {
    /// Lays leaves one after another.
    pub(super) fn of<L: AsRef<[u8]>>(first: u64, leaves: &[L]) -> Self {
        let bytes: usize = leaves.iter().map(|leaf| leaf.as_ref().len()).sum();
        let mut plain = Vec::with_capacity(bytes.saturating_add(leaves.len().saturating_mul(3)));
        let mut ranges = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let leaf = leaf.as_ref();
            varint::put(&mut plain, leaf.len() as u64);
            let start = plain.len();
            plain.extend_from_slice(leaf);
            ranges.push(start..plain.len());
        }
        Self {
            first,
            plain,
            ranges,
        }
    }

    /// The bytes of the leaf with this index in the log.
    pub(super) fn leaf(&self, index: u64) -> Option<&[u8]> {
        let place = index.checked_sub(self.first)?;
        let range = self.ranges.get(usize::try_from(place).ok()?)?;
        self.plain.get(range.clone())
    }

    /// All leaves in order.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &[u8]> {
        let leaf = |range: &Range<usize>| self.plain.get(range.clone()).unwrap_or_default();
        self.ranges.iter().map(leaf)
    }

    /// Compresses it.
    pub(super) fn pack(&self, dictionary: Option<&Dictionary>) -> Result<Part, &'static str> {
        PACKER.with_borrow_mut(|packer| {
            packer.pack(self.first, self.ranges.len(), &self.plain, dictionary)
        })
    }
}

thread_local! {
    static PACKER: RefCell<Packer> = RefCell::default();
}

/// Lays leaves one after another and compresses them, in memory that the thread keeps.
pub(super) fn pack_leaves(
    first: u64,
    leaves: &[Leaf<'_>],
    dictionary: Option<&Dictionary>,
) -> Result<Part, &'static str> {
    PACKER.with_borrow_mut(|packer| {
        let mut plain = std::mem::take(&mut packer.plain);
        plain.clear();
        let mut plain = Writer::after(plain);
        for leaf in leaves {
            plain.put_varint(leaf.encoded_len() as u64);
            leaf.write(&mut plain).map_err(|error| error.what)?;
        }
        let plain = plain.into_bytes();
        let part = packer.pack(first, leaves.len(), &plain, dictionary);
        packer.plain = plain;
        part
    })
}

/// What compressing needs. To allocate and clear it costs as much as to compress a few leaves, so
/// it goes from one bundle to the next.
#[derive(Default)]
struct Packer {
    context: CCtx<'static>,
    plain: Vec<u8>,
    frame: Vec<u8>,
}

impl Packer {
    fn pack(
        &mut self,
        first: u64,
        leaves: usize,
        plain: &[u8],
        dictionary: Option<&Dictionary>,
    ) -> Result<Part, &'static str> {
        self.frame.clear();
        self.frame.reserve(compress_bound(plain.len()));
        let (context, frame) = (&mut self.context, &mut self.frame);
        match dictionary {
            Some(dictionary) => {
                context.compress_using_cdict(frame, plain, dictionary.encoder.as_cdict())
            }
            None => context.compress(frame, plain, LEVEL),
        }
        .map_err(|_| "a bundle cannot be compressed")?;
        Ok(Part {
            first,
            leaves: u16::try_from(leaves).map_err(|_| "a bundle is too long")?,
            dictionary: dictionary.map_or(0, |dictionary| dictionary.number),
            plain_bytes: u32::try_from(plain.len()).map_err(|_| "a bundle is too long")?,
            frame: frame.clone(),
        })
    }
}

/// Some consecutive leaves of one bundle, compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Index of the first leaf.
    pub(super) first: u64,
    /// How many leaves there are, at most 256.
    pub(super) leaves: u16,
    /// The dictionary that it needs; 0 for none.
    pub(super) dictionary: u32,
    plain_bytes: u32,
    frame: Vec<u8>,
}

impl Part {
    /// The number of its bundle.
    pub(super) const fn bundle(&self) -> u64 {
        self.first / BUNDLE_LEAVES
    }

    /// The index after its last leaf.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.leaves))
    }

    /// Whether it is the whole bundle.
    pub(super) const fn is_whole(&self) -> bool {
        self.leaves as u64 == BUNDLE_LEAVES
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.frame.len().saturating_add(size_of::<Self>())
    }

    /// What is before its frame.
    pub(super) fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let (first, rest) = head.split_at_mut(8);
        let (leaves, rest) = rest.split_at_mut(2);
        let (dictionary, plain_bytes) = rest.split_at_mut(4);
        first.copy_from_slice(&self.first.to_be_bytes());
        leaves.copy_from_slice(&self.leaves.to_be_bytes());
        dictionary.copy_from_slice(&self.dictionary.to_be_bytes());
        plain_bytes.copy_from_slice(&self.plain_bytes.to_be_bytes());
        head
    }

    /// The compressed leaves.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            Ok(Self {
                first: reader.u64("first leaf")?,
                leaves: reader.u16("leaves")?,
                dictionary: reader.u32("dictionary")?,
                plain_bytes: reader.u32("plain size")?,
                frame: reader.take("frame", reader.remaining())?.to_vec(),
            })
        };
        let part: Self = read().map_err(|_: invoice_core::codec::DecodeError| "cut short")?;
        let place = part.first % BUNDLE_LEAVES;
        if part.leaves == 0 || place.saturating_add(u64::from(part.leaves)) > BUNDLE_LEAVES {
            return Err("a part lies in no bundle");
        }
        Ok(part)
    }

    /// Decompresses it; refuses what does not hold exactly the leaves that it states.
    pub(super) fn unpack(&self, dictionaries: &Dictionaries) -> Result<Bundle, &'static str> {
        let size = self.plain_bytes as usize;
        if size > PLAIN_BYTES_MAX {
            return Err("the bundle claims to be too large");
        }
        let failed = |_| "the bundle does not decompress";
        let mut decompressor = match dictionaries.named(self.dictionary)? {
            Some(dictionary) => Decompressor::with_prepared_dictionary(&dictionary.decoder),
            None => Decompressor::new(),
        }
        .map_err(failed)?;
        let plain = decompressor.decompress(&self.frame, size).map_err(failed)?;
        if plain.len() != size {
            return Err("the bundle has the wrong size");
        }
        let mut ranges = Vec::with_capacity(usize::from(self.leaves));
        let mut reader = Reader::new(&plain);
        while reader.remaining() > 0 {
            let cut = |_| "a leaf of the bundle is cut short";
            let length = varint::take_usize(&mut reader, "length").map_err(cut)?;
            reader.take("leaf", length).map_err(cut)?;
            let end = plain.len().saturating_sub(reader.remaining());
            ranges.push(end.saturating_sub(length)..end);
        }
        if ranges.len() != usize::from(self.leaves) {
            return Err("the bundle does not hold the leaves that it should");
        }
        Ok(Bundle {
            first: self.first,
            plain,
            ranges,
        })
    }
}

/// The bundles that were read last, by first leaf and number of leaves while they are
/// young (parts are joined later), or 0. Neighbouring leaves are often asked for together. Leaves never
/// change, so nothing here can be stale.
pub(super) type BundleCache = Cache<(u64, u16), Arc<Bundle>, BundleWeight>;

/// A bundle weighs as many bytes as its leaves have.
#[derive(Clone, Debug)]
pub(super) struct BundleWeight;

impl Weighter<(u64, u16), Arc<Bundle>> for BundleWeight {
    fn weight(&self, _key: &(u64, u16), bundle: &Arc<Bundle>) -> u64 {
        (bundle.plain.len() as u64).saturating_add(1)
    }
}

/// A cache of a fixed number of bytes.
pub(super) fn bundle_cache() -> BundleCache {
    Cache::with_weighter(CACHED_BUNDLES, CACHE_BYTES, BundleWeight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|n| vec![n as u8; n * 3]).collect()
    }

    fn encoded(part: &Part) -> Vec<u8> {
        [&part.head()[..], part.frame()].concat()
    }

    #[test]
    fn a_bundle_is_the_same_from_encoded_leaves_and_from_leaves() {
        let outcome = invoice_core::chain::Outcome::accepted();
        let records: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n; usize::from(n) * 9]).collect();
        let leaves: Vec<Leaf<'_>> = records
            .iter()
            .map(|record| Leaf {
                kid: invoice_core::crypto::Kid::new([7; 16]),
                record,
                outcome: &outcome,
            })
            .collect();
        let encoded: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.encode().unwrap()).collect();
        let bundle = Bundle::of(40, &encoded);
        assert_eq!(pack_leaves(40, &leaves, None), bundle.pack(None));
    }

    #[test]
    fn leaves_come_back_from_a_bundle_as_they_went_in() {
        let leaves = leaves(256);
        let part = Bundle::of(512, &leaves).pack(None).unwrap();
        assert!(part.is_whole());
        assert_eq!((part.bundle(), part.end()), (2, 768));
        let part = Part::decode(&encoded(&part)).unwrap();
        let bundle = part.unpack(&Dictionaries::default()).unwrap();
        assert!(bundle.leaves().eq(leaves.iter().map(Vec::as_slice)));
        for (n, leaf) in (512..).zip(&leaves) {
            assert_eq!(bundle.leaf(n), Some(leaf.as_slice()));
        }
        assert_eq!(bundle.leaf(768), None);
        assert_eq!(bundle.leaf(511), None);
    }

    #[test]
    fn a_dictionary_shrinks_bundles_and_is_needed_to_read_them() {
        let leaf = |n: u64| {
            format!(
                "{{\"type\":\"invoice.issue\",\"buyer\":\"buyer {}\",\"number\":\"{n}\"}}",
                n * n % 9_973
            )
        };
        let known: Vec<Vec<u8>> = (0..4_000).map(|n| leaf(n).into_bytes()).collect();
        let dictionary = Arc::new(Dictionary::train(1, &known).unwrap());
        let dictionaries = Dictionaries::default().with(Arc::clone(&dictionary));
        let new: Vec<Vec<u8>> = (9_000..9_004).map(|n| leaf(n).into_bytes()).collect();
        let bundle = Bundle::of(0, &new);
        let plain = bundle.pack(None).unwrap();
        let part = bundle.pack(Some(&dictionary)).unwrap();
        assert!(part.bytes() < plain.bytes());
        assert_eq!(part.dictionary, 1);
        let read = part.unpack(&dictionaries).unwrap();
        assert!(read.leaves().eq(new.iter().map(Vec::as_slice)));
        assert!(part.unpack(&Dictionaries::default()).is_err());
    }

    #[test]
    fn a_damaged_bundle_is_refused_and_does_not_panic() {
        let none = Dictionaries::default();
        let packed = encoded(&Bundle::of(0, &leaves(40)).pack(None).unwrap());
        for cut in 0..packed.len() {
            let read = Part::decode(&packed[..cut]).and_then(|part| part.unpack(&none));
            assert!(read.is_err(), "cut at {cut}");
        }
        for (place, value) in [
            (8, 1),
            (9, 39),
            (9, 41),
            (9, 0),
            (13, 1),
            (14, 0xff),
            (17, 9),
        ] {
            let mut other = packed.clone();
            other[place] = value;
            let read = Part::decode(&other).and_then(|part| part.unpack(&none));
            assert!(read.is_err(), "byte {place} is {value}");
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = bundle_cache();
        let large = vec![0; 1024 * 1024];
        for number in 0..100 {
            cache.insert((number, 1), Arc::new(Bundle::of(number, &[&large])));
        }
        assert!(cache.weight() <= CACHE_BYTES);
        assert!(cache.len() > 30);
    }
}
