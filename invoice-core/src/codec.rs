//! Big-endian integers and length-prefixed bytes: how the chain's formats are written and read.
//!
//! Reading is fed by strangers. It never allocates by a length that it was told, and it never
//! panics.

use crate::crypto::{Hash, Kid, Signature};

/// Bytes are not of the format that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end within the named part.
    #[error("数据在 {what} 处中断 / the data ends within {what}")]
    Truncated {
        /// The part that is incomplete.
        what: &'static str,
    },
    /// More bytes follow where the format ends.
    #[error("数据末尾多出 {count} 字节 / {count} bytes follow the end of the data")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// The named part exceeds its limit.
    #[error("{what} 超过上限 {limit} / {what} exceeds its limit of {limit}")]
    TooLarge {
        /// The part.
        what: &'static str,
        /// The limit, in bytes or elements.
        limit: usize,
    },
    /// The named part has a value that the format does not know.
    #[error("{what} 无效 / {what} is invalid")]
    Invalid {
        /// The part.
        what: &'static str,
    },
}

/// A value does not fit the length prefix of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} 过长，无法编码 / {what} is too long to be encoded")]
pub struct EncodeError {
    /// The part that is too long.
    pub what: &'static str,
}

/// Bits of a number that one byte of a varint carries.
const VARINT_BITS: usize = 7;
/// The place of those bits in the byte.
const VARINT_LOW: u8 = 0x7f;
/// The bit that says that another byte follows.
const VARINT_MORE: u8 = 0x80;

/// Collects bytes.
///
/// ```
/// use invoice_core::codec::{Reader, Writer};
///
/// let mut writer = Writer::new();
/// writer.put_u16(7);
/// writer.put_bytes16("name", b"abc")?;
/// let bytes = writer.into_bytes();
/// assert_eq!(bytes, [0, 7, 0, 3, b'a', b'b', b'c']);
///
/// let mut reader = Reader::new(&bytes);
/// assert_eq!(reader.u16("version")?, 7);
/// assert_eq!(reader.bytes16("name", 10)?, b"abc");
/// reader.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins with nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Begins with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Goes on behind bytes that are there already, in their memory.
    #[must_use]
    pub const fn after(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// One byte.
    pub fn put_u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Two bytes, big-endian.
    pub fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    /// Four bytes, big-endian.
    pub fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// Eight bytes, big-endian.
    pub fn put_u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    /// Eight bytes, big-endian, two's complement.
    pub fn put_i64(&mut self, value: i64) {
        self.put(&value.to_be_bytes());
    }

    /// A whole number in as few bytes as it needs, seven bits in each, the lowest first; every byte
    /// but the last has its highest bit set (LEB128).
    pub fn put_varint(&mut self, value: u64) {
        let mut rest = value;
        while rest > u64::from(VARINT_LOW) {
            self.put_u8(rest.to_le_bytes()[0] | VARINT_MORE);
            rest >>= VARINT_BITS;
        }
        self.put_u8(rest.to_le_bytes()[0]);
    }

    /// A signed number as a [`put_varint`](Self::put_varint) of 2n for n ≥ 0 and −2n − 1 below, so
    /// that small numbers of either sign are short.
    pub fn put_signed(&mut self, value: i64) {
        self.put_varint(value.wrapping_shl(1).cast_unsigned() ^ (value >> 63).cast_unsigned());
    }

    /// The bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A number of elements, as four bytes.
    ///
    /// # Errors
    /// [`EncodeError`] beyond 2³² − 1.
    pub fn put_count32(&mut self, what: &'static str, count: usize) -> Result<(), EncodeError> {
        self.put_u32(u32::try_from(count).map_err(|_| EncodeError { what })?);
        Ok(())
    }

    /// A number of elements, as two bytes.
    ///
    /// # Errors
    /// [`EncodeError`] beyond 65,535.
    pub fn put_count16(&mut self, what: &'static str, count: usize) -> Result<(), EncodeError> {
        self.put_u16(u16::try_from(count).map_err(|_| EncodeError { what })?);
        Ok(())
    }

    /// Bytes after their length in two bytes.
    ///
    /// # Errors
    /// [`EncodeError`] beyond 65,535 bytes.
    pub fn put_bytes16(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), EncodeError> {
        self.put_count16(what, bytes.len())?;
        self.put(bytes);
        Ok(())
    }

    /// Bytes after their length in four bytes.
    ///
    /// # Errors
    /// [`EncodeError`] beyond 2³² − 1 bytes.
    pub fn put_bytes32(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), EncodeError> {
        self.put_count32(what, bytes.len())?;
        self.put(bytes);
        Ok(())
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes bytes apart from the front; every method names the part it reads, for the error.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.0.len()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when there are fewer.
    pub fn take(&mut self, what: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated { what })?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when there are fewer.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated { what })?;
        self.0 = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array(what).map(u8::from_be_bytes)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// Eight bytes, big-endian, two's complement.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        self.array(what).map(i64::from_be_bytes)
    }

    /// A whole number of [`Writer::put_varint`], in no more bytes than it needs.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::Invalid`] beyond 64 bits and for a
    /// longer spelling of a number.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(VARINT_BITS) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & VARINT_LOW);
            let placed = bits << shift;
            if placed >> shift != bits || (byte == 0 && shift > 0) {
                return Err(DecodeError::Invalid { what });
            }
            value |= placed;
            if byte & VARINT_MORE == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Invalid { what })
    }

    /// A signed number of [`Writer::put_signed`].
    ///
    /// # Errors
    /// As [`Reader::varint`].
    pub fn signed(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        let value = self.varint(what)?;
        Ok((value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg())
    }

    /// One byte that is 0 or 1.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::Invalid`] for another value.
    pub fn flag(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            2.. => Err(DecodeError::Invalid { what }),
        }
    }

    /// Four bytes, a number of elements of at most `limit`.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::TooLarge`] beyond the limit.
    pub fn count32(&mut self, what: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let count = self.u32(what)?;
        bounded(what, usize::try_from(count).unwrap_or(usize::MAX), limit)
    }

    /// Two bytes, a number of elements of at most `limit`.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::TooLarge`] beyond the limit.
    pub fn count16(&mut self, what: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let count = self.u16(what)?;
        bounded(what, usize::from(count), limit)
    }

    /// Bytes after their length in two bytes, at most `limit` of them.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::TooLarge`] beyond the limit.
    pub fn bytes16(&mut self, what: &'static str, limit: usize) -> Result<&'a [u8], DecodeError> {
        let len = self.count16(what, limit)?;
        self.take(what, len)
    }

    /// Bytes after their length in four bytes, at most `limit` of them.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::TooLarge`] beyond the limit.
    pub fn bytes32(&mut self, what: &'static str, limit: usize) -> Result<&'a [u8], DecodeError> {
        let len = self.count32(what, limit)?;
        self.take(what, len)
    }

    /// UTF-8 text after its length in two bytes, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes16`], and [`DecodeError::Invalid`] when it is not UTF-8.
    pub fn text16(&mut self, what: &'static str, limit: usize) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes16(what, limit)?).map_err(|_| DecodeError::Invalid { what })
    }

    /// A digest.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn hash(&mut self, what: &'static str) -> Result<Hash, DecodeError> {
        self.array(what).map(Hash::new)
    }

    /// A key identifier.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn kid(&mut self, what: &'static str) -> Result<Kid, DecodeError> {
        self.array(what).map(Kid::new)
    }

    /// A signature of 64 bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::Invalid`] for r or s out of range.
    pub fn signature(&mut self, what: &'static str) -> Result<Signature, DecodeError> {
        Signature::from_bytes(&self.array(what)?).map_err(|_| DecodeError::Invalid { what })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] when bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing {
                count: self.0.len(),
            })
        }
    }
}

