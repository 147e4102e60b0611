//! Files of documents, as a browser with a session and a program with a key hand them in.

use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT_LANGUAGE, COOKIE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use invoice_core::crypto::messages::request_message;
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
use invoice_core::record::{Role, RoleSet};
use serde_json::json;

use super::*;
use crate::limits::{PAPER_BYTES_MAX, PAPER_FAILURE_COST};
use crate::server::budget::Network;
use crate::server::places::Proof;
use crate::server::state::now_seconds;
use crate::trust::TrustedSeals;

const INVOICE: &str = include_str!("../../papers/tests/files/invoice.xml");
const MEMBER: &str = "91330000142942095H";
const QR: &str = "01,10,011001605111,80100798,64.9,20161018,85342965681116380258,BE2D";

fn signer() -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[9; 32]).unwrap())
}

fn state(standing: KeyStanding) -> web::Data<AppState> {
    state_of(&config(), standing)
}

fn state_of(config: &ServerConfig, standing: KeyStanding) -> web::Data<AppState> {
    let registry = Arc::new(Down::default());
    *registry.0.lock().unwrap() = Some(KeyView {
        public_key: Arc::new(signer().public_key().clone()),
        member: MEMBER.parse().unwrap(),
        roles: RoleSet::from_iter([Role::Employer]),
        standing,
    });
    web::Data::new(AppState::new(config, registry))
}

async fn ask(state: &web::Data<AppState>, request: TestRequest) -> ServiceResponse<BoxBody> {
    let app = App::new()
        .wrap(from_fn(observe))
        .app_data(state.clone())
        .configure(routes::configure);
    let app = init_service(app).await;
    app.call(request.to_request()).await.unwrap()
}

fn file(state: &web::Data<AppState>, body: impl Into<bytes::Bytes>) -> TestRequest {
    let kid = signer().public_key().kid();
    let token = state.sessions.open(kid, now_seconds()).unwrap();
    let cookie = token.set_cookie(false);
    let cookie = cookie.split(';').next().unwrap().to_owned();
    post("/v1/papers", body).insert_header((COOKIE, cookie))
}

async fn answer(response: ServiceResponse<BoxBody>) -> Value {
    assert_eq!(response.status().as_u16(), 200);
    serde_json::from_slice(&read_body(response).await).unwrap()
}

#[actix_web::test]
async fn a_file_is_read_for_a_session_and_for_a_signed_request() {
    let state = state(KeyStanding::Good);
    let read = answer(ask(&state, file(&state, INVOICE)).await).await;
    assert_eq!(read["format"], "einvoice_xml");
    let digest = invoice_core::crypto::sm3(&[INVOICE.as_bytes()]).to_string();
    assert_eq!(read["sm3"], digest);
    let document = &read["documents"][0];
    assert_eq!(document["document"], "D:24442000000000000016");
    assert_eq!(document["kind"], "81");
    assert_eq!(document["amount"], "16000.00");
    assert_eq!(document["date"], "2024-01-24");
    assert_eq!(document["seller"]["id"], "91330000142942095H");
    assert_eq!(document["buyer"]["name"], "示例制造有限公司");
    assert_eq!(document["lines"][0]["tax_rate"], "0.01");
    assert_eq!(document["tier"], "xml");
    assert_eq!(document["signature"]["state"], "not_verifiable");
    assert!(document.get("check_code").is_none() && document.get("payment").is_none());

    let now = now_seconds().to_string();
    let nonce = "nonce-of-a-paper";
    let message = request_message("POST", "/v1/papers", &now, nonce, INVOICE.as_bytes());
    let signature = STANDARD.encode(signer().sign(&message).unwrap().as_bytes());
    let kid = signer().public_key().kid();
    let value = format!(
        "SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{now}\",nonce=\"{nonce}\",signature=\"{signature}\""
    );
    let signed = post("/v1/papers", INVOICE).insert_header((header::AUTHORIZATION, value));
    assert_eq!(answer(ask(&state, signed).await).await, read);
}

