//! From a record's bytes to its values.

use std::borrow::Cow;
use std::cell::RefCell;

use super::record_type::RecordType;
use super::values::{ClaimKind, Role};
use super::{Body, Document, Record};
use crate::identity::MemberId;
use crate::json::{self, Node, RECORD_DEPTH_MAX};
use crate::read::{ObjectReader, Problems, Spelled, Stream, ValueReader};
use crate::refusal::{Rule, ShapeCode, ShapeError, Violation};

/// The most bytes that a record may have.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// A record whose shape is right. Signature and rights are judged before its rules are, so broken
/// rules are carried along, with what the judges need to know even then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedRecord<'a> {
    /// The exact bytes that are signed, hashed and kept.
    pub bytes: &'a [u8],
    /// The type.
    pub record_type: RecordType,
    /// `by` as it stands.
    pub by: Cow<'a, str>,
    /// `id` as it stands.
    pub id: Cow<'a, str>,
    /// The kind of claim of a `claim.lock`, where it is a known one.
    pub claims_kind: Option<ClaimKind>,
    /// The seller or issuer that an issued document states, where it is well spelt.
    pub stated_issuer: Option<MemberId>,
    /// The authority that may register a document of the family that is registered.
    pub registrar: Option<Role>,
    /// The record, or every rule that its values break.
    pub record: Result<Record, Vec<Violation>>,
}

impl ParsedRecord<'_> {
    /// The signer, where it is well spelt.
    ///
    /// # Errors
    /// The rule of spelling that `by` breaks.
    pub fn signer(&self) -> Result<MemberId, Rule> {
        match &self.record {
            Ok(record) => Ok(record.by),
            Err(_) => MemberId::spelled(&self.by),
        }
    }
}

/// Reads a record.
///
/// # Errors
/// Everything that is wrong with its size or shape.
pub fn parse_record(bytes: &[u8]) -> Result<ParsedRecord<'_>, Vec<ShapeError>> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(vec![
            ShapeError::at(ShapeCode::RecordTooLarge, "")
                .with("bytes", bytes.len().to_string())
                .with("bytes_max", RECORD_BYTES_MAX.to_string()),
        ]);
    }
    match parse_quickly(bytes) {
        Some(parsed) => Ok(parsed),
        None => parse_thoroughly(bytes),
    }
}

/// A record in which nothing is wrong and whose members stand in the order of the contract;
/// `None` where the thorough reader has to say.
fn parse_quickly(bytes: &[u8]) -> Option<ParsedRecord<'_>> {
    let stream = Stream::new(json::utf8(bytes).ok()?);
    let read = ValueReader::streamed(&stream)
        .object()
        .and_then(read_record)?;
    let record = read.record?;
    stream.read_wholly().then(|| ParsedRecord {
        bytes,
        record_type: read.record_type,
        claims_kind: claims_kind(&record.body),
        stated_issuer: stated_issuer(&record.body),
        registrar: registrar(&record.body),
        by: read.by,
        id: read.id,
        record: Ok(record),
    })
}

/// Reads a record, or finds everything that is wrong with it.
fn parse_thoroughly(bytes: &[u8]) -> Result<ParsedRecord<'_>, Vec<ShapeError>> {
    let node = json::parse(bytes, RECORD_DEPTH_MAX)?;
    let problems = RefCell::new(Problems::default());
    let read = ValueReader::root(&node, &problems)
        .object()
        .and_then(read_record);
    let problems = problems.into_inner();
    let (Some(read), true) = (read, problems.shape.is_empty()) else {
        return Err(problems.shape);
    };
    // The shape is right, so nothing but broken rules can have kept the record from being made.
    let record = match read.record {
        Some(record) if problems.violations.is_empty() => Ok(record),
        Some(_) | None => Err(problems.violations),
    };
    Ok(ParsedRecord {
        bytes,
        record_type: read.record_type,
        claims_kind: named_claims_kind(read.record_type, &node),
        stated_issuer: named_issuer(read.record_type, &node),
        registrar: named_registrar(read.record_type, &node),
        by: read.by,
        id: read.id,
        record,
    })
}

/// The `id` of a text that is JSON but no record: for an answer that has to name it.
#[must_use]
pub fn peek_id(bytes: &[u8]) -> Option<String> {
    let node = json::parse(bytes, RECORD_DEPTH_MAX).ok()?;
    node.member("id")?.as_text().map(str::to_owned)
}

/// The type that a text names, where it is a known one.
struct Word(Option<RecordType>);

impl Spelled for Word {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Ok(Self(RecordType::from_word(text)))
    }
}

/// What was read of a record.
struct Read<'a> {
    record_type: RecordType,
    by: Cow<'a, str>,
    id: Cow<'a, str>,
    /// The record, where every value could be read.
    record: Option<Record>,
}

/// The record, where its type is known.
fn read_record<'a>(mut from: ObjectReader<'_, 'a>) -> Option<Read<'a>> {
    let Word(Some(record_type)) = from.text("type")? else {
        // What an unknown type needs is unknown too.
        from.shape(ShapeCode::UnknownType, "type");
        return None;
    };
    // The empty text stands for one that is missing, which is noted: nobody will read it.
    let (id_text, id) = from.stated("id").unwrap_or_default();
    let (by_text, by) = from.stated("by").unwrap_or_default();
    let at = from.text("at");
    let body = Body::read(record_type, &mut from);
    if let (Some(Body::ShareGrant(share)), Some(by)) = (&body, by)
        && share.to == by
    {
        from.violation(Rule::ShareToSelf, "to");
    }
    from.finish();
    let record = || {
        Some(Record {
            id: id?,
            by: by?,
            at: at?,
            body: body?,
        })
    };
    Some(Read {
        record_type,
        by: by_text,
        id: id_text,
        record: record(),
    })
}

