//! Everyone with the same records, one after another in one run.

use std::path::Path;

use benches::Failure;
use benches::cast::Cast;
use benches::input::Lines;
use benches::input::files::CHAIN;
use benches::load::ingest::Flow;
use benches::load::store::{StoreFolder, validator};
use benches::load::{ingest, process};
use benches::peers::naive::Naive;
use benches::peers::postgres::{Postgres, What, folder_bytes};
use benches::peers::{self, Took, Verifier, Workload};
use bytes::Bytes;
use tax_node::node::system_clock;

use crate::args::{Common, Peers};

/// Records that the node has at the same time.
const IN_FLIGHT: usize = 8_192;
/// Records of a block of the naive pipeline.
const BLOCK: usize = 1_000;

/// Prints lines as they come, and keeps them.
struct Report {
    json: bool,
    all: Vec<(String, Took)>,
}

impl Report {
    fn add(&mut self, what: &str, took: Took) {
        if !self.json {
            println!("{}", peers::line(what, &took));
        }
        self.all.push((what.to_owned(), took));
    }
}

pub(crate) fn run(args: &Peers) -> Result<(), Failure> {
    let common = &args.common;
    let cast = common.setting().cast();
    let at = (system_clock())();
    let work = Workload::new(&cast, common.setting(), CHAIN, at, args.records)?;
    let mut report = Report {
        json: common.json,
        all: Vec::new(),
    };
    if !common.json {
        println!("{}", peers::HEAD);
    }
    let single = "this node, a signature each";
    node(
        common,
        &cast,
        single,
        [&work.issues, &work.locks],
        &mut report,
    )?;
    let batch = "this node, a signature for up to 1,000";
    let batches = [&work.issues_batched, &work.locks_batched];
    node(common, &cast, batch, batches, &mut report)?;
    naive(args, &cast, &work, 1, args.one_by_one, &mut report)?;
    naive(args, &cast, &work, BLOCK, args.naive, &mut report)?;
    if let Some(address) = &args.postgres {
        postgres(args, &cast, &work, address, &mut report)?;
    }
    if common.json {
        println!("{}", serde_json::to_string_pretty(&report.all)?);
    }
    Ok(())
}

fn records(lines: &[Bytes]) -> Result<usize, Failure> {
    lines.iter().try_fold(0, |sum, line| {
        Ok(sum + ingest::submission(line, false)?.records.len())
    })
}

fn node(
    common: &Common,
    cast: &Cast,
    who: &str,
    work: [&Vec<Bytes>; 2],
    report: &mut Report,
) -> Result<(), Failure> {
    let store = StoreFolder::temporary(&common.folder, common.setting(), cast)?;
    let (mut disk, mut all) = (0, 0);
    for (what, lines) in ["issue", "claim"].into_iter().zip(work) {
        let count = records(lines)?;
        let mut text = Vec::new();
        for line in lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let flow = Flow::of(IN_FLIGHT, count.div_ceil(lines.len().max(1)), false);
        let found = ingest::feed(&store, Lines::of(text), count, flow)?;
        let cpu = found.stages.values().sum();
        let accepted = found.tally.accepted;
        disk += found.disk_bytes;
        all += accepted;
        let mut took = Took::new(who, count, accepted, found.seconds, found.latencies, cpu);
        took.disk_bytes_per_record = Some(disk as f64 / all.max(1) as f64);
        report.add(what, took);
    }
    Ok(())
}

fn naive(
    args: &Peers,
    cast: &Cast,
    work: &Workload,
    block: usize,
    most: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let common = &args.common;
    let store = StoreFolder::temporary(&common.folder, common.setting(), cast)?;
    let genesis = store.genesis().clone();
    let folder = tempfile::tempdir_in(store.path())?;
    let verifier = Verifier::new(cast, &genesis)?;
    let mut naive = Naive::create(folder.path(), genesis, verifier, validator()?)?;
    let who = match block {
        1 => "naive, a record a commit".to_owned(),
        block => format!("naive, {block} records a commit"),
    };
    let mut all = 0;
    for (what, lines) in ["issue", "claim"].into_iter().zip(work.first(most)) {
        let mut took = naive.run(&who, lines, block)?;
        all += took.accepted;
        let disk = process::disk_bytes(folder.path())?;
        took.disk_bytes_per_record = Some(disk as f64 / all.max(1) as f64);
        report.add(what, took);
    }
    Ok(())
}

fn postgres(
    args: &Peers,
    cast: &Cast,
    work: &Workload,
    address: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let common = &args.common;
    let store = StoreFolder::temporary(&common.folder, common.setting(), cast)?;
    let verifier = Verifier::new(cast, store.genesis())?;
    for verifier in [None, Some(&verifier)] {
        let who = match verifier {
            None => "PostgreSQL, signatures unverified",
            Some(_) => "PostgreSQL, each signature verified",
        };
        let most = match verifier {
            None => usize::MAX,
            Some(_) => args.naive,
        };
        let database = Postgres::create(address, verifier)?;
        let mut all = 0;
        let kinds = [("issue", What::Issues), ("claim", What::Locks)];
        for ((what, kind), lines) in kinds.into_iter().zip(work.first(most)) {
            let mut took = database.run(who, kind, lines)?;
            all += took.accepted;
            took.disk_bytes_per_record = Some(database.bytes()? as f64 / all.max(1) as f64);
            report.add(what, took);
        }
        if verifier.is_some() {
            eprintln!("{}", database.about()?);
        }
    }
    let folder: Option<&Path> = args.postgres_data.as_deref();
    if let Some(bytes) = folder.and_then(folder_bytes) {
        eprintln!("PostgreSQL: {} MiB 连同日志 / with its log", bytes >> 20);
    }
    Ok(())
}
