//! From envelopes as they came to verified candidates: shape, key, signature.
//!
//! Everything here is a pure function of the envelopes and the keys that they name. It runs on the
//! verification threads, never on those that serve connections. Many envelopes are judged at once:
//! all their hashes are computed together, and so are their signatures.

use std::sync::Arc;

use invoice_api::registry::{RecordAnswer, RecordVerdict, Submission};
use invoice_core::apply::Candidate;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{Hash, HintedSignature, Kid, Signed, sm3_many, verify_many};
use invoice_core::merkle;
use invoice_core::record::{Document, Fingerprint, ParsedRecord, parse_record};
use invoice_core::refusal::{AuthenticationError, ShapeError};

use super::key_cache::KnownKey;
use super::pipeline::job::{Form, Verified};

/// What RFC 6962, 2.1 puts before a leaf when it is hashed.
const LEAF_DOMAIN: &[u8] = &[0];

/// An envelope after shape and signature.
#[derive(Debug)]
pub(super) struct Admitted {
    /// Answers by position; `None` where execution decides.
    pub(super) answers: Vec<Option<RecordAnswer>>,
    /// The records' ids as far as they could be read.
    pub(super) ids: Vec<Option<String>>,
    /// What goes on to execution, when anything does.
    pub(super) verified: Option<Verified>,
    /// Whether a signature was verified in vain.
    pub(super) failed: bool,
}

/// What every message that is signed on a chain begins with.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    chain_id: ChainId,
    /// What stands before the bytes of a record in its message.
    record_prefix: Vec<u8>,
}

/// How signatures are verified.
pub(super) enum Verification {
    /// All together, with fresh random bytes.
    Together([u8; 32]),
    /// One by one: no bad one costs the others anything.
    Singly,
}

/// An envelope as it came, with the registered key that it names.
pub(super) type Envelope<'a> = (&'a Submission, Option<&'a Arc<KnownKey>>);

/// So many records, or the next envelope's if it has more, are parsed and hashed before the next
/// ones are looked at: enough to fill every lane with messages, few enough for all that is known
/// of them to stay in the processor's cache until nothing but the candidates is left.
const TOGETHER_MAX: usize = 256;

/// An envelope before its signature is verified.
struct Prepared<'a> {
    /// What is to be executed of each record if the signature is right; nothing where there is no
    /// signature to verify.
    records: Vec<Result<Option<Candidate>, Vec<ShapeError>>>,
    ids: Vec<Option<String>>,
    /// `None` when no record has a shape.
    signer: Option<Result<SignerKey<'a>, AuthenticationError>>,
}

/// The signer of an envelope and what it signed.
struct SignerKey<'a> {
    key: &'a Arc<KnownKey>,
    signature: HintedSignature,
    form: Form,
    digest: Hash,
}

/// The key and the signature that an envelope names.
type Named<'a> = Result<(&'a Arc<KnownKey>, HintedSignature), AuthenticationError>;

type Parsed<'a> = Result<ParsedRecord<'a>, Vec<ShapeError>>;

/// Where in the list of hashed messages those of a record are.
struct Hashed {
    record: usize,
    /// What a signature is over: the message of a single record, or the leaf of a batch.
    signed: usize,
}

impl Messages {
    pub(super) fn new(chain_id: ChainId) -> Self {
        Self {
            record_prefix: record_message(&chain_id, b""),
            chain_id,
        }
    }

    /// Checks shape and signature of envelopes, each with the registered key that it names.
    pub(super) fn admit(
        &self,
        envelopes: &[Envelope<'_>],
        verification: &Verification,
    ) -> Vec<Admitted> {
        let mut prepared = Vec::with_capacity(envelopes.len());
        let mut rest = envelopes;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(together(rest));
            self.prepare(some, &mut prepared);
            rest = others;
        }
        let mut good = verify(&prepared, verification).into_iter();
        let each = envelopes.iter().zip(prepared);
        each.map(|((submission, _), mut prepared)| {
            prepared.signer = prepared.signer.map(|signer| {
                signer.and_then(|signer| match good.next() {
                    Some(true) => Ok(signer),
                    Some(false) | None => Err(AuthenticationError::SignatureInvalid),
                })
            });
            judge(submission, prepared)
        })
        .collect()
    }

