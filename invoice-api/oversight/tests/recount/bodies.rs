//! Members and record bodies of the histories.

use std::sync::OnceLock;

use invoice_core::calendar::Date;
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::invoice::{InvoiceKind, Payment};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Bill, BillIssue, Body, Buyer, CheckCode, DocumentRegister, Invoice, InvoiceIssue, Original,
    OriginalFormat, Party, Registered, Visit,
};

/// Two merchants, then an issuer that is no member, an authority, and employers.
pub(crate) const SELLERS: usize = 3;
pub(crate) const OUTSIDER: usize = 2;
pub(crate) const BUREAU: usize = 3;
pub(crate) const FIRST_EMPLOYER: usize = 4;
pub(crate) const MEMBERS: usize = 16;

/// Credit codes by region; what makes them valid is found by trying.
pub(crate) fn member(number: usize) -> MemberId {
    static KNOWN: OnceLock<Vec<MemberId>> = OnceLock::new();
    KNOWN.get_or_init(|| (0..MEMBERS).map(made).collect())[number]
}

fn made(number: usize) -> MemberId {
    let region = ["350100", "440300", "610100", "110000"];
    let region = region.get(number).unwrap_or(&"330106");
    let signs = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    for one in signs.chars() {
        for other in signs.chars() {
            let text = format!("91{region}MA{number:06}{one}{other}");
            if let Ok(id) = MemberId::spelled(&text) {
                return id;
            }
        }
    }
    panic!("no code for member {number}")
}

/// The key of a seller's document. Numbers of the first merchant tell a region, the others do not.
pub(crate) fn digital(seller: usize, number: u64) -> DocumentKey {
    let region = [31, 99, 98][seller];
    DocumentKey::spelled(&format!("D:26{region}2{number:015}")).unwrap()
}

pub(crate) fn fiscal(number: u64) -> DocumentKey {
    DocumentKey::spelled(&format!("F:99060122-{number:010}")).unwrap()
}

/// The month of a document, which depends on its number.
pub(crate) fn month(number: u64) -> u32 {
    9 + u32::try_from(number % 3).unwrap()
}

fn invoice(key: DocumentKey, seller: usize, total: i64, month: u32) -> Invoice {
    Invoice {
        key,
        kind: InvoiceKind::spelled("82").unwrap(),
        issue_date: Date::new(2026, month, 1).unwrap(),
        seller: Party {
            id: member(seller),
            name: "S".to_owned(),
        },
        buyer: Buyer {
            id: None,
            name: "B".to_owned(),
        },
        lines: Vec::new(),
        total_without_tax: Fen::new(total),
        total_tax: Fen::ZERO,
        total: Fen::new(total),
        payment: None,
        sealed: None,
        note: None,
    }
}

pub(crate) fn issue(key: DocumentKey, seller: usize, total: i64, month: u32) -> Body {
    let invoice = invoice(key, seller, total, month);
    Body::InvoiceIssue(InvoiceIssue { invoice })
}

pub(crate) fn register(key: DocumentKey, seller: usize, total: i64, month: u32) -> Body {
    let invoice = invoice(key, seller, total, month);
    Body::DocumentRegister(DocumentRegister {
        document: Registered::Invoice(Box::new(invoice)),
        original: Original {
            sm3: Hash::new([3; 32]),
            format: OriginalFormat::ALL[0],
            signature: None,
        },
    })
}

/// A bill of which the patient bore a half.
pub(crate) fn bill(key: DocumentKey, issuer: usize, total: i64) -> Body {
    let half = Fen::new(total / 2);
    let bill = Bill {
        key,
        check_code: CheckCode::spelled("a1B2c3").unwrap(),
        issue_date: Date::new(2026, 11, 1).unwrap(),
        issuer: Party {
            id: member(issuer),
            name: "H".to_owned(),
        },
        visit: Visit::ALL[0],
        items: Vec::new(),
        total: Fen::new(total),
        payment: Payment {
            fund: Fen::new(total - total / 2),
            other: Fen::ZERO,
            account: Fen::ZERO,
            cash: half,
            self_pay: half,
            self_fund: Fen::ZERO,
        },
        sealed: None,
    };
    Body::BillIssue(BillIssue { bill })
}
