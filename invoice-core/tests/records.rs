//! What each record may say: one broken value a line, with the answer in the last column.

use invoice_core::crypto::SecretKey;
use invoice_core::record::{
    Body, Contents, ParsedRecord, RecordType, Role, parse_envelope, parse_open_envelope,
    parse_record,
};
use serde_json::{Value, json};

const SELLER: &str = "91330000142942095H";
const BUYER: &str = "91440300708461136T";

fn invoice() -> Value {
    json!({
        "type": "invoice.issue", "id": "i-1", "by": SELLER, "at": "2026-11-21T14:30:00+08:00",
        "invoice": {
            "number": "26442000004359167806", "kind": "82", "issue_date": "2026-11-20",
            "seller": {"id": SELLER, "name": "甲公司"}, "buyer": {"id": BUYER, "name": "乙公司"},
            "lines": [
                {"name": "*信息技术服务*开发", "unit": "项", "quantity": "1", "unit_price": "16000",
                 "amount": "16000.00", "tax_rate": "0.06", "tax": "960.00", "tax_code": "3040201000000000000"},
                {"name": "*信息技术服务*开发", "amount": "-1000.00", "tax_rate": "0.060", "tax": "-60.00"},
            ],
            "total_without_tax": "15000.00", "total_tax": "900.00", "total": "15900.00", "note": "合同\n第1号",
        },
    })
}

fn bill() -> Value {
    json!({
        "type": "bill.issue", "id": "b-1", "by": SELLER, "at": "2026-11-21T14:30:00+08:00",
        "bill": {
            "code": "33060122", "number": "0123456789", "check_code": "a1B2c3", "issue_date": "2026-11-20",
            "issuer": {"id": SELLER, "name": "医院"}, "visit": "inpatient",
            "items": [{"name": "床位费", "amount": "500.00"}, {"code": "02", "name": "手术费", "amount": "4000"}],
            "total": "4500.00",
            "payment": {"fund": "3600.00", "other": "0.00", "account": "400.00", "cash": "500.00",
                        "self_pay": "600.00", "self_fund": "300.00"},
        },
    })
}

fn lock() -> Value {
    json!({
        "type": "claim.lock", "id": "c-1", "by": BUYER, "at": "2026-11-21T14:30:00+08:00",
        "document": "D:26442000004359167806", "amount": "100.00", "kind": "employer", "reference": "BX-1",
        "expires_at": "2026-12-01T00:00:00+08:00",
    })
}

fn sealed() -> Value {
    json!({"alg": "SM4-GCM", "nonce": "AAAAAAAAAAAAAAAA", "ciphertext": "AAAAAAAAAAAAAAAAAAAAAA==",
        "wraps": [{"kid": "00112233445566778899aabbccddeeff", "key": "MAMCAQE="}], "root": "00".repeat(32)})
}

/// The text with one value replaced; `null` takes the member away.
fn with(mut record: Value, pointer: &str, value: Value) -> String {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.to_owned(), value)),
        (Value::Array(elements), value) => elements[name.parse::<usize>().unwrap()] = value,
        _ => panic!("no such place: {pointer}"),
    }
    record.to_string()
}

fn violations(text: &str) -> Vec<(&'static str, String)> {
    let parsed = parse_record(text.as_bytes()).expect(text);
    let broken = parsed.record.err().unwrap_or_default();
    broken
        .into_iter()
        .map(|v| (v.rule.code(), v.pointer))
        .collect()
}

fn shape(text: &[u8]) -> Vec<(&'static str, String)> {
    let errors = parse_record(text).err().unwrap_or_default();
    errors
        .into_iter()
        .map(|e| (e.code.code(), e.pointer))
        .collect()
}

#[test]
fn the_examples_break_no_rule() {
    for record in [invoice(), bill(), lock()] {
        assert_eq!(violations(&record.to_string()), []);
    }
}

