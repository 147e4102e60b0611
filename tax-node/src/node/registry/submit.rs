//! Handing envelopes in, and making the answers of what was decided.

use std::sync::Arc;
use std::time::Duration;

use invoice_api::registry::{
    RecordAnswer, RecordVerdict, Recorded, Submission, Submitted, Unavailable, UnavailableReason,
};
use invoice_core::apply::{Inadmissible, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Facts, Outcome};
use invoice_core::refusal::Rejection;

use super::NodeError;
use crate::node::admission;
use crate::node::pipeline::lanes::Waiting;
use crate::node::pipeline::queue::NotTaken;
use crate::node::pipeline::reply::{self, Answered, Decided, Decision, unavailable};
use crate::node::receipts::{self, Receipts};
use crate::node::start::Shared;
use crate::store::Snapshot;

/// How long a sender waits for several validators to agree, before it is told that the outcome is
/// open.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// Hands envelopes in together and waits until all are final: one answer for each, in order.
pub(super) async fn submit(shared: &Arc<Shared>, submissions: Vec<Submission>) -> Vec<Submitted> {
    if submissions.is_empty() {
        return Vec::new();
    }
    if let Some(reason) = shared.refusing() {
        let refused = Err(unavailable(reason));
        return submissions.iter().map(|_| refused.clone()).collect();
    }
    let receipts: Vec<bool> = submissions.iter().map(|one| one.receipts).collect();
    let told = hand_in(shared, submissions).await;
    let mut answers = Vec::with_capacity(told.len());
    let mut from_store = Vec::new();
    for (place, (told, receipts)) in told.into_iter().zip(receipts).enumerate() {
        let told = told.unwrap_or_else(|| Err(unavailable(UnavailableReason::Stopping)));
        answers.push(match told {
            Ok(answered) if needs_store(&answered) => {
                from_store.push((place, answered, receipts));
                Ok(Vec::new())
            }
            Ok(answered) => match finish(None, answered, receipts) {
                Ok(answers) => Ok(answers),
                Err(error) => {
                    tracing::error!(%error, "an answer cannot be made");
                    Err(unavailable(UnavailableReason::StorageFailed))
                }
            },
            Err(unavailable) => Err(unavailable),
        });
    }
    if !from_store.is_empty() {
        read_answers(shared, from_store, &mut answers).await;
    }
    answers
}

/// Queues envelopes and waits for what is told of each.
async fn hand_in(
    shared: &Arc<Shared>,
    submissions: Vec<Submission>,
) -> Vec<Option<Result<Answered, Unavailable>>> {
    let sizes: Vec<usize> = submissions
        .iter()
        .map(|one| one.records.iter().map(bytes::Bytes::len).sum())
        .collect();
    let (slots, answers) = reply::group(&shared.fate, &shared.waiting_bytes, &sizes);
    let mut waiting = Vec::with_capacity(slots.len());
    for (submission, slot) in submissions.into_iter().zip(slots) {
        let key = match admission::kid_of(&submission) {
            Some(kid) => shared.known_key(&kid),
            None => Ok(None),
        };
        match key {
            Ok(key) => waiting.push(Waiting {
                submission,
                key,
                slot,
                peer: None,
            }),
            Err(unavailable) => slot.fill(Err(unavailable)),
        }
    }
    for not_taken in shared.queue.push(waiting) {
        let (waiting, reason) = match not_taken {
            NotTaken::Full(waiting) => (waiting, UnavailableReason::Overloaded),
            NotTaken::Closed(waiting) => {
                let reason = shared.refusing().unwrap_or(UnavailableReason::Stopping);
                (waiting, reason)
            }
        };
        waiting.slot.fill(Err(unavailable(reason)));
    }
    if !shared.outbox.is_connected() {
        return answers.await.unwrap_or_default();
    }
    match tokio::time::timeout(ANSWER_PATIENCE, answers).await {
        Ok(told) => told.unwrap_or_default(),
        // The envelopes go on waiting: what becomes of them is heard by sending them again.
        Err(_) => sizes
            .iter()
            .map(|_| Some(Err(unavailable(UnavailableReason::NoQuorum))))
            .collect(),
    }
}

