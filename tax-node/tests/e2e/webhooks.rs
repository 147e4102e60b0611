//! Webhooks from a running node to real servers.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::process::{Server, serve_args};
use crate::support::receiver::{Arrived, Receiver, status};
use crate::support::records::{Document, id_of, lock, record, reverse, settle};
use crate::support::{Answer, Demo, Http, Member};

const LOCAL: [&str; 2] = ["--webhook-networks", "127.0.0.0/8"];

/// A signed request with any method.
async fn call(http: &Http, who: &Member, method: Method, path: &str, body: &Value) -> Answer {
    let body = match body.is_null() {
        true => String::new(),
        false => body.to_string(),
    };
    Http::send(http.signed(who, method, path, body.as_bytes())).await
}

async fn put(http: &Http, who: &Member, id: &str, body: &Value) -> Answer {
    call(http, who, Method::PUT, &format!("/v1/webhooks/{id}"), body).await
}

/// A new endpoint that hears of locks alone, and its secret.
async fn made(http: &Http, who: &Member, id: &str, url: &str) -> String {
    made_with(
        http,
        who,
        id,
        &json!({ "url": url, "events": ["claim_locked"] }),
    )
    .await
}

async fn made_with(http: &Http, who: &Member, id: &str, settings: &Value) -> String {
    let answer = put(http, who, id, settings).await.is(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()["secret"].as_str().unwrap().to_owned()
}

async fn order(http: &Http, who: &Member, id: &str, what: &str, body: &Value) -> Value {
    let path = format!("/v1/webhooks/{id}/{what}");
    call(http, who, Method::POST, &path, body)
        .await
        .is(200)
        .json()
}

async fn endpoint(http: &Http, who: &Member, id: &str) -> Value {
    let path = format!("/v1/webhooks/{id}");
    http.ask(who, &path).await.is(200).json()
}

async fn deliveries(http: &Http, who: &Member, id: &str) -> Vec<Value> {
    let path = format!("/v1/webhooks/{id}/deliveries");
    let page = http.ask(who, &path).await.is(200).json();
    page["deliveries"].as_array().unwrap().clone()
}

/// Waits until a question has the answer that is hoped for.
async fn until(http: &Http, who: &Member, id: &str, good: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let found = endpoint(http, who, id).await;
        if good(&found) {
            return found;
        }
        assert!(Instant::now() < end, "{found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so many deliveries are kept, all of them taken.
async fn taken(http: &Http, who: &Member, id: &str, count: usize) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let found = deliveries(http, who, id).await;
        if found.len() == count && found.iter().all(|one| one["delivered"] == true) {
            return;
        }
        assert!(Instant::now() < end, "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The member's events after a height, as the feed gives them.
async fn feed(http: &Http, who: &Member, after: &Value) -> Vec<Value> {
    let mut lines = http.events(who, after.as_u64().unwrap()).await;
    lines.retain(|line| line["event"].is_string());
    lines
}

/// An invoice to the employer, issued and locked.
async fn locked(demo: &Demo) -> (Document, String) {
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, Some(&employer));
    demo.http.accept(&merchant, &document.text()).await;
    let claim = lock(&employer, &document.key, "employer", Some("1000.00"));
    demo.http.accept(&employer, &claim).await;
    (document, id_of(&claim))
}

/// The program of `docs/http.md`, as a reader would copy it.
fn documented_program() -> String {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md")).unwrap();
    let (_, rest) = text
        .split_once("<!-- verify-webhook -->\n```python\n")
        .unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether the documented program finds a delivery genuine.
fn verifies(secret: &str, arrived: &Arrived) -> bool {
    let program = documented_program()
        + "\nimport sys\n\
           headers = {'webhook-id': sys.argv[2], 'webhook-timestamp': sys.argv[3], 'webhook-signature': sys.argv[4]}\n\
           sys.exit(0 if verify(sys.argv[1], headers, sys.stdin.buffer.read()) else 7)\n";
    let header = |name: &str| arrived.headers[name].clone();
    let mut child = Command::new("python3")
        .args(["-c", &program, secret])
        .args([
            header("webhook-id"),
            header("webhook-timestamp"),
            header("webhook-signature"),
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&arrived.body)
        .unwrap();
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 7)), "{code:?}");
    code == Some(0)
}

#[tokio::test]
async fn an_employer_hears_that_what_it_paid_was_reversed() {
    let demo = Demo::start_with(&LOCAL);
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let receiver = Receiver::good().await;
    let all = json!({ "url": receiver.url });
    let secret = made_with(&demo.http, &employer, "erp", &all).await;
    let start = endpoint(&demo.http, &employer, "erp").await["cursor"].clone();
    let (document, claim) = locked(&demo).await;
    let paid = settle(&employer, &claim, "1000.00");
    demo.http.accept(&employer, &paid).await;
    let consent = json!({"document": document.key, "amount": "1060.00"});
    let consent = record(&employer, "document.confirm_reversal", consent);
    demo.http.accept(&employer, &consent).await;
    let back = reverse(&merchant, &document.key, "1060.00", "01");
    demo.http.accept(&merchant, &back).await;

    let feed = feed(&demo.http, &employer, &start).await;
    let arrived = receiver.wait_for(feed.len()).await;
    // Exactly what the feed gives, in its order.
    let told: Vec<Value> = arrived
        .iter()
        .map(|one| one.json()["data"].clone())
        .collect();
    assert_eq!(told, feed);
    let kinds: Vec<String> = arrived.iter().map(Arrived::kind).collect();
    let expected = [
        "document_issued",
        "claim_locked",
        "claim_settled",
        "reversal_confirmed",
        "over_claimed",
        "document_reversed",
    ];
    assert_eq!(kinds, expected);
    let reversed = &arrived[5];
    let data = &reversed.json()["data"];
    assert_eq!(data["document"], json!(document.key));
    assert_eq!(data["by"], json!(merchant.id));
    assert_eq!(data["facts"]["amount"], "1060.00");
    assert_eq!(data["facts"]["claims"], json!(claim));
    assert_eq!(arrived[4].json()["data"]["facts"]["claims"], json!(claim));
    assert_eq!(reversed.json()["timestamp"], data["time"]);
    assert_eq!(reversed.headers["content-type"], "application/json");
    let mut ids: Vec<&str> = arrived.iter().map(Arrived::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), arrived.len());

    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 is not installed");
        return;
    }
    assert!(arrived.iter().all(|one| verifies(&secret, one)));
    let mut forged = reversed.clone();
    forged.body = String::from_utf8(forged.body)
        .unwrap()
        .replace("1060.00", "0.01")
        .into_bytes();
    assert!(!verifies(&secret, &forged));
}

