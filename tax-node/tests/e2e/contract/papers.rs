//! Files of documents, and documents that were issued elsewhere.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record, settle};
use crate::support::{Demo, Document, Http, Member, today};

const INVOICE: &str = include_str!("../../../../invoice-api/papers/tests/files/invoice.xml");

/// An invoice of 1060.00 yuan to a natural person, whose seller is no member.
fn registration(by: &Member, merchant: &Member) -> (String, String) {
    let issued = Document::invoice(merchant, None);
    let mut invoice = issued.record["invoice"].clone();
    invoice["seller"] = json!({"id": "91350100M000100Y43", "name": "别处的商户"});
    let original = json!({
        "sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04",
        "format": "ofd", "signature": "verified",
    });
    let members = json!({"invoice": invoice, "original": original});
    (issued.key, record(by, "document.register", members))
}

#[tokio::test]
async fn a_file_is_read_as_the_bytes_say() {
    let demo = Demo::start();
    let employer = demo.employer();
    let ask = |body: &[u8]| {
        demo.http
            .signed(&employer, Method::POST, "/v1/papers", body)
    };
    let read = Http::send(ask(INVOICE.as_bytes())).await.is(200).json();
    assert_eq!(read["format"], "einvoice_xml");
    assert_eq!(read["documents"][0]["document"], "D:24442000000000000016");
    Http::send(ask(b"<a/>")).await.refused(422, "xml_unknown");
    let unsigned = demo.http.request(Method::POST, "/v1/papers").body(INVOICE);
    Http::send(unsigned)
        .await
        .refused(401, "authorization_missing");
}

#[tokio::test]
async fn what_was_issued_elsewhere_is_registered_by_an_authority_and_paid_once() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (first, second) = (demo.employer(), demo.member("employer", 2));
    let (key, text) = registration(&merchant, &merchant);
    demo.http
        .submit(&merchant, &text)
        .await
        .refused(403, "role_missing");
    let mut by_tax: Value = serde_json::from_str(&text).unwrap();
    by_tax["by"] = tax.id.clone().into();
    let text = by_tax.to_string();
    demo.http.accept(&tax, &text).await;
    // Sending the same bytes again is a success; another record of the same document is not.
    demo.http.submit(&tax, &text).await.is(200);
    let mut again: Value = serde_json::from_str(&text).unwrap();
    again["id"] = "another-id".into();
    let again = again.to_string();
    demo.http
        .submit(&tax, &again)
        .await
        .refused(409, "document_exists");

    let claim = lock(&first, &key, "employer", None);
    demo.http.accept(&first, &claim).await;
    demo.http
        .accept(&first, &settle(&first, &id_of(&claim), "1060.00"))
        .await;
    let other = lock(&second, &key, "employer", Some("1.00"));
    let refusal = demo.http.submit(&second, &other).await;
    assert_eq!(refusal.status, 409, "{}", refusal.text());
    let item =
        json!({"items": [{"document": key, "amount": "1060.00", "date": today().to_string()}]});
    let checked = demo
        .http
        .ask_with(&second, "/v1/checks", &item)
        .await
        .is(200)
        .json();
    assert_eq!(checked["results"][0]["verdict"], "claimed");

    let seen = demo
        .http
        .ask(&tax, &format!("/v1/documents/{key}"))
        .await
        .is(200)
        .json();
    assert_eq!(seen["record"]["type"], "document.register");
    assert_eq!(seen["timeline"][0]["type"], "document.register");
    let events = demo.http.events(&tax, 0).await;
    let told = |kind: &str| {
        events
            .iter()
            .any(|event| event["event"] == kind && event["document"] == key)
    };
    assert!(
        told("document_registered") && told("claim_settled"),
        "{events:?}"
    );
}

