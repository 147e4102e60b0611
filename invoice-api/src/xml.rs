//! The number, total and date in the XML file of an invoice or a fiscal bill, and nothing else.
//!
//! Both dialects have a root `EInvoice` without a namespace. Values are taken by their full path:
//! several elements share a name with others elsewhere, and names are case-sensitive
//! (`TotalTax-includedAmount` of the document, `TotaltaxIncludedAmount` of a line). A document
//! type, an entity of its own, a second value for one path, or both dialects in one file is
//! refused, so that two readers of the same bytes cannot disagree. Bureau signatures are not
//! judged here: what is read is compared with the registry.

use invoice_core::calendar::Date;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::limits::{XML_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX};

/// What identifies the document in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlDocument {
    /// Its key.
    pub document: DocumentKey,
    /// Its total, tax included.
    pub amount: Fen,
    /// Its date of issue.
    pub date: Date,
    /// The check code of a fiscal bill.
    pub check_code: Option<String>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More than 1 MiB, 50,000 elements or 32 levels.
    #[error("文件过大 / the file is too large")]
    TooLarge,
    /// Not UTF-8, or not well-formed.
    #[error("不是 UTF-8 编码的规范 XML / not well-formed XML in UTF-8")]
    Malformed,
    /// It has a document type or an entity of its own.
    #[error("不接受文档类型与实体 / document types and entities are refused")]
    Entities,
    /// Its root or elements are of neither dialect.
    #[error("不是数电票或财政电子票据 / neither a fully digital invoice nor a fiscal bill")]
    Unknown,
    /// A value stands there twice, or its repetition elsewhere differs.
    #[error("含多张票据或数值矛盾 / more than one document, or contradictory values")]
    Ambiguous,
    /// The number, the total, the date or the check code is badly spelt.
    #[error("号码、金额、日期或校验码有误 / number, total, date or check code is badly spelt")]
    Spelling,
}

/// The paths of values, in the order of [`Values`].
const PATHS: [&str; 9] = [
    // 数电票
    "EInvoice/Header/EIid",
    "EInvoice/TaxSupervisionInfo/InvoiceNumber",
    "EInvoice/EInvoiceData/BasicInformation/TotalTax-includedAmount",
    "EInvoice/TaxSupervisionInfo/IssueTime",
    // 财政电子票据
    "EInvoice/EInvoiceData/Main/EInvoiceCode",
    "EInvoice/EInvoiceData/Main/EInvoiceNumber",
    "EInvoice/EInvoiceData/Main/TotalAmount",
    "EInvoice/EInvoiceData/Main/IssueDate",
    "EInvoice/EInvoiceData/Main/RandomNumber",
];

type Values = [Option<String>; 9];

