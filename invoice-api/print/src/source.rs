//! From a record and its receipt to pages and attachments.

use invoice_core::calendar::Date;
use invoice_core::chain::Receipt;
use invoice_core::crypto::sm3;
use invoice_core::identity::DocumentKey;
use invoice_core::record::{Body, Document, Record, parse_record};

use crate::attachments::{self, Attachment};
use crate::fonts::Fonts;
use crate::model::Page;
use crate::qr::{QrCode, QrError};
use crate::{bill, invoice};

/// The language of the captions; the form itself is Chinese, as the documents are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// 中文.
    #[default]
    Zh,
    /// English.
    En,
}

/// What is to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Paper<'a> {
    /// The exact text of the record that issued or registered the document.
    pub record: &'a str,
    /// The exact text of its receipt.
    pub receipt: Option<&'a str>,
    /// The link for the QR code; without one the page has none.
    pub link: Option<&'a str>,
    /// Whether the link bears a validator's stamp.
    pub stamped: bool,
    /// Whether the receipt was verified, so that the page may say that the record is on the chain.
    pub proved: bool,
    /// Whether the record is attached to the file: to PDF and OFD, not to HTML.
    pub attached: bool,
    /// The language of the captions.
    pub wording: Wording,
}

/// Why a document cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The text is no record, or one with wrong values.
    #[error("记录无法识别 / the record cannot be read")]
    Record,
    /// The record issues nothing.
    #[error("该记录不是开票记录 / the record issues no document")]
    NotADocument,
    /// The receipt cannot be read.
    #[error("回执无法识别 / the receipt cannot be read")]
    Receipt,
    /// The receipt proves something else.
    #[error(
        "回执不是这条记录的，或记录未被接受 / the receipt is not that of this record as accepted"
    )]
    ReceiptOfAnother,
    /// The link is too long for a code of at most version 10.
    #[error(transparent)]
    Qr(#[from] QrError),
}

/// Where a record stands, as its receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) chain: String,
    pub(crate) height: u64,
    pub(crate) index: u64,
    pub(crate) time: String,
    pub(crate) signer: String,
}

/// What the layouts need beside the document.
pub(crate) struct Context<'a> {
    pub(crate) recorded: Option<Recorded>,
    /// Whether an authority entered a document that was issued elsewhere.
    pub(crate) registered: bool,
    pub(crate) qr: Option<&'a QrCode>,
    pub(crate) stamped: bool,
    pub(crate) proved: bool,
    pub(crate) attached: bool,
    pub(crate) digest: String,
    pub(crate) wording: Wording,
}

/// Pages, ready to be written in any of the formats.
#[derive(Debug)]
pub struct Layout {
    /// The pages, at least one.
    pub pages: Vec<Page>,
    /// Characters that no font has, in order of their numbers; they stand as
    /// [`SUBSTITUTE`](crate::SUBSTITUTE).
    pub missing: Vec<char>,
    pub(crate) title: String,
    pub(crate) key: DocumentKey,
    pub(crate) date: Date,
    pub(crate) digest: String,
    pub(crate) qr: Option<QrCode>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) original: Vec<u8>,
    pub(crate) fonts: Fonts,
    pub(crate) wording: Wording,
}

/// Lays out the document that a record issues, or that an authority registered.
///
/// # Errors
/// [`PrintError`] when record and receipt are not those of one issued document, or the link does
/// not fit into a QR code of at most [`QR_VERSION_MAX`](crate::QR_VERSION_MAX).
pub fn lay_out(paper: &Paper<'_>, fonts: &Fonts) -> Result<Layout, PrintError> {
    let record: Record = parse_record(paper.record.as_bytes())
        .map_err(|_| PrintError::Record)?
        .record
        .map_err(|_| PrintError::Record)?;
    let document = record.body.issued().ok_or(PrintError::NotADocument)?;
    let recorded = paper
        .receipt
        .map(|receipt| recorded(receipt, paper.record))
        .transpose()?;
    let qr = paper.link.map(QrCode::new).transpose()?;
    let context = Context {
        recorded,
        registered: matches!(record.body, Body::DocumentRegister(_)),
        qr: qr.as_ref(),
        stamped: paper.stamped,
        proved: paper.proved,
        attached: paper.attached,
        digest: sm3(&[paper.record.as_bytes()]).to_string(),
        wording: paper.wording,
    };
    let mut open = fonts.open();
    let (pages, title, key, date) = match document {
        Document::Invoice(invoice) => (
            invoice::pages(invoice, &context, &mut open),
            invoice::title(invoice.kind),
            invoice.key,
            invoice.issue_date,
        ),
        Document::Bill(bill) => (
            bill::pages(bill, &context, &mut open),
            bill::title(bill.visit),
            bill.key,
            bill.issue_date,
        ),
    };
    let digest = context.digest;
    Ok(Layout {
        pages,
        missing: open.missing.into_iter().collect(),
        title: title.to_owned(),
        key,
        date,
        digest,
        qr,
        attachments: attachments::of(paper),
        facts: attachments::facts(document),
        original: crate::xml::original(document),
        fonts: fonts.clone(),
        wording: paper.wording,
    })
}

impl Layout {
    /// The document in the words of tax XML, as it is attached to the OFD: made from the record, and
    /// signed by nobody.
    #[must_use]
    pub fn xml(&self) -> &[u8] {
        &self.original
    }
}

fn recorded(receipt: &str, record: &str) -> Result<Recorded, PrintError> {
    let receipt = Receipt::parse(receipt.as_bytes()).map_err(|_| PrintError::Receipt)?;
    if receipt.record != record || !receipt.outcome.is_accepted() {
        return Err(PrintError::ReceiptOfAnother);
    }
    Ok(Recorded {
        chain: receipt.chain_id.to_string(),
        height: receipt.height,
        index: receipt.index,
        time: receipt.time,
        signer: receipt.authorization.kid.to_string(),
    })
}