    /// Works out everything about envelopes but whether their signatures are right.
    fn prepare<'a>(&self, envelopes: &[Envelope<'a>], prepared: &mut Vec<Prepared<'a>>) {
        let parsed: Vec<Vec<Parsed<'_>>> = envelopes
            .iter()
            .map(|(submission, _)| submission.records.iter())
            .map(|records| records.map(|bytes| parse_record(bytes)).collect())
            .collect();
        let named: Vec<_> = envelopes
            .iter()
            .zip(&parsed)
            .map(|((submission, key), parsed)| {
                // What has no shape is not looked at any further.
                parsed
                    .iter()
                    .any(Result::is_ok)
                    .then(|| signer(submission, *key))
            })
            .collect();
        let (hashes, places) = self.hash(envelopes, &named);
        let mut fingerprints = fingerprints(&parsed).into_iter();
        let each = envelopes.iter().zip(parsed).zip(named).zip(places);
        prepared.extend(each.map(|((((submission, _), parsed), named), places)| {
            let signer = named.map(|named| {
                named.map(|(key, signature)| {
                    self.signed(submission, key, signature, &places, &hashes)
                })
            });
            let kid = match &signer {
                Some(Ok(signer)) => Some(signer.key.kid),
                Some(Err(_)) | None => None,
            };
            let mut places = places.iter();
            let (records, ids) = submission
                .records
                .iter()
                .zip(parsed)
                .map(|(bytes, parsed)| {
                    let id = id_text(bytes, parsed.as_ref().ok());
                    let hash = places.next().and_then(|place| hashes.get(place.record));
                    let fingerprint = issued(&parsed).and_then(|_| fingerprints.next());
                    let record = parsed.map(|parsed| {
                        let hash = *hash?;
                        Some(Candidate::digested(parsed, kid, hash, fingerprint))
                    });
                    (record, id)
                })
                .unzip();
            Prepared {
                records,
                ids,
                signer,
            }
        }));
    }

    /// Hashes everything that is to be hashed: each record, and what is signed of it.
    fn hash(
        &self,
        envelopes: &[Envelope<'_>],
        named: &[Option<Named<'_>>],
    ) -> (Vec<Hash>, Vec<Vec<Hashed>>) {
        let mut messages: Vec<[&[u8]; 3]> = Vec::new();
        let mut places = Vec::with_capacity(envelopes.len());
        for ((submission, _), named) in envelopes.iter().zip(named) {
            let Some(Ok((key, _))) = named else {
                places.push(Vec::new());
                continue;
            };
            let of_record = submission.records.iter().map(|bytes| {
                let record = messages.len();
                messages.push([&[], &[], bytes]);
                messages.push(match is_single(submission) {
                    true => [key.public_key.z().as_bytes(), &self.record_prefix, bytes],
                    false => [&[], LEAF_DOMAIN, bytes],
                });
                let signed = record.saturating_add(1);
                Hashed { record, signed }
            });
            places.push(of_record.collect());
        }
        let messages: Vec<&[&[u8]]> = messages.iter().map(<[&[u8]; 3]>::as_slice).collect();
        (sm3_many(&messages), places)
    }

    /// What the envelope's signature is over.
    fn signed<'a>(
        &self,
        submission: &Submission,
        key: &'a Arc<KnownKey>,
        signature: HintedSignature,
        places: &[Hashed],
        hashes: &[Hash],
    ) -> SignerKey<'a> {
        let mut signed = places.iter().filter_map(|place| hashes.get(place.signed));
        let (form, digest) = match signed.next() {
            Some(digest) if is_single(submission) => (Form::Single, *digest),
            first => {
                let leaf_hashes: Vec<Hash> = first.into_iter().chain(signed).copied().collect();
                let root = merkle::root(&leaf_hashes);
                let count = u32::try_from(leaf_hashes.len()).unwrap_or(u32::MAX);
                let atomic = submission.atomic;
                let message = batch_message(&self.chain_id, count, &root, atomic);
                let form = Form::Batch {
                    atomic,
                    leaf_hashes,
                };
                (form, key.public_key.message_digest(&message))
            }
        };
        SignerKey {
            key,
            signature,
            form,
            digest,
        }
    }
}

/// How many of the envelopes, at least one, are worked on together.
fn together(envelopes: &[Envelope<'_>]) -> usize {
    let mut records = 0_usize;
    let fits = |(submission, _): &&Envelope<'_>| {
        records = records.saturating_add(submission.records.len());
        records <= TOGETHER_MAX
    };
    envelopes.iter().take_while(fits).count().max(1)
}

/// Whether the signature is over the one record itself.
fn is_single(submission: &Submission) -> bool {
    !submission.batch && submission.records.len() == 1
}

