//! What may be claimed, by whom, and what a reversal does to it.

use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record, reverse, settle};
use crate::support::{Demo, Document, Member, now, today};

/// The state of a document as one of its parties sees it.
async fn amounts(demo: &Demo, who: &Member, key: &str) -> Value {
    let path = format!("/v1/documents/{key}");
    demo.http.ask(who, &path).await.is(200).json()["amounts"].clone()
}

async fn accepted(demo: &Demo, by: &Member, text: String) -> String {
    demo.http.accept(by, &text).await;
    id_of(&text)
}

#[tokio::test]
async fn money_is_locked_settled_released_and_taken_back() {
    let demo = Demo::start();
    let (merchant, first, second) = (demo.merchant(), demo.employer(), demo.member("employer", 2));
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key.as_str();
    let one = accepted(&demo, &first, lock(&first, key, "employer", Some("636.00"))).await;
    accepted(&demo, &first, settle(&first, &one, "600.00")).await;
    let told = demo
        .http
        .submit(&second, &lock(&second, key, "employer", Some("1060.00")))
        .await;
    let told = told.refused(409, "claim_exceeds_remaining");
    assert_eq!(
        told["facts"],
        json!({"remaining": "460.00", "asked": "1060.00"})
    );
    let two = accepted(&demo, &second, lock(&second, key, "employer", None)).await;
    let state = amounts(&demo, &merchant, key).await;
    assert_eq!(
        (&state["settled"], &state["locked"], &state["claimable"]),
        (&json!("600.00"), &json!("460.00"), &json!("0.00"))
    );
    let release = record(
        &second,
        "claim.release",
        json!({"claim": two, "reason": "退单"}),
    );
    accepted(&demo, &second, release).await;
    let back = record(
        &first,
        "claim.reverse",
        json!({"claim": one, "amount": "100.00", "reason": "多报"}),
    );
    accepted(&demo, &first, back).await;
    let state = amounts(&demo, &merchant, key).await;
    assert_eq!(
        (&state["settled"], &state["locked"]),
        (&json!("500.00"), &json!("0.00"))
    );
    // A lock runs out by itself, by the chain's clock.
    let mut short: Value = serde_json::from_str(&lock(&second, key, "employer", None)).unwrap();
    short["expires_at"] = now()
        .checked_add_ms(4_000)
        .unwrap()
        .to_rfc3339_utc8()
        .into();
    let short = short.to_string();
    demo.http.accept(&second, &short).await;
    while amounts(&demo, &merchant, key).await["locked"] != "0.00" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    demo.http
        .submit(&second, &settle(&second, &id_of(&short), "1.00"))
        .await
        .refused(409, "claim_expired");
    accepted(&demo, &first, lock(&first, key, "employer", Some("560.00"))).await;
}

#[tokio::test]
async fn a_reversal_needs_the_consent_of_whoever_holds_money() {
    let demo = Demo::start();
    let (merchant, first, second) = (demo.merchant(), demo.employer(), demo.member("employer", 2));
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key.as_str();
    let settled = accepted(&demo, &first, lock(&first, key, "employer", Some("700.00"))).await;
    accepted(&demo, &first, settle(&first, &settled, "700.00")).await;
    accepted(
        &demo,
        &second,
        lock(&second, key, "employer", Some("300.00")),
    )
    .await;
    let confirm = |by: &Member, amount: &str| {
        record(
            by,
            "document.confirm_reversal",
            json!({"document": key, "amount": amount}),
        )
    };
    let reversal = || reverse(&merchant, key, "1060.00", "02");
    let told = demo
        .http
        .submit(&merchant, &reversal())
        .await
        .refused(409, "reversal_not_confirmed");
    assert_eq!(told["facts"]["missing"], "2");
    accepted(&demo, &first, confirm(&first, "1060.00")).await;
    accepted(&demo, &second, confirm(&second, "500.00")).await;
    // Consent to another amount is none.
    let told = demo
        .http
        .submit(&merchant, &reversal())
        .await
        .refused(409, "reversal_not_confirmed");
    assert_eq!(told["facts"]["missing"], "1");
    accepted(&demo, &second, confirm(&second, "1060.00")).await;
    let done = demo.http.accept(&merchant, &reversal()).await.json();
    assert_eq!(done["outcome"]["detail"]["over_claimed"], "700.00");
    // The lock is free, the settlement is now too much and must be taken back.
    let state = amounts(&demo, &merchant, key).await;
    assert_eq!(
        (&state["locked"], &state["over_claimed"]),
        (&json!("0.00"), &json!(true))
    );
    let feed = demo.http.events(&first, 0).await;
    assert!(
        feed.iter()
            .any(|event| event["event"] == "over_claimed" && event["document"] == key)
    );
    let back = record(
        &first,
        "claim.reverse",
        json!({"claim": settled, "amount": "700.00", "reason": "红冲"}),
    );
    accepted(&demo, &first, back).await;
    let state = amounts(&demo, &merchant, key).await;
    assert_eq!(
        (&state["settled"], &state["over_claimed"]),
        (&json!("0.00"), &json!(false))
    );
    demo.http
        .submit(&first, &lock(&first, key, "employer", None))
        .await
        .refused(409, "document_reversed");
}

