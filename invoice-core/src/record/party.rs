//! Who a document is from and for.

use std::fmt;

use serde::Serialize;

use crate::identity::{MemberId, is_resident_id};
use crate::read::{ObjectReader, Spelled, Words, spelled_as_text};
use crate::refusal::Rule;

/// A seller or issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Party {
    /// 统一社会信用代码.
    pub id: MemberId,
    /// 名称.
    pub name: String,
}

impl Party {
    pub(crate) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let id = from.text("id");
        let name = from.text::<Words<200>>("name");
        from.finish();
        Some(Self {
            id: id?,
            name: name?.0,
        })
    }
}

/// A buyer; without an id it is a natural person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Buyer {
    /// 纳税人识别号, of organisations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<BuyerId>,
    /// 名称.
    pub name: String,
}

impl Buyer {
    pub(crate) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let id = from.optional("id");
        let name = from.text::<Words<200>>("name");
        from.finish();
        Some(Self {
            id: id?,
            name: name?.0,
        })
    }

    /// The organisation that is named, where it can be a member.
    #[must_use]
    pub fn organisation(&self) -> Option<MemberId> {
        match self.id {
            Some(BuyerId::Organisation(id)) => Some(id),
            Some(BuyerId::OldTaxNumber(_)) | None => None,
        }
    }
}

/// The number of an organisation that buys. Numbers of natural persons are refused: they belong
/// into `sealed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuyerId {
    /// A unified social credit code.
    Organisation(MemberId),
    /// A tax number of 15 characters from before 2015, which has no check character.
    OldTaxNumber([u8; 15]),
}

impl BuyerId {
    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Organisation(id) => id.as_str(),
            // ASCII by construction; the empty text is never reached.
            Self::OldTaxNumber(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }
}

impl Spelled for BuyerId {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        // A resident number is one even where the other check character happens to fit as well:
        // what was once written readable on the chain cannot be taken back.
        if is_resident_id(text) {
            return Err(Rule::PersonalIdInClear);
        }
        match text.len() {
            18 => MemberId::spelled(text).map(Self::Organisation),
            15 if plain => text
                .as_bytes()
                .try_into()
                .map(Self::OldTaxNumber)
                .map_err(|_| Rule::BuyerIdSpelling),
            // Personal taxpayer numbers: document number with prefix or suffix.
            17 | 19 | 20 if text.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(Rule::PersonalIdInClear)
            }
            _ => Err(Rule::BuyerIdSpelling),
        }
    }
}

impl fmt::Display for BuyerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

spelled_as_text!(
    BuyerId,
    r"^([0-9A-Z]{15}|[0-9A-HJ-NPQRTUWXY]{18})$",
    "91330000142942095H"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buyers_are_named_by_numbers_of_organisations() {
        let cases: &[(&str, Result<(), Rule>)] = &[
            ("91350100M000100Y43", Ok(())),
            ("913205830880018839", Ok(())),
            ("330106712345678", Ok(())),
            ("33010671234567X", Ok(())),
            ("91350100M000100Y44", Err(Rule::MemberIdCheckDigit)),
            ("11010519491231002X", Err(Rule::PersonalIdInClear)),
            ("11010519491231002x", Err(Rule::PersonalIdInClear)),
            ("440524188001010014", Err(Rule::PersonalIdInClear)),
            ("1101051949123100", Err(Rule::BuyerIdSpelling)),
            ("11010519491231002", Err(Rule::PersonalIdInClear)),
            ("11010519491231002X01", Err(Rule::PersonalIdInClear)),
            ("3301067123456 8", Err(Rule::BuyerIdSpelling)),
            ("", Err(Rule::BuyerIdSpelling)),
        ];
        for (text, answer) in cases {
            assert_eq!(BuyerId::spelled(text).map(|_| ()), *answer, "{text}");
        }
    }
}
