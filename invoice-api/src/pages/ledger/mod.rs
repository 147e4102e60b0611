//! The ledger of claims as files for spreadsheets.
//!
//! The first 14 columns are those that finance clerks keep by hand (domain facts: number, date,
//! kind, seller, buyer, amounts, file, copies, remark); what the registry adds stands behind them.

mod csv;
mod looks;
mod row;
mod xlsx;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::calendar::{Date, Instant};
use invoice_core::money::Fen;
use invoice_core::read::Spelled as _;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::{page_language, reader_of_page};
use crate::fault::Fault;
use crate::language::Language;
use crate::limits::{CLAIMS_PAGE_MAX, LEDGER_ROWS_MAX};
use crate::problem::Problem;
use crate::registry::ClaimQuery;
use crate::routes::{Query, claim_query};
use crate::server::state::AppState;
use crate::status::OK;
use crate::wire::ProblemAnswer;
use looks::{documents, turn};
use row::row;

const DAY_MS: i64 = 86_400_000;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing is known.
    Empty,
    /// A text that people wrote.
    Text(String),
    /// Digits that are a name and no quantity.
    Number(String),
    /// Money.
    Money(Fen),
    /// A count.
    Count(u64),
}

/// A column: its heading in both languages and its width in characters.
type Heading = (&'static str, &'static str, u16);

const HEADINGS: [Heading; 22] = [
    ("序号", "No.", 6),
    ("号码", "Number", 26),
    ("开票日期", "Date", 12),
    ("类型", "Kind", 10),
    ("销售方", "Seller", 24),
    ("销售方税号", "Seller id", 22),
    ("购买方", "Buyer", 24),
    ("购买方税号", "Buyer id", 22),
    ("含税金额", "Amount with tax", 14),
    ("不含税金额", "Amount without tax", 14),
    ("税额", "Tax", 12),
    ("文件名", "File", 16),
    ("份数", "Copies", 6),
    ("备注", "Remark", 16),
    ("状态", "State", 10),
    ("锁定金额", "Locked", 14),
    ("入账金额", "Settled", 14),
    ("报销单号", "Reference", 18),
    ("凭证号", "Voucher", 18),
    ("锁定编号", "Claim", 24),
    ("锁定到期", "Lock ends", 20),
    ("区块高度", "Block", 10),
];

