//! The identity of a record, chosen by the member that signs it.

use std::fmt;

use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// A record's id: 1 to 64 of `A-Z a-z 0-9 -`, unique per member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(String);

impl RecordId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Spelled for RecordId {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Rule::RecordIdSpelling)
        }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

spelled_as_text!(RecordId, r"^[A-Za-z0-9-]{1,64}$", "01JD3Z8V5QX");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_ids_are_short_and_plain() {
        let long = "a".repeat(65);
        let cases: &[(&str, bool)] = &[
            ("a", true),
            ("A-9", true),
            ("-", true),
            (&long[..64], true),
            (&long, false),
            ("", false),
            ("a_b", false),
            ("a b", false),
            ("a/b", false),
            ("票", false),
        ];
        for (text, valid) in cases {
            assert_eq!(RecordId::spelled(text).is_ok(), *valid, "{text}");
        }
    }
}
