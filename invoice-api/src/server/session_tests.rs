//! Sessions and pages, as a browser sees them.

use actix_web::http::header::{COOKIE, ETAG, IF_NONE_MATCH, LOCATION, SET_COOKIE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use invoice_core::crypto::messages::request_message;
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
use invoice_core::record::{Role, RoleSet};

use super::*;
use crate::server::state::now_seconds;

fn signer() -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap())
}

fn key_view() -> KeyView {
    KeyView {
        public_key: Arc::new(signer().public_key().clone()),
        member: "91330000142942095H".parse().unwrap(),
        roles: RoleSet::from_iter([Role::Employer]),
        standing: KeyStanding::Good,
    }
}

/// The header of a request that the key signs, with a nonce of its own.
fn signature(method: &str, path: &str, nonce: &str) -> (header::HeaderName, String) {
    let now = now_seconds().to_string();
    let message = request_message(method, path, &now, nonce, b"");
    let signature = STANDARD.encode(signer().sign(&message).unwrap().as_bytes());
    let kid = signer().public_key().kid();
    let value = format!(
        "SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{now}\",nonce=\"{nonce}\",signature=\"{signature}\""
    );
    (header::AUTHORIZATION, value)
}

#[actix_web::test]
async fn a_session_reads_until_its_key_may_not_sign_any_more() {
    let registry = Arc::new(Down::default());
    *registry.0.lock().unwrap() = Some(key_view());
    let state = web::Data::new(AppState::new(&config(), Arc::clone(&registry) as _));
    let app = init_service(
        App::new()
            .wrap(from_fn(observe))
            .app_data(state)
            .configure(routes::configure),
    )
    .await;
    let ask = async |request: TestRequest| app.call(request.to_request()).await.unwrap();

    let unsigned = ask(TestRequest::post().uri("/v1/session")).await;
    assert_eq!(unsigned.status().as_u16(), 401);
    assert!(unsigned.headers().get(SET_COOKIE).is_none());

    let nonce = "nonce-of-sign-in";
    let opened = ask(TestRequest::post()
        .uri("/v1/session")
        .insert_header(signature("POST", "/v1/session", nonce)))
    .await;
    assert_eq!(opened.status().as_u16(), 204);
    let cookie = opened.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(!cookie.contains("Secure"), "plain http");
    let cookie = cookie.split(';').next().unwrap().to_owned();

    // With the cookie one reads, as the member.
    let with_cookie = |path: &str| get(path).insert_header((COOKIE, cookie.clone()));
    let limits = ask(with_cookie("/v1/limits")).await;
    assert_eq!(limits.status().as_u16(), 200);
    let who = ask(with_cookie("/v1/session")).await;
    let who = serde_json::from_slice::<Value>(&read_body(who).await).unwrap();
    assert_eq!(who["member"], "91330000142942095H");
    assert_eq!(who["roles"], serde_json::json!(["employer"]));

    // It records, checks and validates nothing.
    for path in ["/v1/checks", "/v1/validate"] {
        let body = match path {
            "/v1/checks" => "{\"items\":[{\"document\":\"D:24442000000000000016\"}]}",
            _ => "{\"record\":{}}",
        };
        let answer = ask(post(path, body).insert_header((COOKIE, cookie.clone()))).await;
        assert_eq!(
            problem(answer).await["code"],
            "authorization_missing",
            "{path}"
        );
    }

    // Neither another cookie nor a used signature is good.
    let other = format!("piaolian_session={}", "A".repeat(43));
    let answer = ask(get("/v1/limits").insert_header((COOKIE, other))).await;
    assert_eq!(problem(answer).await["code"], "authorization_missing");
    let again = TestRequest::post()
        .uri("/v1/session")
        .insert_header(signature("POST", "/v1/session", nonce));
    assert_eq!(problem(ask(again).await).await["code"], "nonce_reused");

    // A key that was revoked, or whose member was suspended, ends it for good.
    registry.0.lock().unwrap().as_mut().unwrap().standing = KeyStanding::MemberSuspended;
    assert_eq!(ask(with_cookie("/v1/limits")).await.status().as_u16(), 401);
    registry.0.lock().unwrap().as_mut().unwrap().standing = KeyStanding::Good;
    assert_eq!(ask(with_cookie("/v1/limits")).await.status().as_u16(), 401);
}

