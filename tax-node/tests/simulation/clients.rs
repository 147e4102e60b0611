//! Members: what they send where, what they are told, and how they try again.

use bytes::Bytes;
use invoice_api::registry::Submission;
use tax_node::node::simulated::{Answers, Fact};

use crate::cast::records;
use crate::world::{Happening, World};

/// After this time without an answer a member sends the same elsewhere, in milliseconds.
const PATIENCE_MS: u64 = 2_500;

/// An envelope that a member wants to be final.
pub(crate) struct Wanted {
    submission: Submission,
    answered: bool,
    /// Whether it was wanted before everything was healed, or just then.
    counts: bool,
    /// What is to be sent once this is final.
    then: Vec<Submission>,
}

/// An answer that is waited for.
struct Waiting {
    entry: usize,
    node: usize,
    answers: Answers,
}

/// All members.
#[derive(Default)]
pub(crate) struct Clients {
    wanted: Vec<Wanted>,
    waiting: Vec<Waiting>,
}

impl Clients {
    pub(crate) fn all_answered(&self) -> bool {
        self.wanted.iter().all(|one| one.answered || !one.counts)
    }

    pub(crate) fn unanswered(&self) -> Vec<String> {
        let unanswered = self.wanted.iter().filter(|one| !one.answered && one.counts);
        let first = unanswered.filter_map(|one| one.submission.records.first());
        first
            .map(|record| String::from_utf8_lossy(record).chars().take(50).collect())
            .collect()
    }
}

impl World {
    /// A member issues a document; when that is final, two employers claim all of it.
    pub(crate) fn submit_papers(&mut self, what: usize, to: &[usize]) {
        let records = records();
        if let Some(papers) = records.papers.get(what) {
            let at_once = self.dice.once_in(4);
            let locks: Vec<Submission> = papers.locks.to_vec();
            if at_once {
                for lock in locks {
                    self.want(lock, to, Vec::new());
                }
                self.want(papers.issue.clone(), to, Vec::new());
            } else {
                self.want(papers.issue.clone(), to, locks);
            }
        } else {
            let batch = &records.batches[(what - records.papers.len()) % records.batches.len()];
            self.want(batch.clone(), to, Vec::new());
        }
    }

    /// What is sent when everything is healed: there is something to make progress with.
    pub(crate) fn submit_last(&mut self) {
        let last = records().papers.len() - 1;
        let node = self.any_node();
        self.want(records().papers[last].issue.clone(), &[node], Vec::new());
    }

    pub(crate) fn want(&mut self, submission: Submission, to: &[usize], then: Vec<Submission>) {
        let entry = self.clients.wanted.len();
        self.clients.wanted.push(Wanted {
            submission,
            answered: false,
            counts: !self.is_calm || self.now == self.plan.calm_ms,
            then,
        });
        for node in to {
            self.submit(entry, *node);
        }
        let again = PATIENCE_MS / 2 + self.dice.below(PATIENCE_MS);
        self.after(again, Happening::Retry { entry });
    }

    fn submit(&mut self, entry: usize, node: usize) {
        let submission = self.clients.wanted[entry].submission.clone();
        self.note(30 << 8 | node as u64, &[], || {
            let record = &submission.records[0];
            let text: String = String::from_utf8_lossy(record).chars().take(60).collect();
            format!("node {node} is given {text}")
        });
        let machine = &mut self.machines[node];
        let Some(running) = &mut machine.node else {
            return;
        };
        let answers = running.submit(submission);
        self.clients.waiting.push(Waiting {
            entry,
            node,
            answers,
        });
        let machine = &mut self.machines[node];
        if !machine.turning {
            machine.turning = true;
            let life = machine.life;
            self.after(0, Happening::Turn { node, life });
        }
    }

    /// A member without an answer tries another node.
    pub(crate) fn retry(&mut self, entry: usize) {
        if self.clients.wanted[entry].answered {
            return;
        }
        self.tally.retried += 1;
        let node = self.any_node();
        self.submit(entry, node);
        let again = PATIENCE_MS / 2 + self.dice.below(PATIENCE_MS);
        self.after(again, Happening::Retry { entry });
    }

    pub(crate) fn any_node(&mut self) -> usize {
        self.dice.below(self.machines.len() as u64) as usize
    }

    /// Looks whether a node has answered.
    pub(crate) fn poll(&mut self, node: usize) {
        let mut told = Vec::new();
        self.clients.waiting.retain_mut(|waiting| {
            if waiting.node != node {
                return true;
            }
            match waiting.answers.poll() {
                None => true,
                Some(answer) => {
                    told.push((waiting.entry, answer));
                    false
                }
            }
        });
        for (entry, answer) in told {
            match answer {
                Some(facts) => self.told(node, entry, &facts),
                None if !self.clients.wanted[entry].answered => {
                    let soon = 50 + self.dice.below(300);
                    self.after(soon, Happening::Retry { entry });
                }
                None => {}
            }
        }
    }

    fn told(&mut self, node: usize, entry: usize, facts: &[Fact]) {
        self.note(31 << 8 | node as u64, &[], || {
            format!("node {node} answers {facts:?}")
        });
        if self.machines[node].treason.is_some() {
            // Whoever asks a traitor asks again elsewhere.
            return;
        }
        let records: Vec<Bytes> = self.clients.wanted[entry].submission.records.clone();
        for (record, fact) in records.iter().zip(facts) {
            let index = match fact {
                Fact::Recorded { index, outcome } => {
                    if outcome.code().is_some() {
                        self.tally.double_claims += 1;
                    }
                    *index
                }
                Fact::Replayed { index } => *index,
                Fact::Refused => continue,
            };
            let machine = &mut self.machines[node];
            machine.told = machine.told.max(Some(index + 1));
            let known = self.oracle.point().frontier.size();
            if index < known && !self.oracle.stands_at(record, index) {
                let text = String::from_utf8_lossy(record);
                let words =
                    format!("node {node} told of a record at {index} that is not there: {text}");
                self.oracle.violated(words);
            }
            if index >= known && self.machines[node].disk.powered() {
                let words = format!("node {node} told of a record at {index} that is not final");
                self.oracle.violated(words);
            }
        }
        let wanted = &mut self.clients.wanted[entry];
        if !wanted.answered {
            wanted.answered = true;
            self.tally.answered += 1;
            for next in std::mem::take(&mut wanted.then) {
                let (one, other) = (self.any_node(), self.any_node());
                self.want(next, &[one, other], Vec::new());
            }
        }
    }
}
