//! Checks, documents, claims and events: who learns what.

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record, reverse, settle};
use crate::support::{Demo, Document, Member, today};

async fn accepted(demo: &Demo, by: &Member, text: String) -> String {
    demo.http.accept(by, &text).await;
    id_of(&text)
}

async fn issued(demo: &Demo, document: Document, by: &Member) -> String {
    demo.http.accept(by, &document.text()).await;
    document.key
}

/// The results of a check.
async fn checked(demo: &Demo, who: &Member, items: Value) -> Vec<Value> {
    let answer = demo
        .http
        .ask_with(who, "/v1/checks", &json!({ "items": items }))
        .await;
    let answer = answer.is(200).json();
    assert!(answer["as_of"]["height"].is_u64() && answer["as_of"]["time"].is_string());
    answer["results"].as_array().unwrap().clone()
}

/// Verdict and claimable amount of a document by its elements.
async fn verdict(demo: &Demo, who: &Member, key: &str) -> (String, Option<String>) {
    let item = json!([{"document": key, "amount": "1060.00", "date": today().to_string()}]);
    let result = &checked(demo, who, item).await[0];
    assert_eq!(result["document"], key);
    let text = |name: &str| result[name].as_str().map(str::to_owned);
    (text("verdict").unwrap(), text("claimable"))
}

#[tokio::test]
async fn verdicts_come_in_their_order() {
    let demo = Demo::start();
    let (tax, merchant, first, second) = (
        demo.tax(),
        demo.merchant(),
        demo.employer(),
        demo.member("employer", 2),
    );
    let key = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
    let is = async |due: &str, claimable: Option<&str>| {
        let found = verdict(&demo, &second, &key).await;
        assert_eq!((found.0.as_str(), found.1.as_deref()), (due, claimable));
    };
    let unknown = verdict(&demo, &second, "D:26332099999999999999").await;
    assert_eq!(unknown, ("not_found".to_owned(), None));
    is("claimable", Some("1060.00")).await;
    let part = accepted(&demo, &first, lock(&first, &key, "employer", Some("60.00"))).await;
    is("partly_claimed", Some("1000.00")).await;
    let rest = accepted(&demo, &first, lock(&first, &key, "employer", None)).await;
    is("locked", None).await;
    accepted(&demo, &first, settle(&first, &part, "60.00")).await;
    is("locked", None).await;
    accepted(&demo, &first, settle(&first, &rest, "1000.00")).await;
    is("claimed", None).await;
    let about = |kind: &str| record(&tax, kind, json!({"document": key, "reason": "核查"}));
    accepted(&demo, &tax, about("document.freeze")).await;
    is("frozen", None).await;
    let confirm = record(
        &first,
        "document.confirm_reversal",
        json!({"document": key, "amount": "1060.00"}),
    );
    accepted(&demo, &first, confirm).await;
    accepted(&demo, &merchant, reverse(&merchant, &key, "1060.00", "01")).await;
    is("reversed", None).await;
    // A wrong element comes before all of them but the first.
    let item = json!([{"document": key, "amount": "1060.01", "date": "2020-01-01"}]);
    let wrong = &checked(&demo, &second, item).await[0];
    assert_eq!(wrong["verdict"], "mismatch");
    assert_eq!(wrong["detail"]["differs"], json!(["amount", "date"]));
    assert!(!wrong.to_string().contains("1060.00"), "{wrong}");

    // Reversed in part: something is free, but not all.
    let key = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
    accepted(&demo, &merchant, reverse(&merchant, &key, "60.00", "02")).await;
    assert_eq!(
        verdict(&demo, &second, &key).await,
        ("partly_claimed".to_owned(), Some("1000.00".to_owned()))
    );
}