#[actix_web::test]
async fn signing_out_ends_the_session_and_takes_the_cookie() {
    let registry = Arc::new(Down::default());
    *registry.0.lock().unwrap() = Some(key_view());
    let state = web::Data::new(AppState::new(&config(), registry));
    let token = state
        .sessions
        .open(signer().public_key().kid(), now_seconds())
        .unwrap();
    let cookie = token
        .set_cookie(false)
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let app = init_service(
        App::new()
            .wrap(from_fn(observe))
            .app_data(state)
            .configure(routes::configure),
    )
    .await;
    let ask = async |request: TestRequest| {
        let request = request.insert_header((COOKIE, cookie.clone()));
        app.call(request.to_request()).await.unwrap()
    };
    assert_eq!(ask(get("/v1/session")).await.status().as_u16(), 200);
    let closed = ask(TestRequest::delete().uri("/v1/session")).await;
    assert_eq!(closed.status().as_u16(), 204);
    let taken = closed.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(taken.contains("Max-Age=0"), "{taken}");
    assert_eq!(ask(get("/v1/session")).await.status().as_u16(), 401);
}

#[actix_web::test]
async fn a_page_for_members_sends_strangers_to_sign_in_and_nowhere_else() {
    let response = call(&config(), get("/app?status=locked")).await;
    assert_eq!(response.status().as_u16(), 303);
    let location = response.headers().get(LOCATION).unwrap().to_str().unwrap();
    assert_eq!(location, "/sign-in?next=%2Fapp%3Fstatus%3Dlocked");
    for (next, shown) in [
        (
            "%2Fapp%3Fstatus%3Dlocked",
            "data-next=\"/app?status=locked\"",
        ),
        ("%2F%2Fexample.org", "data-next=\"/app\""),
        ("https%3A%2F%2Fexample.org", "data-next=\"/app\""),
    ] {
        let response = call(&config(), get(&format!("/sign-in?next={next}"))).await;
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        assert!(body.contains(shown), "{next}");
    }
}

#[actix_web::test]
async fn a_page_binds_the_browser_to_this_server_and_remembers_the_language() {
    for path in ["/", "/v", "/sign-in?lang=en"] {
        let response = call(&config(), get(path)).await;
        let headers = response.headers();
        let policy = headers.get(header::CONTENT_SECURITY_POLICY).unwrap();
        let policy = policy.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
        assert!(
            !policy.contains("unsafe") && !policy.contains("nonce"),
            "{policy}"
        );
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
        let remembered = headers
            .get(SET_COOKIE)
            .map(|cookie| cookie.to_str().unwrap());
        let english = path.ends_with("lang=en");
        assert_eq!(
            remembered.is_some_and(|cookie| cookie.starts_with("piaolian_lang=en;")),
            english
        );
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        assert_eq!(body.contains("<html lang=\"en\">"), english, "{path}");
    }
}

#[actix_web::test]
async fn a_file_is_sent_again_only_when_it_has_changed() {
    let first = call(&config(), get("/assets/sm3.js")).await;
    assert_eq!(first.status().as_u16(), 200);
    let kind = first.headers().get(header::CONTENT_TYPE).unwrap();
    assert_eq!(kind, "text/javascript; charset=utf-8");
    let etag = first.headers().get(ETAG).unwrap().clone();
    let again = get("/assets/sm3.js").insert_header((IF_NONE_MATCH, etag));
    assert_eq!(call(&config(), again).await.status().as_u16(), 304);
    let other = get("/assets/sm3.js").insert_header((IF_NONE_MATCH, "\"other\""));
    assert_eq!(call(&config(), other).await.status().as_u16(), 200);
    for absent in ["/assets/..%2fCargo.toml", "/assets/none.js", "/assets/"] {
        assert_eq!(
            call(&config(), get(absent)).await.status().as_u16(),
            404,
            "{absent}"
        );
    }
}
