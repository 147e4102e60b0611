//! SM3 digests (GB/T 32905-2016) and their one spelling in text.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sm3::{Digest, Sm3};

/// A 32-byte SM3 digest (GB/T 32905-2016, 密码杂凑算法).
///
/// Its text is 64 lower-case hexadecimal digits, and no other spelling is read: a digest that
/// could be written in two ways could be changed without being changed.
///
/// ```
/// use invoice_core::crypto::{Hash, sm3};
///
/// let digest = sm3(&[b"a", b"bc"]);
/// assert_eq!(digest.to_string(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
/// assert_eq!(digest.to_string().parse::<Hash>(), Ok(digest));
/// assert!(digest.to_string().to_uppercase().parse::<Hash>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Length of a digest in bytes.
    pub const BYTES: usize = 32;

    /// Takes 32 bytes as a digest.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// SM3 over the concatenation of `parts`.
#[must_use]
pub fn sm3(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sm3::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// SM3 of many messages, each given in parts: the same digests as [`sm3()`] of each, in order.
///
/// They are hashed side by side in the processor's vectors, which from sixteen messages on takes
/// a small fraction of the time; their lengths may differ.
///
/// ```
/// use invoice_core::crypto::{sm3, sm3_many};
///
/// assert_eq!(sm3_many(&[&[b"ab", b"c"], &[]]), [sm3(&[b"abc"]), sm3(&[])]);
/// ```
#[must_use]
pub fn sm3_many(messages: &[&[&[u8]]]) -> Vec<Hash> {
    super::sm3_lanes::digests(messages)
}

/// A text is not the lower-case hexadecimal form of the right number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("应为 {digits} 个小写十六进制数字 / {digits} lower-case hexadecimal digits expected")]
pub struct HexError {
    /// How many digits the value has.
    pub digits: usize,
}

/// Reads exactly `N` bytes of lower-case hexadecimal.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let fault = HexError {
        digits: N.saturating_mul(2),
    };
    let (digits, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(fault);
    };
    let digits: &[[u8; 2]; N] = digits.try_into().map_err(|_| fault)?;
    let (mut bytes, mut seen) = ([0; N], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
        let (high, low) = (digit_value(*high), digit_value(*low));
        *byte = (high << 4) | (low & 0x0f);
        // Only what is no digit sets a bit above the lowest four.
        seen |= high | low;
    }
    if seen > 0x0f { Err(fault) } else { Ok(bytes) }
}

/// The value of a lower-case hexadecimal digit; more than 15 for any other byte.
const fn digit_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit.wrapping_sub(b'0'),
        b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
        _ => u8::MAX,
    }
}

/// Lower-case hexadecimal digits, two a byte.
fn hex_digits<const N: usize>(bytes: &[u8; N]) -> [[u8; 2]; N] {
    let digit = |value: u8| match value {
        0..=9 => value.wrapping_add(b'0'),
        _ => value.wrapping_sub(10).wrapping_add(b'a'),
    };
    bytes.map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
}

/// The digits as text.
fn as_text(digits: &[[u8; 2]]) -> &str {
    // ASCII by construction; the empty text is never reached.
    std::str::from_utf8(digits.as_flattened()).unwrap_or_default()
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_text(&hex_digits(&self.0)))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        from_hex(text).map(Self)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(as_text(&hex_digits(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GB/T 32905-2016, appendix A: both worked examples.
    #[test]
    fn the_examples_of_the_standard_come_out() {
        assert_eq!(
            sm3(&[b"abc"]).to_string(),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            sm3(&[&b"abcd".repeat(16)]).to_string(),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        );
    }

    #[test]
    fn parts_are_hashed_as_their_concatenation() {
        assert_eq!(sm3(&[b"a", b"", b"bc"]), sm3(&[b"abc"]));
    }

    #[test]
    fn every_byte_has_its_two_digits() {
        for byte in 0..=u8::MAX {
            let text = Hash::new([byte; 32]).to_string();
            assert_eq!(text, format!("{byte:02x}").repeat(32));
            assert_eq!(text.parse(), Ok(Hash::new([byte; 32])));
        }
    }

    #[test]
    fn only_sixty_four_lower_case_digits_are_a_digest() {
        let text = sm3(&[]).to_string();
        assert!(text.parse::<Hash>().is_ok());
        for bad in [
            text.to_uppercase(),
            format!("{text}0"),
            text[1..].to_owned(),
            text.replace('a', "g"),
            format!("{}é", &text[2..]),
            format!("{}:", &text[1..]),
            format!("{}/", &text[1..]),
            format!("{}`", &text[1..]),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Hash>(), Err(HexError { digits: 64 }), "{bad}");
        }
    }
}
