//! Questions at the edge of what the contract says.

use serde_json::json;

use crate::support::{Demo, Document, today};

#[tokio::test]
async fn the_feed_vouches_for_no_height_beyond_the_head() {
    let demo = Demo::start();
    let merchant = demo.merchant();
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let height = demo.http.get("/v1/checkpoint").await.json()["height"].clone();
    let told = demo.http.events(&merchant, 999_999).await;
    assert_eq!(told, [json!({ "complete_to": height })]);
}

#[tokio::test]
async fn an_empty_parameter_is_an_absent_one() {
    let demo = Demo::start();
    let employer = demo.employer();
    demo.http
        .ask(&employer, "/v1/claims?status=&cursor=")
        .await
        .is(200);
}

#[tokio::test]
async fn a_check_code_is_wrong_for_a_document_that_has_none() {
    let demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let mut item = json!({
        "document": document.key, "amount": "1060.00", "date": today().to_string(),
    });
    let verdict = async |item: &serde_json::Value| {
        let answer = demo
            .http
            .ask_with(&employer, "/v1/checks", &json!({ "items": [item] }))
            .await;
        answer.is(200).json()["results"][0]["verdict"].clone()
    };
    assert_eq!(verdict(&item).await, "claimable");
    item["check_code"] = "a1B2c3".into();
    assert_eq!(verdict(&item).await, "mismatch");
}
