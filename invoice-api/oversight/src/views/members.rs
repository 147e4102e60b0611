//! Members.

use invoice_core::calendar::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Basis, Named};

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
