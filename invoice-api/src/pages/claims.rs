//! The finance clerk's page: the list of claims by the server; dropping, locking, settling and
//! releasing by the browser, which holds the key.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::record::ClaimKind;

use super::{Page, Section, escape, page_language, percent_encoded, readable, reader_of_page};
use crate::fault::Fault;
use crate::language::Language;
use crate::problem::Problem;
use crate::registry::{ClaimPage, ClaimStatus, ClaimView};
use crate::routes::{Query, claim_query};
use crate::server::state::AppState;

/// The clerk's page, for whoever signed in.
#[utoipa::path(
    get, path = "/app", tag = "pages",
    params(
        ("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed"),
        ("cursor" = Option<String>, Query, description = "Where an earlier page ended"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
    )
)]
pub(crate) async fn page(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asker = match reader_of_page(&state, &request).await? {
        Ok(asker) => asker,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let query = Query::strict(&request, &["status", "cursor", "lang"])?;
    let mut asked = claim_query(&query)?;
    asked.newest_first = true;
    // What is chosen here is settled and released: an authority that claims works on its own.
    asked.own = true;
    let status = asked.status;
    let found = state.registry.claims(&asker, asked).await?;
    let found = found.ok_or(Fault::CursorInvalid)?;
    let language = page_language(&request);
    let body = list(language, status, &found);
    Ok(Page {
        title: language.of_two("报销", "Claims"),
        section: Section::Claims,
        module: Some("app.js"),
        body: &body,
    }
    .respond(&request))
}

/// The word for a state, and its class.
pub(crate) const fn status_words(
    status: ClaimStatus,
) -> (&'static str, &'static str, &'static str) {
    match status {
        ClaimStatus::Locked => ("warn", "已锁定", "locked"),
        ClaimStatus::Settled => ("good", "已入账", "settled"),
        ClaimStatus::Released => ("plain", "已释放", "released"),
        ClaimStatus::Expired => ("plain", "已过期", "expired"),
        ClaimStatus::Reversed => ("bad", "已冲回", "reversed"),
    }
}

/// The word for a claim, and its class. What is only noted uses nothing of its document, is never
/// settled and does not run out: neither "locked" nor "expired" would be true of it.
pub(crate) fn claim_words(claim: &ClaimView) -> (&'static str, &'static str, &'static str) {
    match is_noted(claim) {
        true => ("plain", "备案", "noted"),
        false => status_words(claim.status),
    }
}

/// Whether a claim is only noted.
pub(crate) fn is_noted(claim: &ClaimView) -> bool {
    claim.kind == ClaimKind::Reference
}

const STATUSES: [ClaimStatus; 5] = [
    ClaimStatus::Locked,
    ClaimStatus::Settled,
    ClaimStatus::Released,
    ClaimStatus::Expired,
    ClaimStatus::Reversed,
];

fn list(language: Language, status: Option<ClaimStatus>, page: &ClaimPage) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let all = of("全部", "All");
    let tabs = super::push::tabs(language, "/app");
    let mut html = format!(
        "{tabs}<div id=\"app\"><noscript><p class=\"box plain\">{}</p></noscript></div>\
         <section id=\"ledger\" aria-labelledby=\"ledger-title\"><h2 id=\"ledger-title\">{}</h2>\
         <form method=\"get\" action=\"/app\" class=\"row\"><div><label for=\"status\">{}</label>\
         <select id=\"status\" name=\"status\"><option value=\"\">{all}</option>",
        of(
            "查验、锁定和入账需要运行本站脚本：私钥只在您的浏览器里使用。台账和导出不需要。",
            "Checking, locking and settling need this site's scripts: the private key is used in \
             your browser only. The ledger and its export do not.",
        ),
        of("报销台账", "Ledger of claims"),
        of("状态", "State"),
    );
    for known in STATUSES {
        let (_, zh, en) = status_words(known);
        let selected = if Some(known) == status {
            " selected"
        } else {
            ""
        };
        // Writing into a text cannot fail.
        let _ = write!(
            html,
            "<option value=\"{}\"{selected}>{}</option>",
            known.as_str(),
            language.of_two(zh, en)
        );
    }
    let _ = write!(
        html,
        "</select></div><button type=\"submit\" class=\"quiet\">{}</button></form>",
        of("筛选", "Show")
    );
    if page.claims.is_empty() {
        let _ = write!(
            html,
            "<p class=\"note\">{}</p>",
            of("没有记录。", "There are none.")
        );
    } else {
        html.push_str("<div id=\"ledger-actions\"></div>");
        html.push_str(&table(language, &page.claims));
    }
    if let Some(next) = &page.next {
        let status = status.map_or("", |status| status.as_str());
        let _ = write!(
            html,
            "<p><a class=\"button quiet\" href=\"/app?status={status}&amp;cursor={}\">{}</a></p>",
            percent_encoded(&hex::encode(next)),
            of("下一页", "Next page")
        );
    }
    let asked = status.map_or("", |status| status.as_str());
    let _ = write!(
        html,
        "<p>{}: <a href=\"/app/ledger.xlsx?status={asked}\">XLSX</a> · \
         <a href=\"/app/ledger.csv?status={asked}\">CSV</a></p>{}\
         <p class=\"note\">{} {}, {}</p></section>",
        of("导出台账", "Export the ledger"),
        export_of_days(language, asked),
        of("截至区块", "As of block"),
        page.as_of.height,
        readable(&page.as_of.time.to_rfc3339_utc8())
    );
    html
}

