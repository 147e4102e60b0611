//! From a record's bytes to its values.

use std::borrow::Cow;
use std::cell::RefCell;

use super::record_type::RecordType;
use super::values::ClaimKind;
use super::{Body, Record};
use crate::identity::MemberId;
use crate::json::{self, Node, RECORD_DEPTH_MAX};
use crate::read::{ObjectReader, Problems, Spelled, ValueReader};
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
    /// The seller or issuer that a document states, where it is well spelt.
    pub stated_issuer: Option<MemberId>,
    /// The record, or every rule that its values break.
    pub record: Result<Record, Vec<Violation>>,
}

impl ParsedRecord<'_> {
    /// The signer, where it is well spelt.
    ///
    /// # Errors
    /// The rule of spelling that `by` breaks.
    pub fn signer(&self) -> Result<MemberId, Rule> {
        MemberId::spelled(&self.by)
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
    let node = json::parse(bytes, RECORD_DEPTH_MAX)?;
    let problems = RefCell::new(Problems::default());
    let read = ValueReader::root(&node, &problems)
        .object()
        .and_then(read_record);
    let problems = problems.into_inner();
    let (Some((record_type, record)), true) = (read, problems.shape.is_empty()) else {
        return Err(problems.shape);
    };
    // The shape is right, so nothing but broken rules can have kept the record from being made.
    let record = match record {
        Some(record) if problems.violations.is_empty() => Ok(record),
        Some(_) | None => Err(problems.violations),
    };
    Ok(ParsedRecord {
        bytes,
        record_type,
        claims_kind: claims_kind(record_type, &node),
        stated_issuer: stated_issuer(record_type, &node),
        by: text_of(&node, "by"),
        id: text_of(&node, "id"),
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

/// The type and, where every value could be read, the record.
fn read_record(mut from: ObjectReader<'_, '_>) -> Option<(RecordType, Option<Record>)> {
    let Word(Some(record_type)) = from.text("type")? else {
        // What an unknown type needs is unknown too.
        from.shape(ShapeCode::UnknownType, "type");
        return None;
    };
    let id = from.text("id");
    let by = from.text("by");
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
    Some((record_type, record()))
}

fn text_of<'a>(node: &Node<'a>, name: &str) -> Cow<'a, str> {
    match node.member(name) {
        Some(Node::Text(text)) => text.clone(),
        // The shape has been checked: the empty text is never reached.
        _ => Cow::Borrowed(""),
    }
}

fn claims_kind(record_type: RecordType, node: &Node<'_>) -> Option<ClaimKind> {
    if record_type != RecordType::ClaimLock {
        return None;
    }
    ClaimKind::spelled(node.member("kind")?.as_text()?).ok()
}

fn stated_issuer(record_type: RecordType, node: &Node<'_>) -> Option<MemberId> {
    let issuer = if record_type == RecordType::InvoiceIssue {
        node.member("invoice")?.member("seller")?
    } else if record_type == RecordType::BillIssue {
        node.member("bill")?.member("issuer")?
    } else {
        return None;
    };
    MemberId::spelled(issuer.member("id")?.as_text()?).ok()
}
