//! The service itself: budgets, codes, health, figures, its own description.

use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::record::{BATCH_RECORDS_MAX, RECORD_BYTES_MAX};
use invoice_core::refusal::catalogue::catalogue;
use papers::PaperError;

use super::json;
use super::query::Query;
use crate::fault::Fault;
use crate::limits::{CHECK_ITEMS_MAX, RECORDS_BODY_BYTES_MAX, TIMESTAMP_SKEW_SECONDS};
use crate::problem::Problem;
use crate::registry::UnavailableReason;
use crate::server::authenticate::{Suspended, reader};
use crate::server::metrics::OPENMETRICS;
use crate::server::state::AppState;
use crate::status::{HasStatus, OK, catalogue_status};
use crate::wire::{
    BudgetAnswer, LimitsAnswer, ProblemAnswer, ReadinessAnswer, RejectionAnswer, RejectionsAnswer,
};

/// The asker's budgets and what is left of them.
#[utoipa::path(
    get, path = "/v1/limits", tag = "service", security(("request_signature" = [])),
    responses(
        (status = 200, description = "Budgets and limits", body = LimitsAnswer),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn limits(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    Query::strict(&request, &[])?;
    let member = &asker.member;
    let budgets = [
        ("records", &state.budgets.records),
        ("checks", &state.budgets.checks),
        ("reads", &state.budgets.reads),
    ];
    let budgets = budgets.map(|(name, budget)| BudgetAnswer {
        name,
        per_minute: budget.per_minute(),
        left: budget.left(member),
    });
    Ok(json(
        OK,
        &LimitsAnswer {
            member: member.to_string(),
            budgets: budgets.into(),
            record_bytes_max: RECORD_BYTES_MAX,
            batch_records_max: BATCH_RECORDS_MAX,
            body_bytes_max: RECORDS_BODY_BYTES_MAX,
            check_items_max: CHECK_ITEMS_MAX,
            timestamp_skew_seconds: TIMESTAMP_SKEW_SECONDS,
        },
    ))
}

/// Every code that an answer can have, with texts in both languages.
#[utoipa::path(
    get, path = "/v1/rejections", tag = "service",
    responses((status = 200, description = "The catalogue", body = RejectionsAnswer))
)]
pub(crate) async fn rejections(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    Query::strict(&request, &[])?;
    Ok(json(OK, &catalogue_answer()))
}

/// The catalogue: the rules' codes in the order of checks, then the interface's own, then those of
/// files that cannot be read.
pub(crate) fn catalogue_answer() -> RejectionsAnswer {
    let rules = catalogue().into_iter().map(|entry| RejectionAnswer {
        code: entry.code,
        status: catalogue_status(&entry).as_u16(),
        zh: entry.explanation.zh,
        en: entry.explanation.en,
        hint_zh: entry.explanation.hint_zh,
        hint_en: entry.explanation.hint_en,
    });
    let faults = Fault::ALL.iter().map(|fault| RejectionAnswer {
        code: fault.code(),
        status: fault.status().as_u16(),
        zh: fault.zh(),
        en: fault.en(),
        hint_zh: "",
        hint_en: "",
    });
    let papers = PaperError::ALL.iter().map(|error| RejectionAnswer {
        code: error.code(),
        status: error.status().as_u16(),
        zh: error.zh(),
        en: error.en(),
        hint_zh: "",
        hint_en: "",
    });
    RejectionsAnswer {
        rejections: rules.chain(faults).chain(papers).collect(),
    }
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/livez", tag = "service", responses((status = 200, description = "It does", body = String)))]
pub(crate) async fn livez() -> HttpResponse {
    HttpResponse::build(OK)
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// Whether records are taken now.
#[utoipa::path(
    get, path = "/readyz", tag = "service",
    responses(
        (status = 200, description = "They are", body = ReadinessAnswer),
        (status = 503, description = "They are not", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn readyz(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let readiness = state.registry.readiness();
    let reason = match (readiness.refusing, readiness.storage_ok) {
        (Some(reason), true | false) => Some(reason),
        (None, false) => Some(UnavailableReason::StorageFailed),
        (None, true) if state.stopping.is_cancelled() => Some(UnavailableReason::Stopping),
        (None, true) => None,
    };
    match reason {
        None => Ok(json(OK, &ReadinessAnswer::from(&readiness))),
        Some(reason) => Err(Problem::from(reason).with_member("height", readiness.height.into())),
    }
}

/// Figures for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn metrics(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let registry = &state.registry;
    let text = state
        .metrics
        .encode(&registry.readiness(), &registry.gauges())
        .map_err(|_| Problem::from(Fault::Internal))?;
    Ok(HttpResponse::build(OK).content_type(OPENMETRICS).body(text))
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "OpenAPI", body = serde_json::Value))
)]
pub(crate) async fn openapi(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    static TEXT: LazyLock<String> = LazyLock::new(super::openapi::openapi_json);
    state.charge_anonymous(&request)?;
    Ok(HttpResponse::build(OK)
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "max-age=300"))
        .body(TEXT.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_texts_in_both_languages_and_a_status_of_refusal() {
        for entry in catalogue_answer().rejections {
            assert!((400..=599).contains(&entry.status), "{}", entry.code);
            assert!(!entry.zh.is_ascii(), "{}: {}", entry.code, entry.zh);
            assert!(
                !entry.en.is_empty() && entry.en.is_ascii(),
                "{}: {}",
                entry.code,
                entry.en
            );
        }
    }

    #[test]
    fn no_code_has_two_meanings() {
        let mut codes: Vec<_> = catalogue_answer()
            .rejections
            .iter()
            .map(|entry| entry.code)
            .collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn the_interfaces_own_codes_are_none_of_the_rules() {
        for fault in Fault::ALL {
            let same = catalogue().iter().any(|entry| entry.code == fault.code());
            assert!(!same, "{}", fault.code());
        }
    }
}
