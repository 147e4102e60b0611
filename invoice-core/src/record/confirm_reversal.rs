//! `document.confirm_reversal`: a claimant agrees to a reversal (红字确认).

use serde::Serialize;

use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// `document.confirm_reversal`: signed by each member that holds a live lock or a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmReversal {
    /// The document.
    pub document: DocumentKey,
    /// The reversal that is agreed to; positive.
    pub amount: Fen,
}

impl ConfirmReversal {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let amount = body.text::<Fen>("amount");
        if amount.is_some_and(|amount| !amount.is_positive()) {
            body.violation(Rule::AmountNotPositive, "amount");
        }
        Some(Self {
            document: document?,
            amount: amount?,
        })
    }
}
