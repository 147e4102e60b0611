//! The page behind the QR code: anyone may ask whether what is printed is what is recorded.
//!
//! The address carries the document's key and, in the query, what is printed on it: `amount`,
//! `date`, and `check_code` where there is one. Only when all of it matches does the page say in
//! what state the document is and who issued it, which stands on the paper, too. Whatever does not
//! match is answered in one and the same way, and an address that guesses is soon refused.

mod view;
mod words;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::calendar::Date;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;

use super::check_form::Elements;
use super::statement::Statement;
use super::validators::signers;
use super::{Page, Section, page_language};
use crate::problem::Problem;
use crate::registry::{CheckItem, CheckVerdict, TimelineCursor};
use crate::routes::Query;
use crate::server::authenticate::session;
use crate::server::source::network;
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::ProblemAnswer;
use view::View;

/// Whether a printed document is recorded as printed: a page for people.
#[utoipa::path(
    get, path = "/v/{key}", tag = "pages",
    params(
        ("key" = String, Path, description = "The document's key"),
        ("amount" = Option<String>, Query, description = "The amount on it, in yuan"),
        ("date" = Option<String>, Query, description = "The date on it, YYYY-MM-DD"),
        ("check_code" = Option<String>, Query, description = "The check code on it"),
        ("download" = Option<String>, Query, description = "statement: what the page says, as JSON"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 429, description = "Too many requests from this address", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let query = Query::lenient(&request);
    let given = given(&path, query.as_ref());
    let language = page_language(&request);
    let mut view = View {
        language,
        given,
        found: None,
        signers: Vec::new(),
        for_party: false,
    };
    if let Some(item) = item(&given) {
        let source = network(&state, &request);
        let key = item.document;
        // A miss is charged before it is known to be one: whoever asks a thousand times at once is
        // told no more than whoever asks one after another.
        state.budgets.misses.take(&source, 1)?;
        let found = state.registry.public_check(item).await;
        let missed = found.as_ref().is_ok_and(|found| !is_match(found.verdict));
        if !missed {
            state.budgets.misses.give_back(&source, 1);
        }
        let found = found?;
        if !missed && let Some((asker, _)) = session(&state, &request).await? {
            state.budgets.reads.take(&asker.member, 1)?;
            view.for_party = state
                .registry
                .document(&asker, key, TimelineCursor::default())
                .await?
                .is_some();
        }
        if let Some(checkpoint) = &found.checkpoint {
            view.signers = signers(&state, checkpoint);
        }
        if query.as_ref().and_then(|query| query.text("download")) == Some("statement") {
            let statement = Statement::new(&state, &given, &found);
            return Ok(HttpResponse::build(OK)
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header((
                    CONTENT_DISPOSITION,
                    "attachment; filename=\"piaolian-statement.json\"",
                ))
                .json(statement));
        }
        view.found = Some(found);
    }
    Ok(Page {
        title: language.of_two("票据查验", "Document check"),
        section: Section::Check,
        module: Some("document.js"),
        body: &view.html(&request),
    }
    .respond(&request))
}

/// What the address gives.
fn given<'q>(key: &'q str, query: Option<&'q Query>) -> Elements<'q> {
    let text = |name| query.and_then(|query| query.text(name)).unwrap_or_default();
    Elements {
        key,
        amount: text("amount"),
        date: text("date"),
        check_code: text("check_code"),
    }
}

/// The question of an address; `None` when it lacks something or is misspelt, which is judged by
/// the address alone and tells nothing about what is recorded.
fn item(given: &Elements<'_>) -> Option<CheckItem> {
    Some(CheckItem {
        document: DocumentKey::spelled(given.key).ok()?,
        amount: Some(Fen::parse(given.amount).ok()?),
        amount_may_be_without_tax: false,
        date: Some(Date::spelled(given.date).ok()?),
        check_code: Some(given.check_code)
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
    })
}

/// Whether everything that was given is as recorded.
pub(super) const fn is_match(verdict: CheckVerdict) -> bool {
    match verdict {
        CheckVerdict::NotFound | CheckVerdict::Mismatch => false,
        CheckVerdict::Reversed
        | CheckVerdict::Frozen
        | CheckVerdict::Claimed
        | CheckVerdict::Locked
        | CheckVerdict::PartlyClaimed
        | CheckVerdict::Claimable => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_lacks_something_is_no_question() {
        let full = Elements {
            key: "D:24442000000000000016",
            amount: "1.00",
            date: "2026-11-21",
            check_code: "",
        };
        assert!(item(&full).is_some());
        for part in [
            Elements { amount: "", ..full },
            Elements { date: "", ..full },
            Elements { key: "D:1", ..full },
            Elements {
                amount: "1,00",
                ..full
            },
        ] {
            assert!(item(&part).is_none(), "{part:?}");
        }
    }
}
