//! The one thread that executes.
//!
//! It executes envelope after envelope into the block that comes next, over the changes of the
//! block that is being stored, and hands over what it has when the engine wants a block. The time
//! of a block is that of its first envelope's execution.

use std::collections::VecDeque;
use std::sync::Arc;

use invoice_core::apply::{BlockPosition, Execution, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::state::{Fault, Overlay, StateView};

use super::desk::{Cut, Desk, Order, Progress, Restart, Work};
use super::job::{Form, Job};
use super::outbox::Outbox;
use super::pending::Pending;
use super::reply::Decision;
use super::seal::seal;
use super::{BLOCK_BYTES_TARGET, BLOCK_RECORDS_TARGET};
use crate::engine::Fatal;
use crate::node::clock::Clock;
use crate::store::Store;

/// The thread's own state.
pub(in crate::node) struct Sequencer {
    pub(in crate::node) store: Arc<Store>,
    pub(in crate::node) desk: Arc<Desk>,
    pub(in crate::node) clock: Clock,
    pub(in crate::node) outbox: Arc<Outbox>,
    pub(in crate::node) pending: Arc<Pending>,
    /// Time of the last block that was cut.
    pub(in crate::node) time: Instant,
    /// Leaves of the log with all blocks that were cut.
    pub(in crate::node) log_size: u64,
    /// Height of the last block that was cut.
    pub(in crate::node) height: u64,
    /// Envelopes that go first.
    pub(in crate::node) carried: VecDeque<Job>,
}

/// How the growth of a block ended.
enum Grown {
    Done(Work),
    Restart(Restart, Vec<Job>),
    /// It goes on in the next turn, with these first.
    Later(Vec<Job>),
    End,
}

/// A block while it grows.
#[derive(Default)]
struct Growing {
    executed: Vec<(Job, Vec<Verdict>)>,
    records: usize,
    bytes: usize,
    leaves: u64,
    full: bool,
    /// Leaves of the log that are durable and the same as when this block began.
    durable: u64,
    /// Whether a block that is not durable lies below.
    speculative: bool,
    /// Envelopes with their verdicts that need no block.
    answered: Vec<(Job, Vec<Verdict>)>,
}

impl Sequencer {
    /// Executes until everything that was taken is in a block.
    pub(in crate::node) fn run(mut self) {
        let desk = Arc::clone(&self.desk);
        let _ending = Ending(&desk);
        while self.step() {}
    }

    /// Executes what is there and hands over what is wanted, and waits for nothing. What was
    /// executed and not wanted yet is executed again in the next turn.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn turn(&mut self) {
        while self.step() {}
    }

    /// Does the next thing; `false` when there is none.
    fn step(&mut self) -> bool {
        if self.carried.is_empty() {
            match self.desk.next(Progress::Nothing) {
                Order::Execute(jobs) => self.carried.extend(jobs),
                Order::Restart(restart) => self.restart(restart, Vec::new()),
                Order::Cut | Order::Seal => {}
                Order::Later | Order::End => return false,
            }
            return true;
        }
        match self.grow() {
            Ok(Grown::Done(work)) => {
                self.desk.put(work);
                self.outbox.wake();
            }
            Ok(Grown::Restart(restart, jobs)) => self.restart(restart, jobs),
            Ok(Grown::Later(jobs)) => {
                let behind = std::mem::take(&mut self.carried);
                self.carried = jobs.into_iter().chain(behind).collect();
                return false;
            }
            Ok(Grown::End) => return false,
            Err(fatal) => {
                self.desk.fail(fatal);
                return false;
            }
        }
        true
    }

    fn restart(&mut self, restart: Restart, executed: Vec<Job>) {
        self.time = restart.time;
        self.log_size = restart.log_size;
        self.height = restart.height;
        let behind = std::mem::take(&mut self.carried);
        let first = restart.carried.into_iter().chain(executed);
        self.carried = first.chain(behind).collect();
    }

    /// Executes a block over the last one that was cut.
    fn grow(&mut self) -> Result<Grown, Fatal> {
        // The snapshot has the block in flight or has not: what it changes stands above it.
        let in_flight = self.desk.in_flight();
        let snapshot = self.store.snapshot().map_err(Fatal::new)?;
        // The snapshot may also have another block already, which was decided in place of the one in
        // flight, while this thread is not told yet: what it has above is not what was executed here.
        let below = in_flight.as_ref().map(|block| block.first_index);
        let durable = below
            .unwrap_or(self.log_size)
            .min(snapshot.head().log_size());
        let in_flight = in_flight.map(|block| block.changes).unwrap_or_default();
        let state = Overlay {
            base: &snapshot,
            changes: &in_flight,
        };
        let next = self.time.ms().saturating_add(1);
        let position = BlockPosition {
            time: (self.clock)().max(Instant::from_ms(next)),
            first_index: self.log_size,
            height: self.height.saturating_add(1),
        };
        let mut execution = Execution::new(&state, position);
        let mut growing = Growing {
            durable,
            speculative: !in_flight.is_empty(),
            ..Growing::default()
        };
        loop {
            while !growing.full
                && let Some(job) = self.carried.pop_front()
            {
                let job = match job.unless_given_up() {
                    Ok(job) => job,
                    Err(entered) => {
                        self.pending.leave(vec![entered]);
                        continue;
                    }
                };
                if let Some(job) = growing.add(job, &mut execution).map_err(Fatal::new)? {
                    self.carried.push_front(job);
                }
            }
            self.answer(std::mem::take(&mut growing.answered));
            match self.desk.next(growing.progress()) {
                Order::Execute(jobs) => self.carried.extend(jobs),
                order @ (Order::Cut | Order::Seal) => {
                    self.time = position.time;
                    self.log_size = self.log_size.saturating_add(growing.leaves);
                    // Where nothing was recorded there is no block.
                    if growing.leaves > 0 {
                        self.height = position.height;
                    }
                    let cut = Cut {
                        time: position.time,
                        first_index: position.first_index,
                        changes: Arc::new(execution.finish()),
                        executed: growing.executed,
                    };
                    return match order {
                        Order::Seal => self.keep(Work::Sealed(seal(cut)?)),
                        Order::Cut
                        | Order::Execute(_)
                        | Order::Restart(_)
                        | Order::Later
                        | Order::End => Ok(Grown::Done(Work::Cut(cut))),
                    };
                }
                Order::Restart(restart) => {
                    let jobs = growing.executed.into_iter().map(|(job, _)| job);
                    return Ok(Grown::Restart(restart, jobs.collect()));
                }
                Order::Later => {
                    let jobs = growing.executed.into_iter().map(|(job, _)| job);
                    return Ok(Grown::Later(jobs.collect()));
                }
                Order::End => return Ok(Grown::End),
            }
        }
    }
}

