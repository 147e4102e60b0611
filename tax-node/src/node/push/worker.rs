//! The task of one endpoint.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use invoice_api::registry::{Unavailable, UnavailableReason};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhooks::{Endpoint, EndpointKey, State};

use super::feed::{Told, placed};
use super::tell::tell;
use super::{Entry, Push};
use crate::node::pipeline::reply::unavailable;
use crate::node::registry::NodeError;

/// How long the endpoint of a suspended member waits.
const SUSPENDED: Duration = Duration::from_secs(5);
/// How long the endpoint of a member without any good key waits: looking for one is work.
const KEYLESS: Duration = Duration::from_secs(600);
/// How long an endpoint waits whose events cannot be read.
const TROUBLE: Duration = Duration::from_secs(30);
/// Blocks come in rows: after one, a moment passes before events are read.
const GATHER: Duration = Duration::from_millis(100);
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

/// Runs until the endpoint is gone or the node stops; a defect in one round ends no endpoint.
pub(super) async fn run(push: Arc<Push>, key: EndpointKey) {
    let stopping = push.stopping.clone();
    let run = || {
        let task = rounds(Arc::clone(&push), key.clone());
        push.tasks.spawn_on(task, &push.runtime)
    };
    kept_running(run, TROUBLE, &stopping).await;
}

/// Starts a task again, after a pause, whenever it panicked.
async fn kept_running(
    mut start: impl FnMut() -> JoinHandle<()>,
    pause: Duration,
    stopping: &CancellationToken,
) {
    while let Err(error) = start().await {
        tracing::error!(%error, "推送任务异常，稍后重新开始 / a task of webhooks broke off and starts again");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Round after round, until the endpoint is gone or the node stops.
async fn rounds(push: Arc<Push>, key: EndpointKey) {
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
    if let Some(wait) = endpoint.wait_ms(push.now_ms()) {
        return Next::Wait(Duration::from_millis(wait));
    }
    // Seen before reading: a block that comes meanwhile is a reason to look again.
    let _ = *head.borrow_and_update();
    let page = match read(push, &endpoint).await {
        Ok(Told::Page(page, kid)) => {
            // The key that was found is the first one to be looked at next time.
            may_be_told(push, key, Some(kid.to_string()));
            page
        }
        Ok(Told::Suspended) => {
            may_be_told(push, key, None);
            return Next::Wait(SUSPENDED);
        }
        Ok(Told::Keyless) => {
            may_be_told(push, key, None);
            return Next::Wait(KEYLESS);
        }
        Ok(Told::Later) => return Next::Wait(TROUBLE),
        Err(error) => {
            tracing::warn!(%error, endpoint = %key.id, member = %key.member, "推送所需的事件无法读取 / the events of a webhook cannot be read");
            return Next::Wait(TROUBLE);
        }
    };
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
            // Why is in the log. When the file failed, all tasks are being ended anyhow.
            Err(_) => return Next::Wait(TROUBLE),
        }
    }
    let Ok(going_on) = complete(push, &endpoint, page.complete_to, told, kept_height).await else {
        return Next::Wait(TROUBLE);
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

/// Remembers whether the member may be told anything, and by which key.
fn may_be_told(push: &Push, key: &EndpointKey, kid: Option<String>) {
    if let Some(entry) = push.book().get_mut(key) {
        entry.paused = kid.is_none();
        if let Some(kid) = kid {
            entry.endpoint.kid = kid;
        }
    }
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
            Err(unavailable(UnavailableReason::StorageFailed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_task_that_breaks_off_starts_again_until_the_node_stops() {
        let started = AtomicU32::new(0);
        let start = |bad: u32| {
            let number = started.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move { assert!(number >= bad, "a defect") })
        };
        let stopping = CancellationToken::new();
        kept_running(|| start(3), Duration::ZERO, &stopping).await;
        assert_eq!(started.load(Ordering::Relaxed), 4);
        stopping.cancel();
        kept_running(|| start(u32::MAX), Duration::from_secs(600), &stopping).await;
        assert_eq!(started.load(Ordering::Relaxed), 5);
    }
}
