//! Attempts, over-claims, late reversals; pairs of members.

use invoice_core::calendar::Instant;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Named, Sum};

/// What somebody holds on a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HolderView {
    /// Who.
    pub member: Named,
    /// Under live locks.
    pub locked: Fen,
    /// Settled and not taken back.
    pub settled: Fen,
}

/// An attempt to claim what others hold, a reversal of what was claimed, or an over-claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentView {
    /// Height of the record's block.
    pub height: u64,
    /// The record's leaf index.
    pub index: u64,
    /// Time of its block.
    pub time: Instant,
    /// Whose record it is.
    pub by: Named,
    /// Its id.
    pub id: String,
    /// The document.
    pub document: DocumentKey,
    /// What was asked for, was reversed, or is in excess now; absent where all that was left was
    /// asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Fen>,
    /// Of an over-claim the largest excess that there was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<Fen>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who held money on the document then, up to eight.
    pub holders: Vec<HolderView>,
    /// How many held money on it.
    pub holders_count: u64,
    /// The leaf index of the record that mended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared_by: Option<u64>,
}

/// A page of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentsPage {
    /// Which blocks the list is of.
    pub as_of: Basis,
    /// The incidents, the newest first.
    pub incidents: Vec<IncidentView>,
    /// All of them; of over-claims the money is that of the largest excess of each, of attempts
    /// at most what others held on the document then.
    pub total: Sum,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who tried to claim what who held, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairView {
    /// Who tried.
    pub tried: Named,
    /// Who held.
    pub held: Named,
    /// How often, and for how much: of each attempt at most what was held.
    #[serde(flatten)]
    pub sum: Sum,
    /// Leaf index of the last attempt.
    pub last: u64,
}

/// A page of pairs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairsPage {
    /// Which blocks the list is of.
    pub as_of: Basis,
    /// The pairs, those with the most attempts first.
    pub pairs: Vec<PairView>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
