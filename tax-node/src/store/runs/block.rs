//! A block of a run: some sorted rows, each without the bytes that its key shares with the key
//! before it.
//!
//! Plain form, row by row: `shared | rest length | value length + 1, or 0 when removed | rest of
//! the key | value`, the numbers as LEB128. In the file: `CRC-32 of what follows u32 | plain length
//! u32, the top bit set when the plain form follows as it is | zstd frame or plain form`.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

use super::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// A block is closed before it grows beyond so many plain bytes. Blocks of twice the length take one
/// or two hundredths less room on disk, but finding a row in them takes a third longer.
pub(crate) const BLOCK_BYTES: usize = 4 << 10;

/// No plain form is longer: a block of one and a half times the usual length, with one row of the
/// greatest length behind it.
pub(crate) const PLAIN_BYTES_MAX: usize =
    BLOCK_BYTES + BLOCK_BYTES / 2 + KEY_BYTES_MAX + VALUE_BYTES_MAX + ROW_HEAD_BYTES_MAX;

/// Three numbers of at most five bytes.
const ROW_HEAD_BYTES_MAX: usize = 15;

/// The frame is the plain form.
const AS_IT_IS: u32 = 1 << 31;

/// Higher levels cost more time than the bytes are worth (measured).
const LEVEL: i32 = 1;

/// What is wrong with a block.
pub(crate) type Fault = &'static str;

/// How many bytes two keys have in common.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    for (a, b) in a_words.iter().zip(b_words) {
        let differs = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differs != 0 {
            return length + (differs.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = a.iter().skip(length).zip(b.iter().skip(length));
    length + rest.take_while(|(a, b)| a == b).count()
}

/// Appends a number as LEB128.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a LEB128 number of at most five bytes, and where it ends.
#[inline]
pub(crate) fn number(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((usize::from(first), at + 1));
    }
    let mut value = usize::from(first & 0x7f);
    for (n, byte) in bytes.get(at + 1..)?.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * (n + 1));
        if *byte < 0x80 {
            return Some((value, at + n + 2));
        }
    }
    None
}

/// A row of a plain block.
#[derive(Clone, Debug)]
pub(crate) struct RawRow {
    /// So many bytes of the key are those of the key before.
    pub(crate) shared: usize,
    /// Where the rest of the key lies.
    pub(crate) rest: Range<usize>,
    /// Where the value lies; `None` when the row was removed.
    pub(crate) value: Option<Range<usize>>,
    /// Where the next row begins.
    pub(crate) next: usize,
}

/// Reads the row at `at`.
#[inline]
pub(crate) fn row_at(plain: &[u8], at: usize) -> Result<RawRow, Fault> {
    const CUT: Fault = "a row is cut off";
    let (shared, at) = number(plain, at).ok_or(CUT)?;
    let (rest, at) = number(plain, at).ok_or(CUT)?;
    let (value, at) = number(plain, at).ok_or(CUT)?;
    let rest = at..at + rest;
    let start = rest.end;
    let (value, next) = match value.checked_sub(1) {
        None => (None, start),
        Some(length) => (Some(start..start + length), start + length),
    };
    if next > plain.len() {
        return Err(CUT);
    }
    Ok(RawRow {
        shared,
        rest,
        value,
        next,
    })
}

/// Makes `key` the key of a row.
#[inline]
pub(crate) fn next_key(key: &mut Vec<u8>, plain: &[u8], row: &RawRow) -> Result<(), Fault> {
    if row.shared > key.len() || row.shared + row.rest.len() > KEY_BYTES_MAX {
        return Err("a key does not fit to the key before it");
    }
    key.truncate(row.shared);
    key.extend_from_slice(plain.get(row.rest.clone()).unwrap_or_default());
    Ok(())
}

/// Finds a key in a plain block: where its value lies, or `None` within when it was removed.
pub(crate) fn find(plain: &[u8], key: &[u8]) -> Result<Option<Option<Range<usize>>>, Fault> {
    let mut at = 0;
    // The rows so far are before the key, and the last of them shares so many bytes with it. What
    // shares more with that row than the key does is before the key as well, what shares less is
    // behind it: only rows that share as much need a look.
    let mut matched = 0;
    while at < plain.len() {
        let row = row_at(plain, at)?;
        at = row.next;
        if row.shared > matched {
            continue;
        }
        if row.shared < matched {
            return Ok(None);
        }
        let rest = plain.get(row.rest.clone()).unwrap_or_default();
        let wanted = key.get(matched..).unwrap_or_default();
        let same = common(rest, wanted);
        match (rest.get(same), wanted.get(same)) {
            (None, None) => return Ok(Some(row.value)),
            (None, Some(_)) => matched += same,
            (Some(_), None) => return Ok(None),
            (Some(row), Some(key)) if row > key => return Ok(None),
            (Some(_), Some(_)) => matched += same,
        }
    }
    Ok(None)
}