#[tokio::test]
async fn a_message_that_is_not_taken_comes_again_before_those_after_it() {
    let demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let mut failures = 2;
    let receiver = Receiver::answering(Box::new(move |_| {
        failures -= i32::from(failures >= 0);
        match failures {
            0.. => status("500 Oops"),
            _ => status("200 OK"),
        }
    }))
    .await;
    made(&demo.http, &employer, "erp", &receiver.url).await;
    locked(&demo).await;
    locked(&demo).await;
    // The first failure is tried again after five seconds.
    let waiting = Instant::now();
    let arrived = receiver.wait_for(2).await;
    assert!(waiting.elapsed() > Duration::from_secs(4));
    assert_eq!(arrived[0].id(), arrived[1].id());
    assert_eq!(arrived[0].body, arrived[1].body);
    let failing = until(&demo.http, &employer, "erp", |found| {
        found["failing"]["failures"] == 2
    })
    .await;
    assert_eq!(failing["state"], "failing");
    assert_eq!(failing["failing"]["reason"], "status_not_good");
    assert_eq!(failing["last"]["attempts"][1]["status"], 500);
    assert!(failing["last"]["next"].is_string());
    // The second one after five minutes, unless its member says now.
    order(&demo.http, &employer, "erp", "enable", &Value::Null).await;
    let arrived = receiver.wait_for(4).await;
    assert_eq!(arrived[2].id(), arrived[0].id());
    assert_ne!(arrived[3].id(), arrived[0].id());
    let heights = [&arrived[2], &arrived[3]].map(|one| one.json()["data"]["height"].as_u64());
    assert!(heights[0] < heights[1]);
    taken(&demo.http, &employer, "erp", 2).await;
    let listed = deliveries(&demo.http, &employer, "erp").await;
    let totals: Vec<_> = listed
        .iter()
        .map(|one| one["attempts_total"].as_u64())
        .collect();
    assert_eq!(totals, [Some(1), Some(3)]);
    assert_eq!(listed[1]["id"], arrived[0].id());
    assert!(listed.iter().all(|one| one["delivered"] == true));
    let metrics = demo.http.get("/metrics").await.is(200);
    for line in [
        "piaolian_webhooks_active 1",
        "piaolian_webhook_attempts_total 4",
        "piaolian_webhook_attempts_failed_total 2",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_node_that_dies_after_a_delivery_repeats_it_and_leaves_none_out() {
    let mut demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    // The second message is heard, and its answer never comes: the node dies before it.
    let mut heard = 0;
    let receiver = Receiver::answering(Box::new(move |_| {
        heard += 1;
        match heard {
            2 => None,
            _ => status("204 No Content"),
        }
    }))
    .await;
    made(&demo.http, &employer, "erp", &receiver.url).await;
    let start = endpoint(&demo.http, &employer, "erp").await["cursor"].clone();
    for _ in 0..3 {
        locked(&demo).await;
    }
    let before = receiver.wait_for(2).await;
    demo.server.take().unwrap().kill();

    let mut args = serve_args(demo.path());
    args.extend(LOCAL);
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    let arrived = receiver.wait_for(4).await;
    assert_eq!(arrived[2].id(), before[1].id());
    assert_eq!(arrived[2].body, before[1].body);
    let mut feed = feed(&demo.http, &employer, &start).await;
    feed.retain(|line| line["event"] == "claim_locked");
    let told: Vec<Value> = [&arrived[0], &arrived[2], &arrived[3]]
        .iter()
        .map(|one| one.json()["data"].clone())
        .collect();
    assert_eq!(told, feed);
    // In order: what is under way is finished, and the folder can be opened again at once.
    taken(&demo.http, &employer, "erp", 3).await;
    assert!(server.end().success());
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    locked(&demo).await;
    let arrived = receiver.wait_for(5).await;
    assert_eq!(arrived.len(), 5, "nothing that was taken comes again");
}

#[tokio::test]
async fn events_in_the_place_of_lost_ones_are_others() {
    let mut demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let receiver = Receiver::good().await;
    made(&demo.http, &employer, "erp", &receiver.url).await;
    locked(&demo).await;
    taken(&demo.http, &employer, "erp", 1).await;
    assert!(demo.end().success());
    let beside = tempfile::tempdir().unwrap();
    let early = beside.path().join("early");
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(demo.path()).arg(&early);
    assert!(copy.status().unwrap().success());

    let mut args = serve_args(demo.path());
    args.extend(LOCAL);
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    locked(&demo).await;
    locked(&demo).await;
    let lost = receiver.wait_for(3).await;
    taken(&demo.http, &employer, "erp", 3).await;
    assert!(server.end().success());

    // The chain of before, and the webhooks of after.
    let webhooks = "webhooks.redb";
    fs::copy(demo.path().join(webhooks), early.join(webhooks)).unwrap();
    let mut args = serve_args(&early);
    args.extend(LOCAL);
    args.push("--accept-lost-blocks");
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    let cursor = &endpoint(&demo.http, &employer, "erp").await["cursor"];
    let head = demo.http.get("/v1/checkpoint").await.is(200).json()["height"].clone();
    assert!(cursor.as_u64() <= head.as_u64(), "{cursor} {head}");
    locked(&demo).await;
    locked(&demo).await;
    let all = receiver.wait_for(5).await;
    let place = |one: &Arrived| {
        let data = one.json()["data"].clone();
        (data["height"].as_u64(), data["index"].as_u64())
    };
    for (before, after) in lost[1..].iter().zip(&all[3..]) {
        assert_eq!(place(before), place(after), "the places are used again");
        assert_ne!(before.id(), after.id());
    }
    assert!(server.end().success());
}

#[tokio::test]
async fn a_slow_receiver_times_out_and_holds_nobody_up() {
    let demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let slow = Receiver::answering(Box::new(|_| None)).await;
    let quick = Receiver::good().await;
    made(&demo.http, &employer, "slow", &slow.url).await;
    made(&demo.http, &employer, "quick", &quick.url).await;
    let began = Instant::now();
    locked(&demo).await;
    slow.wait_for(1).await;
    quick.wait_for(1).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    let found = until(&demo.http, &employer, "slow", |found| {
        found["failing"].is_object()
    })
    .await;
    assert_eq!(found["failing"]["reason"], "timed_out");
    let taken = found["last"]["attempts"][0]["duration_ms"]
        .as_u64()
        .unwrap();
    assert!((14_900..20_000).contains(&taken), "{taken}");
    assert_eq!(
        endpoint(&demo.http, &employer, "quick").await["state"],
        "active"
    );
}

#[tokio::test]
async fn addresses_and_redirections_that_lead_inside_are_refused() {
    let demo = Demo::start();
    let employer = demo.employer();
    for (url, reason) in [
        ("https://127.0.0.1/", "address_refused"),
        (
            "https://169.254.169.254/latest/meta-data",
            "address_refused",
        ),
        ("https://[::ffff:10.0.0.1]/", "address_refused"),
        ("http://erp.example/", "scheme_refused"),
        ("https://erp.example:22/", "port_refused"),
        ("https://u:p@erp.example/", "user_info"),
    ] {
        let answer = put(&demo.http, &employer, "erp", &json!({ "url": url })).await;
        let problem = answer.refused(422, "webhook_url_refused");
        assert_eq!(problem["facts"]["reason"], reason, "{url}");
    }
    // A name is resolved when something is sent.
    made(&demo.http, &employer, "erp", "https://localhost:9000/").await;
    let tested = order(&demo.http, &employer, "erp", "test", &Value::Null).await;
    assert_eq!(tested["reason"], "address_refused");
    assert_eq!(tested["delivered"], false);
    drop(demo);

    let demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let inside = Receiver::good().await;
    let location = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        inside.url
    );
    let redirecting = Receiver::answering(Box::new(move |_| Some(location.clone()))).await;
    made(&demo.http, &employer, "erp", &redirecting.url).await;
    let tested = order(&demo.http, &employer, "erp", "test", &Value::Null).await;
    assert_eq!(
        (&tested["reason"], &tested["status"]),
        (&json!("redirected"), &json!(307))
    );
    assert!(inside.arrived().is_empty());
    let test = &redirecting.arrived()[0];
    assert_eq!(test.kind(), "webhook.test");
    assert_eq!(tested["message"], json!(test.id()));
    // A few tests a minute.
    for _ in 0..5 {
        order(&demo.http, &employer, "erp", "test", &Value::Null).await;
    }
    let path = "/v1/webhooks/erp/test";
    let spent = call(&demo.http, &employer, Method::POST, path, &Value::Null).await;
    spent.refused(429, "rate_limited");
    assert!(deliveries(&demo.http, &employer, "erp").await.is_empty());
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_old_one_and_a_replay_sends_again() {
    let demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let receiver = Receiver::good().await;
    let old = made(&demo.http, &employer, "erp", &receiver.url).await;
    let before = endpoint(&demo.http, &employer, "erp").await["cursor"].clone();
    locked(&demo).await;
    let first = receiver.wait_for(1).await.remove(0);
    assert_eq!(first.signatures().len(), 1);
    let rotated = order(&demo.http, &employer, "erp", "secret", &Value::Null).await;
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert!(new != old && rotated["old_secret_until"].is_string());
    taken(&demo.http, &employer, "erp", 1).await;

    let body = json!({ "after": before });
    let moved = order(&demo.http, &employer, "erp", "replay", &body).await;
    assert_eq!(moved["cursor"], before);
    let again = receiver.wait_for(2).await.remove(1);
    assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    assert_eq!(again.signatures().len(), 2);
    if Command::new("python3").arg("--version").output().is_ok() {
        assert!(verifies(&old, &again) && verifies(&new, &again) && verifies(&old, &first));
        assert!(!verifies(&new, &first));
    } else {
        eprintln!("SKIPPED: python3 is not installed");
    }
    // Forward it does not move: nothing is skipped.
    let forward = json!({ "after": u64::MAX });
    taken(&demo.http, &employer, "erp", 2).await;
    let found = endpoint(&demo.http, &employer, "erp").await;
    let stayed = order(&demo.http, &employer, "erp", "replay", &forward).await;
    assert!(stayed["cursor"].as_u64() <= Some(found["cursor"].as_u64().unwrap() + 1));
    let listed = deliveries(&demo.http, &employer, "erp").await;
    let ids: Vec<_> = listed.iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(first.id()), json!(first.id())]);
}

