//! XML that other programs read: escaping, and the invoice in the form that tax OFDs attach.

use invoice_core::amount_words;
use invoice_core::invoice::Payment;
use invoice_core::record::{Bill, Document, Invoice, Visit};

use crate::invoice::{date, rate};

/// Text for the inside of an element or an attribute. Characters that XML 1.0 does not allow
/// become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Writes elements one inside the other.
#[derive(Default)]
struct Elements(String);

impl Elements {
    fn leaf(&mut self, name: &str, text: &str) {
        self.0
            .push_str(&format!("<{name}>{}</{name}>", escape(text)));
    }

    fn inside(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>"));
        fill(self);
        self.0.push_str(&format!("</{name}>"));
    }
}

/// What stands in the OFD as `original_invoice.xml`: for an invoice the form of the tax OFD, for a
/// bill that of the fiscal e-bill. It is made from the record, which is what counts.
pub(crate) fn original(document: Document<'_>) -> Vec<u8> {
    let mut elements = Elements::default();
    elements
        .0
        .push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    match document {
        Document::Invoice(invoice) => write_invoice(invoice, &mut elements),
        Document::Bill(bill) => write_bill(bill, &mut elements),
    }
    elements.0.push('\n');
    elements.0.into_bytes()
}

fn write_invoice(invoice: &Invoice, xml: &mut Elements) {
    xml.0.push_str(
        "<fp:eInvoice xmlns:fp=\"http://www.edrm.org.cn/schema/e-invoice/2019\" Version=\"1.0\">",
    );
    xml.leaf("fp:DocID", "01");
    xml.leaf("fp:InvoiceCode", invoice.key.code().unwrap_or_default());
    xml.leaf("fp:InvoiceNo", invoice.key.number());
    xml.leaf("fp:TypeCode", invoice.kind.code());
    xml.leaf("fp:IssueDate", &date(invoice.issue_date));
    xml.leaf("fp:InvoiceCheckCode", "");
    let buyer_id = invoice.buyer.id.as_ref().map(|id| id.as_str());
    xml.inside("fp:Buyer", |xml| {
        xml.leaf("fp:BuyerName", &invoice.buyer.name);
        xml.leaf("fp:BuyerTaxID", buyer_id.unwrap_or_default());
    });
    xml.inside("fp:Seller", |xml| {
        xml.leaf("fp:SellerName", &invoice.seller.name);
        xml.leaf("fp:SellerTaxID", invoice.seller.id.as_str());
    });
    xml.leaf("fp:TaxInclusiveTotalAmount", &invoice.total.to_string());
    xml.leaf("fp:Note", invoice.note.as_deref().unwrap_or_default());
    xml.leaf("fp:TaxTotalAmount", &invoice.total_tax.to_string());
    xml.leaf(
        "fp:TaxExclusiveTotalAmount",
        &invoice.total_without_tax.to_string(),
    );
    xml.leaf(
        "fp:TaxInclusiveTotalAmountWithWords",
        &amount_words::write(invoice.total),
    );
    xml.inside("fp:GoodsInfos", |xml| {
        for line in &invoice.lines {
            let quantity = line.quantity.as_ref().map(|text| text.as_str());
            let price = line.unit_price.as_ref().map(|text| text.as_str());
            xml.inside("fp:GoodsInfo", |xml| {
                xml.leaf("fp:Item", &line.name);
                xml.leaf("fp:Specification", line.spec.as_deref().unwrap_or_default());
                xml.leaf(
                    "fp:MeasurementDimension",
                    line.unit.as_deref().unwrap_or_default(),
                );
                xml.leaf("fp:Price", price.unwrap_or_default());
                xml.leaf("fp:Quantity", quantity.unwrap_or_default());
                xml.leaf("fp:Amount", &line.amount.to_string());
                xml.leaf("fp:TaxScheme", &rate(line.tax_rate));
                xml.leaf("fp:TaxAmount", &line.tax.to_string());
                if let Some(code) = &line.tax_code {
                    xml.leaf("fp:TaxClassificationCode", code);
                }
            });
        }
    });
    if let Some(split) = &invoice.payment {
        xml.inside("fp:MedicalPayment", |xml| write_split(split, "fp:", xml));
    }
    xml.0.push_str("</fp:eInvoice>");
}

/// Who paid, in the names of the fiscal e-bill: that of the tax OFD has none for it.
fn write_split(split: &Payment, prefix: &str, xml: &mut Elements) {
    for (name, amount) in [
        ("fundPayAmount", split.fund),
        ("otherPayAmount", split.other),
        ("accountPayAmount", split.account),
        ("ownPayAmount", split.cash),
        ("selfpaymentAmount", split.self_pay),
        ("selfpaymentCost", split.self_fund),
    ] {
        xml.leaf(&format!("{prefix}{name}"), &amount.to_string());
    }
}

fn write_bill(bill: &Bill, xml: &mut Elements) {
    let code = bill.key.code().unwrap_or_default();
    xml.inside("EInvoice", |xml| {
        xml.inside("Header", |xml| {
            xml.leaf("EInvoiceID", &format!("{code}-{}", bill.key.number()));
            let region = code.get(..2).unwrap_or_default();
            xml.leaf("EInvoiceTag", &format!("CZ-EI-{region}"));
            xml.leaf("Version", "1.1.0");
        });
        xml.inside("EInvoiceData", |xml| {
            xml.inside("Main", |xml| {
                xml.leaf("EInvoiceName", crate::bill::title(bill.visit));
                xml.leaf("EInvoiceCode", code);
                xml.leaf("EInvoiceNumber", bill.key.number());
                xml.leaf("RandomNumber", bill.check_code.as_str());
                xml.leaf("TotalAmount", &bill.total.to_string());
                xml.leaf("IssueDate", &bill.issue_date.to_compact());
                xml.inside("InvoicingParty", |xml| {
                    xml.leaf("InvoicingPartyCode", bill.issuer.id.as_str());
                    xml.leaf("InvoicingPartyName", &bill.issuer.name);
                });
                xml.inside("MainExt", |xml| {
                    let visit = match bill.visit {
                        Visit::Outpatient => "门诊",
                        Visit::Inpatient => "住院",
                    };
                    xml.leaf("medicalType", visit);
                    write_split(&bill.payment, "", xml);
                });
            });
            xml.inside("Details", |xml| {
                for item in &bill.items {
                    xml.inside("Item", |xml| {
                        xml.leaf("ItemCode", item.code.as_deref().unwrap_or_default());
                        xml.leaf("ItemName", &item.name);
                        xml.leaf("ItemAmount", &item.amount.to_string());
                    });
                }
            });
        });
    });
}
