//! The XML inside tax OFDs of the tax-control system (`original_invoice.xml`, root `eInvoice`).

use invoice_core::invoice::InvoiceKind;
use invoice_core::qr::{self, QrType};
use invoice_core::read::Spelled as _;

use super::payment::split;
use super::tree::Node;
use crate::error::PaperError;
use crate::raw::{Raw, RawLine};

/// Reads the values.
pub(super) fn read(root: &Node) -> Result<Raw, PaperError> {
    // A text as people read it, which may hold references to characters.
    let graph = root.text(&["GraphCode"])?;
    let kind = match graph.as_deref().and_then(kind_of) {
        Some(kind) => Some(kind),
        // Other producers write a number of their own here, of one digit.
        None => {
            let code = root.plain(&["TypeCode"])?;
            code.and_then(|code| InvoiceKind::spelled(&code).ok())
        }
    };
    let lines = root
        .all(&["GoodsInfos", "GoodsInfo"])
        .into_iter()
        .filter(|line| !line.children.is_empty())
        .map(line)
        .collect::<Result<_, _>>()?;
    Ok(Raw {
        code: root.plain(&["InvoiceCode"])?,
        number: root.plain(&["InvoiceNo"])?,
        kind,
        date: root.plain(&["IssueDate"])?,
        check_code: root.plain(&["InvoiceCheckCode"])?,
        seller_id: root.plain(&["Seller", "SellerTaxID"])?,
        seller_name: root.text(&["Seller", "SellerName"])?,
        buyer_id: root.plain(&["Buyer", "BuyerTaxID"])?,
        buyer_name: root.text(&["Buyer", "BuyerName"])?,
        total: root.plain(&["TaxInclusiveTotalAmount"])?,
        without_tax: root.plain(&["TaxExclusiveTotalAmount"])?,
        tax: root.plain(&["TaxTotalAmount"])?,
        lines,
        // Written by this registry: the tax OFD has no name for who paid.
        payment: match root.one(&["MedicalPayment"])? {
            Some(parts) => split(parts)?,
            None => None,
        },
        note: root.text(&["Note"])?,
        qr: graph,
        signed: root.text(&["Signature"])?.is_some(),
        ..Raw::default()
    })
}

/// The kind whose QR codes bear the type of this text.
fn kind_of(text: &str) -> Option<InvoiceKind> {
    let qr_type = qr::parse(text).ok()?.qr_type;
    InvoiceKind::ALL
        .iter()
        .copied()
        .find(|kind| QrType::of_kind(*kind) == Some(qr_type))
}

fn line(line: &Node) -> Result<RawLine, PaperError> {
    Ok(RawLine {
        name: line.text(&["Item"])?,
        spec: line.text(&["Specification"])?,
        unit: line.text(&["MeasurementDimension"])?,
        quantity: line.plain(&["Quantity"])?,
        unit_price: line.plain(&["Price"])?,
        amount: line.plain(&["Amount"])?,
        tax_rate: line.plain(&["TaxScheme"])?,
        tax: line.plain(&["TaxAmount"])?,
        tax_code: line.plain(&["TaxClassificationCode"])?,
        ..RawLine::default()
    })
}