#[tokio::test]
async fn an_endpoint_is_its_members_alone() {
    let demo = Demo::start_with(&LOCAL);
    let (employer, other) = (demo.employer(), demo.member("employer", 2));
    let receiver = Receiver::good().await;
    made(&demo.http, &employer, "erp", &receiver.url).await;
    for (method, path) in [
        (Method::GET, "/v1/webhooks/erp"),
        (Method::GET, "/v1/webhooks/erp/deliveries"),
        (Method::DELETE, "/v1/webhooks/erp"),
        (Method::POST, "/v1/webhooks/erp/secret"),
        (Method::POST, "/v1/webhooks/erp/test"),
        (Method::POST, "/v1/webhooks/erp/enable"),
    ] {
        for stranger in [&other, &demo.tax()] {
            let answer = call(&demo.http, stranger, method.clone(), path, &Value::Null).await;
            answer.refused(404, "not_found");
        }
        demo.http.request_unsigned(method, path).await.is(401);
    }
    let replay = json!({"after": 0});
    let path = "/v1/webhooks/erp/replay";
    let answer = call(&demo.http, &other, Method::POST, path, &replay).await;
    answer.refused(404, "not_found");
    let list = demo.http.ask(&other, "/v1/webhooks").await.is(200).json();
    assert_eq!(list["endpoints"], json!([]));
    // The other employer's own endpoint of the same name hears of its own affairs only.
    let others = Receiver::good().await;
    made(&demo.http, &other, "erp", &others.url).await;
    locked(&demo).await;
    receiver.wait_for(1).await;
    let head = demo.http.ask(&other, "/v1/webhooks").await.json()["height"].as_u64();
    until(&demo.http, &other, "erp", |found| {
        found["cursor"].as_u64() >= head
    })
    .await;
    assert!(others.arrived().is_empty());
    // What a list says has no secret in it.
    let list = demo.http.ask(&employer, "/v1/webhooks").await.is(200);
    assert!(!list.text().contains("whsec_"));

    // Wrong shapes and spellings, and the bound on a member's endpoints.
    let good = json!({ "url": receiver.url });
    for (id, body, code, name) in [
        ("ERP", &good, 422, "webhook_id_spelling"),
        ("x", &json!({}), 400, "webhook_body"),
        (
            "x",
            &json!({"url": "https://a.example/", "evens": []}),
            400,
            "webhook_body",
        ),
        (
            "x",
            &json!({"url": receiver.url, "events": ["paid"]}),
            422,
            "webhook_events_refused",
        ),
        (
            "x",
            &json!({"url": receiver.url, "description": "a\u{7}"}),
            422,
            "webhook_description",
        ),
    ] {
        put(&demo.http, &employer, id, body)
            .await
            .refused(code, name);
    }
    for number in 2..=10 {
        made(
            &demo.http,
            &employer,
            &format!("erp-{number}"),
            &receiver.url,
        )
        .await;
    }
    let eleventh = put(&demo.http, &employer, "erp-11", &good).await;
    eleventh.refused(409, "too_many_webhooks");
    let changed = put(&demo.http, &employer, "erp-2", &good).await.is(200);
    assert!(changed.json().get("secret").is_none());
    let removed = call(
        &demo.http,
        &employer,
        Method::DELETE,
        "/v1/webhooks/erp-2",
        &Value::Null,
    );
    removed.await.is(204);
    put(&demo.http, &employer, "erp-11", &good).await.is(201);
}