/// Collects rows into a plain block.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    plain: Vec<u8>,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Builder {
    /// Whether there is no row.
    pub(crate) const fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// The plain form.
    pub(crate) fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The key of the first row.
    pub(crate) fn first(&self) -> &[u8] {
        &self.first
    }

    /// The key of the last row, of this block or of the one before it.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    /// Whether a row would make the block longer than it should be.
    pub(crate) fn is_full_for(&self, key: &[u8], value: Option<&[u8]>) -> bool {
        let row = key.len() + value.map_or(0, <[u8]>::len) + 3;
        !self.plain.is_empty() && self.plain.len() + row > BLOCK_BYTES
    }

    /// Appends a row.
    ///
    /// # Panics
    /// When the key is not behind the last one: the file would be unreadable.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let shared = common(&self.last, key);
        assert!(
            match (self.last.get(shared), key.get(shared)) {
                (None, Some(_)) => true,
                (Some(last), Some(key)) => last < key,
                (_, None) => false,
            },
            "rows come in the order of their keys"
        );
        let shared = if self.plain.is_empty() {
            self.first.clear();
            self.first.extend_from_slice(key);
            0
        } else {
            shared
        };
        let rest = key.get(shared..).unwrap_or_default();
        put_number(&mut self.plain, shared);
        put_number(&mut self.plain, rest.len());
        put_number(&mut self.plain, value.map_or(0, |value| value.len() + 1));
        self.plain.extend_from_slice(rest);
        self.plain.extend_from_slice(value.unwrap_or_default());
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
    }

    /// Forgets the rows, but not where the last key was.
    pub(crate) fn clear(&mut self) {
        self.plain.clear();
    }

    /// Takes note of a block that goes into the file beside this one.
    pub(crate) fn passed(&mut self, last: &[u8]) {
        self.last.clear();
        self.last.extend_from_slice(last);
    }
}

/// Makes frames; keeps its working memory.
pub(crate) struct Packer {
    compressor: Compressor<'static>,
    /// By keyspace: so many blocks are stored as they are before compressing is tried again.
    skips: [u8; 64],
    body: Vec<u8>,
    frame: Vec<u8>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

/// Blocks that are not compressed after one that did not shrink: hashes never do.
const SKIPPED_BLOCKS: u8 = 31;

impl Packer {
    /// Takes memory for compressing.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            compressor: Compressor::new(LEVEL)?,
            skips: [0; 64],
            body: Vec::new(),
            frame: Vec::new(),
        })
    }

    /// The bytes of a block in the file.
    pub(crate) fn pack(&mut self, keyspace: u8, plain: &[u8]) -> io::Result<&[u8]> {
        let mut unused = 0;
        let skips = self
            .skips
            .get_mut(usize::from(keyspace))
            .unwrap_or(&mut unused);
        let mut length = u32::try_from(plain.len()).map_err(io::Error::other)?;
        self.body.clear();
        if *skips > 0 {
            *skips -= 1;
        } else {
            self.body.reserve(compress_bound(plain.len()));
            self.compressor.compress_to_buffer(plain, &mut self.body)?;
            if self.body.len() >= plain.len() - plain.len() / 16 {
                self.body.clear();
                *skips = SKIPPED_BLOCKS;
            }
        }
        let body = if self.body.is_empty() {
            length |= AS_IT_IS;
            plain
        } else {
            &self.body
        };
        let length = length.to_be_bytes();
        let mut sum = crc32fast::Hasher::new();
        sum.update(&length);
        sum.update(body);
        self.frame.clear();
        self.frame.extend_from_slice(&sum.finalize().to_be_bytes());
        self.frame.extend_from_slice(&length);
        self.frame.extend_from_slice(body);
        Ok(&self.frame)
    }
}

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Reads the bytes of a block from the file into its plain form.
pub(crate) fn unpack(frame: &[u8], plain: &mut Vec<u8>) -> Result<(), Fault> {
    plain.clear();
    let (sum, rest) = frame.split_first_chunk::<4>().ok_or("a block is cut off")?;
    if crc32fast::hash(rest) != u32::from_be_bytes(*sum) {
        return Err("the checksum of a block does not match");
    }
    let (length, body) = rest.split_first_chunk::<4>().ok_or("a block is cut off")?;
    let length = u32::from_be_bytes(*length);
    let size = (length & !AS_IT_IS) as usize;
    if size > PLAIN_BYTES_MAX {
        return Err("a block is too long");
    }
    if length & AS_IT_IS != 0 {
        plain.extend_from_slice(body);
    } else {
        plain.reserve_exact(size);
        DECOMPRESSOR.with_borrow_mut(|kept| {
            let mut taken = match kept.take() {
                Some(decompressor) => decompressor,
                None => Decompressor::new().map_err(|_| "no memory to decompress")?,
            };
            let read = taken.decompress_to_buffer(body, plain);
            *kept = Some(taken);
            read.map_err(|_| "a block does not decompress")
        })?;
    }
    if plain.len() == size {
        Ok(())
    } else {
        Err("a block has another length")
    }
}
