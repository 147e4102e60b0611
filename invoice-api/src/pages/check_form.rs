//! Asking for what a check needs: a form that works without scripts.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Page, Section, escape, page_language, percent_encoded, see_other};
use crate::language::Language;
use crate::problem::Problem;
use crate::routes::Query;
use crate::server::state::AppState;

/// The elements of a document as they were typed; empty where nothing was.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Elements<'e> {
    pub(crate) key: &'e str,
    pub(crate) amount: &'e str,
    pub(crate) date: &'e str,
    pub(crate) check_code: &'e str,
}

/// Characters of a form's value that go on; a longer one is of no document.
const VALUE_CHARACTERS_MAX: usize = 128;

/// The form; sent on to the document's own address when it was filled in.
#[utoipa::path(
    get, path = "/v", tag = "pages",
    params(
        ("key" = Option<String>, Query, description = "The document's key or number"),
        ("amount" = Option<String>, Query, description = "The amount on it, in yuan"),
        ("date" = Option<String>, Query, description = "The date on it, YYYY-MM-DD"),
        ("check_code" = Option<String>, Query, description = "The check code on it"),
    ),
    responses(
        (status = 200, description = "The form", body = String, content_type = "text/html"),
        (status = 303, description = "The address of the document"),
    )
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.charge_anonymous(&request)?;
    let query = Query::lenient(&request);
    let text = |name: &str| {
        let text = query.as_ref().and_then(|query| query.text(name));
        text.map(str::trim)
            .filter(|text| text.chars().count() <= VALUE_CHARACTERS_MAX)
            .unwrap_or_default()
    };
    if !text("key").is_empty() {
        return Ok(see_other(&address(
            &key_of_number(text("key")),
            &["amount", "date", "check_code"].map(|name| (name, text(name))),
        )));
    }
    let language = page_language(&request);
    let lead = language.of_two(
        "<p class=\"lead\">请填写票面上的内容。本页只比对您填写的信息，不显示其他内容。</p>",
        "<p class=\"lead\">Enter what is printed on the document. This page compares what you give \
         and shows nothing else.</p>",
    );
    let body = format!("{lead}{}", form(language, &Elements::default()));
    Ok(Page {
        title: language.of_two("查验票据", "Check a document"),
        section: Section::Check,
        module: None,
        body: &body,
    }
    .respond(&request))
}

/// The address of a document's page with these elements.
fn address(key: &str, elements: &[(&str, &str)]) -> String {
    let given = elements.iter().filter(|(_, value)| !value.is_empty());
    let query = given
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect::<Vec<_>>()
        .join("&");
    format!("/v/{}?{query}", percent_encoded(key))
}

/// People type numbers, not keys: 20 digits are a fully digital invoice, and code and number in
/// two parts an older one or a fiscal bill, told apart by their lengths.
fn key_of_number(typed: &str) -> String {
    let parts = typed
        .split(|character: char| character.is_whitespace() || character == '-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [number] if number.len() == 20 && digits(number) => format!("D:{number}"),
        [code, number] if digits(code) && digits(number) => match (code.len(), number.len()) {
            (10 | 12, 8) => format!("P:{code}-{number}"),
            (8, 10) => format!("F:{code}-{number}"),
            _ => typed.to_owned(),
        },
        _ => typed.to_owned(),
    }
}

/// The form with what is known filled in.
pub(crate) fn form(language: Language, known: &Elements<'_>) -> String {
    let field = |name: &str, label: &str, note: &str, value: &str, more: &str| {
        let value = escape(value);
        format!(
            "<p><label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" \
             value=\"{value}\" aria-describedby=\"{name}-note\" autocomplete=\"off\" {more}>\
             <span id=\"{name}-note\" class=\"note\">{note}</span></p>"
        )
    };
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let key = field(
        "key",
        of("票据号码", "Number"),
        of(
            "数电票 20 位号码；其他票据写“代码-号码”，如 33010224-0000123456",
            "20 digits of a fully digital invoice; others as code-number, such as \
             33010224-0000123456",
        ),
        known.key,
        "required maxlength=\"64\" spellcheck=\"false\"",
    );
    let amount = field(
        "amount",
        of("金额（元，价税合计）", "Amount (yuan, with tax)"),
        of("如 128.50", "Such as 128.50"),
        known.amount,
        "required maxlength=\"20\" inputmode=\"decimal\"",
    );
    let date = field(
        "date",
        of("开票日期", "Date of issue"),
        of("如 2026-11-21", "Such as 2026-11-21"),
        known.date,
        "required maxlength=\"10\" placeholder=\"2026-11-21\"",
    );
    let check_code = field(
        "check_code",
        of("校验码（医疗收费票据）", "Check code (medical bills)"),
        of(
            "票面上的 6 位校验码；没有则不填",
            "The 6 characters on the bill; else leave empty",
        ),
        known.check_code,
        "maxlength=\"20\" spellcheck=\"false\"",
    );
    let send = of("查验", "Check");
    format!(
        "<form method=\"get\" action=\"/v\">{key}{amount}{date}{check_code}\
         <p><button type=\"submit\">{send}</button></p></form>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_type_them_become_keys() {
        for (typed, key) in [
            ("24442000000000000016", "D:24442000000000000016"),
            ("3300201130-12345678", "P:3300201130-12345678"),
            ("033002100111 12345678", "P:033002100111-12345678"),
            ("33010224-0000123456", "F:33010224-0000123456"),
            ("D:24442000000000000016", "D:24442000000000000016"),
            ("123", "123"),
        ] {
            assert_eq!(key_of_number(typed), key);
        }
    }

    #[test]
    fn what_was_typed_goes_on_as_it_is() {
        let address = address(
            "F:1-2",
            &[("amount", "1.00"), ("date", ""), ("check_code", "a&b=c")],
        );
        assert_eq!(address, "/v/F%3A1-2?amount=1.00&check_code=a%26b%3Dc");
        let known = Elements {
            key: "\"><script>",
            ..Elements::default()
        };
        assert!(!form(Language::En, &known).contains("<script"));
    }
}
