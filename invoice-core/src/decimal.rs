//! Quantities and unit prices: decimals of any scale, exactly.

use std::fmt;
use std::str::FromStr as _;

use bigdecimal::BigDecimal;

use crate::money::Fen;
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// The most characters that a quantity or unit price may have.
const LENGTH_MAX: usize = 25;

/// A decimal number kept as its text, for instance "15841.5841584158": equal when spelled alike.
///
/// Never a binary fraction: unit prices of invoices carry ten and more decimals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DecimalText(String);

impl DecimalText {
    /// The text as it was signed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Less than zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// The one spelling of the same value without trailing zeros: "1.50" gives "1.5".
    #[must_use]
    pub fn normalized(&self) -> String {
        if self.0.contains('.') {
            self.0
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        } else {
            self.0.clone()
        }
    }

    /// Whether this times `price` is `amount`, within 0.01 yuan (the tolerance of a line).
    #[must_use]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a BigDecimal grows as its value needs; at most 50 digits here"
    )]
    pub fn product_is(&self, price: &DecimalText, amount: Fen) -> bool {
        let (Ok(quantity), Ok(price)) = (
            BigDecimal::from_str(&self.0),
            BigDecimal::from_str(&price.0),
        ) else {
            // Checked when the texts were read.
            return false;
        };
        let error = quantity * price - BigDecimal::new(amount.get().into(), 2);
        error.abs() <= BigDecimal::new(1.into(), 2)
    }
}

impl Spelled for DecimalText {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let negative_zero =
            text.starts_with('-') && digits.bytes().all(|b| matches!(b, b'0' | b'.'));
        if text.len() > LENGTH_MAX
            || !plain(whole)
            || !plain(decimals)
            || leading_zero
            || negative_zero
        {
            return Err(Rule::DecimalSpelling);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

spelled_as_text!(DecimalText, r"^-?(0|[1-9]\d*)(\.\d+)?$", "15841.5841584158");

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> DecimalText {
        DecimalText::spelled(text).unwrap()
    }

    #[test]
    fn decimals_are_plain_and_short() {
        let cases: &[(&str, bool)] = &[
            ("1", true),
            ("0", true),
            ("0.5", true),
            ("-2", true),
            ("15841.5841584158", true),
            ("1234567890123456789012345", true),
            ("12345678901234567890123456", false),
            ("1e3", false),
            ("01", false),
            (".5", false),
            ("5.", false),
            ("-0.0", false),
            ("+1", false),
            ("1_000", false),
            ("１", false),
            ("", false),
        ];
        for (text, valid) in cases {
            assert_eq!(DecimalText::spelled(text).is_ok(), *valid, "{text}");
        }
    }

    #[test]
    fn products_are_exact_to_a_fen() {
        let cases: &[(&str, &str, i64, bool)] = &[
            ("1.01", "15841.5841584158", 1_600_000, true),
            ("2", "0.105", 21, true),
            ("2", "0.105", 22, true),
            ("2", "0.105", 20, true),
            ("2", "0.105", 23, false),
            ("3", "33.3366", 10_000, true),
            ("3", "33.3367", 10_000, false),
            (
                "9999999999999999999999999",
                "9999999999999999999999999",
                1,
                false,
            ),
        ];
        for (quantity, price, fen, fits) in cases {
            let is = decimal(quantity).product_is(&decimal(price), Fen::new(*fen));
            assert_eq!(is, *fits, "{quantity} x {price} = {fen}");
        }
    }

    #[test]
    fn spelling_does_not_change_the_value() {
        let cases = [
            ("1.50", "1.5"),
            ("100", "100"),
            ("1.00", "1"),
            ("0.0", "0"),
            ("10.010", "10.01"),
        ];
        for (text, normal) in cases {
            assert_eq!(decimal(text).normalized(), normal);
        }
    }
}