#[tokio::test]
async fn a_suspended_member_is_told_later_and_only_what_it_asked_for() {
    let demo = Demo::start_with(&LOCAL);
    let (employer, tax) = (demo.employer(), demo.tax());
    let receiver = Receiver::good().await;
    let body = json!({ "url": receiver.url, "events": ["member_suspended", "member_resumed"] });
    put(&demo.http, &employer, "erp", &body).await.is(201);
    locked(&demo).await;
    let members = json!({"member": employer.id, "reason": "核查"});
    let suspend = record(&tax, "member.suspend", members.clone());
    demo.http.accept(&tax, &suspend).await;
    until(&demo.http, &employer, "erp", |found| {
        found["state"] == "paused"
    })
    .await;
    assert!(receiver.arrived().is_empty());
    let path = "/v1/webhooks/erp";
    let refused = call(&demo.http, &employer, Method::PUT, path, &body).await;
    refused.refused(403, "member_suspended");
    demo.http
        .accept(&tax, &record(&tax, "member.resume", members))
        .await;
    let arrived = receiver.wait_for(2).await;
    let kinds: Vec<String> = arrived.iter().map(Arrived::kind).collect();
    assert_eq!(kinds, ["member_suspended", "member_resumed"]);
}

#[tokio::test]
async fn a_backup_holds_endpoints_and_an_old_one_repeats_what_came_after() {
    let mut demo = Demo::start_with(&LOCAL);
    let employer = demo.employer();
    let receiver = Receiver::good().await;
    made(&demo.http, &employer, "erp", &receiver.url).await;
    locked(&demo).await;
    receiver.wait_for(1).await;
    taken(&demo.http, &employer, "erp", 1).await;
    assert!(demo.end().success());
    // The file as an older backup has it, under the chain as it went on.
    let file = demo.path().join("webhooks.redb");
    let old = fs::read(&file).unwrap();
    let mut args = serve_args(demo.path());
    args.extend(LOCAL);
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    locked(&demo).await;
    let second = receiver.wait_for(2).await.remove(1);
    until(&demo.http, &employer, "erp", |found| {
        found["last"]["id"] == second.id() && found["last"]["delivered"] == true
    })
    .await;
    assert!(server.end().success());
    fs::write(&file, &old).unwrap();
    let server = Server::start(&args).unwrap();
    demo.http.moved_to(&server.url);
    let again = receiver.wait_for(3).await.remove(2);
    assert_eq!((again.id(), &again.body), (second.id(), &second.body));
    assert!(server.end().success());
    // A damaged file stops the start, says what to do, and stays as it is.
    let mut damaged = old;
    damaged[..512].fill(0x5a);
    fs::write(&file, &damaged).unwrap();
    let mut child = Server::spawn(&args);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(fs::read(&file).unwrap(), damaged);
}
