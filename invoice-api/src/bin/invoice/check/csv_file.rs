//! Lists of documents as finance clerks keep them: CSV, with a Chinese or English heading or none.

use invoice_api::client::CheckItem;

use super::spelling::{amount, date, document};
use crate::failure::Failure;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Document,
    Code,
    Number,
    Amount,
    Date,
    CheckCode,
    Qr,
}

/// Columns of a file without a heading.
const PLAIN: [Column; 4] = [
    Column::Document,
    Column::Amount,
    Column::Date,
    Column::CheckCode,
];

impl Column {
    /// The column with this heading; `None` for one that a check has no use for.
    fn of_heading(heading: &str) -> Option<Self> {
        let heading = heading.trim().trim_start_matches('\u{feff}').to_lowercase();
        Some(match heading.as_str() {
            "document" | "key" | "票据" | "票据键" => Self::Document,
            "code" | "发票代码" | "票据代码" | "代码" => Self::Code,
            "number" | "发票号码" | "票据号码" | "号码" | "数电票号码" | "数电发票号码" => {
                Self::Number
            }
            "amount" | "total" | "金额" | "价税合计" | "总金额" | "含税" | "含税金额" => {
                Self::Amount
            }
            "date" | "issue_date" | "日期" | "开票日期" => Self::Date,
            "check_code" | "校验码" => Self::CheckCode,
            "qr" | "二维码" => Self::Qr,
            _ => return None,
        })
    }
}

/// Reads every row; a row that is no document is named with its line.
pub(super) fn read(text: &str) -> Result<Vec<CheckItem>, Failure> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut columns: Option<Vec<Option<Column>>> = None;
    let mut items = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| Failure::usage("csv", format!("CSV: {error}")))?;
        let line = row.position().map_or(0, csv::Position::line);
        if row.iter().all(str::is_empty) {
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let headings: Vec<_> = row.iter().map(Column::of_heading).collect();
                let is_heading = headings.iter().any(Option::is_some);
                let known = if is_heading {
                    headings
                } else {
                    PLAIN.map(Some).to_vec()
                };
                let known = columns.insert(known);
                if is_heading {
                    continue;
                }
                known
            }
        };
        let cell = |wanted: Column| {
            let place = columns.iter().position(|column| *column == Some(wanted))?;
            row.get(place).filter(|text| !text.is_empty())
        };
        let item = item(cell);
        items.push(item.map_err(|failure| Failure {
            message: format!("CSV {line}: {}", failure.message),
            ..failure
        })?);
    }
    Ok(items)
}

fn item<'r>(cell: impl Fn(Column) -> Option<&'r str>) -> Result<CheckItem, Failure> {
    if let Some(qr) = cell(Column::Qr) {
        return Ok(CheckItem::Qr { qr: qr.to_owned() });
    }
    let number = cell(Column::Document)
        .or_else(|| cell(Column::Number))
        .ok_or_else(|| {
            Failure::usage(
                "document_missing",
                "缺少票据号码 / there is no document number",
            )
        })?;
    Ok(CheckItem::Elements {
        document: document(number, cell(Column::Code))?,
        amount: cell(Column::Amount).map(amount),
        date: cell(Column::Date).map(date),
        check_code: cell(Column::CheckCode).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(
        document: &str,
        amount: Option<&str>,
        date: Option<&str>,
        code: Option<&str>,
    ) -> CheckItem {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        CheckItem::Elements {
            document: document.to_owned(),
            amount: owned(amount),
            date: owned(date),
            check_code: owned(code),
        }
    }

    const KEY: &str = "D:24442000000012345678";

    #[test]
    fn headings_in_either_language_choose_the_columns() {
        let text = "\u{feff}序号,发票代码,发票号码,开票日期,价税合计,销售方\n\
                    1,,24442000000012345678,2026/11/2,\"¥1,600.00\",某公司\n\
                    \n\
                    2,044031900111,12345678,20261120,64.9,某店\n";
        let items = read(text).unwrap();
        assert_eq!(
            items,
            [
                elements(KEY, Some("1600.00"), Some("2026-11-02"), None),
                elements(
                    "P:044031900111-12345678",
                    Some("64.9"),
                    Some("2026-11-20"),
                    None
                ),
            ]
        );
        let text = "document,check_code\nF:33060122-0123456789,a1B2c3\n";
        assert_eq!(
            read(text).unwrap(),
            [elements(
                "F:33060122-0123456789",
                None,
                None,
                Some("a1B2c3")
            )]
        );
    }

    #[test]
    fn without_a_heading_the_order_is_document_amount_date_check_code() {
        let items = read(&format!("{KEY},100.00,2026-11-20\n{KEY}\n")).unwrap();
        assert_eq!(
            items,
            [
                elements(KEY, Some("100.00"), Some("2026-11-20"), None),
                elements(KEY, None, None, None)
            ]
        );
    }

    #[test]
    fn qr_texts_may_stand_in_a_column() {
        let items = read("qr\n\"01,32,,24442000000012345678,100.00,20261120,,ABCD\"\n").unwrap();
        assert!(matches!(&items[..], [CheckItem::Qr { qr }] if qr.starts_with("01,32,,2444")));
    }

    #[test]
    fn a_row_without_a_document_is_named() {
        let failure = read("number,amount\n24442000000012345678,1\n,5\n").unwrap_err();
        assert_eq!(failure.code, "document_missing");
        assert!(failure.message.starts_with("CSV 3:"), "{}", failure.message);
    }
}
