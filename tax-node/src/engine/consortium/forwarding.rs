//! Which of the waiting envelopes go to the next proposer.
//!
//! Envelopes are numbered in the order in which they came. Each goes to the proposer of the turn
//! that comes next, a turn being a round of a height. Those that still wait when that turn is well
//! over go again: when the round has failed, or when the height after it is decided (by then what
//! the turn's block had is answered and waits no more).

use std::collections::BTreeMap;

/// A round of a height.
pub(super) type Turn = (u64, u32);

/// How far forwarding is.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    /// The last envelope that went out at all.
    up_to: u64,
    /// For each turn that is not over, the last envelope that went to its proposer.
    turns: BTreeMap<Turn, u64>,
    /// Envelopes up to this one go again, as far as they wait.
    again: u64,
    /// How far going again is.
    at: u64,
    /// New envelopes went out in this call.
    exhausted: bool,
}

impl Forwarding {
    /// A height is decided.
    pub(super) fn decided(&mut self, height: u64) {
        self.over(|(of, _)| of < height);
    }

    /// This turn comes next.
    pub(super) fn now(&mut self, turn: Turn) {
        self.over(|(height, round)| height == turn.0 && round < turn.1);
        self.exhausted = false;
    }

    fn over(&mut self, is_over: impl Fn(Turn) -> bool) {
        let mut last = 0;
        self.turns.retain(|turn, up_to| {
            let over = is_over(*turn);
            if over {
                last = last.max(*up_to);
            }
            !over
        });
        if last > 0 {
            self.again = self.again.max(last);
            self.at = 0;
        }
    }

    /// The next envelopes to go: after the first number, up to the second.
    pub(super) fn next(&self) -> Option<(u64, u64)> {
        if self.at < self.again {
            Some((self.at, self.again))
        } else if self.exhausted {
            None
        } else {
            Some((self.up_to.max(self.again), u64::MAX))
        }
    }

    /// Envelopes up to a number went to the proposer of a turn; the first number again when there
    /// were none.
    pub(super) fn sent(&mut self, turn: Turn, last: u64) {
        if self.at < self.again {
            if last <= self.at {
                (self.at, self.again) = (0, 0);
                return;
            }
            self.at = last;
        } else if last <= self.up_to {
            self.exhausted = true;
            return;
        }
        self.up_to = self.up_to.max(last);
        let up_to = self.turns.entry(turn).or_default();
        *up_to = (*up_to).max(last);
    }
}