#[tokio::test]
async fn shares_reserve_money_of_an_invoice_for_others() {
    let demo = Demo::start();
    let (merchant, buyer, holder) = (demo.merchant(), demo.employer(), demo.member("employer", 2));
    let document = Document::invoice(&merchant, Some(&buyer));
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key.as_str();
    demo.http
        .submit(&holder, &lock(&holder, key, "employer", None))
        .await
        .refused(409, "claimant_not_entitled");
    let share = record(
        &buyer,
        "share.grant",
        json!({"document": key, "to": holder.id, "amount": "400.00"}),
    );
    accepted(&demo, &buyer, share).await;
    // The buyer has what it did not give away, the holder its share, in several claims.
    let told = demo
        .http
        .submit(&buyer, &lock(&buyer, key, "employer", Some("660.01")))
        .await;
    assert_eq!(
        told.refused(409, "claim_exceeds_remaining")["facts"]["remaining"],
        "660.00"
    );
    let claim = accepted(
        &demo,
        &holder,
        lock(&holder, key, "employer", Some("150.00")),
    )
    .await;
    accepted(&demo, &holder, settle(&holder, &claim, "150.00")).await;
    let told = demo
        .http
        .submit(&holder, &lock(&holder, key, "employer", Some("250.01")))
        .await;
    assert_eq!(
        told.refused(409, "claim_exceeds_remaining")["facts"]["remaining"],
        "250.00"
    );
    accepted(&demo, &holder, lock(&holder, key, "employer", None)).await;
    accepted(&demo, &buyer, lock(&buyer, key, "employer", None)).await;
    let state = amounts(&demo, &holder, key).await;
    assert_eq!(
        (&state["locked"], &state["settled"]),
        (&json!("910.00"), &json!("150.00"))
    );
}

#[tokio::test]
async fn an_alias_is_the_same_paper_and_the_same_money() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let paper = "P:044031900111-12345678";
    let alias = record(
        &merchant,
        "document.alias",
        json!({"document": document.key, "alias": paper}),
    );
    accepted(&demo, &merchant, alias).await;
    accepted(
        &demo,
        &employer,
        lock(&employer, paper, "employer", Some("1000.00")),
    )
    .await;
    let told = demo
        .http
        .submit(
            &employer,
            &lock(&employer, &document.key, "employer", Some("100.00")),
        )
        .await;
    assert_eq!(
        told.refused(409, "claim_exceeds_remaining")["facts"]["remaining"],
        "60.00"
    );
    let shown = demo
        .http
        .ask(&merchant, &format!("/v1/documents/{paper}"))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&shown["document"], &shown["aliases"]),
        (&json!(document.key), &json!([paper]))
    );
    // A bill that was exchanged for paper lives on as the paper.
    let hospital = demo.member("hospital", 1);
    let bill = Document::bill(&hospital);
    demo.http.accept(&hospital, &bill.text()).await;
    let paper = "F:33060199-0000000001";
    let alias = record(
        &hospital,
        "document.alias",
        json!({"document": bill.key, "alias": paper}),
    );
    accepted(&demo, &hospital, alias).await;
    demo.http
        .submit(&employer, &lock(&employer, &bill.key, "employer", None))
        .await
        .refused(409, "reissued_on_paper");
    accepted(&demo, &employer, lock(&employer, paper, "employer", None)).await;
}

#[tokio::test]
async fn a_medical_bill_is_claimed_up_to_what_the_patient_bore() {
    let demo = Demo::start();
    let (hospital, insurer) = (demo.member("hospital", 1), demo.member("insurer", 1));
    let bill = Document::bill(&hospital);
    demo.http.accept(&hospital, &bill.text()).await;
    let told = demo
        .http
        .submit(
            &insurer,
            &lock(&insurer, &bill.key, "commercial", Some("900.01")),
        )
        .await;
    assert_eq!(
        told.refused(409, "claim_exceeds_remaining")["facts"]["remaining"],
        "900.00"
    );
    let mut own: Value =
        serde_json::from_str(&lock(&insurer, &bill.key, "commercial", Some("300.01"))).unwrap();
    own["component"] = "self_fund".into();
    let told = demo.http.submit(&insurer, &own.to_string()).await;
    assert_eq!(
        told.refused(409, "component_exceeded")["facts"]["remaining"],
        "300.00"
    );
    accepted(
        &demo,
        &insurer,
        lock(&insurer, &bill.key, "commercial", Some("900.00")),
    )
    .await;
    // A fixed benefit takes nothing and is not in anyone's way.
    accepted(
        &demo,
        &insurer,
        lock(&insurer, &bill.key, "reference", None),
    )
    .await;
}

#[tokio::test]
async fn a_quota_counts_what_is_issued_and_gives_back_what_is_reversed() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let quota = |amount: &str| {
        record(
            &tax,
            "quota.set",
            json!({"member": merchant.id, "month": today().month().to_string(), "amount": amount}),
        )
    };
    accepted(&demo, &tax, quota("2000.00")).await;
    let first = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &first.text()).await;
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    let third = Document::invoice(&merchant, None);
    let told = demo
        .http
        .submit(&merchant, &third.text())
        .await
        .refused(409, "quota_exceeded");
    assert_eq!(
        told["facts"],
        json!({"limit": "2000.00", "used": "2000.00", "asked": "1000.00"})
    );
    accepted(
        &demo,
        &merchant,
        reverse(&merchant, &first.key, "1060.00", "01"),
    )
    .await;
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    demo.http
        .submit(&merchant, &Document::invoice(&merchant, None).text())
        .await
        .refused(409, "quota_exceeded");
    accepted(&demo, &tax, quota("3000.00")).await;
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    // What was refused stays refused: its bytes have their answer.
    demo.http
        .submit(&merchant, &third.text())
        .await
        .refused(409, "quota_exceeded");
}