#[test]
fn each_rule_of_an_invoice_is_named() {
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("/id", json!("a b"), "record_id_spelling", "/id"),
        (
            "/by",
            json!("91330000142942095J"),
            "member_id_check_digit",
            "/by",
        ),
        ("/at", json!("2026-11-21T14:30:00"), "time_spelling", "/at"),
        (
            "/invoice/number",
            json!("2644200000435916780"),
            "document_number_spelling",
            "/invoice/number",
        ),
        (
            "/invoice/number",
            json!("12345678"),
            "identity_unfit",
            "/invoice/number",
        ),
        (
            "/invoice/code",
            json!("011001605111"),
            "identity_unfit",
            "/invoice/code",
        ),
        (
            "/invoice/kind",
            json!("32"),
            "invoice_kind_unknown",
            "/invoice/kind",
        ),
        (
            "/invoice/issue_date",
            json!("2026-02-30"),
            "date_spelling",
            "/invoice/issue_date",
        ),
        (
            "/invoice/seller/id",
            json!("9133"),
            "member_id_spelling",
            "/invoice/seller/id",
        ),
        (
            "/invoice/seller/name",
            json!(" "),
            "text_blank",
            "/invoice/seller/name",
        ),
        (
            "/invoice/seller/name",
            json!("甲\u{0}"),
            "control_character",
            "/invoice/seller/name",
        ),
        (
            "/invoice/seller/name",
            json!("甲\u{202e}乙"),
            "control_character",
            "/invoice/seller/name",
        ),
        (
            "/invoice/seller/name",
            json!("甲".repeat(201)),
            "text_too_long",
            "/invoice/seller/name",
        ),
        (
            "/invoice/buyer/id",
            json!("11010519491231002X"),
            "personal_id_in_clear",
            "/invoice/buyer/id",
        ),
        (
            "/invoice/buyer/id",
            json!("123"),
            "buyer_id_spelling",
            "/invoice/buyer/id",
        ),
        ("/invoice/lines", json!([]), "line_count", "/invoice/lines"),
        (
            "/invoice/lines/0/quantity",
            json!("2"),
            "line_amount_mismatch",
            "/invoice/lines/0/amount",
        ),
        (
            "/invoice/lines/0/quantity",
            json!("1e0"),
            "decimal_spelling",
            "/invoice/lines/0/quantity",
        ),
        (
            "/invoice/lines/0/tax_code",
            json!("7040201000000000000"),
            "tax_code_spelling",
            "/invoice/lines/0/tax_code",
        ),
        (
            "/invoice/lines/0/tax_rate",
            json!("6%"),
            "tax_rate_spelling",
            "/invoice/lines/0/tax_rate",
        ),
        (
            "/invoice/lines/1/quantity",
            json!("1"),
            "discount_with_quantity",
            "/invoice/lines/1/quantity",
        ),
        (
            "/invoice/lines/1/unit_price",
            json!("1"),
            "discount_with_quantity",
            "/invoice/lines/1/unit_price",
        ),
        (
            "/invoice/total_without_tax",
            json!("15000.001"),
            "money_spelling",
            "/invoice/total_without_tax",
        ),
        (
            "/invoice/total",
            json!("15900.01"),
            "total_mismatch",
            "/invoice/total",
        ),
        (
            "/invoice/total",
            json!("99999999999"),
            "amount_too_large",
            "/invoice/total",
        ),
        (
            "/invoice/note",
            json!("字".repeat(1001)),
            "text_too_long",
            "/invoice/note",
        ),
    ];
    for (place, value, code, pointer) in cases {
        let found = violations(&with(invoice(), place, value));
        assert_eq!(found, [(code, pointer.to_owned())], "{place}");
    }
}

