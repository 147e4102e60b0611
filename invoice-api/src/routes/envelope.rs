//! From a body to a submission, and through the budgets into the registry.

use std::time::Duration;

use actix_web::HttpRequest;
use bytes::Bytes;
use invoice_core::crypto::Kid;
use invoice_core::identity::MemberId;
use invoice_core::record::{
    Contents, OpenEnvelope, RawEnvelope, parse_envelope, parse_open_envelope,
};

use crate::limits::{BULK_OVERLOAD_RETRIES, BULK_OVERLOAD_WAIT};
use crate::problem::Problem;
use crate::registry::{RecordAnswer, RecordVerdict, Submission, Submitted, UnavailableReason};
use crate::server::budget::Network;
use crate::server::source::network;
use crate::server::state::AppState;

/// What to do when a budget is spent or the queues are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Answer so at once.
    Refuse,
    /// Hold the line until there is room: the client of a stream feels it as back-pressure.
    Wait,
}

/// Reads a signed envelope.
pub(super) fn signed(body: &Bytes, receipts: bool) -> Result<Submission, Problem> {
    let RawEnvelope { kid, sig, contents } = parse_envelope(body)?;
    Ok(submission(body, Some(kid), Some(sig), &contents, receipts))
}

/// Reads an envelope to be validated, with or without its signature.
pub(super) fn perhaps_signed(body: &Bytes) -> Result<Submission, Problem> {
    let OpenEnvelope { kid, sig, contents } = parse_open_envelope(body)?;
    Ok(submission(body, kid, sig, &contents, false))
}

fn submission(
    body: &Bytes,
    kid: Option<String>,
    sig: Option<String>,
    contents: &Contents<'_>,
    receipts: bool,
) -> Submission {
    let (batch, atomic) = match contents {
        Contents::One(_) => (false, false),
        Contents::Batch { atomic, .. } => (true, *atomic),
    };
    let records = contents
        .records()
        .iter()
        .map(|record| part(body, record))
        .collect();
    Submission {
        kid,
        sig,
        records,
        batch,
        atomic,
        receipts,
        // Known once the envelope is handed in.
        origin: 0,
    }
}

