//! Which runs to merge.
//!
//! Runs of about the same size form a level; when a level has [`FAN_OUT`] of them they become one
//! run of the level above. A row is then rewritten once per level, and there are fewer than
//! [`FAN_OUT`] runs on each.

use std::ops::Range;

use super::info::RunInfo;

/// How many runs of a level become one.
const FAN_OUT: usize = 8;

/// Runs up to so many bytes are the lowest level: a usual flush is about half of it.
const LOWEST_LEVEL_BYTES: u64 = 64 << 20;

fn level(bytes: u64) -> u32 {
    (bytes / LOWEST_LEVEL_BYTES)
        .checked_ilog2()
        .map_or(0, |log| 1 + log / FAN_OUT.ilog2())
}

/// Which neighbouring runs, given newest first, to merge now; `None` when there is nothing to gain.
///
/// While a merge of `runs[a..b]` is under way, `runs[..a]` may be planned for on its own.
pub(crate) fn plan_merge(runs: &[RunInfo]) -> Option<Range<usize>> {
    // A small run behind a larger one counts as large: only neighbours can be merged.
    let mut highest = 0;
    let mut start = 0;
    for (n, run) in runs.iter().enumerate() {
        let level = level(run.bytes);
        if level > highest {
            if n - start >= FAN_OUT {
                return Some(start..n);
            }
            highest = level;
            start = n;
        }
    }
    (runs.len() - start >= FAN_OUT).then_some(start..runs.len())
}
