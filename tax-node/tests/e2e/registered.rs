//! Documents that an authority registered, in the supervisor's figures and lists.

use serde_json::{Value, json};

use crate::support::records::{lock, record, settle};
use crate::support::{Demo, Document, Member};

/// A seller that is no member.
const SELLER: &str = "91350100M000100Y43";

/// Registers an invoice of 1060.00 yuan from another region (35: 3rd and 4th digit of its number)
/// than those of the demonstration; its key and the record's id.
async fn register(demo: &Demo, by: &Member) -> (String, String) {
    let issued = Document::invoice(&demo.merchant(), None);
    let mut invoice = issued.record["invoice"].clone();
    let number = issued.key.trim_start_matches("D:");
    let number = format!("{}35{}", &number[..2], &number[4..]);
    invoice["number"] = json!(number);
    invoice["seller"] = json!({"id": SELLER, "name": "别处的商户"});
    let original = json!({
        "sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04",
        "format": "ofd", "signature": "verified",
    });
    let members = json!({"invoice": invoice, "original": original});
    let text = record(by, "document.register", members);
    demo.http.accept(by, &text).await;
    let id = serde_json::from_str::<Value>(&text).unwrap()["id"].clone();
    (format!("D:{number}"), id.as_str().unwrap().to_owned())
}

/// The answer of a question, once the figures are of the whole chain.
async fn figures(demo: &Demo, who: &Member, path: &str) -> Value {
    for _ in 0..400 {
        let answer = demo.http.ask(who, path).await.is(200).json();
        if answer["as_of"]["height"] == answer["as_of"]["head"] {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the figures do not follow the chain");
}

#[tokio::test]
async fn what_an_authority_registered_counts_like_what_was_issued_here() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let own = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &own.text()).await;
    let (key, id) = register(&demo, &tax).await;

    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    let both = json!({"count": 2, "amount": "2120.00"});
    assert_eq!(overview["issued"], both);

    // By region, and by kind.
    let volume = figures(&demo, &tax, "/v1/oversight/volume?measure=issued").await;
    let regions = volume["regions"].as_array().unwrap();
    let of = |region: u64| regions.iter().find(|one| one["number"] == region);
    assert_eq!(regions.len(), 2, "{volume}");
    for region in [33, 35] {
        let found = of(region).unwrap_or_else(|| panic!("{region}: {volume}"));
        assert_eq!(
            (&found["count"], &found["amount"]),
            (&json!(1), &json!("1060.00"))
        );
    }
    let kinds = volume["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 1, "{volume}");
    assert_eq!(
        (&kinds[0]["count"], &kinds[0]["amount"]),
        (&both["count"], &both["amount"])
    );

    // In the list behind the figure, under the seller, and in the search.
    let path = format!("/v1/oversight/records?list=issued&member={SELLER}");
    let listed = figures(&demo, &tax, &path).await;
    let listed = listed["records"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["type"], &listed[0]["id"], &listed[0]["by"]["id"]),
        (&json!("document.register"), &json!(id), &json!(tax.id))
    );
    let merchants = figures(&demo, &tax, "/v1/oversight/merchants").await;
    let merchants = merchants["merchants"].as_array().unwrap();
    let seller = merchants.iter().find(|one| one["member"]["id"] == SELLER);
    assert_eq!(
        seller.unwrap()["issued"],
        json!({"count": 1, "amount": "1060.00"})
    );
    let path = format!("/v1/oversight/search?q={}", key.trim_start_matches("D:"));
    let found = demo.http.ask(&tax, &path).await.is(200).json();
    assert_eq!(found["documents"].as_array().unwrap().len(), 1, "{found}");
    let path = format!("/v1/oversight/documents/{key}");
    let life = demo.http.ask(&tax, &path).await.is(200).json();
    assert_eq!(life["timeline"][0]["type"], "document.register");
}

/// A bill of a hospital that is no member, as an authority registers it.
fn registered_bill(by: &Member, number: &str) -> (String, String) {
    let mut bill = Document::bill(by).record["bill"].clone();
    bill["number"] = json!(number);
    bill["issuer"] = json!({"id": SELLER, "name": "别处的医院"});
    let original = json!({
        "sm3": "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04",
        "format": "fiscal_xml",
    });
    let members = json!({"bill": bill, "original": original});
    let key = format!("F:33060126-{number}");
    (key, record(by, "document.register", members))
}

#[tokio::test]
async fn a_registered_bill_that_is_re_issued_on_paper_after_a_claim_is_paid_once() {
    let demo = Demo::start();
    let (finance, first, second) = (
        demo.member("finance", 1),
        demo.member("employer", 1),
        demo.member("employer", 2),
    );
    let (key, text) = registered_bill(&finance, "9000000001");
    let (paper, again) = registered_bill(&finance, "9000000002");
    demo.http.accept(&finance, &text).await;
    // All that the patient bore.
    let locked = lock(&first, &key, "employer", Some("900.00"));
    demo.http.accept(&first, &locked).await;
    let id = serde_json::from_str::<Value>(&locked).unwrap()["id"].clone();
    let settled = settle(&first, id.as_str().unwrap(), "900.00");
    demo.http.accept(&first, &settled).await;

    let members = json!({"document": key, "alias": paper});
    let exchanged = record(&finance, "document.alias", members);
    demo.http.accept(&finance, &exchanged).await;
    // The paper is no second document, and nothing is left of the one that there is.
    let refused = demo.http.submit(&finance, &again).await;
    refused.refused(409, "identity_taken");
    let late = lock(&second, &paper, "employer", None);
    let refused = demo.http.submit(&second, &late).await;
    refused.refused(409, "already_claimed");
}
