//! Tells people how far a node is that catches up.

use std::time::{Duration, Instant};

/// How often it is told.
const INTERVAL: Duration = Duration::from_secs(5);
/// So many blocks behind others a node is catching up; fewer come and go in normal operation.
const BEHIND_MIN: u64 = 10;

/// How far the node was when it was told last.
#[derive(Debug)]
pub(super) struct Progress {
    told: Instant,
    height: u64,
    behind: bool,
}

/// What is worth telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Told {
    /// It is behind: its height, that of others, blocks in a second.
    Behind(u64, u64, f64),
    /// It was behind and is no more.
    There(u64),
}

impl Progress {
    pub(super) const fn new(now: Instant, height: u64) -> Self {
        Self {
            told: now,
            height,
            behind: false,
        }
    }

    /// What to tell now, if anything: the last block here is `height`, the highest of others
    /// `highest`.
    pub(super) fn at(&mut self, now: Instant, height: u64, highest: u64) -> Option<Told> {
        let behind = highest.saturating_sub(height) >= BEHIND_MIN;
        if !behind {
            return std::mem::take(&mut self.behind).then_some(Told::There(height));
        }
        if !self.behind {
            *self = Self {
                behind: true,
                ..Self::new(now, height)
            };
            return Some(Told::Behind(height, highest, 0.0));
        }
        let passed = now.saturating_duration_since(self.told);
        if passed < INTERVAL {
            return None;
        }
        let blocks = height.saturating_sub(self.height);
        (self.told, self.height) = (now, height);
        let speed = blocks as f64 / passed.as_secs_f64();
        Some(Told::Behind(height, highest, speed))
    }
}

impl Told {
    /// Writes it to the log.
    pub(super) fn log(self) {
        match self {
            Self::Behind(height, highest, speed) => {
                let blocks_per_second = speed.round();
                tracing::info!(height, highest, blocks_per_second, "正在追赶 / catching up");
            }
            Self::There(height) => tracing::info!(height, "已追上 / caught up"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_far_behind_tells_its_speed_now_and_then() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut progress = Progress::new(start, 0);
        assert_eq!(progress.at(at(0), 5, 14), None);
        assert_eq!(
            progress.at(at(1), 5, 1_005),
            Some(Told::Behind(5, 1_005, 0.0))
        );
        assert_eq!(progress.at(at(2), 100, 1_005), None);
        let told = progress.at(at(6), 505, 1_005);
        assert_eq!(told, Some(Told::Behind(505, 1_005, 100.0)));
        assert_eq!(progress.at(at(7), 1_000, 1_005), Some(Told::There(1_000)));
        assert_eq!(progress.at(at(30), 1_000, 1_005), None);
    }
}
