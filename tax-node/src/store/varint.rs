//! Unsigned integers in as few bytes as they need: seven bits a byte, lowest first.

use invoice_core::codec::{DecodeError, Reader};

/// Appends a number.
pub(super) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // The mask leaves seven bits.
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes a number in its shortest form.
pub(super) fn take(bytes: &mut Reader<'_>, what: &'static str) -> Result<u64, DecodeError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.u8(what)?;
        let part = u64::from(byte & 0x7f);
        let placed = part << shift;
        if placed >> shift != part || (byte == 0 && shift > 0) {
            return Err(DecodeError::Invalid { what });
        }
        value |= placed;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(DecodeError::Invalid { what })
}

/// [`take`], for something that is counted in memory.
pub(super) fn take_usize(bytes: &mut Reader<'_>, what: &'static str) -> Result<usize, DecodeError> {
    usize::try_from(take(bytes, what)?).map_err(|_| DecodeError::Invalid { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        for value in [
            0,
            1,
            127,
            128,
            300,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(take(&mut reader, "number"), Ok(value));
            assert_eq!(reader.remaining(), 0);
            assert!(take(&mut Reader::new(&bytes[..bytes.len() - 1]), "number").is_err());
        }
        for long in [
            &[0x80, 0][..],
            &[0xff; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert!(take(&mut Reader::new(long), "number").is_err());
        }
    }
}
