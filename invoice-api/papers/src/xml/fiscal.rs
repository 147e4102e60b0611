//! Fiscal e-bills (财政电子票据): root `EInvoice` with `EInvoiceData/Main`
//! (财政电子票据数据规范, 财网信办〔2020〕1号).

use super::tree::Node;
use crate::error::PaperError;
use crate::raw::{Raw, RawLine};

/// Elements of the payment split, in the order of our members.
const PAYMENT: [&str; 6] = [
    "fundPayAmount",
    "otherPayAmount",
    "accountPayAmount",
    "ownPayAmount",
    "selfpaymentAmount",
    "selfpaymentCost",
];

/// Reads the values.
pub(super) fn read(root: &Node) -> Result<Raw, PaperError> {
    let main = root
        .one(&["EInvoiceData", "Main"])?
        .ok_or(PaperError::XmlUnknown)?;
    let extension = main.one(&["MainExt"])?;
    // In the wild the case of these names varies.
    let more = |name: &str| -> Result<Option<String>, PaperError> {
        let Some(extension) = extension else {
            return Ok(None);
        };
        let mut found = extension
            .children
            .iter()
            .filter(|child| child.name.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(PaperError::Contradictory),
            (Some(node), None) if node.has_reference => Err(PaperError::XmlEntities),
            (Some(node), None) => Ok(node.value()),
            (None, _) => Ok(None),
        }
    };
    let mut payment: [Option<String>; 6] = Default::default();
    for (part, name) in payment.iter_mut().zip(PAYMENT) {
        *part = more(name)?;
    }
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
        payment: payment.iter().any(Option::is_some).then_some(payment),
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
