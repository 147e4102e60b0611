//! Fully digital invoices (数电票): root `EInvoice` with `TaxSupervisionInfo`.
//!
//! Values are taken by their full path: `TotalTax-includedAmount` of the document and
//! `TotaltaxIncludedAmount` of a line differ in case only, three elements are called `LabelName`,
//! and the plate number of a toll invoice is a number too. `PassengerTransportation` holds the
//! numbers of natural persons: nothing below it is read.

use invoice_core::invoice::InvoiceKind;

use super::payment::{is_medical, split};
use super::tree::Node;
use crate::error::PaperError;
use crate::raw::{Raw, RawLine};

/// Reads the values.
pub(super) fn read(root: &Node) -> Result<Raw, PaperError> {
    let number = root.plain(&["TaxSupervisionInfo", "InvoiceNumber"])?;
    let repeated = root.plain(&["Header", "EIid"])?;
    if let (Some(number), Some(repeated)) = (&number, &repeated)
        && number != repeated
    {
        return Err(PaperError::Contradictory);
    }
    let label = |name: &str| root.plain(&["Header", "InherentLabel", name, "LabelCode"]);
    let specific = root.one(&["EInvoiceData", "SpecificInformation"])?;
    // The label tells special from ordinary, and nothing of the kinds on paper or for vehicles.
    let electronic = label("EInvoiceType")?.as_deref() == Some("01");
    let vehicle = specific.is_some_and(|specific| {
        let mut groups = specific.children.iter();
        groups.any(|group| is_vehicle(&group.name))
    });
    let kind = match label("GeneralOrSpecialVAT")?.as_deref() {
        Some("01") if electronic && !vehicle => Some(InvoiceKind::DigitalSpecial),
        Some("02") if electronic && !vehicle => Some(InvoiceKind::DigitalOrdinary),
        Some(_) | None => None,
    };
    let payment = match specific {
        Some(specific) => split(specific)?,
        None => None,
    };
    let labels = root.all(&["Header", "UndefinedLabel", "Label", "LabelName"]);
    let medical =
        specific.is_some_and(names_medical) || labels.iter().any(|label| is_medical(&label.text));
    let red = label("InIssuType")?.as_deref() == Some("N");
    let data = ["EInvoiceData"];
    let text = |part: &str, name: &str| root.text(&[data[0], part, name]);
    let plain = |part: &str, name: &str| root.plain(&[data[0], part, name]);
    let red_letter =
        |name: &str| root.plain(&[data[0], "SpecificInformation", "RedEInvoice", name]);
    let lines = root
        .all(&[data[0], "IssuItemInformation"])
        .into_iter()
        .filter(|line| !line.children.is_empty())
        .map(line)
        .collect::<Result<_, _>>()?;
    Ok(Raw {
        // The repetition in the header alone does not make an invoice: the bureau's part counts.
        number,
        kind,
        date: root.plain(&["TaxSupervisionInfo", "IssueTime"])?,
        seller_id: plain("SellerInformation", "SellerIdNum")?,
        seller_name: text("SellerInformation", "SellerName")?,
        buyer_id: plain("BuyerInformation", "BuyerIdNum")?,
        buyer_name: text("BuyerInformation", "BuyerName")?,
        total: plain("BasicInformation", "TotalTax-includedAmount")?,
        without_tax: plain("BasicInformation", "TotalAmWithoutTax")?,
        tax: plain("BasicInformation", "TotalTaxAm")?,
        words: plain("BasicInformation", "TotalTax-includedAmountInChinese")?,
        lines,
        red,
        payment_unread: medical && payment.is_none(),
        payment,
        red_of: red_letter("OriginalInvoiceCode")?,
        red_confirmation: red_letter("CreditNoteNumber")?,
        note: text("AdditionalInformation", "Remark")?,
        signed: root
            .text(&["TaxBureauSignature", "SignatureValue"])?
            .is_some(),
        ..Raw::default()
    })
}

/// Whether an element here or below has the name of something medical.
fn names_medical(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |below| found |= is_medical(&below.name));
    found
}

/// Whether an element is of the invoices for cars (特定要素 14, 15), which are kinds of their own.
fn is_vehicle(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("vehicle") || name.contains("机动车") || name.contains("二手车")
}

fn line(line: &Node) -> Result<RawLine, PaperError> {
    Ok(RawLine {
        name: line.text(&["ItemName"])?,
        spec: line.text(&["SpecMod"])?,
        unit: line.text(&["MeaUnits"])?,
        quantity: line.plain(&["Quantity"])?,
        unit_price: line.plain(&["UnPrice"])?,
        amount: line.plain(&["Amount"])?,
        tax_rate: line.plain(&["TaxRate"])?,
        tax: line.plain(&["ComTaxAm"])?,
        tax_code: line.plain(&["TaxClassificationCode"])?,
        ..RawLine::default()
    })
}
