//! One line of an invoice.

use serde::Serialize;

use super::tax_rate::TaxRate;
use crate::decimal::DecimalText;
use crate::money::Fen;
use crate::read::{ObjectReader, Spelled, Words};
use crate::refusal::Rule;

/// How far a line's tax may be from amount times rate.
const LINE_TAX_TOLERANCE: Fen = Fen::new(6);

/// One line of an invoice; a negative amount makes it the discount on the line before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
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
    pub quantity: Option<DecimalText>,
    /// 单价, without tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<DecimalText>,
    /// 金额, without tax.
    pub amount: Fen,
    /// 税率/征收率.
    pub tax_rate: TaxRate,
    /// 税额.
    pub tax: Fen,
    /// 税收分类编码, 19 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<String>,
}

/// A tax classification code: 19 digits, the first 1 to 6.
struct TaxCode(String);

impl Spelled for TaxCode {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let fits = text.len() == 19
            && text.starts_with(|c| ('1'..='6').contains(&c))
            && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
            .ok_or(Rule::TaxCodeSpelling)
    }
}

impl Line {
    /// Reads a line and judges what concerns it alone.
    pub(crate) fn read(mut from: ObjectReader<'_, '_>) -> Option<Self> {
        let name = from.text::<Words<200>>("name");
        let spec = from.optional::<Words<200>>("spec");
        let unit = from.optional::<Words<50>>("unit");
        let quantity = from.optional::<DecimalText>("quantity");
        let unit_price = from.optional::<DecimalText>("unit_price");
        let amount = from.text::<Fen>("amount");
        let tax_rate = from.text::<TaxRate>("tax_rate");
        let tax = from.text::<Fen>("tax");
        let tax_code = from.optional::<TaxCode>("tax_code");
        for (name, value) in [("quantity", &quantity), ("unit_price", &unit_price)] {
            if let Some(Some(value)) = value
                && value.is_negative()
            {
                from.violation(Rule::NegativeValue, name);
            }
        }
        if let (Some(Some(quantity)), Some(Some(price)), Some(amount)) =
            (&quantity, &unit_price, amount)
            && !amount.is_negative()
            && !quantity.product_is(price, amount)
        {
            from.violation(Rule::LineAmountMismatch, "amount");
        }
        if let (Some(amount), Some(rate), Some(tax)) = (amount, tax_rate, tax)
            && let Some(rule) = broken_tax_rule(amount, rate, tax)
        {
            from.violation(rule, "tax");
        }
        from.finish();
        Some(Self {
            name: name?.0,
            spec: spec?.map(|words| words.0),
            unit: unit?.map(|words| words.0),
            quantity: quantity?,
            unit_price: unit_price?,
            amount: amount?,
            tax_rate: tax_rate?,
            tax: tax?,
            tax_code: tax_code?.map(|code| code.0),
        })
    }
}

fn broken_tax_rule(amount: Fen, rate: TaxRate, tax: Fen) -> Option<Rule> {
    if (amount.is_negative() && tax.is_positive()) || (!amount.is_negative() && tax.is_negative()) {
        return Some(Rule::TaxSignOpposed);
    }
    match rate {
        TaxRate::Fraction(_) => rate
            .tax_error(amount, tax)
            .filter(|error| error.exceeds(LINE_TAX_TOLERANCE))
            .map(|_| Rule::LineTaxMismatch),
        TaxRate::Exempt | TaxRate::NotTaxable => {
            (tax != Fen::ZERO).then_some(Rule::TaxOnUntaxedLine)
        }
        TaxRate::Starred => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_follows_the_rate_within_six_fen() {
        let cases: &[(i64, &str, i64, Option<Rule>)] = &[
            (1_600_000, "0.06", 96_000, None),
            (1_600_000, "0.06", 96_006, None),
            (1_600_000, "0.06", 95_994, None),
            (1_600_000, "0.06", 96_007, Some(Rule::LineTaxMismatch)),
            (1_600_000, "0.06", 95_993, Some(Rule::LineTaxMismatch)),
            (33, "0.13", 10, None),
            (33, "0.13", 11, Some(Rule::LineTaxMismatch)),
            (-10_000, "0.06", -600, None),
            (-10_000, "0.06", 600, Some(Rule::TaxSignOpposed)),
            (10, "0.06", -1, Some(Rule::TaxSignOpposed)),
            (10_000, "免税", 0, None),
            (10_000, "免税", 1, Some(Rule::TaxOnUntaxedLine)),
            (10_000, "不征税", 1, Some(Rule::TaxOnUntaxedLine)),
            (10_000, "***", 9_999, None),
            (10_000, "***", -1, Some(Rule::TaxSignOpposed)),
            (10_000, "0", 6, None),
            (10_000, "0", 7, Some(Rule::LineTaxMismatch)),
        ];
        for (amount, rate, tax, broken) in cases {
            let rate = TaxRate::spelled(rate).unwrap();
            assert_eq!(
                broken_tax_rule(Fen::new(*amount), rate, Fen::new(*tax)),
                *broken,
                "{amount} {rate} {tax}"
            );
        }
    }
}
