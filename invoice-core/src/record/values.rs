//! The words that records choose from.

use std::fmt;

use crate::identity::Digits;
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// Declares an enum whose variants are fixed words on the wire.
macro_rules! words {
    (
        $(#[$doc:meta])* $type:ident, $unknown:expr, $pattern:literal, $example:literal;
        $($(#[$variant_doc:meta])* $name:ident = $word:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$variant_doc])* $name,)* }

        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [$type] = &[$($type::$name,)*];

            /// The value's word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($type::$name => $word,)* }
            }

            /// The value's number in the layouts of the state: its place in [`Self::ALL`].
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The value of a number.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }

        impl Spelled for $type {
            fn spelled(text: &str) -> Result<Self, Rule> {
                match text {
                    $($word => Ok($type::$name),)*
                    _ => Err($unknown),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        spelled_as_text!($type, $pattern, $example);
    };
}

words! {
    /// What a member may do.
    Role, Rule::RoleUnknown, "^(tax|finance|health|merchant|hospital|employer|insurer|auditor)$", "merchant";
    /// Tax authority: admits members, sets quotas, supervises.
    Tax = "tax",
    /// Finance authority: admits members, supervises medical bills.
    Finance = "finance",
    /// Health insurance authority: claims `basic`, `supplement`, `reference`.
    Health = "health",
    /// Issues invoices.
    Merchant = "merchant",
    /// Issues fiscal medical bills.
    Hospital = "hospital",
    /// Claims `employer` and `reference`.
    Employer = "employer",
    /// Claims `commercial` and `reference`.
    Insurer = "insurer",
    /// Reads.
    Auditor = "auditor",
}

words! {
    /// Why money is claimed (domain rules C2 to C6).
    ClaimKind, Rule::ClaimKindUnknown, "^(employer|commercial|basic|supplement|reference)$", "employer";
    /// Reimbursement by an employer or union (雇主报销).
    Employer = "employer",
    /// Indemnity by a commercial insurer (商保补偿).
    Commercial = "commercial",
    /// Basic medical insurance, after the event (基本医保零星报销).
    Basic = "basic",
    /// Major illness insurance, medical aid, civil servants' supplement (大病、救助、公务员补助).
    Supplement = "supplement",
    /// Fixed benefit or tax deduction: recorded, consumes nothing (给付、津贴、个税扣除).
    Reference = "reference",
}

words! {
    /// Which part of the patient's burden a claim is for.
    Component, Rule::ComponentUnknown, "^(any|self_pay|self_fund)$", "any";
    /// Either part.
    Any = "any",
    /// 个人自付.
    SelfPay = "self_pay",
    /// 个人自费.
    SelfFund = "self_fund",
}

words! {
    /// How a settlement is booked (入账状态).
    Booking, Rule::BookingUnknown, "^(02|03)$", "02";
    /// 02: booked, deducted from income tax.
    Deducted = "02",
    /// 03: booked, not deducted.
    NotDeducted = "03",
}

words! {
    /// Why a document is reversed (红字发票开具原因).
    ReversalReason, Rule::ReversalReasonUnknown, "^0[1-4]$", "01";
    /// 01 开票有误: issued in error, only as a whole.
    IssuedInError = "01",
    /// 02 销货退回.
    GoodsReturned = "02",
    /// 03 服务中止.
    ServiceStopped = "03",
    /// 04 销售折让.
    Allowance = "04",
}

words! {
    /// What kind of treatment a bill is for.
    Visit, Rule::VisitUnknown, "^(outpatient|inpatient)$", "outpatient";
    /// 门诊.
    Outpatient = "outpatient",
    /// 住院.
    Inpatient = "inpatient",
}

words! {
    /// The form of the file that a registered document was read from.
    OriginalFormat, Rule::OriginalFormatUnknown, "^(einvoice_xml|fiscal_xml|ofd|pdf|zip)$", "ofd";
    /// The XML of an invoice.
    InvoiceXml = "einvoice_xml",
    /// The XML of a fiscal e-bill.
    FiscalXml = "fiscal_xml",
    /// OFD (GB/T 33190).
    Ofd = "ofd",
    /// PDF.
    Pdf = "pdf",
    /// A zip of one XML.
    Zip = "zip",
}

words! {
    /// What an authority found of the signature in a registered document's file.
    OriginalSignature, Rule::OriginalSignatureUnknown, "^(verified|not_verified|absent)$", "verified";
    /// It fits the file and the certificate beside it.
    Verified = "verified",
    /// It is there, but was not or could not be verified.
    NotVerified = "not_verified",
    /// There is none.
    Absent = "absent",
}

/// The number of a red letter (红字发票号码): 20 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RedNumber(pub Digits<20>);

impl Spelled for RedNumber {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Digits::new(text).map(Self).ok_or(Rule::RedNumberSpelling)
    }
}

impl fmt::Display for RedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

spelled_as_text!(RedNumber, r"^\d{20}$", "26442000004359167807");

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RoleSet(u8);

impl RoleSet {
    /// The set from its bits: the first role of [`Role::ALL`] is the lowest.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The set as bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the set has a role.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// The set with one more role.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | Self::bit(role))
    }

    /// Whether the set has a role of an authority: tax, finance or health.
    #[must_use]
    pub const fn has_authority(self) -> bool {
        self.contains(Role::Tax) || self.contains(Role::Finance) || self.contains(Role::Health)
    }

    /// Whether the set has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .iter()
            .copied()
            .filter(move |role| self.contains(*role))
    }

    const fn bit(role: Role) -> u8 {
        match role {
            Role::Tax => 1,
            Role::Finance => 1 << 1,
            Role::Health => 1 << 2,
            Role::Merchant => 1 << 3,
            Role::Hospital => 1 << 4,
            Role::Employer => 1 << 5,
            Role::Insurer => 1 << 6,
            Role::Auditor => 1 << 7,
        }
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
    }
}

impl serde::Serialize for RoleSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for RoleSet {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ArrayBuilder::new()
            .items(<Role as utoipa::PartialSchema>::schema())
            .min_items(Some(1))
            .unique_items(true)
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for RoleSet {}