/// Whether an answer needs more than the block that was just made durable: what was recorded
/// earlier is read back.
fn needs_store(answered: &Answered) -> bool {
    let decided = answered.decided.as_ref();
    let decisions = decided.map_or(&[][..], |decided| decided.decisions.as_slice());
    decisions.iter().any(|decision| match decision {
        Decision::Recorded { outcome, .. } => first_index(outcome).is_some(),
        Decision::ByAnother { .. } => true,
        Decision::NotNow(verdict) => matches!(verdict, Verdict::Replayed { .. }),
    })
}

/// Makes the answers that need the store, away from the threads that serve connections.
async fn read_answers(
    shared: &Arc<Shared>,
    from_store: Vec<(usize, Answered, bool)>,
    answers: &mut [Submitted],
) {
    let places: Vec<usize> = from_store.iter().map(|(place, ..)| *place).collect();
    let read = shared
        .read_answer(move |shared, snapshot| {
            let mut receipts =
                Receipts::new(snapshot, &shared.genesis, shared.validators.history());
            from_store
                .into_iter()
                .map(|(_, answered, with)| finish(Some(&mut receipts), answered, with))
                .collect::<Result<Vec<_>, _>>()
        })
        .await;
    match read {
        Ok(read) => {
            for (place, read) in places.into_iter().zip(read) {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Ok(read);
                }
            }
        }
        Err(unavailable) => {
            for place in places {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Err(unavailable);
                }
            }
        }
    }
}

/// The answers of an envelope.
fn finish(
    mut store: Option<&mut Receipts<'_>>,
    answered: Answered,
    with_receipts: bool,
) -> Result<Vec<RecordAnswer>, NodeError> {
    let Answered {
        mut answers,
        mut ids,
        decided,
    } = answered;
    if let Some(Decided {
        positions,
        decisions,
        key,
        fresh,
    }) = decided
    {
        // In the order of the log: records of one batch that are answered again share its tree.
        let mut decided: Vec<_> = positions.into_iter().zip(decisions).collect();
        if store.is_some() {
            decided.sort_by_key(|(_, decision)| index_of(decision));
        }
        let mut entry = 0_usize;
        for (position, decision) in decided {
            let verdict = match decision {
                Decision::Recorded { index, outcome } => {
                    let number = entry;
                    entry = entry.saturating_add(1);
                    let Some((block, envelope)) = &fresh else {
                        return Err(NodeError::Unplaced);
                    };
                    let context = context(store.as_deref().map(Receipts::snapshot), &outcome)?;
                    let receipt = with_receipts
                        .then(|| block.receipt(*envelope, number, index, &key.public_key))
                        .map(|receipt| receipt.ok_or(NodeError::Unplaced))
                        .transpose()?;
                    let place = block.place(index);
                    RecordVerdict::Final(Recorded {
                        replayed: false,
                        outcome,
                        context,
                        height: place.height,
                        index,
                        time: Some(place.time),
                        receipt: receipt.map(Arc::new),
                    })
                }
                Decision::ByAnother { index, accepted } => {
                    let read = read_back(store.as_deref_mut(), index, accepted, with_receipts)?;
                    RecordVerdict::Final(Recorded {
                        replayed: false,
                        ..read
                    })
                }
                Decision::NotNow(verdict) => not_now(store.as_deref_mut(), verdict, with_receipts)?,
            };
            if let Some(slot) = answers.get_mut(position) {
                let id = ids.get_mut(position).and_then(Option::take);
                *slot = Some(RecordAnswer { id, verdict });
            }
        }
    }
    Ok(answers.into_iter().flatten().collect())
}

