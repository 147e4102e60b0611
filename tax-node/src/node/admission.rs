//! From an envelope as it came to verified candidates: shape, key, signature.
//!
//! Everything here is a pure function of the envelope and a snapshot of the state. It runs on the
//! verification pool, never on the threads that serve connections.

use invoice_api::registry::{RecordAnswer, RecordVerdict, Submission};
use invoice_core::apply::Candidate;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{HintedSignature, Kid, Signature};
use invoice_core::identity::MemberId;
use invoice_core::merkle;
use invoice_core::record::{ParsedRecord, parse_record};
use invoice_core::refusal::AuthenticationError;
use invoice_core::state::{Fault, StateView, TypedState};

use super::job::{Form, Submitted};

/// An envelope after shape and signature.
pub(super) struct Admitted {
    /// Answers by position; `None` where execution decides.
    pub(super) answers: Vec<Option<RecordAnswer>>,
    /// The records' ids as far as they could be read.
    pub(super) ids: Vec<Option<String>>,
    /// What goes on to execution, when anything does.
    pub(super) verified: Option<Verified>,
}

/// Records whose signature is right.
pub(super) struct Verified {
    pub(super) kid: Kid,
    pub(super) signature: Signature,
    pub(super) form: Form,
    pub(super) records: Vec<Submitted>,
}

/// The signer of an envelope.
struct SignerKey {
    kid: Kid,
    member: Option<MemberId>,
    signature: Signature,
    /// How the signature covers the records.
    form: Form,
}

/// Checks shape and signature of an envelope.
pub(super) fn admit<V: StateView>(
    state: &TypedState<'_, V>,
    chain_id: &ChainId,
    submission: &Submission,
) -> Result<Admitted, Fault<V::Error>> {
    let parsed: Vec<_> = submission
        .records
        .iter()
        .map(|bytes| (bytes, parse_record(bytes)))
        .collect();
    let ids = parsed
        .iter()
        .map(|(bytes, parsed)| id_text(bytes, parsed.as_ref().ok()))
        .collect();
    let mut answers: Vec<Option<RecordVerdict>> = parsed
        .iter()
        .map(|(_, parsed)| match parsed {
            Ok(_) => None,
            Err(errors) => Some(RecordVerdict::Malformed(errors.clone())),
        })
        .collect();
    let verified = if answers.iter().all(Option::is_some) {
        None
    } else {
        match verify(state, chain_id, submission)? {
            Ok(signer) => Some(signer),
            Err(error) => {
                for answer in &mut answers {
                    answer.get_or_insert(RecordVerdict::Unauthenticated(error));
                }
                None
            }
        }
    };
    let verified = verified.map(|signer| {
        let mut records = Vec::new();
        for (position, (bytes, parsed)) in parsed.into_iter().enumerate() {
            let (Ok(parsed), Some(answer)) = (parsed, answers.get_mut(position)) else {
                continue;
            };
            if signer.member.is_none() || parsed.signer().ok() != signer.member {
                let error = AuthenticationError::KeyNotOfMember;
                answer.get_or_insert(RecordVerdict::Unauthenticated(error));
                continue;
            }
            let candidate = Candidate::new(parsed, signer.kid);
            records.push(Submitted {
                position,
                bytes: bytes.clone(),
                candidate,
            });
        }
        Verified {
            kid: signer.kid,
            signature: signer.signature,
            form: signer.form,
            records,
        }
    });
    let mut admitted = Admitted {
        answers: Vec::new(),
        ids,
        verified,
    };
    let failed = answers.iter().any(Option::is_some);
    if submission.atomic && failed {
        // A batch that fails before the rules of state leaves no trace at all.
        admitted.verified = None;
        for answer in &mut answers {
            answer.get_or_insert(RecordVerdict::BatchAborted);
        }
    }
    admitted.verified = admitted
        .verified
        .filter(|verified| !verified.records.is_empty());
    admitted.answers = answers
        .into_iter()
        .zip(&admitted.ids)
        .map(|(verdict, id)| {
            verdict.map(|verdict| RecordAnswer {
                id: id.clone(),
                verdict,
            })
        })
        .collect();
    Ok(admitted)
}

/// Finds the key and verifies the signature over what the envelope signs.
fn verify<V: StateView>(
    state: &TypedState<'_, V>,
    chain_id: &ChainId,
    submission: &Submission,
) -> Result<Result<SignerKey, AuthenticationError>, Fault<V::Error>> {
    let Some(kid) = submission
        .kid
        .as_deref()
        .and_then(|kid| kid.parse::<Kid>().ok())
    else {
        return Ok(Err(AuthenticationError::KidMalformed));
    };
    let Some(HintedSignature { signature, .. }) = submission
        .sig
        .as_deref()
        .and_then(|sig| HintedSignature::from_base64(sig).ok())
    else {
        return Ok(Err(AuthenticationError::SignatureMalformed));
    };
    let Some(entry) = state.key(&kid)? else {
        return Ok(Err(AuthenticationError::KeyUnknown));
    };
    let member = state.member_id(entry.owner)?;
    let (form, message) = match submission.records.as_slice() {
        [record] if !submission.batch => (Form::Single, record_message(chain_id, record)),
        records => {
            let atomic = submission.atomic;
            let leaf_hashes: Vec<_> = records
                .iter()
                .map(|bytes| merkle::leaf_hash(bytes))
                .collect();
            let root = merkle::root(&leaf_hashes);
            let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
            let message = batch_message(chain_id, count, &root, atomic);
            (
                Form::Batch {
                    atomic,
                    leaf_hashes,
                },
                message,
            )
        }
    };
    if !entry.public_key.verify(&message, &signature) {
        return Ok(Err(AuthenticationError::SignatureInvalid));
    }
    Ok(Ok(SignerKey {
        kid,
        member,
        signature,
        form,
    }))
}

/// The record's id for the answer: as parsed, or as far as a broken record still shows it.
fn id_text(bytes: &[u8], parsed: Option<&ParsedRecord<'_>>) -> Option<String> {
    match parsed {
        Some(parsed) => Some(parsed.id.clone().into_owned()),
        None => invoice_core::record::peek_id(bytes),
    }
}
