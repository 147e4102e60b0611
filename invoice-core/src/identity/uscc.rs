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

/// Characters before the region's digits: the authority and the kind of the organisation.
const KIND_CHARACTERS: usize = 2;
/// Digits of the region (GB/T 2260).
const REGION_CHARACTERS: usize = 6;
/// Characters between region and check character.
const BODY_CHARACTERS: usize = 9;
/// How many characters there are.
const CHARACTERS: u64 = 31;
/// How many of them are digits.
const DIGITS: u64 = 10;
/// Bytes of a code in the recorded state.
pub(crate) const PACKED_BYTES: usize = 10;

/// The place of no character.
const NONE: u8 = u8::MAX;
/// A character's place in the alphabet by its byte.
const PLACES: [u8; 256] = places();

const fn places() -> [u8; 256] {
    let mut places = [NONE; 256];
    let mut rest: &[u8] = ALPHABET;
    let mut place = 0;
    while let [character, tail @ ..] = rest {
        #[allow(
            clippy::indexing_slicing,
            reason = "evaluated at compile time; a byte indexes 256 entries"
        )]
        {
            places[*character as usize] = place;
        }
        place = place.saturating_add(1);
        rest = tail;
    }
    places
}

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

    /// The code in ten bytes: as a u32 the first eight characters, of which the last six are
    /// digits, and in six bytes the next nine; each a number to the base of the characters' kind.
    /// The check character follows from the others.
    pub(crate) fn to_packed(self) -> [u8; PACKED_BYTES] {
        let (head, rest) = self.0.split_at(KIND_CHARACTERS);
        let (region, body) = rest.split_at(REGION_CHARACTERS);
        let body = body.iter().take(BODY_CHARACTERS);
        let number = |start: u64, characters: &mut dyn Iterator<Item = &u8>, base: u64| {
            characters.fold(start, |number, character| {
                let place = PLACES.get(usize::from(*character)).copied().unwrap_or(0);
                number.saturating_mul(base).saturating_add(u64::from(place))
            })
        };
        let front = number(0, &mut head.iter(), CHARACTERS);
        let front = number(front, &mut region.iter(), DIGITS);
        let body = number(0, &mut body.into_iter(), CHARACTERS);
        let mut packed = [0; PACKED_BYTES];
        let bytes = front.to_be_bytes().into_iter().skip(4);
        let bytes = bytes.chain(body.to_be_bytes().into_iter().skip(2));
        for (to, from) in packed.iter_mut().zip(bytes) {
            *to = from;
        }
        packed
    }

    /// The code of [`to_packed`](Self::to_packed); `None` for bytes that are no code's.
    pub(crate) fn from_packed(packed: [u8; PACKED_BYTES]) -> Option<Self> {
        let [a, b, c, d, rest @ ..] = packed;
        let [e, f, g, h, i, j] = rest;
        let mut front = u64::from(u32::from_be_bytes([a, b, c, d]));
        let mut body = u64::from_be_bytes([0, 0, e, f, g, h, i, j]);
        let mut code = [0; 18];
        let (first, _) = code.split_at_mut(WEIGHTS.len());
        let (kind, rest) = first.split_at_mut(KIND_CHARACTERS);
        let (region, written) = rest.split_at_mut(REGION_CHARACTERS);
        let write = |number: &mut u64, to: &mut [u8], base: u64| {
            for to in to.iter_mut().rev() {
                let place = number.checked_rem(base).unwrap_or(0);
                let place = usize::try_from(place).unwrap_or(0);
                *to = ALPHABET.get(place).copied().unwrap_or(0);
                *number = number.checked_div(base).unwrap_or(0);
            }
        };
        write(&mut body, written, CHARACTERS);
        write(&mut front, region, DIGITS);
        write(&mut front, kind, CHARACTERS);
        if front != 0 || body != 0 {
            return None;
        }
        let check = Self::check_character(std::str::from_utf8(first).ok()?)?;
        *code.last_mut()? = u8::try_from(check).ok()?;
        Some(Self(code))
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

fn value(character: u8) -> Option<usize> {
    let place = PLACES.get(usize::from(character)).copied()?;
    (place != NONE).then_some(usize::from(place))
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

    #[test]
    fn a_packed_code_has_these_bytes() {
        // 9 and 1 to the base of 31, then 330000 to the base of 10: 280 × 10⁶ + 330000.
        let code = MemberId::from_bytes(b"91330000142942095H").unwrap();
        let packed = code.to_packed();
        assert_eq!(packed[..4], 280_330_000_u32.to_be_bytes());
        let body = [1, 4, 2, 9, 4, 2, 0, 9, 5]
            .iter()
            .fold(0_u64, |n, d| n * 31 + d);
        assert_eq!(packed[4..], body.to_be_bytes()[2..]);
        assert_eq!(MemberId::from_packed(packed), Some(code));
    }

    #[test]
    fn numbers_beyond_the_last_code_are_no_code() {
        let front = 31_u32 * 31 * 1_000_000;
        let body = 31_u64.pow(9);
        let bytes = |front: u32, body: u64| {
            let mut packed = [0; PACKED_BYTES];
            packed[..4].copy_from_slice(&front.to_be_bytes());
            packed[4..].copy_from_slice(&body.to_be_bytes()[2..]);
            packed
        };
        let last = MemberId::from_packed(bytes(front - 1, body - 1)).unwrap();
        assert_eq!(&last.as_str()[..17], "YY999999YYYYYYYYY");
        assert_eq!(last.to_packed(), bytes(front - 1, body - 1));
        assert_eq!(MemberId::from_packed(bytes(front, 0)), None);
        assert_eq!(MemberId::from_packed(bytes(0, body)), None);
        assert_eq!(MemberId::from_packed([0xff; PACKED_BYTES]), None);
    }

    proptest::proptest! {
        #[test]
        fn codes_survive_packing(first in "[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}") {
            let code = format!("{first}{}", MemberId::check_character(&first).unwrap());
            let code = MemberId::from_bytes(code.as_bytes()).unwrap();
            proptest::prop_assert_eq!(MemberId::from_packed(code.to_packed()), Some(code));
        }
    }
}
