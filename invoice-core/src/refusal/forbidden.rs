//! Static rights (403): the signer is known and may not do this, whatever the registry holds.

/// Why a member may not submit a record or ask a question of this kind.
///
/// The variants stand in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}", self.code())]
pub enum Forbidden {
    /// The member was suspended by an authority.
    MemberSuspended,
    /// None of the member's roles may submit this type of record.
    RoleMissing,
    /// The claim kind is not open to the member's roles (employers claim `employer`, insurers
    /// `commercial`, health authorities `basic` and `supplement`; all of them `reference`).
    ClaimKindNotAllowed,
    /// The document names another seller or issuer than the member that signs.
    IssuerIsNotSigner,
    /// Keys of another member may only be added or revoked by an authority.
    KeyOfAnotherMember,
    /// Tax and finance authorities are admitted, suspended and re-keyed by neither bureau alone.
    AuthorityProtected,
}

impl Forbidden {
    /// Every variant, in order.
    pub const ALL: [Self; 6] = [
        Self::MemberSuspended,
        Self::RoleMissing,
        Self::ClaimKindNotAllowed,
        Self::IssuerIsNotSigner,
        Self::KeyOfAnotherMember,
        Self::AuthorityProtected,
    ];

    /// The stable code of the wire contract.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MemberSuspended => "member_suspended",
            Self::RoleMissing => "role_missing",
            Self::ClaimKindNotAllowed => "claim_kind_not_allowed",
            Self::IssuerIsNotSigner => "issuer_is_not_signer",
            Self::KeyOfAnotherMember => "key_of_another_member",
            Self::AuthorityProtected => "authority_protected",
        }
    }
}
