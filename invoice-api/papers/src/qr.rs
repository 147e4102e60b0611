//! Texts of QR codes: of invoices, and the links that this registry prints.

use std::collections::BTreeSet;

use invoice_core::identity::DocumentKey;
use invoice_core::invoice::InvoiceKind;
use invoice_core::qr::{self, QrFault, QrType};
use invoice_core::read::Spelled as _;

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

/// The link on papers that this registry printed: `…/v/<key>?amount=…&date=…[&check_code=…]…`.
fn registry_link(text: &str, tier: Tier) -> Result<Paper, PaperError> {
    let link = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or(PaperError::FormatUnknown)?;
    let (path, query) = link.split_once('?').ok_or(PaperError::QrUnknown)?;
    let (_, key) = path.split_once("/v/").ok_or(PaperError::QrUnknown)?;
    let key = key.replace("%3A", ":").replace("%3a", ":");
    let key = DocumentKey::spelled(&key).map_err(|_| PaperError::QrUnknown)?;
    let query = query.split('#').next().unwrap_or_default();
    let parameter = |name: &str| {
        let mut found = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.to_owned()),
            _ => None,
        }
    };
    let raw = Raw {
        fiscal: matches!(key, DocumentKey::Fiscal { .. }),
        code: key.code().map(str::to_owned),
        number: Some(key.number().to_owned()),
        date: parameter("date"),
        check_code: parameter("check_code"),
        total: parameter("amount"),
        ..Raw::default()
    };
    judge::judge(raw, tier).map_err(|_| PaperError::QrUnknown)
}

/// The documents of several texts. Codes of other things on the same photo are passed over.
///
/// # Errors
/// [`PaperError::QrUnknown`] when none is of a document, [`PaperError::SeveralDocuments`] beyond
/// the limit.
pub(crate) fn papers(
    texts: &[String],
    tier: Tier,
    limits: &Limits,
) -> Result<Vec<Paper>, PaperError> {
    let mut seen = BTreeSet::new();
    let papers: Vec<Paper> = texts
        .iter()
        .filter_map(|text| paper(text, tier).ok())
        .filter(|paper| seen.insert(paper.document))
        .collect();
    if papers.len() > limits.documents {
        return Err(PaperError::SeveralDocuments);
    }
    if papers.is_empty() {
        return Err(PaperError::QrUnknown);
    }
    Ok(papers)
}
