//! Members' webhooks: for each active endpoint a task reads what its member may see, from a durable
//! cursor on, and sends it in order, one message at a time (`invoice-api/webhooks` says what, where
//! and when).
//!
//! What came of an attempt and the cursor it moves are kept in one transaction *after* the attempt:
//! a process that dies in between sends the message once more, with the same id, and leaves none
//! out. Endpoints wait for nobody but themselves; no block waits for any of them.

mod answers;
mod feed;
mod send;
mod tell;
mod worker;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use invoice_api::registry::{Gauge, Unavailable, UnavailableReason};
use invoice_core::identity::MemberId;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhooks::{Delivery, Endpoint, EndpointKey, HURRY_MS, Networks, State};

use super::gauges::gauge;
use super::pipeline::reply::unavailable;
use crate::store::{OpenError, ReadError, WebhookChange, WebhookFile};

pub(super) use answers::answer;
pub(super) use feed::Feed;
use send::Sender;

/// Messages under way at the same time, of all endpoints together.
const SENDING_MAX: usize = 128;
/// Reads of the feed at the same time.
const READING_MAX: usize = 4;

/// The webhooks of a node.
pub(super) struct Push {
    file: WebhookFile,
    feed: Feed,
    networks: Arc<Networks>,
    sender: Sender,
    runtime: Handle,
    /// The endpoints as the file has them; a cursor may be further than there.
    book: Mutex<BTreeMap<EndpointKey, Entry>>,
    /// Held while the file is changed: changes are made one after another.
    writing: Mutex<()>,
    sending: Semaphore,
    reading: Semaphore,
    stopping: CancellationToken,
    tasks: TaskTracker,
    /// The file failed: nothing is sent until the node starts again.
    failed: AtomicBool,
    /// When a member last removed an endpoint, for as long as that matters.
    removed: Mutex<BTreeMap<MemberId, i64>>,
    attempts: AtomicU64,
    attempts_failed: AtomicU64,
}

/// An endpoint in memory.
#[derive(Clone)]
struct Entry {
    endpoint: Endpoint,
    /// Its member is suspended or has no good key.
    paused: bool,
    /// Told whenever the endpoint is not what it was.
    changed: Arc<Notify>,
    /// Ends its task, with the attempt that is under way.
    gone: CancellationToken,
}

impl Entry {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            paused: false,
            changed: Arc::default(),
            gone: CancellationToken::new(),
        }
    }
}

impl std::fmt::Debug for Push {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push").finish_non_exhaustive()
    }
}

impl Push {
    /// Opens the file of webhooks in a node's folder. Must be called within a tokio runtime.
    pub(super) fn open(
        folder: &Path,
        feed: Feed,
        networks: &Networks,
    ) -> Result<Arc<Self>, OpenError> {
        let file = WebhookFile::open(folder)?;
        let endpoints = file.endpoints()?.into_iter();
        let networks = Arc::new(networks.clone());
        let push = Arc::new(Self {
            file,
            feed,
            sender: Sender::new(&networks),
            networks,
            runtime: Handle::current(),
            book: Mutex::new(
                endpoints
                    .map(|endpoint| (endpoint.key.clone(), Entry::new(endpoint)))
                    .collect(),
            ),
            writing: Mutex::default(),
            sending: Semaphore::new(SENDING_MAX),
            reading: Semaphore::new(READING_MAX),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            failed: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
            attempts_failed: AtomicU64::new(0),
            removed: Mutex::default(),
        });
        push.end_cursors_at_head()?;
        Ok(push)
    }

    /// Sends from now on. Blocks on the disk.
    pub(super) fn start(self: &Arc<Self>) {
        let keys: Vec<EndpointKey> = self.book().keys().cloned().collect();
        for key in keys {
            self.spawn(key);
        }
    }

    /// Takes cursors that stand beyond the head back to it: a node that starts after it lost blocks
    /// tells what comes in their place. Called before any block can come. Blocks on the disk.
    fn end_cursors_at_head(&self) -> Result<(), ReadError> {
        let head = *self.feed.head.borrow();
        let mut changes = Vec::new();
        for entry in self.book().values_mut() {
            if entry.endpoint.end_at(head) {
                let key = &entry.endpoint.key;
                tracing::warn!(endpoint = %key.id, member = %key.member, head, "推送进度超出链尾，已退回 / a webhook's cursor was beyond the end of the chain and was taken back");
                changes.push(WebhookChange::Put(Box::new(entry.endpoint.clone())));
            }
        }
        match changes.is_empty() {
            true => Ok(()),
            false => self.file.commit(&changes),
        }
    }

