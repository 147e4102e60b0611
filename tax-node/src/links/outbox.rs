//! What waits to be sent to one peer: two bounded queues.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::sync::Notify;

use super::config::{Frame, KindRule, Lane, WhenFull};
use super::limits::{FRAME_OVERHEAD_BYTES, Limits, PIECE_BYTES_MAX};
use super::wire::Outgoing;

/// What became of a frame that was to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits; so many older frames were dropped for it.
    Queued { dropped: u64 },
    /// It was dropped itself, after so many others.
    Dropped { dropped: u64 },
    /// There is no room, and it must not be dropped.
    Full,
    /// There is no link.
    Closed,
}

/// The two queues of a link; empty and closed while there is none.
pub(super) struct Outbox {
    inner: Mutex<Inner>,
    filled: Notify,
}

struct Inner {
    open: bool,
    urgent: Queue,
    bulk: Queue,
}

struct Queue {
    waiting: VecDeque<Waiting>,
    /// Taken from `waiting` and partly written.
    begun: Option<(Outgoing, usize)>,
    /// Bytes of all frames that are not wholly written, with their overhead.
    bytes: usize,
    bytes_max: usize,
    frames_max: usize,
}

struct Waiting {
    frame: Frame,
    droppable: bool,
}

fn cost(frame: &Frame) -> usize {
    frame.bytes.len() + FRAME_OVERHEAD_BYTES
}

impl Queue {
    fn new(bytes_max: usize, frames_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            begun: None,
            bytes: 0,
            bytes_max,
            frames_max,
        }
    }

    fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.begun = None;
        self.bytes = 0;
    }

    fn has_room(&self, more: usize) -> bool {
        // A queue with nothing in it takes any frame: its kind's limit is the bound then.
        self.bytes == 0
            || (self.bytes + more <= self.bytes_max && self.waiting.len() < self.frames_max)
    }

    fn push(&mut self, frame: Frame, when_full: WhenFull) -> Pushed {
        let (more, mut dropped) = (cost(&frame), 0);
        while !self.has_room(more) {
            let Some(oldest) = self.waiting.iter().position(|waiting| waiting.droppable) else {
                return match when_full {
                    WhenFull::Reset => Pushed::Full,
                    WhenFull::DropOldest => Pushed::Dropped { dropped },
                };
            };
            if let Some(waiting) = self.waiting.remove(oldest) {
                self.bytes -= cost(&waiting.frame);
                dropped += 1;
            }
        }
        self.bytes += more;
        let droppable = when_full == WhenFull::DropOldest;
        self.waiting.push_back(Waiting { frame, droppable });
        Pushed::Queued { dropped }
    }

    /// Appends the next piece; `false` when there is none.
    fn put_piece(&mut self, lane: Lane, out: &mut BytesMut) -> bool {
        let (mut outgoing, cost) = match self.begun.take() {
            Some(begun) => begun,
            None => match self.waiting.pop_front() {
                Some(Waiting { frame, .. }) => {
                    let cost = cost(&frame);
                    (Outgoing::new(lane, frame), cost)
                }
                None => return false,
            },
        };
        if outgoing.put_piece(out) {
            self.bytes -= cost;
        } else {
            self.begun = Some((outgoing, cost));
        }
        true
    }
}

impl Outbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            inner: Mutex::new(Inner {
                open: false,
                urgent: Queue::new(limits.urgent_bytes, limits.frames),
                bulk: Queue::new(limits.bulk_bytes, limits.frames),
            }),
            filled: Notify::new(),
        }
    }

    /// Begins to take frames.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// Takes no more frames and forgets those that wait.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.open = false;
        inner.urgent.clear();
        inner.bulk.clear();
    }

    pub(super) fn push(&self, frame: Frame, rule: KindRule) -> Pushed {
        let mut inner = self.lock();
        if !inner.open {
            return Pushed::Closed;
        }
        let queue = match rule.lane {
            Lane::Urgent => &mut inner.urgent,
            Lane::Bulk => &mut inner.bulk,
        };
        let pushed = queue.push(frame, rule.when_full);
        drop(inner);
        if matches!(pushed, Pushed::Queued { .. }) {
            self.filled.notify_one();
        }
        pushed
    }

    /// Waits until something was queued since the last wait.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Appends what is to be written next: urgent pieces up to the size of one piece, then one
    /// piece of bulk. So neither lane holds up the other for longer than one piece takes.
    pub(super) fn fill(&self, out: &mut BytesMut) {
        let mut inner = self.lock();
        while out.len() < PIECE_BYTES_MAX && inner.urgent.put_piece(Lane::Urgent, out) {}
        inner.bulk.put_piece(Lane::Bulk, out);
    }

    /// Bytes that wait, with what each frame counts for beside its payload.
    pub(super) fn waiting_bytes(&self) -> usize {
        let inner = self.lock();
        inner.urgent.bytes + inner.bulk.bytes
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
