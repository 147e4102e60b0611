//! Invoices: of merchants for goods and services, of private clinics for care.

use invoice_core::identity::{Digits, DocumentKey, PaperCode};
use invoice_core::invoice::{InvoiceKind, Line, Payment, TaxRate};
use invoice_core::money::Fen;
use invoice_core::record::{Buyer, BuyerId, Invoice, InvoiceIssue, Party, Sealed};
use rand::RngExt;
use rand::rngs::StdRng;

use super::vocabulary::{self, Good, Sold, Trade, one_of};
use super::{Blank, rounded, sealed};
use crate::cast::Issuer;
use crate::spelled;

/// A million millionths: a rate of 1.
const ONE: i64 = 1_000_000;
/// The levy rate that small taxpayers mostly pay, in millionths.
const SMALL: u32 = 10_000;

/// An invoice for goods or services of a trade.
pub(super) fn goods(
    blank: &mut Blank<'_>,
    by: &Issuer,
    trade: &'static Trade,
    small: bool,
) -> InvoiceIssue {
    let mut lines = Vec::new();
    for _ in 0..line_count(blank.dice) {
        let good = one_of(blank.dice, trade.goods);
        let line = sale(blank.dice, good, small);
        let discount = blank
            .dice
            .random_bool(0.12)
            .then(|| discount(blank.dice, &line));
        lines.push(line);
        lines.extend(discount.flatten());
    }
    issue(blank, by, lines, false)
}

/// An invoice of a private clinic: free of tax, with a payment split.
pub(super) fn care(blank: &mut Blank<'_>, by: &Issuer) -> InvoiceIssue {
    let lines = (0..line_count(blank.dice))
        .map(|_| Line {
            name: (*one_of(blank.dice, vocabulary::CARE)).to_owned(),
            spec: None,
            unit: Some("次".to_owned()),
            quantity: None,
            unit_price: None,
            amount: Fen::new(blank.dice.random_range(500..300_000)),
            tax_rate: TaxRate::Exempt,
            tax: Fen::ZERO,
            tax_code: Some("3070202000000000000".to_owned()),
        })
        .collect();
    issue(blank, by, lines, true)
}

/// One to eight, mostly few.
fn line_count(dice: &mut StdRng) -> u32 {
    dice.random_range(1..=8_u32)
        .min(dice.random_range(1..=8))
        .min(dice.random_range(1..=8))
}

fn issue(blank: &mut Blank<'_>, by: &Issuer, lines: Vec<Line>, medical: bool) -> InvoiceIssue {
    let sum = |of: fn(&Line) -> Fen| Fen::new(lines.iter().map(|line| of(line).get()).sum());
    let (total_without_tax, total_tax) = (sum(|line| line.amount), sum(|line| line.tax));
    let total = Fen::new(total_without_tax.get() + total_tax.get());
    let (buyer, sealed) = buyer(blank, medical);
    let (kind, key) = identity(blank, by, buyer.id.is_some());
    let payment = medical.then(|| split(blank.dice, total));
    let note = blank
        .dice
        .random_bool(0.2)
        .then(|| vocabulary::note(blank.dice));
    InvoiceIssue {
        invoice: Invoice {
            key,
            kind,
            issue_date: blank.date,
            seller: Party {
                id: by.player.id,
                name: by.player.name.clone(),
            },
            buyer,
            lines,
            total_without_tax,
            total_tax,
            total,
            payment,
            sealed,
            note,
        },
    }
}

/// A line with all its amounts.
fn sale(dice: &mut StdRng, good: &Good, small: bool) -> Line {
    let (low, high) = good.price;
    let price = dice.random_range(low..=high);
    let rate = good.rate.map(|rate| if small { SMALL } else { rate });
    let millionths = i64::from(rate.unwrap_or(0));
    let tax_of = |amount: i64| rounded(amount * millionths, ONE);
    let (quantity, unit_price, amount, tax) = match good.sold {
        Sold::Whole => (None, None, price, tax_of(price)),
        Sold::Pieces(most) => {
            let few = dice.random_range(1..=most);
            let pieces = dice.random_range(1..=few);
            if dice.random_bool(0.5) {
                // The price is agreed with tax, so the one without has many decimals.
                let gross = pieces * price;
                let amount = rounded(gross * ONE, ONE + millionths);
                let unit_price = decimal(rounded(amount * 100_000_000, pieces), 10);
                (
                    Some(pieces.to_string()),
                    Some(unit_price),
                    amount,
                    gross - amount,
                )
            } else {
                let amount = pieces * price;
                (
                    Some(pieces.to_string()),
                    Some(decimal(price, 2)),
                    amount,
                    tax_of(amount),
                )
            }
        }
        Sold::Measured(most) => {
            let thousandths = dice.random_range(1_000..=most * 1_000);
            let amount = rounded(thousandths * price, 1_000);
            (
                Some(decimal(thousandths, 3)),
                Some(decimal(price, 2)),
                amount,
                tax_of(amount),
            )
        }
    };
    let spec = (!good.specs.is_empty() && dice.random_bool(0.9)).then(|| one_of(dice, good.specs));
    Line {
        name: good.name.to_owned(),
        spec: spec.map(|spec| (*spec).to_owned()),
        unit: quantity.is_some().then(|| good.unit.to_owned()),
        quantity: quantity.as_deref().map(spelled),
        unit_price: unit_price.as_deref().map(spelled),
        amount: Fen::new(amount),
        tax_rate: rate.map_or(TaxRate::Exempt, TaxRate::Fraction),
        tax: Fen::new(tax),
        tax_code: dice.random_bool(0.9).then(|| good.tax_code.to_owned()),
    }
}

