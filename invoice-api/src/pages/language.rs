//! The language of a page: what the reader chose last, else what the browser prefers.

use actix_web::HttpRequest;

use crate::language::Language;
use crate::routes::Query;
use crate::server::session::{came_by_tls, cookie};

/// The cookie that remembers a choice.
const COOKIE: &str = "piaolian_lang";
/// A year, in seconds.
const REMEMBERED_SECONDS: u32 = 31_536_000;

/// The language of a page: `?lang=`, else the remembered choice, else `Accept-Language`.
pub(crate) fn page_language(request: &HttpRequest) -> Language {
    chosen(request)
        .or_else(|| cookie(request, COOKIE).and_then(tag))
        .unwrap_or_else(|| Language::of(request.headers()))
}

/// The language that the address itself asks for.
fn chosen(request: &HttpRequest) -> Option<Language> {
    Query::lenient(request)?.text("lang").and_then(tag)
}

fn tag(text: &str) -> Option<Language> {
    match text {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The header that remembers a choice that the address made.
pub(crate) fn remember(request: &HttpRequest) -> Option<String> {
    let tag = chosen(request)?.of_two("zh", "en");
    let secure = if came_by_tls(request) { "; Secure" } else { "" };
    Some(format!(
        "{COOKIE}={tag}; Path=/; Max-Age={REMEMBERED_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    ))
}

/// The same address in another language.
pub(crate) fn address_in(request: &HttpRequest, language: Language) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != "lang" && !pair.starts_with("lang="));
    let lang = format!("lang={}", language.of_two("zh", "en"));
    let query = kept.chain([lang.as_str()]).collect::<Vec<_>>().join("&");
    format!("{}?{query}", request.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{ACCEPT_LANGUAGE, COOKIE as COOKIES};
    use actix_web::test::TestRequest;

    #[test]
    fn a_choice_counts_before_the_memory_and_that_before_the_browser() {
        let language = |address: &str, cookies: &str| {
            let request = TestRequest::with_uri(address)
                .insert_header((COOKIES, cookies))
                .insert_header((ACCEPT_LANGUAGE, "en"))
                .to_http_request();
            page_language(&request)
        };
        assert_eq!(language("/app", ""), Language::En);
        assert_eq!(language("/app", "piaolian_lang=zh"), Language::Zh);
        assert_eq!(language("/app?lang=en", "piaolian_lang=zh"), Language::En);
        assert_eq!(language("/app?lang=xx", "piaolian_lang=zh"), Language::Zh);
    }

    #[test]
    fn the_other_language_keeps_the_address() {
        let request = TestRequest::with_uri("/v/D:1?amount=1&lang=zh&date=2").to_http_request();
        assert_eq!(
            address_in(&request, Language::En),
            "/v/D:1?amount=1&date=2&lang=en"
        );
        assert!(remember(&request).is_some_and(|cookie| cookie.starts_with("piaolian_lang=zh;")));
    }
}
