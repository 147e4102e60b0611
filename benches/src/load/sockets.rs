//! Over HTTP: prepared envelopes out, answers counted as they come.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use invoice_core::chain::{Genesis, Receipt};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::http::Connection;
use super::node::Served;
use super::process::{self, Stages};
use super::progress::Progress;
use super::report::Found;
use super::store::StoreFolder;
use super::tally::{Latencies, Tally, statuses};
use super::{Failure, signed};
use crate::cast::Cast;
use crate::input::{Lines, Prepared};

/// How long to wait when the node is full.
const FULL: Duration = Duration::from_millis(50);
/// How often the progress is told.
const TELL: Duration = Duration::from_millis(300);
/// Receipts of a run that are verified afterwards, about.
const RECEIPTS: usize = 32;
/// Bytes of lines that are written to a stream at once.
const PIECE_BYTES: usize = 64 * 1024;

/// How envelopes are sent.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// Each in a request of its own, the next when the answer has come.
    Post {
        /// Connections.
        connections: usize,
    },
    /// In streams.
    Bulk {
        /// Connections, each with one stream.
        connections: usize,
        /// Lines of a stream that may be without an answer.
        window: usize,
    },
}

/// What all senders share.
pub struct Sending {
    lines: Lines,
    done: AtomicUsize,
    /// Which envelopes are looked at more closely afterwards: every one with this distance.
    sample: Option<usize>,
    until: Option<Instant>,
    /// Envelopes a second, all senders together.
    pace: Option<f64>,
    /// Shows progress towards so many records.
    records: Option<usize>,
}

impl Sending {
    /// Sends these lines.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self {
            lines,
            done: AtomicUsize::new(0),
            sample: None,
            until: None,
            pace: None,
            records: None,
        }
    }

    /// Nothing new is sent after this instant.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// So many envelopes a second, not more.
    #[must_use]
    pub fn pace(mut self, envelopes_per_second: f64) -> Self {
        self.pace = Some(envelopes_per_second);
        self
    }

    fn next_line(&self) -> std::io::Result<Option<Bytes>> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Ok(None);
        }
        self.lines.next_line()
    }

    /// Sends over connections to these nodes in turn, and waits for all answers.
    ///
    /// # Errors
    /// A connection broke.
    pub async fn send(self, addresses: Vec<SocketAddr>, way: Way) -> Result<Sent, Failure> {
        let shared = Arc::new(self);
        let started = Instant::now();
        let mut senders = JoinSet::new();
        let (Way::Post { connections } | Way::Bulk { connections, .. }) = way;
        let connections = connections.max(1);
        for address in addresses.into_iter().cycle().take(connections) {
            let shared = Arc::clone(&shared);
            match way {
                Way::Post { .. } => senders.spawn(post(address, shared)),
                Way::Bulk { window, .. } => {
                    let pace = shared.pace.map(|pace| pace / connections as f64);
                    senders.spawn(bulk(address, shared, window, pace))
                }
            };
        }
        let watch = shared.records.map(|of| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let mut progress = Progress::new("http");
                let mut ticks = tokio::time::interval(TELL);
                loop {
                    ticks.tick().await;
                    progress.tell(shared.done.load(Ordering::Relaxed), of);
                }
            })
        });
        let mut all = Sent::default();
        while let Some(sender) = senders.join_next().await {
            let sent = sender??;
            all.tally.add(sent.tally);
            all.latencies.add(&sent.latencies);
            all.refused_for_now += sent.refused_for_now;
            all.receipts.extend(sent.receipts);
            all.sampled.extend(sent.sampled);
            all.trouble = all.trouble.or(sent.trouble);
        }
        all.seconds = started.elapsed().as_secs_f64();
        if let Some(watch) = watch {
            watch.abort();
        }
        Ok(all)
    }
}

/// What came of it.
#[derive(Default)]
pub struct Sent {
    /// Of records.
    pub tally: Tally,
    /// Of requests, or of lines of a stream.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Requests that were answered 503 and sent again.
    pub refused_for_now: usize,
    /// Some answer that was not what was hoped for.
    pub trouble: Option<String>,
    receipts: Vec<String>,
    /// Envelopes whose receipts are to be asked for.
    sampled: Vec<Bytes>,
}

