//! Authentication (401): who signed cannot be established, or may not sign any more.

/// Why a signature does not count.
///
/// The variants stand in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}", self.code())]
pub enum AuthenticationError {
    /// A read that is not public came without an `Authorization` header.
    AuthorizationMissing,
    /// The `Authorization` header has not the layout of the contract.
    AuthorizationMalformed,
    /// The `kid` is not 32 lower-case hexadecimal digits.
    KidMalformed,
    /// The signature is not base64 of 64 or 65 bytes, nor of a DER sequence of two integers.
    SignatureMalformed,
    /// No member has registered a key with this `kid`.
    KeyUnknown,
    /// The key belongs to another member than the one that the record names in `by`.
    KeyNotOfMember,
    /// The timestamp of a request is more than 300 s away from the server's clock.
    TimestampOutOfRange,
    /// The nonce of a request was seen before.
    NonceReused,
    /// The SM2 signature does not verify over the exact bytes.
    SignatureInvalid,
    /// The key was revoked.
    KeyRevoked,
    /// The key's `not_after` has passed.
    KeyExpired,
}

impl AuthenticationError {
    /// Every variant, in order.
    pub const ALL: [Self; 11] = [
        Self::AuthorizationMissing,
        Self::AuthorizationMalformed,
        Self::KidMalformed,
        Self::SignatureMalformed,
        Self::KeyUnknown,
        Self::KeyNotOfMember,
        Self::TimestampOutOfRange,
        Self::NonceReused,
        Self::SignatureInvalid,
        Self::KeyRevoked,
        Self::KeyExpired,
    ];

    /// The stable code of the wire contract.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AuthorizationMissing => "authorization_missing",
            Self::AuthorizationMalformed => "authorization_malformed",
            Self::KidMalformed => "kid_malformed",
            Self::SignatureMalformed => "signature_malformed",
            Self::KeyUnknown => "key_unknown",
            Self::KeyNotOfMember => "key_not_of_member",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::NonceReused => "nonce_reused",
            Self::SignatureInvalid => "signature_invalid",
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpired => "key_expired",
        }
    }
}
