//! The addresses of the interface. Handlers unwrap, make one call, wrap.

mod bulk;
mod chain;
mod checks;
mod docs_page;
mod documents;
mod envelope;
mod events;
mod lines;
pub mod openapi;
pub(crate) mod oversight;
mod paper;
mod papers;
mod query;
pub mod reading;
mod records;
mod service;
mod session;
mod webhooks;

use actix_web::http::StatusCode;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, web};
use serde::Serialize;

pub(crate) use documents::{claim_query, timeline_cursor};
pub(crate) use query::Query;

use crate::fault::Fault;
use crate::pages::oversight as supervisor;
use crate::pages::{assets, check_form, claims, document, home, ledger, push, sign_in};
use crate::problem::Problem;

/// Adds every address to an application whose data holds the [`AppState`](crate::AppState).
pub fn configure(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/v1/records")
            .route(web::post().to(records::submit))
            .route(web::get().to(records::by_hash))
            .route(web::head().to(records::by_hash))
            .default_service(web::to(async || {
                Problem::method_not_allowed("GET, HEAD, POST").into_response()
            })),
    )
    .service(post("/v1/records:bulk", bulk::bulk))
    .service(get("/v1/records/{by}/{id}", records::by_id))
    .service(post("/v1/validate", records::validate))
    .service(post("/v1/checks", checks::checks))
    .service(post("/v1/papers", papers::papers))
    .service(get("/v1/documents/{key}", documents::document))
    .service(get("/v1/documents/{key}/paper", paper::paper))
    .service(get("/v1/documents/{key}/qr.svg", paper::qr_svg))
    .service(get("/v1/documents/{key}/qr.png", paper::qr_png))
    .service(get("/v1/claims", documents::claims))
    .service(
        // Without HEAD: a stream of events has no end that a head could wait for.
        web::resource("/v1/events")
            .route(web::get().to(events::events))
            .default_service(web::to(async || {
                Problem::method_not_allowed("GET").into_response()
            })),
    )
    .service(get("/v1/webhooks", webhooks::list))
    .service(
        web::resource("/v1/webhooks/{id}")
            .route(web::get().to(webhooks::one))
            .route(web::head().to(webhooks::one))
            .route(web::put().to(webhooks::put))
            .route(web::delete().to(webhooks::remove))
            .default_service(web::to(async || {
                Problem::method_not_allowed("DELETE, GET, HEAD, PUT").into_response()
            })),
    )
    .service(post("/v1/webhooks/{id}/secret", webhooks::rotate))
    .service(post("/v1/webhooks/{id}/test", webhooks::test))
    .service(post("/v1/webhooks/{id}/replay", webhooks::replay))
    .service(post("/v1/webhooks/{id}/enable", webhooks::enable))
    .service(get("/v1/webhooks/{id}/deliveries", webhooks::deliveries))
    .service(get("/v1/checkpoint", chain::checkpoint))
    .service(get("/v1/genesis", chain::genesis))
    .service(get("/v1/blocks/{height}", chain::block))
    .service(get("/v1/proofs/inclusion", chain::inclusion))
    .service(get("/v1/proofs/consistency", chain::consistency))
    .service(get("/v1/limits", service::limits))
    .service(get("/v1/rejections", service::rejections))
    .service(get("/v1/oversight/overview", oversight::overview))
    .service(get("/v1/oversight/volume", oversight::volume))
    .service(get("/v1/oversight/records", oversight::records))
    .service(get("/v1/oversight/attempts", oversight::attempts))
    .service(get("/v1/oversight/attempts/{id}", oversight::attempt))
    .service(get("/v1/oversight/over-claims", oversight::over_claims))
    .service(get(
        "/v1/oversight/late-reversals",
        oversight::late_reversals,
    ))
    .service(get("/v1/oversight/pairs", oversight::pairs))
    .service(get("/v1/oversight/merchants", oversight::merchants))
    .service(get("/v1/oversight/merchants/{id}", oversight::merchant))
    .service(get("/v1/oversight/locks", oversight::locks))
    .service(get("/v1/oversight/members", oversight::members))
    .service(get("/v1/oversight/members/{id}", oversight::member))
    .service(get("/v1/oversight/access", oversight::access))
    .service(get("/v1/oversight/search", oversight::search))
    .service(get("/v1/oversight/documents/{id}", oversight::document))
    .service(get("/v1/oversight/health", oversight::health))
    .service(get("/oversight", supervisor::overview))
    .service(get("/oversight/{view}", supervisor::page))
    .service(get("/oversight/{view}/{id}", supervisor::page_of_one))
    .service(
        web::resource("/v1/session")
            .route(web::post().to(session::open))
            .route(web::delete().to(session::close))
            .route(web::get().to(session::show))
            .route(web::head().to(session::show))
            .default_service(web::to(async || {
                Problem::method_not_allowed("DELETE, GET, HEAD, POST").into_response()
            })),
    )
    .service(get("/", home::page))
    .service(get("/sign-in", sign_in::page))
    .service(get("/assets/{name}", assets::asset))
    .service(get("/app", claims::page))
    .service(get("/app/push", push::page))
    .service(get("/app/ledger.csv", ledger::as_csv))
    .service(get("/app/ledger.xlsx", ledger::as_xlsx))
    .service(get("/v", check_form::page))
    .service(get("/v/{key}", document::page))
    .service(get("/livez", service::livez))
    .service(get("/readyz", service::readyz))
    .service(get("/metrics", service::metrics))
    .service(get("/openapi.json", service::openapi))
    .service(get("/docs", docs_page::page))
    .default_service(web::to(async || {
        Problem::from(Fault::NotFound).into_response()
    }));
}

fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(async || {
            Problem::method_not_allowed("GET, HEAD").into_response()
        }))
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(async || {
            Problem::method_not_allowed("POST").into_response()
        }))
}

/// An answer in JSON.
fn json(status: StatusCode, answer: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).json(answer)
}
