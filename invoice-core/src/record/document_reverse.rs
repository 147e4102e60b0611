//! `document.reverse`: the issuer takes a document back (红冲).

use serde::Serialize;

use super::values::{RedNumber, ReversalReason};
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// `document.reverse`: signed by the issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentReverse {
    /// The document.
    pub document: DocumentKey,
    /// How much of it; positive.
    pub amount: Fen,
    /// Why.
    pub reason: ReversalReason,
    /// The number of the red letter (红字发票), 20 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red_number: Option<RedNumber>,
}

impl DocumentReverse {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let amount = body.text::<Fen>("amount");
        let reason = body.text::<ReversalReason>("reason");
        let red_number = body.optional::<RedNumber>("red_number");
        if amount.is_some_and(|amount| !amount.is_positive()) {
            body.violation(Rule::AmountNotPositive, "amount");
        }
        Some(Self {
            document: document?,
            amount: amount?,
            reason: reason?,
            red_number: red_number?,
        })
    }
}
