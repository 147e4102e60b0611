//! CSV that spreadsheets open as it is meant: UTF-8 with its mark, no formulas, numbers whole.

use super::{Cell, Ledger};
use crate::fault::Fault;

/// Tells Excel that the file is UTF-8.
const MARK: &str = "\u{feff}";

/// The file's bytes (RFC 4180, CRLF).
pub(super) fn write(ledger: &Ledger) -> Result<Vec<u8>, Fault> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(MARK.as_bytes().to_vec());
    let headings = ledger.headings().map(|(heading, _)| heading);
    // Writing into memory cannot fail.
    writer.write_record(headings).map_err(|_| Fault::Internal)?;
    for row in &ledger.rows {
        writer
            .write_record(row.iter().map(text))
            .map_err(|_| Fault::Internal)?;
    }
    writer.into_inner().map_err(|_| Fault::Internal)
}

/// A cell's text. What begins like a formula gets an apostrophe, so that no spreadsheet computes
/// what a stranger wrote; long digits get a tab, else they lose their last ones.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => match text.chars().next() {
            Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
                format!("'{text}")
            }
            Some(_) | None => text.clone(),
        },
        Cell::Number(number) => format!("\t{number}"),
        Cell::Money(fen) => fen.to_string(),
        Cell::Count(count) => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_reads_texts_as_texts_and_numbers_whole() {
        let bytes = write(&super::super::tests::sample()).unwrap();
        let file = String::from_utf8(bytes).unwrap();
        assert!(file.starts_with("\u{feff}序号,号码,开票日期,"));
        assert_eq!(file.matches("\r\n").count(), 2);
        let mut reader = csv::Reader::from_reader(file.trim_start_matches(MARK).as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[1], "\t24442000000000000016");
        assert_eq!(&row[3], "\t04", "the kind keeps its zero");
        assert_eq!(&row[4], "甲,公司");
        assert_eq!(&row[6], "'-乙");
        assert_eq!(&row[8], "1060.00");
        assert_eq!(&row[13], "'@SUM(A1)\n\"x\"");
        assert_eq!(&row[17], "'=1+1");
    }
}
