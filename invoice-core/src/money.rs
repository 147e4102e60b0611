//! Money: whole fen, spelled in yuan.

use std::fmt;

use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// An amount of money in fen (分, a hundredth of a yuan).
///
/// Spelled as a string of yuan with at most two decimals; written with exactly two.
///
/// ```
/// use invoice_core::money::Fen;
/// let amount: Fen = "64.9".parse().unwrap();
/// assert_eq!((amount.get(), amount.to_string().as_str()), (6490, "64.90"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Fen = Fen(0);
    /// The largest amount that a record may name: 9,999,999,999.99 yuan.
    pub const MAX: Fen = Fen(999_999_999_999);

    /// An amount of that many fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads an amount of yuan.
    ///
    /// # Errors
    /// [`Rule::MoneySpelling`], or [`Rule::AmountTooLarge`] beyond [`Fen::MAX`] on either side.
    pub fn parse(text: &str) -> Result<Self, Rule> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits = digits.as_bytes();
        let (yuan, decimals) = match digits.iter().position(|byte| *byte == b'.') {
            Some(point) => match digits.split_at(point) {
                (yuan, [_, decimals @ ..]) => (yuan, decimals),
                (yuan, []) => (yuan, &b""[..]),
            },
            None => (digits, &b"0"[..]),
        };
        let leading_zero = matches!(yuan, [b'0', _, ..]);
        if leading_zero || !is_digits(yuan) || !is_digits(decimals) || decimals.len() > 2 {
            return Err(Rule::MoneySpelling);
        }
        let hundredths = if decimals.len() == 1 { 10 } else { 1 };
        let fen = value(yuan)
            .saturating_mul(100)
            .saturating_add(value(decimals).saturating_mul(hundredths));
        if fen > Self::MAX.0 {
            return Err(Rule::AmountTooLarge);
        }
        match (negative, fen) {
            (false, fen) => Ok(Self(fen)),
            // A negative nothing is not a value that any party means.
            (true, 0) => Err(Rule::MoneySpelling),
            (true, fen) => fen.checked_neg().map(Self).ok_or(Rule::AmountTooLarge),
        }
    }

    /// The sum, unless it leaves the range of the type.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it leaves the range of the type.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum of many, unless it leaves the range of the type.
    #[must_use]
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// More than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Less than nothing: a discount, or a red letter.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

fn is_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// The value of ASCII digits, or the largest of the type.
fn value(digits: &[u8]) -> i64 {
    digits.iter().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit.saturating_sub(b'0')))
    })
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(
            f,
            "{sign}{}.{:02}",
            fen.checked_div(100).unwrap_or_default(),
            fen.checked_rem(100).unwrap_or_default()
        )
    }
}

impl Spelled for Fen {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Self::parse(text)
    }
}

spelled_as_text!(Fen, r"^-?(0|[1-9]\d{0,9})(\.\d{1,2})?$", "16000.00");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn money_is_read_exactly() {
        let cases: &[(&str, Result<i64, Rule>)] = &[
            ("0", Ok(0)),
            ("0.00", Ok(0)),
            ("16000.00", Ok(1_600_000)),
            ("64.9", Ok(6490)),
            ("0.01", Ok(1)),
            ("-0.01", Ok(-1)),
            ("9999999999.99", Ok(999_999_999_999)),
            ("10000000000", Err(Rule::AmountTooLarge)),
            ("-10000000000.00", Err(Rule::AmountTooLarge)),
            ("99999999999999999999999", Err(Rule::AmountTooLarge)),
            ("", Err(Rule::MoneySpelling)),
            (".5", Err(Rule::MoneySpelling)),
            ("5.", Err(Rule::MoneySpelling)),
            ("1.234", Err(Rule::MoneySpelling)),
            ("01", Err(Rule::MoneySpelling)),
            ("+1", Err(Rule::MoneySpelling)),
            ("-0", Err(Rule::MoneySpelling)),
            ("1e2", Err(Rule::MoneySpelling)),
            ("1,000.00", Err(Rule::MoneySpelling)),
            (" 1", Err(Rule::MoneySpelling)),
            ("１.00", Err(Rule::MoneySpelling)),
            ("1.-1", Err(Rule::MoneySpelling)),
        ];
        for (text, answer) in cases {
            assert_eq!(Fen::parse(text).map(Fen::get), *answer, "{text}");
        }
    }

    proptest! {
        #[test]
        fn money_survives_writing_and_reading(fen in -999_999_999_999_i64..=999_999_999_999) {
            prop_assert_eq!(Fen::parse(&Fen::new(fen).to_string()), Ok(Fen::new(fen)));
        }
    }
}
