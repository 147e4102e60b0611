//! Lists of records.

use invoice_core::calendar::Instant;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Named};

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
    /// The document that it is about, as the record names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentKey>,
    /// Whether there is such a document now: records about others are refused.
    pub document_exists: bool,
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
    /// Leaf indexes of records of this page that cannot be shown, since their year was moved away
    /// from this node.
    pub away: Vec<u64>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
