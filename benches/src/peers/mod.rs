//! What else a team would do with the same records: no batches of signatures and a plain database,
//! or PostgreSQL. Each gets the same documents and the same claims, checks the same rules, and
//! answers only what is synced to disk.

pub mod naive;
pub mod postgres;
mod workload;

use std::collections::BTreeMap;

use serde::Serialize;

pub use workload::{Signed, Verifier, Workload};

use crate::load::tally::Latencies;

/// What a peer took.
#[derive(Clone, Debug, Serialize)]
pub struct Took {
    /// Who, and how.
    pub who: String,
    /// How many issues or claims.
    pub records: usize,
    /// Of them, accepted.
    pub accepted: usize,
    /// From the first to the last answer.
    pub seconds: f64,
    /// Half of the transactions took no longer.
    pub p50_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// Processor time for each record, client and server together, in microseconds.
    pub cpu_us_per_record: f64,
    /// Bytes on disk for each record, everything that belongs to it included.
    pub disk_bytes_per_record: Option<f64>,
}

impl Took {
    /// The figures of a run.
    #[must_use]
    pub fn new(
        who: impl Into<String>,
        records: usize,
        accepted: usize,
        seconds: f64,
        mut latencies: Latencies,
        cpu_seconds: f64,
    ) -> Self {
        Self {
            who: who.into(),
            records,
            accepted,
            seconds,
            p50_ms: latencies.percentile_ms(50.0),
            p99_ms: latencies.percentile_ms(99.0),
            cpu_us_per_record: cpu_seconds * 1e6 / records.max(1) as f64,
            disk_bytes_per_record: None,
        }
    }
}

/// The head of the table.
pub const HEAD: &str = "\
| what | who | records | accepted | records/s | p50 ms | p99 ms | CPU µs/record | disk B/record |
|---|---|---:|---:|---:|---:|---:|---:|---:|";

/// A line of it.
#[must_use]
pub fn line(what: &str, took: &Took) -> String {
    format!(
        "| {what} | {} | {} | {} | {:.0} | {:.1} | {:.1} | {:.1} | {} |",
        took.who,
        took.records,
        took.accepted,
        took.records as f64 / took.seconds.max(1e-9),
        took.p50_ms,
        took.p99_ms,
        took.cpu_us_per_record,
        took.disk_bytes_per_record
            .map_or("–".to_owned(), |bytes| format!("{bytes:.0}")),
    )
}

/// Processor time of all processes of that name so far, in seconds.
#[must_use]
pub fn cpu_of(name: &str) -> f64 {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().parse::<u32>();
        let comm = std::fs::read_to_string(entry.path().join("comm"));
        if let (Ok(pid), Ok(comm)) = (pid, comm)
            && comm.trim() == name
        {
            all.insert(pid, crate::load::process::cpu_seconds(Some(pid)));
        }
    }
    all.values().flatten().sum()
}
