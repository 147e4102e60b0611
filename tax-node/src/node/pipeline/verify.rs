//! The threads that verify.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::desk::Desk;
use super::job::Job;
use super::lanes::{Class, LaneId, Waiting};
use super::outbox::Outbox;
use super::pending::Pending;
use super::queue::{Chunk, Queue};
use super::reply::Answered;
use crate::node::admission::{Admitted, Messages, Verification};
use crate::seed::fresh_seed;

/// What a verifying thread works with.
#[derive(Clone)]
pub(in crate::node) struct Verifier {
    pub(in crate::node) queue: Arc<Queue>,
    pub(in crate::node) desk: Arc<Desk>,
    pub(in crate::node) pending: Arc<Pending>,
    pub(in crate::node) messages: Messages,
    pub(in crate::node) outbox: Arc<Outbox>,
}

impl Verifier {
    /// Verifies until the queue is closed and empty.
    pub(in crate::node) fn run(self) {
        let _leaving = Leaving(&self.desk);
        while self.desk.wait_for_room() {
            let Some(chunk) = self.queue.take() else {
                return;
            };
            self.verify_chunk(chunk);
        }
    }

    /// Verifies what waits, as far as there is room for it, and waits for nothing.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(in crate::node) fn turn(&self) {
        while self.desk.has_room()
            && let Some(chunk) = self.queue.take_now()
        {
            self.verify_chunk(chunk);
        }
    }

    fn verify_chunk(&self, chunk: Chunk) {
        let Chunk {
            ticket,
            class,
            envelopes,
        } = chunk;
        let began = self.queue.now();
        // A bug in one chunk must not end the verification of all others: what it held is
        // answered as unavailable, and its turn passes.
        let done = catch_unwind(AssertUnwindSafe(|| self.verify(class, envelopes)));
        let (jobs, failed) = done.unwrap_or_else(|_| {
            tracing::error!("a verification panicked: please report it");
            Default::default()
        });
        let took = self.queue.now().saturating_duration_since(began);
        self.queue.done(class, took, &failed);
        let any = !jobs.is_empty();
        self.desk.hand_in(ticket, jobs);
        if any {
            self.outbox.wake();
        }
    }

    /// Answers what fails and gives what goes on, and the lanes in which signatures failed.
    fn verify(&self, class: Class, envelopes: Vec<Waiting>) -> (Vec<Job>, Vec<LaneId>) {
        let verification = match class {
            Class::Suspect => Verification::Singly,
            Class::Clean => {
                // Without randomness nothing may be combined.
                fresh_seed().map_or(Verification::Singly, Verification::Together)
            }
        };
        let borrowed: Vec<_> = envelopes
            .iter()
            .map(|waiting| (&waiting.submission, waiting.key.as_ref()))
            .collect();
        let admitted = self.messages.admit(&borrowed, &verification);
        let (mut failed, mut verified) = (Vec::new(), Vec::new());
        for (waiting, admitted) in envelopes.into_iter().zip(admitted) {
            if admitted.failed {
                failed.push(waiting.lane());
            }
            let Admitted {
                answers,
                ids,
                verified: going_on,
                failed: _,
            } = admitted;
            match going_on {
                Some(going_on) => {
                    let held = self
                        .outbox
                        .hold(&waiting.submission, going_on.signature.signature);
                    verified.push((waiting.slot, going_on, answers, ids, held));
                }
                None => waiting.slot.fill(Ok(Answered {
                    answers,
                    ids,
                    decided: None,
                })),
            }
        }
        let candidates = verified
            .iter()
            .map(|(_, verified, ..)| verified.candidates.as_slice());
        let entered = self.pending.enter(candidates);
        let jobs = verified.into_iter().zip(entered);
        let jobs = jobs.map(|((slot, verified, answers, ids, held), pending)| Job {
            verified,
            answers,
            ids,
            slot,
            pending,
            held,
        });
        (jobs.collect(), failed)
    }
}

/// Tells the desk that a thread hands in nothing any more, however it ended.
struct Leaving<'d>(&'d Desk);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.verifier_left();
    }
}
