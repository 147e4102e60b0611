//! Answers about the figures. Amounts are in yuan, as everywhere on the wire.

use invoice_core::calendar::Instant;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

use crate::signals::Signal;

/// Which blocks the figures are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Basis {
    /// Height of the last block in the figures.
    pub height: u64,
    /// Time of that block.
    pub time: Instant,
    /// Records up to it.
    pub records: u64,
    /// Height of the chain when it was asked: ahead of `height` while figures are folded.
    pub head: u64,
    /// Blocks whose records are in no figure, since their year had been moved away before the
    /// figures were folded.
    pub left_out: u64,
}

/// A number of things and the money in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// The money in them.
    pub amount: Fen,
}

/// A member, with the name that it was admitted under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub id: MemberId,
    /// Its name, where the node knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl From<MemberId> for Named {
    fn from(id: MemberId) -> Self {
        Self { id, name: None }
    }
}

/// The figures of the whole chain at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overview {
    /// Which blocks they are of.
    pub as_of: Basis,
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
    /// Whether there was more than one answer reads; then the figures are of the newest part.
    pub cut: bool,
}

/// How often records were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CodeCount {
    /// The code of the refusal.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// A record in a list. Its content stands on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedRecord {
    /// Height of its block.
    pub height: u64,
    /// Its leaf index.
    pub index: u64,
    /// Time of its block.
    pub time: Instant,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who sent it.
    pub by: Named,
    /// Its id.
    pub id: String,
    /// The document that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentKey>,
    /// The money that it moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Fen>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A page of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordsPage {
    /// Which blocks the list is of.
    pub as_of: Basis,
    /// The records, the newest first.
    pub records: Vec<ListedRecord>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

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
    /// What was asked for, was reversed, or is in excess; absent where all that was left was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Fen>,
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
    /// All of them.
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
    /// How often, and for how much.
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
    /// Whole days, at least so many.
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

/// How often a member sent records of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TypeCount {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
}

/// What a member did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberView {
    /// Who.
    pub member: Named,
    /// Its first record.
    pub first: Instant,
    /// Its last record.
    pub last: Instant,
    /// Leaf index of that.
    pub last_index: u64,
    /// Records accepted.
    pub accepted: u64,
    /// Records refused.
    pub refused: u64,
    /// By type.
    pub types: Vec<TypeCount>,
}

/// A page of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MembersPage {
    /// Which blocks the figures are of.
    pub as_of: Basis,
    /// Members that sent records, by id.
    pub members: Vec<MemberView>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
