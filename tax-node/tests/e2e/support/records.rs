//! Records as a client without our library would write them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::{Member, in_hours, now, today};

/// Makes ids and numbers differ within a test process.
static SERIAL: AtomicU64 = AtomicU64::new(1);

fn serial() -> u64 {
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// An id that no other record of this process has.
fn fresh_id(word: &str) -> String {
    format!("{word}-{}", serial())
}

/// A record with a fresh id and these members beyond the common ones.
pub(crate) fn record(by: &Member, kind: &str, members: Value) -> String {
    record_value(by, kind, members).to_string()
}

/// The same, to be spoilt.
pub(crate) fn record_value(by: &Member, kind: &str, members: Value) -> Value {
    let mut record = Map::new();
    record.insert("type".into(), kind.into());
    let word = kind.replace(['.', '_'], "-");
    record.insert("id".into(), fresh_id(&word).into());
    record.insert("by".into(), by.id.clone().into());
    record.insert("at".into(), now().to_rfc3339_utc8().into());
    let Value::Object(members) = members else {
        panic!("not an object")
    };
    record.extend(members);
    Value::Object(record)
}

/// The `id` of a record's text.
pub(crate) fn id_of(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap();
    record["id"].as_str().unwrap().to_owned()
}

/// A document to be issued: an invoice of 1060.00 yuan, or a bill of 4500.00.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) key: String,
    pub(crate) record: Value,
}

impl Document {
    /// An invoice to a natural person, or to an organisation.
    pub(crate) fn invoice(seller: &Member, buyer: Option<&Member>) -> Self {
        let number = format!("26332{:015}", 100_000_000_000_000 + serial());
        let buyer = match buyer {
            Some(buyer) => json!({"id": buyer.id, "name": buyer.name}),
            None => json!({"name": "个人"}),
        };
        let record = record_value(
            seller,
            "invoice.issue",
            json!({"invoice": {
                "number": number, "kind": "82", "issue_date": today().to_string(),
                "seller": {"id": seller.id, "name": seller.name}, "buyer": buyer,
                "lines": [{"name": "*餐饮服务*餐费", "amount": "1000.00", "tax_rate": "0.06", "tax": "60.00"}],
                "total_without_tax": "1000.00", "total_tax": "60.00", "total": "1060.00",
            }}),
        );
        Self {
            key: format!("D:{number}"),
            record,
        }
    }

    /// A fiscal medical bill: 3600.00 from the fund, 900.00 borne by the patient.
    pub(crate) fn bill(issuer: &Member) -> Self {
        let number = format!("{:010}", serial());
        let record = record_value(
            issuer,
            "bill.issue",
            json!({"bill": {
                "code": "33060126", "number": number, "check_code": "a1B2c3",
                "issue_date": today().to_string(),
                "issuer": {"id": issuer.id, "name": issuer.name}, "visit": "inpatient",
                "items": [{"name": "床位费", "amount": "500.00"}, {"code": "02", "name": "手术费", "amount": "4000.00"}],
                "total": "4500.00",
                "payment": {"fund": "3600.00", "other": "0.00", "account": "400.00", "cash": "500.00",
                            "self_pay": "600.00", "self_fund": "300.00"},
            }}),
        );
        Self {
            key: format!("F:33060126-{number}"),
            record,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.record.to_string()
    }
}

/// `claim.lock` of an amount, or of all that is left, for a week.
pub(crate) fn lock(by: &Member, document: &str, kind: &str, amount: Option<&str>) -> String {
    let mut members = json!({
        "document": document, "kind": kind, "reference": "BX-2026-001", "expires_at": in_hours(24 * 7),
    });
    if let Some(amount) = amount {
        members["amount"] = amount.into();
    }
    record(by, "claim.lock", members)
}

/// `claim.settle` of a lock.
pub(crate) fn settle(by: &Member, claim: &str, amount: &str) -> String {
    record(
        by,
        "claim.settle",
        json!({
            "claim": claim, "amount": amount, "voucher": "PZ-0001",
            "booked_on": today().to_string(), "booking": "02",
        }),
    )
}

/// `document.reverse`.
pub(crate) fn reverse(by: &Member, document: &str, amount: &str, reason: &str) -> String {
    record(
        by,
        "document.reverse",
        json!({"document": document, "amount": amount, "reason": reason}),
    )
}
