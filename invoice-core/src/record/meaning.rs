//! What a document says, as bytes that do not depend on how it is spelt.

use std::fmt::{self, Write as _};

use super::bill_issue::Bill;
use super::invoice_issue::Invoice;
use super::sealed::Sealed;
use crate::invoice::{Line, Payment};
use crate::money::Fen;

/// What stands before each member's pointer, so that no other digest can be taken for its.
const FIELD: &[u8] = b"piaolian/1/field\n";

/// What the messages of a usual document take, and how many there are.
const DOCUMENT_BYTES: usize = 1_536;
const DOCUMENT_MEMBERS: usize = 11;

/// The members of documents, each as the message that is hashed for it, one after another.
pub(super) struct Meanings {
    bytes: Vec<u8>,
    members: Vec<Member>,
}

/// A member by its JSON Pointer in the record, and where its message ends.
struct Member {
    pointer: &'static str,
    end: usize,
}

impl Meanings {
    /// Room for so many documents of the usual size.
    pub(super) fn of(documents: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(documents.saturating_mul(DOCUMENT_BYTES)),
            members: Vec::with_capacity(documents.saturating_mul(DOCUMENT_MEMBERS)),
        }
    }

    /// The JSON Pointers of the members and their messages.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let mut start = 0;
        self.members.iter().map(move |member| {
            let message = self.bytes.get(start..member.end).unwrap_or_default();
            start = member.end;
            (member.pointer, message)
        })
    }

    /// How many members there are.
    pub(super) fn count(&self) -> usize {
        self.members.len()
    }

    /// Adds the members of an invoice.
    pub(super) fn add_invoice(&mut self, invoice: &Invoice) {
        self.add("/invoice/kind", |to| to.text(invoice.kind.code()));
        self.add("/invoice/issue_date", |to| {
            to.shown(invoice.issue_date);
        });
        self.add("/invoice/seller", |to| {
            to.text(invoice.seller.id.as_str());
            to.text(&invoice.seller.name);
        });
        self.add("/invoice/buyer", |to| {
            let id = invoice.buyer.id.as_ref().map(|id| id.as_str());
            to.optional(id, Meaning::text);
            to.text(&invoice.buyer.name);
        });
        self.add("/invoice/lines", |to| {
            invoice.lines.iter().for_each(|line| to.line(line));
        });
        self.add("/invoice/total_without_tax", |to| {
            to.money(invoice.total_without_tax);
        });
        self.add("/invoice/total_tax", |to| to.money(invoice.total_tax));
        self.add("/invoice/total", |to| to.money(invoice.total));
        self.add("/invoice/payment", |to| {
            to.optional(invoice.payment.as_ref(), Meaning::payment);
        });
        self.add("/invoice/sealed", |to| {
            to.optional(invoice.sealed.as_ref(), Meaning::sealed);
        });
        self.add("/invoice/note", |to| {
            to.optional(invoice.note.as_deref(), Meaning::text);
        });
    }

    /// Adds the members of a bill.
    pub(super) fn add_bill(&mut self, bill: &Bill) {
        self.add("/bill/check_code", |to| to.text(bill.check_code.as_str()));
        self.add("/bill/issue_date", |to| {
            to.shown(bill.issue_date);
        });
        self.add("/bill/issuer", |to| {
            to.text(bill.issuer.id.as_str());
            to.text(&bill.issuer.name);
        });
        self.add("/bill/visit", |to| to.text(bill.visit.as_str()));
        self.add("/bill/items", |to| {
            for item in &bill.items {
                to.optional(item.code.as_deref(), Meaning::text);
                to.text(&item.name);
                to.money(item.amount);
            }
        });
        self.add("/bill/total", |to| to.money(bill.total));
        self.add("/bill/payment", |to| to.payment(&bill.payment));
        self.add("/bill/sealed", |to| {
            to.optional(bill.sealed.as_ref(), Meaning::sealed);
        });
    }

    fn add(&mut self, pointer: &'static str, write: impl FnOnce(&mut Meaning<'_>)) {
        self.bytes.extend_from_slice(FIELD);
        self.bytes.extend_from_slice(pointer.as_bytes());
        self.bytes.push(b'\n');
        write(&mut Meaning(&mut self.bytes));
        let end = self.bytes.len();
        self.members.push(Member { pointer, end });
    }
}

/// Room for a date or a rate as it is displayed.
const SHOWN_MAX: usize = 16;

/// A short text that is being written.
struct Shown {
    text: [u8; SHOWN_MAX],
    length: usize,
}

impl fmt::Write for Shown {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.length.checked_add(more.len()).ok_or(fmt::Error)?;
        let room = self.text.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// A member's meaning: each value with its length, in four bytes, before it.
struct Meaning<'b>(&'b mut Vec<u8>);

impl Meaning<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text as it is displayed.
    fn shown(&mut self, value: impl fmt::Display) {
        // Longer than what any of the types here has to say.
        let mut shown = Shown {
            text: [0; SHOWN_MAX],
            length: 0,
        };
        match write!(shown, "{value}") {
            Ok(()) => self.bytes(shown.text.get(..shown.length).unwrap_or_default()),
            Err(_) => self.text(&value.to_string()),
        }
    }

    fn money(&mut self, amount: Fen) {
        self.bytes(&amount.get().to_be_bytes());
    }

    /// An absent value is one byte of length nothing else has.
    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => {
                self.bytes(&[1]);
                write(self, value);
            }
            None => self.bytes(&[0]),
        }
    }

    fn line(&mut self, line: &Line) {
        self.text(&line.name);
        self.optional(line.spec.as_deref(), Self::text);
        self.optional(line.unit.as_deref(), Self::text);
        for number in [&line.quantity, &line.unit_price] {
            self.optional(number.as_ref(), |to, number| to.text(number.normalized()));
        }
        self.money(line.amount);
        self.shown(line.tax_rate);
        self.money(line.tax);
        self.optional(line.tax_code.as_deref(), Self::text);
    }

    fn payment(&mut self, payment: &Payment) {
        self.money(payment.fund);
        self.money(payment.other);
        self.money(payment.account);
        self.money(payment.cash);
        self.money(payment.self_pay);
        self.money(payment.self_fund);
    }

    fn sealed(&mut self, sealed: &Sealed) {
        self.bytes(&sealed.nonce);
        self.bytes(&sealed.ciphertext);
        self.bytes(sealed.root.as_bytes());
        for wrap in &sealed.wraps {
            self.bytes(wrap.kid.as_bytes());
            self.bytes(&wrap.key);
        }
    }
}
