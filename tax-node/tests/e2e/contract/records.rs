//! `POST /v1/records`, `/v1/records:bulk`, `/v1/validate`, and the way back after a lost answer.

use invoice_core::crypto::{HintedSignature, Signer, messages::record_message, sm3};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record_value, reverse, settle};
use crate::support::{Answer, Demo, Document, Http};

#[tokio::test]
async fn a_record_is_accepted_once_and_its_receipt_is_given_again() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let document = Document::invoice(&merchant, None);
    let first = demo.http.accept(&merchant, &document.text()).await;
    assert_eq!(first.header("Idempotent-Replayed"), None);
    let receipt = first.verified(&demo.genesis);
    assert_eq!(receipt.record, document.text());
    assert!(receipt.outcome.is_accepted());
    let shown = first.json();
    for member in [
        "chain_id",
        "by",
        "id",
        "record",
        "outcome",
        "height",
        "index",
        "time",
        "inclusion",
        "header",
        "signatures",
    ] {
        assert!(!shown[member].is_null(), "{member}");
    }
    assert_eq!(shown["outcome"]["status"], "accepted");

    let size = demo.http.tree_size().await;
    // A signature has many forms and each signing gives another one: the record is what counts.
    let message = record_message(demo.genesis.chain_id(), document.text().as_bytes());
    let signature = merchant.signer.sign(&message).unwrap();
    let hinted = HintedSignature::with_hint(signature, merchant.signer.public_key());
    let wrong_hint = HintedSignature {
        signature,
        parity: hinted.parity.map(|parity| !parity),
    };
    let plain = HintedSignature {
        signature,
        parity: None,
    };
    let der = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(signature.to_der())
    };
    let sigs = [
        hinted.to_base64(),
        wrong_hint.to_base64(),
        plain.to_base64(),
        der,
    ];
    for sig in sigs {
        let (kid, record) = (merchant.kid(), document.text());
        // The order of an envelope's members and the blanks between them mean nothing.
        let body = format!(" {{\"record\": {record} ,\n\"sig\":\"{sig}\", \"kid\":\"{kid}\"}}\r\n");
        let again = demo.http.post(body.into()).await.is(200);
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
        assert_eq!(again.body, first.body);
    }
    assert_eq!(demo.http.tree_size().await, size);
    // Any change of a receipt shows.
    for at in (0..first.body.len()).step_by(41) {
        let mut changed = first.body.clone();
        changed[at] ^= 1;
        let accepted = invoice_core::chain::Receipt::parse(&changed)
            .is_ok_and(|receipt| receipt.verify(&demo.genesis).is_ok());
        assert!(!accepted, "byte {at}");
    }
}

