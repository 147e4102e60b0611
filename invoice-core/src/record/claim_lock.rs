//! `claim.lock`: a claimant reserves money of a document.

use serde::Serialize;

use super::values::{ClaimKind, Component};
use crate::calendar::Instant;
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::read::{ObjectReader, Words};
use crate::refusal::Rule;

/// `claim.lock`: signed by the claimant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimLock {
    /// The document.
    pub document: DocumentKey,
    /// How much; all that is left when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Fen>,
    /// Why it is claimed.
    pub kind: ClaimKind,
    /// Which part of the patient's burden; either when absent.
    #[serde(skip_serializing_if = "is_any")]
    pub component: Component,
    /// The expense report or case.
    pub reference: String,
    /// When the lock gives the money back by itself.
    pub expires_at: Instant,
}

impl ClaimLock {
    pub(crate) fn read(body: &mut ObjectReader<'_, '_>) -> Option<Self> {
        let document = body.text::<DocumentKey>("document");
        let amount = body.optional::<Fen>("amount");
        let kind = body.text::<ClaimKind>("kind");
        let component = body.optional::<Component>("component");
        let reference = body.text::<Words<200>>("reference");
        let expires_at = body.text::<Instant>("expires_at");
        if let (Some(Some(amount)), Some(kind)) = (amount, kind) {
            if kind == ClaimKind::Reference && amount != Fen::ZERO {
                body.violation(Rule::ReferenceWithAmount, "amount");
            }
            if kind != ClaimKind::Reference && !amount.is_positive() {
                body.violation(Rule::AmountNotPositive, "amount");
            }
        }
        Some(Self {
            document: document?,
            amount: amount?,
            kind: kind?,
            component: component?.unwrap_or(Component::Any),
            reference: reference?.0,
            expires_at: expires_at?,
        })
    }
}

fn is_any(component: &Component) -> bool {
    *component == Component::Any
}
