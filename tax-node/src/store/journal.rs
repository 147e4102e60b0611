//! The journal: what a block brought about, kept in the engine's file until it is in other files.
//!
//! The entry of a block is `block row bytes32 | frontier bytes32 | parts u32 | (part bytes32)* |
//! plain size u32 | rows (zstd) bytes32 | digest 32`, cut into pieces: the engine rounds large
//! values up to a power of two, so a piece is a little less than one. The digest is SM3 over the
//! SM3 of each stretch of as many bytes as a piece has. In the rows stands, for each, `key length
//! u16 | key | 0` or `key length u16 | key | 1 | value length u32 | value`. The entry of height 0
//! has the state before the first block and nothing else.

use std::io;

use redb::{ReadableTable, Table};
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::{Hash, sm3, sm3_many};
use invoice_core::merkle::Frontier;

use super::bundle::Part;
use super::error::{Damage, ReadError};
use super::rows::Rows;

/// Just what fits the engine's pages with its own bookkeeping.
const PIECE_BYTES: usize = 64 * 1024 - 512;

/// The rows are read back once at most, and only after a restart.
const LEVEL: i32 = 1;

const ROWS_BYTES_MAX: usize = 1 << 30;

const TABLE: &str = "journal";

/// What a block brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JournalEntry {
    /// See `block_row.rs`; empty at height 0.
    pub(super) block_row: Vec<u8>,
    /// The log's frontier after the block.
    pub(super) frontier: Frontier,
    /// The leaves.
    pub(super) parts: Vec<Part>,
    /// The changed rows, sorted.
    pub(super) rows: Rows,
}

/// Puts entries together; keeps its memory from block to block.
#[derive(Default)]
pub(super) struct Encoder {
    compressor: Compressor<'static>,
    packed: Vec<u8>,
    entry: Vec<u8>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// The entry's bytes.
    pub(super) fn encode(
        &mut self,
        block_row: &[u8],
        frontier: &Frontier,
        parts: &[Part],
        rows: &Rows,
    ) -> Result<&[u8], EncodeError> {
        let rows = rows.as_bytes();
        let size = u32::try_from(rows.len()).map_err(|_| EncodeError { what: "rows" })?;
        self.pack(rows).map_err(|_| EncodeError { what: "rows" })?;
        let mut entry = std::mem::take(&mut self.entry);
        entry.clear();
        let mut entry = Writer::after(entry);
        entry.put_bytes32("block row", block_row)?;
        entry.put_bytes32("frontier", &frontier.encode())?;
        entry.put_count32("parts", parts.len())?;
        for part in parts {
            let (head, frame) = (part.head(), part.frame());
            entry.put_count32("part", head.len().saturating_add(frame.len()))?;
            entry.put(&head);
            entry.put(frame);
        }
        entry.put_u32(size);
        entry.put_bytes32("rows", &self.packed)?;
        self.entry = entry.into_bytes();
        let digest = digest_of_pieces(&self.entry);
        self.entry.extend_from_slice(digest.as_bytes());
        Ok(&self.entry)
    }

    fn pack(&mut self, rows: &[u8]) -> io::Result<()> {
        self.compressor.set_compression_level(LEVEL)?;
        self.packed.clear();
        self.packed.reserve(compress_bound(rows.len()));
        self.compressor
            .compress_to_buffer(rows, &mut self.packed)
            .map(|_| ())
    }
}

fn digest_of_pieces(entry: &[u8]) -> Hash {
    let pieces: Vec<[&[u8]; 1]> = entry.chunks(PIECE_BYTES).map(|piece| [piece]).collect();
    let pieces: Vec<&[&[u8]]> = pieces.iter().map(<[&[u8]; 1]>::as_slice).collect();
    digest_of(&sm3_many(&pieces))
}