#[tokio::test]
async fn strangers_compare_and_parties_ask() {
    let demo = Demo::start();
    let (merchant, hospital) = (demo.merchant(), demo.member("hospital", 1));
    let (buyer, stranger) = (demo.employer(), demo.member("employer", 2));
    let invoice = issued(&demo, Document::invoice(&merchant, Some(&buyer)), &merchant).await;
    let bill = issued(&demo, Document::bill(&hospital), &hospital).await;
    let today = today().to_string();
    let whole =
        json!({"document": bill, "amount": "4500.00", "date": today, "check_code": "a1B2c3"});
    let without = |name: &str| {
        let mut item = whole.clone();
        item.as_object_mut().unwrap().remove(name);
        item
    };
    let mut wrong = whole.clone();
    wrong["check_code"] = "a1B2c4".into();
    let found = checked(
        &demo,
        &stranger,
        json!([
            whole,
            without("amount"),
            without("date"),
            without("check_code"),
            wrong
        ]),
    )
    .await;
    let verdicts: Vec<_> = found
        .iter()
        .map(|result| result["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        [
            "claimable",
            "not_found",
            "not_found",
            "not_found",
            "mismatch"
        ]
    );
    assert_eq!(found[0]["claimable"], "900.00");
    assert_eq!(found[4]["detail"]["differs"], json!(["check_code"]));
    // A party asks by the number alone, and is told when what it holds is wrong.
    for who in [&merchant, &buyer, &demo.tax()] {
        let found = &checked(&demo, who, json!([{"document": invoice}])).await[0];
        assert_eq!(found["verdict"], "claimable");
    }
    let found = &checked(
        &demo,
        &buyer,
        json!([{"document": invoice, "amount": "1.00"}]),
    )
    .await[0];
    assert_eq!(found["verdict"], "mismatch");
    // What is free is free for the asker.
    let elements = json!([{"document": invoice, "amount": "1060.00", "date": today}]);
    assert_eq!(
        checked(&demo, &buyer, elements.clone()).await[0]["claimable"],
        "1060.00"
    );
    assert_eq!(
        checked(&demo, &stranger, elements).await[0]["claimable"],
        "0.00"
    );
    // The text of a QR code, and a file.
    let number = invoice.strip_prefix("D:").unwrap();
    let compact = today.replace('-', "");
    let qr = format!("01,32,,{number},1060.00,{compact},,1DD6");
    let xml = format!(
        "<EInvoice><Header><EInvoiceTag>SWEI3300</EInvoiceTag></Header><EInvoiceData><BasicInformation>\
         <TotalTax-includedAmount>1060.00</TotalTax-includedAmount></BasicInformation></EInvoiceData>\
         <TaxSupervisionInfo><InvoiceNumber>{number}</InvoiceNumber><IssueTime>{today}</IssueTime></TaxSupervisionInfo></EInvoice>"
    );
    let xml = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(xml)
    };
    let found = checked(&demo, &buyer, json!([{"qr": qr}, {"xml": xml}])).await;
    for result in found {
        assert_eq!(
            (&result["document"], &result["verdict"]),
            (&json!(invoice), &json!("claimable"))
        );
    }

    // The page behind the QR code: the same for everyone, and it only says whether it matches.
    let page = async |query: &str| {
        let answer = demo.http.get(&format!("/v/{bill}{query}")).await.is(200);
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        answer.text().to_owned()
    };
    let matching = page(&format!("?amount=4500.00&date={today}&check_code=a1B2c3")).await;
    assert!(
        matching.contains("class=\"good\"") || matching.contains("good"),
        "{matching}"
    );
    let bare = page("").await;
    for secret in ["4500", "a1B2c3", "床位费", hospital.name.as_str()] {
        assert!(!bare.contains(secret), "{secret}");
    }
    assert!(
        !page("?amount=1.00&date=2020-01-01&check_code=000000")
            .await
            .contains("4500")
    );
}

#[tokio::test]
async fn an_answer_and_its_signatures_are_of_one_block() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let key = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
    let path = format!(
        "/v/{key}?amount=1060.00&date={}&download=statement",
        today()
    );
    let writing = async {
        for _ in 0..60 {
            issued(&demo, Document::invoice(&merchant, None), &merchant).await;
        }
    };
    let asking = async {
        for _ in 0..200 {
            let statement = demo.http.get(&path).await.is(200).json();
            assert_eq!(
                statement["as_of"]["height"], statement["checkpoint"]["height"],
                "{statement}"
            );
        }
    };
    tokio::join!(writing, asking);
}