#[tokio::test]
async fn refusals_by_state_are_recorded_and_say_what_collided() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    let first = demo.http.accept(&merchant, &document.text()).await.json();

    let mut again = document.record.clone();
    again["id"] = "again".into();
    let size = demo.http.tree_size().await;
    let answer = demo.http.submit(&merchant, &again.to_string()).await;
    assert_eq!(answer.header("Idempotent-Replayed"), None);
    let told = answer.refused(409, "document_exists");
    assert_eq!(told["facts"]["first_id"], first["id"]);
    assert_eq!(told["facts"]["first_height"], first["height"].to_string());
    assert_eq!(told["facts"]["first_time"], first["time"]);
    assert_eq!(demo.http.tree_size().await, size + 1);
    // The refusal has a receipt of its own, and it is permanent.
    let receipt = invoice_core::chain::Receipt::parse(told["receipt"].to_string().as_bytes());
    let receipt = receipt.unwrap();
    receipt.verify(&demo.genesis).unwrap();
    assert_eq!(receipt.outcome.code(), Some("document_exists"));
    let replay = demo.http.submit(&merchant, &again.to_string()).await;
    let without_trace = |mut body: Value| {
        body.as_object_mut().unwrap().remove("trace_id");
        body
    };
    assert_eq!(replay.header("Idempotent-Replayed"), Some("true"));
    let replayed = replay.refused(409, "document_exists");
    assert_eq!(without_trace(replayed), without_trace(told));
    assert_eq!(demo.http.tree_size().await, size + 1);

    let mut other = document.record.clone();
    other["id"] = "other".into();
    other["invoice"]["buyer"]["name"] = "王某".into();
    other["invoice"]["note"] = "另一张".into();
    let told = demo.http.submit(&merchant, &other.to_string()).await;
    let text = told.text().to_owned();
    let told = told.refused(409, "document_conflict");
    let fields: Vec<_> = told["facts"]["fields"]
        .as_str()
        .unwrap()
        .split(' ')
        .collect();
    assert_eq!(fields, ["/invoice/buyer", "/invoice/note"]);
    let receipt_apart = {
        let mut told = told.clone();
        told.as_object_mut().unwrap().remove("receipt");
        told.to_string()
    };
    assert!(!receipt_apart.contains("个人"), "{text}");

    // An id resolves once; that refusal alone leaves no trace.
    let size = demo.http.tree_size().await;
    let mut reused = record_value(
        &merchant,
        "document.reverse",
        json!({"document": document.key, "amount": "1.00", "reason": "02"}),
    );
    reused["id"] = document.record["id"].clone();
    demo.http
        .submit(&merchant, &reused.to_string())
        .await
        .refused(409, "id_reused");
    assert_eq!(demo.http.tree_size().await, size);
    // Ids are each member's own.
    let mut same_id: Value =
        serde_json::from_str(&lock(&employer, &document.key, "employer", None)).unwrap();
    same_id["id"] = document.record["id"].clone();
    demo.http.accept(&employer, &same_id.to_string()).await;
    // What failed before the rules of state has not used its id.
    let second = Document::invoice(&merchant, None);
    let mut broken = second.record.clone();
    broken["invoice"]["total"] = "1.00".into();
    demo.http
        .submit(&merchant, &broken.to_string())
        .await
        .refused(422, "total_mismatch");
    demo.http.accept(&merchant, &second.text()).await;
}