fn decode(bytes: &[u8]) -> Result<JournalEntry, &'static str> {
    let unreadable = |_: DecodeError| "unreadable";
    let (bytes, digest) = bytes.split_last_chunk::<32>().ok_or("cut short")?;
    if digest_of_pieces(bytes) != Hash::new(*digest) {
        return Err("is not what was written");
    }
    let mut entry = Reader::new(bytes);
    let block_row = entry.bytes32("block row", usize::MAX).map_err(unreadable)?;
    let frontier = entry.bytes32("frontier", usize::MAX).map_err(unreadable)?;
    let mut parts = Vec::new();
    for _ in 0..entry.u32("parts").map_err(unreadable)? {
        let part = entry.bytes32("part", usize::MAX).map_err(unreadable)?;
        parts.push(Part::decode(part)?);
    }
    let size = entry.u32("plain size").map_err(unreadable)? as usize;
    let packed = entry.bytes32("rows", usize::MAX).map_err(unreadable)?;
    if size > ROWS_BYTES_MAX {
        return Err("its rows claim to be too large");
    }
    let block_row = block_row.to_vec();
    let frontier = Frontier::decode(frontier).map_err(unreadable)?;
    let plain = zstd::bulk::decompress(packed, size).map_err(|_| "its rows do not decompress")?;
    entry.finish().map_err(unreadable)?;
    Ok(JournalEntry {
        block_row,
        frontier,
        parts,
        rows: Rows::decode(plain).map_err(unreadable)?,
    })
}

/// Writes the entry of a block in pieces.
pub(super) fn insert(
    table: &mut Table<'_, (u64, u32), &'static [u8]>,
    height: u64,
    entry: &[u8],
) -> Result<(), redb::StorageError> {
    for (number, piece) in (0_u32..).zip(entry.chunks(PIECE_BYTES)) {
        table.insert((height, number), piece)?;
    }
    Ok(())
}

/// Removes the entry of a block.
pub(super) fn remove(
    table: &mut Table<'_, (u64, u32), &'static [u8]>,
    height: u64,
) -> Result<(), redb::StorageError> {
    for number in 0_u32.. {
        if table.remove((height, number))?.is_none() {
            break;
        }
    }
    Ok(())
}

/// The first height that has an entry.
pub(super) fn first_height(
    table: &impl ReadableTable<(u64, u32), &'static [u8]>,
) -> Result<Option<u64>, ReadError> {
    let first = table.first().map_err(ReadError::storage)?;
    Ok(first.map(|(key, _)| key.value().0))
}

/// The entry of a block.
pub(super) fn read(
    table: &impl ReadableTable<(u64, u32), &'static [u8]>,
    height: u64,
) -> Result<JournalEntry, ReadError> {
    let mut bytes = Vec::new();
    let mut next = 0_u32;
    let rows = table.range((height, 0)..=(height, u32::MAX));
    for row in rows.map_err(ReadError::storage)? {
        let (key, piece) = row.map_err(ReadError::storage)?;
        if key.value().1 != next {
            return Err(Damage::new(TABLE, height, "a piece is missing").into());
        }
        bytes.extend_from_slice(piece.value());
        next = next.saturating_add(1);
    }
    if next == 0 {
        return Err(Damage::new(TABLE, height, "missing").into());
    }
    Ok(decode(&bytes).map_err(|fault| Damage::new(TABLE, height, fault))?)
}

/// SM3 over several digests: one for the whole of what they stand for.
pub(super) fn digest_of(digests: &[Hash]) -> Hash {
    let parts: Vec<&[u8]> = digests
        .iter()
        .map(|digest| &digest.as_bytes()[..])
        .collect();
    sm3(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bundle::Bundle;
    use invoice_core::merkle::leaf_hash;

    #[test]
    fn an_entry_comes_back_and_damage_is_found() {
        let mut frontier = Frontier::new();
        frontier.push(leaf_hash(b"leaf"));
        let part = Bundle::of(3, &[b"leaf"]).pack(None).unwrap();
        let mut rows = Rows::default();
        rows.put(1, &[&[2]], Some(&[3; 400])).unwrap();
        rows.put(1, &[&[3]], None).unwrap();
        rows.put(2, &[], Some(&[])).unwrap();
        let parts = std::slice::from_ref(&part);
        let mut encoder = Encoder::default();
        let bytes = encoder.encode(b"row", &frontier, parts, &rows);
        let bytes = bytes.unwrap().to_vec();
        let again = encoder.encode(b"row", &frontier, parts, &rows);
        assert_eq!(again.unwrap(), bytes, "nothing is left of the entry before");
        let entry = JournalEntry {
            block_row: b"row".to_vec(),
            frontier,
            parts: vec![part],
            rows,
        };
        assert_eq!(decode(&bytes), Ok(entry));
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert!(decode(&other).is_err(), "byte {place}");
        }
    }
}