#[tokio::test]
async fn a_document_is_shown_to_its_parties_alone() {
    let demo = Demo::start();
    let (merchant, buyer) = (demo.merchant(), demo.employer());
    let (holder, stranger) = (demo.member("insurer", 1), demo.member("employer", 2));
    let document = Document::invoice(&merchant, Some(&buyer));
    let key = issued(&demo, document.clone(), &merchant).await;
    let path = format!("/v1/documents/{key}");
    let without_trace = |mut told: Value| {
        told.as_object_mut().unwrap().remove("trace_id");
        told
    };
    let absent = demo
        .http
        .ask(&stranger, "/v1/documents/D:26332099999999999999")
        .await;
    let absent = without_trace(absent.refused(404, "not_found"));
    for who in [&stranger, &holder, &demo.member("merchant", 2)] {
        let hidden = demo.http.ask(who, &path).await.refused(404, "not_found");
        assert_eq!(without_trace(hidden), absent);
    }
    let misspelt = demo
        .http
        .ask(&merchant, "/v1/documents/D:1")
        .await
        .refused(404, "not_found");
    assert_eq!(without_trace(misspelt), absent);
    demo.http
        .get(&path)
        .await
        .refused(401, "authorization_missing");

    let share = record(
        &buyer,
        "share.grant",
        json!({"document": key, "to": holder.id, "amount": "60.00"}),
    );
    accepted(&demo, &buyer, share).await;
    let claim = accepted(
        &demo,
        &buyer,
        lock(&buyer, &key, "employer", Some("1000.00")),
    )
    .await;
    accepted(&demo, &buyer, settle(&buyer, &claim, "900.00")).await;
    for who in [
        &merchant,
        &buyer,
        &holder,
        &demo.tax(),
        &demo.member("health", 1),
    ] {
        let shown = demo.http.ask(who, &path).await.is(200).json();
        assert_eq!(shown["record"], document.record);
        assert_eq!(
            (&shown["document"], &shown["state"]),
            (&json!(key), &json!("partly_claimed"))
        );
        assert_eq!(shown["remaining"], "160.00");
        let kinds: Vec<_> = shown["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            ["invoice.issue", "share.grant", "claim.lock", "claim.settle"]
        );
        // Who claims is for the claimant and the authorities.
        let locked = &shown["timeline"][2];
        let named = who.id == buyer.id || who.roles[0] == "tax" || who.roles[0] == "health";
        assert_eq!(locked["by"].is_string(), named, "{}", who.name);
    }
    // The exact bytes of the record stand in the answer.
    let shown = demo.http.ask(&merchant, &path).await.is(200);
    assert!(shown.text().contains(&document.text()));
    // A claimant of an open document sees it from its first claim on, and after its end.
    let open = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
    let path = format!("/v1/documents/{open}");
    demo.http
        .ask(&stranger, &path)
        .await
        .refused(404, "not_found");
    let claim = accepted(&demo, &stranger, lock(&stranger, &open, "employer", None)).await;
    demo.http.ask(&stranger, &path).await.is(200);
    let release = record(
        &stranger,
        "claim.release",
        json!({"claim": claim, "reason": "r"}),
    );
    accepted(&demo, &stranger, release).await;
    demo.http.ask(&stranger, &path).await.is(200);
}