/// The red letter of a document that was issued elsewhere is written elsewhere too: the registrar
/// records it, and whoever has paid hears of it without having been asked.
#[tokio::test]
async fn the_registrar_records_the_reversal_and_the_named_seller_sees_the_document() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (employer, stranger) = (demo.employer(), demo.member("merchant", 2));
    let (key, text) = registration(&tax, &merchant);
    let mut text: Value = serde_json::from_str(&text).unwrap();
    text["invoice"]["seller"]["id"] = merchant.id.clone().into();
    demo.http.accept(&tax, &text.to_string()).await;
    let claim = lock(&employer, &key, "employer", None);
    demo.http.accept(&employer, &claim).await;
    let settled = settle(&employer, &id_of(&claim), "1060.00");
    demo.http.accept(&employer, &settled).await;

    let path = format!("/v1/documents/{key}");
    demo.http.ask(&merchant, &path).await.is(200);
    demo.http.ask(&stranger, &path).await.is(404);
    let red = |by: &Member| {
        let members = json!({"document": key, "amount": "1060.00", "reason": "02"});
        record(by, "document.reverse", members)
    };
    for by in [&merchant, &demo.member("finance", 1)] {
        let answer = demo.http.submit(by, &red(by)).await;
        answer.refused(409, "not_issuer");
    }
    let answer = demo.http.accept(&tax, &red(&tax)).await.json();
    assert_eq!(answer["outcome"]["detail"]["over_claimed"], "1060.00");
    let events = demo.http.events(&employer, 0).await;
    for kind in ["document_reversed", "over_claimed"] {
        let told = |event: &Value| event["event"] == kind && event["document"] == key;
        assert!(events.iter().any(told), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn the_public_page_names_the_issuer_on_the_paper_and_not_the_registrar() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (key, text) = registration(&tax, &merchant);
    demo.http.accept(&tax, &text).await;
    let path = format!("/v/{key}?amount=1060.00&date={}", today());
    let shown = demo.http.get(&path).await.is(200);
    assert!(shown.text().contains("别处的商户"), "{}", shown.text());
    assert!(!shown.text().contains(&tax.name), "{}", shown.text());
    let statement = demo.http.get(&format!("{path}&download=statement")).await;
    assert_eq!(statement.is(200).json()["issuer"], "别处的商户");

    let bill = Document::bill(&demo.member("hospital", 1));
    let finance = demo.member("finance", 1);
    let mut content = bill.record["bill"].clone();
    content["issuer"] = json!({"id": "91350100M000100Y43", "name": "别处的医院"});
    let original = json!({"sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04", "format": "ofd"});
    let members = json!({"bill": content, "original": original});
    let text = record(&finance, "document.register", members);
    demo.http.accept(&finance, &text).await;
    let path = format!(
        "/v/{}?amount=4500.00&date={}&check_code=a1B2c3",
        bill.key,
        today()
    );
    let shown = demo.http.get(&path).await.is(200);
    assert!(shown.text().contains("别处的医院"), "{}", shown.text());
    assert!(!shown.text().contains(&finance.name), "{}", shown.text());
}

#[tokio::test]
async fn the_ledger_has_what_a_registered_document_says_and_only_the_days_that_are_asked_for() {
    let demo = Demo::start();
    let (tax, merchant, first) = (demo.tax(), demo.merchant(), demo.employer());
    let (key, text) = registration(&tax, &merchant);
    demo.http.accept(&tax, &text).await;
    let claim = lock(&first, &key, "employer", Some("60.00"));
    demo.http.accept(&first, &claim).await;
    let session = demo.http.signed(&first, Method::POST, "/v1/session", b"");
    let session = Http::send(session).await.is(204);
    let cookie = session.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let ledger = async |query: &str| {
        let path = format!("/app/ledger.csv?lang=zh{query}");
        let request = demo.http.request(Method::GET, &path);
        Http::send(request.header("cookie", &cookie)).await
    };
    let today = today();
    let tomorrow = today.next().unwrap();
    let number = key.strip_prefix("D:").unwrap();
    for (query, has) in [
        (String::new(), true),
        (format!("&from={today}&to={today}"), true),
        (format!("&from=2020-01-01&to={tomorrow}"), true),
        ("&from=&to=".to_owned(), true),
        ("&from=2020-01-01&to=2020-01-02".to_owned(), false),
        (format!("&from={tomorrow}"), false),
        ("&to=2020-01-01".to_owned(), false),
    ] {
        let file = ledger(&query).await.is(200);
        let file = file.text();
        assert_eq!(file.contains(number), has, "{query}: {file}");
        if has {
            for part in ["\t82", "别处的商户", "\t91350100M000100Y43", "1060.00"] {
                assert!(file.contains(part), "{part}: {file}");
            }
        }
    }
    for wrong in ["&from=2026-13-01", "&to=yesterday", "&from=2026-1-1"] {
        ledger(wrong).await.refused(400, "query_invalid");
    }
}
