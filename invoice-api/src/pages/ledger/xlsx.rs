//! The ledger as a workbook (ISO/IEC 29500).

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{Cell, Ledger};
use crate::fault::Fault;

/// The file's bytes.
pub(super) fn write(ledger: &Ledger) -> Result<Vec<u8>, Fault> {
    workbook(ledger).map_err(|_| Fault::Internal)
}

fn workbook(ledger: &Ledger) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(ledger.language.of_two("报销台账", "Ledger"))?;
    let heading_format = Format::new().set_bold();
    let money_format = Format::new().set_num_format("#,##0.00");
    for (column, (heading, width)) in (0_u16..).zip(ledger.headings()) {
        sheet.write_string_with_format(0, column, heading, &heading_format)?;
        sheet.set_column_width(column, width)?;
    }
    for (line, row) in (1_u32..).zip(&ledger.rows) {
        for (column, cell) in (0_u16..).zip(row) {
            // Texts are written as texts: what looks like a formula is none in a workbook.
            match cell {
                Cell::Empty => {}
                Cell::Text(text) | Cell::Number(text) => {
                    sheet.write_string(line, column, text)?;
                }
                Cell::Money(fen) => {
                    let yuan = yuan(fen.get());
                    sheet.write_number_with_format(line, column, yuan, &money_format)?;
                }
                Cell::Count(count) => {
                    match u32::try_from(*count) {
                        Ok(count) => sheet.write_number(line, column, count)?,
                        Err(_) => sheet.write_string(line, column, count.to_string())?,
                    };
                }
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    workbook.save_to_buffer()
}

/// Spreadsheets know no whole fen. The contract's greatest amount has 12 digits, well within the
/// 15 that their numbers keep exactly.
#[expect(
    clippy::cast_precision_loss,
    reason = "at most 12 digits, see the comment"
)]
fn yuan(fen: i64) -> f64 {
    fen as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workbook_is_a_zip_with_a_sheet() {
        let bytes = write(&super::super::tests::sample()).unwrap();
        assert_eq!(&bytes[..4], b"PK\x03\x04");
        let name = b"xl/worksheets/sheet1.xml";
        assert!(bytes.windows(name.len()).any(|part| part == name));
    }

    #[test]
    fn money_keeps_its_fen() {
        for fen in [0, 1, 10, 106_000, 999_999_999_999] {
            assert_eq!(
                format!("{:.2}", yuan(fen)),
                invoice_core::money::Fen::new(fen).to_string()
            );
        }
    }
}
