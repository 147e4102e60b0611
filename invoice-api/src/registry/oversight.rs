//! What authorities and auditors ask about the whole chain.

use std::collections::BTreeMap;

use invoice_core::calendar::Instant;
use invoice_core::identity::{DocumentKey, MemberId};
use oversight::read::{IncidentKind, RecordList};
use oversight::{
    IncidentView, IncidentsPage, Level, LocksPage, Measure, MemberView, MembersPage,
    MerchantDetail, MerchantsPage, Named, Overview, PairsPage, RecordsPage, SeriesView,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DocumentView, TimelineCursor};

/// A cursor as an earlier page gave it out.
pub type Cursor = Option<Vec<u8>>;

/// A question about the whole chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OversightQuestion {
    /// Everything at a glance.
    Overview,
    /// One measure over time.
    Series {
        /// What is counted.
        measure: Measure,
        /// By hours or days.
        level: Level,
        /// The first bucket, and the last; by itself the newest that fit the level.
        range: Option<(Instant, Instant)>,
        /// Only of this region.
        region: Option<u8>,
        /// Only of this kind.
        kind: Option<u8>,
    },
    /// A page of a list of records.
    Records(RecordList, Cursor),
    /// A page of incidents.
    Incidents(IncidentKind, Cursor),
    /// One attempt.
    Attempt(u64),
    /// A page of pairs of members.
    Pairs(Cursor),
    /// A page of issuers.
    Merchants(Cursor),
    /// One issuer.
    Merchant(MemberId),
    /// A page of live locks, by themselves of all ages.
    Locks {
        /// Calendar days since the day of locking: at least so many, and fewer than so many.
        age: Option<(u32, Option<u32>)>,
        /// Where an earlier page ended.
        cursor: Cursor,
    },
    /// A page of members.
    Members(Cursor),
    /// One member.
    Member(MemberId),
    /// A page of the access log.
    Access(Cursor),
    /// What fits a text: a document's key, a member's id or name, a record's id.
    Search(String),
    /// A document's whole life, from a page on.
    Life(DocumentKey, TimelineCursor),
    /// The chain's health.
    Health,
}

/// An answer; each question has one kind of its own.
#[derive(Debug, Clone)]
pub enum OversightAnswer {
    /// This node keeps no figures.
    Off,
    /// There is no such thing, or not for the asker.
    NotFound,
    /// The cursor is not one of this list.
    CursorInvalid,
    /// Everything at a glance.
    Overview(Box<Overview>),
    /// One measure over time.
    Series(SeriesView),
    /// A page of records.
    Records(RecordsPage),
    /// A page of incidents.
    Incidents(IncidentsPage),
    /// One attempt.
    Attempt(Box<IncidentView>),
    /// A page of pairs.
    Pairs(PairsPage),
    /// A page of issuers.
    Merchants(MerchantsPage),
    /// One issuer.
    Merchant(Box<MerchantDetail>),
    /// A page of live locks.
    Locks(LocksPage),
    /// A page of members.
    Members(MembersPage),
    /// One member, with its standing.
    Member(Box<MemberFound>),
    /// A page of the access log.
    Access(AccessPage),
    /// What was found.
    Found(Found),
    /// A document's life.
    Life(Box<DocumentView>),
    /// The chain's health.
    Health(Box<HealthView>),
}

/// A member with what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberFound {
    /// Who.
    #[serde(flatten)]
    pub member: Named,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// What it did; absent when it sent nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<MemberView>,
}

/// A line of the access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessEntry {
    /// When it was asked.
    pub time: String,
    /// Who asked; absent for the public page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<MemberId>,
    /// With which key.
    pub kid: String,
    /// What was called.
    pub call: String,
    /// Which document.
    pub document: DocumentKey,
    /// Whether there is such a document now: strangers ask about others too.
    pub document_exists: bool,
    /// Elements that the asker supplied.
    pub asked: Vec<String>,
    /// Those of them that were wrong.
    pub differs: Vec<String>,
    /// What was answered.
    pub answer: String,
}

/// A page of this node's access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessPage {
    /// How many questions are in the log.
    pub entries_total: u64,
    /// The tree hash over its lines (RFC 6962, SM3).
    pub root: String,
    /// The questions, the newest first.
    pub entries: Vec<AccessEntry>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What fits a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Found {
    /// The height of what was searched.
    pub height: u64,
    /// Documents.
    pub documents: Vec<DocumentKey>,
    /// Members.
    pub members: Vec<Named>,
    /// Records, as path of the member and the record's id.
    pub records: Vec<RecordPath>,
    /// Whether there is more than is shown, or not every member's records were looked at.
    pub more: bool,
}

/// A record by who sent it and its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordPath {
    /// Who sent it.
    pub by: Named,
    /// Its id.
    pub id: String,
    /// Its leaf index.
    pub index: u64,
}

/// One validator, as the certificates of the last blocks show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValidatorHealth {
    /// Its key.
    pub kid: String,
    /// What people call it.
    pub name: String,
    /// How many of the blocks that were looked at it signed. A signature stands for the same
    /// result: who computed another digest does not sign.
    pub signed: u64,
    /// The last of them that it signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_signed: Option<u64>,
}

/// One other node, as this node's links know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeerHealth {
    /// What people call it.
    pub name: String,
    /// Whether there is a link.
    pub connected: bool,
    /// Bytes that wait to be sent to it.
    pub queued_bytes: u64,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// One of the last blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockHealth {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time: Instant,
    /// Its records.
    pub records: u32,
    /// The round in which it was agreed on; 0 when all went well.
    pub round: u32,
    /// Signatures in its certificate.
    pub signatures: u64,
    /// Milliseconds since the block before.
    pub after_ms: i64,
}

/// How the chain and this node are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthView {
    /// Height of the last block.
    pub height: u64,
    /// Its time.
    pub time: Instant,
    /// Records in the log.
    pub records: u64,
    /// The digest of the last block's changes, which its signers computed alike.
    pub effects_root: String,
    /// Root of the log.
    pub log_root: String,
    /// What keeps new records out, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusing: Option<String>,
    /// Height up to which figures are folded; absent when this node keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures_height: Option<u64>,
    /// Whether folding ended by an error: the figures stand still until the node starts again.
    pub figures_failed: bool,
    /// The last blocks, the newest first.
    pub blocks: Vec<BlockHealth>,
    /// Validators.
    pub validators: Vec<ValidatorHealth>,
    /// Other nodes.
    pub peers: Vec<PeerHealth>,
    /// All figures of `/metrics` that the node gives, by name: waiting, disk, rounds.
    pub gauges: BTreeMap<String, i64>,
}
