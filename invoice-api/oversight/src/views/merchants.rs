//! Issuers.

use invoice_core::calendar::Instant;
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Named, Sum};
use crate::signals::Signal;

/// An issuer's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MerchantView {
    /// Who.
    pub member: Named,
    /// What it issued.
    pub issued: Sum,
    /// What it reversed.
    pub reversed: Sum,
    /// What stands out, each with its figures; where to look, never a verdict.
    pub signals: Vec<Signal>,
    /// The hour of the burst, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_at: Option<Instant>,
    /// The month whose quota is fullest, `YYYY-MM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_month: Option<String>,
    /// Its quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_limit: Option<Fen>,
    /// What was billed in it without tax, reversals not deducted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_billed: Option<Fen>,
}

/// A page of issuers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MerchantsPage {
    /// Which blocks the figures are of.
    pub as_of: Basis,
    /// Issuers, those with the most signals first.
    pub merchants: Vec<MerchantView>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The numbers of one series that an issuer used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NumberSeries {
    /// What its numbers begin with: the code, or year, region and channel.
    pub prefix: String,
    /// The lowest number after that.
    pub lowest: u64,
    /// The highest.
    pub highest: u64,
    /// How many were used.
    pub used: u64,
    /// How many between the lowest and the highest were not.
    pub missing: u64,
}

/// One issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MerchantDetail {
    /// Which blocks the figures are of.
    pub as_of: Basis,
    /// Its figures.
    #[serde(flatten)]
    pub merchant: MerchantView,
    /// Its series, up to 100.
    pub series: Vec<NumberSeries>,
}
