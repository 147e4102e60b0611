//! Everything at a glance.

use invoice_core::calendar::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Bucket, PairView, Sum};

/// The figures of the whole chain at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overview {
    /// Which blocks they are of.
    pub as_of: Basis,
    /// Time of the first block.
    pub since: Instant,
    /// Documents issued.
    pub issued: Sum,
    /// Reversals (红冲).
    pub reversed: Sum,
    /// Locks ever made.
    pub locked: Sum,
    /// Settlements.
    pub settled: Sum,
    /// Records refused.
    pub refused: Sum,
    /// Claims refused while others held money on the document.
    pub attempted: Sum,
    /// Locks that are live now.
    pub live: Sum,
    /// Locks that ran out without being settled or released.
    pub expired: Sum,
    /// Documents that are over-claimed now, with the excess.
    pub over_claimed: Sum,
    /// Reversals of documents that somebody had claimed.
    pub late_reversals: Sum,
    /// Members admitted since the genesis file.
    pub members_admitted: u64,
    /// Members that issued or have a quota.
    pub merchants: u64,
    /// Those of them that something stands out about.
    pub merchants_with_signals: u64,
    /// Documents that are frozen now.
    pub frozen: u64,
    /// The last 24 hours with blocks up to now, hour by hour: issued.
    pub hours: Vec<Bucket>,
    /// Refusals by code, the most frequent first.
    pub codes: Vec<CodeCount>,
    /// The pairs with the most attempts.
    pub pairs: Vec<PairView>,
}

/// How often records were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CodeCount {
    /// The code of the refusal.
    pub code: String,
    /// How often.
    pub count: u64,
}
