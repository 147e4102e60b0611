//! Resident identity numbers, known here only so that they are never stored readable.

use crate::calendar::Date;

/// GB 11643-1999 §5.2: weights 2^(17-i) mod 11 of the first 17 digits.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// GB 11643-1999 §5.3: the check character by remainder.
const CHECKS: [u8; 11] = *b"10X98765432";

/// Whether a text is a resident identity number (公民身份号码, GB 11643-1999): 17 digits with a
/// birth date between 1800 and 2199 inside, and the right check character.
///
/// A lower-case `x` counts too: the question is whose number it is, not how it is spelled.
///
/// ```
/// use invoice_core::identity::is_resident_id;
/// assert!(is_resident_id("11010519491231002X"));
/// assert!(!is_resident_id("110105194912310021"));
/// ```
#[must_use]
pub fn is_resident_id(text: &str) -> bool {
    let (Some(digits), Some(birth), Some(check), 18) = (
        text.get(..17),
        text.get(6..14),
        text.as_bytes().last(),
        text.len(),
    ) else {
        return false;
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let born = Date::parse_compact(birth).is_ok_and(|date| (1800..2200).contains(&date.year()));
    let sum: u32 = digits
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')).saturating_mul(weight))
        .sum();
    let due = usize::try_from(sum % 11)
        .ok()
        .and_then(|rest| CHECKS.get(rest));
    born && due == Some(&check.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_numbers_are_recognised() {
        let cases: &[(&str, bool)] = &[
            // GB 11643-1999, examples of §5.
            ("11010519491231002X", true),
            ("440524188001010014", true),
            ("11010519491231002x", true),
            ("110105194912310021", false),
            ("11010519491331002X", false),
            ("1101051949123100", false),
            ("913205830880018839", false),
            ("９１０105194912310", false),
            ("", false),
        ];
        for (text, is) in cases {
            assert_eq!(is_resident_id(text), *is, "{text}");
        }
    }
}
