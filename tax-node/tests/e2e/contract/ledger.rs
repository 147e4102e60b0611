//! The clerk's page and its ledger as files: whose claims they show, and what an export costs.

use reqwest::Method;
use serde_json::Value;

use crate::support::records::lock;
use crate::support::{Demo, Document, Http, Member};

/// Signs a member in; what asks with its session.
async fn signed_in(demo: &Demo, who: &Member) -> String {
    let session = demo.http.signed(who, Method::POST, "/v1/session", b"");
    let session = Http::send(session).await.is(204);
    let cookie = session.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A page or file, as whoever signed in sees it.
async fn seen(demo: &Demo, cookie: &str, path: &str) -> String {
    let request = demo.http.request(Method::GET, path);
    let answer = Http::send(request.header("cookie", cookie)).await.is(200);
    answer.text().to_owned()
}

#[tokio::test]
async fn a_bureau_that_claims_works_on_its_own_claims() {
    let demo = Demo::start();
    let (health, employer) = (demo.member("health", 1), demo.employer());
    let bill = Document::bill(&demo.member("hospital", 1));
    demo.http
        .accept(&demo.member("hospital", 1), &bill.text())
        .await;
    let invoice = Document::invoice(&demo.merchant(), Some(&employer));
    demo.http.accept(&demo.merchant(), &invoice.text()).await;
    let other = lock(&employer, &invoice.key, "employer", Some("60.00"));
    demo.http.accept(&employer, &other).await;
    let own = lock(&health, &bill.key, "supplement", Some("6.00"));
    demo.http.accept(&health, &own).await;

    let cookie = signed_in(&demo, &health).await;
    let number = |key: &str| key.rsplit([':', '-']).next().unwrap().to_owned();
    for path in ["/app", "/app?status=locked", "/app/ledger.csv"] {
        let page = seen(&demo, &cookie, path).await;
        assert!(page.contains(&number(&bill.key)), "{path}: {page}");
        assert!(!page.contains(&number(&invoice.key)), "{path}: {page}");
    }
    // Who supervises sees everyone's claims where claims are asked for.
    let all = demo.http.ask(&health, "/v1/claims").await.is(200);
    assert!(all.text().contains(&invoice.key), "{}", all.text());
}

#[tokio::test]
async fn many_claims_on_one_document_cost_one_look_at_it() {
    const LOCKS: usize = 300;
    let demo = Demo::start();
    let employer = demo.employer();
    let invoice = Document::invoice(&demo.merchant(), Some(&employer));
    demo.http.accept(&demo.merchant(), &invoice.text()).await;
    let locks = (0..LOCKS)
        .map(|_| lock(&employer, &invoice.key, "reference", Some("0.00")))
        .collect::<Vec<_>>();
    let batch = demo.http.batch(&employer, &locks, true);
    demo.http.post(batch).await.is(200);

    let looks = async || {
        let path = "/v1/oversight/access";
        let page: Value = demo.http.ask(&demo.tax(), path).await.is(200).json();
        let all = page["entries"].as_array().unwrap().clone();
        let of = |entry: &&Value| entry["by"] == *employer.id && entry["call"] == "document";
        all.iter().filter(of).count()
    };
    let before = looks().await;
    let cookie = signed_in(&demo, &employer).await;
    let ledger = seen(&demo, &cookie, "/app/ledger.csv").await;
    assert_eq!(ledger.lines().count(), LOCKS + 1, "{ledger}");
    assert!(
        ledger.lines().skip(1).all(|row| row.contains("1060.00")),
        "{ledger}"
    );
    assert_eq!(looks().await - before, 1);
}
