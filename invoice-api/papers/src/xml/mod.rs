//! XML of invoices and fiscal bills, in all its dialects.

mod attachment;
mod digital;
mod encoding;
mod fiscal;
mod flat;
mod payment;
mod tree;

pub(crate) use flat::{Field, Flat};
pub(crate) use tree::{Node, parse};

use crate::error::PaperError;
use crate::limits::Meter;
use crate::paper::{Format, Paper, Tier};
use crate::raw::Raw;

/// Reads the bytes of an XML file.
///
/// # Errors
/// Any [`PaperError`] of XML.
pub(crate) fn read(
    bytes: &[u8],
    tier: Tier,
    meter: &mut Meter<'_>,
) -> Result<(Format, Paper), PaperError> {
    let root = parse(bytes, meter)?;
    let raw = dialect(&root)?;
    let format = match raw.fiscal {
        true => Format::FiscalXml,
        false => Format::InvoiceXml,
    };
    Ok((format, crate::judge::judge(raw, tier)?))
}

/// The dialect is told by what stands in the file, never by its name.
fn dialect(root: &Node) -> Result<Raw, PaperError> {
    // The roots of all dialects, whichever stands outside of the other.
    if root.count("EInvoice") > 1 {
        return Err(PaperError::SeveralDocuments);
    }
    match root.name.as_str() {
        "EInvoice" => {
            for part in ["Header", "EInvoiceData", "TaxSupervisionInfo"] {
                if root.all(&[part]).len() > 1 {
                    return Err(PaperError::SeveralDocuments);
                }
            }
            let fiscal = !root.all(&["EInvoiceData", "Main"]).is_empty();
            let digital = !root.all(&["TaxSupervisionInfo"]).is_empty()
                || !root.all(&["EInvoiceData", "BasicInformation"]).is_empty();
            match (digital, fiscal) {
                (true, true) => Err(PaperError::Contradictory),
                (true, false) => digital::read(root),
                (false, true) => fiscal::read(root),
                (false, false) => flat::read(root),
            }
        }
        "eInvoice" if !root.all(&["InvoiceNo"]).is_empty() => attachment::read(root),
        _ => flat::read(root),
    }
}

#[cfg(test)]
mod tests;
