//! What travels inside the file: the record and its receipt, byte by byte.

use invoice_core::record::Document;

use crate::source::Paper;

/// A file inside the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) description: &'static str,
    /// Its exact bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The record, and the receipt where there is one.
pub(crate) fn of(paper: &Paper<'_>) -> Vec<Attachment> {
    let mut attachments = vec![Attachment {
        name: "record.json",
        description: paper
            .wording
            .of("开票记录原文", "The exact text of the record"),
        bytes: paper.record.as_bytes().to_vec(),
    }];
    attachments.extend(paper.receipt.map(|receipt| Attachment {
        name: "receipt.json",
        description: paper.wording.of(
            "登记回执，可离线核验",
            "The receipt, to be verified offline",
        ),
        bytes: receipt.as_bytes().to_vec(),
    }));
    attachments
}

/// What readers of tax OFDs look for by name, in `OFD.xml`.
pub(crate) fn facts(document: Document<'_>) -> Vec<(&'static str, String)> {
    match document {
        Document::Invoice(invoice) => {
            let mut facts = Vec::new();
            if let Some(code) = invoice.key.code() {
                facts.push(("发票代码", code.to_owned()));
            }
            facts.push(("发票号码", invoice.key.number().to_owned()));
            facts.push(("开票日期", crate::invoice::date(invoice.issue_date)));
            facts.push(("购买方名称", invoice.buyer.name.clone()));
            if let Some(id) = &invoice.buyer.id {
                facts.push(("购买方纳税人识别号", id.to_string()));
            }
            facts.push(("销售方名称", invoice.seller.name.clone()));
            facts.push(("销售方纳税人识别号", invoice.seller.id.to_string()));
            facts.push(("合计金额", invoice.total_without_tax.to_string()));
            facts.push(("合计税额", invoice.total_tax.to_string()));
            facts.push(("价税合计", invoice.total.to_string()));
            facts
        }
        Document::Bill(bill) => vec![
            ("票据代码", bill.key.code().unwrap_or_default().to_owned()),
            ("票据号码", bill.key.number().to_owned()),
            ("校验码", bill.check_code.to_string()),
            ("开票日期", crate::invoice::date(bill.issue_date)),
            ("收款单位", bill.issuer.name.clone()),
            ("收款单位代码", bill.issuer.id.to_string()),
            ("金额合计", bill.total.to_string()),
        ],
    }
}
