//! Progress on a terminal; nothing in a pipe.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often the progress is told.
const INTERVAL: Duration = Duration::from_millis(300);

/// A line that is written over and over.
pub struct Progress {
    terminal: bool,
    what: String,
    started: Instant,
    told: Option<Instant>,
}

impl Progress {
    /// Tells about this.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            what: what.into(),
            started: Instant::now(),
            told: None,
        }
    }

    /// So many of so many are done.
    pub fn tell(&mut self, done: usize, of: usize) {
        let due = self.told.is_none_or(|told| told.elapsed() >= INTERVAL);
        if self.terminal && due {
            self.told = Some(Instant::now());
            let rate = done as f64 / self.started.elapsed().as_secs_f64().max(0.001);
            eprint!("\r\x1b[K{} {done}/{of} {rate:.0}/s", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
