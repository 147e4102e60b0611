//! The bounded queue before verification.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::{Class, LaneId, Lanes, Waiting};

/// Envelopes to be verified together.
#[derive(Debug)]
pub(in crate::node) struct Chunk {
    /// Its place in the order of execution.
    pub(in crate::node) ticket: u64,
    pub(in crate::node) class: Class,
    pub(in crate::node) envelopes: Vec<Waiting>,
}

/// What waits for verification.
#[derive(Debug, Default)]
pub(in crate::node) struct Queue {
    inner: Mutex<Inner>,
    more: Condvar,
    ticks: Ticks,
}

/// The clock by which suspicions end: the machine's, or in a simulation one that stands still.
#[derive(Debug, Default)]
struct Ticks(Option<Instant>);

impl Ticks {
    fn now(&self) -> Instant {
        self.0.unwrap_or_else(Instant::now)
    }
}

#[derive(Debug, Default)]
struct Inner {
    lanes: Lanes,
    next_ticket: u64,
    closed: bool,
}

/// An envelope that was not taken, with the reason.
#[derive(Debug)]
pub(in crate::node) enum NotTaken {
    /// The queue is full, or the part of it that is the lane's or the peer's.
    Full(Waiting),
    /// Nothing is taken any more.
    Closed(Waiting),
}

impl Queue {
    /// Adds envelopes in order; those for which there is no room come back. Never waits for
    /// anything but the lock.
    pub(in crate::node) fn push(&self, envelopes: Vec<Waiting>) -> Vec<NotTaken> {
        let now = self.ticks.now();
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            return envelopes.into_iter().map(NotTaken::Closed).collect();
        }
        let mut full = Vec::new();
        let mut lanes = HashSet::new();
        for waiting in envelopes {
            // What comes after one that was refused must not overtake it in its lane. Other
            // members have their own order.
            let refused = match lanes.contains(&waiting.lane()) {
                true => Some(waiting),
                false => inner.lanes.push(waiting, now),
            };
            if let Some(waiting) = refused {
                lanes.insert(waiting.lane());
                full.push(NotTaken::Full(waiting));
            }
        }
        drop(inner);
        self.more.notify_one();
        full
    }

    /// Waits for envelopes and takes as many as are verified together; `None` once the queue is
    /// closed and empty.
    pub(in crate::node) fn take(&self) -> Option<Chunk> {
        let mut inner = self.lock();
        loop {
            if let Some(chunk) = inner.take(self.ticks.now()) {
                if inner.lanes.envelopes() > 0 {
                    self.more.notify_one();
                }
                return Some(chunk);
            }
            if inner.closed {
                return None;
            }
            inner = self
                .more
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A queue from which one thread takes in its turns. Time stands still in it.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn in_turns() -> Self {
        Self {
            ticks: Ticks(Some(Instant::now())),
            ..Self::default()
        }
    }

    /// Takes as many envelopes as are verified together; `None` when there are none.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn take_now(&self) -> Option<Chunk> {
        self.lock().take(self.ticks.now())
    }

    /// What the queue's clock shows.
    pub(in crate::node) fn now(&self) -> Instant {
        self.ticks.now()
    }

    /// Learns how long a chunk took and in which lanes signatures failed.
    pub(in crate::node) fn done(&self, class: Class, took: Duration, failed: &[LaneId]) {
        let now = self.ticks.now();
        self.lock().lanes.done(class, took, failed, now);
    }

    /// Takes nothing any more; what waits is still handed out.
    pub(in crate::node) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    /// Takes nothing any more and drops what waits.
    pub(in crate::node) fn abort(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let mut dropped = std::mem::take(&mut inner.lanes);
        drop(inner);
        self.more.notify_all();
        dropped.clear();
    }

    /// How many envelopes wait.
    pub(in crate::node) fn waiting(&self) -> usize {
        self.lock().lanes.envelopes()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self, now: Instant) -> Option<Chunk> {
        let (class, envelopes) = self.lanes.take(now)?;
        let ticket = self.next_ticket;
        self.next_ticket = ticket.saturating_add(1);
        Some(Chunk {
            ticket,
            class,
            envelopes,
        })
    }
}
