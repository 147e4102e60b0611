//! The items of a check, read strictly.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use invoice_core::calendar::Date;
use invoice_core::identity::DocumentKey;
use invoice_core::json;
use invoice_core::money::Fen;
use invoice_core::qr;
use invoice_core::read::{ObjectReader, Problems, Spelled, ValueReader};
use invoice_core::refusal::{Rule, ShapeCode, ShapeError};
use papers::Limits;

use crate::fault::Fault;
use crate::limits::{CHECK_ITEMS_MAX, XML_BYTES_MAX};
use crate::problem::{ErrorItem, Problem};
use crate::registry::CheckItem;
use crate::status::HasStatus;

/// Depth of the request: the object, its list, an item.
const DEPTH_MAX: usize = 3;
/// Characters of a check code; the longest in use has 20.
const CHECK_CODE_MAX: usize = 64;

/// The items of a request whose shape is right. What is costly to read has not been read.
#[derive(Debug)]
pub(in crate::routes) struct Items {
    items: Vec<Item>,
    errors: Vec<ErrorItem>,
}

/// One item.
#[derive(Debug)]
enum Item {
    /// A number with what else is held of the document.
    Ready(CheckItem),
    /// The text of a QR code.
    Qr {
        /// Where it stands in the request.
        pointer: String,
        text: String,
    },
    /// A file in base64.
    Xml {
        /// Where it stands in the request.
        pointer: String,
        text: String,
    },
    /// An item with a badly spelt value, which is among the errors.
    Unreadable,
}

impl Items {
    /// How many there are, readable or not.
    pub(in crate::routes) fn len(&self) -> usize {
        self.items.len()
    }

    /// Reads the QR texts and files among them, and gives all in order. Up to a mebibyte of XML
    /// makes this work for a thread that may block.
    ///
    /// # Errors
    /// 422 with every value that cannot be read.
    pub(in crate::routes) fn into_items(self) -> Result<Vec<CheckItem>, Problem> {
        let mut errors = self.errors;
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            match item {
                Item::Ready(item) => items.push(item),
                Item::Qr { pointer, text } => items.extend(from_qr(&text, pointer, &mut errors)),
                Item::Xml { pointer, text } => items.extend(from_xml(&text, pointer, &mut errors)),
                Item::Unreadable => {}
            }
        }
        match errors.first() {
            None => Ok(items),
            Some(first) => Err(Problem::items(
                Fault::QrSpelling.status(),
                first.code,
                errors,
            )),
        }
    }
}

/// Reads a request.
///
/// # Errors
/// 400 or 413 with every fault of shape.
pub(in crate::routes) fn read(body: &[u8]) -> Result<Items, Problem> {
    let node = json::parse(body, DEPTH_MAX)?;
    let problems = RefCell::new(Problems::default());
    let mut items = Vec::new();
    if let Some(mut request) = ValueReader::root(&node, &problems).object() {
        if let Some(mut list) = request.array("items") {
            if !list.has(0..=CHECK_ITEMS_MAX) {
                return Err(Problem::from(Fault::TooManyItems)
                    .with_fact("limit", CHECK_ITEMS_MAX.to_string()));
            }
            for value in list {
                let pointer = value.pointer().to_owned();
                let read = value
                    .object()
                    .and_then(|object| item(object, pointer, &problems));
                items.push(read.unwrap_or(Item::Unreadable));
            }
        }
        request.finish();
    }
    let problems = problems.into_inner();
    if !problems.shape.is_empty() {
        return Err(problems.shape.into());
    }
    if items.is_empty() {
        return Err(Fault::ItemsEmpty.into());
    }
    let errors = problems.violations.iter().map(ErrorItem::from).collect();
    Ok(Items { items, errors })
}

fn item(
    mut object: ObjectReader<'_, '_>,
    pointer: String,
    problems: &RefCell<Problems>,
) -> Option<Item> {
    let (qr, xml) = (object.find("qr"), object.find("xml"));
    let by_number = object.find("document").is_some();
    let forms = [qr.is_some(), xml.is_some(), by_number];
    if forms.into_iter().filter(|given| *given).count() > 1 {
        let conflict = ShapeError::at(ShapeCode::MembersConflict, pointer);
        problems.borrow_mut().shape.push(conflict);
        return None;
    }
    let read = if let Some(qr) = qr {
        let pointer = format!("{pointer}/qr");
        qr.text().map(|text| Item::Qr { pointer, text })
    } else if let Some(xml) = xml {
        let pointer = format!("{pointer}/xml");
        xml.text().map(|text| Item::Xml { pointer, text })
    } else {
        from_number(&mut object).map(Item::Ready)
    };
    object.finish();
    read
}

fn from_number(object: &mut ObjectReader<'_, '_>) -> Option<CheckItem> {
    let document = object.text::<DocumentKey>("document");
    let amount = object.optional::<Fen>("amount");
    let date = object.optional::<Date>("date");
    let check_code = object.optional::<CheckCode>("check_code");
    Some(CheckItem {
        document: document?,
        amount: amount?,
        amount_may_be_without_tax: false,
        date: date?,
        check_code: check_code?.map(|code| code.0),
    })
}

fn from_qr(text: &str, pointer: String, errors: &mut Vec<ErrorItem>) -> Option<CheckItem> {
    match qr::parse(text) {
        Ok(read) => Some(CheckItem {
            document: read.key,
            amount: Some(read.amount),
            amount_may_be_without_tax: !read.qr_type.amount_is_total(),
            date: Some(read.date),
            check_code: read.check_code,
        }),
        Err(fault) => {
            errors.push(unreadable(Fault::QrSpelling, pointer, fault.to_string()));
            None
        }
    }
}

