//! The page behind the QR code: anyone may ask whether what is printed is what is recorded.
//!
//! The address carries the document's key and, in the query, what is printed on it: `amount`,
//! `date`, and `check_code` where there is one. The page says whether all of it matches and, only
//! then, in what state the document is. It shows nothing that the address did not hold, needs
//! nothing from elsewhere and runs no script.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::calendar::Date;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;

use super::query::Query;
use crate::problem::Problem;
use crate::registry::{AsOf, CheckItem, CheckVerdict};
use crate::server::state::AppState;
use crate::server::trace_id::TraceId;
use crate::status::OK;
use crate::wire::ProblemAnswer;

/// Whether a printed document is recorded as printed: a page for people.
#[utoipa::path(
    get, path = "/v/{key}", tag = "documents",
    params(
        ("key" = String, Path, description = "The document's key"),
        ("amount" = Option<String>, Query, description = "The amount on it, in yuan"),
        ("date" = Option<String>, Query, description = "The date on it, YYYY-MM-DD"),
        ("check_code" = Option<String>, Query, description = "The check code on it"),
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
    let (verdict, as_of) = match item(&path, Query::lenient(&request).as_ref()) {
        None => (CheckVerdict::NotFound, None),
        Some(item) => {
            let checked = state.registry.public_check(item).await?;
            let verdict = checked
                .results
                .first()
                .map_or(CheckVerdict::NotFound, |r| r.verdict);
            (verdict, Some(checked.as_of))
        }
    };
    // A nonce for the one style sheet; any unpredictable text does.
    let nonce = TraceId::random().to_string();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    Ok(HttpResponse::build(OK)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html(&path, verdict, as_of.as_ref(), &nonce)))
}

/// The question of an address; `None` when it lacks something, which nobody is told apart from a
/// document that does not exist.
fn item(key: &str, query: Option<&Query>) -> Option<CheckItem> {
    let query = query?;
    Some(CheckItem {
        document: DocumentKey::spelled(key).ok()?,
        amount: Some(Fen::parse(query.text("amount")?).ok()?),
        amount_may_be_without_tax: false,
        date: Some(Date::spelled(query.text("date")?).ok()?),
        check_code: query.text("check_code").map(str::to_owned),
    })
}

/// Class of the box, and what it says in both languages.
const fn words(verdict: CheckVerdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        CheckVerdict::NotFound => (
            "bad",
            "未找到，或信息不完整。请核对号码、金额、开票日期（及校验码）。",
            "Not found, or not enough was given. Check number, amount, date (and check code).",
        ),
        CheckVerdict::Mismatch => (
            "bad",
            "与登记信息不一致，请谨慎。",
            "What is given differs from what is recorded. Be careful.",
        ),
        CheckVerdict::Reversed => (
            "bad",
            "信息一致，但该票据已全部红冲，不能再报销。",
            "It matches, but the document was reversed as a whole and cannot be claimed.",
        ),
        CheckVerdict::Frozen => (
            "warn",
            "信息一致，但该票据已被主管机关冻结。",
            "It matches, but the document is frozen by an authority.",
        ),
        CheckVerdict::Claimed => (
            "warn",
            "信息一致，该票据已全部报销。",
            "It matches; all of it is already reimbursed.",
        ),
        CheckVerdict::Locked => (
            "warn",
            "信息一致，该票据正在报销中。",
            "It matches; all of it is being claimed.",
        ),
        CheckVerdict::PartlyClaimed => (
            "good",
            "信息一致，该票据已部分报销、锁定或红冲。",
            "It matches; part of it is reimbursed, locked or reversed.",
        ),
        CheckVerdict::Claimable => (
            "good",
            "信息一致，该票据有效且尚未报销。",
            "It matches; the document is genuine and nothing of it is claimed.",
        ),
    }
}

fn html(key: &str, verdict: CheckVerdict, as_of: Option<&AsOf>, nonce: &str) -> String {
    let (class, zh, en) = words(verdict);
    let key = escape(key);
    let as_of = as_of.map_or_else(String::new, |as_of| {
        let (height, time) = (as_of.height, as_of.time.to_rfc3339_utc8());
        format!("<p>区块高度 / height {height}，{time}</p>")
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>票据查验 / Document check</title>\
         <style nonce=\"{nonce}\">{STYLE}</style></head><body><main>\
         <h1>票据查验 <small lang=\"en\">Document check</small></h1><p class=\"key\">{key}</p>\
         <div class=\"{class}\"><p>{zh}</p><p lang=\"en\">{en}</p></div>{as_of}\
         <p><small>本页只比对您提供的信息，不显示其他内容。<br>\
         <span lang=\"en\">This page only compares what you gave and shows nothing else.</span>\
         </small></p></main></body></html>\n"
    )
}

const STYLE: &str = "body{font-family:sans-serif;margin:0;background:#f4f4f4;color:#222}\
    main{max-width:36em;margin:2em auto;padding:1.5em;background:#fff}\
    h1{font-size:1.3em}.key{font-family:monospace;overflow-wrap:anywhere}\
    div{padding:.5em 1em;border-left:.4em solid}.good{border-color:#18794e;background:#e9f7ef}\
    .warn{border-color:#ad5700;background:#fff4e5}.bad{border-color:#b42318;background:#fdecea}\
    small{color:#555}";

/// Text for the inside of an element.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_from_a_stranger_is_only_text() {
        let page = html("<script>\"'&", CheckVerdict::NotFound, None, "n");
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;"));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn the_page_takes_nothing_from_elsewhere() {
        let page = html("D:1", CheckVerdict::Claimable, None, "n");
        for outside in ["http:", "https:", "src=", "href=", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
