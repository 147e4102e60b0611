//! What the verbs do.

use std::path::{Path, PathBuf};

use benches::Failure;
use benches::cast::Cast;
use benches::documents::{Press, Profile};
use benches::input::{Form, Inputs, Prepared, Request};
use benches::load::ingest::Flow;
use benches::load::progress::Progress;
use benches::load::report::{self, Case, Figures, Found};
use benches::load::sockets::{self, Way};
use benches::load::store::StoreFolder;
use benches::load::{checks, consortium, fill, flood, ingest, light, node, oversight};
use invoice_core::calendar::Instant;
use serde::Serialize;
use tax_node::node::system_clock;

use crate::args::{
    Args, Call, Cases, Common, Consortium, Fill, Flood, Http, Ingest, Light, Mixed, Overseen, Verb,
};

/// Records that a filled store gets when none is named.
const SMALL_FILL: u64 = 100_000;
/// Records that an honest member can send in a second, at most: what is prepared.
const HONEST_PER_SECOND: usize = 45_000;
/// Records under one signature of what comes in beside checks.
const BESIDE_CHECKS: usize = 256;
/// Bulk lines without an answer hold about so many records.
const WINDOW_RECORDS: usize = 4_096;

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Prepare(cases) => prepare(&cases),
        Verb::Ingest(args) => in_process(&args),
        Verb::Http(args) => over_http(&args),
        Verb::Fill(args) => filling(&args),
        Verb::Checks(args) => checking(&args),
        Verb::Oversight(args) => overseeing(&args),
        Verb::Flood(args) => flooding(&args),
        Verb::Light(args) => lightly(&args),
        Verb::Peers(args) => crate::side_by_side::run(&args),
        Verb::Consortium(args) => among_others(&args),
        Verb::TrialPrepare(args) => crate::trials::prepare(&args),
        Verb::TrialClient(args) => crate::trials::client(args),
        Verb::TrialCheck(args) => crate::trials::check(&args),
        Verb::ServeAmong { folder, number } => consortium::serve(&folder, number),
        Verb::Serve {
            folder,
            failures_per_minute,
            oversight,
        } => node::serve(&folder, failures_per_minute, oversight),
    }
}

/// The records' `at` is spread over the hour before.
fn now() -> Instant {
    (system_clock())()
}

/// A file of this kind that the store has not seen.
fn input(
    inputs: &mut Inputs,
    request: &Request,
    used: &[String],
) -> Result<(PathBuf, Prepared), Failure> {
    let mut progress = Progress::new(format!("prepare {}", request.form));
    let mut tell = |done, of| progress.tell(done, of);
    let prepared = inputs.unused(request, used, now(), &mut tell)?;
    Ok((inputs.path(&prepared), prepared))
}

fn requests(cases: &Cases) -> Vec<Request> {
    let mut requests = Vec::new();
    for form in &cases.form {
        for duplicates in &cases.duplicates {
            requests.push(Request {
                profile: cases.common.profile,
                form: *form,
                duplicates: *duplicates,
                records: cases.records,
            });
        }
    }
    requests
}

