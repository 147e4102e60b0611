//! Figures of a run, as a table or as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tally::{Latencies, Tally};

/// Shares of processor time that are not worth a word, in microseconds for each record.
const STAGE_MICROS_MIN: f64 = 0.2;

/// The figures of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// How records were sent: `submit`, `post`, `bulk`, or a peer's name.
    pub way: String,
    /// How they were signed.
    pub form: String,
    /// What lay in the store before.
    pub store: String,
    /// Share of records that were sent before, in percent.
    pub duplicates: u32,
    /// What came of them.
    #[serde(flatten)]
    pub tally: Tally,
    /// From the first request to the last answer, in seconds.
    pub seconds: f64,
    /// Records of both kinds that were answered in a second.
    pub records_per_second: f64,
    /// Half of the requests were answered within this time.
    pub p50_ms: f64,
    /// 99 of 100 requests were answered within this time.
    pub p99_ms: f64,
    /// Processor time of the node for each answered record, in microseconds.
    pub cpu_us_per_record: f64,
    /// The same by name of thread.
    pub stages_us_per_record: BTreeMap<String, f64>,
    /// Processor time of the driver for each answered record, where it is another process.
    pub driver_us_per_record: Option<f64>,
    /// Growth of the node's folder for each accepted record.
    pub disk_bytes_per_record: f64,
    /// Bytes of the requests for each record.
    pub sent_bytes_per_record: f64,
    /// Most memory that was resident in the node's process while it was loaded.
    pub peak_resident_bytes: Option<u64>,
    /// Requests that were refused for want of room and sent again.
    pub refused_for_now: usize,
}

/// What a run found, before it is divided by anything.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What came of the records.
    pub tally: Tally,
    /// Of each request.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Processor time of the node by name of thread, in seconds.
    pub stages: BTreeMap<String, f64>,
    /// Processor time of the driver, in seconds.
    pub driver: Option<f64>,
    /// Growth of the node's folder.
    pub disk_bytes: u64,
    /// Bytes of all requests.
    pub sent_bytes: u64,
    /// Most memory resident.
    pub peak_resident_bytes: Option<u64>,
    /// Requests that were refused for want of room and sent again.
    pub refused_for_now: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Case {
    /// How records were sent.
    pub way: String,
    /// How they were signed.
    pub form: String,
    /// What lay in the store before.
    pub store: String,
    /// Share of records that were sent before, in percent.
    pub duplicates: u32,
}

impl Figures {
    /// The figures of a case.
    #[must_use]
    pub fn new(case: Case, mut found: Found) -> Self {
        let answered = found.tally.answered().max(1) as f64;
        let per_record = |seconds: f64| seconds * 1e6 / answered;
        Self {
            way: case.way,
            form: case.form,
            store: case.store,
            duplicates: case.duplicates,
            tally: found.tally,
            seconds: found.seconds,
            records_per_second: found.tally.answered() as f64 / found.seconds.max(1e-9),
            p50_ms: found.latencies.percentile_ms(50.0),
            p99_ms: found.latencies.percentile_ms(99.0),
            cpu_us_per_record: per_record(found.stages.values().sum()),
            stages_us_per_record: found
                .stages
                .into_iter()
                .map(|(name, seconds)| (name, per_record(seconds)))
                .collect(),
            driver_us_per_record: found.driver.map(per_record),
            disk_bytes_per_record: found.disk_bytes as f64 / found.tally.accepted.max(1) as f64,
            sent_bytes_per_record: found.sent_bytes as f64 / answered,
            peak_resident_bytes: found.peak_resident_bytes,
            refused_for_now: found.refused_for_now,
        }
    }
}

/// The head of the table.
pub const HEAD: &str = "\
| way | signature | store | duplicates | records | records/s | p50 ms | p99 ms | CPU µs/record | of it | driver µs | disk B/record | peak RSS MiB | failed |
|---|---|---|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|";

/// A line of the table.
#[must_use]
pub fn line(figures: &Figures) -> String {
    let form = match figures.form.as_str() {
        "single" => "each, with hint".to_owned(),
        "unhinted" => "each, no hint".to_owned(),
        number if number.parse::<usize>().is_ok() => format!("batch of {number}"),
        other => other.to_owned(),
    };
    let resident = figures.peak_resident_bytes;
    format!(
        "| {} | {form} | {} | {} % | {} | {:.0} | {:.1} | {:.1} | {:.1} | {} | {} | {:.0} | {} | {} |",
        figures.way,
        figures.store,
        figures.duplicates,
        figures.tally.answered(),
        figures.records_per_second,
        figures.p50_ms,
        figures.p99_ms,
        figures.cpu_us_per_record,
        stages(&figures.stages_us_per_record),
        figures
            .driver_us_per_record
            .map_or("–".to_owned(), |micros| format!("{micros:.1}")),
        figures.disk_bytes_per_record,
        resident.map_or("–".to_owned(), |bytes| (bytes >> 20).to_string()),
        figures.tally.failed,
    )
}

/// Where the processor time went, most first.
#[must_use]
pub fn stages(stages: &BTreeMap<String, f64>) -> String {
    let mut stages: Vec<_> = stages
        .iter()
        .filter(|(_, micros)| **micros >= STAGE_MICROS_MIN)
        .collect();
    stages.sort_by(|one, other| other.1.total_cmp(one.1));
    let words: Vec<_> = stages
        .iter()
        .map(|(name, micros)| format!("{} {micros:.1}", name.replace('|', "/")))
        .collect();
    words.join(", ")
}
