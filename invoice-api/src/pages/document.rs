//! The page behind the QR code: anyone may ask whether what is printed is what is recorded.
//!
//! The address carries the document's key and, in the query, what is printed on it: `amount`,
//! `date`, and `check_code` where there is one. Only when all of it matches does the page say in
//! what state the document is and who issued it, which stands on the paper, too. Whatever does not
//! match is answered in one and the same way, and an address that guesses is soon refused.

use std::fmt::Write as _;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::calendar::Date;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;

use super::check_form::{Elements, form};
use super::statement::Statement;
use super::validators::{Named, signers};
use super::{Page, Section, escape, page_language};
use crate::language::Language;
use crate::problem::Problem;
use crate::registry::{CheckItem, CheckVerdict, PublicCheck};
use crate::routes::Query;
use crate::server::authenticate::session;
use crate::server::state::{AppState, network};
use crate::status::OK;
use crate::wire::ProblemAnswer;

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
        let source = network(&request);
        state.budgets.misses.check(&source, 1)?;
        let key = item.document;
        let found = state.registry.public_check(item).await?;
        if is_match(found.verdict) {
            if let Some((asker, _)) = session(&state, &request).await? {
                state.budgets.reads.take(&asker.member, 1)?;
                view.for_party = state.registry.document(&asker, key).await?.is_some();
            }
        } else {
            // This answer is given; the next one may be refused unheard.
            let _ = state.budgets.misses.take(&source, 1);
        }
        let checkpoint = state.registry.checkpoint().await?;
        if let Some(checkpoint) = &checkpoint {
            view.signers = signers(&state, checkpoint);
        }
        if query.as_ref().and_then(|query| query.text("download")) == Some("statement") {
            let statement = Statement::new(&state, &given, &found, checkpoint.as_ref());
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

/// Class of the box, what it says at one glance, and the sentence below; in both languages.
const fn words(verdict: CheckVerdict) -> (&'static str, [&'static str; 2], [&'static str; 2]) {
    match verdict {
        CheckVerdict::NotFound | CheckVerdict::Mismatch => (
            "bad",
            ["✗ 查无相符的票据", "✗ No such document"],
            [
                "登记中没有与所填号码、金额、日期（及校验码）完全相符的票据。请与票面再核对一次；\
                 如果填写无误，请勿接受这张票据。",
                "Nothing is recorded with exactly this number, amount and date (and check code). \
                 Compare with the paper once more; if all is typed as printed, do not accept it.",
            ],
        ),
        CheckVerdict::Reversed => (
            "bad",
            ["✗ 已全部红冲", "✗ Reversed as a whole"],
            [
                "票据是真的，但已全部红冲作废，不能报销。",
                "The document is genuine, but it was reversed as a whole and cannot be claimed.",
            ],
        ),
        CheckVerdict::Frozen => (
            "warn",
            ["! 真实，已被冻结", "! Genuine, but frozen"],
            [
                "票据是真的，目前被主管机关冻结，不能报销。",
                "The document is genuine; an authority froze it, so it cannot be claimed now.",
            ],
        ),
        CheckVerdict::Claimed => (
            "warn",
            ["✓ 真实，已全部报销", "✓ Genuine, fully reimbursed"],
            [
                "票据是真的，金额已全部报销，不能再报销。",
                "The document is genuine; all of it is reimbursed and cannot be claimed again.",
            ],
        ),
        CheckVerdict::Locked => (
            "warn",
            ["✓ 真实，正在报销", "✓ Genuine, being claimed"],
            [
                "票据是真的，可报销的金额都在报销中。",
                "The document is genuine; what could be claimed is being claimed.",
            ],
        ),
        CheckVerdict::PartlyClaimed => (
            "good",
            ["✓ 真实有效，部分已用", "✓ Genuine and valid, partly used"],
            [
                "票据是真的，其中一部分已报销、锁定或红冲。",
                "The document is genuine; a part of it is reimbursed, locked or reversed.",
            ],
        ),
        CheckVerdict::Claimable => (
            "good",
            ["✓ 真实有效，尚未报销", "✓ Genuine, valid, not claimed"],
            [
                "票据是真的，没有红冲，也没有人报销过。",
                "The document is genuine; it was not reversed, and nobody has claimed any of it.",
            ],
        ),
    }
}

/// What the page shows.
struct View<'v> {
    language: Language,
    given: Elements<'v>,
    found: Option<PublicCheck>,
    signers: Vec<Named>,
    for_party: bool,
}

