//! From what a person writes to a record that can be signed.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Composed {
    /// A record with all common members: the exact text that is signed.
    Record(String),
    /// An envelope that was signed elsewhere.
    Envelope(String),
}

/// What is added to a record that does not say it itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Common<'a> {
    /// The signing member; the seller or issuer of the document when absent.
    pub(crate) by: Option<&'a str>,
    /// The record's id.
    pub(crate) id: &'a str,
    /// The client's clock.
    pub(crate) at: &'a str,
}

/// Completes a record, the content of a document, or an `{"invoice":…}` or `{"bill":…}` around it.
/// What is written stays as it is written, byte for byte; what is missing is put in front.
pub(crate) fn compose(text: &str, common: Common<'_>) -> Result<Composed, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        Failure::usage(
            "not_json",
            format!("不是 JSON 对象 / not a JSON object: {error}"),
        )
    })?;
    if members.contains_key("records") || members.contains_key("record") {
        return Ok(Composed::Envelope(text.to_owned()));
    }
    if let Some((kind, member)) = content_kind(&members) {
        let wrapped = format!("{{\"{member}\":{text}}}");
        let mut members = members;
        let content = std::mem::take(&mut members);
        members.insert(member.to_owned(), Value::Object(content));
        return complete(&wrapped, &members, Some(kind), common);
    }
    let kind = match (
        members.contains_key("invoice"),
        members.contains_key("bill"),
    ) {
        (true, false) => Some("invoice.issue"),
        (false, true) => Some("bill.issue"),
        _ => None,
    };
    complete(text, &members, kind, common)
}

/// Which document an object without a type is, by the party that only this kind has.
fn content_kind(members: &Map<String, Value>) -> Option<(&'static str, &'static str)> {
    if members.contains_key("type") {
        None
    } else if members.contains_key("seller") {
        Some(("invoice.issue", "invoice"))
    } else if members.contains_key("issuer") {
        Some(("bill.issue", "bill"))
    } else {
        None
    }
}

fn complete(
    text: &str,
    members: &Map<String, Value>,
    kind: Option<&str>,
    common: Common<'_>,
) -> Result<Composed, Failure> {
    let issuer = || {
        let of =
            |document: &str, party: &str| members.get(document)?.get(party)?.get("id")?.as_str();
        of("invoice", "seller").or_else(|| of("bill", "issuer"))
    };
    let missing = |name: &str| !members.contains_key(name);
    let mut added = Vec::new();
    if missing("type") {
        let kind = kind.ok_or_else(|| {
            Failure::usage("type_missing", "记录缺少 type / the record has no type")
        })?;
        added.push(("type", kind));
    }
    if missing("id") {
        added.push(("id", common.id));
    }
    if missing("by") {
        let by = common.by.or_else(issuer).ok_or_else(|| {
            Failure::usage("by_missing", "记录缺少 by / the record has no by").with_hint(
                "用 --by 或 PIAOLIAN_MEMBER 指定成员代码 / name the member with --by or PIAOLIAN_MEMBER",
            )
        })?;
        added.push(("by", by));
    }
    if missing("at") {
        added.push(("at", common.at));
    }
    if added.is_empty() {
        return Ok(Composed::Record(text.to_owned()));
    }
    let rest = text.strip_prefix('{').unwrap_or(text);
    let added: Vec<String> = added
        .iter()
        .map(|(name, value)| format!("\"{name}\":{}", Value::from(*value)))
        .collect();
    let comma = if members.is_empty() { "" } else { "," };
    Ok(Composed::Record(format!(
        "{{{}{comma}{rest}",
        added.join(",")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: Common<'_> = Common {
        by: None,
        id: "ID",
        at: "AT",
    };

    fn record(text: &str, common: Common<'_>) -> String {
        match compose(text, common).unwrap() {
            Composed::Record(text) => {
                serde_json::from_str::<Map<String, Value>>(&text).unwrap();
                text
            }
            Composed::Envelope(text) => panic!("an envelope: {text}"),
        }
    }

    #[test]
    fn a_complete_record_is_not_touched() {
        let text = "{ \"type\":\"x\",\n \"at\":\"t\", \"id\":\"1\", \"by\":\"m\" }";
        assert_eq!(record(&format!("\u{feff}  {text}\n"), COMMON), text);
    }

    #[test]
    fn what_is_missing_is_put_in_front() {
        let common = Common {
            by: Some("M"),
            ..COMMON
        };
        assert_eq!(
            record("{ \"type\": \"x\" }", common),
            "{\"id\":\"ID\",\"by\":\"M\",\"at\":\"AT\", \"type\": \"x\" }"
        );
        assert_eq!(
            record("{\"type\":\"x\",\"by\":\"own\",\"id\":\"7\"}", common),
            "{\"at\":\"AT\",\"type\":\"x\",\"by\":\"own\",\"id\":\"7\"}"
        );
    }

    #[test]
    fn documents_are_wrapped_and_signed_by_their_issuer() {
        assert_eq!(
            record("{\"seller\":{\"id\":\"S\"},\"number\":\"1\"}", COMMON),
            "{\"type\":\"invoice.issue\",\"id\":\"ID\",\"by\":\"S\",\"at\":\"AT\",\
             \"invoice\":{\"seller\":{\"id\":\"S\"},\"number\":\"1\"}}"
        );
        assert_eq!(
            record("{\"bill\": {\"issuer\":{\"id\":\"H\"}}}", COMMON),
            "{\"type\":\"bill.issue\",\"id\":\"ID\",\"by\":\"H\",\"at\":\"AT\",\
             \"bill\": {\"issuer\":{\"id\":\"H\"}}}"
        );
        assert!(record("{\"issuer\":{\"id\":\"H\"}}", COMMON).contains("\"bill\":{\"issuer\""));
    }

    #[test]
    fn envelopes_pass_through() {
        let text = "{\"kid\":\"k\",\"sig\":\"s\",\"record\":{}}";
        assert_eq!(
            compose(text, COMMON).unwrap(),
            Composed::Envelope(text.to_owned())
        );
    }

    #[test]
    fn what_cannot_be_completed_is_refused() {
        for (text, code) in [
            ("", "not_json"),
            ("[]", "not_json"),
            ("{}", "type_missing"),
            ("{\"type\":\"x\"}", "by_missing"),
            ("{\"seller\":\"S\"}", "by_missing"),
        ] {
            assert_eq!(compose(text, COMMON).unwrap_err().code, code, "{text}");
        }
    }
}
