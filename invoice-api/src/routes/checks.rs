//! Checks: is what I hold what is recorded, and what of it can I claim?

pub(super) mod items;

use actix_web::{HttpRequest, HttpResponse, web};

use super::json;
use crate::limits::CHECKS_BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::authenticate::{Suspended, authenticate};
use crate::server::body;
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{ChecksAnswer, ProblemAnswer};

/// Compares up to 1,000 documents with what the asker holds.
///
/// An item is {"qr": text}, {"document", "amount"?, "date"?, "check_code"?} or {"xml": base64 of
/// the file}. A member that is no party to a document must supply number, amount and date, and the
/// check code where there is one.
#[utoipa::path(
    post, path = "/v1/checks", tag = "documents", security(("request_signature" = [])),
    request_body(content = serde_json::Value, content_type = "application/json", description = "{\"items\":[…]}"),
    responses(
        (status = 200, description = "One verdict per item, in order", body = ChecksAnswer),
        (status = 400, description = "Not the contract's shape", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 413, description = "More than 1,000 items, or too large", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 422, description = "Items that cannot be read, each with its pointer", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "The member's budget is spent", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn checks(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload, CHECKS_BODY_BYTES_MAX).await?;
    // The list's shape is judged before the signature, the values after it (400, 401, 422).
    let items = items::read(&body)?;
    let asker = authenticate(&state, &request, &body, Suspended::MayNotAsk).await?;
    state.budgets.checks.take(&asker.member, items.len())?;
    let items = web::block(move || items.into_items())
        .await
        .map_err(|_| Problem::from(UnavailableReason::Overloaded))??;
    let checked = state.registry.checks(&asker, items).await?;
    Ok(json(OK, &ChecksAnswer::from(&checked)))
}