impl View<'_> {
    fn of(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.language.of_two(zh, en)
    }

    fn html(&self, request: &HttpRequest) -> String {
        let Elements {
            key,
            amount,
            date,
            check_code,
        } = self.given;
        let mut html = "<div id=\"check\"".to_owned();
        let verdict = self
            .found
            .as_ref()
            .map_or("", |found| found.verdict.as_str());
        let matches = self
            .found
            .as_ref()
            .is_some_and(|found| is_match(found.verdict));
        for (name, value) in [
            ("key", key),
            ("amount", amount),
            ("date", date),
            ("check-code", check_code),
            // A reader of the page learns no more from its source than from its words.
            ("verdict", if matches { verdict } else { "" }),
        ] {
            // Writing into a text cannot fail.
            let _ = write!(html, " data-{name}=\"{}\"", escape(value));
        }
        let _ = write!(html, "><p class=\"key\">{}</p>", escape(key));
        match &self.found {
            None => html.push_str(&self.incomplete()),
            Some(found) => html.push_str(&self.answer(found, request)),
        }
        if matches {
            let again = self.of("查验另一张票据", "Check another document");
            let _ = write!(html, "<p><a href=\"/v\">{again}</a></p>");
        } else {
            html.push_str(&form(self.language, &self.given));
        }
        let note = self.of(
            "本页只比对您提供的信息，不显示票面以外的内容。",
            "This page only compares what you gave, and shows nothing that is not on the paper.",
        );
        let _ = write!(html, "<p class=\"note\">{note}</p></div>");
        html
    }

    fn incomplete(&self) -> String {
        format!(
            "<div class=\"box plain\"><p>{}</p></div>",
            self.of(
                "请按票面补全号码、金额和开票日期（医疗收费票据还需校验码）。",
                "Complete number, amount and date of issue as printed (and the check code of a \
                 medical bill).",
            )
        )
    }

    fn answer(&self, found: &PublicCheck, request: &HttpRequest) -> String {
        let (class, glance, sentence) = words(found.verdict);
        let (glance, sentence) = (
            self.language.of_two(glance[0], glance[1]),
            self.language.of_two(sentence[0], sentence[1]),
        );
        let mut html = format!(
            "<div class=\"box {class}\" role=\"status\"><p class=\"verdict\">{glance}</p>\
             <p>{sentence}</p></div>"
        );
        if is_match(found.verdict) {
            html.push_str(&self.compare(found));
        }
        html.push_str(&self.grounds(found));
        if is_match(found.verdict) {
            html.push_str(&self.downloads(request));
        }
        html
    }

    /// The elements side by side with the paper: a genuine code can be printed on a false paper.
    fn compare(&self, found: &PublicCheck) -> String {
        let title = self.of("与手中票据核对", "Compare with your paper");
        let lead = self.of(
            "二维码也可能被人印到别的纸上。请确认票面上的每一项都与下面相同，有一项不同就不要接受。",
            "A code can be copied onto another paper. Make sure that every line below is what your \
             paper says; if one is not, do not accept it.",
        );
        let mut html = format!("<h2>{title}</h2><p>{lead}</p><dl class=\"facts\">");
        let amount = Fen::parse(self.given.amount).map(|fen| fen.to_string());
        let number = DocumentKey::spelled(self.given.key).map(|key| number_of(&key));
        for (label, value) in [
            (self.of("票据号码", "Number"), number.unwrap_or_default()),
            (
                self.of("开票单位", "Issued by"),
                found.issuer.clone().unwrap_or_default(),
            ),
            (
                self.of("金额（元）", "Amount (yuan)"),
                amount.unwrap_or_default(),
            ),
            (
                self.of("开票日期", "Date of issue"),
                self.given.date.to_owned(),
            ),
            (
                self.of("校验码", "Check code"),
                self.given.check_code.to_owned(),
            ),
        ] {
            if !value.is_empty() {
                let _ = write!(html, "<dt>{label}</dt><dd>{}</dd>", escape(&value));
            }
        }
        html.push_str("</dl>");
        html
    }

    /// As of which block this is said, and who stands for that block.
    fn grounds(&self, found: &PublicCheck) -> String {
        let (height, time) = (found.as_of.height, found.as_of.time.to_rfc3339_utc8());
        let mut html = format!(
            "<h2>{}</h2><dl class=\"facts\"><dt>{}</dt><dd>{height}</dd><dt>{}</dt>\
             <dd><time datetime=\"{time}\">{}</time></dd>",
            self.of("查验依据", "What this rests on"),
            self.of("截至区块", "As of block"),
            self.of("查验时间", "Checked at"),
            readable(&time),
        );
        if !self.signers.is_empty() {
            let label = self.of("签署的验证节点", "Signed by validators");
            let _ = write!(html, "<dt>{label}</dt><dd><ul>");
            for signer in &self.signers {
                let (name, kid) = (escape(&signer.name), &signer.kid);
                let _ = write!(html, "<li>{name} <code>{kid}</code></li>");
            }
            html.push_str("</ul></dd>");
        }
        html.push_str("</dl>");
        let _ = write!(
            html,
            "<section id=\"proof\" aria-labelledby=\"proof-title\" hidden><h2 id=\"proof-title\">\
             {}</h2><ul id=\"proof-list\" aria-live=\"polite\"></ul></section><noscript>\
             <p class=\"note\">{}</p></noscript>",
            self.of("本浏览器的验证", "Verified in this browser"),
            self.of(
                "以上为服务器的答复。允许脚本运行时，浏览器会自行验证签名。",
                "This is what the server says. Where scripts run, the browser verifies the \
                 signatures itself.",
            )
        );
        html
    }

    fn downloads(&self, request: &HttpRequest) -> String {
        let here = request
            .uri()
            .path_and_query()
            .map_or("", |here| here.as_str());
        let mut html = format!(
            "<h2>{}</h2><ul><li><a href=\"{}&amp;download=statement\" download>{}</a></li>",
            self.of("下载", "Download"),
            escape(here),
            self.of(
                "查验结果与验证节点签名（JSON）",
                "This answer and the validators' signatures (JSON)",
            )
        );
        if self.for_party {
            let key = escape(self.given.key);
            let _ = write!(
                html,
                "<li><a href=\"/v1/documents/{key}\" download=\"document.json\">{}</a></li>",
                self.of(
                    "完整票据与经过（JSON）",
                    "The whole document and its history (JSON)"
                )
            );
        }
        let _ = write!(
            html,
            "</ul><p class=\"note\">{}</p>",
            self.of(
                "完整回执含票据全部内容，只提供给票据各方：请登录后获取，或向开票单位索取。",
                "The full receipt holds all of the document's content and is for its parties: sign \
                 in, or ask the issuer.",
            )
        );
        html
    }
}

