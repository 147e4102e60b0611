//! What a person reads where a program gets a problem document.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderValue, REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};

use super::frame::POLICY;
use super::{Page, Section, escape, page_language};
use crate::problem::Problem;
use crate::texts;

/// Whether a person opened this address in a browser: only then does a request for a page name
/// HTML. The calls of the interface always answer with problem documents.
pub(crate) fn is_for_a_person(request: &HttpRequest) -> bool {
    let names_html = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    names_html && reads && !request.path().starts_with("/v1/")
}

/// The page about a problem, and the headers that a page has.
pub(crate) fn problem_page(
    request: &HttpRequest,
    problem: &Problem,
    trace_id: &str,
    headers: &mut HeaderMap,
) -> String {
    let language = page_language(request);
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_LANGUAGE, language.tag()),
        (CONTENT_SECURITY_POLICY, POLICY),
        (VARY, "Accept, Accept-Language, Cookie"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let detail = texts::detail(problem.code(), problem.facts(), language);
    let body = format!(
        "<div class=\"box bad\" role=\"alert\"><p>{}</p></div><p><a href=\"/\">{}</a></p>\
         <p class=\"note\"><code>{}</code> · <code>{}</code></p>",
        escape(&detail),
        language.of_two("回到首页", "To the first page"),
        escape(problem.code()),
        escape(trace_id),
    );
    Page {
        title: language.of_two("未能完成", "That did not work"),
        section: Section::None,
        module: None,
        body: &body,
    }
    .html(request, language)
}
