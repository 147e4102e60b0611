//! `bill.issue`: a hospital issues a fiscal medical bill.

use serde::Serialize;

use super::party::Party;
use super::sealed::Sealed;
use super::values::Visit;
use crate::calendar::Date;
use crate::identity::{Digits, DocumentKey};
use crate::invoice::{BillAmounts, Payment};
use crate::money::Fen;
use crate::read::{ObjectReader, Spelled, Words};
use crate::refusal::Rule;

const ITEMS_MAX: usize = 500;

/// `bill.issue`: signed by the issuing hospital.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillIssue {
    /// The bill.
    pub bill: Bill,
}

impl BillIssue {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let bill = body.object("bill").and_then(Bill::read);
        Some(Self { bill: bill? })
    }
}

/// A fiscal e-bill for medical fees (医疗收费电子票据).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bill {
    /// Its identity; on the wire `code` and `number`.
    #[serde(flatten, serialize_with = "super::invoice_issue::code_and_number")]
    #[cfg_attr(feature = "openapi", schema(value_type = super::CodeAndNumber))]
    pub key: DocumentKey,
    /// 校验码: six letters or digits.
    pub check_code: CheckCode,
    /// 开票日期.
    pub issue_date: Date,
    /// 开票单位.
    pub issuer: Party,
    /// 门诊 or 住院.
    pub visit: Visit,
    /// 收费项目, 1 to 500.
    pub items: Vec<Item>,
    /// 总金额.
    pub total: Fen,
    /// The payment split.
    pub payment: Payment,
    /// What identifies the patient or a diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// One item of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    /// 项目编码.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// 项目名称.
    pub name: String,
    /// 金额.
    pub amount: Fen,
}

/// The check code of a fiscal e-bill (校验码): six letters or digits, case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckCode([u8; 6]);

impl CheckCode {
    /// The six bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // ASCII by construction; the empty text is never reached.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Spelled for CheckCode {
    fn spelled(text: &str) -> Result<Self, Rule> {
        text.as_bytes()
            .try_into()
            .ok()
            .filter(|code: &[u8; 6]| code.iter().all(u8::is_ascii_alphanumeric))
            .map(Self)
            .ok_or(Rule::CheckCodeSpelling)
    }
}

impl std::fmt::Display for CheckCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

crate::read::spelled_as_text!(CheckCode, "^[0-9A-Za-z]{6}$", "a1B2c3");

struct BillDigits<const N: usize>(Digits<N>);

impl<const N: usize> Spelled for BillDigits<N> {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Digits::new(text)
            .map(Self)
            .ok_or(Rule::DocumentNumberSpelling)
    }
}

impl Bill {
    pub(super) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let code = from.text::<BillDigits<8>>("code");
        let number = from.text::<BillDigits<10>>("number");
        let check_code = from.text("check_code");
        let issue_date = from.text("issue_date");
        let issuer = from.object("issuer").and_then(Party::read);
        let visit = from.text("visit");
        let items = read_items(&mut from);
        let total = from.text("total");
        let amounts: Vec<Option<Fen>> = match &items {
            Some(items) => items
                .iter()
                .map(|item| item.as_ref().map(|item| item.amount))
                .collect(),
            None => vec![None],
        };
        BillAmounts {
            items: &amounts,
            total,
        }
        .judge(&from);
        let payment = from
            .object("payment")
            .and_then(|split| Payment::read(split, total));
        let sealed = match from.find("sealed") {
            Some(value) => value.object().and_then(Sealed::read).map(Some),
            None => Some(None),
        };
        from.finish();
        Some(Self {
            key: DocumentKey::Fiscal {
                code: code?.0,
                number: number?.0,
            },
            check_code: check_code?,
            issue_date: issue_date?,
            issuer: issuer?,
            visit: visit?,
            items: items?.into_iter().collect::<Option<_>>()?,
            total: total?,
            payment: payment?,
            sealed: sealed?,
        })
    }
}

/// The items, each `None` where it could not be read.
fn read_items(from: &mut ObjectReader<'_, '_>) -> Option<Vec<Option<Item>>> {
    let mut items = from.array("items")?;
    if !items.has(1..=ITEMS_MAX) {
        from.violation(Rule::ItemCount, "items");
        return None;
    }
    Some(items.map(|item| Item::read(item.object()?)).collect())
}

impl Item {
    fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let code = from.optional::<Words<50>>("code");
        let name = from.text::<Words<200>>("name");
        let amount = from.text::<Fen>("amount");
        if amount.is_some_and(Fen::is_negative) {
            from.violation(Rule::NegativeValue, "amount");
        }
        from.finish();
        Some(Self {
            code: code?.map(|code| code.0),
            name: name?.0,
            amount: amount?,
        })
    }
}
