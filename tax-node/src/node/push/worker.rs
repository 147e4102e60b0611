//! The task of one endpoint.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use invoice_api::registry::{Event, Unavailable};
use invoice_api::wire::EventAnswer;
use tokio::sync::watch;
use webhooks::{Attempt, Endpoint, EndpointKey, EventPlace, Reason, State, Target, Verdict};

use super::feed::{Told, placed};
use super::send::Message;
use super::{Entry, Push};
use crate::node::registry::NodeError;

/// How long the endpoint of a suspended member waits.
const SUSPENDED: Duration = Duration::from_secs(5);
/// How long the endpoint of a member without any good key waits: looking for one is work.
const KEYLESS: Duration = Duration::from_secs(600);
/// How long an endpoint waits whose events cannot be read.
const TROUBLE: Duration = Duration::from_secs(30);
/// Blocks come in rows: after one, a moment passes before events are read.
const GATHER: Duration = Duration::from_millis(100);
/// How long an attempt that is under way may go on when the node stops.
const GRACE: Duration = Duration::from_secs(2);
/// Blocks without a delivery after which the cursor is kept: reading them again costs little.
const KEEP_AFTER_BLOCKS: u64 = 500;

/// What the task does next.
enum Next {
    /// The endpoint is gone, or nothing can be kept any more.
    End,
    /// Look again at once.
    Again,
    /// Wait until the endpoint changes.
    Changed,
    /// Wait so long, or until the endpoint changes.
    Wait(Duration),
    /// Wait for a block.
    Block,
}

/// Runs until the endpoint is gone or the node stops.
pub(super) async fn run(push: Arc<Push>, key: EndpointKey) {
    let Some(Entry { changed, gone, .. }) = push.entry(&key) else {
        return;
    };
    let mut head = push.feed.head.clone();
    let mut kept_height = 0;
    loop {
        if push.stopping.is_cancelled() {
            return;
        }
        let next = tokio::select! {
            () = gone.cancelled() => return,
            next = step(&push, &key, &mut head, &mut kept_height) => next,
        };
        let waited = async {
            match next {
                Next::End => false,
                Next::Again => true,
                Next::Changed => pending().await,
                Next::Wait(time) => {
                    tokio::time::sleep(time).await;
                    true
                }
                Next::Block => {
                    let there_is_one = head.changed().await.is_ok();
                    tokio::time::sleep(GATHER).await;
                    there_is_one
                }
            }
        };
        let go_on = tokio::select! {
            () = gone.cancelled() => false,
            () = push.stopping.cancelled() => false,
            () = changed.notified() => true,
            go_on = waited => go_on,
        };
        if !go_on {
            return;
        }
    }
}

/// Reads what there is to tell and tells it, up to the first message that is not taken.
async fn step(
    push: &Arc<Push>,
    key: &EndpointKey,
    head: &mut watch::Receiver<u64>,
    kept_height: &mut u64,
) -> Next {
    let Some(Entry { endpoint, .. }) = push.entry(key) else {
        return Next::End;
    };
    if let State::Disabled { .. } = endpoint.state {
        return Next::Changed;
    }
    if let Some(failing) = endpoint.failing {
        let wait = failing.next_ms.saturating_sub(push.now_ms());
        if let Ok(wait @ 1..) = u64::try_from(wait) {
            return Next::Wait(Duration::from_millis(wait));
        }
    }
    // Seen before reading: a block that comes meanwhile is a reason to look again.
    let _ = *head.borrow_and_update();
    let page = match read(push, &endpoint).await {
        Ok(Told::Page(page)) => page,
        Ok(Told::Suspended) => {
            set_paused(push, key, true);
            return Next::Wait(SUSPENDED);
        }
        Ok(Told::Keyless) => {
            set_paused(push, key, true);
            return Next::Wait(KEYLESS);
        }
        Ok(Told::Later) => return Next::Wait(TROUBLE),
        Err(error) => {
            tracing::warn!(%error, endpoint = %key.id, member = %key.member, "推送所需的事件无法读取 / the events of a webhook cannot be read");
            return Next::Wait(TROUBLE);
        }
    };
    set_paused(push, key, false);
    let mut told = false;
    for (place, event) in placed(&page) {
        if endpoint.cursor.has_passed(place) || !endpoint.wants(&event.kind) {
            continue;
        }
        if push.stopping.is_cancelled() {
            return Next::End;
        }
        let Some(now) = push.entry(key) else {
            return Next::End;
        };
        let now = now.endpoint;
        // Settings that changed on the way, or a replay: what was read may be out of date.
        let same = now.generation == endpoint.generation && now.settings == endpoint.settings;
        if !same || now.state != State::Active {
            return Next::Again;
        }
        match tell(push, &now, place, event).await {
            Ok(true) => told = true,
            Ok(false) => return Next::Again,
            Err(_) => return Next::End,
        }
    }
    let Ok(going_on) = complete(push, &endpoint, page.complete_to, told, kept_height).await else {
        return Next::End;
    };
    match going_on && page.complete_to >= *head.borrow() {
        true => Next::Block,
        false => Next::Again,
    }
}

