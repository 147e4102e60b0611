//! `quota.set`: the tax authority limits what a member may issue in a month.

use serde::Serialize;

use crate::calendar::Month;
use crate::identity::MemberId;
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// `quota.set`: signed by the tax authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaSet {
    /// The member.
    pub member: MemberId,
    /// The month of issue.
    pub month: Month,
    /// The limit, counted in `total_without_tax`; nothing may be issued at 0.00.
    pub amount: Fen,
}

impl QuotaSet {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let member = body.text::<MemberId>("member");
        let month = body.text::<Month>("month");
        let amount = body.text::<Fen>("amount");
        if amount.is_some_and(Fen::is_negative) {
            body.violation(Rule::NegativeValue, "amount");
        }
        Some(Self {
            member: member?,
            month: month?,
            amount: amount?,
        })
    }
}
