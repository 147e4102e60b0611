//! `invoice.issue`: a seller issues an invoice.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::party::{Buyer, Party};
use super::sealed::Sealed;
use crate::calendar::Date;
use crate::identity::{Digits, DocumentKey};
use crate::invoice::{InvoiceAmounts, InvoiceKind, Line, Payment};
use crate::money::Fen;
use crate::read::{ObjectReader, Prose, Spelled};
use crate::refusal::Rule;

const LINES_MAX: usize = 500;

/// `invoice.issue`: signed by the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvoiceIssue {
    /// The invoice.
    pub invoice: Invoice,
}

impl InvoiceIssue {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let invoice = body.object("invoice").and_then(Invoice::read);
        Some(Self { invoice: invoice? })
    }
}

/// An invoice (发票): fully digital, of the tax-control system, or of a blockchain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invoice {
    /// Its identity; on the wire `number`, or `code` and `number`.
    #[serde(flatten, serialize_with = "code_and_number")]
    #[cfg_attr(feature = "openapi", schema(value_type = super::CodeAndNumber))]
    pub key: DocumentKey,
    /// 发票类型.
    pub kind: InvoiceKind,
    /// 开票日期.
    pub issue_date: Date,
    /// 销售方.
    pub seller: Party,
    /// 购买方.
    pub buyer: Buyer,
    /// 明细, 1 to 500.
    pub lines: Vec<Line>,
    /// 合计金额.
    pub total_without_tax: Fen,
    /// 合计税额.
    pub total_tax: Fen,
    /// 价税合计.
    pub total: Fen,
    /// The payment split, on invoices of private hospitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What identifies a natural person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// 备注, at most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Writes a key as the members `code` (where there is one) and `number`.
pub(crate) fn code_and_number<S: Serializer>(
    key: &DocumentKey,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut members = serializer.serialize_struct("CodeAndNumber", 2)?;
    if let Some(code) = key.code() {
        members.serialize_field("code", code)?;
    }
    members.serialize_field("number", key.number())?;
    members.end()
}

/// 发票代码 or 发票号码 before the kind has said how long it must be.
enum InvoiceDigits {
    Eight(Digits<8>),
    Ten(Digits<10>),
    Twelve(Digits<12>),
    Twenty(Digits<20>),
}

impl InvoiceDigits {
    fn as_str(&self) -> &str {
        match self {
            Self::Eight(digits) => digits.as_str(),
            Self::Ten(digits) => digits.as_str(),
            Self::Twelve(digits) => digits.as_str(),
            Self::Twenty(digits) => digits.as_str(),
        }
    }
}

impl Spelled for InvoiceDigits {
    fn spelled(text: &str) -> Result<Self, Rule> {
        match text.len() {
            8 => Digits::new(text).map(Self::Eight),
            10 => Digits::new(text).map(Self::Ten),
            12 => Digits::new(text).map(Self::Twelve),
            _ => Digits::new(text).map(Self::Twenty),
        }
        .ok_or(Rule::DocumentNumberSpelling)
    }
}

impl Invoice {
    pub(super) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let code = from.optional::<InvoiceDigits>("code");
        let number = from.text::<InvoiceDigits>("number");
        let kind = from.text::<InvoiceKind>("kind");
        let key = match (&kind, &code, &number) {
            (Some(kind), Some(code), Some(number)) => {
                let code = code.as_ref().map(InvoiceDigits::as_str);
                judge_identity(&from, *kind, code, number.as_str())
            }
            _ => None,
        };
        let issue_date = from.text("issue_date");
        let seller = from.object("seller").and_then(Party::read);
        let buyer = from.object("buyer").and_then(Buyer::read);
        let lines = read_lines(&mut from);
        let total_without_tax = from.text("total_without_tax");
        let total_tax = from.text("total_tax");
        let total = from.text("total");
        InvoiceAmounts {
            kind,
            issue_date,
            // Without lines there is nothing to add up: `line_count` has said so.
            lines: lines.as_deref().unwrap_or(&[None]),
            total_without_tax,
            total_tax,
            total,
        }
        .judge(&from);
        let payment = match from.find("payment") {
            Some(value) => value
                .object()
                .and_then(|split| Payment::read(split, total))
                .map(Some),
            None => Some(None),
        };
        let sealed = match from.find("sealed") {
            Some(value) => value.object().and_then(Sealed::read).map(Some),
            None => Some(None),
        };
        let note = from.optional::<Prose<1000>>("note");
        from.finish();
        Some(Self {
            key: key?,
            kind: kind?,
            issue_date: issue_date?,
            seller: seller?,
            buyer: buyer?,
            lines: lines?.into_iter().collect::<Option<_>>()?,
            total_without_tax: total_without_tax?,
            total_tax: total_tax?,
            total: total?,
            payment: payment?,
            sealed: sealed?,
            note: note?.map(|note| note.0),
        })
    }
}

fn judge_identity(
    at: &ObjectReader<'_, '_>,
    kind: InvoiceKind,
    code: Option<&str>,
    number: &str,
) -> Option<DocumentKey> {
    let key = kind.key(code, number);
    if let Err(rule) = key {
        let member = if code.is_some() { "code" } else { "number" };
        at.violation_with(rule, member, &[("kind", kind.to_string())]);
    }
    key.ok()
}

/// The lines, each `None` where it could not be read.
fn read_lines(from: &mut ObjectReader<'_, '_>) -> Option<Vec<Option<Line>>> {
    let mut lines = from.array("lines")?;
    if !lines.has(1..=LINES_MAX) {
        from.violation(Rule::LineCount, "lines");
        return None;
    }
    Some(lines.map(|line| Line::read(line.object()?)).collect())
}
