//! Records: handing in, validating, and the way back after a lost answer.

use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::crypto::Hash;
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;

use super::envelope::{self, Patience};
use super::json;
use super::query::Query;
use crate::fault::Fault;
use crate::language::Language;
use crate::limits::RECORDS_BODY_BYTES_MAX;
use crate::problem::Problem;
use crate::registry::{RecordAnswer, RecordVerdict};
use crate::server::authenticate::{Suspended, authenticate, reader};
use crate::server::body;
use crate::server::state::AppState;
use crate::status::{BATCH_REFUSED, HasStatus, OK};
use crate::wire::problem_of;
use crate::wire::{
    BatchAnswer, LineAnswer, ProblemAnswer, RecordStateAnswer, ValidateAnswer, ValidatedRecord,
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Records one signed record, or up to 1,000 under one signature.
///
/// Answers when the outcome is final. A batch is answered 200 with one result per record; when
/// every record of it fails authentication, the answer is 401 and has the results too.
#[utoipa::path(
    post, path = "/v1/records", tag = "records",
    request_body(content = serde_json::Value, content_type = "application/json",
        description = "{\"kid\",\"sig\",\"record\"} or {\"kid\",\"sig\",\"records\",\"atomic\"?}"),
    responses(
        (status = 201, description = "Accepted now: the receipt", body = serde_json::Value),
        (status = 200, description = "Accepted before (the original receipt, header Idempotent-Replayed), or the results of a batch", body = BatchAnswer),
        (status = 400, description = "Not the contract's shape", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "Signature or key not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to this member", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 409, description = "Refused by recorded state, or the id was used before", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 422, description = "Rules of the record's own values: all that failed", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "The member's budget is spent", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "No quorum, overload or low disk: send the same bytes again", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn submit(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload, RECORDS_BODY_BYTES_MAX).await?;
    let submission = envelope::signed(&body, true)?;
    let (batch, atomic) = (submission.batch, submission.atomic);
    let answers = envelope::submit(&state, &request, submission, Patience::Refuse).await?;
    if batch {
        return batch_answer(&answers, atomic, Language::of(request.headers()));
    }
    match answers.as_slice() {
        [answer] => one_answer(answer),
        _ => Err(Fault::Internal.into()),
    }
}

fn one_answer(answer: &RecordAnswer) -> Result<HttpResponse, Problem> {
    let RecordVerdict::Final(recorded) = &answer.verdict else {
        return Err(problem_of(answer));
    };
    let mut response = if recorded.outcome.is_accepted() {
        let receipt = recorded.receipt.as_deref();
        let receipt = receipt.ok_or_else(|| Problem::from(Fault::Internal))?;
        HttpResponse::build(answer.verdict.status())
            .content_type(ContentType::json())
            .body(receipt.to_json())
    } else {
        problem_of(answer).into_response()
    };
    if recorded.replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn batch_answer(
    answers: &[RecordAnswer],
    atomic: bool,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let results = (1_u64..)
        .zip(answers)
        .map(|(record, answer)| LineAnswer::new(1, record, answer, language))
        .collect::<Vec<_>>();
    let unauthenticated = answers.iter().find_map(|answer| match answer.verdict {
        RecordVerdict::Unauthenticated(error) => Some(error),
        RecordVerdict::Malformed(_)
        | RecordVerdict::Forbidden(_)
        | RecordVerdict::Invalid(_)
        | RecordVerdict::IdReused { .. }
        | RecordVerdict::BatchAborted
        | RecordVerdict::Final(_) => None,
    });
    let every = answers
        .iter()
        .all(|answer| matches!(answer.verdict, RecordVerdict::Unauthenticated(_)));
    let accepted = answers.iter().all(|answer| {
        matches!(&answer.verdict, RecordVerdict::Final(recorded) if recorded.outcome.is_accepted())
    });
    let problem = match unauthenticated {
        Some(error) if every => Problem::from(error),
        Some(_) | None if atomic && !accepted => {
            Problem::new(BATCH_REFUSED, Fault::BatchFailed.code())
        }
        Some(_) | None => return Ok(json(OK, &BatchAnswer { results })),
    };
    let results = serde_json::to_value(results).map_err(|_| Problem::from(Fault::Internal))?;
    Err(problem.with_member("results", results))
}

/// Names every rule that an envelope would fail now, and records nothing.
#[utoipa::path(
    post, path = "/v1/validate", tag = "records", security(("request_signature" = [])),
    request_body(content = serde_json::Value, content_type = "application/json",
        description = "An envelope as for POST /v1/records, with or without kid and sig"),
    responses(
        (status = 200, description = "What would be wrong", body = ValidateAnswer),
        (status = 400, description = "Not an envelope", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn validate(
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload, RECORDS_BODY_BYTES_MAX).await?;
    let submission = envelope::perhaps_signed(&body)?;
    let asker = authenticate(&state, &request, &body, Suspended::MayNotAsk).await?;
    state
        .budgets
        .records
        .take(&asker.member, submission.records.len())?;
    let findings = state.registry.validate(&asker, submission).await?;
    let language = Language::of(request.headers());
    let results = (1_u64..)
        .zip(&findings)
        .map(|(record, findings)| ValidatedRecord::new(record, findings, language))
        .collect::<Vec<_>>();
    let valid = results.iter().all(|result| result.valid);
    Ok(json(OK, &ValidateAnswer { valid, results }))
}

/// What became of a record, by its member and id.
#[utoipa::path(
    get, path = "/v1/records/{by}/{id}", tag = "records", security(("request_signature" = [])),
    params(("by" = String, Path, description = "The member that sent it"), ("id" = String, Path, description = "The record's id")),
    responses(
        (status = 200, description = "Absent, pending or final with its receipt", body = RecordStateAnswer),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn by_id(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    Query::strict(&request, &[])?;
    let (by, id) = path.into_inner();
    let found = match MemberId::spelled(&by) {
        Ok(by) => state.registry.record_by_id(&asker, by, id).await?,
        // Nobody has such an id, so nobody sent such a record.
        Err(_) => crate::registry::RecordState::Absent,
    };
    Ok(json(OK, &RecordStateAnswer::from(&found)))
}

/// What became of a record, by the SM3 hash of its exact bytes.
#[utoipa::path(
    get, path = "/v1/records", tag = "records", security(("request_signature" = [])),
    params(("sm3" = String, Query, description = "SM3 of the record's bytes, 64 lower-case hexadecimal digits")),
    responses(
        (status = 200, description = "Absent, pending or final with its receipt", body = RecordStateAnswer),
        (status = 400, description = "The hash is badly spelt", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn by_hash(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sm3 = Query::strict(&request, &["sm3"])?
        .text("sm3")
        .and_then(|text| text.parse::<Hash>().ok())
        .ok_or_else(|| Problem::query("sm3"))?;
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    let found = state.registry.record_by_hash(&asker, sm3).await?;
    Ok(json(OK, &RecordStateAnswer::from(&found)))
}
