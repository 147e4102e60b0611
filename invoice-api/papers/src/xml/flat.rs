//! Sources that are names with values: the Chinese and the pinyin dialect of XML, the vouchers of
//! railway and airlines, an OFD's tags and properties.
//!
//! They carry what identifies a document; their lines are not read.

use invoice_core::invoice::InvoiceKind;

use super::tree::Node;
use crate::error::PaperError;
use crate::raw::Raw;

/// A value of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Code,
    Number,
    /// The number of 20 digits of a fully digital invoice on paper.
    DigitalNumber,
    RailwayNumber,
    AirNumber,
    Date,
    CheckCode,
    SellerId,
    SellerName,
    BuyerId,
    BuyerName,
    Total,
    WithoutTax,
    Tax,
    Words,
    /// The total of a railway ticket; on a flight's itinerary a part of it.
    Fare,
    /// The tax of a railway ticket; elsewhere that of a line.
    TicketTax,
}

/// The names under which a value is known, without regard to case.
const NAMES: &[(Field, &[&str])] = &[
    (Field::Code, &["发票代码", "FPDM", "InvoiceCode"]),
    (
        Field::Number,
        &["发票号码", "FPHM", "InvoiceNo", "InvoiceNumber", "EIid"],
    ),
    (Field::DigitalNumber, &["数电票号码"]),
    (
        Field::RailwayNumber,
        &["ElectronicInvoiceRailwayETicketNumber"],
    ),
    (
        Field::AirNumber,
        &["ElectronicInvoiceAirTransportReceiptNumber"],
    ),
    (
        Field::Date,
        &[
            "开票日期",
            "填开日期",
            "KPRQ",
            "IssueDate",
            "IssueTime",
            "DateOfIssue",
        ],
    ),
    (Field::CheckCode, &["校验码", "JYM", "InvoiceCheckCode"]),
    (
        Field::SellerId,
        &[
            "销售方纳税人识别号",
            "销售方统一社会信用代码/纳税人识别号",
            "销方税号",
            "XSFNSRSBH",
            "XFSH",
            "SellerTaxID",
            "SellerIdNum",
        ],
    ),
    (
        Field::SellerName,
        &["销售方名称", "销方名称", "XSFMC", "XFMC", "SellerName"],
    ),
    (
        Field::BuyerId,
        &[
            "购买方纳税人识别号",
            "购买方统一社会信用代码/纳税人识别号",
            "购方税号",
            "GMFNSRSBH",
            "GFSH",
            "BuyerTaxID",
            "BuyerIdNum",
            "UnifiedSocialCreditCodeOfPurchaser",
        ],
    ),
    (
        Field::BuyerName,
        &[
            "购买方名称",
            "购方名称",
            "GMFMC",
            "GFMC",
            "BuyerName",
            "NameOfPurchaser",
        ],
    ),
    (
        Field::Total,
        &[
            "价税合计",
            "价税合计小写",
            "JSHJ",
            "JSHJXX",
            "TaxInclusiveTotalAmount",
            "TotalTax-includedAmount",
            "TotalAmount",
        ],
    ),
    (
        Field::WithoutTax,
        &[
            "合计金额",
            "HJJE",
            "TaxExclusiveTotalAmount",
            "TotalAmWithoutTax",
            "TotalAmountExcludingTax",
        ],
    ),
    (
        Field::Tax,
        &[
            "合计税额",
            "HJSE",
            "TaxTotalAmount",
            "TotalTaxAm",
            "VatTaxAmount",
        ],
    ),
    (Field::Fare, &["Fare"]),
    (Field::TicketTax, &["TaxAmount"]),
    (
        Field::Words,
        &["价税合计大写", "JSHJDX", "TotalTax-includedAmountInChinese"],
    ),
];

impl Field {
    /// The field of a name, however its letters are written.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let found = NAMES.iter().find(|(_, names)| known(names));
        found.map(|(field, _)| *field)
    }
}

/// Values under their fields.
#[derive(Debug, Default)]
pub(crate) struct Flat(Vec<(Field, String)>);

impl Flat {
    /// Adds a value. The same one may stand there twice.
    ///
    /// # Errors
    /// [`PaperError::SeveralDocuments`] for a second number, [`PaperError::Contradictory`] for a
    /// second other value.
    pub(crate) fn add(&mut self, field: Field, value: &str) -> Result<(), PaperError> {
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        match self.get(field) {
            Some(known) if known == value => Ok(()),
            Some(_) if matches!(field, Field::Fare | Field::TicketTax) => {
                // Repeated where it is no ticket's: of no use.
                self.0.retain(|(known, _)| *known != field);
                self.0.push((field, String::new()));
                Ok(())
            }
            Some(_)
                if matches!(
                    field,
                    Field::Number | Field::DigitalNumber | Field::RailwayNumber | Field::AirNumber
                ) =>
            {
                Err(PaperError::SeveralDocuments)
            }
            Some(_) => Err(PaperError::Contradictory),
            None => {
                self.0.push((field, value.to_owned()));
                Ok(())
            }
        }
    }

    fn get(&self, field: Field) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == field);
        found.map(|(_, value)| value.as_str())
    }

    /// The values as texts of a document.
    pub(crate) fn into_raw(self) -> Raw {
        let get = |field| {
            let value = self.get(field).filter(|value| !value.is_empty());
            value.map(str::to_owned)
        };
        let ticket = |field| get(Field::RailwayNumber).and_then(|_| get(field));
        let (number, kind) = match (get(Field::RailwayNumber), get(Field::AirNumber)) {
            (Some(number), _) => (Some(number), Some(InvoiceKind::Railway)),
            (None, Some(number)) => (Some(number), Some(InvoiceKind::Air)),
            (None, None) => (get(Field::Number), None),
        };
        Raw {
            code: get(Field::Code),
            number,
            digital_number: get(Field::DigitalNumber),
            kind,
            date: get(Field::Date),
            check_code: get(Field::CheckCode),
            seller_id: get(Field::SellerId),
            seller_name: get(Field::SellerName),
            buyer_id: get(Field::BuyerId),
            buyer_name: get(Field::BuyerName),
            total: ticket(Field::Fare).or_else(|| get(Field::Total)),
            without_tax: get(Field::WithoutTax),
            tax: ticket(Field::TicketTax).or_else(|| get(Field::Tax)),
            words: get(Field::Words),
            ..Raw::default()
        }
    }
}

/// Reads an XML whose dialect is known by the names of its values only.
pub(super) fn read(root: &Node) -> Result<Raw, PaperError> {
    let mut flat = Flat::default();
    let mut result = Ok(());
    root.walk(&mut |node| {
        let Some(field) = Field::of(&node.name).filter(|_| result.is_ok()) else {
            return;
        };
        if !matches!(field, Field::SellerName | Field::BuyerName)
            && let Err(error) = node.checked()
        {
            result = Err(error);
        } else if node.children.is_empty() {
            result = flat.add(field, &node.text);
        }
    });
    result?;
    let raw = flat.into_raw();
    if raw.is_usable() {
        Ok(raw)
    } else {
        Err(PaperError::XmlUnknown)
    }
}
