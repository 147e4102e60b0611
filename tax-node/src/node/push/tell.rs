//! One message, from the event to what is kept of the attempt.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use invoice_api::registry::{Event, Unavailable, UnavailableReason};
use invoice_api::wire::EventAnswer;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use webhooks::{Attempt, Endpoint, EventPlace, Reason, Target, Verdict};

use super::Push;
use super::send::Message;
use crate::node::pipeline::reply::unavailable;

/// How long an attempt that is under way may go on when the node stops.
const GRACE: Duration = Duration::from_secs(2);

/// Sends one message once and keeps what came of it; whether it was taken.
pub(super) async fn tell(
    push: &Arc<Push>,
    endpoint: &Endpoint,
    place: EventPlace,
    event: &Event,
) -> Result<bool, Unavailable> {
    let Some(_turn) = turn(&push.sending, &push.stopping).await else {
        return Ok(false);
    };
    let key = endpoint.key.clone();
    let id = webhooks::message_id(&push.feed.chain_id, &key, place, &event.leaf);
    let data = serde_json::json!(EventAnswer::from(event));
    let body = webhooks::body(&event.kind, event.place.time, &data);
    let attempt = tokio::select! {
        attempt = attempt(push, endpoint, &id, body) => attempt,
        () = grace(push) => return Ok(false),
    };
    let (attempt, verdict) = attempt;
    let taken = verdict == Verdict::Taken;
    let generation = endpoint.generation;
    let kind = event.kind.clone();
    let keeper = Arc::clone(push);
    let kept = tokio::task::spawn_blocking(move || {
        let open = match keeper.entry(&key).and_then(|entry| entry.endpoint.open) {
            Some(number) => keeper.file.delivery(&key, number),
            None => Ok(None),
        };
        let open = open.map_err(|error| keeper.fail(&error))?;
        keeper.update(&key, |endpoint| {
            let mut delivery = endpoint.delivery(open, id, kind, place);
            endpoint.tried(&mut delivery, attempt, verdict, generation, chance());
            ((), Some(delivery))
        })
    });
    match kept.await {
        Ok(kept) => kept.map(|found| taken && found.is_some()),
        Err(error) => {
            tracing::error!(%error, "a delivery was not kept");
            Err(unavailable(UnavailableReason::StorageFailed))
        }
    }
}

/// A turn to send; none once the node stops: whoever waited would begin an attempt after the end.
async fn turn<'s>(
    sending: &'s Semaphore,
    stopping: &CancellationToken,
) -> Option<SemaphorePermit<'s>> {
    tokio::select! {
        biased;
        () = stopping.cancelled() => None,
        turn = sending.acquire() => turn.ok(),
    }
}

/// Signs and sends a message.
pub(super) async fn attempt(
    push: &Push,
    endpoint: &Endpoint,
    id: &str,
    body: String,
) -> (Attempt, Verdict) {
    let clock = &push.feed.clock;
    let now_ms = clock().ms();
    let sent = match Target::parse(&endpoint.settings.url, &push.networks) {
        Ok(target) => {
            let timestamp = now_ms.div_euclid(1_000);
            let secrets = endpoint.secrets(now_ms);
            let signature = webhooks::sign(secrets, id, timestamp, body.as_bytes());
            let message = Message {
                id,
                timestamp,
                signature,
                body,
            };
            push.sender.send(&target, message, clock).await
        }
        // Networks that were allowed when the endpoint was made may not be any more.
        Err(_) => {
            let reason = Reason::AddressRefused;
            let attempt = Attempt {
                at_ms: now_ms,
                duration_ms: 0,
                status: None,
                reason: Some(reason),
                answer: String::new(),
            };
            let retry_after_ms = None;
            let verdict = Verdict::Failed {
                reason,
                retry_after_ms,
            };
            (attempt, verdict)
        }
    };
    push.attempts.fetch_add(1, Ordering::Relaxed);
    if sent.1 != Verdict::Taken {
        push.attempts_failed.fetch_add(1, Ordering::Relaxed);
    }
    sent
}

/// Ends a little after the node was asked to stop: an answer that is on its way is still heard.
async fn grace(push: &Push) {
    push.stopping.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// A random number. Without a source of randomness all waits are just not spread.
fn chance() -> u16 {
    let mut bytes = [0; 2];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u16::from_be_bytes(bytes),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_a_turn_is_sent_away_when_the_node_stops() {
        let (sending, stopping) = (Semaphore::new(1), CancellationToken::new());
        let first = turn(&sending, &stopping).await;
        assert!(first.is_some());
        let stop = async {
            tokio::task::yield_now().await;
            stopping.cancel();
        };
        let both = async { tokio::join!(turn(&sending, &stopping), stop) };
        let waited = tokio::time::timeout(Duration::from_secs(5), both).await;
        assert!(waited.expect("no wait for the first one").0.is_none());
        drop(first);
        assert!(turn(&sending, &stopping).await.is_none());
    }
}
