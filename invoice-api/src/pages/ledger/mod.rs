//! The ledger of claims as files for spreadsheets.
//!
//! The first 14 columns are those that finance clerks keep by hand (domain facts: number, date,
//! kind, seller, buyer, amounts, file, copies, remark); what the registry adds stands behind them.

mod csv;
mod xlsx;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse, web};
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use serde_json::Value;

use super::claims::status_words;
use super::{page_language, reader_of_page};
use crate::fault::Fault;
use crate::language::Language;
use crate::limits::{CLAIMS_PAGE_MAX, LEDGER_ROWS_MAX};
use crate::problem::Problem;
use crate::registry::{Asker, ClaimQuery, ClaimView};
use crate::routes::{Query, claim_query};
use crate::server::state::AppState;
use crate::status::OK;

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
    params(("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
    )
)]
pub(crate) async fn as_csv(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    match ledger(&state, &request).await? {
        Ok(ledger) => file(csv::write(&ledger)?, "text/csv; charset=utf-8", "csv"),
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// The ledger as a workbook.
#[utoipa::path(
    get, path = "/app/ledger.xlsx", tag = "pages",
    params(("status" = Option<String>, Query, description = "locked, settled, released, expired or reversed")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 303, description = "Nobody signed in: the sign-in page"),
    )
)]
pub(crate) async fn as_xlsx(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    const KIND: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let ledger = match ledger(&state, &request).await? {
        Ok(ledger) => ledger,
        Err(elsewhere) => return Ok(elsewhere),
    };
    // Thousands of rows are compressed: not on the thread that serves connections.
    let written = web::block(move || xlsx::write(&ledger)).await;
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

/// Reads the claims, page by page, and what the registry shows the asker of their documents.
async fn ledger(
    state: &AppState,
    request: &HttpRequest,
) -> Result<Result<Ledger, HttpResponse>, Problem> {
    let asker = match reader_of_page(state, request).await? {
        Ok(asker) => asker,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    let query = Query::strict(request, &["status", "lang"])?;
    let status = claim_query(&query)?.status;
    let language = page_language(request);
    let mut rows = Vec::new();
    let mut cursor = None;
    loop {
        let query = ClaimQuery {
            status,
            cursor,
            limit: CLAIMS_PAGE_MAX,
            newest_first: false,
        };
        let page = state.registry.claims(&asker, query).await?;
        let page = page.ok_or(Fault::Internal)?;
        if rows.len() + page.claims.len() > LEDGER_ROWS_MAX {
            return Err(Fault::LedgerTooLong.into());
        }
        state
            .budgets
            .checks
            .take(&asker.member, page.claims.len())?;
        for claim in &page.claims {
            let document = document(state, &asker, claim.document).await?;
            rows.push(row(language, rows.len(), claim, &document));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(Ok(Ledger { language, rows }));
        }
    }
}

/// What the record that issued a document says of it; null when that is not for the asker.
async fn document(state: &AppState, asker: &Asker, key: DocumentKey) -> Result<Value, Problem> {
    let view = state.registry.document(asker, key).await?;
    let record = view.and_then(|view| serde_json::from_str::<Value>(&view.record).ok());
    Ok(record.map_or(Value::Null, content))
}

/// The invoice or bill in a record, wherever the record's type puts it.
fn content(mut record: Value) -> Value {
    if record["document"].is_object() {
        record = record["document"].take();
    }
    match record["invoice"].is_object() {
        true => record["invoice"].take(),
        false => record["bill"].take(),
    }
}

fn row(language: Language, before: usize, claim: &ClaimView, document: &Value) -> Vec<Cell> {
    let cell = |value: &Value, made: fn(String) -> Cell| match value.as_str() {
        Some(text) if !text.is_empty() => made(text.to_owned()),
        Some(_) | None => Cell::Empty,
    };
    let text = |value: &Value| cell(value, Cell::Text);
    let id = |value: &Value| cell(value, Cell::Number);
    let money = |value: &Value| {
        let fen = value.as_str().and_then(|text| Fen::parse(text).ok());
        fen.map_or(Cell::Empty, Cell::Money)
    };
    let key = claim.document.to_string();
    let (family, number) = key.split_once(':').unwrap_or(("", &key));
    let kind = match (family, document["kind"].as_str()) {
        ("F", _) => language.of_two("医疗收费票据", "medical bill").to_owned(),
        (_, Some(kind)) => kind.to_owned(),
        (_, None) => String::new(),
    };
    let seller = match document["seller"].is_object() {
        true => &document["seller"],
        false => &document["issuer"],
    };
    let (_, zh, en) = status_words(claim.status);
    let count = |number: u64| Cell::Count(number);
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    vec![
        count(before.saturating_add(1)),
        Cell::Number(number.to_owned()),
        text(&document["issue_date"]),
        Cell::Text(kind),
        text(&seller["name"]),
        id(&seller["id"]),
        text(&document["buyer"]["name"]),
        id(&document["buyer"]["id"]),
        money(&document["total"]),
        money(&document["total_without_tax"]),
        money(&document["total_tax"]),
        // The registry never sees what a file was called.
        Cell::Empty,
        count(1),
        text(&document["note"]),
        Cell::Text(language.of_two(zh, en).to_owned()),
        Cell::Money(claim.locked),
        Cell::Money(claim.settled),
        Cell::Text(claim.reference.clone()),
        claim.voucher.clone().map_or(Cell::Empty, Cell::Text),
        Cell::Text(claim.claim.clone()),
        Cell::Text(
            claim
                .expires_at
                .to_rfc3339_utc8()
                .chars()
                .take(19)
                .collect(),
        ),
        count(claim.place.height),
    ]
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::registry::{ClaimStatus, Place};
    use invoice_core::calendar::Instant;
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
        let record = json!({"document": {"invoice": {
            "kind": "82", "issue_date": "2026-11-21", "note": "@SUM(A1)\n\"x\"",
            "seller": {"id": "91330000142942095H", "name": "甲,公司"}, "buyer": {"name": "-乙"},
            "total": "1060.00", "total_without_tax": "1000.00", "total_tax": "60.00",
        }}});
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
        assert_eq!(row[7], Cell::Empty, "the buyer has no id");
        assert_eq!(row[14], Cell::Text("已入账".into()));
    }
}
