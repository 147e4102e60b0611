//! Documents and claims, for those who may see them.

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::identity::DocumentKey;
use invoice_core::read::Spelled;

use super::json;
use super::query::Query;
use crate::fault::Fault;
use crate::limits::{CLAIMS_PAGE, CLAIMS_PAGE_MAX};
use crate::problem::Problem;
use crate::registry::{ClaimQuery, ClaimStatus, TimelineCursor};
use crate::server::authenticate::{Suspended, reader};
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{ClaimsAnswer, DocumentAnswer, ProblemAnswer};

/// Everything about one document, for its seller, buyer, share holders, claimants and authorities.
///
/// Others get the same 404 as for a document that does not exist.
#[utoipa::path(
    get, path = "/v1/documents/{key}", tag = "documents", security(("request_signature" = [])),
    params(
        ("key" = String, Path, description = "The document's key, or an alias"),
        ("cursor" = Option<String>, Query, description = "Where the timeline goes on: next or refused_next of an earlier answer"),
    ),
    responses(
        (status = 200, description = "Content, state, remaining amount and timeline", body = DocumentAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No such document, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn document(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    let from = timeline_cursor(&Query::strict(&request, &["cursor"])?)?;
    let key = DocumentKey::spelled(&path).map_err(|_| Problem::from(Fault::NotFound))?;
    let view = state
        .registry
        .document(&asker, key, from)
        .await?
        .ok_or(Fault::NotFound)?;
    let answer = DocumentAnswer::new(&view).ok_or(Fault::Internal)?;
    Ok(json(OK, &answer))
}

/// The page of a document's life that a query asks for.
pub(crate) fn timeline_cursor(query: &Query) -> Result<TimelineCursor, Problem> {
    match query.text("cursor") {
        None | Some("") => Ok(TimelineCursor::default()),
        // An array refuses what is longer before it is decoded.
        Some(text) => {
            let mut bytes = [0; 16];
            let decoded = hex::decode_to_slice(text, &mut bytes).ok();
            let cursor = decoded.and_then(|()| TimelineCursor::decode(&bytes));
            cursor.ok_or_else(|| Fault::CursorInvalid.into())
        }
    }
}

/// A page of the asker's claims; of everyone's, for an authority.
#[utoipa::path(
    get, path = "/v1/claims", tag = "documents", security(("request_signature" = [])),
    params(
        ("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed"),
        ("cursor" = Option<String>, Query, description = "Where an earlier page ended: its next"),
        ("limit" = Option<u64>, Query, description = "Claims in the page, 1 to 1,000; 100 when absent"),
    ),
    responses(
        (status = 200, description = "A page of claims", body = ClaimsAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn claims(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = claim_query(&Query::strict(&request, &["status", "cursor", "limit"])?)?;
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    let page = state
        .registry
        .claims(&asker, query)
        .await?
        .ok_or(Fault::CursorInvalid)?;
    Ok(json(OK, &ClaimsAnswer::new(&page)))
}

/// The question that a query asks.
pub(crate) fn claim_query(query: &Query) -> Result<ClaimQuery, Problem> {
    // An empty parameter is an absent one, as the contract writes `?status=&cursor=`.
    let status = match query.text("status") {
        None | Some("") => None,
        Some(text) => Some(status(text).ok_or_else(|| Problem::query("status"))?),
    };
    let cursor = match query.text("cursor") {
        None | Some("") => None,
        Some(text) if text.len() > 1024 => return Err(Fault::CursorInvalid.into()),
        Some(text) => Some(hex::decode(text).map_err(|_| Problem::from(Fault::CursorInvalid))?),
    };
    let limit = match query.number("limit")? {
        None => CLAIMS_PAGE,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=CLAIMS_PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::query("limit"))?,
    };
    Ok(ClaimQuery {
        status,
        from: None,
        until: None,
        cursor,
        limit,
        own: false,
        newest_first: false,
    })
}

fn status(text: &str) -> Option<ClaimStatus> {
    [
        ClaimStatus::Locked,
        ClaimStatus::Settled,
        ClaimStatus::Released,
        ClaimStatus::Expired,
        ClaimStatus::Reversed,
    ]
    .into_iter()
    .find(|status| status.as_str() == text)
}
