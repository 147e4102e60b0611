//! Signing in with a key, for people who read in a browser.

use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};

use super::json;
use super::query::Query;
use crate::limits::SESSION_BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::authenticate::{self, Suspended};
use crate::server::body;
use crate::server::session::{Token, came_by_tls};
use crate::server::state::{AppState, now_seconds};
use crate::status::{NO_CONTENT, OK};
use crate::wire::{ProblemAnswer, SessionAnswer};

/// Opens a session for the key that signed the request: a cookie with which its browser may read
/// for eight hours.
///
/// The cookie never records anything: records are signed by the browser's own key. It is kept from
/// scripts and from other sites, and ends at once when the key is revoked or its member suspended.
#[utoipa::path(
    post, path = "/v1/session", tag = "service", security(("request_signature" = [])),
    responses(
        (status = 204, description = "The session is open; its cookie is piaolian_session"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 403, description = "The member is suspended", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "Too many sessions are open", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn open(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    Query::strict(&request, &[])?;
    let body = body::read(&request, payload, SESSION_BODY_BYTES_MAX).await?;
    let asker = authenticate::authenticate(&state, &request, &body, Suspended::MayNotAsk).await?;
    let token = state
        .sessions
        .open(asker.kid, now_seconds())
        .ok_or(UnavailableReason::Overloaded)?;
    Ok(HttpResponse::build(NO_CONTENT)
        .insert_header((SET_COOKIE, token.set_cookie(came_by_tls(&request))))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish())
}

/// Ends the session, if there is one.
#[utoipa::path(
    delete, path = "/v1/session", tag = "service",
    responses((status = 204, description = "There is no session any more"))
)]
pub(crate) async fn close(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    if let Some(token) = Token::of(&request) {
        state.sessions.close(&token);
    }
    let secure = came_by_tls(&request);
    Ok(HttpResponse::build(NO_CONTENT)
        .insert_header((SET_COOKIE, Token::unset_cookie(secure)))
        .finish())
}

/// Who reads: the member, roles and key of the session, or of the request's signature.
#[utoipa::path(
    get, path = "/v1/session", tag = "service", security(("request_signature" = [])),
    responses(
        (status = 200, description = "Who it is", body = SessionAnswer),
        (status = 401, description = "There is neither session nor good signature", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::strict(&request, &[])?;
    let asker = authenticate::reader(&state, &request, b"", Suspended::MayRead).await?;
    // Who is signed in can be said without it.
    let name = state.registry.member_name(asker.member).await.ok();
    let answer = SessionAnswer {
        chain_id: state.registry.chain_id().to_owned(),
        member: asker.member.to_string(),
        name: name.flatten(),
        roles: asker.roles.iter().map(|role| role.as_str()).collect(),
        kid: asker.kid.to_string(),
    };
    Ok(json(OK, &answer))
}
