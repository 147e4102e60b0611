//! A document's life, and who read of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{page, signed_in};
use crate::support::records::{id_of, lock, record, settle};
use crate::support::{Demo, Document, Member};

#[tokio::test]
async fn reading_anothers_record_about_a_document_is_in_the_access_log() {
    let demo = Demo::start();
    let (tax, merchant, first) = (demo.tax(), demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let claim = lock(&first, &document.key, "employer", Some("60.00"));
    demo.http.accept(&first, &claim).await;
    let settled = settle(&first, &id_of(&claim), "60.00");
    demo.http.accept(&first, &settled).await;
    let questions = async || {
        let access = demo.http.ask(&tax, "/v1/oversight/access").await.is(200);
        access.json()["entries"].as_array().unwrap().clone()
    };
    assert_eq!(questions().await, Vec::<Value>::new());
    let issued = id_of(&document.text());
    let by_id = |who: &Member, id: &str| format!("/v1/records/{}/{id}", who.id);
    let sm3 = invoice_core::crypto::sm3(&[claim.as_bytes()]);
    for (path, state) in [
        (by_id(&merchant, &issued), "final"),
        (by_id(&first, &id_of(&settled)), "final"),
        (format!("/v1/records?sm3={sm3}"), "final"),
        // Nothing is told, and about no document.
        (by_id(&merchant, "no-such-record"), "absent"),
    ] {
        let told = demo.http.ask(&tax, &path).await.is(200).json();
        assert_eq!(told["state"], state, "{path}");
    }
    // What is one's own is no question about others.
    demo.http
        .ask(&merchant, &by_id(&merchant, &issued))
        .await
        .is(200);
    let asked = questions().await;
    assert_eq!(asked.len(), 3, "{asked:?}");
    for one in asked {
        assert_eq!(
            (&one["call"], &one["by"], &one["document"]),
            (&json!("record"), &json!(tax.id), &json!(document.key))
        );
    }
}

/// The key of an invoice that an employer holds all of, and the record of its lock.
async fn locked_by(demo: &Demo, employer: &Member) -> (String, String) {
    let merchant = demo.merchant();
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let whole = lock(employer, &document.key, "employer", Some("1060.00"));
    demo.http.accept(employer, &whole).await;
    (document.key, whole)
}

/// What a stranger sends to make a document's life long: each is refused.
fn thousand_locks(stranger: &Member, key: &str) -> Vec<String> {
    (0..1_000)
        .map(|_| lock(stranger, key, "employer", Some("1.00")))
        .collect()
}

#[tokio::test]
async fn refused_records_of_a_stranger_hide_nothing_of_a_documents_life() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (first, stranger) = (demo.employer(), demo.member("employer", 2));
    let (key, whole) = locked_by(&demo, &first).await;
    let flood = thousand_locks(&stranger, &key);
    for part in flood.chunks(500) {
        demo.http.submit_batch(&stranger, part, false).await.is(200);
    }
    demo.http
        .accept(&first, &settle(&first, &id_of(&whole), "1000.00"))
        .await;
    // Someone claims after the flood, and gives it back: the document stays its business.
    let late_claimant = demo.member("insurer", 1);
    let late = lock(&late_claimant, &key, "commercial", Some("60.00"));
    demo.http.accept(&late_claimant, &late).await;
    let back = json!({"claim": id_of(&late), "reason": "r"});
    let back = record(&late_claimant, "claim.release", back);
    demo.http.accept(&late_claimant, &back).await;
    let alias = json!({"document": key, "alias": "P:044031900111-12345678"});
    demo.http
        .accept(&merchant, &record(&merchant, "document.alias", alias))
        .await;
    let freeze = json!({"document": key, "reason": "核查"});
    demo.http
        .accept(&tax, &record(&tax, "document.freeze", freeze))
        .await;

    let path = format!("/v1/documents/{key}");
    let accepted = [
        "invoice.issue",
        "claim.lock",
        "claim.settle",
        "claim.lock",
        "claim.release",
        "document.alias",
        "document.freeze",
    ];
    for who in [&first, &late_claimant, &merchant] {
        let seen = demo.http.ask(who, &path).await.is(200).json();
        let kinds: Vec<_> = seen["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, accepted, "{}", who.name);
        assert_eq!(seen["aliases"], json!(["P:044031900111-12345678"]));
        assert!(seen["next"].is_null() && seen["refused_next"].is_null());
    }
    // The authority sees all of it, page by page.
    let (mut shown, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut path = format!("/v1/oversight/documents/{key}");
    loop {
        let seen = demo.http.ask(&tax, &path).await.is(200).json();
        assert!(seen["next"].is_null());
        for entry in seen["timeline"].as_array().unwrap() {
            let id = entry["id"].as_str().unwrap().to_owned();
            match entry["facts"]["code"].is_string() {
                true => refused.insert(id),
                false => shown.insert(id),
            };
        }
        match seen["refused_next"].as_str() {
            Some(next) => path = format!("/v1/oversight/documents/{key}?cursor={next}"),
            None => break,
        }
    }
    assert_eq!((shown.len(), refused.len()), (accepted.len(), 1_000));
    let cookie = signed_in(&demo, &tax).await;
    let shown = page(&demo, &cookie, &format!("/oversight/documents/{key}")).await;
    let shown = shown.is(200).text().to_owned();
    for part in [
        "freezing",
        "settlement",
        "the list goes on",
        "?cursor=",
        "id=\"refresh\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // No script looks at it again: each look is a line in the access log.
    assert!(!shown.contains("id=\"live\""), "{shown}");
    demo.http
        .ask(&tax, &format!("/v1/documents/{key}?cursor=00"))
        .await
        .refused(400, "cursor_invalid");
}

#[tokio::test]
async fn what_follows_more_refusals_than_a_page_reads_is_reached_by_its_cursors() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (first, stranger) = (demo.employer(), demo.member("employer", 2));
    let (key, whole) = locked_by(&demo, &first).await;
    // More than the 20,000 rows in which one page is looked for.
    for _ in 0..21 {
        let flood = thousand_locks(&stranger, &key);
        let sent = demo.http.submit_batch(&stranger, &flood, false).await;
        sent.is(200);
    }
    demo.http
        .accept(&first, &settle(&first, &id_of(&whole), "1000.00"))
        .await;
    for (who, refused_due) in [(&merchant, 0), (&first, 0), (&tax, 21_000)] {
        for list in ["next", "refused_next"] {
            let (mut seen, mut cursors) = (Vec::new(), BTreeSet::new());
            let mut path = format!("/v1/documents/{key}");
            loop {
                let page = demo.http.ask(who, &path).await.is(200).json();
                let refused = list == "refused_next";
                let entries = page["timeline"].as_array().unwrap().iter();
                let of_list = entries.filter(|one| one["facts"]["code"].is_string() == refused);
                seen.extend(of_list.map(|one| one["index"].as_u64().unwrap()));
                let Some(next) = page[list].as_str() else {
                    break;
                };
                assert!(cursors.insert(next.to_owned()), "{next} twice");
                path = format!("/v1/documents/{key}?cursor={next}");
            }
            let due = if list == "next" { 3 } else { refused_due };
            assert_eq!(seen.len(), due, "{} {list}", who.name);
            assert!(seen.is_sorted(), "{seen:?}");
        }
    }
}
