//! Sending, and timing from the socket to the durable receipt.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use invoice_api::client::Envelope;
use invoice_core::chain::{Genesis, Receipt};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::Failure;
use super::http::{Answer, Connection};

/// How often the progress is told.
const PROGRESS: Duration = Duration::from_millis(500);

/// What came of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted now.
    pub accepted: usize,
    /// Answered as the first time.
    pub replayed: usize,
    /// Anything else.
    pub failed: usize,
}

/// What was measured.
pub struct Measured {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Of each request, shortest first.
    pub latencies: Vec<Duration>,
    /// What came of the records.
    pub tally: Tally,
    /// Some answer that was not what was hoped for.
    pub trouble: Option<String>,
}

impl Measured {
    /// The latency that so many percent of the requests did not exceed.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.latencies.len() * percent)
            .div_ceil(100)
            .saturating_sub(1);
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct BatchAnswer<'a> {
    #[serde(borrow)]
    results: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    status: u16,
    #[serde(borrow)]
    receipt: Option<&'a RawValue>,
}

/// Sends all envelopes over so many connections and verifies one receipt of each connection.
///
/// # Errors
/// A connection broke, or a receipt does not verify.
pub async fn run(
    address: SocketAddr,
    genesis: &Genesis,
    envelopes: Vec<Envelope>,
    connections: usize,
    progress: impl Fn(usize, usize) + Send + 'static,
) -> Result<Measured, Failure> {
    let total = envelopes.len();
    let envelopes = Arc::new(envelopes);
    let next = Arc::new(AtomicUsize::new(0));
    let mut open = Vec::new();
    for _ in 0..connections.max(1) {
        open.push(Connection::open(address).await?);
    }
    let watched = Arc::clone(&next);
    let watch = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PROGRESS);
        loop {
            ticks.tick().await;
            progress(watched.load(Ordering::Relaxed).min(total), total);
        }
    });
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for connection in open {
        workers.spawn(send(connection, Arc::clone(&envelopes), Arc::clone(&next)));
    }
    let (mut tally, mut latencies, mut trouble) = (Tally::default(), Vec::new(), None);
    let mut receipts = Vec::new();
    while let Some(worker) = workers.join_next().await {
        let sent = worker??;
        tally.accepted += sent.tally.accepted;
        tally.replayed += sent.tally.replayed;
        tally.failed += sent.tally.failed;
        latencies.extend(sent.latencies);
        trouble = trouble.or(sent.trouble);
        receipts.extend(sent.receipt);
    }
    let elapsed = started.elapsed();
    watch.abort();
    latencies.sort_unstable();
    for receipt in receipts {
        Receipt::parse(receipt.as_bytes())?.verify(genesis)?;
    }
    Ok(Measured {
        elapsed,
        latencies,
        tally,
        trouble,
    })
}

#[derive(Default)]
struct Sent {
    tally: Tally,
    latencies: Vec<Duration>,
    trouble: Option<String>,
    receipt: Option<String>,
}

async fn send(
    mut connection: Connection,
    envelopes: Arc<Vec<Envelope>>,
    next: Arc<AtomicUsize>,
) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    while let Some(envelope) = envelopes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let started = Instant::now();
        let answer = connection.post("/v1/records", envelope.body()).await?;
        sent.latencies.push(started.elapsed());
        sent.count(envelope.is_batch(), &answer)?;
    }
    Ok(sent)
}

impl Sent {
    fn count(&mut self, batch: bool, answer: &Answer) -> Result<(), Failure> {
        if !batch || answer.status != 200 {
            if self.receipt.is_none() && matches!(answer.status, 200 | 201) {
                self.receipt = Some(String::from_utf8(answer.body.clone())?);
            }
            self.tell(answer.status, &answer.body);
            return Ok(());
        }
        let parsed: BatchAnswer<'_> = serde_json::from_slice(&answer.body)?;
        for line in &parsed.results {
            self.tell(line.status, &answer.body);
        }
        if self.receipt.is_none() {
            self.receipt = parsed
                .results
                .iter()
                .find_map(|line| Some(line.receipt?.get().to_owned()));
        }
        Ok(())
    }

    fn tell(&mut self, status: u16, body: &[u8]) {
        match status {
            201 => self.tally.accepted += 1,
            200 => self.tally.replayed += 1,
            _ => {
                self.tally.failed += 1;
                self.trouble.get_or_insert_with(|| {
                    let text = String::from_utf8_lossy(body);
                    format!("{status}: {}", text.chars().take(500).collect::<String>())
                });
            }
        }
    }
}
