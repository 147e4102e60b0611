//! Invoices of merchants, written as text at once: millions of them are needed, and what follows
//! after them (a signature, a node) must not wait for a document model.

use invoice_core::calendar::Instant;
use rand::RngExt;

use super::catalogue::Product;
use super::invoice::identity;
use super::vocabulary::{self, Sold, one_of};
use super::{Blank, Dice, Profile, rounded, sealed};
use crate::cast::{Cast, Issuer};

/// A million millionths: a rate of 1.
const ONE: i64 = 1_000_000;
/// Regular customers of a merchant.
const REGULARS: usize = 300;

/// Writes an invoice for goods or services as a record.
pub(super) fn goods(
    text: &mut String,
    mut blank: Blank<'_>,
    cast: &Cast,
    by: &Issuer,
    products: &[Product],
    place: &Place,
) {
    let buyer = Buyer::any(blank.dice, cast, blank.issuer);
    let organisation = matches!(buyer, Buyer::Organisation(_));
    let (kind, key) = identity(&mut blank, by, organisation);
    let (dice, date) = (blank.dice, blank.date);
    let seller = by.player.id;
    text.push_str("{\"type\":\"invoice.issue\",\"id\":\"");
    text.push_str(&place.id);
    text.push_str("\",\"by\":\"");
    text.push_str(seller.as_str());
    text.push_str("\",\"at\":\"");
    text.push_str(&place.at.to_rfc3339_utc8());
    text.push_str("\",\"invoice\":{\"");
    if let Some(code) = key.code() {
        text.push_str("code\":\"");
        text.push_str(code);
        text.push_str("\",\"");
    }
    text.push_str("number\":\"");
    text.push_str(key.number());
    text.push_str("\",\"kind\":\"");
    text.push_str(kind.code());
    text.push_str("\",\"issue_date\":\"");
    text.push_str(&date.to_string());
    text.push_str("\",\"seller\":{\"id\":\"");
    text.push_str(seller.as_str());
    text.push_str("\",\"name\":\"");
    text.push_str(&by.player.name);
    text.push_str("\"},\"buyer\":");
    match buyer {
        Buyer::Organisation(known) => text.push_str(known),
        Buyer::Person(ref name) => {
            text.push_str("{\"name\":\"");
            text.push_str(name);
            text.push_str("\"}");
        }
    }
    text.push_str(",\"lines\":[");
    let (mut amount, mut tax) = (0, 0);
    for number in 0..line_count(dice) {
        if number > 0 {
            text.push(',');
        }
        let product = one_of(dice, products);
        let (more, more_tax) = sale(text, dice, product);
        amount += more;
        tax += more_tax;
    }
    text.push_str("],\"total_without_tax\":\"");
    push_fen(text, amount);
    text.push_str("\",\"total_tax\":\"");
    push_fen(text, tax);
    text.push_str("\",\"total\":\"");
    push_fen(text, amount + tax);
    text.push('"');
    let sealed_share = match place.profile {
        Profile::Mixed => 0.2,
        Profile::Usual => 0.05,
    };
    if matches!(buyer, Buyer::Person(_)) && dice.random_bool(sealed_share) {
        let part = serde_json::to_string(&sealed::part(dice, 3));
        if let Ok(part) = part {
            text.push_str(",\"sealed\":");
            text.push_str(&part);
        }
    }
    if dice.random_bool(0.2) {
        text.push_str(",\"note\":\"");
        text.push_str(&vocabulary::note(dice));
        text.push('"');
    }
    text.push_str("}}");
}

/// What of an invoice is known before it is drawn.
pub(super) struct Place {
    pub(super) id: String,
    pub(super) at: Instant,
    pub(super) profile: Profile,
}

/// Who buys.
enum Buyer<'c> {
    /// An organisation, as JSON.
    Organisation(&'c str),
    /// A natural person, the name masked.
    Person(String),
}

impl<'c> Buyer<'c> {
    /// A registered employer, another organisation, or a natural person.
    fn any(dice: &mut Dice, cast: &'c Cast, issuer: usize) -> Self {
        let from = |dice: &mut Dice, all: &'c [String]| {
            // Half of what organisations buy they buy where they always do.
            let place = if dice.random_bool(0.5) {
                issuer * 7_919 + dice.random_range(0..REGULARS)
            } else {
                dice.random_range(0..all.len())
            };
            Self::Organisation(&all[place % all.len()])
        };
        match dice.random_range(0..100) {
            0..45 => from(dice, &cast.registered_buyers),
            45..70 => from(dice, &cast.other_buyers),
            _ => Self::Person(vocabulary::person(dice)),
        }
    }
}