#[test]
fn values_that_hang_together_are_named_together() {
    let line = |line: Value| with(invoice(), "/invoice/lines/1", line);
    let of = |codes: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        codes
            .iter()
            .map(|(code, pointer)| (*code, (*pointer).to_owned()))
            .collect()
    };
    let cases = [
        (
            line(json!({"name": "x", "amount": "-1000.00", "tax_rate": "0.09", "tax": "-90.00"})),
            of(&[
                ("discount_rate_differs", "/invoice/lines/1/tax_rate"),
                ("total_tax_mismatch", "/invoice/total_tax"),
            ]),
        ),
        (
            line(json!({"name": "x", "amount": "-1000.00", "tax_rate": "0.06", "tax": "60.00"})),
            of(&[
                ("tax_sign_opposed", "/invoice/lines/1/tax"),
                ("total_tax_mismatch", "/invoice/total_tax"),
            ]),
        ),
        (
            with(invoice(), "/invoice/issue_date", json!("2018-05-01")).replace("0.060", "0.16"),
            of(&[
                ("line_tax_mismatch", "/invoice/lines/1/tax"),
                ("discount_rate_differs", "/invoice/lines/1/tax_rate"),
            ]),
        ),
        (
            line(json!({"name": "x", "amount": "-16000.01", "tax_rate": "0.06", "tax": "-960.00"})),
            of(&[
                ("discount_too_large", "/invoice/lines/1/amount"),
                ("total_without_tax_mismatch", "/invoice/total_without_tax"),
                ("total_tax_mismatch", "/invoice/total_tax"),
            ]),
        ),
        (
            with(
                invoice(),
                "/invoice/lines/0",
                json!({"name": "x", "amount": "-1.00", "tax_rate": "0.07", "tax": "0.00"}),
            ),
            of(&[
                ("line_tax_mismatch", "/invoice/lines/0/tax"),
                ("tax_rate_not_in_force", "/invoice/lines/0/tax_rate"),
                ("discount_without_parent", "/invoice/lines/0/amount"),
                ("discount_without_parent", "/invoice/lines/1/amount"),
                ("total_without_tax_mismatch", "/invoice/total_without_tax"),
                ("total_tax_mismatch", "/invoice/total_tax"),
            ]),
        ),
    ];
    for (text, due) in cases {
        assert_eq!(violations(&text), due, "{text}");
    }
}

#[test]
fn tax_errors_of_a_tax_control_invoice_add_up() {
    let lines: Vec<Value> = (0..22)
        .map(|_| json!({"name": "x", "amount": "100.00", "tax_rate": "0.06", "tax": "6.06"}))
        .collect();
    let mut record = invoice();
    record["invoice"]["lines"] = json!(lines);
    record["invoice"]["total_without_tax"] = json!("2200.00");
    record["invoice"]["total_tax"] = json!("133.32");
    record["invoice"]["total"] = json!("2333.32");
    assert_eq!(violations(&record.to_string()), []);
    record["invoice"]["kind"] = json!("10");
    record["invoice"]["code"] = json!("011001605111");
    record["invoice"]["number"] = json!("80100798");
    assert_eq!(
        violations(&record.to_string()),
        [("cumulative_tax_error", "/invoice/total_tax".to_owned())]
    );
}

#[test]
fn each_rule_of_a_bill_is_named() {
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        (
            "/bill/code",
            json!("3306012"),
            "document_number_spelling",
            "/bill/code",
        ),
        (
            "/bill/number",
            json!("012345678"),
            "document_number_spelling",
            "/bill/number",
        ),
        (
            "/bill/check_code",
            json!("a1B2c"),
            "check_code_spelling",
            "/bill/check_code",
        ),
        ("/bill/visit", json!("home"), "visit_unknown", "/bill/visit"),
        ("/bill/items", json!([]), "item_count", "/bill/items"),
        (
            "/bill/items/0/amount",
            json!("500.01"),
            "total_mismatch",
            "/bill/total",
        ),
        (
            "/bill/payment/fund",
            json!("3600.02"),
            "payment_sources_mismatch",
            "/bill/payment/fund",
        ),
        (
            "/bill/payment/self_pay",
            json!("600.02"),
            "payment_burden_mismatch",
            "/bill/payment/self_pay",
        ),
        (
            "/bill/payment/other",
            json!("-0.01"),
            "negative_value",
            "/bill/payment/other",
        ),
    ];
    for (place, value, code, pointer) in cases {
        let found = violations(&with(bill(), place, value));
        assert_eq!(found, [(code, pointer.to_owned())], "{place}");
    }
    for (place, value) in [
        ("/bill/payment/fund", "3600.01"),
        ("/bill/payment/self_pay", "600.01"),
    ] {
        assert_eq!(
            violations(&with(bill(), place, json!(value))),
            [],
            "{place}"
        );
    }
}

