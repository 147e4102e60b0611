//! `POST /v1/validate`: what would become of an envelope, with nothing recorded.

use std::sync::Arc;

use invoice_api::registry::{Asker, RecordFindings, RecordVerdict, Refusal, Submission};
use invoice_core::apply::{BlockPosition, Candidate, Execution, Inadmissible, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::chain::Outcome;
use invoice_core::record::parse_record;
use invoice_core::refusal::AuthenticationError;
use invoice_core::refusal::catalogue::{self, ID_REUSED};
use invoice_core::state::TypedState;

use super::admission::{self, Messages, Verification};
use super::key_cache::KnownKey;
use super::registry::NodeError;
use crate::store::Snapshot;

/// Judges an envelope at an instant after the last block.
pub(super) fn findings(
    snapshot: &Snapshot,
    messages: &Messages,
    asker: &Asker,
    submission: &Submission,
    time: Instant,
) -> Result<Vec<RecordFindings>, NodeError> {
    let admitted = match submission.kid {
        Some(_) => {
            let kid = admission::kid_of(submission);
            let key = kid.map(|kid| KnownKey::read(&TypedState(snapshot), &kid));
            let key = key.transpose()?.flatten().map(Arc::new);
            let envelope = [(submission, key.as_ref())];
            messages.admit(&envelope, &Verification::Singly).pop()
        }
        None => None,
    };
    let position = BlockPosition {
        time,
        first_index: snapshot.head().log_size(),
        height: snapshot.head().height.saturating_add(1),
    };
    let mut execution = Execution::new(snapshot, position);
    let mut all = Vec::new();
    for (position, bytes) in submission.records.iter().enumerate() {
        let mut findings = RecordFindings::default();
        let parsed = match parse_record(bytes) {
            Ok(parsed) => parsed,
            Err(errors) => {
                findings.id = invoice_core::record::peek_id(bytes);
                findings.shape = errors;
                all.push(findings);
                continue;
            }
        };
        findings.id = Some(parsed.id.clone().into_owned());
        if let Err(violations) = &parsed.record {
            findings.violations.clone_from(violations);
        }
        let answer = admitted
            .as_ref()
            .and_then(|admitted| admitted.answers.get(position)?.as_ref());
        if let Some(RecordVerdict::Unauthenticated(error)) = answer.map(|answer| &answer.verdict) {
            findings.authentication = Some(*error);
        }
        // Nobody learns what would become of another member's records.
        if parsed.signer().ok() != Some(asker.member) {
            findings.authentication = Some(AuthenticationError::KeyNotOfMember);
            all.push(findings);
            continue;
        }
        let kid = admitted
            .as_ref()
            .and_then(|admitted| Some(admitted.verified.as_ref()?.key.kid));
        let candidate = Candidate::judged(parsed, kid);
        note(&mut findings, execution.judge(&candidate)?);
        all.push(findings);
    }
    Ok(all)
}

fn note(findings: &mut RecordFindings, verdict: Verdict) {
    match verdict {
        Verdict::Recorded(recorded) => {
            if let Outcome::Refused { code, detail } = recorded.outcome {
                findings.refusal = catalogue::explain(&code).map(|entry| Refusal {
                    code: entry.code,
                    facts: detail,
                });
            }
        }
        Verdict::IdReused => {
            findings.refusal = Some(Refusal {
                code: ID_REUSED,
                facts: Default::default(),
            });
        }
        Verdict::Inadmissible(Inadmissible::Unauthenticated(error)) => {
            findings.authentication = Some(error);
        }
        Verdict::Inadmissible(Inadmissible::Forbidden(forbidden)) => {
            findings.forbidden = Some(forbidden);
        }
        Verdict::Inadmissible(Inadmissible::Invalid(violations)) => {
            findings.violations = violations;
        }
        Verdict::Replayed { .. } | Verdict::Aborted => {}
    }
}