/// One to eight, mostly few.
pub(super) fn line_count(dice: &mut Dice) -> u32 {
    dice.random_range(1..=8_u32)
        .min(dice.random_range(1..=8))
        .min(dice.random_range(1..=8))
}

/// Writes a line, and at times the discount line that belongs to it (折扣行). Gives amount and tax.
fn sale(text: &mut String, dice: &mut Dice, product: &Product) -> (i64, i64) {
    let price = product.price;
    let tax_of = |amount: i64| rounded(amount * product.millionths, ONE);
    text.push_str(&product.name);
    let (amount, tax) = match product.sold {
        Sold::Whole => {
            let amount = dice.random_range(price / 2..=price * 2);
            (amount, tax_of(amount))
        }
        Sold::Pieces(most) => {
            let few = dice.random_range(1..=most);
            let pieces = dice.random_range(1..=few);
            if dice.random_bool(0.5) {
                // The price is agreed with tax, so the one without has many decimals.
                let gross = pieces * price;
                let amount = rounded(gross * ONE, ONE + product.millionths);
                let unit_price = rounded(amount * 100_000_000, pieces);
                quantity(text, product, (pieces, 0), (unit_price, 10));
                (amount, gross - amount)
            } else {
                let amount = pieces * price;
                quantity(text, product, (pieces, 0), (price, 2));
                (amount, tax_of(amount))
            }
        }
        Sold::Measured(most) => {
            let thousandths = dice.random_range(1_000..=most * 1_000);
            let amount = rounded(thousandths * price, 1_000);
            quantity(text, product, (thousandths, 3), (price, 2));
            (amount, tax_of(amount))
        }
    };
    amounts(text, product, amount, tax);
    if dice.random_bool(0.12) {
        let percent = dice.random_range(1..=30);
        let (less, less_tax) = (amount * percent / 100, tax * percent / 100);
        if less > 0 {
            text.push(',');
            text.push_str(&product.bare_name);
            amounts(text, product, -less, -less_tax);
            return (amount - less, tax - less_tax);
        }
    }
    (amount, tax)
}

fn quantity(text: &mut String, product: &Product, quantity: (i64, u32), price: (i64, u32)) {
    text.push_str(&product.unit);
    text.push_str(",\"quantity\":\"");
    push_decimal(text, quantity.0, quantity.1);
    text.push_str("\",\"unit_price\":\"");
    push_decimal(text, price.0, price.1);
    text.push('"');
}

fn amounts(text: &mut String, product: &Product, amount: i64, tax: i64) {
    text.push_str(",\"amount\":\"");
    push_fen(text, amount);
    text.push_str(&product.rate);
    push_fen(text, tax);
    text.push_str(&product.end);
}

/// Writes a whole number in at least so many digits.
pub(super) fn push_number(text: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut left, mut first) = (number, digits.len());
    while left > 0 || first > digits.len() - width.max(1) {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    for digit in &digits[first..] {
        text.push(char::from(*digit));
    }
}

/// Writes an amount in yuan with two decimals.
pub(super) fn push_fen(text: &mut String, fen: i64) {
    if fen < 0 {
        text.push('-');
    }
    let fen = fen.unsigned_abs();
    push_number(text, fen / 100, 1);
    text.push('.');
    push_number(text, fen % 100, 2);
}

/// Writes `units` of the last of so many decimals, without trailing zeros. Not negative.
fn push_decimal(text: &mut String, units: i64, decimals: u32) {
    let units = units.unsigned_abs();
    let one = 10_u64.pow(decimals);
    push_number(text, units / one, 1);
    let (mut rest, mut width) = (units % one, decimals as usize);
    if rest == 0 {
        return;
    }
    while rest.is_multiple_of(10) {
        rest /= 10;
        width -= 1;
    }
    text.push('.');
    push_number(text, rest, width);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_contract_wants_them() {
        let written = |write: &dyn Fn(&mut String)| {
            let mut text = String::new();
            write(&mut text);
            text
        };
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (-1_234, "-12.34"), (100, "1.00")] {
            assert_eq!(written(&|out| push_fen(out, fen)), text);
        }
        for (units, decimals, text) in [
            (5, 0, "5"),
            (1_500, 3, "1.5"),
            (2_000, 3, "2"),
            (1_001, 3, "1.001"),
            (12_345_678_901, 10, "1.2345678901"),
        ] {
            assert_eq!(written(&|out| push_decimal(out, units, decimals)), text);
        }
        assert_eq!(written(&|out| push_number(out, 42, 5)), "00042");
        assert_eq!(written(&|out| push_number(out, 0, 1)), "0");
    }
}
