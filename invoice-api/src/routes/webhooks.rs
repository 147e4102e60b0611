//! A member's webhooks on this node: settings of the node, no records of the chain.
//!
//! Whoever may read may look at them; what changes something or sends something is signed by the
//! member's key like other questions with a body.

use ::webhooks::{
    CreatedView, DeliveriesView, EndpointId, EndpointView, EndpointsView, SETTINGS_BYTES_MAX,
    SecretView, Settings, SettingsError, TestView,
};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json;
use super::query::{Query, whole_number};
use crate::fault::Fault;
use crate::limits::{DELIVERIES_PAGE, DELIVERIES_PAGE_MAX};
use crate::problem::Problem;
use crate::registry::{Asker, WebhookAnswer, WebhookQuestion};
use crate::server::authenticate::{Suspended, authenticate, reader};
use crate::server::body;
use crate::server::state::AppState;
use crate::status::{CREATED, NO_CONTENT, OK};
use crate::wire::ProblemAnswer;

/// The body of `POST /v1/webhooks/{id}/replay`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// The height after which events are sent again.
    after: u64,
}

/// The member's endpoints on this node, each with its newest delivery.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", security(("request_signature" = [])),
    responses(
        (status = 200, description = "The endpoints", body = EndpointsView),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "This node sends no webhooks", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::strict(&request, &[])?;
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    told(&state, &asker, WebhookQuestion::List).await
}

/// One endpoint.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The member's name for it: 1 to 32 of a-z 0-9 -")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    state: web::Data<AppState>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Query::strict(&request, &[])?;
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    told(&state, &asker, WebhookQuestion::One(named(&id)?)).await
}

/// Makes an endpoint, or changes one. A new one is told what happens from now on.
///
/// The secret is in the answer that makes the endpoint and in no other.
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The member's name for it: 1 to 32 of a-z 0-9 -")),
    request_body(content = Settings, content_type = "application/json"),
    responses(
        (status = 200, description = "The endpoint was changed", body = EndpointView),
        (status = 201, description = "The endpoint was made; its secret is shown this once", body = CreatedView),
        (status = 400, description = "Not of this shape", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 403, description = "The member is suspended", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 409, description = "There are as many as there may be", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 422, description = "A URL, an event or a text that is not allowed", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (settings, asker) = signed(&state, &request, payload, from_json).await?;
    told(&state, &asker, WebhookQuestion::Put(named(&id)?, settings)).await
}

/// Removes an endpoint with its deliveries.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 204, description = "It is no more"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let ((), asker) = signed(&state, &request, payload, nothing).await?;
    told(&state, &asker, WebhookQuestion::Remove(named(&id)?)).await
}

/// Replaces the secret. Messages are signed with those before it, too, with each for 24 hours.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/secret", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The new secret, shown this once", body = SecretView),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let ((), asker) = signed(&state, &request, payload, nothing).await?;
    told(&state, &asker, WebhookQuestion::Rotate(named(&id)?)).await
}

/// Sends a message of the type `webhook.test` now, once, and says what came of it.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/test", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "What came of it, good or not", body = TestView),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "More than a few a minute", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn test(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let ((), asker) = signed(&state, &request, payload, nothing).await?;
    let id = named(&id)?;
    state.budgets.webhook_tests.take(&asker.member, 1)?;
    told(&state, &asker, WebhookQuestion::Test(id)).await
}

/// The last 1,000 messages of an endpoint with their attempts, the newest first.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks", security(("request_signature" = [])),
    params(
        ("id" = String, Path, description = "The endpoint"),
        ("cursor" = Option<String>, Query, description = "Where an earlier page ended: its next"),
        ("limit" = Option<u64>, Query, description = "Deliveries in the page, 1 to 200; 50 when absent"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveriesView),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn deliveries(
    state: web::Data<AppState>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::strict(&request, &["cursor", "limit"])?;
    let before = match query.text("cursor") {
        None | Some("") => None,
        Some(text) => Some(whole_number(text).ok_or(Fault::CursorInvalid)?),
    };
    let limit = match query.number("limit")? {
        None => DELIVERIES_PAGE,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=DELIVERIES_PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::query("limit"))?,
    };
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    let question = WebhookQuestion::Deliveries(named(&id)?, before, limit);
    told(&state, &asker, question).await
}

