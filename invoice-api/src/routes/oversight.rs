//! Figures of the whole chain, for authorities and auditors.
//!
//! Each address asks one question; the pages under `/oversight` ask the same ones by the same
//! names. Others than authorities and auditors get the 404 of an address that does not exist.

mod parameters;
mod question;

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::record::Role;
use oversight::{
    IncidentView, IncidentsPage, LocksPage, MembersPage, MerchantDetail, MerchantsPage, Overview,
    PairsPage, RecordsPage, SeriesView,
};

pub(crate) use parameters::parameters;
pub(crate) use question::asked;

use super::json;
use crate::fault::Fault;
use crate::problem::Problem;
use crate::registry::{
    AccessPage, Asker, Found, HealthView, MemberFound, OversightAnswer, OversightQuestion,
};
use crate::server::authenticate::{Suspended, reader};
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::{DocumentAnswer, ProblemAnswer};

/// Answers a question, or says why not.
pub(crate) async fn told(
    state: &AppState,
    asker: &Asker,
    question: OversightQuestion,
) -> Result<OversightAnswer, Problem> {
    match state.registry.oversight(asker, question).await? {
        OversightAnswer::Off => Err(Fault::NoFigures.into()),
        OversightAnswer::NotFound => Err(Fault::NotFound.into()),
        OversightAnswer::CursorInvalid => Err(Fault::CursorInvalid.into()),
        answer @ (OversightAnswer::Overview(_)
        | OversightAnswer::Series(_)
        | OversightAnswer::Records(_)
        | OversightAnswer::Incidents(_)
        | OversightAnswer::Attempt(_)
        | OversightAnswer::Pairs(_)
        | OversightAnswer::Merchants(_)
        | OversightAnswer::Merchant(_)
        | OversightAnswer::Locks(_)
        | OversightAnswer::Members(_)
        | OversightAnswer::Member(_)
        | OversightAnswer::Access(_)
        | OversightAnswer::Found(_)
        | OversightAnswer::Life(_)
        | OversightAnswer::Health(_)) => Ok(answer),
    }
}

/// Whoever may not ask is told so before its parameters are looked at: to others these addresses do
/// not exist. Who asked what, orders, and whole documents are an authority's.
pub(crate) fn open_to(asker: &Asker, view: &str) -> Result<(), Problem> {
    let authority = asker.roles.has_authority();
    let open = match view {
        "access" | "orders" | "documents" => authority,
        _ => authority || asker.roles.contains(Role::Auditor),
    };
    match open {
        true => Ok(()),
        false => Err(Fault::NotFound.into()),
    }
}

async fn answer(
    state: web::Data<AppState>,
    request: HttpRequest,
    view: &str,
    id: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let asker = reader(&state, &request, b"", Suspended::MayRead).await?;
    open_to(&asker, view)?;
    let question = asked(view, id, &parameters(view, id, &request)?)?;
    Ok(match told(&state, &asker, question).await? {
        OversightAnswer::Overview(view) => json(OK, &view),
        OversightAnswer::Series(view) => json(OK, &view),
        OversightAnswer::Records(view) => json(OK, &view),
        OversightAnswer::Incidents(view) => json(OK, &view),
        OversightAnswer::Attempt(view) => json(OK, &view),
        OversightAnswer::Pairs(view) => json(OK, &view),
        OversightAnswer::Merchants(view) => json(OK, &view),
        OversightAnswer::Merchant(view) => json(OK, &view),
        OversightAnswer::Locks(view) => json(OK, &view),
        OversightAnswer::Members(view) => json(OK, &view),
        OversightAnswer::Member(view) => json(OK, &view),
        OversightAnswer::Access(view) => json(OK, &view),
        OversightAnswer::Found(view) => json(OK, &view),
        OversightAnswer::Health(view) => json(OK, &view),
        OversightAnswer::Life(view) => {
            json(OK, &DocumentAnswer::new(&view).ok_or(Fault::Internal)?)
        }
        OversightAnswer::Off | OversightAnswer::NotFound | OversightAnswer::CursorInvalid => {
            return Err(Fault::NotFound.into());
        }
    })
}

/// Declares the handler of an address with its description.
macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $view:literal, $body:ty,
        [$($param:literal: $about:literal),*];)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = "oversight", security(("request_signature" = [])),
            params($(($param = Option<String>, Query, description = $about)),*),
            responses(
                (status = 200, description = "The answer, with the height that it is of", body = $body),
                (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
                (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
                (status = 404, description = "Not for the asker, or this node keeps no figures", body = ProblemAnswer, content_type = "application/problem+json"),
            )
        )]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            request: HttpRequest,
        ) -> Result<HttpResponse, Problem> {
            answer(state, request, $view, None).await
        }
    )*};
}