#[actix_web::test]
async fn warnings_and_refusals_have_codes_and_the_language_asked_for() {
    let state = state(KeyStanding::Good);
    for (language, part) in [("zh", "不含税"), ("en", "without tax")] {
        let request = file(&state, QR).insert_header((ACCEPT_LANGUAGE, language));
        let read = answer(ask(&state, request).await).await;
        assert_eq!(read["format"], "qr_text");
        let document = &read["documents"][0];
        assert_eq!(document["amount_may_be_without_tax"], true);
        assert_eq!(document["warnings"][0]["code"], "amount_may_exclude_tax");
        let detail = document["warnings"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
    }
    for (body, code) in [
        (&b""[..], "file_empty"),
        (b"junk", "file_format_unknown"),
        (b"<a/>", "xml_unknown"),
        (b"<!DOCTYPE a><a/>", "xml_entities"),
        (b"PK\x03\x04", "zip_malformed"),
        (b"%PDF-1.7", "pdf_unknown"),
        (b"\x89PNG\r\n\x1a\n", "image_malformed"),
    ] {
        let problem = problem(ask(&state, file(&state, body)).await).await;
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(422), &json!(code))
        );
        assert!(!problem["title"].as_str().unwrap().is_ascii());
    }
}

#[actix_web::test]
async fn strangers_and_large_files_are_turned_away() {
    let good = state(KeyStanding::Good);
    let stranger = problem(ask(&good, post("/v1/papers", INVOICE)).await).await;
    assert_eq!(stranger["code"], "authorization_missing");
    let large = file(&good, vec![b' '; PAPER_BYTES_MAX + 1]);
    assert_eq!(problem(ask(&good, large).await).await["status"], 413);
    let wrong_method = problem(ask(&good, get("/v1/papers")).await).await;
    assert_eq!(wrong_method["status"], 405);
    // While as many files are held as may be, the next one is asked to come back.
    let mut held = Vec::new();
    for last in 0..4 {
        let network = Network::V4([192, 0, 2, last]);
        let member = if last < 2 {
            MEMBER
        } else {
            "91350100M000100Y43"
        };
        let member = member.parse().unwrap();
        while let Some(place) = good.papers_held.take(member, network, Proof::Proved) {
            held.push(place);
        }
    }
    assert_eq!(held.len(), 32);
    let busy = problem(ask(&good, file(&good, INVOICE)).await).await;
    assert_eq!(busy["code"], "overloaded");
    drop(held);
    assert_eq!(
        ask(&good, file(&good, INVOICE)).await.status().as_u16(),
        200
    );
}

#[actix_web::test]
async fn nobody_waits_for_the_body_of_a_stranger() {
    for (standing, code) in [
        (KeyStanding::Good, "authorization_missing"),
        (KeyStanding::Good, "timestamp_out_of_range"),
        (KeyStanding::Revoked, "key_revoked"),
        (KeyStanding::Expired, "key_expired"),
        (KeyStanding::MemberSuspended, "member_suspended"),
    ] {
        let state = state(standing);
        let kid = signer().public_key().kid();
        let now = now_seconds();
        let timestamp = if code == "timestamp_out_of_range" {
            now - 301
        } else {
            now
        };
        let signature = STANDARD.encode(signer().sign(b"").unwrap().as_bytes());
        let value = format!(
            "SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{timestamp}\",nonce=\"nonce-of-a-stranger\",signature=\"{signature}\""
        );
        let mut request = post("/v1/papers", "");
        if code != "authorization_missing" {
            request = request.insert_header((header::AUTHORIZATION, value));
        }
        let app = App::new()
            .wrap(from_fn(observe))
            .app_data(state.clone())
            .configure(routes::configure);
        let app = init_service(app).await;
        // A body that never comes.
        let payload: Payload = Payload::Stream {
            payload: Box::pin(futures_util::stream::pending()),
        };
        let (request, _) = request.to_request().replace_payload(payload);
        let answered = app.call(request);
        let answered = tokio::time::timeout(std::time::Duration::from_secs(5), answered);
        let answered = answered.await.expect("an answer without the body").unwrap();
        assert_eq!(problem(answered).await["code"], code);
        let network = Network::V4([192, 0, 2, 1]);
        assert!(
            state
                .papers_held
                .take(MEMBER.parse().unwrap(), network, Proof::Claimed)
                .is_some()
        );
    }
}