fn from_xml(text: &str, pointer: String, errors: &mut Vec<ErrorItem>) -> Option<CheckItem> {
    let Ok(file) = STANDARD.decode(text) else {
        errors.push(ErrorItem::new(Rule::Base64Spelling.code(), pointer));
        return None;
    };
    let limits = Limits {
        xml_bytes: XML_BYTES_MAX,
        ..Limits::default()
    };
    match papers::read_xml(&file, &limits) {
        Ok(paper) => Some(CheckItem {
            document: paper.document,
            amount: Some(paper.amount),
            amount_may_be_without_tax: false,
            date: Some(paper.date),
            check_code: paper.check_code,
        }),
        Err(error) => {
            errors.push(unreadable(Fault::XmlUnreadable, pointer, error.to_string()));
            None
        }
    }
}

fn unreadable(fault: Fault, pointer: String, reason: String) -> ErrorItem {
    let mut item = ErrorItem::new(fault.code(), pointer);
    item.facts.push(("reason".to_owned(), reason));
    item
}

/// A check code as printed: letters and digits.
struct CheckCode(String);

impl Spelled for CheckCode {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let fits = (1..=CHECK_CODE_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Rule::CheckCodeSpelling)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(body: &str) -> (u16, Vec<(String, String)>) {
        let problem = match read(body.as_bytes()) {
            Err(problem) => problem,
            Ok(items) => match items.into_items() {
                Err(problem) => problem,
                Ok(items) => return (200, vec![(items.len().to_string(), String::new())]),
            },
        };
        let mut errors = problem
            .errors()
            .iter()
            .map(|error| (error.code.to_owned(), error.pointer.clone()))
            .collect::<Vec<_>>();
        if errors.is_empty() {
            errors.push((problem.code().to_owned(), String::new()));
        }
        (problem.status().as_u16(), errors)
    }

    #[test]
    fn items_are_read_strictly() {
        let number = r#""document":"D:24442000000000000016""#;
        for (body, status, code, pointer) in [
            (r#"{"items":[{N}]}"#, 200, "1", ""),
            (
                r#"{"items":[{N,"amount":"16000","date":"2024-01-24","check_code":"a1B2c3"}]}"#,
                200,
                "1",
                "",
            ),
            (
                r#"{"items":[{"qr":"01,32,,24312000000136634917,0.01,20240514,,1DD6"}]}"#,
                200,
                "1",
                "",
            ),
            (r#"{"items":[]}"#, 400, "items_empty", ""),
            (r#"{"items":{}}"#, 400, "wrong_type", "/items"),
            (r#"{}"#, 400, "missing_member", "/items"),
            (
                r#"{"items":[{N}],"more":1}"#,
                400,
                "unknown_member",
                "/more",
            ),
            (
                r#"{"items":[{N,N}]}"#,
                400,
                "duplicate_member",
                "/items/0/document",
            ),
            (r#"{"items":[["D:1"]]}"#, 400, "wrong_type", "/items/0"),
            (
                r#"{"items":[{N,"amount":16000}]}"#,
                400,
                "wrong_type",
                "/items/0/amount",
            ),
            (
                r#"{"items":[{N,"sum":"1"}]}"#,
                400,
                "unknown_member",
                "/items/0/sum",
            ),
            (
                r#"{"items":[{N,"qr":"x"}]}"#,
                400,
                "members_conflict",
                "/items/0",
            ),
            (
                r#"{"items":[{}]}"#,
                400,
                "missing_member",
                "/items/0/document",
            ),
            (
                r#"{"items":[{"xml":[["PA=="]]}]}"#,
                400,
                "too_deep",
                "/items/0/xml",
            ),
            (r#"{"items":[{N}]} x"#, 400, "not_json", ""),
            ("[]", 400, "wrong_type", ""),
            ("", 400, "not_json", ""),
            (
                r#"{"items":[{"document":"D:1"}]}"#,
                422,
                "document_key_spelling",
                "/items/0/document",
            ),
            (
                r#"{"items":[{N,"amount":"1.234"}]}"#,
                422,
                "money_spelling",
                "/items/0/amount",
            ),
            (
                r#"{"items":[{N,"date":"20240124"}]}"#,
                422,
                "date_spelling",
                "/items/0/date",
            ),
            (
                r#"{"items":[{N,"check_code":"票"}]}"#,
                422,
                "check_code_spelling",
                "/items/0/check_code",
            ),
            (
                r#"{"items":[{N},{"qr":"hello"}]}"#,
                422,
                "qr_spelling",
                "/items/1/qr",
            ),
            (
                r#"{"items":[{"xml":"PGEvPg=="}]}"#,
                422,
                "xml_unreadable",
                "/items/0/xml",
            ),
            (
                r#"{"items":[{"xml":"PGEvPg"}]}"#,
                422,
                "base64_spelling",
                "/items/0/xml",
            ),
        ] {
            let body = body.replace('N', number);
            let (found_status, found) = codes(&body);
            assert_eq!(found_status, status, "{body}: {found:?}");
            assert!(
                found.contains(&(code.to_owned(), pointer.to_owned())),
                "{body}: {found:?}"
            );
        }
    }

    #[test]
    fn every_bad_item_is_named_at_once() {
        let (status, errors) = codes(r#"{"items":[{"document":"x"},{"qr":"x"},{"document":"y"}]}"#);
        assert_eq!((status, errors.len()), (422, 3));
    }

    #[test]
    fn a_thousand_items_are_the_limit() {
        let item = r#"{"document":"D:24442000000000000016"}"#;
        let body = |count: usize| format!("{{\"items\":[{}]}}", vec![item; count].join(","));
        assert_eq!(codes(&body(CHECK_ITEMS_MAX)).0, 200);
        assert_eq!(codes(&body(CHECK_ITEMS_MAX + 1)).0, 413);
    }
}
