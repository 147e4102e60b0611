//! Who may speak: keys and their ends, suspension, signatures of requests.

use invoice_core::crypto::SecretKey;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::support::http::{authorization, nonce, unix_now};
use crate::support::records::{id_of, lock, record};
use crate::support::{Demo, Document, Http, Member, now};

fn add(by: &Member, to: &Member, key: &Member, not_after: Option<String>) -> String {
    let mut key = json!({"public_key": key.signer_hex()});
    if let Some(not_after) = not_after {
        key["not_after"] = not_after.into();
    }
    record(
        by,
        "key.add",
        json!({"member": to.id, "key": key, "reason": "轮换"}),
    )
}

fn revoke(by: &Member, of: &Member) -> String {
    record(
        by,
        "key.revoke",
        json!({"member": of.id, "kid": of.kid(), "reason": "遗失"}),
    )
}

#[tokio::test]
async fn keys_are_rotated_revoked_and_run_out() {
    let demo = Demo::start();
    let old = demo.merchant();
    let new = old.with_key(SecretKey::from_bytes(&[41; 32]).unwrap());
    let invoice = || Document::invoice(&old, None).text();
    let before = invoice();
    let receipt = demo.http.accept(&old, &before).await;
    // A key counts from the moment at which it is registered.
    demo.http
        .submit(&new, &invoice())
        .await
        .refused(401, "key_unknown");
    demo.http.accept(&old, &add(&old, &old, &new, None)).await;
    demo.http.accept(&new, &invoice()).await;
    demo.http.accept(&old, &invoice()).await;
    demo.http.accept(&new, &revoke(&new, &old)).await;
    demo.http
        .submit(&old, &invoice())
        .await
        .refused(401, "key_revoked");
    demo.http
        .ask(&old, "/v1/limits")
        .await
        .refused(401, "key_revoked");
    demo.http.ask(&new, "/v1/limits").await.is(200);
    // What the old key signed stays signed: its receipt verifies, and the new key finds it.
    receipt.verified(&demo.genesis);
    let again = demo.http.submit(&new, &before).await.is(200);
    assert_eq!(again.body, receipt.body);

    // An authority helps whoever has lost its only key.
    demo.http
        .accept(&demo.tax(), &revoke(&demo.tax(), &new))
        .await;
    let third = old.with_key(SecretKey::from_bytes(&[42; 32]).unwrap());
    demo.http
        .accept(&demo.tax(), &add(&demo.tax(), &old, &third, None))
        .await;
    demo.http.accept(&third, &invoice()).await;
    // A key with an end ends by the chain's clock.
    let fourth = old.with_key(SecretKey::from_bytes(&[43; 32]).unwrap());
    let end = now().checked_add_ms(5_000).unwrap();
    let text = add(&third, &old, &fourth, Some(end.to_rfc3339_utc8()));
    demo.http.accept(&third, &text).await;
    demo.http.accept(&fourth, &invoice()).await;
    while now() <= end {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    demo.http
        .submit(&fourth, &invoice())
        .await
        .refused(401, "key_expired");
    demo.http
        .ask(&fourth, "/v1/limits")
        .await
        .refused(401, "key_expired");
}

#[tokio::test]
async fn a_suspended_member_reads_what_it_has_and_does_nothing_new() {
    let demo = Demo::start();
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let about = |kind: &str| record(&tax, kind, json!({"member": employer.id, "reason": "核查"}));
    let claim = lock(&employer, &document.key, "employer", Some("1.00"));
    let receipt = demo.http.accept(&employer, &claim).await;
    demo.http.accept(&tax, &about("member.suspend")).await;
    let other = lock(&employer, &document.key, "employer", Some("2.00"));
    let size = demo.http.tree_size().await;
    demo.http
        .submit(&employer, &other)
        .await
        .refused(403, "member_suspended");
    assert_eq!(demo.http.tree_size().await, size);
    let items = json!({"items": [{"document": document.key}]});
    demo.http
        .ask_with(&employer, "/v1/checks", &items)
        .await
        .refused(403, "member_suspended");
    demo.http.ask(&employer, "/v1/claims").await.is(200);
    demo.http.events(&employer, 0).await;
    // The receipt of what it did before is still given.
    let again = demo.http.submit(&employer, &claim).await.is(200);
    assert_eq!(again.body, receipt.body);
    demo.http.accept(&tax, &about("member.resume")).await;
    demo.http.accept(&employer, &other).await;
}

#[tokio::test]
async fn a_suspended_authority_reads_what_is_its_own_and_nobody_elses() {
    let demo = Demo::start();
    let (tax, health) = (demo.tax(), demo.member("health", 1));
    assert_ne!(tax.id, health.id);
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, Some(&employer));
    demo.http.accept(&merchant, &document.text()).await;
    let address = format!("/v1/documents/{}", document.key);
    let mine = format!("/v1/records/{}/{}", merchant.id, id_of(&document.text()));
    demo.http.ask(&health, &address).await.is(200);
    let record_of = async || {
        let told = demo.http.ask(&health, &mine).await.is(200).json();
        told["state"].as_str().map(str::to_owned)
    };
    assert_ne!(record_of().await.as_deref(), Some("absent"));
    demo.http.ask(&health, "/v1/oversight/health").await.is(200);
    let about = |event: &serde_json::Value| event["document"] == json!(document.key);
    assert!(demo.http.events(&health, 0).await.iter().any(about));
    // A stream that is open when it happens ends, and tells nothing of it.
    let request = demo.http.signed(&health, Method::GET, "/v1/events", b"");
    let running = request.header("accept", "text/event-stream").send();
    let running = running.await.unwrap();
    let order = |kind: &str| record(&tax, kind, json!({"member": health.id, "reason": "核查"}));
    demo.http.accept(&tax, &order("member.suspend")).await;
    let later = Document::invoice(&merchant, Some(&employer));
    demo.http.accept(&merchant, &later.text()).await;
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), running.text());
    let told = end.await.expect("the stream ends").unwrap();
    assert!(told.contains(&document.key) && !told.contains(&later.key));

    demo.http
        .ask(&health, &address)
        .await
        .refused(404, "not_found");
    assert_eq!(record_of().await.as_deref(), Some("absent"));
    let figures = demo.http.ask(&health, "/v1/oversight/health").await;
    figures.refused(404, "not_found");
    let own = demo.http.events(&health, 0).await;
    assert!(!own.iter().any(about));
    assert!(own.iter().any(|event| event["event"] == "member_suspended"));
    demo.http.accept(&tax, &order("member.resume")).await;
    demo.http.ask(&health, &address).await.is(200);
}

