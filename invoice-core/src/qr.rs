//! The text inside an invoice's QR code, in and out.
//!
//! Eight fields between commas: `01`, type, code, number, amount, date, check code, and four hex
//! digits whose making is not published. Fiscal e-bills have no common form: they are checked by
//! their five elements.

use std::fmt;

use crate::calendar::Date;
use crate::crypto::sm3;
use crate::identity::{Digits, DocumentKey, PaperCode};
use crate::invoice::InvoiceKind;
use crate::money::Fen;
use crate::record::Invoice;

/// The type inside a QR text. Not the type code of the verification interface: 31 and 32 here are
/// 81 and 82 there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QrType {
    /// 01 专用发票.
    Special,
    /// 04 普通发票.
    Ordinary,
    /// 08 or 20 电子专用发票.
    ElectronicSpecial,
    /// 10 电子普通发票.
    ElectronicOrdinary,
    /// 11 卷式发票.
    Rolled,
    /// 14 通行费发票.
    Toll,
    /// 31 数电专票.
    DigitalSpecial,
    /// 32 数电普票.
    DigitalOrdinary,
    /// 51 铁路电子客票.
    Railway,
    /// 61 航空行程单.
    Air,
    /// None: the text is a link to the verification site, of a fully digital invoice.
    Link,
}

impl QrType {
    fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "01" => Self::Special,
            "04" => Self::Ordinary,
            "08" | "20" => Self::ElectronicSpecial,
            "10" => Self::ElectronicOrdinary,
            "11" => Self::Rolled,
            "14" => Self::Toll,
            "31" => Self::DigitalSpecial,
            "32" => Self::DigitalOrdinary,
            "51" => Self::Railway,
            "61" => Self::Air,
            _ => return None,
        })
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Special => "01",
            Self::Ordinary => "04",
            Self::ElectronicSpecial => "08",
            Self::ElectronicOrdinary => "10",
            Self::Rolled => "11",
            Self::Toll => "14",
            Self::DigitalSpecial => "31",
            Self::DigitalOrdinary => "32",
            Self::Railway => "51",
            Self::Air => "61",
            Self::Link => "",
        }
    }

    /// The type that an invoice of a kind bears; `None` where no sample was ever published.
    #[must_use]
    pub const fn of_kind(kind: InvoiceKind) -> Option<Self> {
        match kind {
            InvoiceKind::Special => Some(Self::Special),
            InvoiceKind::Ordinary => Some(Self::Ordinary),
            InvoiceKind::ElectronicSpecial => Some(Self::ElectronicSpecial),
            InvoiceKind::ElectronicOrdinary => Some(Self::ElectronicOrdinary),
            InvoiceKind::Rolled => Some(Self::Rolled),
            InvoiceKind::Toll => Some(Self::Toll),
            InvoiceKind::DigitalSpecial => Some(Self::DigitalSpecial),
            InvoiceKind::DigitalOrdinary => Some(Self::DigitalOrdinary),
            InvoiceKind::Railway => Some(Self::Railway),
            InvoiceKind::Air => Some(Self::Air),
            InvoiceKind::Freight
            | InvoiceKind::Vehicle
            | InvoiceKind::UsedVehicle
            | InvoiceKind::DigitalVehicle
            | InvoiceKind::DigitalUsedVehicle
            | InvoiceKind::DigitalPaperSpecial
            | InvoiceKind::DigitalPaperOrdinary
            | InvoiceKind::DigitalPaperVehicle
            | InvoiceKind::DigitalPaperUsedVehicle
            | InvoiceKind::Blockchain => None,
        }
    }

    /// Whether the amount is the total with tax. Sources differ on the texts of tax-control
    /// invoices: there either total may stand, and a check accepts both.
    #[must_use]
    pub const fn amount_is_total(self) -> bool {
        match self {
            Self::DigitalSpecial
            | Self::DigitalOrdinary
            | Self::Railway
            | Self::Air
            | Self::Link => true,
            Self::Special
            | Self::Ordinary
            | Self::ElectronicSpecial
            | Self::ElectronicOrdinary
            | Self::Rolled
            | Self::Toll => false,
        }
    }
}

/// What a QR text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrText {
    /// The type.
    pub qr_type: QrType,
    /// The document.
    pub key: DocumentKey,
    /// Its amount; which one, [`QrType::amount_is_total`] says.
    pub amount: Fen,
    /// 开票日期.
    pub date: Date,
    /// 校验码, of tax-control invoices.
    pub check_code: Option<String>,
}