/// Sends a file to a node in a child process and verifies some of the receipts offline.
///
/// # Errors
/// The node fails, or a receipt does not verify.
pub fn run(
    store: &StoreFolder,
    cast: &Cast,
    input: &Path,
    prepared: &Prepared,
    way: Way,
) -> Result<Found, Failure> {
    let before = process::disk_bytes(&store.node())?;
    let served = Served::start(store, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut sending = Sending::new(Lines::open(input)?);
    sending.sample = Some(prepared.envelopes.div_ceil(RECEIPTS).max(1));
    sending.records = Some(prepared.records);
    let mut found = runtime.block_on(async {
        process::forget_peak(served.pid());
        let driver = process::cpu_seconds(None);
        let stages = Stages::watch(served.pid());
        let sent = sending.send(vec![served.address], way).await?;
        let mut found = Found {
            tally: sent.tally,
            latencies: sent.latencies,
            seconds: sent.seconds,
            refused_for_now: sent.refused_for_now,
            ..Found::default()
        };
        found.driver = process::cpu_seconds(None)
            .zip(driver)
            .map(|(after, before)| after - before);
        found.peak_resident_bytes = process::peak_resident_bytes(served.pid());
        found.stages = stages.end();
        if let Some(trouble) = sent.trouble {
            eprintln!("{trouble}");
        }
        let mut receipts = sent.receipts;
        for envelope in &sent.sampled {
            // Where something failed, it may be just this one; that is counted and told.
            match signed::receipt(served.address, cast, envelope).await {
                Err(_) if found.tally.failed > 0 => {}
                receipt => receipts.push(receipt?),
            }
        }
        verify(store.genesis(), &receipts)?;
        Ok::<_, Failure>(found)
    })?;
    served.stop()?;
    found.disk_bytes = process::disk_bytes(&store.node())?.saturating_sub(before);
    found.sent_bytes = prepared.bytes;
    Ok(found)
}

fn verify(genesis: &Genesis, receipts: &[String]) -> Result<(), Failure> {
    for receipt in receipts {
        Receipt::parse(receipt.as_bytes())?.verify(genesis)?;
    }
    if receipts.is_empty() {
        return Err("没有可验证的回执 / there was no receipt to verify".into());
    }
    Ok(())
}

async fn post(address: SocketAddr, shared: Arc<Sending>) -> Result<Sent, Failure> {
    let mut connection = Connection::open(address).await?;
    let (mut sent, mut answer, mut number) = (Sent::default(), Vec::new(), 0_usize);
    while let Some(line) = shared.next_line()? {
        let started = Instant::now();
        let status = loop {
            let path = "/v1/records";
            let status = connection.ask("POST", path, "", &line, &mut answer).await?;
            if status != 503 {
                break status;
            }
            sent.refused_for_now += 1;
            tokio::time::sleep(FULL).await;
        };
        sent.latencies.push(started.elapsed());
        let before = sent.tally.answered();
        let batch = answer.starts_with(b"{\"results\"");
        if batch {
            statuses(&answer).for_each(|status| sent.tally.count(status));
        } else {
            sent.tally.count(status);
        }
        if !matches!(status, 200 | 201) && sent.trouble.is_none() {
            let text = String::from_utf8_lossy(&answer);
            sent.trouble = Some(format!(
                "{status}: {}",
                text.chars().take(500).collect::<String>()
            ));
        } else if shared
            .sample
            .is_some_and(|sample| number.is_multiple_of(sample))
        {
            sent.receipts.extend(first_receipt(&answer, batch)?);
        }
        number += 1;
        let answered = sent.tally.answered() - before;
        shared.done.fetch_add(answered, Ordering::Relaxed);
    }
    Ok(sent)
}

#[derive(Deserialize)]
struct BatchAnswer<'a> {
    #[serde(borrow)]
    results: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    receipt: Option<&'a RawValue>,
}

fn first_receipt(answer: &[u8], batch: bool) -> Result<Option<String>, Failure> {
    if !batch {
        return Ok(Some(String::from_utf8(answer.to_vec())?));
    }
    let answer: BatchAnswer<'_> = serde_json::from_slice(answer)?;
    let mut receipts = answer.results.iter().filter_map(|line| line.receipt);
    Ok(receipts.next().map(|receipt| receipt.get().to_owned()))
}

/// When the lines of a stream were sent, from the first that is not answered.
type Waiting = Arc<Mutex<VecDeque<Instant>>>;

