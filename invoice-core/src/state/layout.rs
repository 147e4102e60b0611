//! Parts that several entries of the state are made of.

use super::MemberNo;
use crate::calendar::Instant;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::DocumentKey;
use crate::money::Fen;

/// An amount, as a signed varint of fen.
pub(crate) fn put_fen(bytes: &mut Writer, amount: Fen) {
    bytes.put_signed(amount.get());
}

pub(crate) fn take_fen(reader: &mut Reader<'_>, what: &'static str) -> Result<Fen, DecodeError> {
    reader.signed(what).map(Fen::new)
}

/// An instant, as a signed varint of milliseconds since 1970 UTC.
pub(crate) fn put_instant_ms(bytes: &mut Writer, instant: Instant) {
    bytes.put_signed(instant.ms());
}

pub(crate) fn take_instant_ms(
    reader: &mut Reader<'_>,
    what: &'static str,
) -> Result<Instant, DecodeError> {
    reader.signed(what).map(Instant::from_ms)
}

/// A member's number in a value, as a varint. In keys it is a u32.
pub(crate) fn put_member_no(bytes: &mut Writer, number: MemberNo) {
    bytes.put_varint(number.0.into());
}

pub(crate) fn take_member_no(
    reader: &mut Reader<'_>,
    what: &'static str,
) -> Result<MemberNo, DecodeError> {
    let number = u32::try_from(reader.varint(what)?);
    number
        .map(MemberNo)
        .map_err(|_| DecodeError::Invalid { what })
}

/// A document's key in a value: the tag, then its digits, two in a byte.
pub(crate) fn put_document_key(bytes: &mut Writer, key: &DocumentKey) {
    let (tag, code, number) = key.parts();
    bytes.put_u8(tag);
    let mut digits = code.iter().chain(number).map(|digit| digit & 0x0f);
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        bytes.put_u8((high << 4) | low);
    }
}

pub(crate) fn take_document_key(
    reader: &mut Reader<'_>,
    what: &'static str,
) -> Result<DocumentKey, DecodeError> {
    let invalid = DecodeError::Invalid { what };
    let tag = reader.u8(what)?;
    let packed = reader.take(what, DocumentKey::digits_of(tag).ok_or(invalid)? / 2)?;
    let mut key = vec![tag];
    for pair in packed {
        key.extend([
            b'0'.saturating_add(pair >> 4),
            b'0'.saturating_add(pair & 0x0f),
        ]);
    }
    DocumentKey::from_bytes(&key).ok_or(invalid)
}

/// A number of elements of at most `limit`, of a varint.
pub(crate) fn take_count(
    reader: &mut Reader<'_>,
    what: &'static str,
    limit: usize,
) -> Result<usize, DecodeError> {
    usize::try_from(reader.varint(what)?)
        .ok()
        .filter(|count| *count <= limit)
        .ok_or(DecodeError::TooLarge { what, limit })
}

/// An optional instant: 0, or 1 and milliseconds since 1970 UTC.
pub(crate) fn put_instant(bytes: &mut Writer, instant: Option<Instant>) {
    match instant {
        Some(instant) => {
            bytes.put_u8(1);
            bytes.put_i64(instant.ms());
        }
        None => bytes.put_u8(0),
    }
}

pub(crate) fn take_instant(
    reader: &mut Reader<'_>,
    what: &'static str,
) -> Result<Option<Instant>, DecodeError> {
    match reader.u8(what)? {
        0 => Ok(None),
        1 => Ok(Some(Instant::from_ms(reader.i64(what)?))),
        _ => Err(DecodeError::Invalid { what }),
    }
}

/// Bytes of at most 255, behind their length. What is put here is bounded far below that by its
/// own type: document keys, record ids, codes.
pub(crate) fn put_short(writer: &mut Writer, bytes: &[u8]) {
    writer.put_u8(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    writer.put(bytes);
}

pub(crate) fn take_short<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let len = reader.u8(what)?;
    reader.take(what, usize::from(len))
}

/// A text of at most 65,535 bytes, behind its length.
pub(crate) fn put_text(writer: &mut Writer, text: &str) {
    writer.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
    writer.put(text.as_bytes());
}
