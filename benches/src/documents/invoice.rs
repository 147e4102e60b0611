//! Invoices of private clinics, and what they share with others: numbers and payment splits.

use invoice_core::identity::{Digits, DocumentKey, PaperCode};
use invoice_core::invoice::{InvoiceKind, Line, Payment, TaxRate};
use invoice_core::money::Fen;
use invoice_core::record::{Buyer, Invoice, InvoiceIssue, Party};
use rand::RngExt;

use super::vocabulary::{self, one_of};
use super::{Blank, Dice, press, sealed};
use crate::cast::Issuer;

/// An invoice of a private clinic: free of tax, with a payment split.
pub(super) fn care(blank: &mut Blank<'_>, by: &Issuer) -> InvoiceIssue {
    let lines: Vec<Line> = (0..press::line_count(blank.dice))
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
    issue(blank, by, lines)
}

fn issue(blank: &mut Blank<'_>, by: &Issuer, lines: Vec<Line>) -> InvoiceIssue {
    let total = Fen::new(lines.iter().map(|line| line.amount.get()).sum());
    let (kind, key) = identity(blank, by, false);
    let name = vocabulary::person(blank.dice);
    InvoiceIssue {
        invoice: Invoice {
            key,
            kind,
            issue_date: blank.date,
            seller: Party {
                id: by.player.id,
                name: by.player.name.clone(),
            },
            buyer: Buyer { id: None, name },
            lines,
            total_without_tax: total,
            total_tax: Fen::ZERO,
            total,
            payment: Some(split(blank.dice, total)),
            sealed: Some(sealed::part(blank.dice, 3)),
            note: blank
                .dice
                .random_bool(0.2)
                .then(|| vocabulary::note(blank.dice)),
        },
    }
}

/// Kind and number, the next of the issuer's range.
pub(super) fn identity(
    blank: &mut Blank<'_>,
    by: &Issuer,
    organisation: bool,
) -> (InvoiceKind, DocumentKey) {
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
pub(super) fn split(dice: &mut Dice, total: Fen) -> Payment {
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
