//! What an authority sees of the whole chain, by the interface and in its pages.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use oversight::Rows;
use reqwest::Method;
use serde_json::{Value, json};
use tax_node::store::FigureFile;

use crate::support::process::serve;
use crate::support::records::{id_of, lock, record, reverse, settle};
use crate::support::{Answer, Demo, Document, Http, Member, today};

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
        json!({"count": 2, "amount": "1560.00"})
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

/// Spoils every row whose key begins so.
fn spoil(folder: &std::path::Path, kind: u8) {
    let file = FigureFile::open(folder).unwrap();
    let rows = file.rows().unwrap();
    let found = rows.scan(&[kind], &[kind + 1], false, 1_000).unwrap();
    assert!(!found.is_empty());
    let spoilt = |(key, mut value): (Vec<u8>, Vec<u8>)| {
        value.push(1);
        (key, Some(value))
    };
    file.commit(&found.into_iter().map(spoilt).collect())
        .unwrap();
}

#[tokio::test]
async fn rows_that_are_damaged_are_made_anew_while_the_node_runs() {
    let mut demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    play(&demo).await;
    let attempts = figures(&demo, &tax, "/v1/oversight/attempts").await;
    // Rows of attempts are only read by whoever asks for them.
    demo.end();
    spoil(demo.path(), 10);
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    demo.http.ask(&tax, "/v1/oversight/attempts").await.is(500);
    let mut again = Value::Null;
    for _ in 0..400 {
        let answer = demo.http.ask(&tax, "/v1/oversight/attempts").await;
        if answer.status == 200 {
            again = answer.json();
            if again == attempts {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(again, attempts);
    // Those of issuers are changed by the next document.
    demo.end();
    spoil(demo.path(), 16);
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    demo.http
        .accept(&merchant, &Document::invoice(&merchant, None).text())
        .await;
    let overview = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(overview["issued"]["count"], 2);
    let path = format!("/v1/oversight/merchants/{}", merchant.id);
    let issuer = figures(&demo, &tax, &path).await;
    assert_eq!(issuer["issued"]["count"], 2);
    let health = demo
        .http
        .ask(&tax, "/v1/oversight/health")
        .await
        .is(200)
        .json();
    assert_eq!(health["figures_failed"], false);
}

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

#[tokio::test]
async fn refused_records_of_a_stranger_hide_nothing_of_a_documents_life() {
    let demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    let (first, stranger) = (demo.employer(), demo.member("employer", 2));
    let document = Document::invoice(&merchant, None);
    demo.http.accept(&merchant, &document.text()).await;
    let key = document.key;
    let early = lock(&first, &key, "employer", Some("1060.00"));
    demo.http.accept(&first, &early).await;
    let flood: Vec<String> = (0..1_000)
        .map(|_| lock(&stranger, &key, "employer", Some("1.00")))
        .collect();
    for part in flood.chunks(500) {
        demo.http.submit_batch(&stranger, part, false).await.is(200);
    }
    demo.http
        .accept(&first, &settle(&first, &id_of(&early), "1000.00"))
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
        "document.freeze",
        "claim.settle",
        "the list goes on",
        "?cursor=",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    demo.http
        .ask(&tax, &format!("/v1/documents/{key}?cursor=00"))
        .await
        .refused(400, "cursor_invalid");
}

#[tokio::test]
async fn figures_go_on_after_a_kill_and_are_the_same_when_made_anew() {
    let mut demo = Demo::start();
    let (tax, merchant) = (demo.tax(), demo.merchant());
    play(&demo).await;
    for round in 0..3 {
        let batch: Vec<String> = (0..200)
            .map(|_| Document::invoice(&merchant, None).text())
            .collect();
        demo.http
            .submit_batch(&merchant, &batch, false)
            .await
            .is(200);
        if round == 1 {
            figures(&demo, &tax, "/v1/oversight/overview").await;
        }
        // What the figures were in the middle of is lost with the process.
        demo.server.take().unwrap().kill();
        demo.server = serve(demo.path());
        demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    }
    let paths = [
        "overview",
        "volume",
        "attempts",
        "pairs",
        "merchants",
        "locks",
        "members",
        "over-claims",
        "late-reversals",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(figures(&demo, &tax, &format!("/v1/oversight/{path}")).await);
    }
    assert_eq!(before[0]["issued"]["count"], 601);
    demo.end();
    std::fs::remove_file(demo.path().join("figures.redb")).unwrap();
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    for (path, before) in paths.iter().zip(&before) {
        let after = figures(&demo, &tax, &format!("/v1/oversight/{path}")).await;
        assert_eq!(&after, before, "{path}");
    }
    // A file that is damaged is made anew as well.
    demo.end();
    std::fs::write(demo.path().join("figures.redb"), [7; 9_000]).unwrap();
    demo.server = serve(demo.path());
    demo.http.moved_to(&demo.server.as_ref().unwrap().url);
    let after = figures(&demo, &tax, "/v1/oversight/overview").await;
    assert_eq!(after, before[0]);
}