/// The answer of a record that is not in the block that was just made durable.
fn not_now(
    store: Option<&mut Receipts<'_>>,
    verdict: Verdict,
    with_receipt: bool,
) -> Result<RecordVerdict, NodeError> {
    Ok(match verdict {
        Verdict::Replayed { index, accepted } => {
            RecordVerdict::Final(read_back(store, index, accepted, with_receipt)?)
        }
        // What is recorded now is answered from its block.
        Verdict::Recorded(_) => return Err(NodeError::Unplaced),
        Verdict::IdReused => RecordVerdict::IdReused {
            facts: Facts::new(),
        },
        Verdict::Inadmissible(Inadmissible::Unauthenticated(error)) => {
            RecordVerdict::Unauthenticated(error)
        }
        Verdict::Inadmissible(Inadmissible::Forbidden(forbidden)) => {
            RecordVerdict::Forbidden(forbidden)
        }
        Verdict::Inadmissible(Inadmissible::Invalid(violations)) => {
            RecordVerdict::Invalid(violations)
        }
        Verdict::Aborted => RecordVerdict::BatchAborted,
    })
}

/// What stands on the chain already, in this place.
fn read_back(
    store: Option<&mut Receipts<'_>>,
    index: u64,
    accepted: bool,
    with_receipt: bool,
) -> Result<Recorded, NodeError> {
    let store = store.ok_or(NodeError::Unplaced)?;
    match with_receipt {
        true => replayed_with_receipt(store, index),
        false => replayed(store, index, accepted),
    }
}

/// Where in the log the answer to a record stands.
fn index_of(decision: &Decision) -> Option<u64> {
    match decision {
        Decision::Recorded { index, .. } | Decision::ByAnother { index, .. } => Some(*index),
        Decision::NotNow(Verdict::Replayed { index, .. }) => Some(*index),
        Decision::NotNow(_) => None,
    }
}

/// What was on the chain before, without a receipt: of what was accepted nothing is read but the
/// place of its block, of what was refused also why.
fn replayed(
    receipts: &mut Receipts<'_>,
    index: u64,
    accepted: bool,
) -> Result<Recorded, NodeError> {
    let outcome = match accepted {
        true => Outcome::accepted(),
        false => receipts.outcome(index)?,
    };
    Ok(Recorded {
        replayed: true,
        context: context(Some(receipts.snapshot()), &outcome)?,
        outcome,
        height: receipts.height(index)?,
        index,
        time: None,
        receipt: None,
    })
}

/// What was on the chain before, with its receipt.
fn replayed_with_receipt(receipts: &mut Receipts<'_>, index: u64) -> Result<Recorded, NodeError> {
    let receipt = receipts.receipt(index)?;
    Ok(Recorded {
        replayed: true,
        outcome: receipt.outcome.clone(),
        context: context(Some(receipts.snapshot()), &receipt.outcome)?,
        height: receipt.height,
        index,
        time: Some(Instant::from_ms(receipt.header.time_ms)),
        receipt: Some(Arc::new(receipt)),
    })
}

/// The record that was first, when that is why another was refused.
fn first_index(outcome: &Outcome) -> Option<u64> {
    let exists = Rejection::DocumentExists { first_index: 0 }.code();
    if outcome.code() != Some(exists) {
        return None;
    }
    outcome.detail().get("first_index")?.parse().ok()
}

/// What an answer says beyond the outcome on the chain: which record was first.
fn context(snapshot: Option<&Snapshot>, outcome: &Outcome) -> Result<Facts, NodeError> {
    let mut context = Facts::new();
    if let Some((snapshot, index)) = snapshot.zip(first_index(outcome))
        && let Some(first) = receipts::logged(snapshot, index)?
    {
        context.set("first_id", first.record.id.as_str());
        context.set("first_height", first.place.height);
        context.set("first_time", first.place.time.to_rfc3339_utc8());
    }
    Ok(context)
}
