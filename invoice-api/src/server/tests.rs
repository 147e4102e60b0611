//! What the server says by itself, before any registry is asked: here the registry is down.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, web};
use async_trait::async_trait;
use invoice_core::chain::Receipt;
use invoice_core::crypto::{Hash, Kid};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::paper_link::{PaperLink, Stamp};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use super::bind;
use super::middleware::observe;
use super::state::AppState;
use crate::config::ServerConfig;
use crate::limits::{HEAD_BYTES_MAX, RECORDS_BODY_BYTES_MAX};
use crate::registry::*;
use crate::routes;

/// A registry whose node is being reopened; it may remember one key, and one answer to whoever asks
/// the public page, after a moment.
#[derive(Default)]
struct Down(Mutex<Option<KeyView>>, Mutex<Option<PublicCheck>>);

const DOWN: Unavailable = Unavailable {
    reason: UnavailableReason::StorageFailed,
    retry_after_seconds: 9,
};

#[async_trait]
impl Registry for Down {
    fn chain_id(&self) -> &str {
        "test"
    }
    fn genesis(&self) -> &[u8] {
        b"{}"
    }
    async fn submit(&self, _: Submission) -> Result<Vec<RecordAnswer>, Unavailable> {
        Err(DOWN)
    }
    async fn validate(&self, _: &Asker, _: Submission) -> Result<Vec<RecordFindings>, Unavailable> {
        Err(DOWN)
    }
    async fn key(&self, _: Kid) -> Result<Option<KeyView>, Unavailable> {
        let known = self.0.lock().unwrap().clone();
        known.map(Some).ok_or(DOWN)
    }
    async fn member_name(&self, _: MemberId) -> Result<Option<String>, Unavailable> {
        Err(DOWN)
    }
    async fn record_by_id(
        &self,
        _: &Asker,
        _: MemberId,
        _: String,
    ) -> Result<RecordState, Unavailable> {
        Err(DOWN)
    }
    async fn record_by_hash(&self, _: &Asker, _: Hash) -> Result<RecordState, Unavailable> {
        Err(DOWN)
    }
    async fn checks(&self, _: &Asker, _: Vec<CheckItem>) -> Result<Checked, Unavailable> {
        Err(DOWN)
    }
    async fn public_check(&self, _: CheckItem) -> Result<PublicCheck, Unavailable> {
        let known = self.1.lock().unwrap().clone();
        tokio::time::sleep(Duration::from_millis(100)).await;
        known.ok_or(DOWN)
    }
    async fn document(
        &self,
        _: &Asker,
        _: DocumentKey,
        _: TimelineCursor,
    ) -> Result<Option<DocumentView>, Unavailable> {
        Err(DOWN)
    }
    async fn document_records(
        &self,
        _: &Asker,
        _: Vec<DocumentKey>,
    ) -> Result<Vec<Option<String>>, Unavailable> {
        Err(DOWN)
    }
    async fn document_receipt(
        &self,
        _: &Asker,
        _: DocumentKey,
    ) -> Result<Option<Receipt>, Unavailable> {
        Err(DOWN)
    }
    fn stamp(&self, _: &PaperLink) -> Option<Stamp> {
        None
    }
    async fn claims(&self, _: &Asker, _: ClaimQuery) -> Result<Option<ClaimPage>, Unavailable> {
        Err(DOWN)
    }
    async fn events(&self, _: &Asker, _: u64, _: usize) -> Result<EventPage, Unavailable> {
        Err(DOWN)
    }
    fn head(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
    async fn checkpoint(&self) -> Result<Option<CheckpointView>, Unavailable> {
        Err(DOWN)
    }
    async fn block(&self, _: u64) -> Result<Option<BlockView>, Unavailable> {
        Err(DOWN)
    }
    async fn inclusion_proof(&self, _: u64, _: u64) -> Result<Option<InclusionView>, Unavailable> {
        Err(DOWN)
    }
    async fn consistency_proof(&self, _: u64, _: u64) -> Result<Option<Vec<Hash>>, Unavailable> {
        Err(DOWN)
    }
    fn readiness(&self) -> Readiness {
        Readiness {
            height: 7,
            time: None,
            storage_ok: false,
            refusing: None,
        }
    }
    fn gauges(&self) -> Vec<Gauge> {
        vec![Gauge {
            name: "mempool_records",
            help: "Records waiting",
            value: 3,
        }]
    }
}

fn config() -> ServerConfig {
    ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn call(config: &ServerConfig, request: TestRequest) -> ServiceResponse<BoxBody> {
    let mut responses = calls(config, vec![request]).await;
    responses.pop().unwrap()
}

async fn calls(config: &ServerConfig, requests: Vec<TestRequest>) -> Vec<ServiceResponse<BoxBody>> {
    let state = web::Data::new(AppState::new(config, Arc::new(Down::default())));
    let app = App::new()
        .wrap(from_fn(observe))
        .app_data(state)
        .configure(routes::configure);
    let app = init_service(app).await;
    let mut responses = Vec::new();
    for request in requests {
        responses.push(app.call(request.to_request()).await.unwrap());
    }
    responses
}

async fn problem(response: ServiceResponse<BoxBody>) -> Value {
    let media_type = response.headers().get(header::CONTENT_TYPE).unwrap();
    assert_eq!(media_type, "application/problem+json");
    let (status, trace_id) = (
        response.status().as_u16(),
        response.headers().get("trace-id").unwrap().clone(),
    );
    let document = serde_json::from_slice::<Value>(&read_body(response).await).unwrap();
    assert_eq!(document["status"], status);
    assert_eq!(document["trace_id"], trace_id.to_str().unwrap());
    document
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

fn post(path: &str, body: impl Into<bytes::Bytes>) -> TestRequest {
    TestRequest::post().uri(path).set_payload(body)
}

const AUTHORIZATION: &str = "SM2-WITH-SM3 kid=\"00112233445566778899aabbccddeeff\",\
    timestamp=\"1\",nonce=\"0123456789abcdef\",signature=\"AAAA\"";

#[actix_web::test]
async fn every_refusal_is_a_problem_document() {
    let long = "x".repeat(HEAD_BYTES_MAX);
    let signed = |value: &'static str| get("/v1/claims").insert_header(("Authorization", value));
    for (name, request, status, code) in [
        ("no such address", get("/v2/records"), 404, "not_found"),
        (
            "no such method",
            TestRequest::delete().uri("/v1/records"),
            405,
            "method_not_allowed",
        ),
        (
            "no such method",
            get("/v1/checks"),
            405,
            "method_not_allowed",
        ),
        (
            "no such method",
            post("/v1/checkpoint", ""),
            405,
            "method_not_allowed",
        ),
        (
            "a long head",
            get("/livez").insert_header(("x", long.clone())),
            431,
            "head_too_large",
        ),
        (
            "a long address",
            get(&format!("/livez?{long}")),
            431,
            "head_too_large",
        ),
        ("no JSON", post("/v1/records", "nonsense"), 400, "not_json"),
        ("no body", post("/v1/records", ""), 400, "not_json"),
        (
            "no records",
            post("/v1/records", "{\"kid\":\"\",\"sig\":\"\",\"records\":[]}"),
            400,
            "batch_empty",
        ),
        (
            "too large",
            post("/v1/records", vec![b' '; RECORDS_BODY_BYTES_MAX + 1]),
            413,
            "body_too_large",
        ),
        (
            "too large",
            post("/v1/checks", vec![b' '; RECORDS_BODY_BYTES_MAX + 1]),
            413,
            "body_too_large",
        ),
        (
            "no items",
            post("/v1/checks", "{\"items\":[]}"),
            400,
            "items_empty",
        ),
        (
            "an unknown parameter",
            get("/v1/claims?page=1"),
            400,
            "query_invalid",
        ),
        (
            "an unknown status",
            get("/v1/claims?status=paid"),
            400,
            "query_invalid",
        ),
        (
            "a foreign cursor",
            get("/v1/claims?cursor=xyz"),
            400,
            "cursor_invalid",
        ),
        (
            "too long a page",
            get("/v1/claims?limit=1001"),
            400,
            "query_invalid",
        ),
        (
            "a hash in upper case",
            get(&format!("/v1/records?sm3={}", "A".repeat(64))),
            400,
            "query_invalid",
        ),
        ("no hash", get("/v1/records"), 400, "query_invalid"),
        (
            "a leaf beyond the tree",
            get("/v1/proofs/inclusion?index=3&tree_size=3"),
            400,
            "query_invalid",
        ),
        (
            "a tree that shrinks",
            get("/v1/proofs/consistency?from=4&to=3"),
            400,
            "query_invalid",
        ),
        ("no such height", get("/v1/blocks/-1"), 404, "not_found"),
        ("nobody", get("/v1/limits"), 401, "authorization_missing"),
        (
            "nobody",
            get("/v1/documents/D:1"),
            401,
            "authorization_missing",
        ),
        ("nobody", get("/v1/events"), 401, "authorization_missing"),
        (
            "nobody",
            get("/v1/records/a/b"),
            401,
            "authorization_missing",
        ),
        (
            "another scheme",
            signed("Bearer x"),
            401,
            "authorization_malformed",
        ),
        (
            "a short signature",
            signed(AUTHORIZATION),
            401,
            "signature_malformed",
        ),
        (
            "the registry is down",
            get("/v1/checkpoint"),
            503,
            "storage_failed",
        ),
        ("not ready", get("/readyz"), 503, "storage_failed"),
    ] {
        let response = call(&config(), request).await;
        assert_eq!(response.status().as_u16(), status, "{name}");
        assert_eq!(problem(response).await["code"], code, "{name}");
    }
}

#[actix_web::test]
async fn two_authorization_headers_are_one_too_many() {
    let request = get("/v1/limits")
        .append_header(("Authorization", AUTHORIZATION))
        .append_header(("Authorization", AUTHORIZATION));
    let problem = problem(call(&config(), request).await).await;
    assert_eq!(problem["code"], "authorization_malformed");
    assert!(problem["server_time"].is_u64());
}

#[actix_web::test]
async fn a_refusal_says_what_to_do_in_the_language_asked_for() {
    let request = || get("/v1/checkpoint");
    let response = call(&config(), request()).await;
    assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "9");
    assert_eq!(
        response.headers().get(header::CONTENT_LANGUAGE).unwrap(),
        "zh-CN"
    );
    assert!(
        problem(response).await["title"]
            .as_str()
            .unwrap()
            .contains("存储故障")
    );
    let english = request().insert_header((header::ACCEPT_LANGUAGE, "en"));
    assert_eq!(
        problem(call(&config(), english).await).await["title"],
        "The storage failed."
    );
    let response = call(&config(), TestRequest::put().uri("/v1/records")).await;
    assert_eq!(
        response.headers().get(header::ALLOW).unwrap(),
        "GET, HEAD, POST"
    );
}

#[actix_web::test]
async fn the_callers_trace_id_is_kept() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = ("traceparent", format!("00-{id}-00f067aa0ba902b7-01"));
    let response = call(&config(), get("/livez").insert_header(traceparent)).await;
    assert_eq!(response.headers().get("trace-id").unwrap(), id);
}

#[actix_web::test]
async fn pages_and_figures_need_no_member() {
    for (path, part) in [
        ("/livez", "ok"),
        ("/metrics", "piaolian_mempool_records 3"),
        ("/openapi.json", "\"/v1/records:bulk\""),
        ("/docs", "/v1/records:bulk"),
        ("/v1/rejections", "claim_exceeds_remaining"),
        ("/v1/genesis", "{}"),
        ("/v/nonsense?amount=1", "请按票面补全"),
        ("/v", "name=\"amount\""),
        ("/", "/assets/site.css"),
        ("/sign-in", "key-file"),
        ("/assets/sm2.js", "sm3"),
    ] {
        let response = call(&config(), get(path)).await;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert_eq!(
            response
                .headers()
                .get(header::X_CONTENT_TYPE_OPTIONS)
                .unwrap(),
            "nosniff"
        );
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        assert!(body.contains(part), "{path}: {body}");
        let head = TestRequest::default().method(Method::HEAD).uri(path);
        assert_eq!(
            call(&config(), head).await.status().as_u16(),
            200,
            "HEAD {path}"
        );
    }
}

#[actix_web::test]
async fn the_description_runs_no_script_and_loads_nothing() {
    for path in ["/docs"] {
        let response = call(&config(), get(path)).await;
        let policy = response
            .headers()
            .get(header::CONTENT_SECURITY_POLICY)
            .unwrap();
        let policy = policy.to_str().unwrap().to_owned();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'nonce-"),
            "{policy}"
        );
        let nonce = policy
            .split('\'')
            .nth(3)
            .unwrap()
            .trim_start_matches("nonce-")
            .to_owned();
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        assert!(
            body.contains(&format!("<style nonce=\"{nonce}\">")),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn an_address_that_asks_or_guesses_too_much_is_refused_for_a_while() {
    let mut config = config();
    config.budgets.anonymous_per_minute = 2.try_into().unwrap();
    config.budgets.failures_per_minute = 2.try_into().unwrap();
    for path in ["/v1/genesis", "/v1/limits"] {
        let requests = (0..3).map(|_| get(path)).collect();
        let mut responses = calls(&config, requests).await;
        let last = responses.pop().unwrap();
        assert!(
            responses
                .iter()
                .all(|response| response.status().as_u16() != 429),
            "{path}"
        );
        assert_eq!(
            last.headers().get(header::RETRY_AFTER).unwrap(),
            "30",
            "{path}"
        );
        assert_eq!(problem(last).await["code"], "rate_limited", "{path}");
    }
}

#[actix_web::test]
async fn broken_bulk_lines_fail_alone_and_are_counted() {
    let body = "nonsense\n\n{}\n";
    let response = call(&config(), post("/v1/records:bulk", body)).await;
    assert_eq!(response.status().as_u16(), 200);
    let answer = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    let lines = answer
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect::<Vec<_>>();
    let [first, second, summary] = lines.as_slice() else {
        panic!("{answer}")
    };
    assert_eq!((&first["line"], &first["record"]), (&1.into(), &1.into()));
    assert_eq!(
        (&first["status"], &first["code"]),
        (&400.into(), &"not_json".into())
    );
    assert_eq!(
        (&second["line"], &second["status"]),
        (&3.into(), &400.into())
    );
    let counts = serde_json::json!({
        "lines": 3, "accepted": 0, "replayed": 0, "refused": 0, "failed": 2,
    });
    assert_eq!(summary["summary"], counts);
}

/// Reads from a connection until the text holds `part`; panics when it does not come.
async fn read_until(connection: &mut TcpStream, text: &mut String, part: &str) {
    let come = async {
        while !text.contains(part) {
            let mut bytes = [0; 4096];
            let count = connection.read(&mut bytes).await.unwrap();
            assert_ne!(count, 0, "closed before {part:?}: {text}");
            text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    };
    if tokio::time::timeout(Duration::from_secs(10), come)
        .await
        .is_err()
    {
        panic!("no {part:?} in {text}");
    }
}

#[actix_web::test]
async fn a_bulk_stream_is_answered_while_it_is_sent_and_finished_when_the_server_stops() {
    let server = bind(&config(), Arc::new(Down::default())).unwrap();
    let address = server.addresses()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let running = actix_web::rt::spawn(server.run(async { drop(stopped.await) }));

    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/records:bulk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.write_all(b"3\r\n[]\n\r\n").await.unwrap();
    read_until(&mut connection, &mut answer, "\"line\":1").await;
    connection.write_all(b"3\r\n{}\n\r\n").await.unwrap();
    read_until(&mut connection, &mut answer, "\"line\":2").await;

    stop.send(()).unwrap();
    read_until(
        &mut connection,
        &mut answer,
        "\"failed\":2,\"stopping\":true",
    )
    .await;
    drop(connection);
    running.await.unwrap().unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it listens no more"
    );
}

#[actix_web::test]
async fn with_a_certificate_it_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (certificates, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificates)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );

    let mut config = config();
    config.tls = Some(crate::config::TlsFiles {
        certificates: certificates.clone(),
        key,
    });
    let server = bind(&config, Arc::new(Down::default())).unwrap();
    let address = server.addresses()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let running = actix_web::rt::spawn(server.run(async { drop(stopped.await) }));

    // Another test of this process may have installed the same provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    let root = reqwest::Certificate::from_pem(&std::fs::read(&certificates).unwrap()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .resolve("localhost", address)
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/livez", address.port());
    assert_eq!(
        client.get(url).send().await.unwrap().text().await.unwrap(),
        "ok\n"
    );
    drop(client);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[actix_web::test]
async fn a_certificate_that_is_missing_is_an_error_at_the_start() {
    let mut config = config();
    let files = crate::config::TlsFiles {
        certificates: "no.pem".into(),
        key: "no.pem".into(),
    };
    config.tls = Some(files);
    assert!(matches!(
        bind(&config, Arc::new(Down::default())),
        Err(super::ServeError::Tls(_))
    ));
}

#[path = "papers_tests.rs"]
mod papers;
#[path = "session_tests.rs"]
mod sessions;

#[actix_web::test]
async fn who_asks_through_a_trusted_proxy_has_a_budget_of_its_own() {
    let asked = async |proxies: &[&str]| {
        let mut config = config();
        config.budgets.anonymous_per_minute = NonZeroU32::MIN;
        config.trusted_proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let from = |hops: &'static str| {
            let peer = SocketAddr::from(([10, 0, 0, 5], 4711));
            let request = get("/v").peer_addr(peer);
            request.insert_header((header::X_FORWARDED_FOR, hops))
        };
        let requests = vec![
            from("198.51.100.1"),
            from("198.51.100.1"),
            from("198.51.100.2"),
            // What the asker wrote itself makes nobody else of it.
            from("192.0.2.7, 198.51.100.2"),
        ];
        let answers = calls(&config, requests).await;
        let statuses = answers.iter().map(|answer| answer.status().as_u16());
        statuses.collect::<Vec<_>>()
    };
    assert_eq!(asked(&["10.0.0.0/24"]).await, [200, 429, 200, 429]);
    assert_eq!(asked(&["10.0.1.0/24"]).await, [200, 429, 429, 429]);
    assert_eq!(asked(&[]).await, [200, 429, 429, 429]);
}
#[path = "limits_tests.rs"]
mod limits;
