//! One line of an invoice, or one item of a bill.

use invoice_core::invoice::TaxRate;
use invoice_core::money::Fen;
use invoice_core::read::Spelled;

use super::oddities::Oddities;
use crate::paper::PaperLine;
use crate::raw::RawLine;
use crate::spelling;
use crate::warning::WarningCode;

/// How far a line's tax may be from amount times rate.
const LINE_TAX_TOLERANCE: Fen = Fen::new(6);

/// Reads a line and judges what concerns it alone.
pub(super) fn judge(odd: &mut Oddities, index: usize, line: RawLine) -> PaperLine {
    let at = |member: &str| format!("lines/{index}/{member}");
    let quantity = line.quantity.and_then(|text| {
        let read = spelling::decimal(&text);
        if read.is_none() {
            odd.unreadable(&at("quantity"), &text);
        }
        read
    });
    let unit_price = line.unit_price.and_then(|text| {
        let read = spelling::decimal(&text);
        if read.is_none() {
            odd.unreadable(&at("unit_price"), &text);
        }
        read
    });
    let amount = odd.sum(&at("amount"), line.amount);
    let tax = odd.sum(&at("tax"), line.tax);
    let tax_rate = line.tax_rate.and_then(|text| {
        let read = spelling::tax_rate(&text);
        if read.is_none() {
            odd.unreadable(&at("tax_rate"), &text);
        }
        read
    });
    if let (Some(quantity), Some(price), Some(amount)) = (&quantity, &unit_price, amount)
        && !quantity.product_is(price, amount)
    {
        let found = format!("{}: {quantity} × {price} ≠ {amount}", at("amount"));
        odd.note(WarningCode::LineAmountDiffers, found);
    }
    let rate = tax_rate
        .as_deref()
        .and_then(|rate| TaxRate::spelled(rate).ok());
    if let (Some(rate), Some(amount), Some(tax)) = (rate, amount, tax)
        && rate
            .tax_error(amount, tax)
            .is_some_and(|error| error.exceeds(LINE_TAX_TOLERANCE))
    {
        let found = format!("{}: {amount} × {rate} ≠ {tax}", at("tax"));
        odd.note(WarningCode::LineTaxDiffers, found);
    }
    let tax_code = line.tax_code.filter(|code| {
        let fits = code.len() == 19 && code.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            odd.unreadable(&at("tax_code"), code);
        }
        fits
    });
    PaperLine {
        code: odd.text(&at("code"), line.code),
        name: odd.text(&at("name"), line.name).unwrap_or_default(),
        spec: odd.text(&at("spec"), line.spec),
        unit: odd.text(&at("unit"), line.unit),
        quantity: quantity.map(|number| number.to_string()),
        unit_price: unit_price.map(|number| number.to_string()),
        amount,
        tax_rate,
        tax,
        tax_code,
    }
}
