//! Records to print, as clients write them.

use serde_json::{Value, json};

/// A link as long as a node's usual one.
pub(crate) const LINK: &str = "https://piaolian.example.gov.cn/v/D:26332000000012345678?amount=16960.00&date=2026-11-20&h=AbCdEfGhIjKlMnOpQrStUw&i=123456&k=0a1b2c3d&s=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw";

fn record(kind: &str, body: Value) -> String {
    let mut record = json!({
        "type": kind, "id": "A-1", "by": "91330100MA0000003M",
        "at": "2026-11-20T10:00:00+08:00",
    });
    let members = record.as_object_mut().unwrap();
    members.extend(body.as_object().unwrap().clone());
    record.to_string()
}

/// An invoice with so many lines of 100.00 at 6 %, changed by the caller.
pub(crate) fn invoice(lines: usize, change: impl FnOnce(&mut Value)) -> String {
    let without_tax = 100 * lines;
    let tax = 6 * lines;
    let lines: Vec<Value> = (0..lines)
        .map(|number| {
            json!({
                "name": format!("*信息技术服务*软件维护{}", number + 1), "spec": "V3.2", "unit": "次",
                "quantity": "4", "unit_price": "25", "amount": "100.00", "tax_rate": "0.06", "tax": "6.00",
            })
        })
        .collect();
    let mut invoice = json!({
        "number": "26332000000012345678", "kind": "81", "issue_date": "2026-11-20",
        "seller": {"id": "91330100MA0000003M", "name": "杭州某某信息技术有限公司"},
        "buyer": {"id": "91350100M000100Y43", "name": "福建某某贸易有限公司"},
        "lines": lines,
        "total_without_tax": format!("{without_tax}.00"), "total_tax": format!("{tax}.00"),
        "total": format!("{}.00", without_tax + tax),
        "note": "合同号 HT-2026-0815；收款账号见合同。",
    });
    change(&mut invoice);
    record("invoice.issue", json!({ "invoice": invoice }))
}

/// The same invoice as an authority registers it.
pub(crate) fn registered() -> String {
    let mut record: Value = serde_json::from_str(&invoice(1, |_| {})).unwrap();
    record["type"] = "document.register".into();
    record["original"] = json!({"sm3": "ab".repeat(32), "format": "ofd", "signature": "verified"});
    record.to_string()
}

/// A bill with so many items of 100.00, paid half by the fund.
pub(crate) fn bill(items: usize, visit: &str) -> String {
    let names = [
        "床位费",
        "诊察费",
        "检查费",
        "化验费",
        "治疗费",
        "手术费",
        "护理费",
        "西药费",
    ];
    let total = 100 * items;
    let items: Vec<Value> = (0..items)
        .map(|number| {
            json!({"code": format!("{:02}", number + 1), "name": names[number % names.len()], "amount": "100.00"})
        })
        .collect();
    let half = format!("{}.00", total / 2);
    record(
        "bill.issue",
        json!({"bill": {
            "code": "33060226", "number": "0000012345", "check_code": "a1B2c3",
            "issue_date": "2026-11-20",
            "issuer": {"id": "91330100MA0000003M", "name": "浙江某某医院"}, "visit": visit,
            "items": items, "total": format!("{total}.00"),
            "payment": {"fund": half, "other": "0.00", "account": "0.00", "cash": half,
                        "self_pay": half, "self_fund": "0.00"},
        }}),
    )
}