/// Sends again what happened after a height: moves the cursor back, never forward.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/replay", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The endpoint")),
    request_body(content = Replay, content_type = "application/json"),
    responses(
        (status = 200, description = "The endpoint; its cursor says where it now stands", body = EndpointView),
        (status = 400, description = "Not of this shape", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (Replay { after }, asker) = signed(&state, &request, payload, from_json).await?;
    told(&state, &asker, WebhookQuestion::Replay(named(&id)?, after)).await
}

/// Makes a disabled endpoint active again; a failing one is tried before its next attempt is due.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/enable", tag = "webhooks", security(("request_signature" = [])),
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "The member has none of this name here", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enable(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let ((), asker) = signed(&state, &request, payload, nothing).await?;
    told(&state, &asker, WebhookQuestion::Enable(named(&id)?)).await
}

/// Reads a body and who signed it; its shape is judged before the signature (400 before 401).
async fn signed<T>(
    state: &AppState,
    request: &HttpRequest,
    payload: web::Payload,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<(T, Asker), Problem> {
    Query::strict(request, &[])?;
    let body = body::read(request, payload, SETTINGS_BYTES_MAX).await?;
    let said = read(&body).ok_or(Fault::WebhookBody)?;
    let asker = authenticate(state, request, &body, Suspended::MayNotAsk).await?;
    Ok((said, asker))
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

/// The body of an order that says everything by its address.
fn nothing(body: &[u8]) -> Option<()> {
    body.is_empty().then_some(())
}

fn named(text: &str) -> Result<EndpointId, Problem> {
    EndpointId::parse(text).map_err(|_| Fault::WebhookIdSpelling.into())
}

/// Makes the one call, and the answer of what it says.
async fn told(
    state: &AppState,
    asker: &Asker,
    question: WebhookQuestion,
) -> Result<HttpResponse, Problem> {
    let mut response = match state.registry.webhooks(asker, question).await? {
        WebhookAnswer::Off => return Err(Fault::NoWebhooks.into()),
        WebhookAnswer::NotFound => return Err(Fault::NotFound.into()),
        WebhookAnswer::TooMany => return Err(Fault::TooManyWebhooks.into()),
        WebhookAnswer::UrlRefused(fault) => {
            let problem = Problem::from(Fault::WebhookUrlRefused);
            return Err(problem.with_fact("reason", fault.code()));
        }
        WebhookAnswer::SettingsRefused(SettingsError::EventUnknown(event)) => {
            let problem = Problem::from(Fault::WebhookEventsRefused);
            return Err(problem.with_fact("event", event));
        }
        WebhookAnswer::SettingsRefused(SettingsError::EventsNotASet) => {
            return Err(Fault::WebhookEventsRefused.into());
        }
        WebhookAnswer::SettingsRefused(SettingsError::Description) => {
            return Err(Fault::WebhookDescription.into());
        }
        WebhookAnswer::Endpoints(view) => json(OK, &view),
        WebhookAnswer::Endpoint(view) => json(OK, &view),
        WebhookAnswer::Created(view) => json(CREATED, &view),
        WebhookAnswer::Secret(view) => json(OK, &view),
        WebhookAnswer::Removed => HttpResponse::build(NO_CONTENT).finish(),
        WebhookAnswer::Tested(view) => json(OK, &view),
        WebhookAnswer::Deliveries(view) => json(OK, &view),
    };
    let never = actix_web::http::header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, never);
    Ok(response)
}
