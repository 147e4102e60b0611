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
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DecimalText {
    length: u8,
    /// ASCII, zero after `length`.
    text: [u8; LENGTH_MAX],
}

impl DecimalText {
    /// The text as it was signed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.length));
        // ASCII by construction; the empty text is never reached.
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    /// Less than zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.text.starts_with(b"-")
    }

    /// The one spelling of the same value without trailing zeros: "1.50" gives "1.5".
    #[must_use]
    pub fn normalized(&self) -> &str {
        let text = self.as_str();
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            text
        }
    }

    /// Whether this times `price` is `amount`, within 0.01 yuan (the tolerance of a line).
    #[must_use]
    pub fn product_is(&self, price: &DecimalText, amount: Fen) -> bool {
        short_product_is(self, price, amount)
            .unwrap_or_else(|| long_product_is(self, price, amount))
    }

    /// The digits as one number, and how many of them are decimals; `None` where they are too
    /// many for the type.
    fn scaled(&self) -> Option<(i128, u32)> {
        let (mut number, mut decimals, mut after_point) = (0_i128, 0_u32, false);
        for byte in self.text.iter().take(self.length.into()) {
            match byte {
                b'-' => {}
                b'.' => after_point = true,
                digit => {
                    let digit = i128::from(digit.checked_sub(b'0')?);
                    number = number.checked_mul(10)?.checked_add(digit)?;
                    decimals = decimals.checked_add(after_point.into())?;
                }
            }
        }
        let signed = if self.is_negative() { -1 } else { 1 };
        Some((number.checked_mul(signed)?, decimals))
    }
}

/// [`DecimalText::product_is`] where 128 bits suffice, as they do for all but the longest texts.
fn short_product_is(quantity: &DecimalText, price: &DecimalText, amount: Fen) -> Option<bool> {
    let ((quantity, some), (price, more)) = (quantity.scaled()?, price.scaled()?);
    // Everything in hundredths of a yuan times 10^decimals.
    let one_fen = 10_i128.checked_pow(some.checked_add(more)?)?;
    let product = quantity.checked_mul(price)?.checked_mul(100)?;
    let due = i128::from(amount.get()).checked_mul(one_fen)?;
    Some(product.checked_sub(due)?.checked_abs()? <= one_fen)
}

/// [`DecimalText::product_is`] for texts of any length.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a BigDecimal grows as its value needs; at most 50 digits here"
)]
fn long_product_is(quantity: &DecimalText, price: &DecimalText, amount: Fen) -> bool {
    let (Ok(quantity), Ok(price)) = (
        BigDecimal::from_str(quantity.as_str()),
        BigDecimal::from_str(price.as_str()),
    ) else {
        // Checked when the texts were read.
        return false;
    };
    let error = quantity * price - BigDecimal::new(amount.get().into(), 2);
    error.abs() <= BigDecimal::new(1.into(), 2)
}

impl Spelled for DecimalText {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let point = digits.iter().position(|byte| *byte == b'.');
        let (whole, decimals) = match point.and_then(|point| digits.split_at_checked(point)) {
            Some((whole, [_, decimals @ ..])) => (whole, decimals),
            Some((whole, [])) => (whole, &b""[..]),
            None => (digits, &b"0"[..]),
        };
        let plain = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        let leading_zero = matches!(whole, [b'0', _, ..]);
        let negative_zero = negative && digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
        if text.len() > LENGTH_MAX
            || !plain(whole)
            || !plain(decimals)
            || leading_zero
            || negative_zero
        {
            return Err(Rule::DecimalSpelling);
        }
        let mut kept = [0; LENGTH_MAX];
        let length = text.len().try_into().map_err(|_| Rule::DecimalSpelling)?;
        for (to, from) in kept.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self { length, text: kept })
    }
}

impl fmt::Display for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecimalText").field(&self.as_str()).finish()
    }
}

spelled_as_text!(DecimalText, r"^-?(0|[1-9]\d*)(\.\d+)?$", "15841.5841584158");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_way_says(
            quantity in r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,11})?",
            price in r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,11})?",
            off in -3_i64..=3,
        ) {
            let (Ok(quantity), Ok(price)) =
                (DecimalText::spelled(&quantity), DecimalText::spelled(&price))
            else {
                return Ok(());
            };
            let product: f64 = quantity.as_str().parse::<f64>().unwrap()
                * price.as_str().parse::<f64>().unwrap();
            let amount = Fen::new(((product * 100.0).round() as i64).saturating_add(off));
            if let Some(short) = short_product_is(&quantity, &price, amount) {
                prop_assert_eq!(short, long_product_is(&quantity, &price, amount));
            }
        }
    }

    #[test]
    fn products_of_usual_lengths_need_no_long_arithmetic() {
        let (quantity, price) = (decimal("12345.678"), decimal("15841.5841584158"));
        assert_eq!(
            short_product_is(&quantity, &price, Fen::new(1)),
            Some(false)
        );
        let long = decimal("9999999999999999999999999");
        assert_eq!(short_product_is(&long, &long, Fen::new(1)), None);
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