#[test]
fn each_rule_of_a_sealed_part_is_named() {
    let wrap = sealed()["wraps"][0].clone();
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("/alg", json!("AES-GCM"), "sealed_algorithm_unknown", "/alg"),
        ("/nonce", json!("AAAA"), "sealed_nonce_length", "/nonce"),
        (
            "/nonce",
            json!("AAAAAAAAAAAAAAA"),
            "base64_spelling",
            "/nonce",
        ),
        (
            "/ciphertext",
            json!("AAAA"),
            "sealed_ciphertext_length",
            "/ciphertext",
        ),
        (
            "/ciphertext",
            json!("AAAAAAAAAAAAAAAAAAAAAB=="),
            "base64_spelling",
            "/ciphertext",
        ),
        ("/wraps", json!([]), "sealed_wrap_count", "/wraps"),
        (
            "/wraps",
            json!([wrap, wrap]),
            "sealed_wrap_repeated",
            "/wraps/1/kid",
        ),
        (
            "/wraps/0/key",
            json!("MAQCAQE="),
            "sealed_wrap_spelling",
            "/wraps/0/key",
        ),
        (
            "/wraps/0/kid",
            json!("00112233445566778899AABBCCDDEEFF"),
            "kid_spelling",
            "/wraps/0/kid",
        ),
        ("/root", json!("00"), "hash_spelling", "/root"),
    ];
    assert_eq!(violations(&with(bill(), "/bill/sealed", sealed())), []);
    for (place, value, code, pointer) in cases {
        let mut record = bill();
        record["bill"]["sealed"] = sealed();
        let found = violations(&with(record, &format!("/bill/sealed{place}"), value));
        assert_eq!(found, [(code, format!("/bill/sealed{pointer}"))], "{place}");
    }
}

#[test]
fn each_rule_of_the_other_records_is_named() {
    let document = "D:26442000004359167806";
    let key = SecretKey::from_bytes(&[7; 32])
        .unwrap()
        .public_key()
        .to_hex();
    type Due<'a> = &'a [(&'a str, &'a str)];
    let cases: Vec<(&str, Value, Due<'_>)> = vec![
        (
            "claim.lock",
            json!({"document": document, "kind": "employer", "reference": "r", "expires_at": "2026-12-01T00:00:00Z"}),
            &[],
        ),
        (
            "claim.lock",
            json!({"document": document, "amount": "0", "kind": "employer", "reference": "r", "expires_at": "2026-12-01T00:00:00Z"}),
            &[("amount_not_positive", "/amount")],
        ),
        (
            "claim.lock",
            json!({"document": document, "amount": "0.00", "kind": "reference", "reference": "r", "expires_at": "2026-12-01T00:00:00Z"}),
            &[],
        ),
        (
            "claim.lock",
            json!({"document": document, "amount": "0.01", "kind": "reference", "reference": "r", "expires_at": "2026-12-01T00:00:00Z"}),
            &[("reference_with_amount", "/amount")],
        ),
        (
            "claim.lock",
            json!({"document": "D:1", "kind": "x", "component": "y", "reference": "", "expires_at": "soon"}),
            &[
                ("document_key_spelling", "/document"),
                ("claim_kind_unknown", "/kind"),
                ("component_unknown", "/component"),
                ("text_blank", "/reference"),
                ("time_spelling", "/expires_at"),
            ],
        ),
        (
            "claim.settle",
            json!({"claim": "c", "amount": "1", "voucher": "v".repeat(51), "booked_on": "2026-11-21", "booking": "01"}),
            &[
                ("text_too_long", "/voucher"),
                ("booking_unknown", "/booking"),
            ],
        ),
        (
            "claim.release",
            json!({"claim": "c c", "reason": "r"}),
            &[("record_id_spelling", "/claim")],
        ),
        (
            "claim.reverse",
            json!({"claim": "c", "amount": "-1", "reason": "r"}),
            &[("amount_not_positive", "/amount")],
        ),
        (
            "document.reverse",
            json!({"document": document, "amount": "1", "reason": "05", "red_number": "1"}),
            &[
                ("reversal_reason_unknown", "/reason"),
                ("red_number_spelling", "/red_number"),
            ],
        ),
        (
            "document.confirm_reversal",
            json!({"document": document, "amount": "0.00"}),
            &[("amount_not_positive", "/amount")],
        ),
        (
            "document.freeze",
            json!({"document": document, "reason": "r"}),
            &[],
        ),
        (
            "document.unfreeze",
            json!({"document": document, "reason": "\t"}),
            &[("text_blank", "/reason")],
        ),
        (
            "document.alias",
            json!({"document": document, "alias": document}),
            &[("alias_is_document", "/alias")],
        ),
        (
            "share.grant",
            json!({"document": document, "to": BUYER, "amount": "1"}),
            &[("share_to_self", "/to")],
        ),
        (
            "quota.set",
            json!({"member": SELLER, "month": "2026-13", "amount": "-1"}),
            &[("negative_value", "/amount"), ("month_spelling", "/month")],
        ),
        (
            "member.suspend",
            json!({"member": SELLER, "reason": "r"}),
            &[],
        ),
        (
            "member.resume",
            json!({"member": SELLER, "reason": "r"}),
            &[],
        ),
        (
            "key.revoke",
            json!({"member": SELLER, "kid": "x"}),
            &[("kid_spelling", "/kid")],
        ),
        (
            "key.add",
            json!({"member": SELLER, "key": {"public_key": key}}),
            &[],
        ),
        (
            "key.add",
            json!({"member": SELLER, "key": {"public_key": key.to_uppercase()}}),
            &[("public_key_invalid", "/key/public_key")],
        ),
        (
            "key.add",
            json!({"member": SELLER, "key": {"public_key": format!("04{}", "11".repeat(64))}}),
            &[("public_key_invalid", "/key/public_key")],
        ),
        (
            "member.admit",
            json!({"member": {"id": SELLER, "name": "n", "roles": []}, "key": {"public_key": key}}),
            &[("roles_empty", "/member/roles")],
        ),
        (
            "member.admit",
            json!({"member": {"id": SELLER, "name": "n", "roles": ["tax", "boss", "tax"]}, "key": {"public_key": key}}),
            &[
                ("role_unknown", "/member/roles/1"),
                ("role_repeated", "/member/roles/2"),
            ],
        ),
    ];
    for (record_type, body, due) in cases {
        let mut record =
            json!({"type": record_type, "id": "r", "by": BUYER, "at": "2026-11-21T14:30:00Z"});
        record
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let mut found = violations(&record.to_string());
        let mut due: Vec<_> = due
            .iter()
            .map(|(code, pointer)| (*code, (*pointer).to_owned()))
            .collect();
        found.sort();
        due.sort();
        assert_eq!(found, due, "{record}");
    }
}