/// What is wrong with a QR text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrFault {
    /// Not the eight fields, nor a link to the verification site.
    Form,
    /// A type that is not known.
    Type,
    /// Code and number do not make a document's key.
    Number,
    /// Not an amount of yuan.
    Amount,
    /// Not a date of the calendar.
    Date,
    /// The check code is not digits or letters, or the last field is not four hex digits.
    Check,
}

impl fmt::Display for QrFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "不是发票二维码 / not the text of an invoice's QR code",
            Self::Type => "未知的票种 / unknown type of invoice",
            Self::Number => "发票代码或号码有误 / wrong code or number",
            Self::Amount => "金额有误 / wrong amount",
            Self::Date => "日期有误 / wrong date",
            Self::Check => "校验码有误 / wrong check code",
        })
    }
}

impl std::error::Error for QrFault {}

/// Reads a QR text, or the link to the verification site that some printers put in its place.
///
/// ```
/// let text = invoice_core::qr::parse("01,32,,24312000000136634917,0.01,20240514,,1DD6").unwrap();
/// assert_eq!(text.key.to_string(), "D:24312000000136634917");
/// ```
///
/// # Errors
/// The first [`QrFault`], by field.
pub fn parse(text: &str) -> Result<QrText, QrFault> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("https://inv-veri.chinatax.gov.cn/") {
        return parse_link(rest);
    }
    let fields: Vec<&str> = text.strip_suffix(',').unwrap_or(text).split(',').collect();
    let ["01", qr_type, code, number, amount, date, check, tail] = *fields else {
        return Err(QrFault::Form);
    };
    let qr_type = QrType::from_code(qr_type).ok_or(QrFault::Type)?;
    let key = if code.is_empty() {
        Digits::new(number).map(DocumentKey::Digital)
    } else {
        let paper = || {
            Some(DocumentKey::Paper {
                code: PaperCode::new(code)?,
                number: Digits::new(number)?,
            })
        };
        paper()
    };
    let key = key.ok_or(QrFault::Number)?;
    let amount = Fen::parse(amount).map_err(|_| QrFault::Amount)?;
    let date = Date::parse_compact(date).map_err(|_| QrFault::Date)?;
    let hex = tail.len() == 4 && tail.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || check.len() > 20 || !check.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(QrFault::Check);
    }
    let check_code = (!check.is_empty()).then(|| check.to_owned());
    Ok(QrText {
        qr_type,
        key,
        amount,
        date,
        check_code,
    })
}

fn parse_link(rest: &str) -> Result<QrText, QrFault> {
    let (_, query) = rest.split_once('?').ok_or(QrFault::Form)?;
    let query = query.split('#').next().unwrap_or_default();
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .ok_or(QrFault::Form)
    };
    let (number, date, amount) = (parameter("fphm")?, parameter("kprq")?, parameter("kjje")?);
    Ok(QrText {
        qr_type: QrType::Link,
        key: Digits::new(number)
            .map(DocumentKey::Digital)
            .ok_or(QrFault::Number)?,
        amount: Fen::parse(amount).map_err(|_| QrFault::Amount)?,
        date: Date::parse_compact(date)
            .or_else(|_| date.parse())
            .map_err(|_| QrFault::Date)?,
        check_code: None,
    })
}

impl QrText {
    /// The text for an invoice; `None` for kinds without a known type.
    #[must_use]
    pub fn of_invoice(invoice: &Invoice) -> Option<Self> {
        let qr_type = QrType::of_kind(invoice.kind)?;
        let amount = if qr_type.amount_is_total() {
            invoice.total
        } else {
            invoice.total_without_tax
        };
        Some(Self {
            qr_type,
            key: invoice.key,
            amount,
            date: invoice.issue_date,
            check_code: None,
        })
    }
}