#[tokio::test]
async fn claims_are_listed_page_by_page() {
    let demo = Demo::start();
    let (merchant, first, second) = (demo.merchant(), demo.employer(), demo.member("employer", 2));
    let mut claims = Vec::new();
    for _ in 0..7 {
        let key = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
        claims.push(accepted(&demo, &first, lock(&first, &key, "employer", Some("10.00"))).await);
        accepted(&demo, &second, lock(&second, &key, "employer", None)).await;
    }
    accepted(&demo, &first, settle(&first, &claims[1], "10.00")).await;
    let release = record(
        &first,
        "claim.release",
        json!({"claim": claims[2], "reason": "r"}),
    );
    accepted(&demo, &first, release).await;
    accepted(&demo, &first, settle(&first, &claims[3], "10.00")).await;
    let back = record(
        &first,
        "claim.reverse",
        json!({"claim": claims[3], "amount": "10.00", "reason": "r"}),
    );
    accepted(&demo, &first, back).await;

    let all = async |who: &Member, query: &str| -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut path = format!("/v1/claims?limit=2{query}");
            if let Some(cursor) = &cursor {
                path.push_str(&format!("&cursor={cursor}"));
            }
            let page = demo.http.ask(who, &path).await.is(200).json();
            let claims = page["claims"].as_array().unwrap();
            assert!(claims.len() <= 2);
            found.extend(claims.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return found,
            }
        }
    };
    let ids = |found: &[Value]| -> Vec<String> {
        found
            .iter()
            .map(|claim| claim["claim"].as_str().unwrap().to_owned())
            .collect()
    };
    let own = all(&first, "").await;
    assert_eq!(ids(&own), claims);
    assert!(own.iter().all(|claim| claim["by"] == first.id));
    for (status, due) in [
        ("settled", vec![claims[1].clone()]),
        ("released", vec![claims[2].clone()]),
        ("reversed", vec![claims[3].clone()]),
        ("expired", vec![]),
        (
            "locked",
            vec![
                claims[0].clone(),
                claims[4].clone(),
                claims[5].clone(),
                claims[6].clone(),
            ],
        ),
    ] {
        let found = all(&first, &format!("&status={status}")).await;
        assert_eq!(ids(&found), due, "{status}");
        assert!(found.iter().all(|claim| claim["status"] == status));
    }
    assert_eq!(all(&demo.tax(), "").await.len(), 14);
    assert_eq!(all(&merchant, "").await.len(), 0);
    // A cursor of one member is worth nothing to another.
    let page = demo
        .http
        .ask(&first, "/v1/claims?limit=1")
        .await
        .is(200)
        .json();
    let path = format!("/v1/claims?cursor={}", page["next"].as_str().unwrap());
    demo.http
        .ask(&second, &path)
        .await
        .refused(400, "cursor_invalid");
}

#[tokio::test]
async fn the_feed_tells_each_member_its_own_and_authorities_all() {
    let demo = Demo::start();
    let (merchant, first, second) = (demo.merchant(), demo.employer(), demo.member("employer", 2));
    let height = async || {
        demo.http.get("/v1/checkpoint").await.json()["height"]
            .as_u64()
            .unwrap()
    };
    let start = height().await;
    let key = issued(&demo, Document::invoice(&merchant, None), &merchant).await;
    let between = height().await;
    let claim = accepted(&demo, &first, lock(&first, &key, "employer", None)).await;
    let kinds = |lines: &[Value]| -> Vec<String> {
        lines
            .iter()
            .filter_map(|line| line["event"].as_str())
            .map(str::to_owned)
            .collect()
    };
    let end = height().await;
    for (who, due) in [
        (&merchant, vec!["document_issued"]),
        (&first, vec!["claim_locked"]),
        (&second, vec![]),
        (&demo.tax(), vec!["document_issued", "claim_locked"]),
    ] {
        let lines = demo.http.events(who, start).await;
        assert_eq!(kinds(&lines), due, "{}", who.name);
        // Each batch ends with the height up to which it is complete.
        assert_eq!(lines.last().unwrap(), &json!({"complete_to": end}));
    }
    let locked = &demo.http.events(&first, between).await[0];
    assert_eq!(
        (&locked["id"], &locked["document"]),
        (&json!(claim), &json!(key))
    );
    assert_eq!(
        kinds(&demo.http.events(&demo.tax(), between).await),
        ["claim_locked"]
    );
    assert_eq!(
        demo.http.events(&demo.tax(), end).await,
        [json!({"complete_to": end})]
    );

    // Server-sent events go on where the client was, and do not end.
    let request = demo
        .http
        .signed(&demo.tax(), Method::GET, "/v1/events", b"")
        .header("accept", "text/event-stream")
        .header("Last-Event-ID", between.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut pieces = response.bytes_stream();
    let mut text = String::new();
    let mut until = async |end: &str| {
        while !text.contains(end) {
            let piece = pieces.next().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
        text.clone()
    };
    let told = until(&format!("id: {end}\n")).await;
    assert!(told.contains("event: claim_locked\n") && !told.contains("document_issued"));
    let release = record(
        &first,
        "claim.release",
        json!({"claim": claim, "reason": "r"}),
    );
    accepted(&demo, &first, release).await;
    let end = height().await;
    let told = until(&format!("id: {end}\n")).await;
    assert!(told.contains("event: claim_released\n"));
}