#[tokio::test]
async fn a_request_is_signed_for_itself_and_for_once() {
    let demo = Demo::start();
    let employer = demo.employer();
    let path = "/v1/claims?status=locked";
    let send = async |value: &str| {
        let request = demo.http.request(Method::GET, path);
        Http::send(request.header(AUTHORIZATION, value)).await
    };
    let at =
        |timestamp: u64, nonce: &str| authorization(&employer, "GET", path, b"", timestamp, nonce);
    let once = nonce();
    let value = at(unix_now(), &once);
    send(&value).await.is(200);
    send(&value).await.refused(401, "nonce_reused");
    // The same nonce in another request of the same key is no other nonce.
    send(&at(unix_now() - 1, &once))
        .await
        .refused(401, "nonce_reused");
    // Another member may happen to choose it.
    let tax = authorization(&demo.tax(), "GET", path, b"", unix_now(), &once);
    send(&tax).await.is(200);
    // Both ends of the window, with room for a slow machine.
    send(&at(unix_now() - 240, &nonce())).await.is(200);
    send(&at(unix_now() + 240, &nonce())).await.is(200);
    for timestamp in [unix_now() - 400, unix_now() + 400] {
        let answer = send(&at(timestamp, &nonce())).await;
        assert_eq!(answer.header("www-authenticate"), Some("SM2-WITH-SM3"));
        let told = answer.refused(401, "timestamp_out_of_range");
        let server_time = told["server_time"].as_u64().unwrap();
        assert!(server_time.abs_diff(unix_now()) < 60);
    }
    // A request that failed has not used its nonce.
    let unused = nonce();
    let wrong = authorization(&employer, "GET", "/v1/claims", b"", unix_now(), &unused);
    send(&wrong).await.refused(401, "signature_invalid");
    send(&at(unix_now(), &unused)).await.is(200);
    // Parameters in another order, with blanks, say the same.
    let value = at(unix_now(), &nonce());
    let mut parts: Vec<_> = value
        .strip_prefix("SM2-WITH-SM3 ")
        .unwrap()
        .split(',')
        .collect();
    parts.reverse();
    send(&format!("SM2-WITH-SM3 {}", parts.join(", ")))
        .await
        .is(200);

    let limits = demo.http.ask(&employer, "/v1/limits").await.is(200).json();
    assert_eq!(limits["member"], employer.id);
    for budget in limits["budgets"].as_array().unwrap() {
        assert!(budget["left"].as_u64().unwrap() <= budget["per_minute"].as_u64().unwrap());
    }
}