#[tokio::test]
async fn a_batch_answers_for_each_of_its_records() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let invoices: Vec<_> = (0..3).map(|_| Document::invoice(&merchant, None)).collect();
    let mut broken = invoices[2].record.clone();
    broken["invoice"]["total"] = "1.00".into();
    let records = vec![
        invoices[0].text(),
        invoices[0].text(),
        r#"{"type":"x","id":"odd"}"#.to_owned(),
        broken.to_string(),
        Document::invoice(&employer, None).text(),
        invoices[1].text(),
        reverse(&merchant, "D:26332099999999999999", "1.00", "02"),
    ];
    let size = demo.http.tree_size().await;
    let answer = demo
        .http
        .submit_batch(&merchant, &records, false)
        .await
        .is(200)
        .json();
    let results = answer["results"].as_array().unwrap();
    let found: Vec<_> = results
        .iter()
        .map(|result| {
            (
                result["record"].as_u64().unwrap(),
                result["status"].as_u64().unwrap(),
                result["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, 201, ""),
            (2, 200, ""),
            (3, 400, "unknown_type"),
            (4, 422, "total_mismatch"),
            (5, 401, "key_not_of_member"),
            (6, 201, ""),
            (7, 409, "document_unknown"),
        ]
    );
    assert_eq!(results[2]["id"], "odd");
    assert_eq!(results[3]["errors"][0]["pointer"], "/invoice/total");
    assert_eq!(demo.http.tree_size().await, size + 3);
    for number in [0, 5] {
        let text = results[number]["receipt"].to_string();
        let receipt = invoice_core::chain::Receipt::parse(text.as_bytes()).unwrap();
        receipt.verify(&demo.genesis).unwrap();
        assert_eq!(receipt.record, records[number]);
    }
    // A record of a batch sent alone is the same record.
    let alone = demo
        .http
        .submit(&merchant, &invoices[1].text())
        .await
        .is(200);
    assert_eq!(alone.json(), results[5]["receipt"]);

    // All or nothing: everything is accepted,
    let pair: Vec<_> = (0..2).map(|_| Document::invoice(&merchant, None)).collect();
    let texts: Vec<_> = pair.iter().map(Document::text).collect();
    let answer = demo
        .http
        .submit_batch(&merchant, &texts, true)
        .await
        .is(200)
        .json();
    assert!(
        answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["status"] == 201)
    );
    // or, by a rule of state, everything is recorded as refused,
    let taken = lock(&employer, &pair[0].key, "employer", None);
    demo.http.accept(&employer, &taken).await;
    let report = [
        lock(&employer, &pair[1].key, "employer", None),
        lock(&employer, &pair[0].key, "employer", None),
    ];
    let size = demo.http.tree_size().await;
    let failed = demo
        .http
        .submit_batch(&employer, &report, true)
        .await
        .refused(409, "batch_failed");
    let codes = |failed: &Value| -> Vec<String> {
        let results = failed["results"].as_array().unwrap().iter();
        results
            .map(|result| result["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&failed), ["batch_aborted", "already_locked"]);
    assert_eq!(demo.http.tree_size().await, size + 2);
    // or, by a rule of a record alone, nothing is recorded and no id is used up.
    let mut bad: Value =
        serde_json::from_str(&lock(&employer, &pair[1].key, "employer", None)).unwrap();
    bad["kind"] = "x".into();
    let good = lock(&employer, &pair[1].key, "employer", None);
    let report = [good.clone(), bad.to_string()];
    let failed = demo
        .http
        .submit_batch(&employer, &report, true)
        .await
        .refused(409, "batch_failed");
    assert_eq!(codes(&failed), ["batch_aborted", "claim_kind_unknown"]);
    assert_eq!(demo.http.tree_size().await, size + 2);
    demo.http.accept(&employer, &good).await;

    // A signature that is not good fails all of them.
    let mut forged = String::from_utf8(demo.http.batch(&merchant, &texts, false)).unwrap();
    forged = forged.replacen(&texts[1], &invoices[0].text(), 1);
    let failed = demo
        .http
        .post(forged.into())
        .await
        .refused(401, "signature_invalid");
    assert_eq!(failed["results"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_stream_of_envelopes_is_answered_line_by_line() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let known = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &known.text()).await;
    let mut copy = known.record.clone();
    copy["id"] = "copy".into();
    let pair: Vec<_> = (0..2)
        .map(|_| Document::invoice(&merchant, None).text())
        .collect();
    let line = |body: Vec<u8>| String::from_utf8(body).unwrap();
    let long = " ".repeat(4 * 1024 * 1024 + 1);
    let lines = [
        line(
            demo.http
                .envelope(&merchant, &Document::invoice(&merchant, None).text()),
        ),
        "not an envelope".to_owned(),
        line(demo.http.batch(&merchant, &pair, false)),
        String::new(),
        line(demo.http.envelope(&merchant, &known.text())),
        long,
        line(demo.http.envelope(&merchant, &copy.to_string())),
    ];
    let request = demo
        .http
        .request(Method::POST, "/v1/records:bulk")
        .header("content-type", "application/x-ndjson")
        .body(lines.join("\n"));
    let answer = Http::send(request).await.is(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let answers = answer.lines();
    let found: Vec<_> = answers[..answers.len() - 1]
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["record"].as_u64().unwrap(),
                line["status"].as_u64().unwrap(),
                line["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, 1, 201, ""),
            (2, 1, 400, "not_json"),
            (3, 1, 201, ""),
            (3, 2, 201, ""),
            (5, 1, 200, ""),
            (6, 1, 413, "body_too_large"),
            (7, 1, 409, "document_exists"),
        ]
    );
    assert!(answers[0]["height"].is_u64() && answers[0]["index"].is_u64());
    assert_eq!(
        answers.last().unwrap(),
        &json!({"summary": {"lines": 7, "accepted": 3, "replayed": 1, "refused": 1, "failed": 2}})
    );
}

#[tokio::test]
async fn a_validation_names_what_would_fail_and_records_nothing() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    let size = demo.http.tree_size().await;
    let bare = |record: &Value| json!({ "record": record });
    let ask = async |body: &Value| {
        demo.http
            .ask_with(&merchant, "/v1/validate", body)
            .await
            .is(200)
            .json()
    };
    let good = ask(&bare(&document.record)).await;
    assert_eq!(
        good,
        json!({"valid": true, "results": [{"record": 1, "id": document.record["id"], "valid": true, "errors": []}]})
    );
    let signed: Value =
        serde_json::from_slice(&demo.http.envelope(&merchant, &document.text())).unwrap();
    // Members of a value read and written again may stand in another order: the signature is then
    // one over other bytes, which a validation says like a submission would.
    let exact = demo.http.signed(
        &merchant,
        Method::POST,
        "/v1/validate",
        &demo.http.envelope(&merchant, &document.text()),
    );
    assert_eq!(Http::send(exact).await.is(200).json()["valid"], true);
    let mut forged = signed;
    forged["record"]["id"] = "changed".into();
    let found = ask(&forged).await;
    assert_eq!(
        found["results"][0]["errors"][0]["code"],
        "signature_invalid"
    );
    assert_eq!(found["results"][0]["errors"][0]["status"], 401);

    let mut broken = document.record.clone();
    broken["invoice"]["total"] = "1.00".into();
    broken["invoice"]["seller"]["id"] = demo.member("merchant", 2).id.into();
    let found = ask(&bare(&broken)).await;
    let errors: Vec<_> = found["results"][0]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["status"].clone(),
                error["code"].clone(),
                error["pointer"].clone(),
            )
        })
        .collect();
    assert_eq!(
        errors,
        [
            (json!(403), json!("issuer_is_not_signer"), json!("")),
            (json!(422), json!("total_mismatch"), json!("/invoice/total"))
        ]
    );
    let unknown = reverse(&merchant, "D:26332099999999999999", "1.00", "02");
    let unknown: Value = serde_json::from_str(&unknown).unwrap();
    let found = ask(&json!({"records": [unknown, {"type": "x"}]})).await;
    assert_eq!(found["results"][0]["errors"][0]["code"], "document_unknown");
    assert_eq!(found["results"][1]["errors"][0]["code"], "unknown_type");
    assert_eq!(demo.http.tree_size().await, size);
    // Nobody learns what would become of another member's record.
    demo.http.accept(&merchant, &document.text()).await;
    let foreign: Value =
        serde_json::from_str(&lock(&employer, &document.key, "employer", Some("2000.00"))).unwrap();
    let found = ask(&bare(&foreign)).await;
    assert!(!found.to_string().contains("remaining"), "{found}");
    let question = demo
        .http
        .request(Method::POST, "/v1/validate")
        .body(bare(&foreign).to_string());
    Http::send(question)
        .await
        .refused(401, "authorization_missing");
}