/// The ledger, in the order of its columns.
pub(super) struct Ledger {
    pub(super) language: Language,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Ledger {
    pub(super) fn headings(&self) -> impl Iterator<Item = (&'static str, u16)> + '_ {
        HEADINGS
            .iter()
            .map(|(zh, en, width)| (self.language.of_two(*zh, *en), *width))
    }
}

/// The ledger as CSV for spreadsheets.
#[utoipa::path(
    get, path = "/app/ledger.csv", tag = "pages",
    params(
        ("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed"),
        ("from" = Option<String>, Query, description = "Only locks recorded on this day or later, YYYY-MM-DD in UTC+8"),
        ("to" = Option<String>, Query, description = "Only locks recorded on this day or earlier"),
    ),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
        (status = 409, description = "More than 10,000 rows: ask for fewer days", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "Too many ledgers are being exported", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn as_csv(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    match ledger(&state, &request).await? {
        Ok((ledger, _turn)) => file(csv::write(&ledger)?, "text/csv; charset=utf-8", "csv"),
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// The ledger as a workbook.
#[utoipa::path(
    get, path = "/app/ledger.xlsx", tag = "pages",
    params(
        ("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed"),
        ("from" = Option<String>, Query, description = "Only locks recorded on this day or later, YYYY-MM-DD in UTC+8"),
        ("to" = Option<String>, Query, description = "Only locks recorded on this day or earlier"),
    ),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
        (status = 409, description = "More than 10,000 rows: ask for fewer days", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "Too many ledgers are being exported", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn as_xlsx(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    const KIND: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let (ledger, turn) = match ledger(&state, &request).await? {
        Ok(ledger) => ledger,
        Err(elsewhere) => return Ok(elsewhere),
    };
    // Thousands of rows are compressed: not on the thread that serves connections. The turn ends
    // with the work, although whoever asked has gone away.
    let written = web::block(move || {
        let written = xlsx::write(&ledger);
        drop(turn);
        written
    });
    let written = written.await;
    file(written.map_err(|_| Fault::Internal)??, KIND, "xlsx")
}

fn file(bytes: Vec<u8>, kind: &str, ending: &str) -> Result<HttpResponse, Problem> {
    let name = format!("attachment; filename=\"piaolian-ledger.{ending}\"");
    Ok(HttpResponse::build(OK)
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(bytes))
}

/// Reads the claims, page by page, and then what the registry shows the asker of their documents:
/// each look is written to the access log, so none is taken for a ledger that is too long. The
/// turn to export goes with the ledger until it is written.
async fn ledger(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Result<(Ledger, OwnedSemaphorePermit), HttpResponse>, Problem> {
    let asker = match reader_of_page(state, request).await? {
        Ok(asker) => asker,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    let query = Query::strict(request, &["status", "from", "to", "lang"])?;
    let mut asked = ClaimQuery {
        from: day_begins(&query, "from", 0)?,
        until: day_begins(&query, "to", 1)?,
        limit: CLAIMS_PAGE_MAX,
        own: true,
        ..claim_query(&query)?
    };
    let language = page_language(request);
    let turn = turn(&state.exports)?;
    let mut claims = Vec::new();
    loop {
        let page = state.registry.claims(&asker, asked.clone()).await?;
        let page = page.ok_or(Fault::Internal)?;
        if claims.len() + page.claims.len() > LEDGER_ROWS_MAX {
            return Err(Fault::LedgerTooLong.into());
        }
        state
            .budgets
            .checks
            .take(&asker.member, page.claims.len())?;
        claims.extend(page.claims);
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            break;
        }
    }
    let documents = documents(state, &asker, &claims).await?;
    let rows = claims.iter().enumerate().map(|(before, claim)| {
        let document = documents.get(&claim.document).unwrap_or(&Value::Null);
        row(language, before, claim, document)
    });
    let rows = rows.collect();
    Ok(Ok((Ledger { language, rows }, turn)))
}

/// The beginning of a day that a query names, in UTC+8, or of one so many days later.
fn day_begins(query: &Query, name: &'static str, later: i64) -> Result<Option<Instant>, Problem> {
    let text = match query.text(name) {
        None | Some("") => return Ok(None),
        Some(text) => text,
    };
    let wrong = || Problem::query(name);
    let day = Date::spelled(text).map_err(|_| wrong())?;
    let begins = Instant::parse_rfc3339(&format!("{day}T00:00:00+08:00")).map_err(|_| wrong())?;
    let begins = begins.checked_add_ms(later * DAY_MS);
    begins.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
pub(super) mod tests {
    use super::row::content;
    use super::*;
    use crate::registry::{ClaimStatus, ClaimView, Place};
    use invoice_core::record::{ClaimKind, Component};
    use serde_json::json;

    pub(in super::super) fn sample() -> Ledger {
        let claim = ClaimView {
            claim: "lock-1".into(),
            by: "91330000142942095H".parse().unwrap(),
            document: "D:24442000000000000016".parse().unwrap(),
            kind: ClaimKind::Employer,
            component: Component::Any,
            reference: "=1+1".into(),
            status: ClaimStatus::Settled,
            locked: Fen::new(0),
            settled: Fen::new(106_000),
            expires_at: Instant::from_ms(0),
            voucher: Some("记-0001".into()),
            place: Place {
                height: 7,
                index: 9,
                time: Instant::from_ms(0),
            },
        };
        let record = json!({"type": "document.register", "original": {"format": "ofd"}, "invoice": {
            "kind": "04", "issue_date": "2026-11-21", "note": "@SUM(A1)\n\"x\"",
            "seller": {"id": "91330000142942095H", "name": "甲,公司"}, "buyer": {"name": "-乙"},
            "total": "1060.00", "total_without_tax": "1000.00", "total_tax": "60.00",
        }});
        let row = row(Language::Zh, 0, &claim, &content(record));
        Ledger {
            language: Language::Zh,
            rows: vec![row],
        }
    }

    #[test]
    fn a_row_has_the_fourteen_columns_and_what_the_registry_knows() {
        let ledger = sample();
        let row = &ledger.rows[0];
        assert_eq!(row.len(), HEADINGS.len());
        assert_eq!(row[1], Cell::Number("24442000000000000016".into()));
        assert_eq!(row[8], Cell::Money(Fen::new(106_000)));
        assert_eq!(row[3], Cell::Number("04".into()));
        assert_eq!(row[4], Cell::Text("甲,公司".into()));
        assert_eq!(row[7], Cell::Empty, "the buyer has no id");
        assert_eq!(row[14], Cell::Text("已入账".into()));
    }
}