async fn read(push: &Arc<Push>, endpoint: &Endpoint) -> Result<Told, NodeError> {
    let Ok(_turn) = push.reading.acquire().await else {
        return Ok(Told::Later);
    };
    let (member, kid) = (endpoint.key.member, endpoint.kid.parse().ok());
    let after = endpoint.cursor.height;
    let reader = Arc::clone(push);
    let read = tokio::task::spawn_blocking(move || reader.feed.read(member, kid, after));
    // A read that panicked is read again later.
    read.await.unwrap_or(Ok(Told::Later))
}

fn set_paused(push: &Push, key: &EndpointKey, paused: bool) {
    if let Some(entry) = push.book().get_mut(key) {
        entry.paused = paused;
    }
}

/// Sends one message once and keeps what came of it; whether it was taken.
async fn tell(
    push: &Arc<Push>,
    endpoint: &Endpoint,
    place: EventPlace,
    event: &Event,
) -> Result<bool, Unavailable> {
    let Ok(_turn) = push.sending.acquire().await else {
        return Ok(false);
    };
    let key = endpoint.key.clone();
    let id = webhooks::message_id(&push.feed.chain_id, &key, place);
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
            Ok(false)
        }
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

/// Moves the cursor to the end of a page; whether the endpoint is as it was.
async fn complete(
    push: &Arc<Push>,
    endpoint: &Endpoint,
    height: u64,
    told: bool,
    kept_height: &mut u64,
) -> Result<bool, Unavailable> {
    let (key, generation) = (endpoint.key.clone(), endpoint.generation);
    let settings = endpoint.settings.clone();
    let advance = move |endpoint: &mut Endpoint| {
        let same = endpoint.generation == generation && endpoint.settings == settings;
        if same {
            endpoint.complete_to(height);
        }
        same
    };
    let far = height.abs_diff(*kept_height) >= KEEP_AFTER_BLOCKS;
    if !told && !far {
        // The writing lock is not needed: whoever writes takes the cursor from here, and an
        // advance that such a write overtakes is made again after the next read.
        let mut book = push.book();
        return Ok(book
            .get_mut(&key)
            .is_some_and(|entry| advance(&mut entry.endpoint)));
    }
    *kept_height = height;
    let keeper = Arc::clone(push);
    let kept = tokio::task::spawn_blocking(move || {
        keeper.update(&key, |endpoint| (advance(endpoint), None))
    });
    match kept.await {
        Ok(kept) => Ok(kept?.is_some_and(|(same, _)| same)),
        Err(error) => {
            tracing::error!(%error, "a cursor was not kept");
            Ok(false)
        }
    }
}

/// A random number. Without a source of randomness all waits are just not spread.
fn chance() -> u16 {
    let mut bytes = [0; 2];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u16::from_be_bytes(bytes),
        Err(_) => 0,
    }
}
