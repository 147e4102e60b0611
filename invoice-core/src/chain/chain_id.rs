//! The name of a chain.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name of a chain, in bytes.
const LEN_MAX: usize = 32;

/// The name of a chain: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
///
/// It stands in every signed message, so that nothing signed for one chain is good on another.
///
/// ```
/// use invoice_core::chain::ChainId;
///
/// let chain: ChainId = "shenzhen-2026".parse()?;
/// assert_eq!(chain.as_str(), "shenzhen-2026");
/// assert!("Shenzhen".parse::<ChainId>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(String);

/// The text is no name of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("链名应为 1 至 32 个字符 a-z 0-9 - / a chain id is 1 to 32 of a-z 0-9 -")]
pub struct ChainIdError;

impl ChainId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 32 bytes: the name, then zeros.
    #[must_use]
    pub fn to_padded(&self) -> [u8; LEN_MAX] {
        let mut padded = [0; LEN_MAX];
        padded
            .iter_mut()
            .zip(self.0.bytes())
            .for_each(|(to, from)| *to = from);
        padded
    }

    /// Reads what [`ChainId::to_padded`] writes.
    ///
    /// # Errors
    /// [`ChainIdError`] for anything else, a name after a zero among it.
    pub fn from_padded(padded: &[u8; LEN_MAX]) -> Result<Self, ChainIdError> {
        let name = padded.split(|byte| *byte == 0).next().unwrap_or_default();
        let name: Self = std::str::from_utf8(name)
            .map_err(|_| ChainIdError)?
            .parse()?;
        if name.to_padded() == *padded {
            Ok(name)
        } else {
            Err(ChainIdError)
        }
    }
}

impl FromStr for ChainId {
    type Err = ChainIdError;

    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        let good = text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if good && (1..=LEN_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ChainIdError)
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({self})")
    }
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_thirty_two_plain_characters_are_a_name() {
        for good in ["a", "0", "-", "shenzhen-2026", &"z".repeat(32)] {
            let id: ChainId = good.parse().unwrap();
            assert_eq!(ChainId::from_padded(&id.to_padded()), Ok(id));
        }
        for bad in ["", "A", "a_b", "a b", "深圳", "a\n", &"z".repeat(33)] {
            assert_eq!(bad.parse::<ChainId>(), Err(ChainIdError), "{bad}");
        }
    }

    #[test]
    fn padding_is_zeros_to_the_end() {
        let mut padded = "ab".parse::<ChainId>().unwrap().to_padded();
        padded[9] = b'c';
        assert_eq!(ChainId::from_padded(&padded), Err(ChainIdError));
        assert_eq!(ChainId::from_padded(&[0; 32]), Err(ChainIdError));
    }
}
