//! What the public page shows of an answer.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::read::Spelled as _;

use super::is_match;
use super::words::words;
use crate::language::Language;
use crate::pages::check_form::{Elements, form};
use crate::pages::validators::Named;
use crate::pages::{escape, readable};
use crate::registry::PublicCheck;

/// What the page shows.
pub(super) struct View<'v> {
    pub(super) language: Language,
    /// What the address gave.
    pub(super) given: Elements<'v>,
    /// The answer; `None` when the address is no question yet.
    pub(super) found: Option<PublicCheck>,
    /// Who signed the newest checkpoint.
    pub(super) signers: Vec<Named>,
    /// Whether the reader is signed in and a party to the document.
    pub(super) for_party: bool,
}

impl View<'_> {
    fn of(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.language.of_two(zh, en)
    }

    /// The page's body.
    pub(super) fn html(&self, request: &HttpRequest) -> String {
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
                match (self.given.check_code, found.has_check_code) {
                    ("", _) => String::new(),
                    (code, true) => code.to_owned(),
                    // Whatever was typed: repeating it would look like a comparison.
                    (_, false) => self
                        .of("未登记，未核对", "not recorded, so it was not compared")
                        .to_owned(),
                },
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
            for (format, words) in [
                (
                    "pdf",
                    self.of(
                        "票据 PDF（内附记录与回执）",
                        "PDF with the record and the receipt inside",
                    ),
                ),
                (
                    "ofd",
                    self.of(
                        "票据 OFD（内附记录与回执）",
                        "OFD with the record and the receipt inside",
                    ),
                ),
            ] {
                let _ = write!(
                    html,
                    "<li><a href=\"/v1/documents/{key}/paper?format={format}\" download>{words}</a></li>"
                );
            }
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

/// The number as it is printed.
fn number_of(key: &DocumentKey) -> String {
    let key = key.to_string();
    key.split_once(':')
        .map_or(key.clone(), |(_, number)| number.replace('-', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{AsOf, CheckVerdict};
    use actix_web::test::TestRequest;
    use invoice_core::calendar::Instant;

    fn shown(verdict: CheckVerdict, language: Language) -> String {
        shown_with(verdict, language, "", false)
    }

    fn shown_with(
        verdict: CheckVerdict,
        language: Language,
        check_code: &str,
        has_check_code: bool,
    ) -> String {
        let request = TestRequest::with_uri("/v/D:24442000000000000016?amount=1&date=2026-11-21")
            .to_http_request();
        View {
            language,
            given: Elements {
                key: "D:24442000000000000016",
                amount: "1060.0",
                date: "2026-11-21",
                check_code,
            },
            found: Some(PublicCheck {
                verdict,
                issuer: Some("示范<商户>".into()),
                has_check_code,
                checkpoint: None,
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
    fn a_check_code_that_nothing_could_be_compared_with_is_not_shown_as_compared() {
        let fact = |code: &str, language, recorded| {
            let html = shown_with(CheckVerdict::Claimable, language, code, recorded);
            let facts = html.split("<h2>").nth(1).unwrap().to_owned();
            let (_, fact) = facts
                .split_once("Check code</dt><dd>")
                .or_else(|| facts.split_once("校验码</dt><dd>"))?;
            Some(fact.split("</dd>").next().unwrap().to_owned())
        };
        assert_eq!(
            fact("a1B2c3", Language::En, true).as_deref(),
            Some("a1B2c3")
        );
        assert_eq!(
            fact("a1B2c3", Language::En, false).as_deref(),
            Some("not recorded, so it was not compared")
        );
        assert_eq!(
            fact("a1B2c3", Language::Zh, false).as_deref(),
            Some("未登记，未核对")
        );
        assert_eq!(fact("", Language::En, false), None);
    }
}
