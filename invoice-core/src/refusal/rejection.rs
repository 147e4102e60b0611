//! Refusals by recorded state (409): values of the protocol, on the chain and permanent.

use crate::calendar::Instant;
use crate::chain::Facts;
use crate::money::Fen;

/// Why the registry refused a well-formed record of an entitled member.
///
/// Declaration order is precedence: when several would apply, the first is the answer. A variant
/// carries what collided, and only what the signer may see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code())]
pub enum Rejection {
    /// `member.admit` names a member that exists.
    MemberExists,
    /// The record names a member that was never admitted.
    MemberUnknown,
    /// A key with the same `kid` is registered already, by whomever.
    KidExists,
    /// `key.revoke` names a key that this member does not have.
    KeyNotFound,
    /// The key was revoked before.
    KeyAlreadyRevoked,
    /// The key's `not_after` lies in the past.
    KeyExpiryPast,
    /// The member is suspended already.
    MemberAlreadySuspended,
    /// The member is not suspended.
    MemberNotSuspended,
    /// A quota is set for members that issue: merchants and hospitals.
    MemberNotIssuer,

    /// The document was recorded before with the same content.
    DocumentExists {
        /// Leaf index of the record that issued it.
        first_index: u64,
    },
    /// The document was recorded before with other content.
    DocumentConflict {
        /// JSON Pointers of the members that differ, never their values.
        fields: Vec<&'static str>,
    },
    /// The number is in use as a second identity or as the number of a red-letter document.
    IdentityTaken,
    /// The date of issue lies after today (UTC+8, block time).
    IssueDateInFuture {
        /// Today by block time, `YYYY-MM-DD`.
        today: String,
    },
    /// The issuer's quota of the month is not enough.
    QuotaExceeded {
        /// The month's quota, without tax.
        limit: Fen,
        /// What documents of the month have used.
        used: Fen,
        /// What this document needs.
        asked: Fen,
    },

