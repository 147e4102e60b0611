//! Fiscal e-bills (财政电子票据): root `EInvoice` with `EInvoiceData/Main`
//! (财政电子票据数据规范, 财网信办〔2020〕1号).

use super::payment::{split, value_below};
use super::tree::Node;
use crate::error::PaperError;
use crate::raw::{Raw, RawLine};

/// Reads the values.
pub(super) fn read(root: &Node) -> Result<Raw, PaperError> {
    let main = root
        .one(&["EInvoiceData", "Main"])?
        .ok_or(PaperError::XmlUnknown)?;
    let extension = main.one(&["MainExt"])?;
    let more = |name: &str| match extension {
        Some(extension) => value_below(extension, &[name]),
        None => Ok(None),
    };
    let payment = match extension {
        Some(extension) => split(extension)?,
        None => None,
    };
    let medical_type = more("medicalType")?;
    let inpatient = match medical_type.as_deref() {
        Some(words) if words.contains("住院") => Some(true),
        Some(words) if words.contains("门诊") => Some(false),
        _ if more("inHospitalDate")?.is_some() => Some(true),
        _ => None,
    };
    let person = main.plain(&["PayerParty", "PayerPartyType"])?;
    let lines = root
        .all(&["EInvoiceData", "Details", "Item"])
        .into_iter()
        .filter(|item| !item.children.is_empty())
        .map(item)
        .collect::<Result<_, _>>()?;
    let red_of = more("relatedInvoiceNumber")?;
    let red_of_code = more("relatedInvoiceCode")?;
    Ok(Raw {
        fiscal: true,
        code: main.plain(&["EInvoiceCode"])?,
        number: main.plain(&["EInvoiceNumber"])?,
        date: main.plain(&["IssueDate"])?,
        check_code: main.plain(&["RandomNumber"])?,
        seller_id: main.plain(&["InvoicingParty", "InvoicingPartyCode"])?,
        seller_name: main.text(&["InvoicingParty", "InvoicingPartyName"])?,
        buyer_id: main.plain(&["PayerParty", "PayerPartyCode"])?,
        buyer_name: main.text(&["PayerParty", "PayerPartyName"])?,
        buyer_is_person: person.as_deref() != Some("2"),
        total: main.plain(&["TotalAmount"])?,
        lines,
        payment,
        inpatient,
        red_of,
        red_of_code,
        note: main.text(&["Remark"])?,
        signed: !root
            .all(&["EInvoiceSignature", "Signature", "SignatureValue"])
            .is_empty(),
        ..Raw::default()
    })
}

fn item(item: &Node) -> Result<RawLine, PaperError> {
    Ok(RawLine {
        code: item.text(&["ItemCode"])?,
        name: item.text(&["ItemName"])?,
        spec: item.text(&["ItemStd"])?,
        unit: item.text(&["ItemUnit"])?,
        quantity: item.plain(&["ItemQuantity"])?,
        // The standard price of an item is not always the one that was charged: not a price here.
        amount: item.plain(&["ItemAmount"])?,
        ..RawLine::default()
    })
}
