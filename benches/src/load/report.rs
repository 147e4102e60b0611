//! Figures of a run, as a table or as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::Case;
use super::measure::Measured;

/// The figures of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// What was measured.
    #[serde(flatten)]
    pub case: Case,
    /// Records accepted now.
    pub accepted: usize,
    /// Records answered as the first time.
    pub replayed: usize,
    /// Records with any other answer.
    pub failed: usize,
    /// From the first request to the last answer, in seconds.
    pub seconds: f64,
    /// Records of both kinds that were answered in a second.
    pub records_per_second: f64,
    /// Half of the requests were answered within this time.
    pub p50_ms: f64,
    /// 99 of 100 requests were answered within this time.
    pub p99_ms: f64,
    /// Processor time for each answered record, in microseconds, the driver's included.
    pub cpu_us_per_record: Option<f64>,
    /// Growth of the node's folder for each accepted record.
    pub disk_bytes_per_record: Option<f64>,
    /// Bytes of the requests for each record.
    pub sent_bytes_per_record: f64,
    /// Most memory resident while measuring, input and driver included.
    pub peak_resident_bytes: Option<u64>,
}

/// What the measurement itself does not know.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Processor time, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Growth of the node's folder.
    pub disk_bytes: Option<u64>,
    /// Bytes of all requests.
    pub sent_bytes: usize,
    /// Most memory resident.
    pub peak_resident_bytes: Option<u64>,
}

impl Figures {
    /// The figures of a measurement.
    #[must_use]
    pub fn new(case: Case, measured: &Measured, around: Around) -> Self {
        let tally = measured.tally;
        let seconds = measured.elapsed.as_secs_f64();
        let ms = |percent| measured.percentile(percent).as_secs_f64() * 1_000.0;
        let answered = tally.accepted + tally.replayed;
        Self {
            case,
            accepted: tally.accepted,
            replayed: tally.replayed,
            failed: tally.failed,
            seconds,
            records_per_second: answered as f64 / seconds,
            p50_ms: ms(50),
            p99_ms: ms(99),
            cpu_us_per_record: around
                .cpu_seconds
                .map(|seconds| seconds * 1e6 / answered.max(1) as f64),
            disk_bytes_per_record: around
                .disk_bytes
                .map(|bytes| bytes as f64 / tally.accepted.max(1) as f64),
            sent_bytes_per_record: around.sent_bytes as f64 / case.records.max(1) as f64,
            peak_resident_bytes: around.peak_resident_bytes,
        }
    }
}

/// The head of the table.
#[must_use]
pub fn head() -> String {
    "| 签名 / signature | 连接 / connections | 重复 / duplicates | 记录 / records | records/s | p50 ms | p99 ms | CPU µs/record | 磁盘 / disk B/record | 内存 / peak RSS MiB | 失败 / failed |\n\
     |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        .to_owned()
}

/// A line of the table.
#[must_use]
pub fn line(figures: &Figures) -> String {
    let case = &figures.case;
    let form = match case.batch {
        1 => "single".to_owned(),
        batch => format!("batch of {batch}"),
    };
    let or_none =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.0}"));
    let resident = figures
        .peak_resident_bytes
        .map(|bytes| bytes as f64 / (1 << 20) as f64);
    let mut line = String::new();
    let written = write!(
        line,
        "| {form} | {} | {} % | {} | {:.0} | {:.1} | {:.1} | {} | {} | {} | {} |",
        case.connections,
        case.duplicates,
        case.records,
        figures.records_per_second,
        figures.p50_ms,
        figures.p99_ms,
        or_none(figures.cpu_us_per_record),
        or_none(figures.disk_bytes_per_record),
        or_none(resident),
        figures.failed,
    );
    debug_assert!(written.is_ok());
    line
}
