//! Pages of claims.

use invoice_core::calendar::Instant;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{ClaimKind, Component};
pub use invoice_core::state::ClaimStatus;

use super::{AsOf, Place};

/// Which claims, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimQuery {
    /// Only claims in this state; all when absent.
    pub status: Option<ClaimStatus>,
    /// Only claims whose lock was recorded at this instant or later.
    pub from: Option<Instant>,
    /// Only claims whose lock was recorded before this instant.
    pub until: Option<Instant>,
    /// Where an earlier page ended, as the registry gave it out in [`ClaimPage::next`].
    pub cursor: Option<Vec<u8>>,
    /// How many at most, 1 to 1,000.
    pub limit: usize,
    /// The asker's own claims alone, although it is an authority: a health bureau claims too, and
    /// works on its own ledger as every claimant does.
    pub own: bool,
    /// The asker's own claims from the newest to the oldest. The claims of everyone, which an
    /// authority asks for, stand member by member either way.
    pub newest_first: bool,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimView {
    /// The record id of its lock.
    pub claim: String,
    /// Its owner.
    pub by: MemberId,
    /// The document.
    pub document: DocumentKey,
    /// Its kind.
    pub kind: ClaimKind,
    /// The part of a medical bill that it draws on.
    pub component: Component,
    /// The expense report.
    pub reference: String,
    /// Its state.
    pub status: ClaimStatus,
    /// What the lock set aside.
    pub locked: Fen,
    /// What was settled and not taken back.
    pub settled: Fen,
    /// When the lock runs out.
    pub expires_at: Instant,
    /// The number of the accounting voucher, once settled.
    pub voucher: Option<String>,
    /// Where the lock is recorded.
    pub place: Place,
}

/// A page of claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPage {
    /// The claims, oldest first.
    pub claims: Vec<ClaimView>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Vec<u8>>,
    /// The state that the page describes.
    pub as_of: AsOf,
}
