//! Answers about the figures. Amounts are in yuan, as everywhere on the wire.

mod incidents;
mod locks;
mod members;
mod merchants;
mod overview;
mod records;
mod volume;

pub use incidents::{HolderView, IncidentView, IncidentsPage, PairView, PairsPage};
pub use locks::{AgeBucket, LockView, LocksPage};
pub use members::{MemberView, MembersPage, TypeCount};
pub use merchants::{MerchantDetail, MerchantView, MerchantsPage, NumberSeries};
pub use overview::{CodeCount, Overview};
pub use records::{ListedRecord, RecordsPage};
pub use volume::{Bucket, SeriesView, Share};

use invoice_core::calendar::Instant;
use invoice_core::identity::MemberId;
use invoice_core::money::Fen;
use serde::Serialize;
use utoipa::ToSchema;

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
