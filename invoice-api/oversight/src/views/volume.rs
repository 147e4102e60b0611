//! Measures over time.

use invoice_core::calendar::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Sum};

/// What happened in one hour or day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bucket {
    /// When it begins.
    pub start: Instant,
    /// What was counted in it.
    #[serde(flatten)]
    pub sum: Sum,
}

/// What belongs to one region or kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Share {
    /// The number of the region or kind.
    pub number: u8,
    /// Its name in 中文.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What was counted.
    #[serde(flatten)]
    pub sum: Sum,
}

/// One measure over time, and by region and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeriesView {
    /// Which blocks it is of.
    pub as_of: Basis,
    /// What is counted.
    pub measure: String,
    /// `hour` or `day`.
    pub level: String,
    /// Hours or days from the first to the last, empty ones included.
    pub buckets: Vec<Bucket>,
    /// By region, the largest first.
    pub regions: Vec<Share>,
    /// By kind, the largest first.
    pub kinds: Vec<Share>,
    /// Whether more was asked for than one answer has: then the figures begin later, with the first
    /// bucket that is here.
    pub cut: bool,
}
