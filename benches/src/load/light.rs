//! Latency under light load, beside what a sync costs on the same disk at the same time.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Failure;
use super::http::Connection;
use super::node::Served;
use super::store::StoreFolder;
use super::tally::Latencies;
use crate::input::Lines;

/// Requests between two syncs of our own.
const SYNC_EVERY: usize = 4;
/// What such a sync writes: a page.
const SYNC_BYTES: usize = 4_096;
/// Requests before the measurement, while files and caches are new.
const WARM_UP: usize = 20;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Lightly {
    /// Requests.
    pub requests: usize,
    /// Requests a second.
    pub rate: u32,
    /// Latency of a single record to its receipt.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
    /// Writing a page behind a file and syncing it, on the same file system.
    pub sync_p50_ms: f64,
    /// The same.
    pub sync_p99_ms: f64,
}

/// Sends singles over one connection at a modest rate.
///
/// # Errors
/// The node fails.
pub fn run(
    store: &StoreFolder,
    input: &Path,
    requests: usize,
    rate: u32,
) -> Result<Lightly, Failure> {
    let served = Served::start(store, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut file = File::create(store.path().join("sync"))?;
    let lightly = runtime.block_on(async {
        let lines = Lines::open(input)?;
        let mut connection = Connection::open(served.address).await?;
        let mut answer = Vec::new();
        let (mut latencies, mut syncs) = (Latencies::default(), Latencies::default());
        let interval = Duration::from_secs(1) / rate.max(1);
        let mut ticks = tokio::time::interval(interval);
        for number in 0..requests + WARM_UP {
            ticks.tick().await;
            let Some(line) = lines.next_line()? else {
                break;
            };
            let started = Instant::now();
            let path = "/v1/records";
            let status = connection.ask("POST", path, "", &line, &mut answer).await?;
            if status != 201 {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
            }
            if number < WARM_UP {
                continue;
            }
            latencies.push(started.elapsed());
            if number.is_multiple_of(SYNC_EVERY) {
                let started = Instant::now();
                file.write_all(&[7; SYNC_BYTES])?;
                file.sync_data()?;
                syncs.push(started.elapsed());
            }
        }
        Ok::<_, Failure>(Lightly {
            requests: latencies.count(),
            rate,
            p50_ms: latencies.percentile_ms(50.0),
            p99_ms: latencies.percentile_ms(99.0),
            sync_p50_ms: syncs.percentile_ms(50.0),
            sync_p99_ms: syncs.percentile_ms(99.0),
        })
    })?;
    served.stop()?;
    Ok(lightly)
}

/// A table of it.
#[must_use]
pub fn table(lightly: &Lightly) -> String {
    let Lightly {
        requests,
        rate,
        p50_ms,
        p99_ms,
        sync_p50_ms,
        sync_p99_ms,
    } = lightly;
    format!(
        "| requests | a second | p50 ms | p99 ms | sync p50 ms | sync p99 ms |\n\
         |---:|---:|---:|---:|---:|---:|\n\
         | {requests} | {rate} | {p50_ms:.2} | {p99_ms:.2} | {sync_p50_ms:.2} | {sync_p99_ms:.2} |"
    )
}
