//! The end of a run file: what is where.
//!
//! A run file is `magic | blocks | index | filter | footer | length of the footer u32 | CRC-32 of
//! the footer u32 | magic`. The parts lie without gaps, so that every length is bounded by that of
//! the file. The footer is `version u32 | rows u64 | tombstones u64 | keys in the filter u64 |
//! first height u64 | last
//! height u64 | blocks u64 | where the index begins u64 | where the filter begins u64 | CRC-32 of
//! the index u32 | of the filter u32 | filter rules, 64 bytes | first key length u16 | first key |
//! last key length u16 | last key`. Integers are big-endian.

use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};

use super::KEY_BYTES_MAX;
use super::filter::Filters;

/// Begins and ends a run file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89runs\r\n\0";

/// The layout that this file describes.
const VERSION: u32 = 1;

/// Length, checksum and magic behind the footer.
pub(crate) const TRAILER_BYTES: usize = 16;

/// No footer is longer.
pub(crate) const FOOTER_BYTES_MAX: usize = 144 + 2 * (2 + KEY_BYTES_MAX);

/// What the footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Rows, those that say "removed" included.
    pub(crate) rows: u64,
    /// Rows that say "removed".
    pub(crate) tombstones: u64,
    /// Keys (or groups of keys) that the filter knows.
    pub(crate) filtered: u64,
    /// The first block whose rows may be in it.
    pub(crate) first_height: u64,
    /// The last block whose rows are in it.
    pub(crate) last_height: u64,
    /// How many blocks of rows there are.
    pub(crate) blocks: u64,
    /// Where the blocks end.
    pub(crate) index_at: u64,
    /// Where the index ends.
    pub(crate) filter_at: u64,
    /// Checksum of the index.
    pub(crate) index_sum: u32,
    /// Checksum of the filter.
    pub(crate) filter_sum: u32,
    /// The key of the first row.
    pub(crate) first_key: Vec<u8>,
    /// The key of the last row.
    pub(crate) last_key: Vec<u8>,
}

impl Footer {
    /// Its bytes with what follows them.
    pub(crate) fn encode(&self, filters: &Filters) -> Result<Vec<u8>, EncodeError> {
        let mut footer = Writer::new();
        footer.put_u32(VERSION);
        for number in [
            self.rows,
            self.tombstones,
            self.filtered,
            self.first_height,
            self.last_height,
            self.blocks,
            self.index_at,
            self.filter_at,
        ] {
            footer.put_u64(number);
        }
        footer.put_u32(self.index_sum);
        footer.put_u32(self.filter_sum);
        footer.put(filters.bytes());
        footer.put_bytes16("first key", &self.first_key)?;
        footer.put_bytes16("last key", &self.last_key)?;
        let mut bytes = footer.into_bytes();
        let sum = crc32fast::hash(&bytes);
        let mut length = Writer::new();
        length.put_count32("footer", bytes.len())?;
        length.put_u32(sum);
        length.put(&MAGIC);
        bytes.extend_from_slice(&length.into_bytes());
        Ok(bytes)
    }

    /// The length of the footer that a trailer tells of, and its checksum.
    pub(crate) fn trailer(bytes: &[u8]) -> Result<(usize, u32), DecodeError> {
        let mut reader = Reader::new(bytes);
        let length = reader.count32("footer", FOOTER_BYTES_MAX)?;
        let sum = reader.u32("footer checksum")?;
        if reader.array::<8>("magic")? != MAGIC {
            return Err(DecodeError::Invalid { what: "magic" });
        }
        reader.finish()?;
        Ok((length, sum))
    }

    /// Reads the footer of a file that was written with these filters.
    pub(crate) fn decode(bytes: &[u8], filters: &Filters) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u32("version")? != VERSION {
            return Err(DecodeError::Invalid { what: "version" });
        }
        let rows = reader.u64("rows")?;
        let tombstones = reader.u64("tombstones")?;
        let filtered = reader.u64("keys in the filter")?;
        let first_height = reader.u64("first height")?;
        let last_height = reader.u64("last height")?;
        let blocks = reader.u64("blocks")?;
        let index_at = reader.u64("index")?;
        let filter_at = reader.u64("filter")?;
        let index_sum = reader.u32("index checksum")?;
        let filter_sum = reader.u32("filter checksum")?;
        if reader.take("filter rules", filters.bytes().len())? != filters.bytes() {
            return Err(DecodeError::Invalid {
                what: "filter rules",
            });
        }
        let first_key = reader.bytes16("first key", KEY_BYTES_MAX)?.to_vec();
        let last_key = reader.bytes16("last key", KEY_BYTES_MAX)?.to_vec();
        reader.finish()?;
        Ok(Self {
            rows,
            tombstones,
            filtered,
            first_height,
            last_height,
            blocks,
            index_at,
            filter_at,
            index_sum,
            filter_sum,
            first_key,
            last_key,
        })
    }
}
