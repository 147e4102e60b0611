//! Which of its own payments a member reads in the event of a reversal.

use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record, reverse, settle};
use crate::support::{Demo, Document, Member};

/// Refused records in batches: more than are read at once.
const FLOOD: [usize; 2] = [1_000, 1];

async fn accepted(demo: &Demo, by: &Member, text: String) -> String {
    demo.http.accept(by, &text).await;
    id_of(&text)
}

/// Every holder agrees, and the issuer reverses.
async fn reversed(demo: &Demo, holders: &[&Member], key: &str, amount: &str) {
    for holder in holders {
        let consent = json!({"document": key, "amount": amount});
        let consent = record(holder, "document.confirm_reversal", consent);
        accepted(demo, holder, consent).await;
    }
    let merchant = demo.merchant();
    accepted(demo, &merchant, reverse(&merchant, key, amount, "02")).await;
}

/// `facts.claims` of the events of one kind, in their order.
async fn told(demo: &Demo, who: &Member, kind: &str) -> Vec<Value> {
    let events = demo.http.events(who, 0).await;
    let of_kind = events.iter().filter(|event| event["event"] == kind);
    of_kind
        .map(|event| event["facts"]["claims"].clone())
        .collect()
}

/// Locks of a member that are refused and recorded all the same.
async fn flood(demo: &Demo, by: &Member, key: &str) {
    for count in FLOOD {
        let locks: Vec<String> = (0..count)
            .map(|_| lock(by, key, "employer", Some("1.00")))
            .collect();
        let before = demo.http.tree_size().await;
        demo.http.submit_batch(by, &locks, false).await;
        assert_eq!(demo.http.tree_size().await, before + count as u64);
    }
}

#[tokio::test]
async fn nobody_hides_from_a_payer_what_of_its_payments_was_reversed() {
    let demo = Demo::start();
    let (merchant, payer) = (demo.merchant(), demo.employer());
    let stranger = demo.member("employer", 2);
    let document = Document::invoice(&merchant, Some(&payer));
    accepted(&demo, &merchant, document.text()).await;
    let key = document.key.as_str();
    // Refused locks stand on the document before the claim, and between what becomes of it.
    flood(&demo, &stranger, key).await;
    let claim = accepted(&demo, &payer, lock(&payer, key, "employer", None)).await;
    accepted(&demo, &payer, settle(&payer, &claim, "1060.00")).await;
    flood(&demo, &stranger, key).await;
    reversed(&demo, &[&payer], key, "60.00").await;
    // What is taken back is held no longer, also when the events before it are asked for later.
    let back = json!({"claim": claim, "amount": "1060.00", "reason": "冲红"});
    accepted(&demo, &payer, record(&payer, "claim.reverse", back)).await;
    reversed(&demo, &[], key, "1000.00").await;
    for kind in ["over_claimed", "document_reversed"] {
        let claims = told(&demo, &payer, kind).await;
        assert_eq!(claims[0], json!(claim), "{kind}");
        assert!(claims[1..].iter().all(Value::is_null), "{kind}: {claims:?}");
    }
    assert_eq!(told(&demo, &payer, "document_reversed").await.len(), 2);
}

#[tokio::test]
async fn a_lock_that_a_reversal_freed_is_no_payment_of_the_next_one() {
    let demo = Demo::start();
    let (merchant, payer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, Some(&payer));
    accepted(&demo, &merchant, document.text()).await;
    let key = document.key.as_str();
    let given_back = accepted(&demo, &payer, lock(&payer, key, "employer", Some("1.00"))).await;
    let release = json!({"claim": given_back, "reason": "退单"});
    accepted(&demo, &payer, record(&payer, "claim.release", release)).await;
    let paid = accepted(&demo, &payer, lock(&payer, key, "employer", Some("10.00"))).await;
    accepted(&demo, &payer, settle(&payer, &paid, "10.00")).await;
    let freed = accepted(&demo, &payer, lock(&payer, key, "employer", Some("20.00"))).await;
    reversed(&demo, &[&payer], key, "100.00").await;
    reversed(&demo, &[&payer], key, "50.00").await;
    let mut both = [paid.clone(), freed];
    both.sort();
    assert_eq!(
        told(&demo, &payer, "document_reversed").await,
        [json!(both.join(",")), json!(paid)]
    );
}
