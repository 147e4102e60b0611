//! What an authority sees of the whole chain, by the interface and in its pages.

mod life;
mod links;
mod made_anew;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::records::{id_of, lock, record, reverse, settle};
use crate::support::{Answer, Demo, Document, Http, Member};

/// The answer of a question, once the figures are of the whole chain.
async fn figures(demo: &Demo, who: &Member, path: &str) -> Value {
    for _ in 0..400 {
        let answer = demo.http.ask(who, path).await.is(200).json();
        if answer["as_of"]["height"] == answer["as_of"]["head"] {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the figures do not follow the chain");
}

/// A page in the name of a session.
async fn page(demo: &Demo, cookie: &str, path: &str) -> Answer {
    let request = demo.http.request(Method::GET, path);
    let request = request.header("cookie", cookie);
    Http::send(request.header("accept-language", "en")).await
}

async fn signed_in(demo: &Demo, who: &Member) -> String {
    let request = demo.http.signed(who, Method::POST, "/v1/session", b"");
    let answer = Http::send(request).await.is(204);
    let cookie = answer.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// An invoice of which one employer settled a part, and what another tried.
struct Story {
    document: String,
    tried: Vec<String>,
}

async fn play(demo: &Demo) -> Story {
    let (merchant, first) = (demo.merchant(), demo.employer());
    let second = demo.member("employer", 2);
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key.clone();
    let claim = lock(&first, &key, "employer", Some("636.00"));
    demo.http.accept(&first, &claim).await;
    demo.http
        .accept(&first, &settle(&first, &id_of(&claim), "636.00"))
        .await;
    let mut tried = Vec::new();
    for amount in ["1060.00", "500.00"] {
        let attempt = lock(&second, &key, "employer", Some(amount));
        let answer = demo.http.submit(&second, &attempt).await;
        answer.refused(409, "claim_exceeds_remaining");
        tried.push(id_of(&attempt));
    }
    // Its own repetition takes nothing from anyone.
    let own = lock(&first, &key, "employer", Some("900.00"));
    demo.http.submit(&first, &own).await.is(409);
    let kept = lock(&second, &key, "employer", Some("24.00"));
    demo.http.accept(&second, &kept).await;
    Story {
        document: key,
        tried,
    }
}

#[tokio::test]
async fn the_story_shows_up_with_its_records() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (first, second) = (demo.employer(), demo.member("employer", 2));
    let story = play(&demo).await;
    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(overview["issued"], json!({"count": 1, "amount": "1060.00"}));
    assert_eq!(overview["settled"], json!({"count": 1, "amount": "636.00"}));
    assert_eq!(
        overview["attempted"],
        json!({"count": 2, "amount": "1136.00"})
    );
    assert_eq!(overview["live"], json!({"count": 1, "amount": "24.00"}));
    assert_eq!(overview["refused"]["count"], 3);
    assert_eq!(
        overview["codes"][0],
        json!({"code": "claim_exceeds_remaining", "count": 3})
    );

    let pairs = figures(&demo, &tax, "/v1/oversight/pairs").await;
    let pairs = pairs["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 1);
    assert_eq!(
        pairs[0]["tried"],
        json!({"id": second.id, "name": second.name})
    );
    assert_eq!(pairs[0]["held"]["id"], first.id);
    assert_eq!(pairs[0]["count"], 2);

    let attempts = figures(&demo, &tax, "/v1/oversight/attempts").await;
    let attempts = attempts["incidents"].as_array().unwrap();
    let ids: Vec<&str> = attempts
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [&story.tried[1], &story.tried[0]]);
    assert_eq!(attempts[0]["holders"][0]["settled"], "636.00");
    // The row has what was asked; of that no more counts than was held.
    assert_eq!(attempts[1]["amount"], "1060.00");
    let path = format!(
        "/v1/oversight/records?list=pair&tried={}&held={}",
        second.id, first.id
    );
    let records = figures(&demo, &tax, &path).await;
    assert_eq!(records["records"].as_array().unwrap().len(), 2);
    // What is shown is what stands on the chain.
    let shown = &records["records"][0];
    let receipt = demo
        .http
        .ask(
            &tax,
            &format!("/v1/records/{}/{}", second.id, story.tried[1]),
        )
        .await;
    let receipt: Value = serde_json::from_str(&receipt.is(200).receipt().unwrap()).unwrap();
    assert_eq!(
        (&shown["height"], &shown["index"]),
        (&receipt["height"], &receipt["index"])
    );

    let volume = figures(&demo, &tax, "/v1/oversight/volume?measure=issued").await;
    assert_eq!(volume["regions"].as_array().unwrap().len(), 1);
    let merchants = figures(&demo, &tax, "/v1/oversight/merchants").await;
    let known = merchants["merchants"].as_array().unwrap();
    assert!(
        known
            .iter()
            .any(|one| one["member"]["id"] == merchant.id && one["issued"]["count"] == 1)
    );
    let path = format!("/v1/oversight/members/{}", second.id);
    let member = demo.http.ask(&tax, &path).await.is(200).json();
    assert_eq!(
        (
            &member["activity"]["accepted"],
            &member["activity"]["refused"]
        ),
        (&json!(1), &json!(2))
    );
    for (text, what) in [
        (story.document.as_str(), "documents"),
        (story.document.trim_start_matches("D:"), "documents"),
        ("示范企业乙", "members"),
        (second.id.as_str(), "members"),
        (story.tried[0].as_str(), "records"),
    ] {
        let text: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/oversight/search?q={text}");
        let found = demo.http.ask(&tax, &path).await.is(200).json();
        assert_eq!(found[what].as_array().unwrap().len(), 1, "{text}: {found}");
    }
    // What stands around names in the rows of members is no name.
    for text in ["%00%00", "%00%01", "00%00"] {
        let path = format!("/v1/oversight/search?q={text}");
        let found = demo.http.ask(&tax, &path).await.is(200).json();
        assert_eq!(found["members"], json!([]), "{text}");
    }
    // Reading a document is itself written down.
    let path = format!("/v1/oversight/documents/{}", story.document);
    let life = demo.http.ask(&tax, &path).await.is(200).json();
    assert_eq!(life["timeline"].as_array().unwrap().len(), 7);
    let access = demo
        .http
        .ask(&tax, "/v1/oversight/access")
        .await
        .is(200)
        .json();
    assert_eq!(access["entries"][0]["document"], story.document);
    assert_eq!(access["entries"][0]["by"], tax.id);
}

#[tokio::test]
async fn reversals_after_claims_and_over_claims_are_listed_until_mended() {
    let demo = Demo::start();
    let (tax, merchant, employer) = (demo.tax(), demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key.as_str();
    let claim = lock(&employer, key, "employer", None);
    demo.http.accept(&employer, &claim).await;
    demo.http
        .accept(&employer, &settle(&employer, &id_of(&claim), "1060.00"))
        .await;
    let consent = record(
        &employer,
        "document.confirm_reversal",
        json!({"document": key, "amount": "60.00"}),
    );
    demo.http.accept(&employer, &consent).await;
    demo.http
        .accept(&merchant, &reverse(&merchant, key, "60.00", "04"))
        .await;
    let over = figures(&demo, &tax, "/v1/oversight/over-claims").await;
    assert_eq!(over["incidents"][0]["amount"], "60.00");
    assert_eq!(over["incidents"][0]["cleared_by"], Value::Null);
    let late = figures(&demo, &tax, "/v1/oversight/late-reversals").await;
    assert_eq!(
        late["incidents"][0]["holders"][0]["member"]["id"],
        employer.id
    );
    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(
        overview["over_claimed"],
        json!({"count": 1, "amount": "60.00"})
    );
    let path = format!("/v1/oversight/merchants/{}", merchant.id);
    let merchant = figures(&demo, &tax, &path).await;
    let kinds: Vec<&str> = merchant["signals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signal| signal["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["late_reversals"]);
    let back = record(
        &employer,
        "claim.reverse",
        json!({"claim": id_of(&claim), "amount": "60.00", "reason": "红冲"}),
    );
    demo.http.accept(&employer, &back).await;
    let over = figures(&demo, &tax, "/v1/oversight/over-claims").await;
    assert!(over["incidents"][0]["cleared_by"].is_u64());
    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(overview["over_claimed"]["count"], 0);
    assert_eq!(over["incidents"][0]["largest"], "60.00");
}

/// Every address with figures.
const VIEWS: [&str; 11] = [
    "overview",
    "volume",
    "attempts",
    "pairs",
    "over-claims",
    "late-reversals",
    "merchants",
    "locks",
    "members",
    "health",
    "search?q=x",
];

#[tokio::test]
async fn figures_are_for_authorities_and_auditors() {
    let demo = Demo::start();
    let story = play(&demo).await;
    let document = format!("documents/{}", story.document);
    let whole = VIEWS.iter().copied().chain(["access", document.as_str()]);
    for view in whole {
        let path = format!("/v1/oversight/{view}");
        demo.http.get(&path).await.is(401);
        for role in ["merchant", "employer", "hospital", "insurer"] {
            let who = demo.member(role, 1);
            demo.http.ask(&who, &path).await.refused(404, "not_found");
        }
        for role in ["tax", "finance", "health"] {
            let who = demo.member(role, 1);
            demo.http.ask(&who, &path).await.is(200);
        }
        // Auditors see figures, and of single documents and questions no more than elsewhere.
        let auditor = demo.member("auditor", 1);
        let status = if VIEWS.contains(&view) { 200 } else { 404 };
        demo.http.ask(&auditor, &path).await.is(status);
    }
    let employer = signed_in(&demo, &demo.employer()).await;
    for view in VIEWS
        .iter()
        .copied()
        .chain(["orders", "access", document.as_str()])
    {
        let path = format!("/oversight/{view}");
        page(&demo, &employer, &path)
            .await
            .refused(404, "not_found");
        let request = demo.http.request(Method::GET, &path);
        // The client follows to the sign-in page.
        let answer = Http::send(request).await.is(200);
        assert!(answer.text().contains("id=\"sign-in\""), "{path}");
    }
    let auditor = signed_in(&demo, &demo.member("auditor", 1)).await;
    page(&demo, &auditor, "/oversight/orders").await.is(404);
    page(&demo, &auditor, "/oversight/pairs").await.is(200);
    // Parameters are looked at for those alone who may ask.
    for wrong in [
        "overview?x=1",
        "volume?region=999",
        "records",
        "records?list=x",
        "attempts?cursor=zz",
        "attempts/1?x=1",
        "over-claims?x=1",
        "late-reversals?x=1",
        "pairs?cursor=zz",
        "merchants?cursor=zz",
        "merchants/1?x=1",
        "locks?days_from=x",
        "members?x=1",
        "members/1?x=1",
        "access?x=1",
        "health?x=1",
        "search?x=1",
        "orders?x=1",
        "nothing?x=1",
        "documents/D:26332000000000000010?cursor=00",
    ] {
        let path = format!("/v1/oversight/{wrong}");
        demo.http
            .ask(&demo.employer(), &path)
            .await
            .refused(404, "not_found");
        page(&demo, &employer, &format!("/oversight/{wrong}"))
            .await
            .refused(404, "not_found");
    }
    for hidden in ["access?x=1", "documents/D:26332000000000000010?cursor=00"] {
        let path = format!("/v1/oversight/{hidden}");
        let known = demo.member("auditor", 1);
        demo.http.ask(&known, &path).await.refused(404, "not_found");
        page(&demo, &auditor, &format!("/oversight/{hidden}"))
            .await
            .refused(404, "not_found");
    }
    for wrong in ["pairs?cursor=ffff", "merchants?cursor=00"] {
        demo.http
            .ask(&demo.tax(), &format!("/v1/oversight/{wrong}"))
            .await
            .refused(400, "cursor_invalid");
    }
    for wrong in [
        "volume?measure=x",
        "attempts?cursor=zz",
        "attempts?cursor=00",
        "records",
        "overview?x=1",
        "attempts?region=33",
    ] {
        demo.http
            .ask(&demo.tax(), &format!("/v1/oversight/{wrong}"))
            .await
            .is(400);
    }
}