/// The part of a body that a slice of it stands for, without copying it.
fn part(body: &Bytes, slice: &[u8]) -> Bytes {
    let start = (slice.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    match start.checked_add(slice.len()) {
        Some(end) if end <= body.len() => body.slice(start..end),
        Some(_) | None => Bytes::copy_from_slice(slice),
    }
}

/// Charges the envelope to its member's budget and hands it in.
pub(super) async fn submit(
    state: &AppState,
    request: &HttpRequest,
    submission: Submission,
    patience: Patience,
) -> Result<Vec<RecordAnswer>, Problem> {
    let mut answers = submit_many(state, request, vec![submission], patience).await;
    answers
        .pop()
        .unwrap_or_else(|| Err(UnavailableReason::Stopping.into()))
}

/// An envelope that was charged, to be handed in.
struct Charged {
    source: (Network, Option<Kid>),
    member: Option<MemberId>,
    records: usize,
}

/// Charges envelopes to their members' budgets and hands them in together: one answer for each,
/// in order.
///
/// The budget is looked at before the signature is verified, since verification is what costs,
/// but only one record of the envelope is charged then: strangers who send junk in a member's name
/// hardly touch what it has. Each failed authentication is charged to the address together with
/// the key that was named; once that budget is spent, such envelopes are refused unheard.
pub(super) async fn submit_many(
    state: &AppState,
    request: &HttpRequest,
    submissions: Vec<Submission>,
    patience: Patience,
) -> Vec<Result<Vec<RecordAnswer>, Problem>> {
    let network = network(state, request);
    let mut refused: Vec<Option<Problem>> = Vec::with_capacity(submissions.len());
    let mut charged = Vec::with_capacity(submissions.len());
    let mut going = Vec::with_capacity(submissions.len());
    for mut submission in submissions {
        submission.origin = network.origin();
        match admit(state, network, &submission, patience).await {
            Ok(one) => {
                charged.push(one);
                going.push(submission);
                refused.push(None);
            }
            Err(problem) => refused.push(Some(problem)),
        }
    }
    let handed_in = hand_in(state, going, patience).await;
    let mut answers = charged
        .into_iter()
        .zip(handed_in)
        .map(|(charged, answers)| {
            if let Ok(answers) = &answers {
                settle(state, &charged, answers);
            }
            answers.map_err(Problem::from)
        });
    let each = refused.into_iter().map(|refused| match refused {
        Some(problem) => Err(problem),
        None => answers
            .next()
            .unwrap_or_else(|| Err(UnavailableReason::Stopping.into())),
    });
    each.collect()
}

/// Looks at the budgets of an envelope and charges one record.
async fn admit(
    state: &AppState,
    network: Network,
    submission: &Submission,
    patience: Patience,
) -> Result<Charged, Problem> {
    let kid = submission
        .kid
        .as_deref()
        .and_then(|kid| kid.parse::<Kid>().ok());
    let source = (network, kid);
    state.budgets.failures.check(&source, 1)?;
    let records = submission.records.len();
    Ok(Charged {
        source,
        member: charge(state, kid, records, patience).await?,
        records,
    })
}

/// Charges what became of an envelope.
fn settle(state: &AppState, charged: &Charged, answers: &[RecordAnswer]) {
    let unauthenticated = answers
        .iter()
        .any(|answer| matches!(answer.verdict, RecordVerdict::Unauthenticated(_)));
    if unauthenticated {
        // The failure is answered as what it is; the next one may be refused unheard.
        let _ = state.budgets.failures.take(&charged.source, 1);
    } else if let Some(member) = charged.member
        && charged.records > 1
    {
        // What others took in the meantime is not asked back: the records are final.
        let _ = state.budgets.records.take(&member, charged.records - 1);
    }
}

/// Charges one record to the member that the key belongs to, if its budget has room for all.
async fn charge(
    state: &AppState,
    kid: Option<Kid>,
    records: usize,
    patience: Patience,
) -> Result<Option<MemberId>, Problem> {
    // Without a known key nothing is verified, so nothing needs to be charged.
    let Some(kid) = kid else { return Ok(None) };
    let Some(key) = state.registry.key(kid).await? else {
        return Ok(None);
    };
    let budget = &state.budgets.records;
    while let Err(spent) = budget
        .check(&key.member, records)
        .and_then(|()| budget.take(&key.member, 1))
    {
        match patience {
            Patience::Refuse => return Err(spent.into()),
            Patience::Wait => tokio::time::sleep(spent.wait).await,
        }
    }
    Ok(Some(key.member))
}

/// Hands envelopes in, those of a stream again while the queues have no room for them.
async fn hand_in(
    state: &AppState,
    submissions: Vec<Submission>,
    patience: Patience,
) -> Vec<Submitted> {
    if patience == Patience::Refuse {
        return state.registry.submit_many(submissions).await;
    }
    let mut answers = state.registry.submit_many(submissions.clone()).await;
    let mut wait = BULK_OVERLOAD_WAIT;
    for _ in 0..BULK_OVERLOAD_RETRIES {
        let full = |answer: &Submitted| matches!(answer, Err(full) if full.reason == UnavailableReason::Overloaded);
        let places: Vec<usize> = (0..answers.len())
            .filter(|place| answers.get(*place).is_some_and(full))
            .collect();
        if places.is_empty() {
            break;
        }
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(Duration::from_secs(1));
        let again = places.iter().filter_map(|place| submissions.get(*place));
        let again = state.registry.submit_many(again.cloned().collect()).await;
        for (place, answer) in places.into_iter().zip(again) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
    }
    answers
}
