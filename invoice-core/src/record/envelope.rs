//! Envelopes: one record, or up to 1,000, under one signature.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::scan::Scanner;
use crate::json::{NameSeed, pointer_step, syntax_error, utf8};
use crate::refusal::{ShapeCode, ShapeError};

/// The most records that a batch may have.
pub const BATCH_RECORDS_MAX: usize = 1000;
/// The most bytes that the body of a request may have.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A signed envelope whose own shape is right; its records are judged one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEnvelope<'a> {
    /// The signer's key, as it stands.
    pub kid: String,
    /// The signature, as it stands.
    pub sig: String,
    /// What is signed.
    pub contents: Contents<'a>,
}

/// An envelope that may be unsigned, to be validated only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEnvelope<'a> {
    /// The signer's key, as it stands.
    pub kid: Option<String>,
    /// The signature, as it stands.
    pub sig: Option<String>,
    /// What is asked about.
    pub contents: Contents<'a>,
}

/// The records of an envelope: exact slices of the request's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents<'a> {
    /// `record`.
    One(&'a [u8]),
    /// `records`.
    Batch {
        /// 1 to 1,000, in order.
        records: Vec<&'a [u8]>,
        /// All are accepted or none.
        atomic: bool,
    },
}

impl<'a> Contents<'a> {
    /// The records in order, of either form.
    #[must_use]
    pub fn records(&self) -> &[&'a [u8]] {
        match self {
            Self::One(record) => std::slice::from_ref(record),
            Self::Batch { records, .. } => records,
        }
    }
}

/// Reads a signed envelope.
///
/// # Errors
/// Everything that is wrong with the envelope itself; a record of a wrong shape is its own affair.
pub fn parse_envelope(body: &[u8]) -> Result<RawEnvelope<'_>, Vec<ShapeError>> {
    let OpenEnvelope { kid, sig, contents } = read(body, true)?;
    match (kid, sig) {
        (Some(kid), Some(sig)) => Ok(RawEnvelope { kid, sig, contents }),
        // `read` has asked for both.
        (None, _) => Err(vec![ShapeError::at(ShapeCode::MissingMember, "/kid")]),
        (Some(_), None) => Err(vec![ShapeError::at(ShapeCode::MissingMember, "/sig")]),
    }
}

/// Reads an envelope with or without `kid` and `sig`.
///
/// # Errors
/// Everything that is wrong with the envelope itself.
pub fn parse_open_envelope(body: &[u8]) -> Result<OpenEnvelope<'_>, Vec<ShapeError>> {
    read(body, false)
}

fn read(body: &[u8], signed: bool) -> Result<OpenEnvelope<'_>, Vec<ShapeError>> {
    if body.len() > BODY_BYTES_MAX {
        let error = ShapeError::at(ShapeCode::BodyTooLarge, "")
            .with("bytes", body.len().to_string())
            .with("bytes_max", BODY_BYTES_MAX.to_string());
        return Err(vec![error]);
    }
    let text = utf8(body).map_err(|error| vec![error])?;
    match read_quickly(text, signed) {
        Some(envelope) => Ok(envelope),
        None => read_thoroughly(text, signed),
    }
}

/// An envelope in which nothing is wrong, in one pass; `None` where the thorough reader has to
/// say.
fn read_quickly(text: &str, signed: bool) -> Option<OpenEnvelope<'_>> {
    let (mut kid, mut sig, mut record, mut atomic) = (None, None, None, None);
    let mut records: Option<Vec<&[u8]>> = None;
    let mut scanner = Scanner::new(text);
    scanner.skip_space();
    scanner.members(|value, name| match &*name {
        "kid" => once(&mut kid, value.string()?.into_owned()),
        "sig" => once(&mut sig, value.string()?.into_owned()),
        "record" => once(&mut record, value.raw()?.as_bytes()),
        "atomic" => once(&mut atomic, value.boolean()?),
        "records" => {
            let mut batch = Vec::new();
            value.elements(|value| {
                batch.push(value.raw()?.as_bytes());
                Some(())
            })?;
            let fits = (1..=BATCH_RECORDS_MAX).contains(&batch.len());
            fits.then(|| once(&mut records, batch))?
        }
        _ => None,
    })?;
    scanner.end()?;
    if signed && (kid.is_none() || sig.is_none()) {
        return None;
    }
    let contents = match (record, records, atomic) {
        (Some(record), None, None) => Contents::One(record),
        (None, Some(records), atomic) => Contents::Batch {
            records,
            atomic: atomic.unwrap_or(false),
        },
        _ => return None,
    };
    Some(OpenEnvelope { kid, sig, contents })
}

