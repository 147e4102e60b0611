//! Rules of recorded state (409): the refusal itself is recorded, and nothing else.

use invoice_core::crypto::SecretKey;
use serde_json::{Value, json};

use super::Table;
use crate::support::records::{id_of, lock, record, record_value, reverse, settle};
use crate::support::{Demo, Document, Member, in_hours, today};

pub(super) async fn rows(table: &mut Table<'_>) {
    members(table).await;
    documents(table).await;
    claims(table).await;
    reused_ids(table).await;
    table.send().await;
}

async fn accepted(demo: &Demo, by: &Member, text: String) -> String {
    demo.http.accept(by, &text).await;
    id_of(&text)
}

/// A new member with this role, admitted now.
async fn admitted(demo: &Demo, id: &str, role: &str, secret: u8) -> Member {
    let key = SecretKey::from_bytes(&[secret; 32]).unwrap();
    let member = Member {
        id: id.to_owned(),
        name: "新成员".to_owned(),
        roles: vec![role.to_owned()],
        ..demo.tax().with_key(key)
    };
    let admit = record(
        &demo.tax(),
        "member.admit",
        json!({"member": {"id": id, "name": member.name, "roles": [role]}, "key": {"public_key": member.signer_hex()}}),
    );
    demo.http.accept(&demo.tax(), &admit).await;
    member
}

async fn issued(demo: &Demo, document: Document, by: &Member) -> Document {
    demo.http.accept(by, &document.text()).await;
    document
}

async fn members(table: &mut Table<'_>) {
    let demo = table.demo;
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let nobody = "91350100M000100Y43";
    let key = SecretKey::from_bytes(&[21; 32]).unwrap().public_key();
    let key_of = |text: String, until: Option<String>| {
        let mut key = json!({"public_key": text});
        if let Some(until) = until {
            key["not_after"] = until.into();
        }
        key
    };
    let admit = |id: &str, key: Value| {
        record(
            &tax,
            "member.admit",
            json!({"member": {"id": id, "name": "新", "roles": ["employer"]}, "key": key}),
        )
    };
    let about =
        |kind: &str, member: &str| record(&tax, kind, json!({"member": member, "reason": "r"}));
    let revoke = |member: &str, kid: String| {
        record(
            &tax,
            "key.revoke",
            json!({"member": member, "kid": kid, "reason": "r"}),
        )
    };
    let quota = |member: &str| {
        record(
            &tax,
            "quota.set",
            json!({"member": member, "month": "2026-11", "amount": "1.00"}),
        )
    };
    // A second key of the merchant, revoked again.
    let add = record(
        &merchant,
        "key.add",
        json!({"member": merchant.id, "key": {"public_key": key.to_hex()}}),
    );
    accepted(demo, &merchant, add).await;
    accepted(demo, &tax, revoke(&merchant.id, key.kid().to_string())).await;
    let idle = demo.member("auditor", 1);
    accepted(demo, &tax, about("member.suspend", &idle.id)).await;
    let fresh = SecretKey::from_bytes(&[22; 32])
        .unwrap()
        .public_key()
        .to_hex();
    for (text, code) in [
        (
            admit(&merchant.id, key_of(fresh.clone(), None)),
            "member_exists",
        ),
        (
            admit(nobody, key_of(merchant.signer_hex(), None)),
            "kid_exists",
        ),
        (admit(nobody, key_of(key.to_hex(), None)), "kid_exists"),
        (
            admit(nobody, key_of(fresh, Some("2026-01-01T00:00:00Z".into()))),
            "key_expiry_past",
        ),
        (about("member.suspend", nobody), "member_unknown"),
        (about("member.resume", &merchant.id), "member_not_suspended"),
        (
            about("member.suspend", &idle.id),
            "member_already_suspended",
        ),
        (revoke(&merchant.id, employer.kid()), "key_not_found"),
        (revoke(&merchant.id, "0".repeat(32)), "key_not_found"),
        (
            revoke(&merchant.id, key.kid().to_string()),
            "key_already_revoked",
        ),
        (quota(nobody), "member_unknown"),
        (quota(&employer.id), "member_not_issuer"),
    ] {
        table.refused(&tax, &text, code);
    }
    table.send().await;
}

