//! `share.grant`: a buyer gives another member a share (原始凭证分割单).

use serde::Serialize;

use crate::identity::{DocumentKey, MemberId};
use crate::money::Fen;
use crate::read::ObjectReader;
use crate::refusal::Rule;

/// `share.grant`: signed by the buyer named on the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareGrant {
    /// The document.
    pub document: DocumentKey,
    /// Who gets the share.
    pub to: MemberId,
    /// How much; positive.
    pub amount: Fen,
}

impl ShareGrant {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let to = body.text::<MemberId>("to");
        let amount = body.text::<Fen>("amount");
        if amount.is_some_and(|amount| !amount.is_positive()) {
            body.violation(Rule::AmountNotPositive, "amount");
        }
        Some(Self {
            document: document?,
            to: to?,
            amount: amount?,
        })
    }
}