/// Fills a slot, unless it has been filled.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Reads an envelope, or finds every fault in it.
fn read_thoroughly(text: &str, signed: bool) -> Result<OpenEnvelope<'_>, Vec<ShapeError>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = RawObject
        .deserialize(&mut deserializer)
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| {
            if error.is_data() && !matches!(text.trim_start().as_bytes().first(), Some(b'{')) {
                vec![ShapeError::at(ShapeCode::WrongType, "").with("due", "object")]
            } else {
                vec![syntax_error(text, &error, String::new())]
            }
        })?;
    let mut errors = Vec::new();
    let mut raw = Members::default();
    for (name, value) in members {
        let slot = match &*name {
            "kid" => &mut raw.kid,
            "sig" => &mut raw.sig,
            "record" => &mut raw.record,
            "records" => &mut raw.records,
            "atomic" => &mut raw.atomic,
            _ => {
                errors.push(ShapeError::at(
                    ShapeCode::UnknownMember,
                    pointer_step("", &name),
                ));
                continue;
            }
        };
        if slot.replace(value).is_some() {
            errors.push(ShapeError::at(
                ShapeCode::DuplicateMember,
                pointer_step("", &name),
            ));
        }
    }
    let kid = text_member(raw.kid, "/kid", signed, &mut errors);
    let sig = text_member(raw.sig, "/sig", signed, &mut errors);
    let contents = contents(&raw, &mut errors);
    match contents {
        Some(contents) if errors.is_empty() => Ok(OpenEnvelope { kid, sig, contents }),
        Some(_) | None => {
            errors.sort_by_key(|error| error.code);
            Err(errors)
        }
    }
}

/// The members of an envelope, each still in its text.
#[derive(Default)]
struct Members<'a> {
    kid: Option<&'a RawValue>,
    sig: Option<&'a RawValue>,
    record: Option<&'a RawValue>,
    records: Option<&'a RawValue>,
    atomic: Option<&'a RawValue>,
}

fn text_member(
    value: Option<&RawValue>,
    pointer: &str,
    required: bool,
    errors: &mut Vec<ShapeError>,
) -> Option<String> {
    let Some(value) = value else {
        if required {
            errors.push(ShapeError::at(ShapeCode::MissingMember, pointer));
        }
        return None;
    };
    let text = serde_json::from_str(value.get()).ok();
    if text.is_none() {
        errors.push(ShapeError::at(ShapeCode::WrongType, pointer).with("due", "string"));
    }
    text
}

fn contents<'a>(raw: &Members<'a>, errors: &mut Vec<ShapeError>) -> Option<Contents<'a>> {
    match (raw.record, raw.records) {
        (Some(record), None) => {
            if raw.atomic.is_some() {
                errors.push(ShapeError::at(ShapeCode::MembersConflict, "/atomic"));
            }
            Some(Contents::One(record.get().as_bytes()))
        }
        (None, Some(records)) => {
            let atomic = atomic(raw.atomic, errors);
            let records = batch(records, errors);
            Some(Contents::Batch {
                records: records?,
                atomic: atomic?,
            })
        }
        (Some(_), Some(_)) => {
            errors.push(ShapeError::at(ShapeCode::MembersConflict, "/records"));
            None
        }
        (None, None) => {
            errors.push(ShapeError::at(ShapeCode::MissingMember, "/record"));
            None
        }
    }
}

fn atomic(value: Option<&RawValue>, errors: &mut Vec<ShapeError>) -> Option<bool> {
    match value.map(RawValue::get) {
        Some("true") => Some(true),
        Some("false") | None => Some(false),
        Some(_) => {
            errors.push(ShapeError::at(ShapeCode::WrongType, "/atomic").with("due", "boolean"));
            None
        }
    }
}

