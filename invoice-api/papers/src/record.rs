//! Records of this registry, as they are attached to the papers that it prints.

use invoice_core::money::Fen;
use invoice_core::record::{Bill, Body, Invoice, Party, Registered, parse_record};

use crate::error::PaperError;
use crate::paper::{Paper, PaperLine, PaperParty, PaperPayment, Seal, SealState, Tier};

/// Reads the bytes of a record that issues or registers a document.
///
/// # Errors
/// [`PaperError::XmlUnknown`] for anything else: whoever prints may attach what they like.
pub(crate) fn read(bytes: &[u8]) -> Result<Paper, PaperError> {
    let record = parse_record(bytes)
        .ok()
        .and_then(|parsed| parsed.record.ok())
        .ok_or(PaperError::XmlUnknown)?;
    if let Body::InvoiceIssue(issue) = record.body {
        Ok(of_invoice(issue.invoice))
    } else if let Body::BillIssue(issue) = record.body {
        Ok(of_bill(issue.bill))
    } else if let Body::DocumentRegister(register) = record.body {
        Ok(match register.document {
            Registered::Invoice(invoice) => of_invoice(*invoice),
            Registered::Bill(bill) => of_bill(*bill),
        })
    } else {
        Err(PaperError::XmlUnknown)
    }
}

fn party(party: Party) -> PaperParty {
    PaperParty {
        id: Some(party.id.to_string()),
        unread: false,
        name: Some(party.name),
    }
}

fn payment(split: &invoice_core::invoice::Payment) -> PaperPayment {
    PaperPayment {
        fund: Some(split.fund),
        other: Some(split.other),
        account: Some(split.account),
        cash: Some(split.cash),
        self_pay: Some(split.self_pay),
        self_fund: Some(split.self_fund),
    }
}

fn of_invoice(invoice: Invoice) -> Paper {
    let lines = invoice.lines.into_iter().map(|line| PaperLine {
        code: None,
        name: line.name,
        spec: line.spec,
        unit: line.unit,
        quantity: line.quantity.map(|number| number.to_string()),
        unit_price: line.unit_price.map(|number| number.to_string()),
        amount: Some(line.amount),
        tax_rate: Some(line.tax_rate.to_string()),
        tax: Some(line.tax),
        tax_code: line.tax_code,
    });
    Paper {
        kind: Some(invoice.kind),
        seller: party(invoice.seller),
        buyer: PaperParty {
            id: invoice.buyer.id.map(|id| id.as_str().to_owned()),
            unread: false,
            name: Some(invoice.buyer.name),
        },
        lines: lines.collect(),
        total_without_tax: Some(invoice.total_without_tax),
        total_tax: Some(invoice.total_tax),
        payment: invoice.payment.as_ref().map(payment),
        note: invoice.note,
        ..blank(invoice.key, invoice.issue_date, invoice.total)
    }
}

fn of_bill(bill: Bill) -> Paper {
    let lines = bill.items.into_iter().map(|item| PaperLine {
        code: item.code,
        name: item.name,
        amount: Some(item.amount),
        ..PaperLine::default()
    });
    Paper {
        check_code: Some(bill.check_code.to_string()),
        seller: party(bill.issuer),
        lines: lines.collect(),
        payment: Some(payment(&bill.payment)),
        visit: Some(bill.visit),
        ..blank(bill.key, bill.issue_date, bill.total)
    }
}

fn blank(
    document: invoice_core::identity::DocumentKey,
    date: invoice_core::calendar::Date,
    amount: Fen,
) -> Paper {
    Paper {
        document,
        alias: None,
        kind: None,
        amount,
        amount_may_be_without_tax: false,
        date,
        check_code: None,
        seller: PaperParty::default(),
        buyer: PaperParty::default(),
        lines: Vec::new(),
        total_without_tax: None,
        total_tax: None,
        words: None,
        payment: None,
        payment_unread: false,
        visit: None,
        red_letter: None,
        note: None,
        tier: Tier::Attachment,
        // The record's signature is the registry's to verify: it knows the chain and the keys.
        seal: Seal {
            state: SealState::Absent,
            signer: None,
            certificate: None,
            trusted: false,
        },
        warnings: Vec::new(),
    }
}
