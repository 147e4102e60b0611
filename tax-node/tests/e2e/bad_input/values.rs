//! Rules of a record's own values (422).

use serde_json::{Value, json};

use super::{Table, with};
use crate::support::records::record_value;
use crate::support::{Document, Member, in_hours};

pub(super) fn rows(table: &mut Table<'_>) {
    invoices(table);
    bills(table);
    others(table);
    together(table);
}

fn each(
    table: &mut Table<'_>,
    by: &Member,
    good: &Value,
    cases: &[(&str, Value, &'static str, &str)],
) {
    for (place, value, code, pointer) in cases {
        let record = with(good, place, value.clone()).to_string();
        // Beyond a few words a value says nothing more about the case.
        let name: String = format!("{place} {value}").chars().take(80).collect();
        table.record(name, by, &record, 422, code, pointer);
    }
}

fn invoices(table: &mut Table<'_>) {
    let merchant = table.demo.merchant();
    let good = Document::invoice(&merchant, None).record;
    let line = |line: Value| json!([{"name": "*餐饮服务*餐费", "amount": "1000.00", "tax_rate": "0.06", "tax": "60.00"}, line]);
    each(
        table,
        &merchant,
        &good,
        &[
            ("/id", json!("a b"), "record_id_spelling", "/id"),
            ("/id", json!(""), "record_id_spelling", "/id"),
            ("/id", json!("x".repeat(65)), "record_id_spelling", "/id"),
            ("/id", json!("票"), "record_id_spelling", "/id"),
            ("/at", json!("2026-11-21T14:30:00"), "time_spelling", "/at"),
            (
                "/at",
                json!("2026-11-21 14:30:00+08:00"),
                "time_spelling",
                "/at",
            ),
            ("/at", json!("2026-02-30T00:00:00Z"), "time_spelling", "/at"),
            (
                "/invoice/number",
                json!("2633200000000000000"),
                "document_number_spelling",
                "/invoice/number",
            ),
            (
                "/invoice/number",
                json!("２６３３２０００００００００００００００"),
                "document_number_spelling",
                "/invoice/number",
            ),
            (
                "/invoice/number",
                json!(" 6332000000000000001"),
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
                "/invoice/kind",
                json!("082"),
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
                "/invoice/issue_date",
                json!("20261121"),
                "date_spelling",
                "/invoice/issue_date",
            ),
            (
                "/invoice/issue_date",
                json!("2026-11-1"),
                "date_spelling",
                "/invoice/issue_date",
            ),
            (
                "/invoice/seller/name",
                json!(""),
                "text_blank",
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
                json!("甲\u{0}"),
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
                "/invoice/seller/id",
                json!("9133"),
                "member_id_spelling",
                "/invoice/seller/id",
            ),
            (
                "/invoice/buyer",
                json!({"id": "91350100M000100Y44", "name": "乙"}),
                "member_id_check_digit",
                "/invoice/buyer/id",
            ),
            (
                "/invoice/buyer",
                json!({"id": "11010519491231002X", "name": "某人"}),
                "personal_id_in_clear",
                "/invoice/buyer/id",
            ),
            (
                "/invoice/buyer",
                json!({"id": "123", "name": "乙"}),
                "buyer_id_spelling",
                "/invoice/buyer/id",
            ),
            ("/invoice/lines", json!([]), "line_count", "/invoice/lines"),
            (
                "/invoice/lines/0/name",
                json!(" "),
                "text_blank",
                "/invoice/lines/0/name",
            ),
            (
                "/invoice/lines/0/quantity",
                json!("1e0"),
                "decimal_spelling",
                "/invoice/lines/0/quantity",
            ),
            (
                "/invoice/lines/0/quantity",
                json!("1".repeat(26)),
                "decimal_spelling",
                "/invoice/lines/0/quantity",
            ),
            (
                "/invoice/lines/0/quantity",
                json!("-1"),
                "negative_value",
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
                "/invoice/lines/0/tax_rate",
                json!("免征"),
                "tax_rate_spelling",
                "/invoice/lines/0/tax_rate",
            ),
            (
                "/invoice/lines/0/tax",
                json!("60.5.0"),
                "money_spelling",
                "/invoice/lines/0/tax",
            ),
            (
                "/invoice/total",
                json!("1061.00"),
                "total_mismatch",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("1060.001"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("+1060.00"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("1,060.00"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("01060.00"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("1060."),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("１０６０"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("1.06e3"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("¥1060.00"),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!(""),
                "money_spelling",
                "/invoice/total",
            ),
            (
                "/invoice/total",
                json!("99999999999.00"),
                "amount_too_large",
                "/invoice/total",
            ),
            (
                "/invoice/note",
                json!("字".repeat(1_001)),
                "text_too_long",
                "/invoice/note",
            ),
            (
                "/invoice/payment",
                json!({"fund": "0.00", "other": "0.00", "account": "60.00", "cash": "999.98", "self_pay": "1059.98", "self_fund": "0.00"}),
                "payment_sources_mismatch",
                "/invoice/payment/fund",
            ),
        ],
    );
    let with_quantity = with(
        &with(&good, "/invoice/lines/0/unit_price", json!("499.99")),
        "/invoice/lines/0/quantity",
        json!("2"),
    );
    table.record(
        "quantity × price",
        &merchant,
        &with_quantity.to_string(),
        422,
        "line_amount_mismatch",
        "/invoice/lines/0/amount",
    );
    // A discount that breaks one rule each, its sums made good.
    let discounted = |amount: &str, tax: &str, rate: &str| {
        let line = line(json!({"name": "折扣", "amount": amount, "tax_rate": rate, "tax": tax}));
        with(&good, "/invoice/lines", line)
    };
    let mut twice = discounted("-100.00", "-6.00", "0.06");
    twice["invoice"]["lines"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "再折", "amount": "-1.00", "tax_rate": "0.06", "tax": "-0.06"}));
    for (record, code, pointer, sums) in [
        (
            discounted("-100.00", "-9.00", "0.09"),
            "discount_rate_differs",
            "/invoice/lines/1/tax_rate",
            ["900.00", "51.00", "951.00"],
        ),
        (
            twice,
            "discount_without_parent",
            "/invoice/lines/2/amount",
            ["899.00", "53.94", "952.94"],
        ),
        (
            with(
                &discounted("-100.00", "-6.00", "0.06"),
                "/invoice/lines/1/quantity",
                json!("1"),
            ),
            "discount_with_quantity",
            "/invoice/lines/1/quantity",
            ["900.00", "54.00", "954.00"],
        ),
        (
            discounted("100.00", "6.07", "0.06"),
            "line_tax_mismatch",
            "/invoice/lines/1/tax",
            ["1100.00", "66.07", "1166.07"],
        ),
        (
            discounted("100.00", "0.01", "免税"),
            "tax_on_untaxed_line",
            "/invoice/lines/1/tax",
            ["1100.00", "60.01", "1160.01"],
        ),
        (
            discounted("0.50", "-0.02", "0.06"),
            "tax_sign_opposed",
            "/invoice/lines/1/tax",
            ["1000.50", "59.98", "1060.48"],
        ),
        (
            discounted("100.00", "17.00", "0.17"),
            "tax_rate_not_in_force",
            "/invoice/lines/1/tax_rate",
            ["1100.00", "77.00", "1177.00"],
        ),
        (
            discounted("100.00", "6.00", "0.06"),
            "total_without_tax_mismatch",
            "/invoice/total_without_tax",
            ["1099.00", "66.00", "1165.00"],
        ),
        (
            discounted("100.00", "6.00", "0.06"),
            "total_tax_mismatch",
            "/invoice/total_tax",
            ["1100.00", "65.00", "1165.00"],
        ),
    ] {
        let mut record = record;
        for (name, sum) in ["total_without_tax", "total_tax", "total"]
            .into_iter()
            .zip(sums)
        {
            record["invoice"][name] = sum.into();
        }
        table.record(code, &merchant, &record.to_string(), 422, code, pointer);
    }
    let mut nothing = with(&good, "/invoice/lines/0/amount", json!("0.00"));
    nothing["invoice"]["lines"][0]["tax"] = "0.00".into();
    for name in ["total_without_tax", "total_tax", "total"] {
        nothing["invoice"][name] = "0.00".into();
    }
    table.record(
        "nothing sold",
        &merchant,
        &nothing.to_string(),
        422,
        "total_not_positive",
        "/invoice/total",
    );
    let sealed = json!({"alg": "SM4-GCM", "nonce": "AAAAAAAAAAAAAAAA", "ciphertext": "AAAAAAAAAAAAAAAAAAAAAA==",
        "wraps": [{"kid": "00112233445566778899aabbccddeeff", "key": "MAMCAQE="}], "root": "00".repeat(32)});
    let good = with(&good, "/invoice/sealed", sealed.clone());
    let wrap = sealed["wraps"][0].clone();
    each(
        table,
        &merchant,
        &good,
        &[
            (
                "/invoice/sealed/alg",
                json!("AES-GCM"),
                "sealed_algorithm_unknown",
                "/invoice/sealed/alg",
            ),
            (
                "/invoice/sealed/nonce",
                json!("AAAA"),
                "sealed_nonce_length",
                "/invoice/sealed/nonce",
            ),
            (
                "/invoice/sealed/nonce",
                json!("AAAAAAAAAAAAAAA"),
                "base64_spelling",
                "/invoice/sealed/nonce",
            ),
            (
                "/invoice/sealed/ciphertext",
                json!("AAAA"),
                "sealed_ciphertext_length",
                "/invoice/sealed/ciphertext",
            ),
            (
                "/invoice/sealed/wraps",
                json!([]),
                "sealed_wrap_count",
                "/invoice/sealed/wraps",
            ),
            (
                "/invoice/sealed/wraps",
                json!([wrap, wrap]),
                "sealed_wrap_repeated",
                "/invoice/sealed/wraps/1/kid",
            ),
            (
                "/invoice/sealed/wraps/0/key",
                json!("MAQCAQE="),
                "sealed_wrap_spelling",
                "/invoice/sealed/wraps/0/key",
            ),
            (
                "/invoice/sealed/wraps/0/kid",
                json!("00"),
                "kid_spelling",
                "/invoice/sealed/wraps/0/kid",
            ),
            (
                "/invoice/sealed/root",
                json!("00"),
                "hash_spelling",
                "/invoice/sealed/root",
            ),
        ],
    );
}

fn bills(table: &mut Table<'_>) {
    let hospital = table.demo.member("hospital", 1);
    let good = Document::bill(&hospital).record;
    each(
        table,
        &hospital,
        &good,
        &[
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
        ],
    );
}

fn others(table: &mut Table<'_>) {
    let demo = table.demo;
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let document = "D:26332000000000000001";
    let lock = record_value(
        &employer,
        "claim.lock",
        json!({
            "document": document, "amount": "1.00", "kind": "employer", "component": "any",
            "reference": "BX", "expires_at": in_hours(1),
        }),
    );
    each(
        table,
        &employer,
        &lock,
        &[
            (
                "/document",
                json!("D:2633200000000000000"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("d:26332000000000000001"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("26332000000000000001"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("D: 26332000000000000001"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("Ｄ:26332000000000000001"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("D:２6332000000000000001"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("P:044031900111-1234567"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("P:04403190011-12345678"),
                "document_key_spelling",
                "/document",
            ),
            (
                "/document",
                json!("F:33060122-123456789"),
                "document_key_spelling",
                "/document",
            ),
            ("/amount", json!("0.00"), "amount_not_positive", "/amount"),
            ("/amount", json!("-1.00"), "amount_not_positive", "/amount"),
            ("/kind", json!("Employer"), "claim_kind_unknown", "/kind"),
            (
                "/component",
                json!("none"),
                "component_unknown",
                "/component",
            ),
            (
                "/reference",
                json!("r".repeat(201)),
                "text_too_long",
                "/reference",
            ),
            (
                "/expires_at",
                json!("2026-12-01"),
                "time_spelling",
                "/expires_at",
            ),
        ],
    );
    let reference = with(&lock, "/kind", json!("reference")).to_string();
    table.record(
        "a reference with money",
        &employer,
        &reference,
        422,
        "reference_with_amount",
        "/amount",
    );
    let settle = record_value(
        &employer,
        "claim.settle",
        json!({
            "claim": "x", "amount": "1.00", "voucher": "v", "booked_on": "2026-11-21", "booking": "02",
        }),
    );
    each(
        table,
        &employer,
        &settle,
        &[
            ("/claim", json!("x/y"), "record_id_spelling", "/claim"),
            (
                "/voucher",
                json!("v".repeat(51)),
                "text_too_long",
                "/voucher",
            ),
            (
                "/booked_on",
                json!("yesterday"),
                "date_spelling",
                "/booked_on",
            ),
            ("/booking", json!("01"), "booking_unknown", "/booking"),
        ],
    );
    let reverse = record_value(
        &merchant,
        "document.reverse",
        json!({
            "document": document, "amount": "1.00", "reason": "01", "red_number": "26332000000000000002",
        }),
    );
    each(
        table,
        &merchant,
        &reverse,
        &[
            ("/reason", json!("05"), "reversal_reason_unknown", "/reason"),
            ("/reason", json!("1"), "reversal_reason_unknown", "/reason"),
            (
                "/red_number",
                json!("26332"),
                "red_number_spelling",
                "/red_number",
            ),
            ("/amount", json!("0"), "amount_not_positive", "/amount"),
        ],
    );
    let alias = record_value(
        &merchant,
        "document.alias",
        json!({"document": document, "alias": document}),
    );
    table.record(
        "an alias of itself",
        &merchant,
        &alias.to_string(),
        422,
        "alias_is_document",
        "/alias",
    );
    let share = record_value(
        &employer,
        "share.grant",
        json!({"document": document, "to": employer.id, "amount": "1.00"}),
    );
    table.record(
        "a share to oneself",
        &employer,
        &share.to_string(),
        422,
        "share_to_self",
        "/to",
    );
    let key = "04".to_owned() + &"11".repeat(64);
    let admit = record_value(
        &tax,
        "member.admit",
        json!({
            "member": {"id": "91350100M000100Y43", "name": "新", "roles": ["employer"]},
            "key": {"public_key": tax.signer_hex()},
        }),
    );
    each(
        table,
        &tax,
        &admit,
        &[
            (
                "/member/id",
                json!("91350100M000100Y44"),
                "member_id_check_digit",
                "/member/id",
            ),
            (
                "/member/id",
                json!("91350100m000100y43"),
                "member_id_spelling",
                "/member/id",
            ),
            ("/member/roles", json!([]), "roles_empty", "/member/roles"),
            (
                "/member/roles",
                json!(["king"]),
                "role_unknown",
                "/member/roles/0",
            ),
            (
                "/member/roles",
                json!(["employer", "employer"]),
                "role_repeated",
                "/member/roles/1",
            ),
            (
                "/key/public_key",
                json!(key),
                "public_key_invalid",
                "/key/public_key",
            ),
            (
                "/key/public_key",
                json!("00"),
                "public_key_invalid",
                "/key/public_key",
            ),
            (
                "/key/public_key",
                json!(tax.signer_hex().to_uppercase()),
                "public_key_invalid",
                "/key/public_key",
            ),
            (
                "/key/not_after",
                json!("2030"),
                "time_spelling",
                "/key/not_after",
            ),
        ],
    );
    let quota = record_value(
        &tax,
        "quota.set",
        json!({"member": merchant.id, "month": "2026-11", "amount": "1.00"}),
    );
    each(
        table,
        &tax,
        &quota,
        &[
            ("/month", json!("2026-13"), "month_spelling", "/month"),
            ("/month", json!("2026-1"), "month_spelling", "/month"),
            ("/amount", json!("-1.00"), "negative_value", "/amount"),
        ],
    );
    let revoke = record_value(&tax, "key.revoke", json!({"member": tax.id, "kid": "zz"}));
    table.record(
        "a kid of two letters",
        &tax,
        &revoke.to_string(),
        422,
        "kid_spelling",
        "/kid",
    );
}

/// Everything that is wrong is named at once.
fn together(table: &mut Table<'_>) {
    let merchant = table.demo.merchant();
    let mut record = Document::invoice(&merchant, None).record;
    record["invoice"]["kind"] = "99".into();
    record["invoice"]["buyer"]["name"] = "".into();
    record["invoice"]["lines"][0]["tax"] = "61.00".into();
    record["invoice"]["total"] = "1.00".into();
    table.record(
        "all at once",
        &merchant,
        &record.to_string(),
        422,
        "text_blank",
        "",
    );
    table.rows.last_mut().unwrap().errors = [
        ("invoice_kind_unknown", "/invoice/kind"),
        ("text_blank", "/invoice/buyer/name"),
        ("line_tax_mismatch", "/invoice/lines/0/tax"),
        ("total_tax_mismatch", "/invoice/total_tax"),
        ("total_mismatch", "/invoice/total"),
    ]
    .map(|(code, pointer)| (code, pointer.to_owned()))
    .into();
}
