//! What a document says, as digests: to tell a repeated document from a conflicting one.

use crate::crypto::{Hash, sm3};

use super::bill_issue::Bill;
use super::invoice_issue::Invoice;
use super::sealed::Sealed;
use crate::invoice::{Line, Payment};
use crate::money::Fen;

/// Digests of a document's meaning: equal when two documents say the same, however it is spelt.
///
/// The key takes no part: only documents under the same key are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// SM3 over all members.
    pub whole: Hash,
    /// The first 16 bits of each member's SM3, in a fixed order per family, by the member's JSON
    /// Pointer in the record. Two different members share them once in 65,536 times; `whole` does
    /// not.
    pub fields: Vec<(&'static str, u16)>,
}

impl Fingerprint {
    /// The first 16 bytes of `whole`: what the state keeps. Only the issuer of a document could
    /// make two contents that share them, and both are refused alike.
    #[must_use]
    pub fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(self.whole.as_bytes()) {
            *to = *from;
        }
        short
    }

    fn of(members: Vec<(&'static str, Meaning)>) -> Self {
        let mut digests = Vec::with_capacity(members.len());
        let mut all = Vec::new();
        for (pointer, Meaning(bytes)) in members {
            let digest = sm3(&[b"piaolian/1/field\n", pointer.as_bytes(), b"\n", &bytes]);
            let [first, second, ..] = *digest.as_bytes();
            digests.push((pointer, u16::from_be_bytes([first, second])));
            all.extend_from_slice(digest.as_bytes());
        }
        Self {
            whole: sm3(&[b"piaolian/1/content\n", &all]),
            fields: digests,
        }
    }
}

/// A member's meaning as bytes: each value with its length before it.
#[derive(Default)]
struct Meaning(Vec<u8>);

impl Meaning {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    fn money(self, amount: Fen) -> Self {
        self.bytes(&amount.get().to_be_bytes())
    }

    /// An absent value is one byte of length nothing else has.
    fn optional<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self.bytes(&[1]), value),
            None => self.bytes(&[0]),
        }
    }

    fn party(self, id: &str, name: &str) -> Self {
        self.text(id).text(name)
    }

    fn line(self, line: &Line) -> Self {
        self.text(&line.name)
            .optional(line.spec.as_deref(), Self::text)
            .optional(line.unit.as_deref(), Self::text)
            .optional(line.quantity.as_ref(), |to, value| {
                to.text(value.normalized())
            })
            .optional(line.unit_price.as_ref(), |to, value| {
                to.text(value.normalized())
            })
            .money(line.amount)
            .text(&line.tax_rate.to_string())
            .money(line.tax)
            .optional(line.tax_code.as_deref(), Self::text)
    }

    fn payment(self, payment: &Payment) -> Self {
        self.money(payment.fund)
            .money(payment.other)
            .money(payment.account)
            .money(payment.cash)
            .money(payment.self_pay)
            .money(payment.self_fund)
    }

    fn sealed(self, sealed: &Sealed) -> Self {
        let start = self
            .bytes(&sealed.nonce)
            .bytes(&sealed.ciphertext)
            .bytes(sealed.root.as_bytes());
        sealed.wraps.iter().fold(start, |to, wrap| {
            to.bytes(wrap.kid.as_bytes()).bytes(&wrap.key)
        })
    }
}

impl Invoice {
    /// The invoice's meaning as digests.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let new = Meaning::default;
        let buyer_id = self.buyer.id.as_ref().map(|id| id.as_str());
        Fingerprint::of(vec![
            ("/invoice/kind", new().text(self.kind.code())),
            (
                "/invoice/issue_date",
                new().text(&self.issue_date.to_string()),
            ),
            (
                "/invoice/seller",
                new().party(self.seller.id.as_str(), &self.seller.name),
            ),
            (
                "/invoice/buyer",
                new()
                    .optional(buyer_id, Meaning::text)
                    .text(&self.buyer.name),
            ),
            (
                "/invoice/lines",
                self.lines.iter().fold(new(), Meaning::line),
            ),
            (
                "/invoice/total_without_tax",
                new().money(self.total_without_tax),
            ),
            ("/invoice/total_tax", new().money(self.total_tax)),
            ("/invoice/total", new().money(self.total)),
            (
                "/invoice/payment",
                new().optional(self.payment.as_ref(), Meaning::payment),
            ),
            (
                "/invoice/sealed",
                new().optional(self.sealed.as_ref(), Meaning::sealed),
            ),
            (
                "/invoice/note",
                new().optional(self.note.as_deref(), Meaning::text),
            ),
        ])
    }
}

impl Bill {
    /// The bill's meaning as digests.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let new = Meaning::default;
        let items = self.items.iter().fold(new(), |to, item| {
            to.optional(item.code.as_deref(), Meaning::text)
                .text(&item.name)
                .money(item.amount)
        });
        Fingerprint::of(vec![
            ("/bill/check_code", new().text(self.check_code.as_str())),
            ("/bill/issue_date", new().text(&self.issue_date.to_string())),
            (
                "/bill/issuer",
                new().party(self.issuer.id.as_str(), &self.issuer.name),
            ),
            ("/bill/visit", new().text(self.visit.as_str())),
            ("/bill/items", items),
            ("/bill/total", new().money(self.total)),
            ("/bill/payment", new().payment(&self.payment)),
            (
                "/bill/sealed",
                new().optional(self.sealed.as_ref(), Meaning::sealed),
            ),
        ])
    }
}
