//! What the rules answered to a record, as it stands on the chain.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// Most facts that one outcome carries.
pub const FACTS_MAX: usize = 64;
/// Longest code of a refusal, in bytes.
pub const CODE_BYTES_MAX: usize = 64;

/// Named values that explain an outcome, such as what amount was left; sorted by name, each name once.
///
/// ```
/// use invoice_core::chain::Facts;
///
/// let facts = Facts::new().with("remaining", "40.00").with("asked", "60.00");
/// assert_eq!(facts.get("remaining"), Some("40.00"));
/// assert_eq!(facts.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["asked", "remaining"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<(String, String)>);

impl Facts {
    /// No facts.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fact; a name that is there already takes the new value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a fact in place; a name that is there already takes the new value.
    pub fn set(&mut self, name: impl Into<String>, value: impl ToString) {
        let (name, value) = (name.into(), value.to_string());
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => {
                if let Some(known) = self.0.get_mut(at) {
                    known.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// The value under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self
            .0
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .ok()?;
        self.0.get(at).map(|(_, value)| value.as_str())
    }

    /// All facts in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: ToString> FromIterator<(N, V)> for Facts {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut facts = Self::new();
        for (name, value) in pairs {
            facts.set(name, value);
        }
        facts
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Facts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Facts::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if facts.get(&name).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                    facts.set(name, value);
                }
                Ok(facts)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// What the rules answered: accepted, or refused with a permanent code. Both are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The record took effect.
    Accepted {
        /// What is worth knowing about its effect.
        detail: Facts,
    },
    /// The record took no effect; the attempt is evidence.
    Refused {
        /// Permanent code of the rule that refused it (1–64 of `a`–`z`, `0`–`9`, `_`).
        code: String,
        /// What collided, as far as the submitter may see it.
        detail: Facts,
    },
}

impl Outcome {
    /// Accepted, with nothing to add.
    #[must_use]
    pub const fn accepted() -> Self {
        Self::Accepted {
            detail: Facts::new(),
        }
    }

    /// Refused under `code`.
    #[must_use]
    pub fn refused(code: impl Into<String>, detail: Facts) -> Self {
        Self::Refused {
            code: code.into(),
            detail,
        }
    }

    /// Whether the record took effect.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused { code, .. } => Some(code),
        }
    }

    /// The named values.
    #[must_use]
    pub const fn detail(&self) -> &Facts {
        match self {
            Self::Accepted { detail } | Self::Refused { detail, .. } => detail,
        }
    }

    /// Writes status (1 byte: 0 accepted, 1 refused), code (length in 2 bytes), number of facts
    /// (2 bytes), and each fact's name and value (lengths in 2 bytes).
    ///
    /// # Errors
    /// [`EncodeError`] for what [`Outcome::read`] would refuse: a code that is none, more than
    /// [`FACTS_MAX`] facts, a text that does not fit its length.
    pub fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        if self.code().is_some_and(|code| !is_code(code)) {
            return Err(EncodeError { what: "code" });
        }
        if self.detail().len() > FACTS_MAX {
            return Err(EncodeError { what: "facts" });
        }
        writer.put_u8(u8::from(!self.is_accepted()));
        writer.put_bytes16("code", self.code().unwrap_or_default().as_bytes())?;
        writer.put_count16("facts", self.detail().len())?;
        for (name, value) in self.detail().iter() {
            writer.put_bytes16("fact name", name.as_bytes())?;
            writer.put_bytes16("fact value", value.as_bytes())?;
        }
        Ok(())
    }

    /// Reads what [`Outcome::write`] writes.
    ///
    /// # Errors
    /// [`DecodeError`] when it is cut short or beyond a limit, when an accepted outcome has a
    /// code or a refused one has none, and when the names are not in strictly ascending order.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let refused = reader.flag("status")?;
        let code = reader.text16("code", CODE_BYTES_MAX)?;
        if refused != is_code(code) || (!refused && !code.is_empty()) {
            return Err(DecodeError::Invalid { what: "code" });
        }
        let mut facts: Vec<(String, String)> = Vec::new();
        for _ in 0..reader.count16("facts", FACTS_MAX)? {
            let name = reader.text16("fact name", usize::from(u16::MAX))?;
            let value = reader.text16("fact value", usize::from(u16::MAX))?;
            if facts.last().is_some_and(|(last, _)| last.as_str() >= name) {
                return Err(DecodeError::Invalid {
                    what: "order of facts",
                });
            }
            facts.push((name.to_owned(), value.to_owned()));
        }
        let detail = Facts(facts);
        Ok(if refused {
            Self::refused(code, detail)
        } else {
            Self::Accepted { detail }
        })
    }
}

/// Whether a text has the form of a refusal's code.
pub(super) fn is_code(text: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(outcome: &Outcome) -> Vec<u8> {
        let mut writer = Writer::new();
        outcome.write(&mut writer).unwrap();
        writer.into_bytes()
    }

    fn read(bytes: &[u8]) -> Result<Outcome, DecodeError> {
        let mut reader = Reader::new(bytes);
        let outcome = Outcome::read(&mut reader)?;
        reader.finish()?;
        Ok(outcome)
    }

    #[test]
    fn outcomes_have_these_bytes() {
        let refused = Outcome::refused(
            "locked",
            Facts::new().with("free", "1.00").with("asked", "2"),
        );
        let golden = "01".to_owned()
            + "0006"
            + &hex::encode("locked")
            + "0002"
            + "0005"
            + &hex::encode("asked")
            + "0001"
            + &hex::encode("2")
            + "0004"
            + &hex::encode("free")
            + "0004"
            + &hex::encode("1.00");
        assert_eq!(hex::encode(bytes(&refused)), golden);
        assert_eq!(read(&bytes(&refused)), Ok(refused));
        assert_eq!(bytes(&Outcome::accepted()), [0, 0, 0, 0, 0]);
        assert_eq!(read(&[0, 0, 0, 0, 0]), Ok(Outcome::accepted()));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let many: Facts = (0..=FACTS_MAX).map(|n| (n.to_string(), n)).collect();
        for bad in [
            Outcome::refused("Upper", Facts::new()),
            Outcome::refused("", Facts::new()),
            Outcome::Accepted { detail: many },
        ] {
            assert!(bad.write(&mut Writer::new()).is_err());
        }
    }

    #[test]
    fn an_outcome_has_one_encoding() {
        // refused without a code; accepted with one; a code in upper case; facts out of order
        for bad in [
            &[1, 0, 0, 0, 0][..],
            &[0, 0, 1, b'a', 0, 0],
            &[1, 0, 1, b'A', 0, 0],
            &[0, 0, 0, 0, 2, 0, 1, b'b', 0, 0, 0, 1, b'a', 0, 0],
            &[0, 0, 0, 0, 2, 0, 1, b'a', 0, 0, 0, 1, b'a', 0, 0],
            &[2, 0, 0, 0, 0],
        ] {
            assert!(
                matches!(read(bad), Err(DecodeError::Invalid { .. })),
                "{bad:?}"
            );
        }
    }
}
