//! Kinds of invoices, by the official type codes.

use std::fmt;

use crate::identity::{Digits, DocumentKey, PaperCode};
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// Declares [`InvoiceKind`] with the official code of each variant beside it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// An invoice's kind: the type code (fplx) of the official verification interface (查验).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum InvoiceKind { $($(#[$doc])* $name,)* }

        impl InvoiceKind {
            /// Every kind.
            pub const ALL: &'static [InvoiceKind] = &[$(InvoiceKind::$name,)*];

            /// The official code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(InvoiceKind::$name => $code,)* }
            }
        }

        impl Spelled for InvoiceKind {
            fn spelled(text: &str) -> Result<Self, Rule> {
                match text {
                    $($code => Ok(InvoiceKind::$name),)*
                    _ => Err(Rule::InvoiceKindUnknown),
                }
            }
        }
    };
}

kinds! {
    /// Special VAT invoice on paper (增值税专用发票).
    Special = "01",
    /// Freight invoice (货物运输业增值税专用发票).
    Freight = "02",
    /// Motor vehicle sales invoice (机动车销售统一发票).
    Vehicle = "03",
    /// Ordinary VAT invoice on paper (增值税普通发票).
    Ordinary = "04",
    /// Electronic special VAT invoice (增值税电子专用发票).
    ElectronicSpecial = "08",
    /// Electronic ordinary VAT invoice (增值税电子普通发票).
    ElectronicOrdinary = "10",
    /// Ordinary VAT invoice on a roll (增值税普通发票卷式).
    Rolled = "11",
    /// Electronic toll invoice (通行费增值税电子普通发票).
    Toll = "14",
    /// Used vehicle sales invoice (二手车销售统一发票).
    UsedVehicle = "15",
    /// Railway e-ticket (铁路电子客票), fully digital.
    Railway = "51",
    /// Air transport itinerary (航空运输电子客票行程单), fully digital.
    Air = "61",
    /// Fully digital special invoice (数电票 专用发票).
    DigitalSpecial = "81",
    /// Fully digital ordinary invoice (数电票 普通发票).
    DigitalOrdinary = "82",
    /// Fully digital motor vehicle sales invoice.
    DigitalVehicle = "83",
    /// Fully digital used vehicle sales invoice.
    DigitalUsedVehicle = "84",
    /// Digital special invoice printed on form paper (数电纸质专用发票).
    DigitalPaperSpecial = "85",
    /// Digital ordinary invoice printed on form paper (数电纸质普通发票).
    DigitalPaperOrdinary = "86",
    /// Digital motor vehicle sales invoice printed on form paper.
    DigitalPaperVehicle = "87",
    /// Digital used vehicle sales invoice printed on form paper.
    DigitalPaperUsedVehicle = "88",
    /// Blockchain invoice (区块链电子发票).
    Blockchain = "100",
}

impl InvoiceKind {
    /// Whether the invoice comes from the tax-control system, by code and number.
    #[must_use]
    pub const fn is_tax_control(self) -> bool {
        match self {
            Self::Special
            | Self::Freight
            | Self::Vehicle
            | Self::Ordinary
            | Self::ElectronicSpecial
            | Self::ElectronicOrdinary
            | Self::Rolled
            | Self::Toll
            | Self::UsedVehicle => true,
            Self::Railway
            | Self::Air
            | Self::DigitalSpecial
            | Self::DigitalOrdinary
            | Self::DigitalVehicle
            | Self::DigitalUsedVehicle
            | Self::DigitalPaperSpecial
            | Self::DigitalPaperOrdinary
            | Self::DigitalPaperVehicle
            | Self::DigitalPaperUsedVehicle
            | Self::Blockchain => false,
        }
    }

    /// The key that a code and a number make for this kind.
    ///
    /// Digital kinds, printed ones too, have a number of 20 digits and no code; the code and
    /// number of the paper come as an alias. A blockchain invoice's code begins with 1.
    ///
    /// # Errors
    /// [`Rule::IdentityUnfit`] when they are not those of the kind.
    pub fn key(self, code: Option<&str>, number: &str) -> Result<DocumentKey, Rule> {
        let paper = |code: PaperCode| {
            Some(DocumentKey::Paper {
                code,
                number: Digits::new(number)?,
            })
        };
        let key = match code {
            None if !self.is_tax_control() && self != Self::Blockchain => {
                Digits::new(number).map(DocumentKey::Digital)
            }
            Some(code) if self.is_tax_control() => PaperCode::new(code).and_then(paper),
            Some(code) if self == Self::Blockchain && code.starts_with('1') => {
                Digits::new(code).map(PaperCode::Twelve).and_then(paper)
            }
            None | Some(_) => None,
        };
        key.ok_or(Rule::IdentityUnfit)
    }
}

impl fmt::Display for InvoiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

spelled_as_text!(InvoiceKind, r"^\d{2,3}$", "82");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_identity() {
        let digital = "24312000000136634917";
        let cases: &[(&str, Option<&str>, &str, bool)] = &[
            ("81", None, digital, true),
            ("82", None, digital, true),
            ("83", None, digital, true),
            ("84", None, digital, true),
            ("51", None, digital, true),
            ("61", None, digital, true),
            ("85", None, digital, true),
            ("88", None, digital, true),
            ("82", Some("011001605111"), "80100798", false),
            ("85", Some("011001605111"), digital, false),
            ("82", None, "2431200000013663491", false),
            ("01", Some("3300194130"), "12345678", true),
            ("10", Some("011001605111"), "80100798", true),
            ("10", None, digital, false),
            ("10", Some("01100160511"), "80100798", false),
            ("10", Some("011001605111"), "8010079", false),
            ("100", Some("144031809110"), "12345678", true),
            ("100", Some("244031809110"), "12345678", false),
            ("100", Some("1440318091"), "12345678", false),
            ("100", None, digital, false),
        ];
        for (kind, code, number, fits) in cases {
            let key = InvoiceKind::spelled(kind).unwrap().key(*code, number);
            assert_eq!(key.is_ok(), *fits, "{kind} {code:?} {number}");
        }
    }

    #[test]
    fn qr_types_are_no_kinds() {
        for code in ["31", "32", "1", "001", "", "99"] {
            assert_eq!(
                InvoiceKind::spelled(code),
                Err(Rule::InvoiceKindUnknown),
                "{code}"
            );
        }
    }
}