fn bounded(what: &'static str, count: usize, limit: usize) -> Result<usize, DecodeError> {
    if count > limit {
        Err(DecodeError::TooLarge { what, limit })
    } else {
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_before_anything_is_taken() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(
            Reader::new(&bytes).bytes32("part", 10),
            Err(DecodeError::TooLarge {
                what: "part",
                limit: 10
            })
        );
        assert_eq!(
            Reader::new(&bytes).bytes32("part", usize::MAX),
            Err(DecodeError::Truncated { what: "part" })
        );
        assert_eq!(
            Reader::new(&bytes[..3]).u32("part"),
            Err(DecodeError::Truncated { what: "part" })
        );
    }

    #[test]
    fn bytes_after_the_end_are_refused() {
        let mut reader = Reader::new(&[1, 2]);
        assert_eq!(reader.u8("part"), Ok(1));
        assert_eq!(reader.finish(), Err(DecodeError::Trailing { count: 1 }));
    }

    #[test]
    fn what_does_not_fit_its_prefix_is_not_written() {
        assert_eq!(
            Writer::new().put_bytes16("part", &[0; 65_536]),
            Err(EncodeError { what: "part" })
        );
    }

    #[test]
    fn varints_have_these_bytes() {
        let cases: &[(u64, &[u8])] = &[
            (0, &[0]),
            (1, &[1]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 1]),
            (
                u64::MAX >> 1,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            ),
            (
                u64::MAX,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ];
        for (value, bytes) in cases {
            let mut writer = Writer::new();
            writer.put_varint(*value);
            assert_eq!(writer.into_bytes(), *bytes);
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.varint("n"), Ok(*value));
            assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn a_varint_has_one_spelling() {
        let invalid = Err(DecodeError::Invalid { what: "n" });
        for bytes in [
            &[0x80, 0][..],
            &[0xff, 0],
            &[0x80, 0x80, 0],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            &[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0,
            ],
        ] {
            assert_eq!(Reader::new(bytes).varint("n"), invalid, "{bytes:?}");
        }
        for bytes in [&[][..], &[0x80], &[0xff, 0xff]] {
            let cut = Err(DecodeError::Truncated { what: "n" });
            assert_eq!(Reader::new(bytes).varint("n"), cut);
        }
    }

    #[test]
    fn signed_numbers_are_short_on_both_sides_of_zero() {
        for (value, first) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (63, 126), (-64, 127)] {
            let mut writer = Writer::new();
            writer.put_signed(value);
            assert_eq!(writer.into_bytes(), [first]);
        }
        for value in [i64::MIN, i64::MIN + 1, -65, 64, i64::MAX - 1, i64::MAX] {
            let mut writer = Writer::new();
            writer.put_signed(value);
            let bytes = writer.into_bytes();
            assert_eq!(Reader::new(&bytes).signed("n"), Ok(value));
        }
    }
}