/// One stream; the next line goes out when there is room in the window.
async fn bulk(
    address: SocketAddr,
    shared: Arc<Sending>,
    window: usize,
    pace: Option<f64>,
) -> Result<Sent, Failure> {
    let connection = Connection::open(address).await?;
    let (mut pieces, mut answers) = connection.stream("/v1/records:bulk").await?;
    let room = Arc::new(Semaphore::new(window.max(1)));
    let waiting: Waiting = Arc::default();
    let (writing, written) = (Arc::clone(&room), Arc::clone(&waiting));
    let source = Arc::clone(&shared);
    let writer = tokio::spawn(async move {
        let started = Instant::now();
        let due = |number: usize| match pace {
            Some(pace) => started + Duration::from_secs_f64(number as f64 / pace),
            None => started,
        };
        let (mut number, mut sampled) = (0_usize, Vec::new());
        loop {
            let (mut piece, mut bytes) = (Vec::new(), 0);
            tokio::time::sleep_until(due(number).into()).await;
            writing.acquire().await?.forget();
            while let Some(line) = source.next_line()? {
                bytes += line.len();
                if source
                    .sample
                    .is_some_and(|sample| number.is_multiple_of(sample))
                {
                    sampled.push(line.clone());
                }
                number += 1;
                piece.push(line);
                if bytes >= PIECE_BYTES || due(number) > Instant::now() {
                    break;
                }
                match writing.try_acquire() {
                    Ok(permit) => permit.forget(),
                    Err(_) => break,
                }
            }
            if piece.is_empty() {
                let open = pieces.end().await?;
                return Ok::<_, Failure>((open, sampled));
            }
            let now = Instant::now();
            written
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(piece.iter().map(|_| now));
            pieces.send(&piece).await?;
        }
    });
    let mut sent = Sent::default();
    let mut counter = Counter::new(room, waiting);
    let status = answers
        .answer(|part| {
            let answered = counter.take(part);
            shared.done.fetch_add(answered, Ordering::Relaxed);
        })
        .await?;
    let (open, sampled) = writer.await??;
    drop(open);
    if status != 200 {
        return Err(format!("bulk: {status}").into());
    }
    sent.tally = counter.tally;
    sent.latencies = counter.latencies;
    sent.trouble = counter.trouble;
    sent.sampled = sampled;
    Ok(sent)
}

/// Reads the answers of a stream.
struct Counter {
    room: Arc<Semaphore>,
    waiting: Waiting,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    /// The last line of the request that was answered.
    line: u64,
    tally: Tally,
    latencies: Latencies,
    trouble: Option<String>,
}

impl Counter {
    fn new(room: Arc<Semaphore>, waiting: Waiting) -> Self {
        Self {
            room,
            waiting,
            rest: Vec::new(),
            line: 0,
            tally: Tally::default(),
            latencies: Latencies::default(),
            trouble: None,
        }
    }

    /// Takes some bytes; gives how many records they answer.
    fn take(&mut self, mut part: &[u8]) -> usize {
        let before = self.tally.answered();
        while let Some(end) = memchr::memchr(b'\n', part) {
            let (line, after) = (&part[..end], &part[end + 1..]);
            if self.rest.is_empty() {
                self.line(line);
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.line(&whole);
                whole.clear();
                self.rest = whole;
            }
            part = after;
        }
        self.rest.extend_from_slice(part);
        self.tally.answered() - before
    }

    fn line(&mut self, line: &[u8]) {
        let Some(number) = number(line) else {
            // The summary has no number, and is the last.
            return;
        };
        if number != self.line {
            self.line = number;
            let sent = self
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            if let Some(sent) = sent {
                self.latencies.push(sent.elapsed());
            }
            self.room.add_permits(1);
        }
        let status = statuses(line).next().unwrap_or(0);
        self.tally.count(status);
        if !matches!(status, 200 | 201) && self.trouble.is_none() {
            self.trouble = Some(String::from_utf8_lossy(line).into_owned());
        }
    }
}

/// The number in `{"line":17,…`.
fn number(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"line\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_stream_are_counted_wherever_they_are_cut() {
        let text = b"{\"line\":1,\"record\":1,\"id\":\"a\",\"status\":201,\"height\":3}\n\
            {\"line\":1,\"record\":2,\"id\":\"b\",\"status\":200,\"height\":3}\n\
            {\"line\":2,\"record\":1,\"id\":\"c\",\"status\":409,\"code\":\"x\"}\n\
            {\"summary\":{\"lines\":2}}\n";
        for cut in 0..text.len() {
            let waiting: Waiting = Arc::default();
            waiting.lock().unwrap().extend([Instant::now(); 2]);
            let room = Arc::new(Semaphore::new(0));
            let mut counter = Counter::new(Arc::clone(&room), waiting);
            let answered = counter.take(&text[..cut]) + counter.take(&text[cut..]);
            assert_eq!(answered, 2);
            let tally = counter.tally;
            assert_eq!((tally.accepted, tally.replayed, tally.failed), (1, 1, 1));
            assert_eq!(counter.latencies.count(), 2);
            assert_eq!(room.available_permits(), 2);
            assert!(counter.trouble.is_some_and(|line| line.contains("409")));
        }
    }
}
