//! Papers: what does the file say that I hold?

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::crypto::sm3;
use papers::{Limits, read_with};

use super::json;
use crate::language::Language;
use crate::limits::{PAPER_BYTES_MAX, PAPER_COST};
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::authenticate::{Suspended, announced, reader};
use crate::server::body;
use crate::server::source::network;
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{PapersAnswer, ProblemAnswer};

/// Reads a file of a document: XML, OFD, PDF, a photo of a QR code or its text.
///
/// The body is one file of at most 10 MiB; its type is recognised by its content. Nothing is
/// recorded, and nothing is compared with the registry: that is a check.
#[utoipa::path(
    post, path = "/v1/papers", tag = "documents", security(("request_signature" = [])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 200, description = "What the file says", body = PapersAnswer),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 413, description = "More than 10 MiB", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 422, description = "The file cannot be read; the code says why", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "The member's budget is spent", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "Too many files at the same time", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn papers(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let overloaded = || Problem::from(UnavailableReason::Overloaded);
    // Whoever is nobody holds no memory, and waits for no body. The budget is charged when it is
    // proved whose it is, so that nobody uses up that of another.
    let member = announced(&state, &request).await?;
    state.budgets.checks.check(&member, PAPER_COST)?;
    // Whole files are held in memory: so many and no more.
    let _held = state
        .papers_held
        .take(member, network(&state, &request))
        .ok_or_else(overloaded)?;
    let body = body::read(&request, payload, PAPER_BYTES_MAX).await?;
    let asker = reader(&state, &request, &body, Suspended::MayNotAsk).await?;
    state.budgets.checks.take(&asker.member, PAPER_COST)?;
    let language = Language::of(request.headers());
    // A photo takes some hundred mebibytes while it is decoded: one after another.
    let turn = Arc::clone(&state.papers_read)
        .acquire_owned()
        .await
        .map_err(|_| overloaded())?;
    let trusted = state.papers_trust.clone();
    let answer = web::block(move || {
        let _turn = turn;
        let reading = read_with(&body, &Limits::default(), trusted.certificates())?;
        Ok::<_, papers::PaperError>(PapersAnswer::new(sm3(&[&body]), &reading, language))
    })
    .await
    .map_err(|_| overloaded())??;
    Ok(json(OK, &answer))
}
