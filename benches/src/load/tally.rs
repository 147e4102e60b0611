//! What came of the records, and how long it took.

use std::time::Duration;

use serde::Serialize;

/// What came of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Accepted now.
    pub accepted: usize,
    /// Answered as the first time.
    pub replayed: usize,
    /// Refused, malformed, or not taken.
    pub failed: usize,
}

impl Tally {
    /// Counts a status of the contract.
    pub fn count(&mut self, status: u16) {
        match status {
            201 => self.accepted += 1,
            200 => self.replayed += 1,
            _ => self.failed += 1,
        }
    }

    /// Accepted and replayed.
    #[must_use]
    pub const fn answered(&self) -> usize {
        self.accepted + self.replayed
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.failed += other.failed;
    }
}

/// Latencies of requests.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
    sorted: bool,
}

impl Latencies {
    /// One more.
    pub fn push(&mut self, latency: Duration) {
        self.micros
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        self.sorted = false;
    }

    /// All of another.
    pub fn add(&mut self, other: &Self) {
        self.micros.extend_from_slice(&other.micros);
        self.sorted = false;
    }

    /// The latency in milliseconds that so many percent of the requests did not exceed; 0 when
    /// there was none.
    pub fn percentile_ms(&mut self, percent: f64) -> f64 {
        if !self.sorted {
            self.micros.sort_unstable();
            self.sorted = true;
        }
        let place = (self.micros.len() as f64 * percent / 100.0).ceil() as usize;
        let micros = self.micros.get(place.saturating_sub(1)).copied();
        f64::from(micros.unwrap_or(0)) / 1_000.0
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.micros.len()
    }
}

/// The numbers behind `"status":` in an answer, as the node writes it: cheaper than reading the
/// JSON, which would measure the reader. Receipts have a `status`, too, but theirs is a text.
pub fn statuses(answer: &[u8]) -> impl Iterator<Item = u16> + '_ {
    const MEMBER: &[u8] = b"\"status\":";
    memchr::memmem::find_iter(answer, MEMBER).filter_map(|at| {
        let digits = answer.get(at + MEMBER.len()..at + MEMBER.len() + 3)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_found_and_receipts_passed_over() {
        let answer = br#"{"results":[{"line":1,"status":201,"receipt":{"outcome":{"status":"accepted"}}},{"status":409,"code":"x"}]}"#;
        assert_eq!(statuses(answer).collect::<Vec<_>>(), [201, 409]);
        assert_eq!(statuses(b"\"status\":2").count(), 0);
    }

    #[test]
    fn percentiles_are_of_all() {
        let mut all = Latencies::default();
        for ms in 1..=100 {
            all.push(Duration::from_millis(101 - ms));
        }
        assert_eq!(all.percentile_ms(50.0), 50.0);
        assert_eq!(all.percentile_ms(99.0), 99.0);
        assert_eq!(Latencies::default().percentile_ms(99.0), 0.0);
    }
}
