//! Answers about files of documents.

use invoice_core::crypto::Hash;
use invoice_core::money::Fen;
use papers::{Paper, PaperLine, PaperParty, PaperPayment, Reading, RedLetter, Seal, Warning};
use serde::Serialize;
use utoipa::ToSchema;

use crate::language::Language;

/// What was read of a file. It says what the file claims, not that it is true.
#[derive(Debug, Serialize, ToSchema)]
pub struct PapersAnswer {
    /// `einvoice_xml`, `fiscal_xml`, `ofd`, `pdf`, `qr_image`, `qr_text` or `zip`.
    pub format: &'static str,
    /// SM3 of the file, 64 hexadecimal digits.
    pub sm3: String,
    /// Its documents: one, but for several QR codes on one picture.
    pub documents: Vec<PaperAnswer>,
}

/// A document as a file carries it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperAnswer {
    /// Its key.
    pub document: String,
    /// Its second key: code and number of the form of a fully digital invoice on paper (数电纸票).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// 发票类型, where the file says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its total, in yuan.
    pub amount: String,
    /// Set where the amount of an old QR text may be without tax.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub amount_may_be_without_tax: bool,
    /// 开票日期.
    pub date: String,
    /// 校验码.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_code: Option<String>,
    /// 销售方, 开票单位.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller: Option<PaperPartyAnswer>,
    /// 购买方, 交款人.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<PaperPartyAnswer>,
    /// 明细.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<PaperLineAnswer>,
    /// 合计金额, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_without_tax: Option<String>,
    /// 合计税额, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tax: Option<String>,
    /// 价税合计大写, read, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_in_words: Option<String>,
    /// The payment split of a medical document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaperPaymentAnswer>,
    /// `outpatient` or `inpatient`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<&'static str>,
    /// Set on red-letter documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red_letter: Option<RedLetterAnswer>,
    /// 备注.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where in the file it was read: `xml`, `attachment`, `tags`, `custom_data`, `qr`, `text`.
    pub tier: &'static str,
    /// The signatures around it.
    pub signature: SealAnswer,
    /// What is odd about it.
    pub warnings: Vec<WarningAnswer>,
}

/// A party as the file names it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperPartyAnswer {
    /// 统一社会信用代码 or 纳税人识别号, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 名称.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A line of an invoice or an item of a bill.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperLineAnswer {
    /// 项目编码.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 项目名称.
    pub name: String,
    /// 规格型号.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// 单位.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// 数量.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    /// 单价.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<String>,
    /// 金额, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// 税率: a fraction, or 免税, 不征税, `***`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<String>,
    /// 税额, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<String>,
    /// 税收分类编码.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<String>,
}

/// Who paid a medical bill, in yuan.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperPaymentAnswer {
    /// 医保统筹基金支付.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fund: Option<String>,
    /// 其他支付.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// 个人账户支付.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// 个人现金支付.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash: Option<String>,
    /// 个人自付.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_pay: Option<String>,
    /// 个人自费.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_fund: Option<String>,
}

/// What a red-letter document refers to.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedLetterAnswer {
    /// The document that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// 红字确认单编号.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
}

/// What can be said of the signatures in a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealAnswer {
    /// `verified`, `digests_only`, `broken`, `not_verifiable` or `absent`.
    pub state: &'static str,
    /// The name in the signer's certificate: a claim, unless `trusted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// SM3 of the signer's certificate (DER), of a seal that was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_sm3: Option<String>,
    /// Whether the certificate is one that whoever reads was told to trust, and its seal covers
    /// everything that was read.
    pub trusted: bool,
}

/// One oddity.
#[derive(Debug, Serialize, ToSchema)]
pub struct WarningAnswer {
    /// Its permanent code.
    pub code: &'static str,
    /// What is odd, in words, and where.
    pub detail: String,
}

impl PapersAnswer {
    /// What was read, in a language.
    #[must_use]
    pub fn new(sm3: Hash, reading: &Reading, language: Language) -> Self {
        Self {
            format: reading.format.as_str(),
            sm3: sm3.to_string(),
            documents: reading
                .papers
                .iter()
                .map(|paper| PaperAnswer::new(paper, language))
                .collect(),
        }
    }
}

fn money(amount: Option<Fen>) -> Option<String> {
    amount.map(|amount| amount.to_string())
}

impl PaperAnswer {
    fn new(paper: &Paper, language: Language) -> Self {
        Self {
            document: paper.document.to_string(),
            alias: paper.alias.map(|key| key.to_string()),
            kind: paper.kind.map(|kind| kind.code()),
            amount: paper.amount.to_string(),
            amount_may_be_without_tax: paper.amount_may_be_without_tax,
            date: paper.date.to_string(),
            check_code: paper.check_code.clone(),
            seller: party(&paper.seller),
            buyer: party(&paper.buyer),
            lines: paper.lines.iter().map(PaperLineAnswer::from).collect(),
            total_without_tax: money(paper.total_without_tax),
            total_tax: money(paper.total_tax),
            amount_in_words: money(paper.words),
            payment: paper.payment.as_ref().map(PaperPaymentAnswer::from),
            visit: paper.visit.map(|visit| visit.as_str()),
            red_letter: paper.red_letter.as_ref().map(RedLetterAnswer::from),
            note: paper.note.clone(),
            tier: paper.tier.as_str(),
            signature: SealAnswer::from(&paper.seal),
            warnings: paper
                .warnings
                .iter()
                .map(|warning| WarningAnswer::new(warning, language))
                .collect(),
        }
    }
}

