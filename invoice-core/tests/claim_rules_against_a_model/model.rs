//! The claim rules a second time, naively: plain vectors of what was accepted, every sum taken anew
//! from the whole history. Nothing is kept up to date, so nothing can get out of date.

mod rules;
mod sums;

use invoice_core::record::{ClaimKind, Component};

use crate::common::{EMPLOYER, HEALTH, INSURER, OTHER_EMPLOYER};
use crate::records::{Key, Op, Paper};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// The answer that is due to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With the facts of the outcome, sorted by name.
    Accepted(Vec<(&'static str, String)>),
    Refused(&'static str),
    Replayed {
        index: u64,
        accepted: bool,
    },
    IdReused,
    Forbidden(&'static str),
    Aborted,
}

/// An accepted record: `document` by its own key, `amount` as it was decided.
#[derive(Clone, Debug)]
struct Done {
    at: i64,
    by: usize,
    id: u32,
    document: Option<Key>,
    amount: i64,
    op: Op,
}

/// A record that has an answer on the chain.
#[derive(Clone, Debug)]
struct Known {
    by: usize,
    id: u32,
    text: String,
    index: u64,
    accepted: bool,
}

impl Known {
    fn replayed(&self) -> Answer {
        Answer::Replayed {
            index: self.index,
            accepted: self.accepted,
        }
    }
}

/// How a lock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Live,
    Released,
    Expired,
    Settled,
}

/// A lock and what became of it.
pub(crate) struct Lock {
    pub(crate) by: usize,
    pub(crate) id: u32,
    pub(crate) document: Key,
    pub(crate) kind: ClaimKind,
    pub(crate) component: Component,
    pub(crate) amount: i64,
    pub(crate) expires: i64,
    /// Live or settled money.
    pub(crate) held: i64,
    settled: i64,
    status: Status,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    done: Vec<Done>,
    known: Vec<Known>,
    next_index: u64,
}

type Facts = Vec<(&'static str, String)>;
/// The document and the amount as they were decided, or the code of the refusal.
type Decision = Result<(Option<Key>, i64, Facts), &'static str>;

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Day and month (counted from year 0) in UTC+8.
pub(crate) fn today(at: i64) -> i32 {
    ((at + 8 * 3_600_000) / DAY_MS) as i32
}

pub(crate) fn month_of(day: i32) -> i32 {
    use chrono::Datelike as _;
    let date = chrono::NaiveDate::from_epoch_days(day).expect("a date");
    date.year() * 12 + date.month0() as i32
}

impl Model {
    /// Decides a record and remembers the answer.
    pub(crate) fn submit(&mut self, now: i64, by: usize, id: u32, text: &str, op: &Op) -> Answer {
        let known = self
            .known
            .iter()
            .find(|known| (known.by, known.id) == (by, id));
        if let Some(first) = known.filter(|known| known.text == text) {
            return first.replayed();
        }
        if let Some(code) = forbidden(by, op) {
            return Answer::Forbidden(code);
        }
        if known.is_some() {
            return Answer::IdReused;
        }
        let decided = self.decide(now, by, op);
        self.remember(by, id, text, decided.is_ok());
        match decided {
            Ok((document, amount, facts)) => {
                self.done.push(Done {
                    at: now,
                    by,
                    id,
                    document,
                    amount,
                    op: op.clone(),
                });
                Answer::Accepted(facts)
            }
            Err(code) => Answer::Refused(code),
        }
    }

    /// Decides a batch of which all are accepted or none.
    pub(crate) fn submit_atomic(
        &mut self,
        now: i64,
        batch: &[(usize, u32, &str, &Op)],
    ) -> Vec<Answer> {
        let mut trial = self.clone();
        let answers: Vec<_> = batch
            .iter()
            .map(|(by, id, text, op)| trial.submit(now, *by, *id, text, op))
            .collect();
        let good = |answer: &Answer| {
            matches!(
                answer,
                Answer::Accepted(_) | Answer::Replayed { accepted: true, .. }
            )
        };
        if answers.iter().all(good) {
            *self = trial;
            return answers;
        }
        let traces = answers
            .iter()
            .all(|a| good(a) || matches!(a, Answer::Refused(_)));
        batch
            .iter()
            .zip(answers)
            .map(|((by, id, text, _), answer)| {
                let earlier = self.known.iter().find(|k| (k.by, k.id) == (*by, *id));
                match (answer, earlier) {
                    (Answer::Replayed { .. }, Some(earlier)) => earlier.replayed(),
                    (Answer::Accepted(_) | Answer::Refused(_) | Answer::Replayed { .. }, _)
                        if !traces =>
                    {
                        Answer::Aborted
                    }
                    (Answer::Refused(code), _) => {
                        self.remember(*by, *id, text, false);
                        Answer::Refused(code)
                    }
                    (Answer::Accepted(_) | Answer::Replayed { .. }, _) => {
                        self.remember(*by, *id, text, false);
                        Answer::Refused("batch_aborted")
                    }
                    (other @ (Answer::IdReused | Answer::Forbidden(_) | Answer::Aborted), _) => {
                        other
                    }
                }
            })
            .collect()
    }

    fn remember(&mut self, by: usize, id: u32, text: &str, accepted: bool) {
        let index = self.next_index;
        self.next_index += 1;
        self.known.push(Known {
            by,
            id,
            text: text.to_owned(),
            index,
            accepted,
        });
    }
}

impl Lock {
    fn ensure_money(&self) -> Result<(), &'static str> {
        ensure(self.kind != ClaimKind::Reference, "claim_is_reference")
    }

    fn ensure_live(&self) -> Result<(), &'static str> {
        self.ensure_money()?;
        match self.status {
            Status::Live => Ok(()),
            Status::Released => Err("claim_released"),
            Status::Expired => Err("claim_expired"),
            Status::Settled => Err("claim_already_settled"),
        }
    }
}

/// What the document states, or the patient bore.
fn claimable(paper: &Paper) -> i64 {
    paper.split.map_or(paper.total(), |split| {
        (split.account + split.cash).min(paper.total())
    })
}

/// Static rights of the members that the histories use.
fn forbidden(by: usize, op: &Op) -> Option<&'static str> {
    let Op::Lock { kind, .. } = op else {
        return None;
    };
    let kinds: &[ClaimKind] = match by {
        EMPLOYER | OTHER_EMPLOYER => &[ClaimKind::Employer, ClaimKind::Reference],
        INSURER => &[ClaimKind::Commercial, ClaimKind::Reference],
        HEALTH => &[
            ClaimKind::Basic,
            ClaimKind::Supplement,
            ClaimKind::Reference,
        ],
        _ => return Some("role_missing"),
    };
    (!kinds.contains(kind)).then_some("claim_kind_not_allowed")
}

fn ensure(holds: bool, code: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(code) }
}
