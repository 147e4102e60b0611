//! What is not JSON, not the contract's shape, or too large (400, 413).

use reqwest::Method;
use serde_json::{Value, json};

use super::{Table, with};
use crate::support::Document;
use crate::support::records::record_value;

pub(super) fn rows(table: &mut Table<'_>) {
    let demo = table.demo;
    let merchant = demo.merchant();
    let good = Document::invoice(&merchant, None).record;
    let envelope = String::from_utf8(demo.http.envelope(&merchant, &good.to_string())).unwrap();

    // The text of the request as a whole.
    for (name, body, code, pointer) in [
        ("an empty body", String::new(), "not_json", ""),
        ("blanks alone", "  \n".into(), "not_json", ""),
        ("a word", "hello".into(), "not_json", ""),
        (
            "half an envelope",
            envelope[..envelope.len() / 2].into(),
            "not_json",
            "",
        ),
        (
            "a second value after the first",
            format!("{envelope}{envelope}"),
            "not_json",
            "",
        ),
        (
            "a letter after the envelope",
            format!("{envelope}x"),
            "not_json",
            "",
        ),
        (
            "a NUL after the envelope",
            format!("{envelope}\0"),
            "not_json",
            "",
        ),
        ("a comment", format!("/* */{envelope}"), "not_json", ""),
        ("single quotes", envelope.replace('"', "'"), "not_json", ""),
        (
            "a trailing comma",
            envelope.replacen('{', "{,", 1),
            "not_json",
            "",
        ),
        (
            "an array for the envelope",
            format!("[{envelope}]"),
            "wrong_type",
            "",
        ),
        (
            "an array of the members",
            r#"["00","AA",{}]"#.into(),
            "wrong_type",
            "",
        ),
        (
            "a string for the envelope",
            r#""envelope""#.into(),
            "wrong_type",
            "",
        ),
        ("a number for the envelope", "1".into(), "wrong_type", ""),
        ("null for the envelope", "null".into(), "wrong_type", ""),
    ] {
        table.body(name, body, 400, code, pointer);
    }
    let mut marked = vec![0xef, 0xbb, 0xbf];
    marked.extend(envelope.as_bytes());
    table.body("a byte order mark", marked, 400, "not_utf8", "");
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(envelope.encode_utf16().flat_map(u16::to_le_bytes));
    table.body("UTF-16", utf16, 400, "not_utf8", "");
    for (name, bytes) in [
        ("a stray byte", &[0xff][..]),
        ("an overlong slash", &[0xc0, 0xaf]),
        ("a surrogate in UTF-8", &[0xed, 0xa0, 0x80]),
        ("half a character", &[0xe7, 0xa5]),
    ] {
        let mut body = envelope.clone().into_bytes();
        let at = envelope.find("餐饮").unwrap();
        body.splice(at..at, bytes.iter().copied());
        table.body(name, body, 400, "not_utf8", "");
    }

    // The envelope's own members.
    let record = good.to_string();
    for (name, body, code, pointer) in [
        (
            "no kid",
            format!(r#"{{"sig":"AA==","record":{record}}}"#),
            "missing_member",
            "/kid",
        ),
        (
            "no signature",
            format!(r#"{{"kid":"00","record":{record}}}"#),
            "missing_member",
            "/sig",
        ),
        (
            "no record",
            r#"{"kid":"00","sig":"AA=="}"#.into(),
            "missing_member",
            "/record",
        ),
        (
            "kid twice",
            envelope.replacen('{', r#"{"kid":"00","#, 1),
            "duplicate_member",
            "/kid",
        ),
        (
            "record twice",
            envelope.replacen('{', r#"{"record":{},"#, 1),
            "duplicate_member",
            "/record",
        ),
        (
            "record twice, once escaped",
            envelope.replacen('{', r#"{"rec\u006frd":{},"#, 1),
            "duplicate_member",
            "/record",
        ),
        (
            "an unknown member",
            envelope.replacen('{', r#"{"alg":"SM2","#, 1),
            "unknown_member",
            "/alg",
        ),
        (
            "Record for record",
            envelope.replacen('{', r#"{"Record":{},"#, 1),
            "unknown_member",
            "/Record",
        ),
        (
            "record and records",
            envelope.replacen('{', r#"{"records":[],"#, 1),
            "members_conflict",
            "/records",
        ),
        (
            "atomic for one record",
            envelope.replacen('{', r#"{"atomic":true,"#, 1),
            "members_conflict",
            "/atomic",
        ),
        (
            "a number for kid",
            format!(r#"{{"kid":0,"sig":"AA==","record":{record}}}"#),
            "wrong_type",
            "/kid",
        ),
        (
            "null for sig",
            format!(r#"{{"kid":"00","sig":null,"record":{record}}}"#),
            "wrong_type",
            "/sig",
        ),
        (
            "an object for records",
            r#"{"kid":"00","sig":"AA==","records":{}}"#.into(),
            "wrong_type",
            "/records",
        ),
        (
            "a text for atomic",
            r#"{"kid":"00","sig":"AA==","records":[{}],"atomic":"true"}"#.into(),
            "wrong_type",
            "/atomic",
        ),
        (
            "an empty batch",
            r#"{"kid":"00","sig":"AA==","records":[]}"#.into(),
            "batch_empty",
            "/records",
        ),
    ] {
        table.body(name, body, 400, code, pointer);
    }
    let crowd = vec!["{}"; 1_001].join(",");
    let body = format!(r#"{{"kid":"00","sig":"AA==","records":[{crowd}]}}"#);
    table.body("a batch of 1,001", body, 413, "batch_too_large", "/records");
    let padding = " ".repeat(4 * 1024 * 1024);
    table.body(
        "more than 4 MiB",
        format!("{envelope}{padding}"),
        413,
        "body_too_large",
        "",
    );

    // The record.
    for (name, record, code, pointer) in [
        ("an array for the record", "[]", "wrong_type", ""),
        ("a text for the record", r#""x""#, "wrong_type", ""),
        ("a number for the record", "1e3", "wrong_type", ""),
        ("null for the record", "null", "wrong_type", ""),
        (
            "a type that is a number",
            r#"{"type":1}"#,
            "wrong_type",
            "/type",
        ),
        ("no type", "{}", "missing_member", "/type"),
        (
            "an unknown type",
            r#"{"type":"invoice.delete"}"#,
            "unknown_type",
            "/type",
        ),
        (
            "a type in capitals",
            r#"{"type":"INVOICE.ISSUE"}"#,
            "unknown_type",
            "/type",
        ),
        (
            "type twice",
            r#"{"type":"claim.lock","type":"claim.lock"}"#,
            "duplicate_member",
            "/type",
        ),
    ] {
        table.record(name, &merchant, record, 400, code, pointer);
    }
    let at_invoice = r#""invoice":{"#;
    let text = good.to_string();
    for (name, record, code, pointer) in [
        (
            "id twice",
            text.replacen('{', r#"{"id":"x","#, 1),
            "duplicate_member",
            "/id",
        ),
        (
            "a total named twice",
            text.replacen(at_invoice, &format!(r#"{at_invoice}"total":"0.01","#), 1),
            "duplicate_member",
            "/invoice/total",
        ),
        (
            "an amount named twice, once escaped",
            text.replacen(r#""amount":"#, r#""amoun\u0074":"1.00","amount":"#, 1),
            "duplicate_member",
            "/invoice/lines/0/amount",
        ),
        (
            "a lone high surrogate",
            text.replacen("个人", r"\ud83d", 1),
            "not_json",
            "/invoice/buyer/name",
        ),
        (
            "a lone low surrogate",
            text.replacen("个人", r"\ude00", 1),
            "not_json",
            "/invoice/buyer/name",
        ),
        (
            "a control character, not escaped",
            text.replacen("个人", "个\n人", 1),
            "not_json",
            "",
        ),
        (
            "a total that is a number",
            text.replacen(r#""1060.00""#, "1060.00", 1),
            "wrong_type",
            "/invoice/total",
        ),
        (
            "a total that is a whole number",
            text.replacen(r#""1060.00""#, "1060", 1),
            "wrong_type",
            "/invoice/total",
        ),
        (
            "a number beyond all range",
            text.replacen(r#""1060.00""#, "1e400", 1),
            "wrong_type",
            "/invoice/total",
        ),
    ] {
        // A raw line feed makes the envelope itself no JSON; everything else is the record's.
        table.record(name, &merchant, &record, 400, code, pointer);
    }
    for (place, value, code, pointer) in [
        ("/id", Value::Null, "missing_member", "/id"),
        ("/by", Value::Null, "missing_member", "/by"),
        ("/at", Value::Null, "missing_member", "/at"),
        ("/invoice", Value::Null, "missing_member", "/invoice"),
        (
            "/invoice/total",
            Value::Null,
            "missing_member",
            "/invoice/total",
        ),
        (
            "/invoice/lines/0/tax",
            Value::Null,
            "missing_member",
            "/invoice/lines/0/tax",
        ),
        ("/id", json!(7), "wrong_type", "/id"),
        ("/by", json!([]), "wrong_type", "/by"),
        ("/invoice", json!([]), "wrong_type", "/invoice"),
        ("/invoice", json!("x"), "wrong_type", "/invoice"),
        (
            "/invoice/seller",
            json!(["x", "y"]),
            "wrong_type",
            "/invoice/seller",
        ),
        ("/invoice/lines", json!({}), "wrong_type", "/invoice/lines"),
        (
            "/invoice/lines/0",
            json!([]),
            "wrong_type",
            "/invoice/lines/0",
        ),
        (
            "/invoice/lines/0/amount",
            json!(1000),
            "wrong_type",
            "/invoice/lines/0/amount",
        ),
        (
            "/invoice/lines/0/tax_rate",
            json!(0.06),
            "wrong_type",
            "/invoice/lines/0/tax_rate",
        ),
        ("/invoice/note", json!(true), "wrong_type", "/invoice/note"),
        ("/nonce", json!("1"), "unknown_member", "/nonce"),
        (
            "/invoice/discount",
            json!("1"),
            "unknown_member",
            "/invoice/discount",
        ),
        (
            "/invoice/seller/phone",
            json!("1"),
            "unknown_member",
            "/invoice/seller/phone",
        ),
        (
            "/invoice/lines/0/a~b",
            json!("1"),
            "unknown_member",
            "/invoice/lines/0/a~0b",
        ),
    ] {
        let record = with(&good, place, value.clone()).to_string();
        let name = format!("{place} {value}");
        table.record(name, &merchant, &record, 400, code, pointer);
    }
    // `null` is a value, and no member of any record may have it.
    let null = text.replacen(r#""1060.00""#, "null", 1);
    table.record(
        "null for a total",
        &merchant,
        &null,
        400,
        "wrong_type",
        "/invoice/total",
    );
    let lock = record_value(&merchant, "claim.lock", json!({}));
    let lock = with(&lock, "/expires_at", json!("2026-12-01T00:00:00Z"));
    let row = demo
        .http
        .posting(demo.http.envelope(&merchant, &lock.to_string()));
    table.request("several members missing", row, 400, "missing_member", None);
    let missing = ["/document", "/kind", "/reference"];
    let errors = missing.map(|place| ("missing_member", place.to_owned()));
    table.rows.last_mut().unwrap().errors = errors.into();

    // Depth and size.
    let nested = |depth: usize| Value::from(0).to_string().pipe_nested(depth);
    for depth in [8, 100, 127, 200, 5_000] {
        let record = text.replacen(r#""1060.00""#, &nested(depth), 1);
        let name = format!("an array of depth {depth} inside");
        let pointer = format!("/invoice/total{}", "/0".repeat(6));
        table.record(name, &merchant, &record, 400, "too_deep", &pointer);
    }
    let big = with(&good, "/invoice/note", json!("n".repeat(16 * 1024))).to_string();
    table.record(
        "more than 16 KiB",
        &merchant,
        &big,
        413,
        "record_too_large",
        "",
    );

    // Other questions.
    let ask = |path: &str, body: &str| {
        demo.http
            .signed(&merchant, Method::POST, path, body.as_bytes())
    };
    for (name, body, status, code, pointer) in [
        (
            "a check without items",
            "{}",
            400,
            "missing_member",
            Some("/items"),
        ),
        (
            "a check of nothing",
            r#"{"items":[]}"#,
            400,
            "items_empty",
            None,
        ),
        (
            "a check that is an array",
            "[]",
            400,
            "wrong_type",
            Some(""),
        ),
        (
            "an item that is a text",
            r#"{"items":["D:1"]}"#,
            400,
            "wrong_type",
            Some("/items/0"),
        ),
        (
            "an item of two kinds",
            r#"{"items":[{"qr":"x","xml":"x"}]}"#,
            400,
            "members_conflict",
            Some("/items/0"),
        ),
        (
            "an item with an unknown member",
            r#"{"items":[{"document":"D:26332000000000000000","total":"1"}]}"#,
            400,
            "unknown_member",
            Some("/items/0/total"),
        ),
        (
            "a check of a badly spelt key",
            r#"{"items":[{"document":"D:1"}]}"#,
            422,
            "document_key_spelling",
            Some("/items/0/document"),
        ),
        (
            "a QR code of something else",
            r#"{"items":[{"qr":"https://example.com"}]}"#,
            422,
            "qr_spelling",
            Some("/items/0/qr"),
        ),
        (
            "an XML file that is none",
            r#"{"items":[{"xml":"AAAA"}]}"#,
            422,
            "xml_unreadable",
            Some("/items/0/xml"),
        ),
        (
            "XML that is not base64",
            r#"{"items":[{"xml":"*"}]}"#,
            422,
            "base64_spelling",
            Some("/items/0/xml"),
        ),
    ] {
        table.request(name, ask("/v1/checks", body), status, code, pointer);
    }
    let crowd = vec![r#"{"qr":"x"}"#; 1_001].join(",");
    let body = format!(r#"{{"items":[{crowd}]}}"#);
    table.request(
        "a check of 1,001",
        ask("/v1/checks", &body),
        413,
        "too_many_items",
        None,
    );
    table.request(
        "a validation of nothing",
        ask("/v1/validate", "{}"),
        400,
        "missing_member",
        Some("/record"),
    );
    for (path, status, code) in [
        ("/v1/proofs/inclusion?index=0", 400, "query_invalid"),
        (
            "/v1/proofs/inclusion?index=5&tree_size=5",
            400,
            "query_invalid",
        ),
        (
            "/v1/proofs/inclusion?index=00&tree_size=5",
            400,
            "query_invalid",
        ),
        (
            "/v1/proofs/inclusion?index=0&tree_size=99999999",
            404,
            "not_found",
        ),
        ("/v1/proofs/consistency?from=0&to=1", 400, "query_invalid"),
        ("/v1/proofs/consistency?from=2&to=1", 400, "query_invalid"),
        ("/v1/checkpoint?x=1", 400, "query_invalid"),
        ("/v1/blocks/0", 404, "not_found"),
        ("/v1/blocks/-1", 404, "not_found"),
        ("/v1/blocks/999999", 404, "not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/nothing", 404, "not_found"),
        ("/v1/records?sm3=00", 400, "query_invalid"),
    ] {
        table.request(
            path,
            demo.http.request(Method::GET, path),
            status,
            code,
            None,
        );
    }
    for (method, path) in [
        (Method::DELETE, "/v1/records"),
        (Method::PUT, "/v1/records/x/y"),
        (Method::POST, "/v1/checkpoint"),
        (Method::GET, "/v1/checks"),
        (Method::GET, "/v1/records:bulk"),
        (Method::POST, "/v1/events"),
    ] {
        let request = demo.http.request(method.clone(), path);
        table.request(
            format!("{method} {path}"),
            request,
            405,
            "method_not_allowed",
            None,
        );
    }
    for path in [
        "/v1/claims?status=lost",
        "/v1/claims?cursor=zz",
        "/v1/claims?limit=0",
        "/v1/events?after=x",
        "/v1/limits?x",
    ] {
        let request = demo.http.signed(&merchant, Method::GET, path, b"");
        let code = if path.contains("cursor") {
            "cursor_invalid"
        } else {
            "query_invalid"
        };
        table.request(path, request, 400, code, None);
    }
}

/// A text inside so many arrays.
trait Nested {
    fn pipe_nested(self, depth: usize) -> String;
}

impl Nested for String {
    fn pipe_nested(self, depth: usize) -> String {
        format!("{}{self}{}", "[".repeat(depth), "]".repeat(depth))
    }
}
