//! Who signs, and whether that member may do this at all (401, 403).

use invoice_core::crypto::messages::record_message;
use invoice_core::crypto::{SecretKey, Signer};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use super::Table;
use crate::support::http::{authorization, nonce, sign, unix_now};
use crate::support::records::{lock, record, reverse};
use crate::support::{Document, Member};

pub(super) async fn rows(table: &mut Table<'_>) {
    signatures(table);
    requests(table).await;
    rights(table).await;
    table.send().await;
}

/// 401 of records.
fn signatures(table: &mut Table<'_>) {
    let demo = table.demo;
    let merchant = demo.merchant();
    let record = Document::invoice(&merchant, None).text();
    let (kid, sig) = (merchant.kid(), demo.http.sig(&merchant, record.as_bytes()));
    let stranger = merchant.with_key(SecretKey::from_bytes(&[9; 32]).unwrap());
    let other_chain = {
        let chain = "another-chain".parse().unwrap();
        sign(&merchant, &record_message(&chain, record.as_bytes()))
    };
    let other_bytes = demo.http.sig(&merchant, format!("{record} ").as_bytes());
    let of_the_batch_form = sign(&merchant, b"piaolian/1/batch\n");
    let zero = base64(&[0; 64]);
    for (name, kid, sig, code) in [
        (
            "a kid of two digits",
            "00".to_owned(),
            sig.clone(),
            "kid_malformed",
        ),
        (
            "a kid in capitals",
            kid.to_uppercase(),
            sig.clone(),
            "kid_malformed",
        ),
        ("an empty kid", String::new(), sig.clone(), "kid_malformed"),
        (
            "a kid that nobody has",
            "0".repeat(32),
            sig.clone(),
            "key_unknown",
        ),
        (
            "a key that nobody registered",
            stranger.kid(),
            demo.http.sig(&stranger, record.as_bytes()),
            "key_unknown",
        ),
        (
            "no signature in the text",
            kid.clone(),
            String::new(),
            "signature_malformed",
        ),
        (
            "not base64",
            kid.clone(),
            "***".into(),
            "signature_malformed",
        ),
        (
            "63 bytes",
            kid.clone(),
            base64(&[1; 63]),
            "signature_malformed",
        ),
        (
            "66 bytes",
            kid.clone(),
            base64(&[1; 66]),
            "signature_malformed",
        ),
        (
            "base64 without its padding",
            kid.clone(),
            sig.trim_end_matches('=').to_owned(),
            "signature_malformed",
        ),
        ("zeros", kid.clone(), zero, "signature_malformed"),
        (
            "for other bytes",
            kid.clone(),
            other_bytes,
            "signature_invalid",
        ),
        (
            "for another chain",
            kid.clone(),
            other_chain,
            "signature_invalid",
        ),
        (
            "for the form of batches",
            kid.clone(),
            of_the_batch_form,
            "signature_invalid",
        ),
        (
            "of another member under this kid",
            kid.clone(),
            demo.http.sig(&demo.employer(), record.as_bytes()),
            "signature_invalid",
        ),
    ] {
        let body = format!(r#"{{"kid":"{kid}","sig":"{sig}","record":{record}}}"#);
        let request = demo.http.posting(body.into_bytes());
        table.request(format!("signature {name}"), request, 401, code, None);
    }
    // Another member's good signature.
    let employer = demo.employer();
    let request = demo.http.posting(demo.http.envelope(&employer, &record));
    table.request(
        "signed by another member",
        request,
        401,
        "key_not_of_member",
        None,
    );
    let misspelt = record.replacen(&merchant.id, &merchant.id.to_lowercase(), 1);
    let request = demo.http.posting(demo.http.envelope(&merchant, &misspelt));
    table.request("by in lower case", request, 401, "key_not_of_member", None);
    // What comes first is answered first.
    let broken = record.replacen("1060.00", "1061.00", 1);
    let body = format!(r#"{{"kid":"{kid}","sig":"{sig}","record":{broken}}}"#);
    let request = demo.http.posting(body.into_bytes());
    table.request(
        "a broken rule and a broken signature",
        request,
        401,
        "signature_invalid",
        None,
    );
    let body = format!(r#"{{"kid":"{kid}","sig":"{sig}","record":{{"type":"x"}}}}"#);
    table.body(
        "a broken shape and a broken signature",
        body,
        400,
        "unknown_type",
        "/type",
    );
    // A batch under a signature that is not good, whole or each record.
    let records = [record.clone(), Document::invoice(&merchant, None).text()];
    let mut body = String::from_utf8(demo.http.batch(&merchant, &records, false)).unwrap();
    body = body.replacen(r#""records":["#, r#""atomic":true,"records":["#, 1);
    let request = demo.http.posting(body.into_bytes());
    table.request(
        "a batch made atomic by another",
        request,
        401,
        "signature_invalid",
        None,
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// 401 of questions.
async fn requests(table: &mut Table<'_>) {
    let demo = table.demo;
    let merchant = demo.merchant();
    let path = "/v1/limits";
    let bare = || demo.http.request(Method::GET, path);
    let sent = |value: String| bare().header(AUTHORIZATION, value);
    let good = |nonce: &str| authorization(&merchant, "GET", path, b"", unix_now(), nonce);
    let at = |timestamp: u64| authorization(&merchant, "GET", path, b"", timestamp, &nonce());
    let used = nonce();
    let answer = crate::support::Http::send(sent(good(&used))).await;
    answer.is(200);
    let value = good(&nonce());
    let stranger = merchant.with_key(SecretKey::from_bytes(&[8; 32]).unwrap());
    let header = |who: &Member, method: &str, path: &str, body: &[u8]| {
        authorization(who, method, path, body, unix_now(), &nonce())
    };
    for (name, request, code) in [
        ("no header", bare(), "authorization_missing"),
        (
            "another scheme",
            sent("Bearer x".into()),
            "authorization_malformed",
        ),
        (
            "the scheme in lower case",
            sent(value.replacen("SM2-WITH-SM3", "sm2-with-sm3", 1)),
            "authorization_malformed",
        ),
        (
            "a parameter twice",
            sent(format!(r#"{value},nonce="0123456789abcdef""#)),
            "authorization_malformed",
        ),
        (
            "a short nonce",
            sent(good("0123456789abcde")),
            "authorization_malformed",
        ),
        (
            "two headers",
            sent(value.clone()).header(AUTHORIZATION, value.clone()),
            "authorization_malformed",
        ),
        (
            "a time of 301 seconds ago",
            sent(at(unix_now() - 310)),
            "timestamp_out_of_range",
        ),
        (
            "a time to come",
            sent(at(unix_now() + 310)),
            "timestamp_out_of_range",
        ),
        ("a nonce seen before", sent(good(&used)), "nonce_reused"),
        (
            "an unknown key",
            sent(header(&stranger, "GET", path, b"")),
            "key_unknown",
        ),
        (
            "signed for another path",
            sent(header(&merchant, "GET", "/v1/claims", b"")),
            "signature_invalid",
        ),
        (
            "signed for another query",
            sent(header(&merchant, "GET", "/v1/limits?x=1", b"")),
            "signature_invalid",
        ),
        (
            "signed for another method",
            sent(header(&merchant, "POST", path, b"")),
            "signature_invalid",
        ),
        (
            "signed for another body",
            sent(header(&merchant, "GET", path, b"x")),
            "signature_invalid",
        ),
    ] {
        table.request(format!("request: {name}"), request, 401, code, None);
    }
    let items = r#"{"items":[{"document":"D:26332000000000000001"}]}"#;
    let request = demo
        .http
        .signed(&merchant, Method::POST, "/v1/checks", items.as_bytes());
    let request = request.body(items.replacen("01", "02", 1));
    table.request(
        "request: a body put in place of the signed one",
        request,
        401,
        "signature_invalid",
        None,
    );
}

/// 403.
async fn rights(table: &mut Table<'_>) {
    let demo = table.demo;
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let (finance, hospital) = (demo.member("finance", 1), demo.member("hospital", 1));
    let (auditor, insurer) = (demo.member("auditor", 1), demo.member("insurer", 1));
    let other = demo.member("merchant", 2);
    let key = SecretKey::from_bytes(&[7; 32]).unwrap().public_key();
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let suspended = demo.member("employer", 2);
    let reason = json!({"member": suspended.id, "reason": "核查"});
    let suspend = record(&tax, "member.suspend", reason);
    demo.http.accept(&tax, &suspend).await;

    let admit = |by: &Member, role: &str| {
        let member = json!({"id": "91350100M000100Y43", "name": "新成员", "roles": [role]});
        record(
            by,
            "member.admit",
            json!({"member": member, "key": {"public_key": key.to_hex()}}),
        )
    };
    let add_key = |by: &Member, to: &Member| {
        record(
            by,
            "key.add",
            json!({"member": to.id, "key": {"public_key": key.to_hex()}}),
        )
    };
    let about = |by: &Member, kind: &str, member: &Member| {
        record(by, kind, json!({"member": member.id, "reason": "r"}))
    };
    let freeze = |by: &Member| {
        record(
            by,
            "document.freeze",
            json!({"document": document.key, "reason": "r"}),
        )
    };
    let quota = |by: &Member| {
        record(
            by,
            "quota.set",
            json!({"member": merchant.id, "month": "2026-11", "amount": "1.00"}),
        )
    };
    let for_other = {
        let mut record = Document::invoice(&merchant, None).record;
        record["invoice"]["seller"]["id"] = other.id.clone().into();
        record.to_string()
    };
    let for_other_hospital = {
        let mut record = Document::bill(&hospital).record;
        record["bill"]["issuer"]["id"] = other.id.clone().into();
        record.to_string()
    };
    let key_of = |member: &Member| member.signer.public_key().kid().to_string();
    for (by, text, code) in [
        (&employer, admit(&employer, "employer"), "role_missing"),
        (
            &demo.member("health", 1),
            admit(&demo.member("health", 1), "employer"),
            "role_missing",
        ),
        (&tax, admit(&tax, "tax"), "authority_protected"),
        (&finance, admit(&finance, "finance"), "authority_protected"),
        (
            &tax,
            about(&tax, "member.suspend", &finance),
            "authority_protected",
        ),
        (&tax, add_key(&tax, &finance), "authority_protected"),
        (
            &merchant,
            add_key(&merchant, &employer),
            "key_of_another_member",
        ),
        (
            &merchant,
            record(
                &merchant,
                "key.revoke",
                json!({"member": employer.id, "kid": key_of(&employer)}),
            ),
            "key_of_another_member",
        ),
        (
            &merchant,
            about(&merchant, "member.suspend", &other),
            "role_missing",
        ),
        (
            &auditor,
            about(&auditor, "member.resume", &suspended),
            "role_missing",
        ),
        (&finance, quota(&finance), "role_missing"),
        (&merchant, quota(&merchant), "role_missing"),
        (
            &employer,
            Document::invoice(&employer, None).text(),
            "role_missing",
        ),
        (&merchant, Document::bill(&merchant).text(), "role_missing"),
        (&merchant, for_other, "issuer_is_not_signer"),
        (&hospital, for_other_hospital, "issuer_is_not_signer"),
        (
            &employer,
            reverse(&employer, &document.key, "1060.00", "01"),
            "role_missing",
        ),
        (&merchant, freeze(&merchant), "role_missing"),
        (
            &merchant,
            lock(&merchant, &document.key, "employer", None),
            "role_missing",
        ),
        (
            &auditor,
            lock(&auditor, &document.key, "reference", None),
            "role_missing",
        ),
        (
            &employer,
            lock(&employer, &document.key, "commercial", None),
            "claim_kind_not_allowed",
        ),
        (
            &employer,
            lock(&employer, &document.key, "basic", None),
            "claim_kind_not_allowed",
        ),
        (
            &insurer,
            lock(&insurer, &document.key, "employer", None),
            "claim_kind_not_allowed",
        ),
        (
            &insurer,
            lock(&insurer, &document.key, "supplement", None),
            "claim_kind_not_allowed",
        ),
        (
            &suspended,
            lock(&suspended, &document.key, "employer", None),
            "member_suspended",
        ),
    ] {
        let request = demo.http.posting(demo.http.envelope(by, &text));
        table.request(format!("{code}: {text}"), request, 403, code, None);
    }
    table.send().await;
    let check = demo.http.signed(
        &suspended,
        Method::POST,
        "/v1/checks",
        br#"{"items":[{"document":"D:26332000000000000001"}]}"#,
    );
    table.request(
        "a suspended member checks",
        check,
        403,
        "member_suspended",
        None,
    );
    table.send().await;
    let reason = json!({"member": suspended.id, "reason": "核查完毕"});
    let resume = record(&tax, "member.resume", reason);
    demo.http.accept(&tax, &resume).await;
}
