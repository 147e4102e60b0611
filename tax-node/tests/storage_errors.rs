//! Writes and syncs that fail under the real store, among them those that fail but persist.
//!
//! Whatever fails, the store serves nothing afterwards, and reopening finds every acknowledged
//! block and the failed one wholly or not at all. `STORAGE_ERROR_SEED` runs the one case of a seed.

mod support;

use rayon::prelude::*;

use invoice_core::state::{StateView, Table};
use support::{Chain, Machine};
use tax_node::store::fault::{Dice, Failure};
use tax_node::store::{CommitError, ReadError, Store};

const CASES: u64 = 800;

const FAILURES: [Failure; 5] = [
    Failure::Write,
    Failure::WriteHalf,
    Failure::Sync,
    Failure::SyncAfterPersisting,
    Failure::SyncAndForget,
];

fn serves_nothing(store: &Store, chain: &Chain, dice: &mut Dice) -> Result<(), String> {
    if !store.stopped() {
        return Err("the store goes on after an error".into());
    }
    if !matches!(store.snapshot(), Err(ReadError::Stopped)) {
        return Err("a snapshot was given after an error".into());
    }
    let next = chain.make(dice, 1, 10);
    match store.commit_block(&next.committed()) {
        Err(CommitError::Stopped) => Ok(()),
        other => Err(format!("a commit after an error gave {other:?}")),
    }
}

/// After a failed commit: what reopening finds becomes the truth, if it is allowed.
fn settle(
    store: &Store,
    chain: &mut Chain,
    in_flight: Option<support::Made>,
) -> Result<bool, String> {
    let found = store
        .snapshot()
        .map_err(|error| error.to_string())?
        .head()
        .height;
    let persisted = found == chain.height() + 1;
    if let Some(made) = in_flight.filter(|_| persisted) {
        chain.append(made);
    }
    chain.compare(store)?;
    Ok(persisted)
}

/// Fails once, reopens with or without a power cut, goes on, and survives a later power cut.
fn fail_once(seed: u64) -> Result<(Failure, bool, bool), String> {
    let mut dice = Dice::new(seed);
    let failure = FAILURES[dice.below(FAILURES.len() as u64) as usize];
    let machine = Machine::new();
    let disk = &machine.disk;
    let mut chain = Chain::default();
    let store = machine.open().map_err(|error| error.to_string())?;
    disk.fail_after(dice.below(400), failure, dice.next());
    let mut in_flight = None;
    let mut old_snapshot = None;
    for _ in 0..60 {
        old_snapshot = Some(store.snapshot().map_err(|error| error.to_string())?);
        let made = chain.make_any(&mut dice);
        match store.commit_block(&made.committed()) {
            Ok(()) if disk.failed() && !store.stopped() => {
                return Err("a failure was acknowledged".into());
            }
            Ok(()) if disk.failed() => {
                // It struck a step beside the block, after that was durable.
                chain.append(made);
                break;
            }
            Ok(()) => chain.append(made),
            Err(CommitError::OutcomeUnknown(_)) if disk.failed() => {
                in_flight = Some(made);
                break;
            }
            Err(error) => return Err(format!("commit: {error}")),
        }
    }
    let struck = disk.failed();
    if struck {
        serves_nothing(&store, &chain, &mut dice)?;
        let old = old_snapshot
            .as_ref()
            .map(|snapshot| snapshot.get(Table::Member, b"anything"));
        if !matches!(old, Some(Err(ReadError::Stopped))) {
            return Err("a snapshot from before the error still serves".into());
        }
    }
    drop((old_snapshot, store));
    if dice.once_in(2) {
        machine.cut(&mut dice);
    } else {
        machine.kill_process();
    }
    let store = machine.open().map_err(|error| format!("reopen: {error}"))?;
    machine.compare_files(&store)?;
    let persisted = settle(&store, &mut chain, in_flight)?;
    // What was served after reopening is acknowledged: a power cut must not take it back.
    machine.cut(&mut dice);
    drop(store);
    let store = machine
        .open()
        .map_err(|error| format!("open after a cut: {error}"))?;
    chain
        .compare(&store)
        .map_err(|fault| format!("after reopening and a cut: {fault}"))?;
    for _ in 0..2 {
        let made = chain.make_any(&mut dice);
        store
            .commit_block(&made.committed())
            .map_err(|error| format!("commit after it: {error}"))?;
        chain.append(made);
    }
    machine.cut(&mut dice);
    drop(store);
    let store = machine
        .open()
        .map_err(|error| format!("last open: {error}"))?;
    chain
        .compare(&store)
        .map_err(|fault| format!("at last: {fault}"))?;
    Ok((failure, struck, persisted))
}

fn fail_once_or_explain(seed: u64) -> Result<(Failure, bool, bool), String> {
    fail_once(seed).map_err(|fault| format!("{fault}; replay with STORAGE_ERROR_SEED={seed}"))
}

#[test]
fn a_storage_error_stops_the_store_and_loses_nothing() {
    if let Some(seed) = std::env::var("STORAGE_ERROR_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        println!("{:?}", fail_once_or_explain(seed).unwrap());
        return;
    }
    let cases: Vec<(Failure, bool, bool)> = (0..CASES)
        .into_par_iter()
        .map(|seed| fail_once_or_explain(seed).unwrap())
        .collect();
    for failure in FAILURES {
        let struck = cases
            .iter()
            .filter(|case| case.0 == failure && case.1)
            .count() as u64;
        let persisted = cases
            .iter()
            .filter(|case| case.0 == failure && case.1 && case.2)
            .count();
        println!("{failure:?}: struck {struck}, block found {persisted}");
        assert!(
            struck > CASES / 10,
            "{failure:?} struck only {struck} times"
        );
    }
    let persisted_all_the_same = cases
        .iter()
        .filter(|case| case.0 == Failure::SyncAfterPersisting && case.2)
        .count();
    assert!(
        persisted_all_the_same > 20,
        "no failed sync that persisted was met"
    );
}