#[test]
fn each_fault_of_shape_is_named() {
    let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
    let cases: Vec<(String, &[(&str, &str)])> = vec![
        (String::new(), &[("not_json", "")]),
        ("{".into(), &[("not_json", "")]),
        ("{\"a\":[1,}".into(), &[("not_json", "/a/1")]),
        ("[]".into(), &[("wrong_type", "")]),
        ("{}".into(), &[("missing_member", "/type")]),
        ("{} x".into(), &[("not_json", "")]),
        ("{\"type\":\"\\ud800\"}".into(), &[("not_json", "/type")]),
        ("\u{feff}{}".into(), &[("not_utf8", "")]),
        ("{\"type\":NaN}".into(), &[("not_json", "/type")]),
        (
            "{\"a\":1,\"b\":{\"c/~\":1,\"c/~\":2},\"a\":3,\"a\":4}".into(),
            &[("duplicate_member", "/b/c~1~0"), ("duplicate_member", "/a")],
        ),
        (deep, &[("too_deep", "/0/0/0/0/0/0/0/0")]),
        (
            "[".repeat(16_000),
            &[
                ("too_deep", "/0/0/0/0/0/0/0/0"),
                ("not_json", "/0/0/0/0/0/0/0/0"),
            ],
        ),
        (
            format!("{{\"x\":\"{}\"}}", "a".repeat(16 * 1024)),
            &[("record_too_large", "")],
        ),
        (
            with(lock(), "/type", json!("claim.lok")),
            &[("unknown_type", "/type")],
        ),
        (with(lock(), "/type", json!(1)), &[("wrong_type", "/type")]),
        (
            with(lock(), "/amount", json!(100)),
            &[("wrong_type", "/amount")],
        ),
        (
            with(lock(), "/amount", json!(100.5)),
            &[("wrong_type", "/amount")],
        ),
        (
            with(lock(), "/amount", json!({})),
            &[("wrong_type", "/amount")],
        ),
        (
            lock().to_string().replace("\"100.00\"", "null"),
            &[("wrong_type", "/amount")],
        ),
        (
            lock().to_string().replace("\"100.00\"", "1e999"),
            &[("wrong_type", "/amount")],
        ),
        (
            with(lock(), "/amonut", json!("1")),
            &[("unknown_member", "/amonut")],
        ),
        (
            with(lock(), "/kind", Value::Null),
            &[("missing_member", "/kind")],
        ),
        (
            with(invoice(), "/invoice", json!([])),
            &[("wrong_type", "/invoice")],
        ),
        (
            with(invoice(), "/invoice/lines", json!({})),
            &[("wrong_type", "/invoice/lines")],
        ),
        (
            with(invoice(), "/invoice/lines/1", json!("x")),
            &[("wrong_type", "/invoice/lines/1")],
        ),
        (
            with(registration(), "/original", Value::Null),
            &[("missing_member", "/original")],
        ),
        (
            with(registration(), "/invoice", Value::Null),
            &[("missing_member", "/invoice")],
        ),
        (
            with(registration(), "/bill", bill()["bill"].clone()),
            &[("members_conflict", "/bill")],
        ),
        (
            with(registration(), "/document", json!("D:26442000000000000001")),
            &[("unknown_member", "/document")],
        ),
        (
            with(registration(), "/original/name", json!("a.ofd")),
            &[("unknown_member", "/original/name")],
        ),
        (
            with(invoice(), "/invoice/lines/1/colour", json!("x")),
            &[("unknown_member", "/invoice/lines/1/colour")],
        ),
    ];
    for (text, due) in cases {
        let due: Vec<_> = due
            .iter()
            .map(|(code, pointer)| (*code, (*pointer).to_owned()))
            .collect();
        assert_eq!(
            shape(text.as_bytes()),
            due,
            "{}",
            &text[..text.len().min(200)]
        );
    }
    assert_eq!(shape(b"{\"a\":\"\xff\"}"), [("not_utf8", String::new())]);
}