/// The same for addresses that end with the id of something.
macro_rules! addresses_of_one {
    ($($(#[$doc:meta])* $name:ident = $path:literal, $view:literal, $body:ty, $about:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = "oversight", security(("request_signature" = [])),
            params(("id" = String, Path, description = $about)),
            responses(
                (status = 200, description = "The answer, with the height that it is of", body = $body),
                (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
                (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
                (status = 404, description = "No such thing, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
            )
        )]
        pub(crate) async fn $name(
            state: web::Data<AppState>,
            request: HttpRequest,
            id: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            answer(state, request, $view, Some(&id)).await
        }
    )*};
}

addresses! {
    /// Everything at a glance.
    overview = "/v1/oversight/overview", "overview", Overview, [];
    /// One measure by hour or day, region and kind.
    volume = "/v1/oversight/volume", "volume", SeriesView, [
        "measure": "issued, reversed, locked, settled, refused or attempted; issued when absent",
        "level": "hour or day; hour when absent",
        "from": "The first hour, 2026-11-21T08, or day, 2026-11-21, in UTC+8",
        "to": "The last hour or day",
        "region": "Only of this region: the first two digits of GB/T 2260",
        "kind": "Only of this kind"
    ];
    /// A page of records behind a figure, the newest first.
    records = "/v1/oversight/records", "records", RecordsPage, [
        "list": "cells, code, pair, issued, reversed, refused, expired or frozen; cells when absent",
        "measure": "With cells: what was counted",
        "from": "With cells: the first hour or day",
        "to": "With cells: the last hour or day",
        "region": "With cells: only of this region",
        "kind": "With cells: only of this kind",
        "code": "With code: the code of the refusal",
        "tried": "With pair: who tried",
        "held": "With pair: who held",
        "member": "With issued, reversed and refused: the member",
        "cursor": "Where an earlier page ended: its next"
    ];
    /// Claims that were refused while others held money on the document.
    attempts = "/v1/oversight/attempts", "attempts", IncidentsPage, ["cursor": "Where an earlier page ended"];
    /// Documents whose settlements exceed what a reversal left.
    over_claims = "/v1/oversight/over-claims", "over-claims", IncidentsPage, ["cursor": "Where an earlier page ended"];
    /// Reversals of documents that somebody had claimed.
    late_reversals = "/v1/oversight/late-reversals", "late-reversals", IncidentsPage, ["cursor": "Where an earlier page ended"];
    /// Who tried to claim what who held, the most frequent first.
    pairs = "/v1/oversight/pairs", "pairs", PairsPage, ["cursor": "Where an earlier page ended"];
    /// Issuers with what stands out about them: where to look, never a verdict.
    merchants = "/v1/oversight/merchants", "merchants", MerchantsPage, ["cursor": "Where an earlier page ended"];
    /// Live locks, the oldest first, and all of them by age.
    locks = "/v1/oversight/locks", "locks", LocksPage, [
        "days_from": "Only locks of at least so many calendar days in UTC+8",
        "days_below": "Only locks of fewer than so many days",
        "cursor": "Where an earlier page ended"
    ];
    /// What members did.
    members = "/v1/oversight/members", "members", MembersPage, ["cursor": "Where an earlier page ended"];
    /// This node's access log, the newest first.
    access = "/v1/oversight/access", "access", AccessPage, ["cursor": "Where an earlier page ended"];
    /// What fits a document's key, a member's id or name, or a record's id.
    search = "/v1/oversight/search", "search", Found, ["q": "The text, at most 100 characters"];
    /// How the chain and this node are.
    health = "/v1/oversight/health", "health", HealthView, [];
}

addresses_of_one! {
    /// One attempt.
    attempt = "/v1/oversight/attempts/{id}", "attempts", IncidentView, "The leaf index of the refused claim";
    /// One issuer with its number series.
    merchant = "/v1/oversight/merchants/{id}", "merchants", MerchantDetail, "The issuer's member id";
    /// One member with its roles.
    member = "/v1/oversight/members/{id}", "members", MemberFound, "The member's id";
}

/// A document's whole life; the question is written to the access log.
#[utoipa::path(
    get, path = "/v1/oversight/documents/{id}", tag = "oversight", security(("request_signature" = [])),
    params(
        ("id" = String, Path, description = "The document's key, or an alias"),
        ("cursor" = Option<String>, Query, description = "Where the timeline goes on: next or refused_next of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The answer, with the height that it is of", body = DocumentAnswer),
        (status = 400, description = "A parameter is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request's signature is not good", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No such thing, or not for the asker", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn document(
    state: web::Data<AppState>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    answer(state, request, "documents", Some(&id)).await
}
