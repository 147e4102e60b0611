//! Members, named by their unified social credit codes.

use std::fmt;

use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// GB 32100-2015 table 3: digits and letters without I, O, S, V, Z; a character's place is its
/// value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// GB 32100-2015 table 4: weights 3^(i-1) mod 31 of the first 17 characters.
const WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// A member: an organisation's unified social credit code (统一社会信用代码, GB 32100-2015), 18
/// characters with a verified check character.
///
/// The inner check digit of the organisation code (GB 11714, place 17) is not asked for: valid
/// codes without it are in use.
///
/// ```
/// use invoice_core::identity::MemberId;
/// assert!("91330000142942095H".parse::<MemberId>().is_ok());
/// assert!("91330000142942095J".parse::<MemberId>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId([u8; 18]);

impl MemberId {
    /// The code from its ASCII bytes, as the state keeps it.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::spelled(std::str::from_utf8(bytes).ok()?).ok()
    }

    /// The code as ASCII bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 18] {
        &self.0
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The alphabet is ASCII; the empty text is never reached.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The last character that 17 others need; `None` unless they are 17 of the alphabet.
    ///
    /// For tools that make up members for demonstrations and tests.
    #[must_use]
    pub fn check_character(first: &str) -> Option<char> {
        if first.len() != WEIGHTS.len() {
            return None;
        }
        check_byte(first.bytes()).map(char::from)
    }
}

/// What no character of the alphabet is worth.
const NO_VALUE: u8 = u8::MAX;

/// The value of each byte.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index out of range"
)]
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut place: u8 = 0;
    while (place as usize) < ALPHABET.len() {
        values[ALPHABET[place as usize] as usize] = place;
        place = place.wrapping_add(1);
    }
    values
};

fn value(character: u8) -> Option<usize> {
    VALUES
        .get(usize::from(character))
        .filter(|value| **value != NO_VALUE)
        .map(|value| usize::from(*value))
}

/// The check character of 17 others; `None` unless they are of the alphabet.
fn check_byte(first: impl Iterator<Item = u8>) -> Option<u8> {
    let mut sum = 0_usize;
    for (character, weight) in first.zip(WEIGHTS) {
        sum = sum.checked_add(value(character)?.checked_mul(weight)?)?;
    }
    let check = 31_usize.checked_sub(sum % 31)? % 31;
    ALPHABET.get(check).copied()
}

impl Spelled for MemberId {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let bytes: [u8; 18] = text
            .as_bytes()
            .try_into()
            .map_err(|_| Rule::MemberIdSpelling)?;
        let region_is_digits = bytes.iter().skip(2).take(6).all(u8::is_ascii_digit);
        if !region_is_digits || bytes.iter().any(|b| value(*b).is_none()) {
            return Err(Rule::MemberIdSpelling);
        }
        if check_byte(bytes.iter().copied()) == bytes.last().copied() {
            Ok(Self(bytes))
        } else {
            Err(Rule::MemberIdCheckDigit)
        }
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

spelled_as_text!(
    MemberId,
    r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$",
    "91330000142942095H"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_check_character() {
        let cases: &[(&str, Result<(), Rule>)] = &[
            ("91350100M000100Y43", Ok(())),
            ("91440300708461136T", Ok(())),
            ("91330000142942095H", Ok(())),
            ("91330106MACKX4QG41", Ok(())),
            ("913205830880018839", Ok(())),
            ("12320900E875065319", Ok(())),
            ("91330000142942095G", Err(Rule::MemberIdCheckDigit)),
            ("91330000142942095I", Err(Rule::MemberIdSpelling)),
            ("9133000014294209５H", Err(Rule::MemberIdSpelling)),
            ("91330000142942095h", Err(Rule::MemberIdSpelling)),
            ("9133000A142942095H", Err(Rule::MemberIdSpelling)),
            ("91330000142942095", Err(Rule::MemberIdSpelling)),
            ("", Err(Rule::MemberIdSpelling)),
        ];
        for (text, answer) in cases {
            assert_eq!(MemberId::spelled(text).map(|_| ()), *answer, "{text}");
        }
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let code = "91350100M000100Y43";
        for place in 0..18 {
            for other in ALPHABET {
                let mut bytes = code.as_bytes().to_vec();
                if bytes[place] != *other {
                    bytes[place] = *other;
                    assert_eq!(MemberId::from_bytes(&bytes), None, "{place} {other}");
                }
            }
        }
    }
}