/// The invoice of [`invoice`], issued elsewhere.
fn registration() -> Value {
    let mut record = invoice();
    record["type"] = json!("document.register");
    record["original"] = json!({"sm3": "00".repeat(32), "format": "ofd"});
    record
}

#[test]
fn a_registration_is_judged_as_the_record_that_issues_it_and_names_its_original() {
    let broken = |text: &str| {
        let parsed = parse_record(text.as_bytes()).unwrap();
        assert_eq!(parsed.stated_issuer, None);
        let violations = parsed.record.err().unwrap_or_default();
        let named = violations
            .into_iter()
            .map(|found| (found.rule.code(), found.pointer));
        (parsed.registrar, named.collect::<Vec<_>>())
    };
    assert_eq!(
        broken(&registration().to_string()),
        (Some(Role::Tax), vec![])
    );
    let cases = [
        ("/invoice/total", json!("1.00"), "total_mismatch"),
        ("/original/sm3", json!("xyz"), "hash_spelling"),
        ("/original/format", json!("docx"), "original_format_unknown"),
        (
            "/original/signature",
            json!("good"),
            "original_signature_unknown",
        ),
    ];
    for (pointer, value, code) in cases {
        let (role, found) = broken(&with(registration(), pointer, value));
        assert_eq!(role, Some(Role::Tax));
        assert_eq!(found, [(code, pointer.to_owned())], "{pointer}");
    }
    let mut of_bill = bill();
    of_bill["type"] = json!("document.register");
    of_bill["original"] = registration()["original"].clone();
    assert_eq!(broken(&of_bill.to_string()), (Some(Role::Finance), vec![]));
    of_bill["bill"]["visit"] = json!("x");
    let (role, found) = broken(&of_bill.to_string());
    assert_eq!(role, Some(Role::Finance));
    assert_eq!(found, [("visit_unknown", "/bill/visit".to_owned())]);
}

#[test]
fn what_the_judges_of_rights_need_survives_broken_values() {
    let mut record = invoice();
    record["invoice"]["total"] = json!("x");
    let text = record.to_string();
    let ParsedRecord {
        record_type,
        stated_issuer,
        by,
        id,
        claims_kind,
        ..
    } = parse_record(text.as_bytes()).unwrap();
    assert_eq!(record_type, RecordType::InvoiceIssue);
    assert_eq!(stated_issuer.unwrap().as_str(), SELLER);
    assert_eq!((&*by, &*id, claims_kind), (SELLER, "i-1", None));
    let text = with(lock(), "/amount", json!("x"));
    assert_eq!(
        parse_record(text.as_bytes())
            .unwrap()
            .claims_kind
            .unwrap()
            .as_str(),
        "employer"
    );
}

