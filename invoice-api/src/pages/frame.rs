//! The frame of every page: head, navigation, language switch, and the headers that bind the
//! browser to this server.

use std::fmt::Write as _;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, VARY,
    X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse};

use super::language::{address_in, page_language, remember};
use crate::language::Language;
use crate::server::session::Token;
use crate::status::OK;

/// Nothing from elsewhere, no script or style inside a page, no page inside another.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Where in the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Checking a document in public.
    Check,
    /// The finance clerk's page.
    Claims,
    /// The supervisor's pages.
    Oversight,
    /// Signing in and out.
    SignIn,
    /// None of them.
    None,
}

/// The navigation: section, address, and the word in both languages.
const NAVIGATION: [(Section, &str, &str, &str); 4] = [
    (Section::Check, "/v", "查验", "Check"),
    (Section::Claims, "/app", "报销", "Claims"),
    (Section::Oversight, "/oversight", "监管", "Oversight"),
    (Section::SignIn, "/sign-in", "登录", "Sign in"),
];

/// A page to be framed. `body` is HTML: everything from outside in it must have gone through
/// [`escape`].
pub(crate) struct Page<'p> {
    /// What stands in the title bar and as the first heading.
    pub(crate) title: &'p str,
    /// Where it stands in the navigation.
    pub(crate) section: Section,
    /// The module under `/assets/` that makes it alive.
    pub(crate) module: Option<&'p str>,
    /// What stands below the heading.
    pub(crate) body: &'p str,
}

impl Page<'_> {
    /// The page as the answer to a request, in its reader's language.
    pub(crate) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let language = page_language(request);
        let mut response = HttpResponse::build(OK);
        response
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((CONTENT_LANGUAGE, language.tag()))
            .insert_header((VARY, "Accept-Language, Cookie"))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .insert_header((X_FRAME_OPTIONS, "DENY"))
            .insert_header((CACHE_CONTROL, "no-store"));
        if let Some(cookie) = remember(request) {
            response.insert_header((SET_COOKIE, cookie));
        }
        response.body(self.html(request, language))
    }

    pub(super) fn html(&self, request: &HttpRequest, language: Language) -> String {
        let tag = language.tag();
        let title = escape(self.title);
        let name = language.of_two("票链", "Piaolian");
        let full = match title == name {
            true => title.clone(),
            false => format!("{title} · {name}"),
        };
        let skip = language.of_two("跳到正文", "Skip to content");
        let menu = language.of_two("导航", "Navigation");
        let script = self.module.map_or_else(String::new, |module| {
            let module = escape(module);
            format!("<script type=\"module\" src=\"/assets/{module}\"></script>")
        });
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{full}</title>\
             <link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\
             <link rel=\"stylesheet\" href=\"/assets/site.css\">{script}</head><body>\
             <a class=\"skip\" href=\"#main\">{skip}</a>\
             <header class=\"top\"><a class=\"brand\" href=\"/\">{name}</a>\
             <nav aria-label=\"{menu}\"><ul>"
        );
        for (section, address, zh, en) in NAVIGATION {
            let current = if section == self.section {
                " aria-current=\"page\""
            } else {
                ""
            };
            // The cookie only decides a word here; what it opens is judged by each page.
            let word = match section {
                Section::SignIn if Token::of(request).is_some() => {
                    language.of_two("账户", "Account")
                }
                Section::Check
                | Section::Claims
                | Section::Oversight
                | Section::SignIn
                | Section::None => language.of_two(zh, en),
            };
            // Writing into a text cannot fail.
            let _ = write!(page, "<li><a href=\"{address}\"{current}>{word}</a></li>");
        }
        let (other, tag, word) = language.of_two(
            (Language::En, "en", "English"),
            (Language::Zh, "zh-CN", "中文"),
        );
        let address = escape(&address_in(request, other));
        let body = self.body;
        let wide = match self.section {
            Section::Claims | Section::Oversight => " class=\"wide\"",
            Section::Check | Section::SignIn | Section::None => "",
        };
        let _ = write!(
            page,
            "</ul></nav><a class=\"lang\" lang=\"{tag}\" hreflang=\"{tag}\" href=\"{address}\">\
             {word}</a></header><main id=\"main\"{wide} tabindex=\"-1\"><h1>{title}</h1>{body}</main>\
             </body></html>"
        );
        page.push('\n');
        page
    }
}

/// Text for the inside of an element or of a quoted attribute.
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
    use actix_web::test::TestRequest;

    #[test]
    fn what_strangers_send_is_only_text() {
        assert_eq!(
            escape("<a b=\"c\">&'"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&#39;"
        );
        let request = TestRequest::with_uri("/v/x?y='onclick='z&w").to_http_request();
        let page = Page {
            title: "<script>",
            section: Section::Check,
            module: None,
            body: "",
        };
        let html = page.html(&request, Language::Zh);
        assert!(!html.contains("<script") && !html.contains("'onclick"));
    }

    #[test]
    fn a_page_has_no_script_or_style_inside_and_nothing_from_elsewhere() {
        let request = TestRequest::with_uri("/app?lang=en").to_http_request();
        let page = Page {
            title: "报销",
            section: Section::Claims,
            module: Some("app.js"),
            body: "<p>…</p>",
        };
        let html = page.html(&request, Language::En);
        for part in ["<style", "style=", "http:", "https:", "onclick"] {
            assert!(!html.contains(part), "{part}");
        }
        assert!(html.contains("<script type=\"module\" src=\"/assets/app.js\"></script>"));
        assert!(html.contains("<a href=\"/app\" aria-current=\"page\">Claims</a>"));
        assert!(html.contains("href=\"/app?lang=zh\">中文</a>"));
        assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("unsafe"));
    }
}