async fn documents(table: &mut Table<'_>) {
    let demo = table.demo;
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let other = demo.member("merchant", 2);
    let hospital = demo.member("hospital", 1);
    let unknown = "D:26332099999999999999";
    let again = |document: &Document, id: &str| {
        let mut record = document.record.clone();
        record["id"] = id.into();
        record
    };
    let first = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    table.refused(
        &merchant,
        &again(&first, "first-again").to_string(),
        "document_exists",
    );
    let mut respelt = again(&first, "first-respelt");
    respelt["invoice"]["total"] = "1060.0".into();
    respelt["invoice"]["lines"][0]["tax_rate"] = "0.060".into();
    table.refused(&merchant, &respelt.to_string(), "document_exists");
    let mut differs = again(&first, "first-differs");
    differs["invoice"]["buyer"]["name"] = "别人".into();
    table.refused(&merchant, &differs.to_string(), "document_conflict");
    let mut seized = Document::invoice(&other, None).record;
    seized["invoice"]["number"] = first.record["invoice"]["number"].clone();
    table.refused(&other, &seized.to_string(), "document_conflict");
    let mut tomorrow = Document::invoice(&merchant, None).record;
    tomorrow["invoice"]["issue_date"] = today().next().unwrap().next().unwrap().to_string().into();
    table.refused(&merchant, &tomorrow.to_string(), "issue_date_in_future");
    // A merchant whose quota of the month is spent.
    let poor = admitted(demo, "91350100M000100Y43", "merchant", 31).await;
    let quota =
        json!({"member": poor.id, "month": today().month().to_string(), "amount": "1500.00"});
    accepted(demo, &tax, record(&tax, "quota.set", quota)).await;
    issued(demo, Document::invoice(&poor, None), &poor).await;
    table.refused(
        &poor,
        &Document::invoice(&poor, None).text(),
        "quota_exceeded",
    );

    table.send().await;
    for (by, text, code) in [
        (
            &merchant,
            reverse(&merchant, unknown, "1.00", "02"),
            "document_unknown",
        ),
        (
            &employer,
            lock(&employer, unknown, "employer", None),
            "document_unknown",
        ),
        (
            &other,
            reverse(&other, &first.key, "1060.00", "01"),
            "not_issuer",
        ),
        (
            &merchant,
            reverse(&merchant, &first.key, "1059.99", "01"),
            "reversal_must_be_whole",
        ),
        (
            &merchant,
            reverse(&merchant, &first.key, "1060.01", "02"),
            "reversal_exceeds_remaining",
        ),
    ] {
        table.refused(by, &text, code);
    }
    let alias = |by: &Member, document: &str, alias: &str| {
        record(
            by,
            "document.alias",
            json!({"document": document, "alias": alias}),
        )
    };
    let paper = "P:044031900111-12345678";
    table.send().await;
    accepted(demo, &merchant, alias(&merchant, &first.key, paper)).await;
    let second = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    table.refused(
        &merchant,
        &alias(&merchant, &second.key, paper),
        "identity_taken",
    );
    table.refused(
        &merchant,
        &alias(&merchant, &second.key, "F:33060122-0123456789"),
        "alias_not_applicable",
    );
    table.refused(
        &other,
        &alias(&other, &second.key, "P:044031900111-12345679"),
        "not_issuer",
    );
    let bill = issued(demo, Document::bill(&hospital), &hospital).await;
    table.refused(
        &hospital,
        &reverse(&hospital, &bill.key, "1.00", "02"),
        "reversal_must_be_whole",
    );
    accepted(
        demo,
        &employer,
        lock(&employer, &bill.key, "employer", Some("1.00")),
    )
    .await;
    table.refused(
        &hospital,
        &alias(&hospital, &bill.key, "F:33060199-0000000001"),
        "document_in_use",
    );
    let exchanged = issued(demo, Document::bill(&hospital), &hospital).await;
    accepted(
        demo,
        &hospital,
        alias(&hospital, &exchanged.key, "F:33060199-0000000002"),
    )
    .await;
    table.refused(
        &employer,
        &lock(&employer, &exchanged.key, "employer", None),
        "reissued_on_paper",
    );

    let about = |kind: &str, document: &str| {
        record(&tax, kind, json!({"document": document, "reason": "r"}))
    };
    table.refused(
        &tax,
        &about("document.unfreeze", &second.key),
        "document_not_frozen",
    );
    table.send().await;
    accepted(demo, &tax, about("document.freeze", &second.key)).await;
    table.refused(
        &tax,
        &about("document.freeze", &second.key),
        "document_already_frozen",
    );
    table.refused(
        &employer,
        &lock(&employer, &second.key, "employer", None),
        "document_frozen",
    );
    let gone = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    accepted(
        demo,
        &merchant,
        reverse(&merchant, &gone.key, "1060.00", "01"),
    )
    .await;
    table.refused(
        &employer,
        &lock(&employer, &gone.key, "employer", None),
        "document_reversed",
    );
    table.refused(
        &merchant,
        &reverse(&merchant, &gone.key, "1.00", "02"),
        "document_reversed",
    );
}