#[tokio::test]
async fn a_lost_answer_is_found_again_by_its_sender_alone() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    let text = document.text();
    let path = format!("/v1/records/{}/{}", merchant.id, id_of(&text));
    let by_hash = format!("/v1/records?sm3={}", sm3(&[text.as_bytes()]));
    let state = |answer: Answer| answer.is(200).json()["state"].clone();
    for path in [&path, &by_hash] {
        assert_eq!(state(demo.http.ask(&merchant, path).await), "absent");
    }
    let receipt = demo.http.accept(&merchant, &text).await;
    for path in [&path, &by_hash] {
        for who in [&merchant, &demo.tax(), &demo.member("finance", 1)] {
            let found = demo.http.ask(who, path).await;
            assert_eq!(found.receipt().as_deref(), Some(receipt.text()));
            assert_eq!(state(found), "final");
        }
        for who in [&employer, &demo.member("merchant", 2)] {
            let found = demo.http.ask(who, path).await.is(200).json();
            assert_eq!(found, json!({"state": "absent"}));
        }
        demo.http
            .get(path)
            .await
            .refused(401, "authorization_missing");
    }
    // A refusal is found in the same way.
    let claim = lock(&employer, &document.key, "employer", Some("2000.00"));
    demo.http
        .submit(&employer, &claim)
        .await
        .refused(409, "claim_exceeds_remaining");
    let path = format!("/v1/records/{}/{}", employer.id, id_of(&claim));
    let found = demo.http.ask(&employer, &path).await.is(200).json();
    assert_eq!(
        (&found["state"], &found["receipt"]["outcome"]["code"]),
        (&json!("final"), &json!("claim_exceeds_remaining"))
    );
    // Settling what was never locked is recorded under its own id too.
    let settle = settle(&employer, &id_of(&claim), "1.00");
    demo.http
        .submit(&employer, &settle)
        .await
        .refused(409, "claim_not_found");
    let path = format!("/v1/records?sm3={}", sm3(&[settle.as_bytes()]));
    assert_eq!(state(demo.http.ask(&employer, &path).await), "final");
}