fn prepare(cases: &Cases) -> Result<(), Failure> {
    let mut inputs = Inputs::open(&cases.common.input, cases.common.setting())?;
    for request in requests(cases) {
        let started = std::time::Instant::now();
        let (path, made) = input(&mut inputs, &request, &[])?;
        println!(
            "{}: {} records, {} new, {} MiB, {:.0}/s",
            path.display(),
            made.records,
            made.fresh,
            made.bytes >> 20,
            made.records as f64 / started.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// The store of a case: the one that was named, or a new one.
fn store_of(named: Option<&Path>, common: &Common, cast: &Cast) -> Result<StoreFolder, Failure> {
    match named {
        Some(path) => {
            let store = StoreFolder::open(path)?;
            if store.about.setting != common.setting() {
                return Err("库属于其他成员 / the store is of other members".into());
            }
            Ok(store)
        }
        None => StoreFolder::temporary(&common.folder, common.setting(), cast),
    }
}

/// Runs all cases and prints a line of each.
fn measure(
    cases: &Cases,
    named: Option<&Path>,
    way: &str,
    mut run: impl FnMut(&StoreFolder, &Cast, &Request, &Path, &Prepared) -> Result<Found, Failure>,
    all: &mut Vec<Figures>,
) -> Result<(), Failure> {
    let common = &cases.common;
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let cast = common.setting().cast();
    for request in requests(cases) {
        let mut store = store_of(named, common, &cast)?;
        let (path, prepared) = input(&mut inputs, &request, &store.about.used)?;
        store.about.used.push(prepared.name.clone());
        store.save()?;
        let found = run(&store, &cast, &request, &path, &prepared)?;
        if found.tally.accepted != prepared.fresh {
            let (accepted, fresh) = (found.tally.accepted, prepared.fresh);
            eprintln!("接受 / accepted {accepted}，应为 / of {fresh}");
        }
        let case = Case {
            way: way.to_owned(),
            form: request.form.to_string(),
            store: store.words(),
            duplicates: request.duplicates,
        };
        let figures = Figures::new(case, found);
        if !common.json {
            println!("{}", report::line(&figures));
        }
        all.push(figures);
    }
    Ok(())
}

fn print<T: Serialize>(
    json: bool,
    value: &T,
    table: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(value)?);
    } else {
        println!("{}", table(value));
    }
    Ok(())
}

fn in_process(args: &Ingest) -> Result<(), Failure> {
    let (json, mut all) = (args.cases.common.json, Vec::new());
    if !json {
        println!("{}", report::HEAD);
    }
    let run = |store: &StoreFolder, _: &Cast, request: &Request, path: &Path, file: &Prepared| {
        let flow = Flow::of(args.in_flight, request.form.batch(), args.receipts);
        ingest::run(store, path, file, flow)
    };
    measure(&args.cases, args.store.as_deref(), "submit", run, &mut all)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

fn over_http(args: &Http) -> Result<(), Failure> {
    let (json, mut all) = (args.cases.common.json, Vec::new());
    if !json {
        println!("{}", report::HEAD);
    }
    for call in &args.call {
        let batch_of = |request: &Request| request.form.batch();
        let way = |request: &Request| match call {
            Call::Post => Way::Post {
                connections: args.connections.unwrap_or(if batch_of(request) < 100 {
                    256 / batch_of(request)
                } else {
                    8
                }),
            },
            Call::Bulk => Way::Bulk {
                connections: args.connections.unwrap_or(8),
                window: (WINDOW_RECORDS / batch_of(request)).clamp(4, args.window),
            },
        };
        let name = match call {
            Call::Post => "POST",
            Call::Bulk => "bulk",
        };
        let run =
            |store: &StoreFolder, cast: &Cast, request: &Request, path: &Path, file: &Prepared| {
                sockets::run(store, cast, path, file, way(request))
            };
        measure(&args.cases, args.store.as_deref(), name, run, &mut all)?;
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

fn among_others(args: &Consortium) -> Result<(), Failure> {
    let common = &args.cases.common;
    let cast = common.setting().cast();
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let mut all = Vec::new();
    if !common.json {
        println!("{}", consortium::HEAD);
    }
    for request in requests(&args.cases) {
        let (path, prepared) = input(&mut inputs, &request, &[])?;
        let connections = args.connections;
        let window = (WINDOW_RECORDS / request.form.batch()).clamp(4, args.window);
        let case = consortium::Case {
            validators: args.validators,
            supervisors: args.supervisors,
            late: args.late,
            late_kills: args.late_kills,
            form: request.form.to_string(),
            input: &path,
            prepared: &prepared,
            way: match args.call {
                Call::Post => Way::Post { connections },
                Call::Bulk => Way::Bulk {
                    connections,
                    window,
                },
            },
            pace: args.pace,
            seconds: args.seconds,
        };
        let found = consortium::run(&common.folder, &cast, &case)?;
        if !common.json {
            println!("{}", consortium::line(&found));
        }
        all.push(found);
    }
    if common.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

fn filling(args: &Fill) -> Result<(), Failure> {
    let common = &args.common;
    let mut store = if StoreFolder::exists(&args.store) {
        StoreFolder::open(&args.store)?
    } else {
        let cast = common.setting().cast();
        StoreFolder::create(
            &args.store,
            common.setting(),
            &cast,
            common.profile,
            args.batch,
        )?
    };
    if store.about.batch == 0 {
        return Err("此库不是灌出来的 / the store was not begun by filling".into());
    }
    fill::run(&mut store, args.records)
}

fn checking(args: &Mixed) -> Result<(), Failure> {
    let common = &args.common;
    let cast = common.setting().cast();
    let temporary = match &args.store {
        Some(_) => None,
        None => Some(tempfile::tempdir_in(ready(&common.folder)?)?),
    };
    let mut store = match (&args.store, &temporary) {
        (Some(path), _) => StoreFolder::open(path)?,
        (None, Some(folder)) => {
            let mut store = StoreFolder::create(
                folder.path(),
                common.setting(),
                &cast,
                Profile::Usual,
                1_000,
            )?;
            fill::run(&mut store, SMALL_FILL)?;
            store
        }
        (None, None) => return Err("no store".into()),
    };
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let request = Request {
        profile: common.profile,
        form: Form::Batch(BESIDE_CHECKS),
        duplicates: 0,
        records: args.ingest.max(1) * (args.seconds as usize + 1),
    };
    let (path, prepared) = input(&mut inputs, &request, &store.about.used)?;
    store.about.used.push(prepared.name);
    store.save()?;
    let checked = checks::run(
        &store,
        &cast,
        &path,
        args.connections,
        args.ingest,
        BESIDE_CHECKS,
        args.seconds,
    )?;
    print(common.json, &checked, checks::table)
}

fn overseeing(args: &Overseen) -> Result<(), Failure> {
    let common = &args.common;
    let cast = common.setting().cast();
    let mut store = StoreFolder::open(&args.store)?;
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let request = Request {
        profile: common.profile,
        form: Form::Batch(BESIDE_CHECKS),
        duplicates: 0,
        records: args.ingest.max(1) * (args.seconds as usize + 1),
    };
    let (path, prepared) = input(&mut inputs, &request, &store.about.used)?;
    store.about.used.push(prepared.name);
    store.save()?;
    let pace = (args.ingest, BESIDE_CHECKS);
    let seen = oversight::run(&store, &cast, &path, args.claims, pace, args.seconds)?;
    print(common.json, &seen, oversight::table)
}

fn ready(folder: &Path) -> Result<&Path, Failure> {
    std::fs::create_dir_all(folder)?;
    Ok(folder)
}

fn flooding(args: &Flood) -> Result<(), Failure> {
    let common = &args.common;
    let cast = common.setting().cast();
    let store = StoreFolder::temporary(&common.folder, common.setting(), &cast)?;
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let request = Request {
        profile: common.profile,
        form: args.form,
        duplicates: 0,
        records: HONEST_PER_SECOND * args.seconds as usize,
    };
    let (mut paths, mut used) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (path, prepared) = input(&mut inputs, &request, &used)?;
        paths.push(path);
        used.push(prepared.name);
    }
    let [one, two, three] = paths.as_slice() else {
        return Err("three files".into());
    };
    let press = Press::new(&cast, common.profile, common.seed, now());
    let failures = args.failures_per_minute;
    let flooded = flood::run(
        &store,
        &press,
        [one, two, three],
        args.junk,
        args.seconds,
        failures,
    )?;
    print(common.json, &flooded, flood::table)
}

fn lightly(args: &Light) -> Result<(), Failure> {
    let common = &args.common;
    let cast = common.setting().cast();
    let store = StoreFolder::temporary(&common.folder, common.setting(), &cast)?;
    let mut inputs = Inputs::open(&common.input, common.setting())?;
    let request = Request {
        profile: common.profile,
        form: Form::Single,
        duplicates: 0,
        records: args.requests + 100,
    };
    let (path, _) = input(&mut inputs, &request, &[])?;
    let lightly = light::run(&store, &path, args.requests, args.rate)?;
    print(common.json, &lightly, light::table)
}