async fn claims(table: &mut Table<'_>) {
    let demo = table.demo;
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let (insurer, health) = (demo.member("insurer", 1), demo.member("health", 1));
    let hospital = demo.member("hospital", 1);
    let open = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    let named = issued(
        demo,
        Document::invoice(&merchant, Some(&employer)),
        &merchant,
    )
    .await;
    let bill = issued(demo, Document::bill(&hospital), &hospital).await;
    let with = |text: String, name: &str, value: &str| {
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record[name] = value.into();
        record.to_string()
    };
    let share = |by: &Member, amount: &str| {
        record(
            by,
            "share.grant",
            json!({"document": named.key, "to": insurer.id, "amount": amount}),
        )
    };
    let confirm = |by: &Member, amount: &str| {
        record(
            by,
            "document.confirm_reversal",
            json!({"document": open.key, "amount": amount}),
        )
    };
    let release = |claim: &str| {
        record(
            &employer,
            "claim.release",
            json!({"claim": claim, "reason": "r"}),
        )
    };
    let take_back = |claim: &str, amount: &str| {
        record(
            &employer,
            "claim.reverse",
            json!({"claim": claim, "amount": amount, "reason": "r"}),
        )
    };
    let own = |document: &str, amount: Option<&str>| lock(&employer, document, "employer", amount);
    for (by, text, code) in [
        (
            &insurer,
            lock(&insurer, &named.key, "commercial", None),
            "claimant_not_entitled",
        ),
        (
            &health,
            lock(&health, &open.key, "basic", None),
            "claim_kind_not_applicable",
        ),
        (
            &health,
            lock(&health, &bill.key, "basic", None),
            "directly_settled",
        ),
        (
            &employer,
            with(own(&open.key, None), "component", "self_pay"),
            "component_not_applicable",
        ),
        (
            &employer,
            with(own(&open.key, None), "expires_at", &in_hours(-1)),
            "expiry_out_of_range",
        ),
        (
            &employer,
            with(own(&open.key, None), "expires_at", &in_hours(31 * 24)),
            "expiry_out_of_range",
        ),
        (
            &employer,
            own(&open.key, Some("1060.01")),
            "claim_exceeds_remaining",
        ),
        (
            &employer,
            with(own(&bill.key, Some("300.01")), "component", "self_fund"),
            "component_exceeded",
        ),
        (&merchant, share(&merchant, "1.00"), "not_buyer"),
        (
            &employer,
            share(&employer, "1060.01"),
            "share_exceeds_remaining",
        ),
        (
            &employer,
            confirm(&employer, "1060.00"),
            "nothing_to_confirm",
        ),
        (
            &employer,
            settle(&employer, "no-such-claim", "1.00"),
            "claim_not_found",
        ),
        (&employer, release("no-such-claim"), "claim_not_found"),
        (
            &employer,
            take_back("no-such-claim", "1.00"),
            "claim_not_found",
        ),
    ] {
        table.refused(by, &text, code);
    }

    table.send().await;
    let released = accepted(demo, &employer, own(&open.key, None)).await;
    accepted(demo, &employer, release(&released)).await;
    let settled = accepted(demo, &employer, own(&open.key, Some("60.00"))).await;
    accepted(demo, &employer, settle(&employer, &settled, "60.00")).await;
    let returned = accepted(demo, &employer, own(&open.key, Some("10.00"))).await;
    accepted(demo, &employer, settle(&employer, &returned, "10.00")).await;
    accepted(demo, &employer, take_back(&returned, "10.00")).await;
    let live = accepted(demo, &employer, own(&open.key, None)).await;
    let reference = accepted(
        demo,
        &employer,
        lock(&employer, &open.key, "reference", None),
    )
    .await;
    let late = {
        let tomorrow = today().next().unwrap().next().unwrap();
        with(
            settle(&employer, &live, "1.00"),
            "booked_on",
            &tomorrow.to_string(),
        )
    };
    for (by, text, code) in [
        (
            &insurer,
            lock(&insurer, &open.key, "commercial", None),
            "already_locked",
        ),
        (&insurer, settle(&insurer, &live, "1.00"), "claim_not_found"),
        (
            &employer,
            settle(&employer, &released, "1.00"),
            "claim_released",
        ),
        (&employer, release(&released), "claim_released"),
        (
            &employer,
            settle(&employer, &settled, "60.00"),
            "claim_already_settled",
        ),
        (&employer, release(&settled), "claim_already_settled"),
        (
            &employer,
            settle(&employer, &reference, "1.00"),
            "claim_is_reference",
        ),
        (
            &employer,
            settle(&employer, &live, "1000.01"),
            "settle_exceeds_lock",
        ),
        (&employer, late, "booked_in_future"),
        (&employer, take_back(&live, "1.00"), "claim_not_settled"),
        (&employer, take_back(&returned, "1.00"), "claim_reversed"),
        (
            &employer,
            take_back(&settled, "60.01"),
            "reverse_exceeds_settlement",
        ),
        (
            &merchant,
            reverse(&merchant, &open.key, "1060.00", "01"),
            "reversal_not_confirmed",
        ),
        (
            &employer,
            confirm(&employer, "1060.01"),
            "reversal_exceeds_remaining",
        ),
    ] {
        table.refused(by, &text, code);
    }
    let all = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    let claim = accepted(demo, &employer, own(&all.key, None)).await;
    accepted(demo, &employer, settle(&employer, &claim, "1060.00")).await;
    table.refused(
        &insurer,
        &lock(&insurer, &all.key, "commercial", None),
        "already_claimed",
    );
    table.send().await;
    // Settled, then reversed in part: more is claimed than is left.
    let confirm = record(
        &employer,
        "document.confirm_reversal",
        json!({"document": all.key, "amount": "100.00"}),
    );
    accepted(demo, &employer, confirm).await;
    accepted(
        demo,
        &merchant,
        reverse(&merchant, &all.key, "100.00", "02"),
    )
    .await;
    table.refused(
        &insurer,
        &lock(&insurer, &all.key, "commercial", None),
        "document_over_claimed",
    );
}

/// An id that was used before: refused, and this refusal alone is not recorded.
async fn reused_ids(table: &mut Table<'_>) {
    let demo = table.demo;
    let merchant = demo.merchant();
    let used = issued(demo, Document::invoice(&merchant, None), &merchant).await;
    let mut other = record_value(
        &merchant,
        "document.reverse",
        json!({
            "document": used.key, "amount": "1060.00", "reason": "01",
        }),
    );
    other["id"] = used.record["id"].clone();
    for text in [other.to_string(), used.text().replacen('{', "{ ", 1)] {
        table.refused(&merchant, &text, "id_reused");
        table.rows.last_mut().unwrap().recorded = 0;
    }
}