/// The discount line that follows a line (折扣行).
fn discount(dice: &mut StdRng, of: &Line) -> Option<Line> {
    let percent = dice.random_range(1..=30);
    let part = |fen: Fen| Fen::new(-(fen.get() * percent / 100));
    let amount = part(of.amount);
    amount.is_negative().then(|| Line {
        spec: None,
        unit: None,
        quantity: None,
        unit_price: None,
        amount,
        tax: part(of.tax),
        ..of.clone()
    })
}

/// `units` of the last of so many decimals, without trailing zeros.
fn decimal(units: i64, decimals: u32) -> String {
    let one = 10_i64.pow(decimals);
    let width = decimals as usize;
    let text = format!("{}.{:0width$}", units / one, units % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Who buys: a registered employer, another organisation, or a natural person.
fn buyer(blank: &mut Blank<'_>, medical: bool) -> (Buyer, Option<Sealed>) {
    let dice = &mut *blank.dice;
    match dice.random_range(0..100) {
        0..45 if !medical => {
            let employer = one_of(dice, &blank.cast.employers);
            let id = Some(BuyerId::Organisation(employer.id));
            (
                Buyer {
                    id,
                    name: employer.name.clone(),
                },
                None,
            )
        }
        45..70 if !medical => {
            let place = one_of(dice, vocabulary::PLACES);
            let trade = one_of(dice, vocabulary::TRADES);
            let id = vocabulary::member_id(dice, "91", place);
            let name = vocabulary::company(dice, place, trade.word);
            (
                Buyer {
                    id: Some(BuyerId::Organisation(id)),
                    name,
                },
                None,
            )
        }
        _ => {
            let name = vocabulary::person(dice);
            let sealed = (medical || dice.random_bool(0.2)).then(|| sealed::part(dice, 3));
            (Buyer { id: None, name }, sealed)
        }
    }
}

/// Kind and number, the next of the issuer's range.
fn identity(blank: &mut Blank<'_>, by: &Issuer, organisation: bool) -> (InvoiceKind, DocumentKey) {
    let year = blank.date.year() % 100;
    let division = by.place.division;
    if blank.issuer % 16 == 3 {
        // A seller of the tax-control system: code of 12 digits, number of 8.
        let batch = blank.issuer % 1_000;
        let code = format!("0{}{year:02}{batch:03}11", &division[..4]);
        let key = DocumentKey::Paper {
            code: PaperCode::Twelve(digits(&code)),
            number: digits(&format!("{:08}", blank.serial)),
        };
        return (InvoiceKind::ElectronicOrdinary, key);
    }
    let kind = if organisation && blank.dice.random_bool(0.35) {
        InvoiceKind::DigitalSpecial
    } else {
        InvoiceKind::DigitalOrdinary
    };
    let number = format!(
        "{year:02}{}2{:05}{:010}",
        &division[..2],
        blank.issuer,
        blank.serial
    );
    (kind, DocumentKey::Digital(digits(&number)))
}

pub(super) fn digits<const N: usize>(text: &str) -> Digits<N> {
    match Digits::new(text) {
        Some(digits) => digits,
        None => panic!("{text:?} is not {N} digits: the issuer's range is used up"),
    }
}

/// Who paid a medical document.
pub(super) fn split(dice: &mut StdRng, total: Fen) -> Payment {
    let total = total.get();
    let insured = dice.random_bool(0.8);
    let fund = if insured {
        total * dice.random_range(30..=85) / 100
    } else {
        0
    };
    let other = if dice.random_bool(0.15) {
        (total - fund) * dice.random_range(5..=30) / 100
    } else {
        0
    };
    let borne = total - fund - other;
    let account = if insured {
        borne * dice.random_range(0..=100) / 100
    } else {
        0
    };
    let self_pay = borne * dice.random_range(0..=100) / 100;
    Payment {
        fund: Fen::new(fund),
        other: Fen::new(other),
        account: Fen::new(account),
        cash: Fen::new(borne - account),
        self_pay: Fen::new(self_pay),
        self_fund: Fen::new(borne - self_pay),
    }
}
