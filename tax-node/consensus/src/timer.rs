//! Timers and how long they run.

use std::time::Duration;

use arc_malachitebft_core_types as library;
use invoice_core::codec::{DecodeError, Reader, Writer};
use library::{Round, Timeout, TimeoutKind};

use crate::codec;
use crate::context::Context;

/// What a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// For the proposal of a round.
    Propose,
    /// For more prevotes, after a quorum of them that agrees on nothing.
    Prevote,
    /// For more precommits, after a quorum of them that decides nothing.
    Precommit,
    /// For anything at all, before the last votes are sent again.
    Rebroadcast,
}

/// Names one timer. Starting it again restarts it.
///
/// It carries its height, so one that ran out too late is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    /// The height that it belongs to.
    pub height: u64,
    /// The round that it belongs to.
    pub round: u32,
    /// What it waits for.
    pub kind: TimerKind,
}

impl Timer {
    /// `None` for what is never started: height times and rounds that are none.
    pub(crate) fn from_library(height: u64, timeout: Timeout) -> Option<Self> {
        let kind = match timeout.kind {
            TimeoutKind::Propose => TimerKind::Propose,
            TimeoutKind::Prevote => TimerKind::Prevote,
            TimeoutKind::Precommit => TimerKind::Precommit,
            TimeoutKind::Rebroadcast => TimerKind::Rebroadcast,
            TimeoutKind::FinalizeHeight(_) => return None,
        };
        Some(Self {
            height,
            round: timeout.round.as_u32()?,
            kind,
        })
    }

    pub(crate) fn to_library(self) -> Timeout {
        let kind = match self.kind {
            TimerKind::Propose => TimeoutKind::Propose,
            TimerKind::Prevote => TimeoutKind::Prevote,
            TimerKind::Precommit => TimeoutKind::Precommit,
            TimerKind::Rebroadcast => TimeoutKind::Rebroadcast,
        };
        Timeout::new(Round::new(self.round), kind)
    }

    /// Height (8 bytes), round (4 bytes), kind (1 byte, from 0 in the order of [`TimerKind`]).
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        writer.put_u8(match self.kind {
            TimerKind::Propose => 0,
            TimerKind::Prevote => 1,
            TimerKind::Precommit => 2,
            TimerKind::Rebroadcast => 3,
        });
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            height: codec::height(reader)?,
            round: codec::round(reader)?,
            kind: match reader.u8("kind of timer")? {
                0 => TimerKind::Propose,
                1 => TimerKind::Prevote,
                2 => TimerKind::Precommit,
                3 => TimerKind::Rebroadcast,
                4.. => {
                    return Err(DecodeError::Invalid {
                        what: "kind of timer",
                    });
                }
            },
        })
    }
}

/// How long one kind of timer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTime {
    /// Milliseconds in round 0.
    pub base_ms: u64,
    /// Milliseconds more in each round after it.
    pub per_round_ms: u64,
}

/// How long the timers run.
///
/// Agreement never depends on them, only how soon it comes: with a growing share in each round
/// they become longer than what messages need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a proposal and its block.
    pub propose: StepTime,
    /// For further prevotes.
    pub prevote: StepTime,
    /// For further precommits.
    pub precommit: StepTime,
    /// Until the last votes are sent again.
    pub rebroadcast: StepTime,
    /// No timer runs longer, in milliseconds.
    pub longest_ms: u64,
}

impl Default for Timeouts {
    /// For validators in one country: 2 s to propose, half a second to vote, a quarter more each
    /// round. When one of four is not correct and another alone is locked on a block, all four get
    /// their turn before the height is decided: that still takes less than half a minute.
    fn default() -> Self {
        let step = |base_ms, per_round_ms| StepTime {
            base_ms,
            per_round_ms,
        };
        Self {
            propose: step(2_000, 250),
            prevote: step(500, 250),
            precommit: step(500, 250),
            rebroadcast: step(2_500, 750),
            longest_ms: 60_000,
        }
    }
}

impl Timeouts {
    /// How long a timer runs.
    #[must_use]
    pub fn duration(&self, kind: TimerKind, round: u32) -> Duration {
        let step = match kind {
            TimerKind::Propose => self.propose,
            TimerKind::Prevote => self.prevote,
            TimerKind::Precommit => self.precommit,
            TimerKind::Rebroadcast => self.rebroadcast,
        };
        let more = step.per_round_ms.saturating_mul(u64::from(round));
        Duration::from_millis(step.base_ms.saturating_add(more).min(self.longest_ms))
    }
}

impl library::Timeouts<Context> for Timeouts {
    fn duration_for(&self, timeout: Timeout) -> Duration {
        Timer::from_library(0, timeout).map_or(Duration::ZERO, |timer| {
            self.duration(timer.kind, timer.round)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_grow_with_the_round_up_to_the_longest() {
        let times = Timeouts::default();
        for (kind, round, ms) in [
            (TimerKind::Propose, 0, 2_000),
            (TimerKind::Propose, 4, 3_000),
            (TimerKind::Prevote, 1, 750),
            (TimerKind::Precommit, 2, 1_000),
            (TimerKind::Rebroadcast, 1, 3_250),
            (TimerKind::Propose, u32::MAX, 60_000),
        ] {
            assert_eq!(times.duration(kind, round), Duration::from_millis(ms));
        }
        let endless = Timeouts {
            propose: StepTime {
                base_ms: u64::MAX,
                per_round_ms: u64::MAX,
            },
            ..times
        };
        assert_eq!(
            endless.duration(TimerKind::Propose, u32::MAX),
            Duration::from_secs(60)
        );
    }
}