/// A request that names the member's key, with a signature of nothing.
fn forged(number: usize) -> TestRequest {
    let (kid, now) = (signer().public_key().kid(), now_seconds());
    let signature = STANDARD.encode(signer().sign(b"").unwrap().as_bytes());
    let value = format!(
        "SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{now}\",nonce=\"nonce-of-a-stranger-{number:04}\",signature=\"{signature}\""
    );
    post("/v1/papers", "").insert_header((header::AUTHORIZATION, value))
}

fn endless() -> Payload {
    Payload::Stream {
        payload: Box::pin(futures_util::stream::pending()),
    }
}

#[actix_web::test]
async fn strangers_hold_half_of_the_places_for_a_moment() {
    let state = state(KeyStanding::Good);
    let app = App::new()
        .wrap(from_fn(observe))
        .app_data(state.clone())
        .configure(routes::configure);
    let app = init_service(app).await;
    let from = |number: usize| SocketAddr::from(([198, 51, 100, u8::try_from(number).unwrap()], 1));
    // Each names the key of a member, sends nothing, and comes from another address.
    let strangers = futures_util::future::join_all((0..20).map(|number| {
        let request = forged(number).peer_addr(from(number)).to_request();
        app.call(request.replace_payload(endless()).0)
    }));
    let member = async {
        // They have taken what they can.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let response = app.call(file(&state, INVOICE).to_request()).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
    };
    let began = std::time::Instant::now();
    let (answers, ()) = tokio::join!(strangers, member);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    let mut codes = Vec::new();
    for answer in answers {
        codes.push(problem(answer.unwrap()).await["code"].clone());
    }
    let count = |code: &str| codes.iter().filter(|found| *found == code).count();
    // Of the places of the member that they name, half.
    assert_eq!(
        (count("request_timeout"), count("overloaded")),
        (8, 12),
        "{codes:?}"
    );
    // Whoever stays silent again and again is soon not waited for.
    let source = (
        Network::V4([198, 51, 100, 0]),
        Some(signer().public_key().kid()),
    );
    let failures = &state.budgets.failures;
    let cost = u32::try_from(PAPER_FAILURE_COST).unwrap();
    assert!(failures.left(&source) <= failures.per_minute() - cost + 5);
}

const SEALED: &[u8] = include_bytes!("../../papers/tests/files/sealed.ofd");
const SEALER: &[u8] = include_bytes!("../../papers/tests/files/sealer.der");

#[actix_web::test]
async fn a_seal_is_trusted_where_the_server_was_told_whose() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let der = path("sealer.der", SEALER);
    let text = STANDARD.encode(SEALER);
    let text = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let pem = path("sealer.pem", text.repeat(2).as_bytes());
    for (trusted, holds) in [(vec![], false), (vec![&der], true), (vec![&pem], true)] {
        let mut config = config();
        config.papers_trust = TrustedSeals::read(&trusted).unwrap();
        let state = state_of(&config, KeyStanding::Good);
        let read = answer(ask(&state, file(&state, SEALED)).await).await;
        let seal = &read["documents"][0]["signature"];
        assert_eq!(seal["state"], "verified");
        assert_eq!(seal["trusted"], holds, "{trusted:?}");
        assert_eq!(seal["signer"], "测试签章人");
        let sm3 = invoice_core::crypto::sm3(&[SEALER]).to_string();
        assert_eq!(seal["certificate_sm3"], sm3);
        let warned = read["documents"][0]["warnings"].to_string();
        assert_eq!(warned.contains("signer_not_trusted"), !holds, "{warned}");
    }
    // What would trust nobody is told instead of being taken.
    let key = path(
        "key.pem",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let large = path("large.pem", &vec![b'\n'; (1 << 20) + 1]);
    let empty = path("empty", b"");
    for (bad, reason) in [
        (&key, "not a certificate"),
        (&empty, "not a certificate"),
        (&large, "too large"),
        (&folder.path().join("absent"), "absent"),
    ] {
        let error = TrustedSeals::read(&[&der, bad]).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