/// The form that exports what was locked on certain days.
fn export_of_days(language: Language, status: &str) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    format!(
        "<form method=\"get\" action=\"/app/ledger.xlsx\" class=\"row\" id=\"export-days\">\
         <input type=\"hidden\" name=\"status\" value=\"{status}\">\
         <div><label for=\"export-from\">{}</label><input id=\"export-from\" name=\"from\" type=\"date\"></div>\
         <div><label for=\"export-to\">{}</label><input id=\"export-to\" name=\"to\" type=\"date\"></div>\
         <button type=\"submit\" class=\"quiet\">{} XLSX</button>\
         <button type=\"submit\" class=\"quiet\" formaction=\"/app/ledger.csv\">{} CSV</button></form>",
        of("锁定日期从", "Locked from"),
        of("到", "to"),
        of("按日期导出", "Export these days:"),
        of("按日期导出", "Export these days:"),
    )
}

/// Where the table has its amounts.
const LOCKED_COLUMN: usize = 2;
const SETTLED_COLUMN: usize = 3;

fn table(language: Language, claims: &[ClaimView]) -> String {
    let of = |zh: &'static str, en: &'static str| language.of_two(zh, en);
    let heads = [
        of("票据", "Document"),
        of("状态", "State"),
        of("锁定金额", "Locked"),
        of("入账金额", "Settled"),
        of("报销单号", "Reference"),
        of("凭证号", "Voucher"),
        of("锁定到期", "Lock ends"),
    ];
    let mut html = "<table class=\"stack\"><thead><tr>".to_owned();
    for head in heads {
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    for claim in claims {
        let (class, zh, en) = claim_words(claim);
        let _ = write!(
            html,
            "<tr data-claim=\"{}\" data-document=\"{}\" data-kind=\"{}\" data-status=\"{}\" \
             data-locked=\"{}\" data-reference=\"{}\">",
            escape(&claim.claim),
            claim.document,
            claim.kind.as_str(),
            claim.status.as_str(),
            claim.locked,
            escape(&claim.reference)
        );
        let cells = [
            format!("<code>{}</code>", claim.document),
            format!(
                "<span class=\"tag {class}\">{}</span>",
                language.of_two(zh, en)
            ),
            claim.locked.to_string(),
            claim.settled.to_string(),
            escape(&claim.reference),
            escape(claim.voucher.as_deref().unwrap_or("–")),
            match is_noted(claim) {
                true => "–".to_owned(),
                false => readable(&claim.expires_at.to_rfc3339_utc8()),
            },
        ];
        for (column, (head, cell)) in heads.iter().zip(cells).enumerate() {
            let class = match column {
                LOCKED_COLUMN => " class=\"number\"",
                SETTLED_COLUMN => " class=\"number settle-amount\"",
                _ => "",
            };
            let _ = write!(html, "<td data-label=\"{head}\"{class}>{cell}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Place;
    use invoice_core::calendar::Instant;
    use invoice_core::money::Fen;
    use invoice_core::record::Component;

    fn claim(kind: ClaimKind, status: ClaimStatus) -> ClaimView {
        ClaimView {
            claim: "lock-1".into(),
            by: "91330000142942095H".parse().unwrap(),
            document: "D:24442000000000000016".parse().unwrap(),
            kind,
            component: Component::Any,
            reference: "BX-1".into(),
            status,
            locked: Fen::new(0),
            settled: Fen::new(0),
            expires_at: Instant::from_ms(0),
            voucher: None,
            place: Place {
                height: 7,
                index: 9,
                time: Instant::from_ms(0),
            },
        }
    }

    #[test]
    fn what_is_only_noted_is_neither_locked_nor_runs_out() {
        let day = readable(&Instant::from_ms(0).to_rfc3339_utc8());
        for status in [ClaimStatus::Locked, ClaimStatus::Expired] {
            let noted = table(Language::En, &[claim(ClaimKind::Reference, status)]);
            assert!(noted.contains("data-kind=\"reference\""), "{noted}");
            assert!(noted.contains(">noted<"), "{noted}");
            assert!(!noted.contains(&day), "{noted}");
        }
        let locked = table(
            Language::En,
            &[claim(ClaimKind::Employer, ClaimStatus::Locked)],
        );
        assert!(locked.contains(">locked<"), "{locked}");
        assert!(locked.contains(&day), "{locked}");
    }
}
