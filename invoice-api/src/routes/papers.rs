//! Papers: what does the file say that I hold?

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::crypto::sm3;
use papers::{Limits, read_with};

use super::json;
use crate::language::Language;
use crate::limits::{
    PAPER_BYTES_MAX, PAPER_BYTES_PER_SECOND_MIN, PAPER_COST, PAPER_FAILURE_COST, PAPER_PATIENCE,
};
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::authenticate::{Announced, Suspended, announced, reader};
use crate::server::body::{self, Pace};
use crate::server::places::Proof;
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{PapersAnswer, ProblemAnswer};

/// How fast a file has to come: whoever sends nothing holds no place.
const PACE: Pace = Pace {
    patience: PAPER_PATIENCE,
    bytes_per_second: PAPER_BYTES_PER_SECOND_MIN,
};

/// Charges whoever held a place and proved nothing, also when it just goes away.
struct Unproved<'s> {
    state: &'s AppState,
    announced: Option<Announced>,
}

impl<'s> Unproved<'s> {
    fn new(state: &'s AppState, announced: Announced) -> Self {
        let unproved = announced.proof == Proof::Claimed;
        Self {
            state,
            announced: unproved.then_some(announced),
        }
    }

    fn is_proved(&mut self) {
        self.announced = None;
    }
}

impl Drop for Unproved<'_> {
    fn drop(&mut self) {
        if let Some(announced) = &self.announced {
            announced.charge(self.state, PAPER_FAILURE_COST);
        }
    }
}

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
    let announced = announced(&state, &request).await?;
    state.budgets.checks.check(&announced.member, PAPER_COST)?;
    // Whole files are held in memory: so many and no more.
    let mut held = state
        .papers_held
        .take(announced.member, announced.network(), announced.proof)
        .ok_or_else(overloaded)?;
    let mut unproved = Unproved::new(&state, announced);
    let body = body::read_at(&request, payload, PAPER_BYTES_MAX, PACE).await?;
    let asker = reader(&state, &request, &body, Suspended::MayNotAsk).await?;
    unproved.is_proved();
    held.prove();
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
