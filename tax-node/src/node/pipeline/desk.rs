//! Where verification, execution and the engine meet.
//!
//! Verified chunks come in as they are ready and go out in the order of their tickets. The engine
//! says when it wants a block; the sequencer then hands over what it has executed.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use invoice_core::apply::Verdict;
use invoice_core::calendar::Instant;
use invoice_core::state::Changes;

use super::job::Job;
use super::seal::Sealed;
use super::{BLOCK_RECORDS_ENOUGH, DESK_BYTES_MAX, DESK_RECORDS_MAX};
use crate::engine::Fatal;

/// Executed envelopes that make up a block.
#[derive(Debug)]
pub(in crate::node) struct Cut {
    /// The time of the block.
    pub(in crate::node) time: Instant,
    /// Leaf index of its first record.
    pub(in crate::node) first_index: u64,
    /// What it changes.
    pub(in crate::node) changes: Arc<Changes>,
    /// Its envelopes in order, each with the verdicts on its records.
    pub(in crate::node) executed: Vec<(Job, Vec<Verdict>)>,
}

/// What the sequencer hands over.
#[derive(Debug)]
pub(in crate::node) enum Work {
    /// As executed.
    Cut(Cut),
    /// With its digests.
    Sealed(Sealed),
}

/// A block that is being agreed on and stored.
#[derive(Clone, Debug)]
pub(in crate::node) struct InFlight {
    /// What it changes.
    pub(in crate::node) changes: Arc<Changes>,
    /// Leaf index of its first record: those below are durable, whatever becomes of it.
    pub(in crate::node) first_index: u64,
}

impl Work {
    fn in_flight(&self) -> InFlight {
        let (changes, first_index) = match self {
            Self::Cut(cut) => (&cut.changes, cut.first_index),
            Self::Sealed(sealed) => (&sealed.changes, sealed.first_index),
        };
        InFlight {
            changes: Arc::clone(changes),
            first_index,
        }
    }

    /// Its envelopes, to be executed again.
    pub(in crate::node) fn into_jobs(self) -> Vec<Job> {
        match self {
            Self::Cut(cut) => cut.executed.into_iter().map(|(job, _)| job).collect(),
            Self::Sealed(sealed) => {
                let waiting = sealed.waiting.into_iter();
                waiting.map(|waiting| waiting.job).collect()
            }
        }
    }
}

/// Where the sequencer has to begin again: another block than the one it built on was decided.
#[derive(Debug)]
pub(in crate::node) struct Restart {
    /// Envelopes that go first.
    pub(in crate::node) carried: Vec<Job>,
    /// Time of the last block.
    pub(in crate::node) time: Instant,
    /// Leaves of the log.
    pub(in crate::node) log_size: u64,
    /// Height of the last block.
    pub(in crate::node) height: u64,
}

/// What the sequencer is to do next.
#[derive(Debug)]
pub(in crate::node) enum Order {
    /// Execute these.
    Execute(Vec<Job>),
    /// Hand over what was executed.
    Cut,
    /// The engine is busy and the block full: hash it meanwhile.
    Seal,
    /// Throw away what was executed and begin again.
    Restart(Restart),
    /// There is nothing to do at a desk where nobody waits: ask again when something has come.
    Later,
    /// End.
    End,
}

/// How far the sequencer is with the block that it executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::node) enum Progress {
    /// It has none.
    Nothing,
    /// So many records were executed and more would fit.
    Open(usize),
    /// Nothing more fits.
    Full,
    /// Nothing more fits, and its digests are computed.
    Sealed,
}

/// What the engine is given.
#[derive(Debug)]
pub(in crate::node) enum Given {
    /// A block's worth of executed envelopes.
    Cut(Cut),
    /// The same with its digests.
    Sealed(Sealed),
    /// Nothing came in the meantime.
    Nothing,
    /// Nothing will come any more.
    Finished,
}

/// The desk.
#[derive(Debug)]
pub(in crate::node) struct Desk {
    inner: Mutex<Inner>,
    /// Whether the sequencer has a thread of its own, which may wait here.
    waits: bool,
    /// The sequencer waits here.
    orders: Condvar,
    /// The engine waits here.
    cuts: Condvar,
    /// The verifying threads wait here.
    room: Condvar,
}