impl Sequencer {
    /// Answers envelopes of which nothing goes on the chain now.
    fn answer(&self, answered: Vec<(Job, Vec<Verdict>)>) {
        if answered.is_empty() {
            return;
        }
        let left = answered.into_iter().map(|(job, verdicts)| {
            let decisions = verdicts.into_iter().map(Decision::NotNow);
            job.answer(decisions.collect(), None)
        });
        self.pending.leave(left.collect());
    }

    /// Keeps a full block until the engine wants it.
    fn keep(&self, work: Work) -> Result<Grown, Fatal> {
        loop {
            match self.desk.next(Progress::Sealed) {
                Order::Cut => return Ok(Grown::Done(work)),
                Order::Restart(restart) => return Ok(Grown::Restart(restart, work.into_jobs())),
                Order::Later => return Ok(Grown::Later(work.into_jobs())),
                Order::End => return Ok(Grown::End),
                Order::Seal | Order::Execute(_) => {}
            }
        }
    }
}

impl Growing {
    /// Executes an envelope, or gives it back when it does not fit.
    fn add<V: StateView>(
        &mut self,
        job: Job,
        execution: &mut Execution<'_, V>,
    ) -> Result<Option<Job>, Fault<V::Error>> {
        let records = self.records.saturating_add(job.records());
        let bytes = self.bytes.saturating_add(job.bytes());
        let fits = records <= BLOCK_RECORDS_TARGET && bytes <= BLOCK_BYTES_TARGET;
        if !fits && !self.executed.is_empty() {
            self.full = true;
            return Ok(Some(job));
        }
        (self.records, self.bytes) = (records, bytes);
        let verdicts = execute(execution, &job)?;
        if self.is_durable(&verdicts) {
            // Nothing of it goes on the chain, and what it was judged by does not change any more.
            self.answered.push((job, verdicts));
            return Ok(None);
        }
        let recorded = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Verdict::Recorded(_)))
            .count();
        self.leaves = self.leaves.saturating_add(recorded as u64);
        self.executed.push((job, verdicts));
        Ok(None)
    }

    /// Whether verdicts rest on durable blocks alone, and add nothing to the next one.
    fn is_durable(&self, verdicts: &[Verdict]) -> bool {
        let unspoilt = self.leaves == 0 && !self.speculative;
        verdicts.iter().all(|verdict| match verdict {
            Verdict::Recorded(_) => false,
            Verdict::Replayed { index, .. } => *index < self.durable,
            Verdict::IdReused | Verdict::Inadmissible(_) | Verdict::Aborted => unspoilt,
        })
    }

    fn progress(&self) -> Progress {
        if self.full {
            Progress::Full
        } else {
            Progress::Open(self.records)
        }
    }
}

/// Executes one envelope.
fn execute<V: StateView>(
    execution: &mut Execution<'_, V>,
    job: &Job,
) -> Result<Vec<Verdict>, Fault<V::Error>> {
    let candidates = &job.verified.candidates;
    match &job.verified.form {
        Form::Batch { atomic: true, .. } => execution.execute_atomic(candidates),
        Form::Single | Form::Batch { atomic: false, .. } => candidates
            .iter()
            .map(|candidate| execution.execute(candidate))
            .collect(),
    }
}

/// Tells the engine when the thread ends by a panic; after a good end nobody listens any more.
struct Ending<'d>(&'d Desk);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fail(Fatal::new("the sequencer panicked: please report it"));
        }
    }
}
