//! Who paid a medical bill.

use serde::Serialize;

use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// The payment split of a medical document, which fiscal e-bills and invoices of private
/// hospitals share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payment {
    /// 医保统筹基金支付: paid by the pooled fund of basic insurance.
    pub fund: Fen,
    /// 其他支付: major illness insurance, medical aid, civil servants' supplement and the like.
    pub other: Fen,
    /// 个人账户支付: from the patient's medical account.
    pub account: Fen,
    /// 个人现金支付: cash, bank card or phone.
    pub cash: Fen,
    /// 个人自付: inside the catalogue, but borne by the patient.
    pub self_pay: Fen,
    /// 个人自费: outside the catalogue.
    pub self_fund: Fen,
}

impl Payment {
    /// What the patient bore, and may claim elsewhere: `account` and `cash`.
    #[must_use]
    pub fn borne_by_patient(&self) -> Option<Fen> {
        self.account.checked_add(self.cash)
    }

    /// Whether insurance paid its part at the counter (直接结算).
    #[must_use]
    pub const fn is_direct_settled(&self) -> bool {
        self.fund.is_positive() || self.other.is_positive()
    }

    pub(crate) fn read(mut from: ObjectReader<'_, '_>, total: Option<Fen>) -> Option<Self> {
        let mut part = |name| {
            let part = from.text::<Fen>(name)?;
            if part.is_negative() {
                from.violation(Rule::NegativeValue, name);
            }
            Some(part)
        };
        let (fund, other) = (part("fund"), part("other"));
        let (account, cash) = (part("account"), part("cash"));
        let (self_pay, self_fund) = (part("self_pay"), part("self_fund"));
        // Differences are reported at the members that bear them first: `fund` for the sources of
        // the money, `self_pay` for the nature of the patient's burden.
        if let (Some(total), Some(fund), Some(other), Some(account), Some(cash)) =
            (total, fund, other, account, cash)
            && !within_a_fen(Fen::checked_sum([fund, other, account, cash]), Some(total))
        {
            from.violation_with(
                Rule::PaymentSourcesMismatch,
                "fund",
                &[("total", total.to_string())],
            );
        }
        if let (Some(self_pay), Some(self_fund), Some(account), Some(cash)) =
            (self_pay, self_fund, account, cash)
            && !within_a_fen(self_pay.checked_add(self_fund), account.checked_add(cash))
        {
            from.violation(Rule::PaymentBurdenMismatch, "self_pay");
        }
        from.finish();
        Some(Self {
            fund: fund?,
            other: other?,
            account: account?,
            cash: cash?,
            self_pay: self_pay?,
            self_fund: self_fund?,
        })
    }
}

fn within_a_fen(one: Option<Fen>, other: Option<Fen>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.get().abs_diff(other.get()) <= 1,
        _ => false,
    }
}