#[test]
fn documents_are_compared_by_meaning() {
    let print = |text: &str| {
        let record = parse_record(text.as_bytes()).unwrap().record.unwrap();
        let Body::InvoiceIssue(issue) = record.body else {
            panic!("an invoice")
        };
        issue.invoice.fingerprint()
    };
    let one = print(&invoice().to_string());
    let respelt = invoice()
        .to_string()
        .replace("\"15900.00\"", "\"15900\"")
        .replace("\"0.060\"", "\"0.06\"")
        .replace("\"1\"", "\"1.000\"");
    assert_eq!(print(&respelt), one);
    let other = print(&with(invoice(), "/invoice/buyer/name", json!("丙公司")));
    assert_ne!(other.whole, one.whole);
    let differing: Vec<_> = other
        .fields
        .iter()
        .zip(&one.fields)
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.0)
        .collect();
    assert_eq!(differing, ["/invoice/buyer"]);
}

#[test]
fn envelopes_keep_the_exact_bytes_of_records() {
    let envelope = parse_envelope(br#" {"kid":"k", "record": { "a" : 1 } ,"sig":"s"} "#).unwrap();
    assert_eq!(envelope.contents, Contents::One(br#"{ "a" : 1 }"#));
    let envelope =
        parse_envelope(br#"{"records":[ {"a":1} , 7,"x" ],"atomic":true,"kid":"k","sig":"s"}"#)
            .unwrap();
    assert_eq!(
        envelope.contents,
        Contents::Batch {
            records: vec![br#"{"a":1}"#, b"7", br#""x""#],
            atomic: true
        }
    );
    assert!(
        parse_open_envelope(br#"{"record":{}}"#)
            .unwrap()
            .kid
            .is_none()
    );
}

#[test]
fn each_fault_of_an_envelope_is_named() {
    let many = format!(
        "{{\"kid\":\"k\",\"sig\":\"s\",\"records\":[{}{{}}]}}",
        "{},".repeat(1000)
    );
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("", &[("not_json", "")]),
        ("[]", &[("wrong_type", "")]),
        (
            "{}",
            &[
                ("missing_member", "/kid"),
                ("missing_member", "/sig"),
                ("missing_member", "/record"),
            ],
        ),
        (
            r#"{"kid":1,"sig":[],"record":{}}"#,
            &[("wrong_type", "/kid"), ("wrong_type", "/sig")],
        ),
        (
            r#"{"kid":"k","sig":"s","record":{},"records":[{}]}"#,
            &[("members_conflict", "/records")],
        ),
        (
            r#"{"kid":"k","sig":"s","record":{},"atomic":true}"#,
            &[("members_conflict", "/atomic")],
        ),
        (
            r#"{"kid":"k","sig":"s","records":[{}],"atomic":"true"}"#,
            &[("wrong_type", "/atomic")],
        ),
        (
            r#"{"kid":"k","sig":"s","records":[]}"#,
            &[("batch_empty", "/records")],
        ),
        (
            r#"{"kid":"k","sig":"s","records":{}}"#,
            &[("wrong_type", "/records")],
        ),
        (
            r#"{"kid":"k","kid":"k","sig":"s","record":{}}"#,
            &[("duplicate_member", "/kid")],
        ),
        (
            r#"{"kid":"k","sig":"s","record":{},"note":1}"#,
            &[("unknown_member", "/note")],
        ),
        (
            r#"{"kid":"k","sig":"s","record":{}}{}"#,
            &[("not_json", "")],
        ),
        (&many, &[("batch_too_large", "/records")]),
    ];
    for (text, due) in cases {
        let errors = parse_envelope(text.as_bytes()).unwrap_err();
        let found: Vec<_> = errors
            .iter()
            .map(|e| (e.code.code(), e.pointer.as_str()))
            .collect();
        assert_eq!(&found, due, "{}", &text[..text.len().min(100)]);
    }
    assert_eq!(
        parse_envelope(&vec![b' '; 4 * 1024 * 1024 + 1]).unwrap_err()[0]
            .code
            .code(),
        "body_too_large"
    );
}
