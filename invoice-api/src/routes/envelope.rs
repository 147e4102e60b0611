//! From a body to a submission, and through the budgets into the registry.

use actix_web::HttpRequest;
use bytes::Bytes;
use invoice_core::crypto::Kid;
use invoice_core::identity::MemberId;
use invoice_core::record::{
    Contents, OpenEnvelope, RawEnvelope, parse_envelope, parse_open_envelope,
};

use crate::limits::BULK_OVERLOAD_RETRIES;
use crate::problem::Problem;
use crate::registry::{RecordAnswer, RecordVerdict, Submission, UnavailableReason};
use crate::server::state::{AppState, network};

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
///
/// The budget is looked at before the signature is verified, since verification is what costs,
/// but only one record of the envelope is charged then: strangers who send junk in a member's name
/// hardly touch what it has. Each failed authentication is charged to the address together with
/// the key that was named; once that budget is spent, such envelopes are refused unheard.
pub(super) async fn submit(
    state: &AppState,
    request: &HttpRequest,
    mut submission: Submission,
    patience: Patience,
) -> Result<Vec<RecordAnswer>, Problem> {
    submission.origin = network(request).origin();
    let kid = submission
        .kid
        .as_deref()
        .and_then(|kid| kid.parse::<Kid>().ok());
    let source = (network(request), kid);
    state.budgets.failures.check(&source, 1)?;
    let records = submission.records.len();
    let member = charge(state, kid, records, patience).await?;
    let answers = hand_in(state, submission, patience).await?;
    let unauthenticated = answers
        .iter()
        .any(|answer| matches!(answer.verdict, RecordVerdict::Unauthenticated(_)));
    if unauthenticated {
        // The failure is answered as what it is; the next one may be refused unheard.
        let _ = state.budgets.failures.take(&source, 1);
    } else if let Some(member) = member {
        // What others took in the meantime is not asked back: the records are final.
        let _ = state
            .budgets
            .records
            .take(&member, records.saturating_sub(1));
    }
    Ok(answers)
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

async fn hand_in(
    state: &AppState,
    submission: Submission,
    patience: Patience,
) -> Result<Vec<RecordAnswer>, Problem> {
    let mut tries_left = match patience {
        Patience::Refuse => 0,
        Patience::Wait => BULK_OVERLOAD_RETRIES,
    };
    loop {
        match state.registry.submit(submission.clone()).await {
            Ok(answers) => return Ok(answers),
            Err(full) if full.reason == UnavailableReason::Overloaded && tries_left > 0 => {
                tries_left -= 1;
                let seconds = u64::from(full.retry_after_seconds.max(1));
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            Err(unavailable) => return Err(unavailable.into()),
        }
    }
}
