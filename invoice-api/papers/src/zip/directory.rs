//! The structure of an archive (APPNOTE.TXT 6.3, 4.3).

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::GB18030;

use super::Entry;
use super::path::inside;
use crate::error::PaperError;
use crate::limits::Limits;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bytes of the record at the end, without its comment.
const END_BYTES: usize = 22;
/// Flags: encrypted, sizes after the data, strongly encrypted, masked.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const DESCRIPTOR: u16 = 1 << 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Extra fields with other sizes and offsets (APPNOTE.TXT 4.5.3), and with another name (4.6.9).
const EXTRA_SIZES: u16 = 0x0001;
const EXTRA_NAME: u16 = 0x7075;
/// Unix mode of a symbolic link, in the upper half of the external attributes.
const LINK: u32 = 0o120_000;
const FILE_TYPE: u32 = 0o170_000;

/// Little-endian numbers, one after another.
struct Fields<'f> {
    rest: &'f [u8],
}

impl<'f> Fields<'f> {
    fn at(file: &'f [u8], offset: usize) -> Result<Self, PaperError> {
        let rest = file.get(offset..).ok_or(PaperError::ZipMalformed)?;
        Ok(Self { rest })
    }

    fn bytes(&mut self, count: usize) -> Result<&'f [u8], PaperError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(PaperError::ZipMalformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16, PaperError> {
        let bytes = self.bytes(2)?;
        let bytes = bytes.try_into().map_err(|_| PaperError::ZipMalformed)?;
        Ok(u16::from_le_bytes(bytes))
    }

    fn u32(&mut self) -> Result<u32, PaperError> {
        let bytes = self.bytes(4)?;
        let bytes = bytes.try_into().map_err(|_| PaperError::ZipMalformed)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn size(&mut self) -> Result<usize, PaperError> {
        match self.u32()? {
            // The sizes stand in an extension for archives beyond 4 GiB.
            u32::MAX => Err(PaperError::ZipMethod),
            size => usize::try_from(size).map_err(|_| PaperError::ZipMalformed),
        }
    }

    fn expect(&mut self, signature: u32) -> Result<(), PaperError> {
        if self.u32()? == signature {
            Ok(())
        } else {
            Err(PaperError::ZipMalformed)
        }
    }
}

/// What the central directory says of an entry.
struct Listed<'f> {
    flags: u16,
    method: u16,
    crc: u32,
    packed: usize,
    size: usize,
    name: &'f [u8],
    offset: usize,
}

/// Reads the directory and compares it with every local header.
pub(super) fn read<'f>(
    file: &'f [u8],
    limits: &Limits,
) -> Result<BTreeMap<String, Entry<'f>>, PaperError> {
    let end = find_end(file)?;
    let mut fields = Fields::at(file, end)?;
    fields.expect(END)?;
    let (disk, first) = (fields.u16()?, fields.u16()?);
    let (here, total) = (fields.u16()?, fields.u16()?);
    let (bytes, start) = (fields.size()?, fields.size()?);
    if disk != 0 || first != 0 || total == u16::MAX {
        return Err(PaperError::ZipMethod);
    }
    if here != total || start.checked_add(bytes) != Some(end) {
        return Err(PaperError::ZipMalformed);
    }
    if usize::from(total) > limits.zip_entries {
        return Err(PaperError::ZipEntries);
    }
    let mut fields = Fields::at(file, start)?;
    let mut listed = Vec::new();
    for _ in 0..total {
        listed.push(central(&mut fields)?);
    }
    if fields.rest.len() != file.len().saturating_sub(end) {
        return Err(PaperError::ZipMalformed);
    }
    listed.sort_by_key(|entry| entry.offset);
    entries(file, start, &listed)
}

/// The record at the end, which there must be one of.
fn find_end(file: &[u8]) -> Result<usize, PaperError> {
    let last = file
        .len()
        .checked_sub(END_BYTES)
        .ok_or(PaperError::ZipMalformed)?;
    let earliest = last.saturating_sub(usize::from(u16::MAX));
    let mut found = (earliest..=last).filter(|offset| {
        let tail = file.get(*offset..).unwrap_or_default();
        let comment = tail.get(20..22).map(|bytes| match bytes {
            [low, high] => usize::from(u16::from_le_bytes([*low, *high])),
            _ => usize::MAX,
        });
        tail.starts_with(&END.to_le_bytes())
            && comment.and_then(|comment| comment.checked_add(END_BYTES)) == Some(tail.len())
    });
    match (found.next(), found.next()) {
        (Some(end), None) => Ok(end),
        _ => Err(PaperError::ZipMalformed),
    }
}

