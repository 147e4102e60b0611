//! The supervisor's pages: figures of the whole chain with the lists behind them.
//!
//! Pages ask the questions of `/v1/oversight/…` and show the answers, charts drawn by the server.
//! They work without scripts; with them what stands in `#live` is fetched anew when the chain has
//! grown. Freezing and quotas are records that the browser signs with the authority's own key.

mod access;
mod chart;
mod health;
mod incidents;
mod life;
mod locks;
mod members;
mod merchants;
mod orders;
mod overview;
mod parts;
mod records;
mod search;
mod volume;
mod words;

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::record::Role;

use parts::Viewer;

use super::{Page, Section, page_language, reader_of_page};
use crate::fault::Fault;
use crate::problem::Problem;
use crate::registry::{Asker, OversightAnswer};
use crate::routes::Query;
use crate::routes::oversight::{asked, open_to, parameters, told};
use crate::server::state::AppState;

/// The pages in the order of their menu: last part of the address, and the word in both languages.
const VIEWS: [(&str, &str, &str); 13] = [
    ("overview", "总览", "Overview"),
    ("volume", "业务量", "Volume"),
    ("attempts", "重复报销尝试", "Double claims"),
    ("pairs", "单位对照", "Pairs"),
    ("over-claims", "超额报销", "Over-claims"),
    ("late-reversals", "报销后红冲", "Late reversals"),
    ("merchants", "开票方", "Issuers"),
    ("locks", "锁定", "Locks"),
    ("members", "成员", "Members"),
    ("access", "查询日志", "Access log"),
    ("search", "检索", "Search"),
    ("health", "运行状况", "Health"),
    ("orders", "冻结与额度", "Orders"),
];

/// A page's heading and what stands below it.
struct Shown {
    title: String,
    body: String,
    /// Fetched anew when the chain grows.
    live: bool,
}

/// The supervisor's first page.
#[utoipa::path(
    get, path = "/oversight", tag = "pages",
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
        (status = 404, description = "Not for the asker, or this node keeps no figures"),
    )
)]
pub(crate) async fn overview(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    respond(&state, &request, "overview", None).await
}

/// A page of the supervisor.
#[utoipa::path(
    get, path = "/oversight/{view}", tag = "pages",
    params(("view" = String, Path, description = "overview, volume, records, attempts, pairs, over-claims, late-reversals, merchants, locks, members, access, search, health or orders, with the parameters of /v1/oversight/…")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
        (status = 404, description = "Not for the asker, or this node keeps no figures"),
    )
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
    view: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    respond(&state, &request, &view, None).await
}

/// A page about one document, member, issuer or attempt.
#[utoipa::path(
    get, path = "/oversight/{view}/{id}", tag = "pages",
    params(
        ("view" = String, Path, description = "documents, members, merchants or attempts"),
        ("id" = String, Path, description = "A document's key, a member's id, or a leaf index"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
        (status = 404, description = "No such thing, or not for the asker"),
    )
)]
pub(crate) async fn page_of_one(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (view, id) = path.into_inner();
    respond(&state, &request, &view, Some(&id)).await
}

async fn respond(
    state: &AppState,
    request: &HttpRequest,
    view: &str,
    id: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let asker = match reader_of_page(state, request).await? {
        Ok(asker) => asker,
        Err(elsewhere) => return Ok(elsewhere),
    };
    open_to(&asker, view)?;
    let query = parameters(view, id, request)?;
    let viewer = Viewer::of(
        page_language(request),
        asker.roles.has_authority(),
        asker.roles.contains(Role::Tax),
    );
    let shown = shown(state, &asker, viewer, (view, id), &query).await?;
    let live = if shown.live {
        format!("<div id=\"live\">{}</div>", shown.body)
    } else {
        shown.body
    };
    let body = format!("{}{live}", menu(viewer, view));
    Ok(Page {
        title: &shown.title,
        section: Section::Oversight,
        module: Some(if view == "orders" {
            "orders.js"
        } else {
            "oversight.js"
        }),
        body: &body,
    }
    .respond(request))
}

async fn shown(
    state: &AppState,
    asker: &Asker,
    viewer: Viewer,
    (view, id): (&str, Option<&str>),
    query: &Query,
) -> Result<Shown, Problem> {
    let titled = |body: String, live: bool| Shown {
        title: title(viewer, view),
        body,
        live,
    };
    if (view, id) == ("orders", None) {
        let chain = state.registry.chain_id();
        return Ok(titled(orders::body(viewer, asker, chain, query), false));
    }
    if view == "search" && id.is_none() && query.text("q").is_none() {
        let form = search::form(viewer, "");
        return Ok(titled(form, false));
    }
    let answer = told(state, asker, asked(view, id, query)?).await?;
    let first_page = query.text("cursor").is_none();
    Ok(match answer {
        OversightAnswer::Overview(view) => titled(overview::body(viewer, &view), true),
        OversightAnswer::Series(view) => titled(volume::body(viewer, &view, query), true),
        OversightAnswer::Records(view) => {
            titled(records::records(viewer, &view, query), first_page)
        }
        OversightAnswer::Incidents(page) => {
            titled(incidents::body(viewer, view, &page), first_page)
        }
        OversightAnswer::Attempt(attempt) => titled(incidents::one(viewer, &attempt), false),
        OversightAnswer::Pairs(page) => titled(incidents::pairs(viewer, &page), first_page),
        OversightAnswer::Merchants(page) => titled(merchants::body(viewer, &page), first_page),
        OversightAnswer::Merchant(detail) => Shown {
            title: parts::name(&detail.merchant.member),
            body: merchants::one(viewer, &detail),
            live: true,
        },
        OversightAnswer::Locks(page) => titled(locks::body(viewer, &page, query), first_page),
        OversightAnswer::Members(page) => titled(members::body(viewer, &page), first_page),
        OversightAnswer::Member(found) => Shown {
            title: parts::name(&found.member),
            body: members::one(viewer, &found),
            live: true,
        },
        OversightAnswer::Access(page) => titled(access::body(viewer, &page), first_page),
        OversightAnswer::Found(found) => {
            let text = query.text("q").unwrap_or_default();
            titled(search::found(viewer, text, &found), false)
        }
        OversightAnswer::Life(view) => Shown {
            title: view.document.to_string(),
            body: life::body(viewer, &view),
            // Each look at it is a line in the access log: a person's, not a script's.
            live: false,
        },
        OversightAnswer::Health(view) => titled(health::body(viewer, &view), true),
        OversightAnswer::Off | OversightAnswer::NotFound | OversightAnswer::CursorInvalid => {
            return Err(Fault::NotFound.into());
        }
    })
}

fn title(viewer: Viewer, view: &str) -> String {
    let known = VIEWS.iter().find(|(name, ..)| *name == view);
    known
        .map_or(viewer.of_two("记录", "Records"), |(_, zh, en)| {
            viewer.of_two(zh, en)
        })
        .to_owned()
}

fn menu(viewer: Viewer, current: &str) -> String {
    let mut html = format!(
        "<nav class=\"sub\" aria-label=\"{}\"><ul>",
        viewer.of_two("监管", "Oversight")
    );
    for (view, zh, en) in VIEWS {
        // Both are for authorities only.
        if matches!(view, "access" | "orders") && !viewer.authority {
            continue;
        }
        let marked = if view == current {
            " aria-current=\"page\""
        } else {
            ""
        };
        // Writing into a text cannot fail.
        let _ = write!(
            html,
            "<li><a href=\"/oversight/{view}\"{marked}>{}</a></li>",
            viewer.of_two(zh, en)
        );
    }
    html.push_str("</ul></nav>");
    html
}
