//! Filling a store with millions of records, as fast as the node takes them.
//!
//! Nothing of the input is kept: envelope n is drawn, written and signed when its turn comes, and
//! is the same whenever that is. Where a filling was broken off, what was not certainly answered
//! is sent again; the node answers repetitions as the first time.

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::process::{self, Stages};
use super::progress::Progress;
use super::store::StoreFolder;
use super::tally::Tally;
use super::{Failure, ingest, node, report};
use crate::documents::Press;
use crate::input::files::{CHAIN, FILES_FROM_SERIAL};
use crate::input::plan::{Item, Plan};
use crate::input::{Form, Sealer};

/// Envelopes that are drawn and signed ahead of the node.
const AHEAD: usize = 8;
/// Envelopes that the node has at the same time.
const IN_FLIGHT: usize = 12;
/// Number of each issuer's first document.
pub const FIRST_SERIAL: u64 = 1;
/// Records between two lines of the report.
const REPORT: u64 = 1_000_000;
/// Envelopes between two notes of how far the filling is.
const NOTE: u64 = 500;

/// Fills until the store has so many records of the filling. Prints a line for each million.
///
/// # Errors
/// The node fails.
pub fn run(store: &mut StoreFolder, records: u64) -> Result<(), Failure> {
    let cast = store.about.setting.cast();
    let press = Press::new(
        &cast,
        store.about.profile,
        store.about.setting.seed,
        store.at(),
    );
    let sealer = Sealer::new(&press, CHAIN.parse().map_err(|_| "chain")?);
    let form = Form::Batch(store.about.batch);
    let seed = store.about.setting.seed;
    let mut plan = Plan::new(&press, seed, store.about.batch, 0, FIRST_SERIAL);
    let mut number = 0;
    while number < store.about.envelopes {
        plan.next_of(usize::MAX);
        number += 1;
    }
    println!(
        "| records | records/s | CPU µs/record | of it | resident MiB | disk B/record |\n\
         |---:|---:|---:|---|---:|---:|"
    );
    std::thread::scope(|scope| {
        let (items, drawn) = mpsc::sync_channel::<(u64, Item)>(AHEAD);
        let drawn = Arc::new(std::sync::Mutex::new(drawn));
        let (lines, signed) = tokio::sync::mpsc::channel::<(u64, usize, Bytes)>(AHEAD);
        // What is new in one pass of this function; the plan draws until nobody listens.
        scope.spawn(move || {
            while plan.end_serial() < FILES_FROM_SERIAL {
                if items.send((number, plan.next_of(usize::MAX))).is_err() {
                    return;
                }
                number += 1;
            }
        });
        let writers = std::thread::available_parallelism().map_or(1, usize::from);
        for writer in 0..writers {
            let (drawn, lines, sealer) = (Arc::clone(&drawn), lines.clone(), &sealer);
            let thread = std::thread::Builder::new().name(format!("write-{writer}"));
            thread.spawn_scoped(scope, move || {
                loop {
                    let next = drawn.lock().map(|drawn| drawn.recv());
                    let Ok(Ok((number, item))) = next else { return };
                    let mut line = sealer.lines(form, std::slice::from_ref(&item));
                    line.pop();
                    let line = (number, item.serials.len(), Bytes::from(line));
                    if lines.blocking_send(line).is_err() {
                        return;
                    }
                }
            })?;
        }
        drop(lines);
        drop(drawn);
        feed(store, records, signed)
    })
}

/// Keeps what is answered for certain: every envelope below a number.
struct Answered {
    below: u64,
    above: BTreeSet<u64>,
}

impl Answered {
    fn add(&mut self, number: u64) {
        self.above.insert(number);
        while self.above.remove(&self.below) {
            self.below += 1;
        }
    }
}

fn feed(
    store: &mut StoreFolder,
    records: u64,
    mut signed: tokio::sync::mpsc::Receiver<(u64, usize, Bytes)>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("feed")
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (node, end) = node::start(store)?;
        let mut answered = Answered {
            below: store.about.envelopes,
            above: BTreeSet::new(),
        };
        let mut flying = JoinSet::new();
        let mut sent = store.about.records;
        let mut done = store.about.records;
        let mut tally = Tally::default();
        let mut progress = Progress::new("fill");
        let mut mark = Mark::new(done);
        let mut noted = answered.below;
        loop {
            while sent < records && flying.len() < IN_FLIGHT {
                let Some((number, count, line)) = signed.recv().await else {
                    return Err("号段已用尽 / the number ranges are used up".into());
                };
                sent += count as u64;
                let node = node.clone();
                flying.spawn(async move {
                    let submission = ingest::submission(&line, false)?;
                    let answers = ingest::submit(&node, &submission, &mut 0).await?;
                    let mut tally = Tally::default();
                    for answer in &answers {
                        tally.count(ingest::status(&answer.verdict));
                    }
                    Ok::<_, Failure>((number, tally))
                });
            }
            let Some(answer) = flying.join_next().await else {
                break;
            };
            let (number, told) = answer??;
            tally.add(told);
            answered.add(number);
            done += (told.answered() + told.failed) as u64;
            progress.tell(done as usize, records as usize);
            if answered.below >= noted + NOTE {
                noted = answered.below;
                note(store, &answered)?;
            }
            if done / REPORT > mark.at / REPORT || (flying.is_empty() && sent >= records) {
                mark = mark.tell(done, store)?;
            }
        }
        note(store, &answered)?;
        drop(signed);
        node.stop();
        end.await??;
        if tally.failed > 0 {
            return Err(format!("失败 / failed: {}", tally.failed).into());
        }
        Ok::<_, Failure>(())
    })?;
    drop(runtime);
    for (name, bytes) in process::disk_by_name(&store.node())? {
        let each = bytes as f64 / store.about.records.max(1) as f64;
        println!("{name}: {} MiB, {each:.1} B/record", bytes >> 20);
    }
    Ok(())
}

/// Every envelope of the filling has the same number of records.
fn note(store: &mut StoreFolder, answered: &Answered) -> Result<(), Failure> {
    store.about.envelopes = answered.below;
    store.about.records = answered.below * store.about.batch as u64;
    store.save()
}

/// Where the last line of the report was printed.
struct Mark {
    at: u64,
    since: Instant,
    stages: Stages,
}

impl Mark {
    fn new(at: u64) -> Self {
        Self {
            at,
            since: Instant::now(),
            stages: Stages::watch(None),
        }
    }

    fn tell(self, done: u64, store: &StoreFolder) -> Result<Self, Failure> {
        let records = (done - self.at).max(1) as f64;
        let rate = records / self.since.elapsed().as_secs_f64();
        let mut stages = self.stages.end();
        stages
            .values_mut()
            .for_each(|seconds| *seconds *= 1e6 / records);
        let resident = process::resident_bytes(None).unwrap_or(0) >> 20;
        let disk = process::disk_bytes(&store.node())? as f64 / done.max(1) as f64;
        println!(
            "| {done} | {rate:.0} | {:.1} | {} | {resident} | {disk:.0} |",
            stages.values().sum::<f64>(),
            report::stages(&stages),
        );
        Ok(Self::new(done))
    }
}