/// A time of the contract as people read it, to the second: it is in UTC+8 already.
fn readable(time: &str) -> String {
    time.chars()
        .take(19)
        .map(|character| if character == 'T' { ' ' } else { character })
        .collect()
}

/// The number as it is printed.
fn number_of(key: &DocumentKey) -> String {
    let key = key.to_string();
    key.split_once(':')
        .map_or(key.clone(), |(_, number)| number.replace('-', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::AsOf;
    use actix_web::test::TestRequest;
    use invoice_core::calendar::Instant;

    fn shown(verdict: CheckVerdict, language: Language) -> String {
        let request = TestRequest::with_uri("/v/D:24442000000000000016?amount=1&date=2026-11-21")
            .to_http_request();
        View {
            language,
            given: Elements {
                key: "D:24442000000000000016",
                amount: "1060.0",
                date: "2026-11-21",
                check_code: "",
            },
            found: Some(PublicCheck {
                verdict,
                issuer: Some("示范<商户>".into()),
                as_of: AsOf {
                    height: 7,
                    time: Instant::from_ms(0),
                },
            }),
            signers: Vec::new(),
            for_party: false,
        }
        .html(&request)
    }

    #[test]
    fn what_does_not_match_is_answered_in_one_way() {
        for language in [Language::Zh, Language::En] {
            let absent = shown(CheckVerdict::NotFound, language);
            assert_eq!(absent, shown(CheckVerdict::Mismatch, language));
            assert!(!absent.contains("商户") && absent.contains("<form"));
        }
    }

    #[test]
    fn what_matches_shows_state_issuer_amount_date_and_block() {
        let html = shown(CheckVerdict::PartlyClaimed, Language::En);
        for part in [
            "Genuine and valid, partly used",
            "<dd>示范&lt;商户&gt;</dd>",
            "<dd>1060.00</dd>",
            "<dd>2026-11-21</dd>",
            "<dd>24442000000000000016</dd>",
            "<dd>7</dd>",
            "download=statement",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("/v1/documents/"), "only for its parties");
    }

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