#[derive(Debug)]
struct Inner {
    next_ticket: u64,
    ready: BTreeMap<u64, Vec<Job>>,
    ready_records: usize,
    ready_bytes: usize,
    verifiers: usize,
    wanted: bool,
    cut: Option<Work>,
    in_flight: Option<InFlight>,
    restart: Option<Restart>,
    finished: bool,
    aborted: bool,
    failed: Option<Fatal>,
}

impl Desk {
    /// A desk for so many verifying threads.
    pub(in crate::node) fn new(verifiers: usize) -> Self {
        Self {
            waits: true,
            inner: Mutex::new(Inner {
                next_ticket: 0,
                ready: BTreeMap::new(),
                ready_records: 0,
                ready_bytes: 0,
                verifiers,
                wanted: false,
                cut: None,
                in_flight: None,
                restart: None,
                finished: false,
                aborted: false,
                failed: None,
            }),
            orders: Condvar::new(),
            cuts: Condvar::new(),
            room: Condvar::new(),
        }
    }

    /// A desk where nobody waits: everything is done in turns by one thread, so that a run of a
    /// simulation repeats from its seed.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn in_turns() -> Self {
        Self {
            waits: false,
            ..Self::new(1)
        }
    }

    /// Whether there is room for what is verified next.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn has_room(&self) -> bool {
        !self.lock().is_full()
    }

    /// Waits until there is room for what is verified next; `false` when everything ends.
    pub(in crate::node) fn wait_for_room(&self) -> bool {
        let mut inner = self.lock();
        while !inner.aborted && inner.is_full() {
            inner = wait(&self.room, inner);
        }
        !inner.aborted
    }

    /// Takes the verified envelopes of a ticket. Every ticket comes here once, with or without.
    pub(in crate::node) fn hand_in(&self, ticket: u64, jobs: Vec<Job>) {
        let (records, bytes) = size(&jobs);
        let mut inner = self.lock();
        if inner.aborted {
            drop(inner);
            return drop(jobs);
        }
        inner.ready_records = inner.ready_records.saturating_add(records);
        inner.ready_bytes = inner.ready_bytes.saturating_add(bytes);
        inner.ready.insert(ticket, jobs);
        let is_next = ticket == inner.next_ticket;
        drop(inner);
        if is_next {
            self.orders.notify_one();
        }
    }

    /// One verifying thread hands in nothing any more.
    pub(in crate::node) fn verifier_left(&self) {
        let mut inner = self.lock();
        inner.verifiers = inner.verifiers.saturating_sub(1);
        drop(inner);
        self.orders.notify_one();
    }

    /// The sequencer's next task.
    pub(in crate::node) fn next(&self, progress: Progress) -> Order {
        let mut inner = self.lock();
        loop {
            if inner.aborted {
                return Order::End;
            }
            if let Some(restart) = inner.restart.take() {
                return Order::Restart(restart);
            }
            let ready = inner.next_ready();
            let cut = match progress {
                Progress::Nothing => false,
                Progress::Open(records) => ready.is_none() || records >= BLOCK_RECORDS_ENOUGH,
                Progress::Full | Progress::Sealed => true,
            };
            if cut && inner.wanted {
                return Order::Cut;
            }
            if progress == Progress::Full {
                return Order::Seal;
            }
            if progress != Progress::Sealed && ready.is_some() {
                let jobs = inner.take_ready();
                drop(inner);
                self.room.notify_all();
                return Order::Execute(jobs);
            }
            if progress == Progress::Nothing && inner.verifiers == 0 {
                inner.finished = true;
                drop(inner);
                self.cuts.notify_one();
                return Order::End;
            }
            if !self.waits {
                return Order::Later;
            }
            inner = wait(&self.orders, inner);
        }
    }

    /// The block over which the next one is executed, when it is not durable yet.
    pub(in crate::node) fn in_flight(&self) -> Option<InFlight> {
        self.lock().in_flight.clone()
    }

    /// Hands over a block's worth.
    pub(in crate::node) fn put(&self, cut: Work) {
        let mut inner = self.lock();
        if inner.aborted || inner.restart.is_some() {
            // What it was executed over was not decided: its envelopes go back.
            if let Some(restart) = &mut inner.restart {
                restart.carried.extend(cut.into_jobs());
            }
            return;
        }
        inner.wanted = false;
        inner.in_flight = Some(cut.in_flight());
        inner.cut = Some(cut);
        drop(inner);
        self.cuts.notify_one();
    }

    /// The engine is free: waits for a block's worth, at most so long.
    ///
    /// # Errors
    /// The sequencer could not read the state.
    pub(in crate::node) fn want(&self, patience: Duration) -> Result<Given, Fatal> {
        let mut inner = self.lock();
        // A block's worth that came after the last call had given up is there already.
        inner.wanted = inner.cut.is_none();
        self.orders.notify_one();
        let waits = |inner: &mut Inner| {
            inner.cut.is_none() && !inner.finished && !inner.aborted && inner.failed.is_none()
        };
        let (mut inner, _) = self
            .cuts
            .wait_timeout_while(inner, patience, waits)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(fatal) = inner.failed.take() {
            return Err(fatal);
        }
        Ok(match inner.cut.take() {
            Some(Work::Cut(cut)) => Given::Cut(cut),
            Some(Work::Sealed(sealed)) => Given::Sealed(sealed),
            None if inner.finished || inner.aborted => Given::Finished,
            None => Given::Nothing,
        })
    }

    /// The block that was handed over is durable, or had nothing to store.
    pub(in crate::node) fn settled(&self) {
        self.lock().in_flight = None;
    }

    /// Another block was decided, or none: the sequencer begins again with these first.
    pub(in crate::node) fn restart(&self, mut restart: Restart) {
        let mut inner = self.lock();
        inner.in_flight = None;
        if let Some(cut) = inner.cut.take() {
            restart.carried.extend(cut.into_jobs());
        }
        if let Some(earlier) = inner.restart.take() {
            restart.carried.extend(earlier.carried);
        }
        inner.restart = Some(restart);
        drop(inner);
        self.orders.notify_one();
    }

    /// The sequencer could not read the state.
    pub(in crate::node) fn fail(&self, fatal: Fatal) {
        self.lock().failed = Some(fatal);
        self.cuts.notify_one();
    }

    /// Ends everything at once; what waits here is dropped.
    pub(in crate::node) fn abort(&self) {
        let mut inner = self.lock();
        inner.aborted = true;
        let dropped = (
            std::mem::take(&mut inner.ready),
            inner.cut.take(),
            inner.restart.take(),
        );
        drop(inner);
        drop(dropped);
        self.orders.notify_all();
        self.cuts.notify_all();
        self.room.notify_all();
    }

    /// Verified records that wait for execution, and their bytes.
    pub(in crate::node) fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.ready_records, inner.ready_bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_full(&self) -> bool {
        self.ready_records >= DESK_RECORDS_MAX || self.ready_bytes >= DESK_BYTES_MAX
    }

    /// Passes tickets that brought nothing; the next that brought something is returned.
    fn next_ready(&mut self) -> Option<u64> {
        while let Some(jobs) = self.ready.get(&self.next_ticket) {
            if !jobs.is_empty() {
                return Some(self.next_ticket);
            }
            self.ready.remove(&self.next_ticket);
            self.next_ticket = self.next_ticket.saturating_add(1);
        }
        None
    }

    fn take_ready(&mut self) -> Vec<Job> {
        let jobs = self.ready.remove(&self.next_ticket).unwrap_or_default();
        self.next_ticket = self.next_ticket.saturating_add(1);
        let (records, bytes) = size(&jobs);
        self.ready_records = self.ready_records.saturating_sub(records);
        self.ready_bytes = self.ready_bytes.saturating_sub(bytes);
        jobs
    }
}

fn size(jobs: &[Job]) -> (usize, usize) {
    let records = jobs.iter().map(Job::records).sum();
    (records, jobs.iter().map(Job::bytes).sum())
}

fn wait<'d>(condvar: &Condvar, inner: MutexGuard<'d, Inner>) -> MutexGuard<'d, Inner> {
    condvar.wait(inner).unwrap_or_else(PoisonError::into_inner)
}