fn party(party: &PaperParty) -> Option<PaperPartyAnswer> {
    (party.id.is_some() || party.name.is_some()).then(|| PaperPartyAnswer {
        id: party.id.clone(),
        name: party.name.clone(),
    })
}

impl From<&PaperLine> for PaperLineAnswer {
    fn from(line: &PaperLine) -> Self {
        Self {
            code: line.code.clone(),
            name: line.name.clone(),
            spec: line.spec.clone(),
            unit: line.unit.clone(),
            quantity: line.quantity.clone(),
            unit_price: line.unit_price.clone(),
            amount: money(line.amount),
            tax_rate: line.tax_rate.clone(),
            tax: money(line.tax),
            tax_code: line.tax_code.clone(),
        }
    }
}

impl From<&PaperPayment> for PaperPaymentAnswer {
    fn from(split: &PaperPayment) -> Self {
        Self {
            fund: money(split.fund),
            other: money(split.other),
            account: money(split.account),
            cash: money(split.cash),
            self_pay: money(split.self_pay),
            self_fund: money(split.self_fund),
        }
    }
}

impl From<&RedLetter> for RedLetterAnswer {
    fn from(red: &RedLetter) -> Self {
        Self {
            of: red.of.map(|key| key.to_string()),
            confirmation: red.confirmation.clone(),
        }
    }
}

impl From<&Seal> for SealAnswer {
    fn from(seal: &Seal) -> Self {
        Self {
            state: seal.state.as_str(),
            signer: seal.signer.clone(),
            certificate_sm3: seal.certificate.map(|sm3| sm3.to_string()),
            trusted: seal.trusted,
        }
    }
}

impl WarningAnswer {
    fn new(warning: &Warning, language: Language) -> Self {
        let text = language.of_two(warning.code.zh(), warning.code.en());
        let detail = match warning.detail.as_str() {
            "" => text.to_owned(),
            found => format!(
                "{text}{}{}",
                language.of_two("：", ": "),
                place_in_words(found, language)
            ),
        };
        Self {
            code: warning.code.code(),
            detail,
        }
    }
}

/// The members of a document by which a warning says where it looked, in words.
const PLACES: [(&str, &str, &str); 27] = [
    ("seller/id", "销售方代码", "the seller's id"),
    ("seller/name", "销售方名称", "the seller's name"),
    ("buyer/id", "购买方代码", "the buyer's id"),
    ("buyer/name", "购买方名称", "the buyer's name"),
    ("total_without_tax", "合计金额", "the sum without tax"),
    ("total_tax", "合计税额", "the sum of taxes"),
    ("total", "价税合计", "the total"),
    ("number", "号码", "the number"),
    ("code", "代码", "the code"),
    ("date", "开票日期", "the date"),
    ("check_code", "校验码", "the check code"),
    ("note", "备注", "the note"),
    ("amount", "金额", "the amount"),
    ("tax", "税额", "the tax"),
    ("tax_rate", "税率", "the rate"),
    ("tax_code", "税收分类编码", "the tax code"),
    ("quantity", "数量", "the quantity"),
    ("unit_price", "单价", "the unit price"),
    ("unit", "单位", "the unit"),
    ("name", "项目名称", "the name"),
    ("spec", "规格型号", "the specification"),
    ("payment/fund", "统筹基金支付", "paid by the fund"),
    ("payment/other", "其他支付", "paid by others"),
    ("payment/account", "个人账户支付", "paid from the account"),
    ("payment/cash", "个人现金支付", "paid in cash"),
    ("payment/self_pay", "个人自付", "borne within the catalogue"),
    (
        "payment/self_fund",
        "个人自费",
        "borne outside the catalogue",
    ),
];

/// What was found, its place in words: `lines/0/tax: 1.00` is line 1, the tax. What is not a known
/// place stands as it is.
fn place_in_words(found: &str, language: Language) -> String {
    let (place, rest) = match found.split_once(": ") {
        Some((place, rest)) => (place, Some(rest)),
        None => (found, None),
    };
    let word = |place: &str| {
        let known = PLACES.iter().find(|(name, _, _)| *name == place);
        known.map(|(_, zh, en)| language.of_two(*zh, *en).to_owned())
    };
    let in_line = || {
        let (index, member) = place.strip_prefix("lines/")?.split_once('/')?;
        let number = index.parse::<usize>().ok()?.checked_add(1)?;
        let member = word(member)?;
        Some(language.of_two(
            format!("第 {number} 行{member}"),
            format!("line {number}, {member}"),
        ))
    };
    let rest = |words: String| match rest {
        Some(rest) => format!("{words} {rest}"),
        None => words,
    };
    word(place)
        .or_else(in_line)
        .map_or_else(|| found.to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_words() {
        for (found, zh, en) in [
            ("seller/id: 9133", "销售方代码 9133", "the seller's id 9133"),
            (
                "lines/0/tax: 90.00 × 0.06 ≠ 4.20",
                "第 1 行税额 90.00 × 0.06 ≠ 4.20",
                "line 1, the tax 90.00 × 0.06 ≠ 4.20",
            ),
            ("note", "备注", "the note"),
            (
                "Doc_0/Document.xml",
                "Doc_0/Document.xml",
                "Doc_0/Document.xml",
            ),
            ("lines/x/tax: 1", "lines/x/tax: 1", "lines/x/tax: 1"),
            ("1.00 ≠ 2.00", "1.00 ≠ 2.00", "1.00 ≠ 2.00"),
        ] {
            assert_eq!(place_in_words(found, Language::Zh), zh);
            assert_eq!(place_in_words(found, Language::En), en);
        }
    }
}
