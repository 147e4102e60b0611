//! The types of records.

use std::fmt;

/// What a record is about: its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// `member.admit`.
    MemberAdmit,
    /// `member.suspend`.
    MemberSuspend,
    /// `member.resume`.
    MemberResume,
    /// `key.add`.
    KeyAdd,
    /// `key.revoke`.
    KeyRevoke,
    /// `quota.set`.
    QuotaSet,
    /// `invoice.issue`.
    InvoiceIssue,
    /// `bill.issue`.
    BillIssue,
    /// `document.register`.
    DocumentRegister,
    /// `document.reverse`.
    DocumentReverse,
    /// `document.confirm_reversal`.
    ConfirmReversal,
    /// `document.freeze`.
    DocumentFreeze,
    /// `document.unfreeze`.
    DocumentUnfreeze,
    /// `document.alias`.
    DocumentAlias,
    /// `claim.lock`.
    ClaimLock,
    /// `claim.settle`.
    ClaimSettle,
    /// `claim.release`.
    ClaimRelease,
    /// `claim.reverse`.
    ClaimReverse,
    /// `share.grant`.
    ShareGrant,
    /// `validators.change`.
    ValidatorsChange,
}

impl RecordType {
    /// Every type, in the order of the contract.
    pub const ALL: &'static [RecordType] = &[
        Self::MemberAdmit,
        Self::MemberSuspend,
        Self::MemberResume,
        Self::KeyAdd,
        Self::KeyRevoke,
        Self::QuotaSet,
        Self::InvoiceIssue,
        Self::BillIssue,
        Self::DocumentRegister,
        Self::DocumentReverse,
        Self::ConfirmReversal,
        Self::DocumentFreeze,
        Self::DocumentUnfreeze,
        Self::DocumentAlias,
        Self::ClaimLock,
        Self::ClaimSettle,
        Self::ClaimRelease,
        Self::ClaimReverse,
        Self::ShareGrant,
        Self::ValidatorsChange,
    ];

    /// The type's word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemberAdmit => "member.admit",
            Self::MemberSuspend => "member.suspend",
            Self::MemberResume => "member.resume",
            Self::KeyAdd => "key.add",
            Self::KeyRevoke => "key.revoke",
            Self::QuotaSet => "quota.set",
            Self::InvoiceIssue => "invoice.issue",
            Self::BillIssue => "bill.issue",
            Self::DocumentRegister => "document.register",
            Self::DocumentReverse => "document.reverse",
            Self::ConfirmReversal => "document.confirm_reversal",
            Self::DocumentFreeze => "document.freeze",
            Self::DocumentUnfreeze => "document.unfreeze",
            Self::DocumentAlias => "document.alias",
            Self::ClaimLock => "claim.lock",
            Self::ClaimSettle => "claim.settle",
            Self::ClaimRelease => "claim.release",
            Self::ClaimReverse => "claim.reverse",
            Self::ShareGrant => "share.grant",
            Self::ValidatorsChange => "validators.change",
        }
    }

    /// The type of a word; `None` for words that the contract does not know.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == word)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for RecordType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
