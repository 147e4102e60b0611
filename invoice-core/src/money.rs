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
        let (yuan, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let leading_zero = yuan.len() > 1 && yuan.starts_with('0');
        if leading_zero || !is_digits(yuan) || !is_digits(decimals) || decimals.len() > 2 {
            return Err(Rule::MoneySpelling);
        }
        let hundredths = if decimals.len() == 1 { 10 } else { 1 };
        let fen = parse_i64(yuan)
            .and_then(|yuan| yuan.checked_mul(100))
            .and_then(|fen| fen.checked_add(parse_i64(decimals)?.checked_mul(hundredths)?))
            .filter(|fen| *fen <= Self::MAX.0)
            .ok_or(Rule::AmountTooLarge)?;
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

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn parse_i64(digits: &str) -> Option<i64> {
    digits.parse().ok()
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
