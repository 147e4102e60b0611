//! One message to one endpoint, with its attempts.

use serde::{Deserialize, Serialize};

use crate::message::EventPlace;
use crate::reason::Reason;

/// Bytes of an answer that are kept, for people who look for a mistake.
pub const ANSWER_BYTES_MAX: usize = 1_024;
/// Attempts that are kept of one delivery: the first and the last ones.
pub const ATTEMPTS_KEPT: usize = 20;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Why it failed; `None` when the message was taken.
    pub reason: Option<Reason>,
    /// The beginning of the answer's body, at most [`ANSWER_BYTES_MAX`] bytes as text.
    pub answer: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver took it.
    Taken,
    /// It did not, and perhaps said when to come again.
    Failed {
        /// Why.
        reason: Reason,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<i64>,
    },
}

/// One message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Its number among the endpoint's, from 0; newer ones have larger numbers.
    pub number: u64,
    /// The message's id.
    pub message: String,
    /// The kind of event.
    pub event: String,
    /// Where the event stands.
    pub place: EventPlace,
    /// The attempts that are kept, in order.
    pub attempts: Vec<Attempt>,
    /// How many attempts there were.
    pub attempts_total: u32,
    /// Whether it was taken.
    pub delivered: bool,
    /// When it is tried again, in milliseconds since 1970.
    pub next_ms: Option<i64>,
}

impl Delivery {
    /// A message that was not tried yet.
    #[must_use]
    pub fn new(number: u64, message: String, event: String, place: EventPlace) -> Self {
        Self {
            number,
            message,
            event,
            place,
            attempts: Vec::new(),
            attempts_total: 0,
            delivered: false,
            next_ms: None,
        }
    }

    /// Adds an attempt. When there are too many the second one is forgotten: how it began stays.
    pub fn tried(&mut self, attempt: Attempt, next_ms: Option<i64>) {
        self.delivered = attempt.reason.is_none();
        self.next_ms = next_ms;
        self.attempts_total = self.attempts_total.saturating_add(1);
        if self.attempts.len() >= ATTEMPTS_KEPT {
            self.attempts.remove(1);
        }
        self.attempts.push(attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_attempts_are_kept() {
        let place = EventPlace {
            height: 1,
            index: 0,
            number: 0,
        };
        let mut delivery = Delivery::new(0, "msg".into(), "claim_locked".into(), place);
        for at_ms in 0..30 {
            let reason = (at_ms < 29).then_some(Reason::TimedOut);
            let attempt = Attempt {
                at_ms,
                duration_ms: 1,
                status: None,
                reason,
                answer: String::new(),
            };
            delivery.tried(attempt, reason.map(|_| at_ms + 5));
        }
        assert!(delivery.delivered && delivery.next_ms.is_none());
        assert_eq!(delivery.attempts_total, 30);
        assert_eq!(delivery.attempts.len(), ATTEMPTS_KEPT);
        let times: Vec<i64> = delivery.attempts.iter().map(|one| one.at_ms).collect();
        assert_eq!(times.first().zip(times.get(1)), Some((&0, &11)));
        assert_eq!(times.last(), Some(&29));
    }
}
