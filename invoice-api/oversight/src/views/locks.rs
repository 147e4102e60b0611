//! Live locks.

use invoice_core::calendar::Instant;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Named, Sum};

/// A live lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LockView {
    /// Leaf index of its record.
    pub index: u64,
    /// Who locked.
    pub by: Named,
    /// The id of its record.
    pub id: String,
    /// The document.
    pub document: DocumentKey,
    /// What is locked.
    pub amount: Fen,
    /// The kind of claim.
    pub kind: String,
    /// Since when.
    pub locked_at: Instant,
    /// Until when.
    pub expires_at: Instant,
}

/// Locks of one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgeBucket {
    /// Calendar days in UTC+8 between the day of locking and that of the last block, at least so
    /// many.
    pub days_from: u32,
    /// And fewer than so many; absent for the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_below: Option<u32>,
    /// The locks.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A page of live locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocksPage {
    /// Which blocks the list is of. A lock that ran out since the last block is still among them.
    pub as_of: Basis,
    /// All live locks by age.
    pub ages: Vec<AgeBucket>,
    /// The locks, the oldest first.
    pub locks: Vec<LockView>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