/// The key and the signature that an envelope names.
fn signer<'a>(submission: &Submission, key: Option<&'a Arc<KnownKey>>) -> Named<'a> {
    if kid_of(submission).is_none() {
        return Err(AuthenticationError::KidMalformed);
    }
    let signature = submission.sig.as_deref();
    let signature = signature.and_then(|sig| HintedSignature::from_base64(sig).ok());
    let signature = signature.ok_or(AuthenticationError::SignatureMalformed)?;
    Ok((key.ok_or(AuthenticationError::KeyUnknown)?, signature))
}

/// The key identifier that an envelope names, where it is well spelt.
pub(super) fn kid_of(submission: &Submission) -> Option<Kid> {
    submission.kid.as_deref()?.parse().ok()
}

/// Verifies the signatures of those that have one; a verdict for each of these, in order.
fn verify(prepared: &[Prepared<'_>], verification: &Verification) -> Vec<bool> {
    let signed: Vec<Signed<'_>> = prepared
        .iter()
        .filter_map(|prepared| prepared.signer.as_ref()?.as_ref().ok())
        .map(|signer| Signed {
            key: &signer.key.public_key,
            digest: signer.digest,
            signature: signer.signature,
        })
        .collect();
    match (verification, signed.as_slice()) {
        (Verification::Together(seed), [_, _, ..]) => verify_many(&signed, seed),
        (Verification::Together(_) | Verification::Singly, _) => signed
            .iter()
            .map(|one| one.key.verify_digest(&one.digest, &one.signature.signature))
            .collect(),
    }
}

/// The document that a record issues.
fn issued<'a>(parsed: &'a Parsed<'_>) -> Option<Document<'a>> {
    let record = parsed.as_ref().ok()?.record.as_ref().ok()?;
    record.body.issued()
}

/// The fingerprints of all documents that are issued, in order: made together.
fn fingerprints(parsed: &[Vec<Parsed<'_>>]) -> Vec<Fingerprint> {
    let documents: Vec<_> = parsed.iter().flatten().filter_map(issued).collect();
    Fingerprint::of_many(&documents)
}

/// Puts together what is known of an envelope.
fn judge(submission: &Submission, prepared: Prepared<'_>) -> Admitted {
    let Prepared {
        records,
        ids,
        signer,
    } = prepared;
    let unauthenticated = match &signer {
        Some(Err(error)) => Some(*error),
        Some(Ok(_)) | None => None,
    };
    let signer = signer.and_then(Result::ok);
    let mut answers: Vec<Option<RecordVerdict>> = Vec::with_capacity(records.len());
    let mut verified = signer.map(|signer| Verified {
        key: Arc::clone(signer.key),
        signature: signer.signature,
        form: signer.form,
        positions: Vec::with_capacity(records.len()),
        records: Vec::with_capacity(records.len()),
        candidates: Vec::with_capacity(records.len()),
    });
    for (position, record) in records.into_iter().enumerate() {
        answers.push(match (record, &mut verified) {
            (Err(errors), _) => Some(RecordVerdict::Malformed(errors)),
            (Ok(Some(candidate)), Some(verified)) => {
                let owner = verified.key.owner.as_ref().map(|owner| owner.id);
                if owner.is_some() && candidate.by() == owner {
                    let bytes = submission.records.get(position).cloned();
                    verified.positions.push(position);
                    verified.records.push(bytes.unwrap_or_default());
                    verified.candidates.push(candidate);
                    None
                } else {
                    let error = AuthenticationError::KeyNotOfMember;
                    Some(RecordVerdict::Unauthenticated(error))
                }
            }
            (Ok(_), _) => {
                let error = unauthenticated.unwrap_or(AuthenticationError::SignatureInvalid);
                Some(RecordVerdict::Unauthenticated(error))
            }
        });
    }
    if submission.atomic && answers.iter().any(Option::is_some) {
        // A batch that fails before the rules of state leaves no trace at all.
        verified = None;
        for answer in &mut answers {
            answer.get_or_insert(RecordVerdict::BatchAborted);
        }
    }
    let answers = answers
        .into_iter()
        .zip(&ids)
        .map(|(verdict, id)| {
            verdict.map(|verdict| RecordAnswer {
                id: id.clone(),
                verdict,
            })
        })
        .collect();
    Admitted {
        answers,
        ids,
        verified: verified.filter(|verified| !verified.records.is_empty()),
        failed: unauthenticated == Some(AuthenticationError::SignatureInvalid),
    }
}

/// The record's id for the answer: as parsed, or as far as a broken record still shows it.
fn id_text(bytes: &[u8], parsed: Option<&ParsedRecord<'_>>) -> Option<String> {
    match parsed {
        Some(parsed) => Some(parsed.id.clone().into_owned()),
        None => invoice_core::record::peek_id(bytes),
    }
}
