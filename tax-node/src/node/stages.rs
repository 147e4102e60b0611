//! The processor time of each stage, from what the system counts of each thread.

use std::path::Path;

/// Nanoseconds in a millisecond.
const NANOS_PER_MS: u64 = 1_000_000;

/// Processor time by stage since the process began, in milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct StageTimes {
    pub(super) verify_ms: u64,
    pub(super) execute_ms: u64,
    pub(super) store_ms: u64,
    pub(super) http_ms: u64,
    /// Reads of the store, syncing, the runtime.
    pub(super) other_ms: u64,
}

impl StageTimes {
    /// Reads the times; a system that does not count them gives zeros.
    pub(super) fn now() -> Self {
        let mut times = Self::default();
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
            return times;
        };
        for task in tasks.flatten() {
            let folder = task.path();
            // A thread that has ended meanwhile counts no more.
            if let (Ok(name), Some(ms)) = (
                std::fs::read_to_string(folder.join("comm")),
                milliseconds(&folder),
            ) {
                times.add(name.trim_end(), ms);
            }
        }
        times
    }

    fn add(&mut self, thread: &str, ms: u64) {
        let stage = if thread.starts_with("verify-") {
            &mut self.verify_ms
        } else if thread == "sequencer" {
            &mut self.execute_ms
        } else if thread == "storer" {
            &mut self.store_ms
        } else if thread.starts_with("actix") {
            &mut self.http_ms
        } else {
            &mut self.other_ms
        };
        *stage = stage.saturating_add(ms);
    }
}

/// What the scheduler has given a thread: the first number of its `schedstat`, in nanoseconds.
fn milliseconds(folder: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(folder.join("schedstat")).ok()?;
    let nanos: u64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(nanos / NANOS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_counted_to_their_stages() {
        let mut times = StageTimes::default();
        for (thread, ms) in [
            ("verify-0", 1),
            ("verify-11", 2),
            ("sequencer", 4),
            ("storer", 8),
            ("actix-server wo", 16),
            ("tokio-rt-worker", 32),
        ] {
            times.add(thread, ms);
        }
        let due = StageTimes {
            verify_ms: 3,
            execute_ms: 4,
            store_ms: 8,
            http_ms: 16,
            other_ms: 32,
        };
        assert_eq!(times, due);
    }
}