    /// No such document.
    DocumentUnknown,
    /// Only the issuer of the document may do this.
    NotIssuer,
    /// Only the buyer named on the document may do this.
    NotBuyer,
    /// The document is frozen by an authority.
    DocumentFrozen,
    /// The document is frozen already.
    DocumentAlreadyFrozen,
    /// The document is not frozen.
    DocumentNotFrozen,
    /// Nothing of the document is left: it was reversed as a whole.
    DocumentReversed,
    /// Settlements exceed what reversals left; no further claims until they are taken back.
    DocumentOverClaimed,
    /// The member holds neither a live lock nor a settlement on the document.
    NothingToConfirm,
    /// A reversal of a bill, or for reason 01, takes the whole document.
    ReversalMustBeWhole {
        /// The amount that a whole reversal takes.
        whole: Fen,
    },
    /// The reversal takes more than is left.
    ReversalExceedsRemaining {
        /// What is left to reverse.
        remaining: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// A member with a live lock or a settlement has not confirmed this amount within 72 h.
    ReversalNotConfirmed {
        /// How many confirmations are missing.
        missing: u32,
    },
    /// A document of this kind has no second identity of that form.
    AliasNotApplicable,
    /// The document is locked or claimed and cannot be re-issued on paper.
    DocumentInUse,
    /// The bill was re-issued on paper: claim it by the paper's number.
    ReissuedOnPaper,
    /// The document has as many second identities as it may have.
    TooManyAliases,

    /// The signer is neither the buyer named on the document nor the holder of a share.
    ClaimantNotEntitled,
    /// Claims of this kind apply to medical documents only.
    ClaimKindNotApplicable,
    /// The basic insurance has settled the bill directly.
    DirectlySettled,
    /// The document has no payment split, so that no component of it can be claimed.
    ComponentNotApplicable,
    /// The expiry is not after block time, or more than 30 days after it.
    ExpiryOutOfRange {
        /// The latest expiry that would have been accepted.
        latest: Instant,
    },
    /// Everything is settled already.
    AlreadyClaimed,
    /// Nothing is free: what is not settled is locked.
    AlreadyLocked,
    /// The lock asks for more than is free.
    ClaimExceedsRemaining {
        /// What is free for this claimant.
        remaining: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// The lock asks for more of a component than is free of it.
    ComponentExceeded {
        /// What is free of the component for this claimant.
        remaining: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// The document carries as many live locks and settlements as it may.
    TooManyClaims,

    /// The signer has no claim with this id.
    ClaimNotFound,
    /// The claim is a reference: it holds no money.
    ClaimIsReference,
    /// The lock was released.
    ClaimReleased,
    /// The lock expired.
    ClaimExpired {
        /// When it expired.
        expired_at: Instant,
    },
    /// The lock was settled before.
    ClaimAlreadySettled,
    /// The claim was never settled.
    ClaimNotSettled,
    /// The settlement was taken back before.
    ClaimReversed,
    /// The booking date lies after today (UTC+8, block time).
    BookedInFuture {
        /// Today by block time, `YYYY-MM-DD`.
        today: String,
    },
    /// The settlement is larger than its lock.
    SettleExceedsLock {
        /// The amount of the lock.
        locked: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// More is to be taken back than is settled.
    ReverseExceedsSettlement {
        /// What is settled.
        settled: Fen,
        /// What was asked.
        asked: Fen,
    },

    /// The share is larger than what the buyer has left.
    ShareExceedsRemaining {
        /// What is left to the buyer.
        remaining: Fen,
        /// What was asked.
        asked: Fen,
    },
    /// The document has as many share holders as it may have.
    TooManyShares,

    /// Another record of the same atomic batch failed.
    BatchAborted,

    /// `validators.change` replaces another set than the newest.
    ValidatorsNotCurrent,
    /// A change of the validators is recorded and not in effect yet.
    ValidatorsChangePending {
        /// The height at which it takes effect.
        from_height: u64,
    },
    /// A new set decides at the earliest two blocks after the one that records it.
    FromHeightTooEarly {
        /// The earliest height that would have been accepted.
        earliest: u64,
    },
    /// A new set decides at the latest a million blocks after the one that records it.
    FromHeightTooLate {
        /// The latest height that would have been accepted.
        latest: u64,
    },
    /// The validators were changed as often as a receipt can prove.
    TooManyValidatorChanges,
}

impl Rejection {
    /// The stable code of the wire contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MemberExists => "member_exists",
            Self::MemberUnknown => "member_unknown",
            Self::KidExists => "kid_exists",
            Self::KeyNotFound => "key_not_found",
            Self::KeyAlreadyRevoked => "key_already_revoked",
            Self::KeyExpiryPast => "key_expiry_past",
            Self::MemberAlreadySuspended => "member_already_suspended",
            Self::MemberNotSuspended => "member_not_suspended",
            Self::MemberNotIssuer => "member_not_issuer",
            Self::DocumentExists { .. } => "document_exists",
            Self::DocumentConflict { .. } => "document_conflict",
            Self::IdentityTaken => "identity_taken",
            Self::IssueDateInFuture { .. } => "issue_date_in_future",
            Self::QuotaExceeded { .. } => "quota_exceeded",
            Self::DocumentUnknown => "document_unknown",
            Self::NotIssuer => "not_issuer",
            Self::NotBuyer => "not_buyer",
            Self::DocumentFrozen => "document_frozen",
            Self::DocumentAlreadyFrozen => "document_already_frozen",
            Self::DocumentNotFrozen => "document_not_frozen",
            Self::DocumentReversed => "document_reversed",
            Self::DocumentOverClaimed => "document_over_claimed",
            Self::ReversalMustBeWhole { .. } => "reversal_must_be_whole",
            Self::ReversalExceedsRemaining { .. } => "reversal_exceeds_remaining",
            Self::ReversalNotConfirmed { .. } => "reversal_not_confirmed",
            Self::NothingToConfirm => "nothing_to_confirm",
            Self::AliasNotApplicable => "alias_not_applicable",
            Self::DocumentInUse => "document_in_use",
            Self::ReissuedOnPaper => "reissued_on_paper",
            Self::TooManyAliases => "too_many_aliases",
            Self::ClaimantNotEntitled => "claimant_not_entitled",
            Self::ClaimKindNotApplicable => "claim_kind_not_applicable",
            Self::DirectlySettled => "directly_settled",
            Self::ComponentNotApplicable => "component_not_applicable",
            Self::ExpiryOutOfRange { .. } => "expiry_out_of_range",
            Self::AlreadyClaimed => "already_claimed",
            Self::AlreadyLocked => "already_locked",
            Self::ClaimExceedsRemaining { .. } => "claim_exceeds_remaining",
            Self::ComponentExceeded { .. } => "component_exceeded",
            Self::TooManyClaims => "too_many_claims",
            Self::ClaimNotFound => "claim_not_found",
            Self::ClaimIsReference => "claim_is_reference",
            Self::ClaimReleased => "claim_released",
            Self::ClaimExpired { .. } => "claim_expired",
            Self::ClaimAlreadySettled => "claim_already_settled",
            Self::ClaimNotSettled => "claim_not_settled",
            Self::ClaimReversed => "claim_reversed",
            Self::BookedInFuture { .. } => "booked_in_future",
            Self::SettleExceedsLock { .. } => "settle_exceeds_lock",
            Self::ReverseExceedsSettlement { .. } => "reverse_exceeds_settlement",
            Self::ShareExceedsRemaining { .. } => "share_exceeds_remaining",
            Self::TooManyShares => "too_many_shares",
            Self::BatchAborted => "batch_aborted",
            Self::ValidatorsNotCurrent => "validators_not_current",
            Self::ValidatorsChangePending { .. } => "validators_change_pending",
            Self::FromHeightTooEarly { .. } => "from_height_too_early",
            Self::FromHeightTooLate { .. } => "from_height_too_late",
            Self::TooManyValidatorChanges => "too_many_validator_changes",
        }
    }

    /// What collided, as it stands in the outcome on the chain.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let none = Facts::new();
        match self {
            Self::DocumentExists { first_index } => none.with("first_index", first_index),
            Self::DocumentConflict { fields } => none.with("fields", fields.join(" ")),
            Self::IssueDateInFuture { today } | Self::BookedInFuture { today } => {
                none.with("today", today)
            }
            Self::QuotaExceeded { limit, used, asked } => none
                .with("limit", limit)
                .with("used", used)
                .with("asked", asked),
            Self::ReversalMustBeWhole { whole } => none.with("whole", whole),
            Self::ReversalNotConfirmed { missing } => none.with("missing", missing),
            Self::ExpiryOutOfRange { latest } => none.with("latest", latest.to_rfc3339_utc8()),
            Self::ClaimExpired { expired_at } => {
                none.with("expired_at", expired_at.to_rfc3339_utc8())
            }
            Self::ReversalExceedsRemaining { remaining, asked }
            | Self::ClaimExceedsRemaining { remaining, asked }
            | Self::ComponentExceeded { remaining, asked }
            | Self::ShareExceedsRemaining { remaining, asked } => {
                none.with("remaining", remaining).with("asked", asked)
            }
            Self::SettleExceedsLock { locked, asked } => {
                none.with("locked", locked).with("asked", asked)
            }
            Self::ValidatorsChangePending { from_height } => none.with("from_height", from_height),
            Self::FromHeightTooEarly { earliest } => none.with("earliest", earliest),
            Self::FromHeightTooLate { latest } => none.with("latest", latest),
            Self::ReverseExceedsSettlement { settled, asked } => {
                none.with("settled", settled).with("asked", asked)
            }
            Self::MemberExists
            | Self::MemberUnknown
            | Self::KidExists
            | Self::KeyNotFound
            | Self::KeyAlreadyRevoked
            | Self::KeyExpiryPast
            | Self::MemberAlreadySuspended
            | Self::MemberNotSuspended
            | Self::MemberNotIssuer
            | Self::IdentityTaken
            | Self::DocumentUnknown
            | Self::NotIssuer
            | Self::NotBuyer
            | Self::DocumentFrozen
            | Self::DocumentAlreadyFrozen
            | Self::DocumentNotFrozen
            | Self::DocumentReversed
            | Self::DocumentOverClaimed
            | Self::NothingToConfirm
            | Self::AliasNotApplicable
            | Self::DocumentInUse
            | Self::ReissuedOnPaper
            | Self::TooManyAliases
            | Self::ClaimantNotEntitled
            | Self::ClaimKindNotApplicable
            | Self::DirectlySettled
            | Self::ComponentNotApplicable
            | Self::AlreadyClaimed
            | Self::AlreadyLocked
            | Self::TooManyClaims
            | Self::ClaimNotFound
            | Self::ClaimIsReference
            | Self::ClaimReleased
            | Self::ClaimAlreadySettled
            | Self::ClaimNotSettled
            | Self::ClaimReversed
            | Self::TooManyShares
            | Self::BatchAborted
            | Self::ValidatorsNotCurrent
            | Self::TooManyValidatorChanges => none,
        }
    }
}