fn batch<'a>(records: &'a RawValue, errors: &mut Vec<ShapeError>) -> Option<Vec<&'a [u8]>> {
    let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(records.get()) else {
        errors.push(ShapeError::at(ShapeCode::WrongType, "/records").with("due", "array"));
        return None;
    };
    if records.is_empty() {
        errors.push(ShapeError::at(ShapeCode::BatchEmpty, "/records"));
        return None;
    }
    if records.len() > BATCH_RECORDS_MAX {
        let error = ShapeError::at(ShapeCode::BatchTooLarge, "/records")
            .with("records", records.len().to_string())
            .with("records_max", BATCH_RECORDS_MAX.to_string());
        errors.push(error);
        return None;
    }
    Some(
        records
            .into_iter()
            .map(|record| record.get().as_bytes())
            .collect(),
    )
}

/// An object's members with their values as exact text.
struct RawObject;

impl<'de> DeserializeSeed<'de> for RawObject {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RawObject {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(4);
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            members.push((name, entries.next_value()?));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    /// Whether the quick reader reads an envelope by itself, and as the thorough one does.
    fn is_usual(text: &str, signed: bool) -> bool {
        let quick = read_quickly(text, signed);
        if let Some(envelope) = &quick {
            assert_eq!(
                Ok(envelope),
                read_thoroughly(text, signed).as_ref(),
                "{text}"
            );
        }
        quick.is_some()
    }

    #[test]
    fn good_envelopes_are_read_quickly_and_all_else_thoroughly() {
        let many = |count: usize| {
            format!(
                r#"{{"kid":"k","sig":"s","records":[{}1]}}"#,
                "1,".repeat(count - 1)
            )
        };
        let cases: &[(&str, bool)] = &[
            (r#"{"kid":"k","sig":"s","record":{"a":[{}]}}"#, true),
            (
                " { \"record\" : {\"a\" : 1 } , \"sig\":\"s\",\"kid\":\"\\u0061\" } ",
                true,
            ),
            (
                r#"{"kid":"k","sig":"s","records":[ {"a":"\n\""} , 1,"x",null ],"atomic":true}"#,
                true,
            ),
            (
                r#"{"kid":"k","sig":"s","atomic":false,"records":[{"a":1,"a":2}]}"#,
                true,
            ),
            (&many(1_000), true),
            (&many(1_001), false),
            (r#"{"kid":"k","sig":"s","records":[]}"#, false),
            (r#"{"kid":"k","sig":"s","record":1,"atomic":true}"#, false),
            (r#"{"kid":"k","sig":"s","record":1,"records":[1]}"#, false),
            (r#"{"kid":"k","sig":"s","records":[1],"atomic":0}"#, false),
            (r#"{"kid":"k","sig":"s"}"#, false),
            (r#"{"kid":"k","record":1}"#, false),
            (r#"{"kid":"k","kid":"k","sig":"s","record":1}"#, false),
            (r#"{"kid":1,"sig":"s","record":1}"#, false),
            (r#"{"kid":"k","sig":"s","record":1,"x":1}"#, false),
            (r#"{"kid":"k","sig":"s","record":{"a":-1.5e3}}"#, false),
            (r#"{"kid":"k","sig":"s","record":{"a":01}}"#, false),
            (r#"{"kid":"k","sig":"s","record":{"a":}}"#, false),
            (r#"{"kid":"k","sig":"s","record":1}}"#, false),
            (r#"["kid"]"#, false),
        ];
        for (text, usual) in cases {
            assert_eq!(is_usual(text, true), *usual, "{text}");
        }
        assert!(is_usual(r#"{"record":1}"#, false));
    }

    proptest! {
        #[test]
        fn both_readers_read_the_same_envelopes(
            text in r#"\{("kid":"k",){0,2}("sig":"s",)?("records?":(\[?(\{"a":1,"a":\[2\]\}|1|-1|"\\u00e9"|"\\ud83d"|0),? ?(1\])?),?){0,2}("atomic":(true|false|1))?\}"#,
            signed: bool,
        ) {
            is_usual(&text, signed);
        }
    }
}
