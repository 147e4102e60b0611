//! How the answers of envelopes find their way back to who sent them.
//!
//! Envelopes that were handed in together are answered together: each fills its slot of a group,
//! and the last one wakes the sender, so that a thousand records cost one switch of tasks. A slot
//! that is dropped unfilled, whatever the reason, is answered as unavailable: nobody waits for
//! ever.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use invoice_api::registry::{RecordAnswer, Unavailable, UnavailableReason};
use invoice_core::apply::Verdict;
use invoice_core::chain::Outcome;
use tokio::sync::oneshot;

use super::fresh::FreshBlock;
use crate::node::key_cache::KnownKey;
use crate::store::Store;

/// Seconds after which to ask again.
const RETRY_OVERLOADED: u32 = 1;
const RETRY_LOW_DISK: u32 = 60;
const RETRY_STOPPED: u32 = 5;

/// The reason with the time after which asking again makes sense.
pub(in crate::node) fn unavailable(reason: UnavailableReason) -> Unavailable {
    let retry_after_seconds = match reason {
        UnavailableReason::Overloaded | UnavailableReason::NoQuorum => RETRY_OVERLOADED,
        UnavailableReason::LowDisk => RETRY_LOW_DISK,
        UnavailableReason::StorageFailed | UnavailableReason::Stopping => RETRY_STOPPED,
    };
    Unavailable {
        reason,
        retry_after_seconds,
    }
}

/// What ended the pipeline, if anything did.
#[derive(Debug)]
pub(in crate::node) struct Fate {
    store: Arc<Store>,
    engine_failed: AtomicBool,
}

impl Fate {
    pub(in crate::node) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            engine_failed: AtomicBool::new(false),
        }
    }

    /// The engine, the sequencer or the storage ended before its time.
    pub(in crate::node) fn fail(&self) {
        self.engine_failed.store(true, Ordering::Release);
    }

    /// Whether this opening of the store takes nothing any more.
    pub(in crate::node) fn has_failed(&self) -> bool {
        self.store.stopped() || self.engine_failed.load(Ordering::Acquire)
    }
}

/// What became of one envelope.
#[derive(Debug)]
pub(in crate::node) struct Answered {
    /// Answers by position; `None` where execution decided.
    pub(in crate::node) answers: Vec<Option<RecordAnswer>>,
    /// The records' ids as far as they could be read.
    pub(in crate::node) ids: Vec<Option<String>>,
    /// What execution decided.
    pub(in crate::node) decided: Option<Decided>,
}

/// What execution decided of an envelope whose signature is right.
#[derive(Debug)]
pub(in crate::node) struct Decided {
    /// Position in the envelope of each record that was executed, ascending.
    pub(in crate::node) positions: Vec<usize>,
    /// What became of each.
    pub(in crate::node) decisions: Vec<Decision>,
    /// The key that signed.
    pub(in crate::node) key: Arc<KnownKey>,
    /// The block with those that were recorded now, and the place of their envelope in it.
    pub(in crate::node) fresh: Option<(Arc<FreshBlock>, usize)>,
}

/// What became of an executed record.
#[derive(Debug)]
pub(in crate::node) enum Decision {
    /// It stands at this leaf index of the block that was just made durable.
    Recorded {
        /// The leaf index.
        index: u64,
        /// The outcome beside it.
        outcome: Outcome,
    },
    /// It stands at this leaf index of a block that another validator proposed, which got it from
    /// here: recorded for the first time, as if this node had proposed it.
    ByAnother {
        /// The leaf index.
        index: u64,
        /// Whether it was accepted.
        accepted: bool,
    },
    /// It does not stand in that block.
    NotNow(Verdict),
}

/// What is told of one envelope.
pub(in crate::node) type Told = Result<Answered, Unavailable>;

/// Takes what became of one envelope, once.
#[derive(Debug)]
pub(in crate::node) struct Slot {
    group: Arc<Group>,
    number: usize,
    bytes: usize,
    filled: bool,
}

#[derive(Debug)]
struct Group {
    fate: Arc<Fate>,
    waiting_bytes: Arc<AtomicUsize>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    told: Vec<Option<Told>>,
    left: usize,
    done: Option<oneshot::Sender<Vec<Option<Told>>>>,
}

/// Slots for envelopes of these sizes, in bytes, and where all answers arrive together.
pub(in crate::node) fn group(
    fate: &Arc<Fate>,
    waiting_bytes: &Arc<AtomicUsize>,
    sizes: &[usize],
) -> (Vec<Slot>, oneshot::Receiver<Vec<Option<Told>>>) {
    let (done, answers) = oneshot::channel();
    let group = Arc::new(Group {
        fate: Arc::clone(fate),
        waiting_bytes: Arc::clone(waiting_bytes),
        inner: Mutex::new(Inner {
            told: sizes.iter().map(|_| None).collect(),
            left: sizes.len(),
            done: Some(done),
        }),
    });
    waiting_bytes.fetch_add(sizes.iter().sum(), Ordering::Relaxed);
    let slots = sizes.iter().enumerate().map(|(number, bytes)| Slot {
        group: Arc::clone(&group),
        number,
        bytes: *bytes,
        filled: false,
    });
    (slots.collect(), answers)
}

impl Slot {
    /// Bytes of the envelope's records.
    pub(in crate::node) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Answers the envelope.
    pub(in crate::node) fn fill(mut self, told: Told) {
        self.tell(told);
    }

    fn tell(&mut self, told: Told) {
        self.filled = true;
        let group = &self.group;
        group.waiting_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        let mut inner = group.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = inner.told.get_mut(self.number) {
            *place = Some(told);
        }
        inner.left = inner.left.saturating_sub(1);
        if inner.left == 0
            && let Some(done) = inner.done.take()
        {
            let told = std::mem::take(&mut inner.told);
            drop(inner);
            // Whoever asked may have gone; the records are final all the same.
            let _ = done.send(told);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.filled {
            let reason = if self.group.fate.has_failed() {
                UnavailableReason::StorageFailed
            } else {
                UnavailableReason::Stopping
            };
            self.tell(Err(unavailable(reason)));
        }
    }
}