/// Writes the eight fields. The last is the beginning of the SM3 of all before it: readers take it
/// as opaque.
impl fmt::Display for QrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.qr_type == QrType::Link {
            return write!(
                f,
                "https://inv-veri.chinatax.gov.cn/index.html?fphm={}&kprq={}&kjje={}",
                self.key.number(),
                self.date.to_compact(),
                self.amount
            );
        }
        let text = format!(
            "01,{},{},{},{},{},{}",
            self.qr_type.code(),
            self.key.code().unwrap_or_default(),
            self.key.number(),
            self.amount,
            self.date.to_compact(),
            self.check_code.as_deref().unwrap_or_default()
        );
        let [first, second, ..] = *sm3(&[text.as_bytes()]).as_bytes();
        write!(f, "{text},{first:02X}{second:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_texts_are_read() {
        let cases: &[(&str, QrType, &str, i64, &str)] = &[
            (
                "01,10,011001605111,80100798,64.9,20161018,85342965681116380258,BE2D",
                QrType::ElectronicOrdinary,
                "P:011001605111-80100798",
                6490,
                "2016-10-18",
            ),
            (
                "01,32,,24312000000136634917,0.01,20240514,,1DD6",
                QrType::DigitalOrdinary,
                "D:24312000000136634917",
                1,
                "2024-05-14",
            ),
            (
                "01,31,,26442000004359167806,1705400.00,20260421,,8EEF",
                QrType::DigitalSpecial,
                "D:26442000004359167806",
                170_540_000,
                "2026-04-21",
            ),
            (
                "01,51,,26339132621000219582,56.00,20260423,,219a",
                QrType::Railway,
                "D:26339132621000219582",
                5600,
                "2026-04-23",
            ),
            (
                "01,32,,24312000000136634917,0.01,20240514,,1DD6,",
                QrType::DigitalOrdinary,
                "D:24312000000136634917",
                1,
                "2024-05-14",
            ),
            (
                "https://inv-veri.chinatax.gov.cn/index.html?fphm=24312000000136634917&kprq=20240514&kjje=0.01",
                QrType::Link,
                "D:24312000000136634917",
                1,
                "2024-05-14",
            ),
            (
                "https://inv-veri.chinatax.gov.cn/index.html?kjje=-0.01&kprq=2024-05-14&fphm=24312000000136634917",
                QrType::Link,
                "D:24312000000136634917",
                -1,
                "2024-05-14",
            ),
        ];
        for (text, qr_type, key, fen, date) in cases {
            let read = parse(text).unwrap();
            assert_eq!(
                (
                    read.qr_type,
                    read.key.to_string().as_str(),
                    read.amount.get(),
                    read.date.to_string().as_str()
                ),
                (*qr_type, *key, *fen, *date),
                "{text}"
            );
        }
    }

    #[test]
    fn the_check_code_is_kept() {
        let text =
            parse("01,10,011001605111,80100798,64.9,20161018,85342965681116380258,BE2D").unwrap();
        assert_eq!(text.check_code.as_deref(), Some("85342965681116380258"));
    }

    #[test]
    fn other_texts_are_refused() {
        let cases: &[(&str, QrFault)] = &[
            ("", QrFault::Form),
            (
                "01,32,,24312000000136634917,0.01,20240514,1DD6",
                QrFault::Form,
            ),
            (
                "02,32,,24312000000136634917,0.01,20240514,,1DD6",
                QrFault::Form,
            ),
            (
                "01,82,,24312000000136634917,0.01,20240514,,1DD6",
                QrFault::Type,
            ),
            (
                "01,32,,2431200000013663491,0.01,20240514,,1DD6",
                QrFault::Number,
            ),
            (
                "01,10,01100160511,80100798,64.9,20161018,,BE2D",
                QrFault::Number,
            ),
            (
                "01,32,,24312000000136634917,1e3,20240514,,1DD6",
                QrFault::Amount,
            ),
            (
                "01,32,,24312000000136634917,0.01,20240230,,1DD6",
                QrFault::Date,
            ),
            (
                "01,32,,24312000000136634917,0.01,20240514,,1DDG",
                QrFault::Check,
            ),
            (
                "01,32,,24312000000136634917,0.01,20240514,!,1DD6",
                QrFault::Check,
            ),
            ("https://inv-veri.chinatax.gov.cn/index.html", QrFault::Form),
            (
                "https://example.com/?fphm=24312000000136634917&kprq=20240514&kjje=0.01",
                QrFault::Form,
            ),
        ];
        for (text, fault) in cases {
            assert_eq!(parse(text), Err(*fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_survive_writing_and_reading(number in "[0-9]{20}", fen in 1_i64..=999_999_999_999, days in 14_610..30_000) {
            let text = QrText {
                qr_type: QrType::DigitalOrdinary,
                key: DocumentKey::Digital(Digits::new(&number).unwrap()),
                amount: Fen::new(fen),
                date: Date::from_days(days).unwrap(),
                check_code: None,
            };
            prop_assert_eq!(parse(&text.to_string()), Ok(text));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,80}") {
            let _ = parse(&text);
        }
    }
}
