//! Every link of every page, as an authority and as an auditor.

use std::collections::{BTreeSet, VecDeque};

use reqwest::Method;
use serde_json::json;

use super::{figures, page, play, signed_in};
use crate::support::records::{lock, record, reverse};
use crate::support::{Demo, Document, Http, Member, today};

/// The addresses of this section, and of records and proofs, that a page leads to.
fn links(html: &str) -> Vec<String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with("/oversight") || link.starts_with("/v1/"))
        // The same page in the other language.
        .filter(|link| !link.contains("lang="))
        .map(|link| link.replace("&amp;", "&"))
        .collect()
}

/// Things that pages could lead to in vain: a document frozen, one of a seller that is no member,
/// reversed by the authority, one that does not exist, and questions of the public about both.
async fn play_oddly(demo: &Demo) {
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let frozen = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &frozen.text()).await;
    let members = json!({"document": frozen.key, "reason": "核查"});
    let freeze = record(&tax, "document.freeze", members);
    demo.http.accept(&tax, &freeze).await;
    let elsewhere = Document::invoice(&merchant, None);
    let mut invoice = elsewhere.record["invoice"].clone();
    invoice["seller"] = json!({"id": OUTSIDER, "name": "别处的商户"});
    let original = json!({"sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04", "format": "ofd"});
    let members = json!({"invoice": invoice, "original": original});
    let register = record(&tax, "document.register", members);
    demo.http.accept(&tax, &register).await;
    let claim = lock(&employer, &elsewhere.key, "employer", Some("500.00"));
    demo.http.accept(&employer, &claim).await;
    let back = reverse(&tax, &elsewhere.key, "60.00", "04");
    demo.http.accept(&tax, &back).await;
    let unknown = Document::invoice(&merchant, None).key;
    let vain = lock(&employer, &unknown, "employer", Some("5.00"));
    demo.http.submit(&employer, &vain).await.is(409);
    for key in [&unknown, &frozen.key] {
        let path = format!("/v/{key}?amount=1060.00&date={}", today());
        let request = demo.http.request(Method::GET, &path);
        Http::send(request).await.is(200);
    }
    // An item of a member about what does not exist is in the log too.
    let item = json!({"items": [{"document": unknown, "amount": "1.00", "date": "2026-11-01"}]});
    demo.http
        .ask_with(&employer, "/v1/checks", &item)
        .await
        .is(200);
}

/// A seller that is no member.
const OUTSIDER: &str = "91350100M000100Y43";

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere() {
    let demo = Demo::start();
    play(&demo).await;
    play_oddly(&demo).await;
    let tax = demo.tax();
    figures(&demo, &tax, "/v1/oversight/overview").await;
    let seen = follow(&demo, &tax).await;
    for view in ["volume", "pairs", "locks", "health", "access", "orders"] {
        assert!(seen.contains(&format!("/oversight/{view}")), "{view}");
    }
    let kinds = [
        "/oversight/documents/",
        "/oversight/members/",
        "/oversight/merchants/",
        "/oversight/attempts/",
        "/oversight/records?",
        "/oversight/records?list=frozen",
        "/oversight/records?list=expired",
        "/oversight/locks?days_from=",
        "/v1/records/",
        "/v1/proofs/inclusion?",
    ];
    for kind in kinds {
        assert!(seen.iter().any(|path| path.starts_with(kind)), "{kind}");
    }
    let issuer = format!("/oversight/merchants/{OUTSIDER}");
    assert!(seen.contains(&issuer) && !seen.contains(&issuer.replace("merchants", "members")));
    // Auditors are led to no document, receipt or order.
    let seen = follow(&demo, &demo.member("auditor", 1)).await;
    for part in ["/documents/", "/v1/records/", "/access", "/orders"] {
        assert!(!seen.iter().any(|path| path.contains(part)), "{part}");
    }
    assert!(seen.contains("/oversight/pairs") && seen.contains(&issuer));
    let cookie = signed_in(&demo, &tax).await;
    let pairs = page(&demo, &cookie, "/oversight/pairs").await;
    assert!(pairs.text().contains("<rect class=\"heat4\""));
    assert!(pairs.text().contains("示范企业乙"));
    let access = page(&demo, &cookie, "/oversight/access").await;
    assert!(access.text().contains("the public"));
    let frozen = page(&demo, &cookie, "/oversight/records?list=frozen").await;
    assert!(frozen.text().contains("freezing"));
}

/// All pages that a member is led to.
async fn follow(demo: &Demo, who: &Member) -> BTreeSet<String> {
    let cookie = signed_in(demo, who).await;
    let mut waiting = VecDeque::from(["/oversight".to_owned()]);
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        assert!(seen.len() < 2_000, "pages lead on without an end");
        let answer = page(demo, &cookie, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let absent = answer.text().contains("\"state\":\"absent\"");
        assert!(!absent, "{path} leads to nothing");
        if !path.starts_with("/oversight") {
            continue;
        }
        let html = answer.text();
        for part in [
            "<style", "style=", "http:", "https:", "onclick", "NaN", "{}",
            // In an English page.
            "（", "）", "，", "；", "：", "。",
        ] {
            assert!(!html.contains(part), "{path}: {part}");
        }
        assert!(
            html.contains("<h1>") && html.contains("aria-label=\"Oversight\""),
            "{path}"
        );
        waiting.extend(links(html));
    }
    seen
}
