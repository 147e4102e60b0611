//! Lists of leaf indexes that only grow, cut into chunks of 256. Most are in the order of the chain;
//! locks that ran out are in the order in which they did.
//!
//! A chunk holds each index as its distance from the one before, so that the lists of ten million
//! records take some twenty megabytes.

use invoice_core::codec::{DecodeError, Reader, Writer};

use crate::fold::FoldError;
use crate::keys::{CHUNK, LIST, Level, Measure, key};
use crate::rows::{Changes, Rows};

/// Entries of a chunk.
const CHUNK_ENTRIES: u64 = 256;

/// Which list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    /// The records behind a cell of an hour.
    pub(crate) fn cell(measure: Measure, hour: u32, region: u8, kind: u8) -> Self {
        let hour = hour.to_be_bytes();
        Self(key(
            b'c',
            &[&[measure as u8, Level::Hour as u8], &hour, &[region, kind]],
        ))
    }

    /// The records that were refused with a code.
    pub(crate) fn code(code: &str) -> Self {
        Self(key(b'r', &[code.as_bytes()]))
    }

    /// The attempts of one member on what another held.
    pub(crate) fn pair(tried: &[u8], held: &[u8]) -> Self {
        Self(key(b'p', &[tried, held]))
    }

    /// What a member issued.
    pub(crate) fn issued(member: &[u8]) -> Self {
        Self(key(b'm', &[member]))
    }

    /// What a member reversed.
    pub(crate) fn reversed(member: &[u8]) -> Self {
        Self(key(b'v', &[member]))
    }

    /// What of a member was refused.
    pub(crate) fn refused(member: &[u8]) -> Self {
        Self(key(b'x', &[member]))
    }

    /// The locks that ran out.
    pub(crate) fn expired() -> Self {
        Self(key(b'e', &[]))
    }

    fn length_key(&self) -> Vec<u8> {
        key(LIST, &[&self.0])
    }

    fn chunk_key(&self, number: u64) -> Vec<u8> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        key(CHUNK, &[&self.0, &[0], &number.to_be_bytes()])
    }
}

/// Adds a leaf index at the end.
pub(crate) fn push<R: Rows>(
    changes: &mut Changes<'_, R>,
    name: &Name,
    index: u64,
) -> Result<(), FoldError<R::Error>> {
    let counted = changes.update(name.length_key(), |value| {
        let (count, last) = length(value)?;
        let mut writer = Writer::with_capacity(12);
        writer.put_varint(count.saturating_add(1));
        writer.put_varint(index);
        *value = writer.into_bytes();
        Ok::<_, DecodeError>((count, last))
    });
    let (count, last) = counted.map_err(FoldError::Rows)??;
    // The first of a chunk stands for itself.
    let before = if count % CHUNK_ENTRIES == 0 { 0 } else { last };
    let pushed = changes.update(name.chunk_key(count / CHUNK_ENTRIES), |value| {
        let mut writer = Writer::after(std::mem::take(value));
        writer.put_varint(index.wrapping_sub(before));
        *value = writer.into_bytes();
    });
    pushed.map_err(FoldError::Rows)
}

fn length(value: &[u8]) -> Result<(u64, u64), DecodeError> {
    if value.is_empty() {
        return Ok((0, 0));
    }
    let mut reader = Reader::new(value);
    Ok((reader.varint("list")?, reader.varint("list")?))
}

/// Entries of a page, and the place where the next one ends.
pub(crate) type Entries = (Vec<u64>, Option<u64>);

/// Up to `limit` entries before place `before` (the end, when absent), the newest first, and the
/// place where the next page begins.
pub(crate) fn page<R: Rows>(
    rows: &R,
    name: &Name,
    before: Option<u64>,
    limit: usize,
) -> Result<Entries, FoldError<R::Error>> {
    let value = rows.get(&name.length_key()).map_err(FoldError::Rows)?;
    let (count, _) = length(value.as_deref().unwrap_or_default())?;
    let end = before.map_or(count, |before| before.min(count));
    let start = end.saturating_sub(limit as u64);
    let mut entries = Vec::new();
    let mut at = end;
    while at > start {
        let number = at.saturating_sub(1) / CHUNK_ENTRIES;
        let first = number.saturating_mul(CHUNK_ENTRIES);
        let chunk = rows.get(&name.chunk_key(number)).map_err(FoldError::Rows)?;
        let chunk = chunk.ok_or(DecodeError::Invalid { what: "list" })?;
        let indexes = chunk_entries(&chunk)?;
        let from = usize::try_from(start.saturating_sub(first)).unwrap_or(usize::MAX);
        let to = usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX);
        let part = indexes.get(from.min(to)..to);
        let part = part.ok_or(DecodeError::Invalid { what: "list" })?;
        entries.extend(part.iter().rev());
        at = first.max(start);
    }
    Ok((entries, (start > 0).then_some(start)))
}

fn chunk_entries(chunk: &[u8]) -> Result<Vec<u64>, DecodeError> {
    let mut reader = Reader::new(chunk);
    let mut entries = Vec::new();
    let mut last = 0_u64;
    // The number of varints is that of bytes without the highest bit.
    let count = chunk.iter().filter(|byte| **byte < 0x80).count();
    for _ in 0..count {
        last = last.wrapping_add(reader.varint("list")?);
        entries.push(last);
    }
    reader.finish()?;
    Ok(entries)
}
