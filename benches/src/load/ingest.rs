//! In process: envelopes handed to the node as its HTTP interface does, without sockets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use invoice_api::registry::{
    RecordAnswer, RecordVerdict, Registry, Submission, Unavailable, UnavailableReason,
};
use invoice_core::record::{Contents, parse_envelope};
use tax_node::node::Node;
use tokio::task::JoinSet;

use super::process::{self, Stages};
use super::progress::Progress;
use super::report::Found;
use super::store::StoreFolder;
use super::tally::{Latencies, Tally};
use super::{Failure, node};
use crate::input::{Lines, Prepared};

/// How long to wait when the node's queues are full.
const FULL: Duration = Duration::from_millis(5);
/// Records that are handed in with one call, where envelopes are smaller.
const TOGETHER: usize = 256;
/// How often the progress is told.
const TELL: Duration = Duration::from_millis(300);

/// Reads an envelope as the HTTP interface does: records are slices of the body.
///
/// # Errors
/// The line is no envelope.
pub fn submission(line: &Bytes, receipts: bool) -> Result<Submission, Failure> {
    let envelope = parse_envelope(line).map_err(|errors| format!("{errors:?}"))?;
    let (batch, atomic) = match &envelope.contents {
        Contents::One(_) => (false, false),
        Contents::Batch { atomic, .. } => (true, *atomic),
    };
    Ok(Submission {
        records: envelope
            .contents
            .records()
            .iter()
            .map(|record| line.slice_ref(record))
            .collect(),
        kid: Some(envelope.kid),
        sig: Some(envelope.sig),
        batch,
        atomic,
        receipts,
        origin: 0,
    })
}

/// The status that the interface would answer, as far as a tally needs it.
#[must_use]
pub fn status(verdict: &RecordVerdict) -> u16 {
    match verdict {
        RecordVerdict::Final(recorded) if !recorded.outcome.is_accepted() => 409,
        RecordVerdict::Final(recorded) if recorded.replayed => 200,
        RecordVerdict::Final(_) => 201,
        RecordVerdict::Malformed(_)
        | RecordVerdict::Unauthenticated(_)
        | RecordVerdict::Forbidden(_)
        | RecordVerdict::Invalid(_)
        | RecordVerdict::IdReused { .. }
        | RecordVerdict::BatchAborted => 400,
    }
}

/// What one sender found.
#[derive(Default)]
struct Sent {
    tally: Tally,
    latencies: Latencies,
    refused_for_now: usize,
    trouble: Option<String>,
}

/// Hands in a submission until it is taken.
///
/// # Errors
/// The node takes nothing any more.
pub async fn submit(
    node: &Node,
    submission: &Submission,
    refused_for_now: &mut usize,
) -> Result<Vec<RecordAnswer>, Failure> {
    loop {
        match node.submit(submission.clone()).await {
            Ok(answers) => return Ok(answers),
            Err(Unavailable {
                reason: UnavailableReason::Overloaded,
                ..
            }) => {
                *refused_for_now += 1;
                tokio::time::sleep(FULL).await;
            }
            Err(unavailable) => return Err(format!("{unavailable:?}").into()),
        }
    }
}

async fn send(
    node: Node,
    lines: Arc<Lines>,
    flow: Flow,
    done: Arc<AtomicUsize>,
) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    loop {
        let started = Instant::now();
        let mut waiting = Vec::new();
        while waiting.len() < flow.together.max(1)
            && let Some(line) = lines.next_line()?
        {
            waiting.push(submission(&line, flow.receipts)?);
        }
        if waiting.is_empty() {
            return Ok(sent);
        }
        while !waiting.is_empty() {
            let answers = node.submit_many(waiting.clone()).await;
            let mut again = Vec::new();
            for (submission, answer) in waiting.into_iter().zip(answers) {
                match answer {
                    Ok(answers) => {
                        sent.latencies.push(started.elapsed());
                        sent.count(&answers);
                        done.fetch_add(answers.len(), Ordering::Relaxed);
                    }
                    Err(Unavailable {
                        reason: UnavailableReason::Overloaded,
                        ..
                    }) => again.push(submission),
                    Err(unavailable) => return Err(format!("{unavailable:?}").into()),
                }
            }
            waiting = again;
            if !waiting.is_empty() {
                sent.refused_for_now += waiting.len();
                tokio::time::sleep(FULL).await;
            }
        }
    }
}

impl Sent {
    fn count(&mut self, answers: &[RecordAnswer]) {
        for answer in answers {
            let status = status(&answer.verdict);
            self.tally.count(status);
            if !matches!(status, 200 | 201) && self.trouble.is_none() {
                self.trouble = Some(format!("{:?}", answer.verdict));
            }
        }
    }
}

/// How envelopes are handed in.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Envelopes that are handed in with one call, as a stream does.
    pub together: usize,
    /// Calls at the same time.
    pub calls: usize,
    /// Whether receipts are asked for.
    pub receipts: bool,
}

impl Flow {
    /// About so many records at the same time, in envelopes of so many.
    #[must_use]
    pub fn of(records: usize, batch: usize, receipts: bool) -> Self {
        let together = (TOGETHER / batch.max(1)).max(1);
        Self {
            together,
            calls: (records / (together * batch.max(1))).max(2),
            receipts,
        }
    }
}

/// Sends a file to a node on this store.
///
/// # Errors
/// The node fails.
pub fn run(
    store: &StoreFolder,
    input: &Path,
    prepared: &Prepared,
    flow: Flow,
) -> Result<Found, Failure> {
    let lines = Lines::open(input)?;
    let mut found = feed(store, lines, prepared.records, flow)?;
    found.sent_bytes = prepared.bytes;
    Ok(found)
}

/// Sends lines, of so many records, to a node on this store.
///
/// # Errors
/// The node fails.
pub fn feed(
    store: &StoreFolder,
    lines: Lines,
    records: usize,
    flow: Flow,
) -> Result<Found, Failure> {
    let feeders = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
        .thread_name("feed")
        .enable_all()
        .build()?;
    let before = process::disk_bytes(&store.node())?;
    let mut found = feeders.block_on(async {
        let (node, end) = node::start(store)?;
        let lines = Arc::new(lines);
        let done = Arc::new(AtomicUsize::new(0));
        process::forget_peak(None);
        let stages = Stages::watch(None);
        let started = Instant::now();
        let mut senders = JoinSet::new();
        for _ in 0..flow.calls.max(1) {
            let (node, lines, done) = (node.clone(), Arc::clone(&lines), Arc::clone(&done));
            senders.spawn(send(node, lines, flow, done));
        }
        let watched = Arc::clone(&done);
        let of = records;
        let watch = tokio::spawn(async move {
            let mut progress = Progress::new("ingest");
            let mut ticks = tokio::time::interval(TELL);
            loop {
                ticks.tick().await;
                progress.tell(watched.load(Ordering::Relaxed), of);
            }
        });
        let mut found = Found::default();
        while let Some(sender) = senders.join_next().await {
            let sent = sender??;
            found.tally.add(sent.tally);
            found.latencies.add(&sent.latencies);
            found.refused_for_now += sent.refused_for_now;
            if let Some(trouble) = sent.trouble {
                eprintln!("{trouble}");
            }
        }
        found.seconds = started.elapsed().as_secs_f64();
        watch.abort();
        found.stages = stages.end();
        found.peak_resident_bytes = process::peak_resident_bytes(None);
        node.stop();
        end.await??;
        drop(node);
        Ok::<_, Failure>(found)
    })?;
    drop(feeders);
    found.disk_bytes = process::disk_bytes(&store.node())?.saturating_sub(before);
    Ok(found)
}
