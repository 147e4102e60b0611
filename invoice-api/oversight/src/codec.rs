//! Parts of rows that several of them have.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;

/// The sum, held at the ends of what fits: a figure never stops the fold.
pub(crate) fn plus(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_add(other.get()))
}

/// The difference, likewise.
pub(crate) fn minus(one: Fen, other: Fen) -> Fen {
    Fen::new(one.get().saturating_sub(other.get()))
}

/// At most 255 bytes after their number.
pub(crate) fn put_short(writer: &mut Writer, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    writer.put_u8(length);
    writer.put(bytes.get(..usize::from(length)).unwrap_or_default());
}

pub(crate) fn take_short<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let length = usize::from(reader.u8(what)?);
    reader.take(what, length)
}

pub(crate) fn take_text(
    reader: &mut Reader<'_>,
    what: &'static str,
) -> Result<String, DecodeError> {
    let bytes = take_short(reader, what)?;
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid { what })?;
    Ok(text.to_owned())
}

pub(crate) fn put_document(writer: &mut Writer, key: &DocumentKey) {
    put_short(writer, &key.to_bytes());
}

pub(crate) fn take_document(reader: &mut Reader<'_>) -> Result<DocumentKey, DecodeError> {
    let bytes = take_short(reader, "document")?;
    DocumentKey::from_bytes(bytes).ok_or(DecodeError::Invalid { what: "document" })
}

pub(crate) fn take_member(reader: &mut Reader<'_>) -> Result<MemberId, DecodeError> {
    member(reader.take("member", 18)?)
}

pub(crate) fn member(bytes: &[u8]) -> Result<MemberId, DecodeError> {
    MemberId::from_bytes(bytes).ok_or(DecodeError::Invalid { what: "member" })
}

pub(crate) fn take_fen(reader: &mut Reader<'_>) -> Result<Fen, DecodeError> {
    reader.signed("amount").map(Fen::new)
}

/// The part of a key at a place.
pub(crate) fn part(key: &[u8], from: usize, length: usize) -> Result<&[u8], DecodeError> {
    let end = from.saturating_add(length);
    key.get(from..end)
        .ok_or(DecodeError::Truncated { what: "key" })
}

/// The big-endian number at a place of a key.
pub(crate) fn u64_at(key: &[u8], from: usize) -> Result<u64, DecodeError> {
    let bytes = part(key, from, 8)?.try_into();
    bytes
        .map(u64::from_be_bytes)
        .map_err(|_| DecodeError::Truncated { what: "key" })
}

/// The big-endian number at a place of a key.
pub(crate) fn u32_at(key: &[u8], from: usize) -> Result<u32, DecodeError> {
    let bytes = part(key, from, 4)?.try_into();
    bytes
        .map(u32::from_be_bytes)
        .map_err(|_| DecodeError::Truncated { what: "key" })
}
