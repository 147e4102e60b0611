//! Records without `by`, `id` and `at`, as short as tables need them.

use invoice_core::record::{ClaimKind, Component};
use serde_json::{Value, json};

use crate::common::{member_id, secret};

/// Changes a member of a JSON value by its pointer, or adds it.
pub(crate) trait Set {
    fn set(self, pointer: &str, value: impl Into<Value>) -> Value;
}

impl Set for Value {
    fn set(mut self, pointer: &str, value: impl Into<Value>) -> Value {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("an object");
        parent.insert(name.into(), value.into());
        self
    }
}

/// An invoice of 100.00 and 6.00 of tax under a number of 20 digits, for a buyer or a person.
pub(crate) fn invoice(key: &str, seller: usize, buyer: Option<usize>) -> Value {
    let number = key.strip_prefix("D:").expect("a digital number");
    let mut to = json!({"name": "买方"});
    if let Some(buyer) = buyer {
        to = to.set("/id", member_id(buyer as u16).to_string());
    }
    json!({"type": "invoice.issue", "invoice": {
        "number": number, "kind": "82", "issue_date": "2026-11-21",
        "seller": {"id": member_id(seller as u16).to_string(), "name": "卖方"}, "buyer": to,
        "lines": [{"name": "服务", "amount": "100.00", "tax_rate": "0.06", "tax": "6.00"}],
        "total_without_tax": "100.00", "total_tax": "6.00", "total": "106.00",
    }})
}

/// A bill of 100.00 of which a fund paid a part; the patient's is 3/5 self-pay, 2/5 self-fund.
pub(crate) fn bill(key: &str, issuer: usize, fund: i64) -> Value {
    let (code, number) = key
        .strip_prefix("F:")
        .and_then(|key| key.split_once('-'))
        .expect("a fiscal number");
    json!({"type": "bill.issue", "bill": {
        "code": code, "number": number, "check_code": "a1B2c3", "issue_date": "2026-11-21",
        "issuer": {"id": member_id(issuer as u16).to_string(), "name": "医院"}, "visit": "outpatient",
        "items": [{"name": "诊察", "amount": "100.00"}], "total": "100.00", "payment": payment(100, fund),
    }})
}

/// The same document, issued elsewhere and registered by an authority.
pub(crate) fn register(issue: Value) -> Value {
    let original = json!({"sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04",
        "format": "ofd", "signature": "verified"});
    issue
        .set("/type", "document.register")
        .set("/original", original)
}

/// A payment split of so many whole yuan.
pub(crate) fn payment(total: i64, fund: i64) -> Value {
    let borne = total - fund;
    let [fund, cash, pay, own] =
        [fund, borne, borne * 3 / 5, borne - borne * 3 / 5].map(|yuan| format!("{yuan}.00"));
    json!({"fund": fund, "other": "0.00", "account": "0.00", "cash": cash, "self_pay": pay, "self_fund": own})
}

/// A lock for a day from the beginning of the chain.
pub(crate) fn lock(document: &str, kind: ClaimKind, amount: &str) -> Value {
    json!({"type": "claim.lock", "document": document, "amount": amount, "kind": kind.as_str(),
        "reference": "报销单", "expires_at": "2026-11-22T12:00:00+08:00"})
}

/// A lock on one component.
pub(crate) fn lock_of(
    component: Component,
    document: &str,
    kind: ClaimKind,
    amount: &str,
) -> Value {
    lock(document, kind, amount).set("/component", component.as_str())
}

pub(crate) fn settle(claim: &str, amount: &str) -> Value {
    json!({"type": "claim.settle", "claim": claim, "amount": amount, "voucher": "记-1",
        "booked_on": "2026-11-21", "booking": "02"})
}

pub(crate) fn release(claim: &str) -> Value {
    json!({"type": "claim.release", "claim": claim, "reason": "撤回"})
}

pub(crate) fn take_back(claim: &str, amount: &str) -> Value {
    json!({"type": "claim.reverse", "claim": claim, "amount": amount, "reason": "更正"})
}

pub(crate) fn reverse(document: &str, amount: &str) -> Value {
    json!({"type": "document.reverse", "document": document, "amount": amount, "reason": "02"})
}

pub(crate) fn confirm(document: &str, amount: &str) -> Value {
    json!({"type": "document.confirm_reversal", "document": document, "amount": amount})
}

pub(crate) fn freeze(document: &str) -> Value {
    json!({"type": "document.freeze", "document": document, "reason": "核查"})
}

pub(crate) fn unfreeze(document: &str) -> Value {
    json!({"type": "document.unfreeze", "document": document, "reason": "核查完毕"})
}

pub(crate) fn alias(document: &str, alias: &str) -> Value {
    json!({"type": "document.alias", "document": document, "alias": alias})
}

pub(crate) fn grant(document: &str, to: u16, amount: &str) -> Value {
    json!({"type": "share.grant", "document": document, "to": member_id(to).to_string(), "amount": amount})
}

/// Admits a member by number under a key by number.
pub(crate) fn admit(member: u16, key: u16) -> Value {
    json!({"type": "member.admit",
        "member": {"id": member_id(member).to_string(), "name": "新成员", "roles": ["employer"]},
        "key": {"public_key": secret(key).public_key().to_hex()}})
}

pub(crate) fn suspend(member: u16) -> Value {
    json!({"type": "member.suspend", "member": member_id(member).to_string(), "reason": "核查"})
}

pub(crate) fn resume(member: u16) -> Value {
    json!({"type": "member.resume", "member": member_id(member).to_string(), "reason": "恢复"})
}

pub(crate) fn key_add(member: u16, key: u16) -> Value {
    json!({"type": "key.add", "member": member_id(member).to_string(),
        "key": {"public_key": secret(key).public_key().to_hex()}})
}

pub(crate) fn key_revoke(member: u16, key: u16) -> Value {
    let kid = secret(key).public_key().kid().to_string();
    json!({"type": "key.revoke", "member": member_id(member).to_string(), "kid": kid})
}

pub(crate) fn quota(member: u16, amount: &str) -> Value {
    json!({"type": "quota.set", "member": member_id(member).to_string(), "month": "2026-11", "amount": amount})
}
