//! `claim.reverse`: a settlement is taken back.

use serde::Serialize;

use crate::identity::RecordId;
use crate::money::Fen;
use crate::read::{ObjectReader, Words};
use crate::refusal::Rule;

/// `claim.reverse`: signed by the settler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimReverse {
    /// The lock that was settled, by its record id.
    pub claim: RecordId,
    /// How much of the settlement; positive.
    pub amount: Fen,
    /// Why.
    pub reason: String,
}

impl ClaimReverse {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let claim = body.text::<RecordId>("claim");
        let amount = body.text::<Fen>("amount");
        let reason = body.text::<Words<200>>("reason");
        if amount.is_some_and(|amount| !amount.is_positive()) {
            body.violation(Rule::AmountNotPositive, "amount");
        }
        Some(Self {
            claim: claim?,
            amount: amount?,
            reason: reason?.0,
        })
    }
}
