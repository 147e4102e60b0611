//! A record that is about to be executed.

use super::work::Work;
use crate::crypto::{Hash, Kid, sm3};
use crate::identity::{MemberId, RecordId};
use crate::read::Spelled;
use crate::record::{ClaimKind, Fingerprint, ParsedRecord, RecordType, Role};
use crate::refusal::Violation;

/// A parsed record together with the key that its signature verified under.
///
/// Whoever hands one on vouches for the signature: admission once it has verified it, replay
/// because the block's certificate or a re-verification covers it.
///
/// Building one works out everything that follows from the record alone, an issued document's
/// digests among it. That can be done on any thread; [`Execution`](super::Execution) has only one.
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
    pub(super) registrar: Option<Role>,
    pub(super) task: Result<Task, Vec<Violation>>,
}

/// A record whose own values break no rule.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: RecordId,
    pub(super) by: MemberId,
    pub(super) work: Work,
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
        let hash = sm3(&[parsed.bytes]);
        Self::hashed(parsed, kid, hash)
    }

    /// As [`judged`](Self::judged), for a caller that has hashed many records at once:
    /// `sm3_of_record` is SM3 of the record's exact bytes.
    #[must_use]
    pub fn hashed(parsed: ParsedRecord<'_>, kid: Option<Kid>, sm3_of_record: Hash) -> Self {
        Self::digested(parsed, kid, sm3_of_record, None)
    }

    /// As [`hashed`](Self::hashed), for a caller that has also made the fingerprints of many
    /// issued documents at once ([`Fingerprint::of_many`]): `fingerprint` is that of the document
    /// which this record issues, and is made here when there is none.
    #[must_use]
    pub fn digested(
        parsed: ParsedRecord<'_>,
        kid: Option<Kid>,
        sm3_of_record: Hash,
        fingerprint: Option<Fingerprint>,
    ) -> Self {
        Self {
            kid,
            hash: sm3_of_record,
            record_type: parsed.record_type,
            by: parsed.signer().ok(),
            id: match &parsed.record {
                Ok(record) => Some(record.id.clone()),
                Err(_) => RecordId::spelled(&parsed.id).ok(),
            },
            claim_kind: parsed.claims_kind,
            stated_issuer: parsed.stated_issuer,
            registrar: parsed.registrar,
            task: parsed.record.map(|record| Task {
                id: record.id,
                by: record.by,
                work: Work::of(record.body, fingerprint),
            }),
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

    /// Whether the record's own values break no rule.
    ///
    /// # Errors
    /// Every rule that they break.
    pub fn sound(&self) -> Result<(), &[Violation]> {
        match &self.task {
            Ok(_) => Ok(()),
            Err(violations) => Err(violations),
        }
    }
}