/// Reads a file.
///
/// # Errors
/// [`XmlError`] unless the file is well-formed, of one of the two dialects, and has one value for
/// each of the number, the total and the date.
pub fn read(file: &[u8]) -> Result<XmlDocument, XmlError> {
    if file.len() > XML_BYTES_MAX {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(file).map_err(|_| XmlError::Malformed)?;
    let values = collect(text.trim_start_matches('\u{feff}'))?;
    match values {
        [
            id,
            Some(number),
            Some(total),
            Some(date),
            None,
            None,
            None,
            None,
            None,
        ] => digital(id.as_deref(), &number, &total, &date),
        [
            _,
            None,
            None,
            None,
            Some(code),
            Some(number),
            Some(total),
            Some(date),
            check,
        ] => fiscal(&code, &number, &total, &date, check),
        values
            if values[1..4].iter().any(Option::is_some)
                && values[4..].iter().any(Option::is_some) =>
        {
            Err(XmlError::Ambiguous)
        }
        _ => Err(XmlError::Unknown),
    }
}

fn digital(
    id: Option<&str>,
    number: &str,
    total: &str,
    date: &str,
) -> Result<XmlDocument, XmlError> {
    if id.is_some_and(|id| id != number) {
        return Err(XmlError::Ambiguous);
    }
    // `2024-01-24`, or with a time of day after it.
    let day = match date.split_once(' ').or_else(|| date.split_once('T')) {
        Some((day, _)) => day,
        None => date,
    };
    Ok(XmlDocument {
        document: key(&format!("D:{number}"))?,
        amount: amount(total)?,
        date: Date::spelled(day).map_err(|_| XmlError::Spelling)?,
        check_code: None,
    })
}

fn fiscal(
    code: &str,
    number: &str,
    total: &str,
    date: &str,
    check_code: Option<String>,
) -> Result<XmlDocument, XmlError> {
    Ok(XmlDocument {
        document: key(&format!("F:{code}-{number}"))?,
        amount: amount(total)?,
        date: Date::parse_compact(date).map_err(|_| XmlError::Spelling)?,
        check_code,
    })
}

fn key(text: &str) -> Result<DocumentKey, XmlError> {
    DocumentKey::spelled(text).map_err(|_| XmlError::Spelling)
}

/// Money with up to four decimals (the files' type is decimal(18,4)), of which the last two must
/// be zeros.
fn amount(text: &str) -> Result<Fen, XmlError> {
    let mut money = text;
    if let Some((_, decimals)) = text.split_once('.')
        && (3..=4).contains(&decimals.len())
    {
        money = text.trim_end_matches('0');
        let kept = money
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        if kept == 0 {
            money = money.trim_end_matches('.');
        }
    }
    Fen::parse(money).map_err(|_| XmlError::Spelling)
}

/// Walks the file once and picks up the text at each path.
fn collect(text: &str) -> Result<Values, XmlError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut path = String::new();
    let (mut depth, mut elements, mut roots) = (0_usize, 0_usize, 0_usize);
    let mut values = Values::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(start) => {
                elements += 1;
                depth += 1;
                if elements > XML_ELEMENTS_MAX || depth > XML_DEPTH_MAX {
                    return Err(XmlError::TooLarge);
                }
                if depth == 1 {
                    roots += 1;
                } else {
                    path.push('/');
                }
                let name = start.name();
                path.push_str(name.as_ref());
                if let Some(value) = value_at(&mut values, &path)
                    && value.replace(String::new()).is_some()
                {
                    return Err(XmlError::Ambiguous);
                }
            }
            Event::End(_) => {
                depth = depth.checked_sub(1).ok_or(XmlError::Malformed)?;
                path.truncate(path.rfind('/').unwrap_or(0));
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                match value_at(&mut values, &path) {
                    Some(Some(value)) => value.push_str(&text),
                    _ if depth == 0 && !text.trim().is_empty() => return Err(XmlError::Malformed),
                    _ => {}
                }
            }
            Event::CData(data) => {
                if let Some(Some(value)) = value_at(&mut values, &path) {
                    value.push_str(&data.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let known = reference.is_char_ref()
                    || matches!(reference.as_ref(), "amp" | "lt" | "gt" | "apos" | "quot");
                // No number, amount or date needs a reference.
                if !known || value_at(&mut values, &path).is_some() {
                    return Err(XmlError::Entities);
                }
            }
            Event::DocType(_) => return Err(XmlError::Entities),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Empty(_) => return Err(XmlError::Malformed),
            Event::Eof => break,
        }
    }
    if depth != 0 || roots != 1 {
        return Err(if roots > 1 {
            XmlError::Ambiguous
        } else {
            XmlError::Malformed
        });
    }
    for value in &mut values {
        *value = value
            .take()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty());
    }
    Ok(values)
}

fn value_at<'v>(values: &'v mut Values, path: &str) -> Option<&'v mut Option<String>> {
    let place = PATHS.iter().position(|known| *known == path)?;
    values.get_mut(place)
}

#[cfg(test)]
mod tests;
