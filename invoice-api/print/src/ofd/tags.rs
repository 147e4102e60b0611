//! `Tag_Invoice.xml`: for each field the text objects of the page that show it.

use std::fmt::Write as _;

use invoice_core::identity::DocumentKey;

use super::page::Tagged;
use super::parts::{HEAD, SPACE};
use crate::model::Tag;
use crate::source::Layout;

const EINVOICE: &str = "http://www.edrm.org.cn/schema/e-invoice/2019";

/// A field, or a group of them.
enum Node {
    Leaf(&'static str, Tag),
    Group(&'static str, &'static [Node]),
}

/// The fields of an invoice, named as in `original_invoice.xml`.
const INVOICE: &[Node] = &[
    Node::Leaf("InvoiceCode", Tag::Code),
    Node::Leaf("InvoiceNo", Tag::Number),
    Node::Leaf("IssueDate", Tag::Date),
    Node::Group(
        "Buyer",
        &[
            Node::Leaf("BuyerName", Tag::BuyerName),
            Node::Leaf("BuyerTaxID", Tag::BuyerId),
        ],
    ),
    Node::Group(
        "Seller",
        &[
            Node::Leaf("SellerName", Tag::SellerName),
            Node::Leaf("SellerTaxID", Tag::SellerId),
        ],
    ),
    Node::Leaf("TaxInclusiveTotalAmount", Tag::Total),
    Node::Leaf("TaxInclusiveTotalAmountWithWords", Tag::TotalInWords),
    Node::Leaf("Note", Tag::Note),
    Node::Leaf("TaxTotalAmount", Tag::Tax),
    Node::Leaf("TaxExclusiveTotalAmount", Tag::WithoutTax),
    Node::Group(
        "GoodsInfos",
        &[Node::Group(
            "GoodsInfo",
            &[
                Node::Leaf("Item", Tag::LineName),
                Node::Leaf("Specification", Tag::LineSpec),
                Node::Leaf("MeasurementDimension", Tag::LineUnit),
                Node::Leaf("Price", Tag::LinePrice),
                Node::Leaf("Quantity", Tag::LineQuantity),
                Node::Leaf("Amount", Tag::LineAmount),
                Node::Leaf("TaxScheme", Tag::LineRate),
                Node::Leaf("TaxAmount", Tag::LineTax),
            ],
        )],
    ),
];

/// The fields of a fiscal bill, named as in its XML.
const BILL: &[Node] = &[
    Node::Leaf("EInvoiceCode", Tag::Code),
    Node::Leaf("EInvoiceNumber", Tag::Number),
    Node::Leaf("RandomNumber", Tag::CheckCode),
    Node::Leaf("IssueDate", Tag::Date),
    Node::Leaf("InvoicingPartyName", Tag::SellerName),
    Node::Leaf("InvoicingPartyCode", Tag::SellerId),
    Node::Leaf("TotalAmount", Tag::Total),
    Node::Group(
        "Item",
        &[
            Node::Leaf("ItemName", Tag::LineName),
            Node::Leaf("ItemAmount", Tag::LineAmount),
        ],
    ),
];

/// The file.
pub(crate) fn tags(layout: &Layout, tagged: &[Tagged]) -> String {
    let fields = match layout.key {
        DocumentKey::Fiscal { .. } => BILL,
        DocumentKey::Digital(_) | DocumentKey::Paper { .. } => INVOICE,
    };
    let mut xml = format!("{HEAD}<fp:eInvoice xmlns:fp=\"{EINVOICE}\" {SPACE} Version=\"1.0\">");
    for node in fields {
        write_node(node, tagged, &mut xml);
    }
    xml.push_str("</fp:eInvoice>\n");
    xml
}

fn write_node(node: &Node, tagged: &[Tagged], xml: &mut String) {
    match node {
        Node::Leaf(name, tag) => {
            let _ = write!(xml, "<fp:{name}>");
            // What stands on every page is pointed at once; a long name may be several objects.
            let first = tagged.iter().find(|found| found.tag == *tag);
            let page = first.map(|found| found.page);
            for found in tagged
                .iter()
                .filter(|found| found.tag == *tag && (tag.is_of_line() || Some(found.page) == page))
            {
                let _ = write!(
                    xml,
                    "<ofd:ObjectRef PageRef=\"{}\">{}</ofd:ObjectRef>",
                    found.page, found.object
                );
            }
            let _ = write!(xml, "</fp:{name}>");
        }
        Node::Group(name, nodes) => {
            let _ = write!(xml, "<fp:{name}>");
            for node in *nodes {
                write_node(node, tagged, xml);
            }
            let _ = write!(xml, "</fp:{name}>");
        }
    }
}
