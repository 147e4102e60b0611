//! Texts of QR codes: of invoices, and the links that this registry prints.

use invoice_core::identity::DocumentKey;
use invoice_core::invoice::InvoiceKind;
use invoice_core::paper_link::PaperLink;
use invoice_core::qr::{self, QrFault, QrType};

use crate::error::PaperError;
use crate::judge;
use crate::limits::Limits;
use crate::paper::{Paper, Tier};
use crate::raw::Raw;
use crate::warning::WarningCode;

/// Bytes of the longest text that a QR code can hold.
const TEXT_BYTES_MAX: usize = 2_953;

/// Reads the text of one QR code.
///
/// # Errors
/// [`PaperError::FormatUnknown`] for a text of another kind, [`PaperError::QrUnknown`] for one
/// that has the form but not the values.
pub(crate) fn paper(text: &str, tier: Tier) -> Result<Paper, PaperError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PaperError::FormatUnknown);
    }
    let text = text.trim();
    let read = match qr::parse(text) {
        Ok(read) => read,
        Err(QrFault::Form) => return registry_link(text, tier),
        Err(_) => return Err(PaperError::QrUnknown),
    };
    let kind = InvoiceKind::ALL
        .iter()
        .copied()
        .find(|kind| QrType::of_kind(*kind) == Some(read.qr_type));
    let raw = Raw {
        code: read.key.code().map(str::to_owned),
        number: Some(read.key.number().to_owned()),
        kind,
        date: Some(read.date.to_string()),
        check_code: read.check_code,
        total: Some(read.amount.to_string()),
        ..Raw::default()
    };
    let mut paper = judge::judge(raw, tier)?;
    if !read.qr_type.amount_is_total() {
        paper.amount_may_be_without_tax = true;
        judge::warn(
            &mut paper,
            WarningCode::AmountMayExcludeTax,
            read.amount.to_string(),
        );
    }
    Ok(paper)
}

/// The link on papers that this registry printed ([`PaperLink`]).
fn registry_link(text: &str, tier: Tier) -> Result<Paper, PaperError> {
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err(PaperError::FormatUnknown);
    }
    let link = PaperLink::parse(text).map_err(|_| PaperError::QrUnknown)?;
    let raw = Raw {
        fiscal: matches!(link.document, DocumentKey::Fiscal { .. }),
        code: link.document.code().map(str::to_owned),
        number: Some(link.document.number().to_owned()),
        date: Some(link.date.to_string()),
        check_code: link.check_code.map(|code| code.as_str().to_owned()),
        total: Some(link.amount.to_string()),
        ..Raw::default()
    };
    judge::judge(raw, tier).map_err(|_| PaperError::QrUnknown)
}

/// Adds the documents of several texts to those that are known of the file. Codes of other things
/// on the same photo are passed over.
///
/// # Errors
/// [`PaperError::Contradictory`] for two codes of one document that differ: whoever sees the paper
/// may scan the other one. [`PaperError::SeveralDocuments`] beyond the limit.
pub(crate) fn add(
    papers: &mut Vec<Paper>,
    texts: &[String],
    tier: Tier,
    limits: &Limits,
) -> Result<(), PaperError> {
    for paper in texts.iter().filter_map(|text| paper(text, tier).ok()) {
        let other =
            |known: &&Paper| judge::agree(known, &paper) == Err(PaperError::SeveralDocuments);
        match papers.iter().find(|known| !other(known)) {
            Some(known) => judge::agree(known, &paper)?,
            None if papers.len() == limits.documents => {
                return Err(PaperError::SeveralDocuments);
            }
            None => papers.push(paper),
        }
    }
    Ok(())
}

/// The documents of the texts on one photo.
///
/// # Errors
/// As [`add`], and [`PaperError::QrUnknown`] when none is of a document.
pub(crate) fn papers(
    texts: &[String],
    tier: Tier,
    limits: &Limits,
) -> Result<Vec<Paper>, PaperError> {
    let mut papers = Vec::new();
    add(&mut papers, texts, tier, limits)?;
    if papers.is_empty() {
        return Err(PaperError::QrUnknown);
    }
    Ok(papers)
}
