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

/// SM3 of many messages, each given in parts: the same digests as [`sm3`] of each, in order.
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
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(fault);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| fault)?;
    Ok(bytes)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
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
        serializer.collect_str(self)
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
    fn only_sixty_four_lower_case_digits_are_a_digest() {
        let text = sm3(&[]).to_string();
        assert!(text.parse::<Hash>().is_ok());
        for bad in [
            text.to_uppercase(),
            format!("{text}0"),
            text[1..].to_owned(),
            text.replace('a', "g"),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Hash>(), Err(HexError { digits: 64 }), "{bad}");
        }
    }
}