    /// Ends sending and waits for what is being kept; not to be called by a task.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        self.runtime.block_on(self.tasks.wait());
    }

    /// Ends sending when it can.
    pub(super) fn ask_to_stop(&self) {
        self.stopping.cancel();
    }

    fn spawn(self: &Arc<Self>, key: EndpointKey) {
        let task = worker::run(Arc::clone(self), key);
        drop(self.tasks.spawn_on(task, &self.runtime));
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<EndpointKey, Entry>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, key: &EndpointKey) -> Option<Entry> {
        self.book().get(key).cloned()
    }

    /// Remembers that a member removed an endpoint: making another one is no way to attempts in a
    /// row.
    fn note_removal(&self, member: MemberId) {
        let now_ms = self.now_ms();
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.retain(|_, at_ms| now_ms.abs_diff(*at_ms) < HURRY_MS.unsigned_abs());
        removed.insert(member, now_ms);
    }

    fn removed_ms(&self, member: MemberId) -> Option<i64> {
        let removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.get(&member).copied()
    }

    fn now_ms(&self) -> i64 {
        (self.feed.clock)().ms()
    }

    /// Changes an endpoint, durably; a delivery that comes with it is kept in the same
    /// transaction. `None` when there is no such endpoint any more. Blocks on the disk.
    fn update<T>(
        &self,
        key: &EndpointKey,
        change: impl FnOnce(&mut Endpoint) -> (T, Option<Delivery>),
    ) -> Result<Option<(T, Endpoint)>, Unavailable> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = self.entry(key) else {
            return Ok(None);
        };
        let mut endpoint = entry.endpoint;
        let (told, delivery) = change(&mut endpoint);
        let mut changes = vec![WebhookChange::Put(Box::new(endpoint.clone()))];
        if let Some(delivery) = delivery {
            changes.push(WebhookChange::Deliver(key.clone(), Box::new(delivery)));
        }
        self.commit(&changes)?;
        if let Some(entry) = self.book().get_mut(key) {
            entry.endpoint = endpoint.clone();
        }
        entry.changed.notify_one();
        Ok(Some((told, endpoint)))
    }

    /// Keeps changes; after a failure nobody knows what is on disk, and nothing is sent any more.
    fn commit(&self, changes: &[WebhookChange]) -> Result<(), Unavailable> {
        if self.failed.load(Ordering::Acquire) {
            return Err(unavailable(UnavailableReason::StorageFailed));
        }
        self.file.commit(changes).map_err(|error| self.fail(&error))
    }

    fn fail(&self, error: &ReadError) -> Unavailable {
        self.failed.store(true, Ordering::Release);
        self.stopping.cancel();
        tracing::error!(%error, "推送停止，不影响登记；请检查磁盘后重新启动 / webhooks stop, recording goes on; check the disk and start again");
        unavailable(UnavailableReason::StorageFailed)
    }

    /// Figures for monitoring.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let (mut active, mut failing, mut disabled) = (0_u64, 0_u64, 0_u64);
        for entry in self.book().values() {
            let endpoint = &entry.endpoint;
            match endpoint.state {
                State::Active if endpoint.failing.is_some() => failing = failing.saturating_add(1),
                State::Active => active = active.saturating_add(1),
                State::Disabled { .. } => disabled = disabled.saturating_add(1),
            }
        }
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        vec![
            gauge(
                "webhooks_active",
                "Webhook endpoints that take what they are sent.",
                active,
            ),
            gauge(
                "webhooks_failing",
                "Webhook endpoints that did not take a message, which is tried again.",
                failing,
            ),
            gauge(
                "webhooks_disabled",
                "Webhook endpoints that get nothing until their members enable them.",
                disabled,
            ),
            gauge(
                "webhook_attempts_total",
                "Messages sent to webhook endpoints since the start, tests included.",
                of(&self.attempts),
            ),
            gauge(
                "webhook_attempts_failed_total",
                "Those of them that were not taken.",
                of(&self.attempts_failed),
            ),
            gauge(
                "webhooks_stopped",
                "1 when the file of webhooks failed and nothing is sent.",
                u64::from(self.failed.load(Ordering::Acquire)),
            ),
        ]
    }
}
