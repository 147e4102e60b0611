//! The tables of the state.

/// A table of the state. The number is part of the chain's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Member id (18 bytes) → [`Member`](super::Member).
    Member = 1,
    /// Member number (u32) → member id (18 bytes).
    MemberNumber = 2,
    /// `kid` (16 bytes) → [`KeyEntry`](super::KeyEntry).
    Key = 3,
    /// Member number (u32), month (u16 year, u8 month) → [`Quota`](super::Quota).
    Quota = 4,
    /// Document key in natural order → [`Document`](super::Document).
    Document = 5,
    /// Second identity in natural order → [`AliasEntry`](super::AliasEntry).
    Alias = 6,
    /// Claimant's number (u32), id of the lock's record → [`Claim`](super::Claim).
    Claim = 7,
    /// Document key length (u8), document key, member number (u32) →
    /// [`Confirmation`](super::Confirmation).
    Confirmation = 8,
    /// Submitter's number (u32), record id → [`RecordEntry`](super::RecordEntry).
    Record = 9,
    /// Name → u32.
    Counter = 10,
    /// First height (u64) → [`ValidatorsEntry`](super::ValidatorsEntry); `newest` → the first height
    /// of the last one (u64); `chain` → the chain's name.
    Validators = 11,
}

impl Table {
    /// Every table, in order.
    pub const ALL: [Self; 11] = [
        Self::Member,
        Self::MemberNumber,
        Self::Key,
        Self::Quota,
        Self::Document,
        Self::Alias,
        Self::Claim,
        Self::Confirmation,
        Self::Record,
        Self::Counter,
        Self::Validators,
    ];

    /// The table's place among [`Table::ALL`].
    pub(crate) const fn place(self) -> usize {
        (self as usize).saturating_sub(1)
    }

    /// The number that stands in the effects digest.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}
