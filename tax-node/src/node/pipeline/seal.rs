//! From executed envelopes to the body of a block and everything that its header states of it.
//!
//! Nothing here depends on the block before. Whoever has the time does it: the sequencer while it
//! waits for the engine with a full block, else the engine.

use std::sync::Arc;

use invoice_core::apply::{Recorded, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Authorization, BlockEnvelope, Entry, Leaf, leaf_hashes};
use invoice_core::crypto::Hash;
use invoice_core::state::Changes;

use super::desk::Cut;
use super::job::{Form, Job};
use super::reply::Decision;
use crate::engine::Fatal;

/// A block's worth with its digests.
#[derive(Debug)]
pub(in crate::node) struct Sealed {
    /// The time of the block.
    pub(in crate::node) time: Instant,
    /// Leaf index of its first record.
    pub(in crate::node) first_index: u64,
    pub(in crate::node) envelopes: Vec<BlockEnvelope>,
    pub(in crate::node) leaf_hashes: Vec<Hash>,
    /// What became of each record that goes on the chain.
    pub(in crate::node) records: Vec<Recorded>,
    pub(in crate::node) changes: Arc<Changes>,
    pub(in crate::node) effects_root: Hash,
    /// All envelopes, in order, also those of which nothing goes on the chain.
    pub(in crate::node) waiting: Vec<Waiting>,
}

/// An envelope that was executed, and who waits for it.
#[derive(Debug)]
pub(in crate::node) struct Waiting {
    pub(in crate::node) job: Job,
    pub(in crate::node) decisions: Vec<Decision>,
    /// Its place among the envelopes of the block, when any of its records is recorded.
    pub(in crate::node) envelope: Option<usize>,
}

/// Hashes leaves and changes.
///
/// # Errors
/// A record does not fit its encoding: a bug, since all were judged.
pub(in crate::node) fn seal(cut: Cut) -> Result<Sealed, Fatal> {
    let mut envelopes: Vec<BlockEnvelope> = Vec::with_capacity(cut.executed.len());
    let decided = cut.executed.iter().map(|(_, verdicts)| verdicts.len());
    let mut records = Vec::with_capacity(decided.sum());
    let mut waiting = Vec::with_capacity(cut.executed.len());
    for (job, verdicts) in cut.executed {
        let mut decisions = Vec::with_capacity(verdicts.len());
        let envelope = envelope(&job, verdicts, &mut records, &mut decisions)?;
        waiting.push(Waiting {
            job,
            decisions,
            envelope: envelope.is_some().then_some(envelopes.len()),
        });
        envelopes.extend(envelope);
    }
    let leaves = envelopes.iter().flat_map(|envelope| {
        let kid = envelope.authorization.kid();
        envelope.entries.iter().map(move |entry| Leaf {
            kid,
            record: &entry.record,
            outcome: &entry.outcome,
        })
    });
    let leaf_hashes = leaf_hashes(leaves).map_err(Fatal::new)?;
    Ok(Sealed {
        time: cut.time,
        first_index: cut.first_index,
        envelopes,
        leaf_hashes,
        records,
        effects_root: cut.changes.root(),
        changes: cut.changes,
        waiting,
    })
}

/// What of an envelope goes on the chain; `None` when nothing does.
fn envelope(
    job: &Job,
    verdicts: Vec<Verdict>,
    records: &mut Vec<Recorded>,
    decisions: &mut Vec<Decision>,
) -> Result<Option<BlockEnvelope>, Fatal> {
    let verified = &job.verified;
    let mut entries = Vec::with_capacity(verdicts.len());
    let mut on_chain = Vec::with_capacity(verdicts.len());
    let each = verified.positions.iter().zip(&verified.records);
    for ((position, bytes), verdict) in each.zip(verdicts) {
        let recorded = match verdict {
            Verdict::Recorded(recorded) => recorded,
            other @ (Verdict::Replayed { .. }
            | Verdict::IdReused
            | Verdict::Inadmissible(_)
            | Verdict::Aborted) => {
                decisions.push(Decision::NotNow(other));
                continue;
            }
        };
        decisions.push(Decision::Recorded {
            index: recorded.index,
            outcome: recorded.outcome.clone(),
        });
        on_chain.push(*position);
        entries.push(Entry {
            record: bytes.clone(),
            outcome: recorded.outcome.clone(),
        });
        records.push(recorded);
    }
    if entries.is_empty() {
        return Ok(None);
    }
    Ok(Some(BlockEnvelope {
        authorization: authorization(job, &on_chain)?,
        entries,
        parity: job.verified.signature.parity,
    }))
}

/// What proves the signature of an envelope when some of its records are not on the chain.
fn authorization(job: &Job, on_chain: &[usize]) -> Result<Authorization, Fatal> {
    let (kid, signature) = (job.verified.key.kid, job.verified.signature.signature);
    match &job.verified.form {
        Form::Single => Ok(Authorization::Single { kid, signature }),
        Form::Batch {
            atomic,
            leaf_hashes,
        } => {
            let mut omitted = Vec::new();
            if on_chain.len() < leaf_hashes.len() {
                for (position, hash) in leaf_hashes.iter().enumerate() {
                    if on_chain.binary_search(&position).is_err() {
                        omitted.push((u32::try_from(position).map_err(Fatal::new)?, *hash));
                    }
                }
            }
            let count = u32::try_from(leaf_hashes.len()).map_err(Fatal::new)?;
            Ok(Authorization::Batch {
                kid,
                signature,
                atomic: *atomic,
                count,
                omitted,
            })
        }
    }
}