fn central<'f>(fields: &mut Fields<'f>) -> Result<Listed<'f>, PaperError> {
    fields.expect(CENTRAL)?;
    let made_by = fields.u16()?;
    let _version = fields.u16()?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    let _time = fields.u32()?;
    let crc = fields.u32()?;
    let (packed, size) = (fields.size()?, fields.size()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let disk = fields.u16()?;
    let _internal = fields.u16()?;
    let external = fields.u32()?;
    let offset = fields.size()?;
    let name = fields.bytes(name.into())?;
    check_extra(fields.bytes(extra.into())?)?;
    fields.bytes(comment.into())?;
    if flags & ENCRYPTED != 0 {
        return Err(PaperError::Encrypted);
    }
    if disk != 0 || !matches!(method, STORED | DEFLATED) {
        return Err(PaperError::ZipMethod);
    }
    let unix = made_by >> 8 == 3;
    if unix && (external >> 16) & FILE_TYPE == LINK {
        return Err(PaperError::ZipPath);
    }
    Ok(Listed {
        flags,
        method,
        crc,
        packed,
        size,
        name,
        offset,
    })
}

/// Extra fields say times and owners. Two kinds of them replace what the header says, for readers
/// that know them, and so have no place here.
fn check_extra(extra: &[u8]) -> Result<(), PaperError> {
    let mut fields = Fields { rest: extra };
    // Some writers fill up to a multiple of four bytes.
    while fields.rest.len() >= 4 {
        let (kind, length) = (fields.u16()?, fields.u16()?);
        fields.bytes(length.into())?;
        if matches!(kind, EXTRA_SIZES | EXTRA_NAME) {
            return Err(PaperError::ZipMalformed);
        }
    }
    Ok(())
}

/// The entries, which must follow one another from the first byte to the directory.
fn entries<'f>(
    file: &'f [u8],
    directory: usize,
    listed: &[Listed<'f>],
) -> Result<BTreeMap<String, Entry<'f>>, PaperError> {
    let mut entries = BTreeMap::new();
    let mut folded = BTreeSet::new();
    let mut descriptor = false;
    let mut place = 0_usize;
    for entry in listed {
        check_gap(place, entry.offset, descriptor)?;
        let (name, data) = local(file, entry)?;
        place = data.1;
        descriptor = entry.flags & DESCRIPTOR != 0;
        inside(&name)?;
        // Some file systems do not tell names apart by case.
        if !folded.insert(name.trim_end_matches('/').to_lowercase()) {
            return Err(PaperError::ZipPath);
        }
        if name.ends_with('/') {
            if entry.size != 0 {
                return Err(PaperError::ZipMalformed);
            }
            continue;
        }
        let data = file.get(data.0..data.1).ok_or(PaperError::ZipMalformed)?;
        if entry.method == STORED && entry.packed != entry.size {
            return Err(PaperError::ZipMalformed);
        }
        let entry = Entry {
            data,
            deflated: entry.method == DEFLATED,
            size: entry.size,
            crc: entry.crc,
        };
        entries.insert(name, entry);
    }
    check_gap(place, directory, descriptor)?;
    Ok(entries)
}

/// Between entries there is nothing, or a descriptor of the sizes where one is announced.
fn check_gap(place: usize, next: usize, descriptor: bool) -> Result<(), PaperError> {
    match next.checked_sub(place) {
        None => Err(PaperError::ZipOverlap),
        Some(0) if !descriptor => Ok(()),
        Some(12 | 16) if descriptor => Ok(()),
        Some(_) => Err(PaperError::ZipMalformed),
    }
}

/// Compares a local header with the directory; gives the name and where the data lies.
fn local(file: &[u8], entry: &Listed<'_>) -> Result<(String, (usize, usize)), PaperError> {
    let mut fields = Fields::at(file, entry.offset)?;
    fields.expect(LOCAL)?;
    let _version = fields.u16()?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    let _time = fields.u32()?;
    let crc = fields.u32()?;
    let (packed, size) = (fields.size()?, fields.size()?);
    let (name, extra) = (fields.u16()?, fields.u16()?);
    let name = fields.bytes(name.into())?;
    check_extra(fields.bytes(extra.into())?)?;
    let stated = (crc, packed, size);
    let due = (entry.crc, entry.packed, entry.size);
    let later = flags & DESCRIPTOR != 0;
    let same = stated == due || (later && stated == (0, 0, 0));
    if name != entry.name || method != entry.method || !same {
        return Err(PaperError::ZipMalformed);
    }
    if flags & ENCRYPTED != 0 || (flags ^ entry.flags) & DESCRIPTOR != 0 {
        return Err(PaperError::ZipMalformed);
    }
    let start = file.len().saturating_sub(fields.rest.len());
    let end = start
        .checked_add(entry.packed)
        .filter(|end| *end <= file.len())
        .ok_or(PaperError::ZipMalformed)?;
    Ok((decode_name(name)?, (start, end)))
}

/// A name in UTF-8, or in the encoding of Chinese Windows.
fn decode_name(bytes: &[u8]) -> Result<String, PaperError> {
    if let Ok(name) = std::str::from_utf8(bytes) {
        return Ok(name.to_owned());
    }
    GB18030
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|name| name.into_owned())
        .ok_or(PaperError::ZipPath)
}
