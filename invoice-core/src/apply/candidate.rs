//! A record that is about to be executed.

use crate::crypto::{Hash, Kid};
use crate::identity::{MemberId, RecordId};
use crate::read::Spelled;
use crate::record::{ClaimKind, ParsedRecord, Record, RecordType};
use crate::refusal::Violation;

/// A parsed record together with the key that its signature verified under.
///
/// Whoever builds one vouches for the signature: admission after verifying it, replay because the
/// block's certificate or a re-verification covers it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// `None` when the record is only to be judged and nobody signed it.
    pub(super) kid: Option<Kid>,
    pub(super) hash: Hash,
    pub(super) record_type: RecordType,
    pub(super) by: Option<MemberId>,
    pub(super) id: Option<RecordId>,
    pub(super) claim_kind: Option<ClaimKind>,
    pub(super) stated_issuer: Option<MemberId>,
    pub(super) record: Result<Record, Vec<Violation>>,
}

impl Candidate {
    /// The record, as signed with the key `kid`.
    #[must_use]
    pub fn new(parsed: ParsedRecord<'_>, kid: Kid) -> Self {
        Self::judged(parsed, Some(kid))
    }

    /// A record that is to be judged by [`Execution::judge`](super::Execution::judge), signed or
    /// not. Without a key it is never executed.
    #[must_use]
    pub fn judged(parsed: ParsedRecord<'_>, kid: Option<Kid>) -> Self {
        let hash = crate::crypto::sm3(&[parsed.bytes]);
        Self::hashed(parsed, kid, hash)
    }

    /// The same for a record whose SM3 is known, as when many are hashed at once.
    #[must_use]
    pub fn hashed(parsed: ParsedRecord<'_>, kid: Option<Kid>, sm3_of_record: Hash) -> Self {
        Self {
            kid,
            hash: sm3_of_record,
            record_type: parsed.record_type,
            by: parsed.signer().ok(),
            id: RecordId::spelled(&parsed.id).ok(),
            claim_kind: parsed.claims_kind,
            stated_issuer: parsed.stated_issuer,
            record: parsed.record,
        }
    }

    /// The key that the signature verified under.
    #[must_use]
    pub fn kid(&self) -> Option<Kid> {
        self.kid
    }

    /// SM3 of the record's exact bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The submitter, when its id is well spelt.
    #[must_use]
    pub fn by(&self) -> Option<MemberId> {
        self.by
    }

    /// The record's id, when it is well spelt.
    #[must_use]
    pub fn id(&self) -> Option<&RecordId> {
        self.id.as_ref()
    }

    /// The record, or every rule that its own values break.
    ///
    /// # Errors
    /// The rules that the record breaks.
    pub fn record(&self) -> Result<&Record, &[Violation]> {
        self.record.as_ref().map_err(Vec::as_slice)
    }
}