fn claims_kind(body: &Body) -> Option<ClaimKind> {
    if let Body::ClaimLock(lock) = body {
        Some(lock.kind)
    } else {
        None
    }
}

fn stated_issuer(body: &Body) -> Option<MemberId> {
    if registrar(body).is_some() {
        return None;
    }
    Some(match body.issued()? {
        Document::Invoice(invoice) => invoice.seller.id,
        Document::Bill(bill) => bill.issuer.id,
    })
}

fn registrar(body: &Body) -> Option<Role> {
    if let Body::DocumentRegister(register) = body {
        Some(register.document.registrar())
    } else {
        None
    }
}

/// As [`claims_kind`], of a record that breaks rules.
fn named_claims_kind(record_type: RecordType, node: &Node<'_>) -> Option<ClaimKind> {
    if record_type != RecordType::ClaimLock {
        return None;
    }
    ClaimKind::spelled(node.member("kind")?.as_text()?).ok()
}

/// As [`registrar`], of a record that breaks rules.
fn named_registrar(record_type: RecordType, node: &Node<'_>) -> Option<Role> {
    if record_type != RecordType::DocumentRegister {
        return None;
    }
    Some(match node.member("bill") {
        Some(_) => Role::Finance,
        None => Role::Tax,
    })
}

/// As [`stated_issuer`], of a record that breaks rules.
fn named_issuer(record_type: RecordType, node: &Node<'_>) -> Option<MemberId> {
    let issuer = if record_type == RecordType::InvoiceIssue {
        node.member("invoice")?.member("seller")?
    } else if record_type == RecordType::BillIssue {
        node.member("bill")?.member("issuer")?
    } else {
        return None;
    };
    MemberId::spelled(issuer.member("id")?.as_text()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: &str = r#"{
        "type":"invoice.issue","id":"i-1","by":"12310104MA8HXDD54A",
        "at":"2026-11-21T14:30:00+08:00",
        "invoice":{
            "number":"26312000470000000001","kind":"82","issue_date":"2026-11-21",
            "seller":{"id":"12310104MA8HXDD54A","name":"上海云东门诊部有限公司"},
            "buyer":{"name":"欧阳**"},
            "lines":[
                {"name":"诊察费","unit":"次","quantity":"2.50","unit_price":"40.1",
                 "amount":"100.25","tax_rate":"0.060","tax":"6.02"},
                {"name":"康复治疗费\u002f","spec":"甲","amount":"20","tax_rate":"免税","tax":"0"}
            ],
            "total_without_tax":"120.25","total_tax":"6.02","total":"126.27",
            "sealed":{
                "alg":"SM4-GCM","nonce":"M83ADNQ40OPamxsm","ciphertext":"AAECAwQFBgcICQoLDA0ODw==",
                "wraps":[{"kid":"d94ec539beb229413031c9fb6c910862","key":"MAA="}],
                "root":"41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04"
            },
            "note":"结算单"
        }
    }"#;
    const LOCK: &str = r#"{"type":"claim.lock","id":"c-1","by":"12310104MA8HXDD54A",
        "at":"2026-11-21T14:30:00+08:00","document":"D:26312000470000000001","amount":"1.00",
        "kind":"employer","reference":"r","expires_at":"2026-12-21T14:30:00+08:00"}"#;

    /// Whether the quick reader reads a record by itself, and as the thorough one does.
    fn is_usual(bytes: &[u8]) -> bool {
        let quick = parse_quickly(bytes);
        if let Some(parsed) = &quick {
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(Ok(parsed), parse_thoroughly(bytes).as_ref(), "{text}");
        }
        quick.is_some()
    }

    #[test]
    fn good_records_are_read_quickly() {
        for text in [INVOICE, LOCK] {
            assert!(is_usual(text.as_bytes()), "{text}");
            assert!(is_usual(format!(" {text}\n").as_bytes()), "{text}");
            assert!(!is_usual(format!("{text},").as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_order_of_members_changes_nothing_but_who_reads_them() {
        let usual = r#""id":"i-1","by":"12310104MA8HXDD54A""#;
        let turned = r#""by":"12310104MA8HXDD54A","id":"i-1""#;
        let turned = INVOICE.replace(usual, turned);
        assert!(!is_usual(turned.as_bytes()));
        let (one, other) = (
            parse_record(INVOICE.as_bytes()),
            parse_record(turned.as_bytes()),
        );
        assert_eq!(one.unwrap().record, other.unwrap().record);
    }

    /// Whatever the quick reader takes of what is nearly a record, the thorough one takes too.
    #[test]
    fn both_readers_read_the_same_records() {
        for text in [INVOICE, LOCK] {
            for at in 0..text.len() {
                let (before, after) = text.as_bytes().split_at(at);
                is_usual(before);
                is_usual(&[before, &after[1..]].concat());
                for other in [
                    &b"\""[..],
                    b",",
                    b"}",
                    b"]",
                    b"{",
                    b"0",
                    b" ",
                    b"\\",
                    b"\"x\":1,",
                ] {
                    is_usual(&[before, other, after].concat());
                    is_usual(&[before, other, &after[1..]].concat());
                }
            }
            let parts: Vec<&str> = text.split_inclusive(',').collect();
            for (index, part) in parts.iter().enumerate() {
                let (before, after) = parts.split_at(index);
                is_usual([before, &[part], after].concat().concat().as_bytes());
                is_usual([before, &after[1..]].concat().concat().as_bytes());
                is_usual([before, &after[1..], &[part]].concat().concat().as_bytes());
            }
        }
    }
}
