//! What was read of a document.

use invoice_core::calendar::Date;
use invoice_core::crypto::Hash;
use invoice_core::identity::DocumentKey;
use invoice_core::invoice::InvoiceKind;
use invoice_core::money::Fen;
use invoice_core::record::Visit;

use crate::warning::Warning;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// XML of an invoice.
    InvoiceXml,
    /// XML of a fiscal e-bill.
    FiscalXml,
    /// OFD (GB/T 33190).
    Ofd,
    /// PDF.
    Pdf,
    /// A PNG or JPEG with a QR code.
    QrImage,
    /// The text of a QR code.
    QrText,
    /// A zip of one XML.
    Zip,
}

impl Format {
    /// Every form.
    pub const ALL: &'static [Format] = &[
        Self::InvoiceXml,
        Self::FiscalXml,
        Self::Ofd,
        Self::Pdf,
        Self::QrImage,
        Self::QrText,
        Self::Zip,
    ];

    /// The form's word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvoiceXml => "einvoice_xml",
            Self::FiscalXml => "fiscal_xml",
            Self::Ofd => "ofd",
            Self::Pdf => "pdf",
            Self::QrImage => "qr_image",
            Self::QrText => "qr_text",
            Self::Zip => "zip",
        }
    }
}

/// Which source inside a file the document was read from, most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The file is the XML.
    Xml,
    /// An XML attached to the file: complete.
    Attachment,
    /// An OFD's custom tags and the texts on the page that they name: no lines.
    Tags,
    /// The properties of an OFD: a few values.
    CustomData,
    /// A QR code: number, one amount, date.
    Qr,
    /// The text of a QR code, without its picture.
    Text,
}

impl Tier {
    /// The source's word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Attachment => "attachment",
            Self::Tags => "tags",
            Self::CustomData => "custom_data",
            Self::Qr => "qr",
            Self::Text => "text",
        }
    }
}

/// What can be said of the signatures in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealState {
    /// Every digest is right and the signature over them fits the certificate beside it. Says
    /// nothing of who holds that certificate.
    Verified,
    /// Every digest is right; the signature over them is of a form that cannot be verified.
    DigestsOnly,
    /// A digest, the signature or the structure is wrong.
    Broken,
    /// A signature whose canonical form is not published: not looked at.
    NotVerifiable,
    /// No signature.
    Absent,
}

impl SealState {
    /// The state's word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::DigestsOnly => "digests_only",
            Self::Broken => "broken",
            Self::NotVerifiable => "not_verifiable",
            Self::Absent => "absent",
        }
    }
}

/// The signatures of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// What can be said of them.
    pub state: SealState,
    /// The name in the signer's certificate: a claim, unless [`Seal::trusted`].
    pub signer: Option<String>,
    /// SM3 of the signer's certificate (DER), of a seal that was verified.
    pub certificate: Option<Hash>,
    /// Whether that certificate is one of those given as trusted, and its seal covers everything
    /// that the document was read from.
    pub trusted: bool,
}

impl Seal {
    pub(crate) const fn plain(state: SealState) -> Self {
        Self {
            state,
            signer: None,
            certificate: None,
            trusted: false,
        }
    }
}

/// A party as the file names it. The number has not been checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperParty {
    /// 统一社会信用代码 or 纳税人识别号, never the number of a natural person.
    pub id: Option<String>,
    /// Whether a number stands there that cannot be read, such as a masked one: that is not none.
    pub unread: bool,
    /// 名称.
    pub name: Option<String>,
}

/// A line of an invoice or an item of a bill, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaperLine {
    /// 项目编码, of bills.
    pub code: Option<String>,
    /// 项目名称.
    pub name: String,
    /// 规格型号.
    pub spec: Option<String>,
    /// 单位.
    pub unit: Option<String>,
    /// 数量, decimal text.
    pub quantity: Option<String>,
    /// 单价, decimal text.
    pub unit_price: Option<String>,
    /// 金额, without tax on invoices.
    pub amount: Option<Fen>,
    /// 税率: a decimal fraction, or `免税`, `不征税`, `***`.
    pub tax_rate: Option<String>,
    /// 税额.
    pub tax: Option<Fen>,
    /// 税收分类编码.
    pub tax_code: Option<String>,
}

/// Who paid a medical bill; each part as far as the file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaperPayment {
    /// 医保统筹基金支付.
    pub fund: Option<Fen>,
    /// 其他支付.
    pub other: Option<Fen>,
    /// 个人账户支付.
    pub account: Option<Fen>,
    /// 个人现金支付.
    pub cash: Option<Fen>,
    /// 个人自付.
    pub self_pay: Option<Fen>,
    /// 个人自费.
    pub self_fund: Option<Fen>,
}

/// What a red-letter document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedLetter {
    /// The document that it reverses (对应蓝字发票).
    pub of: Option<DocumentKey>,
    /// 红字确认单编号.
    pub confirmation: Option<String>,
}

/// A document as one file carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Its key.
    pub document: DocumentKey,
    /// Its second key: code and number of the form of a fully digital invoice on paper (数电纸票).
    pub alias: Option<DocumentKey>,
    /// 发票类型, where the file says it; `None` for bills.
    pub kind: Option<InvoiceKind>,
    /// 价税合计 or 总金额; of old QR texts perhaps the sum without tax.
    pub amount: Fen,
    /// Whether [`Paper::amount`] may be without tax.
    pub amount_may_be_without_tax: bool,
    /// 开票日期.
    pub date: Date,
    /// 校验码.
    pub check_code: Option<String>,
    /// 销售方, 开票单位.
    pub seller: PaperParty,
    /// 购买方, 交款人.
    pub buyer: PaperParty,
    /// 明细.
    pub lines: Vec<PaperLine>,
    /// 合计金额.
    pub total_without_tax: Option<Fen>,
    /// 合计税额.
    pub total_tax: Option<Fen>,
    /// 价税合计大写, read.
    pub words: Option<Fen>,
    /// The payment split of a medical document.
    pub payment: Option<PaperPayment>,
    /// Whether the document is a medical invoice whose split could not be read.
    pub payment_unread: bool,
    /// 门诊 or 住院, of a bill whose medical type says so.
    pub visit: Option<Visit>,
    /// Set on red-letter documents.
    pub red_letter: Option<RedLetter>,
    /// 备注.
    pub note: Option<String>,
    /// Where it was read from.
    pub tier: Tier,
    /// The signatures around it.
    pub seal: Seal,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}
