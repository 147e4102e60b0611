//! `tax-node verify`: everything again from the raw file, independently of what wrote it.
//!
//! Every block is read, its hashes and signatures are verified, its records are executed over a
//! state in memory that starts at the genesis file; in the end every row of the state and of the
//! indexes must be what this gave, and there must be no other. Before that, every file is compared
//! with its SM3 digest.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use invoice_core::apply::{ChainPoint, KeyRing, Signatures, execute_block, genesis_changes};
use invoice_core::chain::Genesis;
use invoice_core::state::{MemoryState, Table, TypedState};

use super::failure::{Exit, Failure};
use super::init::read_genesis;
use super::output::Output;
use crate::node::{certified, rows_over};
use crate::seed::fresh_seed;
use crate::store::{CACHE_BYTES, OpenOptions, ReadError, RowCounts, Snapshot, Store, Tuning};

pub(super) fn run(data: &Path, output: Output) -> Result<(), Failure> {
    let point = whole(data)?;
    report(&point, output);
    Ok(())
}

/// Verifies everything in a folder, and gives where the chain ends.
pub(super) fn whole(data: &Path) -> Result<ChainPoint, Failure> {
    let genesis = read_genesis(data)?;
    read(data, &genesis, |snapshot| verify(snapshot, &genesis))
}

/// Verifies everything that a snapshot holds, and gives where the chain ends.
fn verify(snapshot: &Snapshot, genesis: &Genesis) -> Result<ChainPoint, Failure> {
    if let Some(year) = snapshot.check_files()?.first() {
        return Err(ReadError::BodiesAway { year: *year }.into());
    }
    let head = snapshot.head();
    let bar = progress(head.log_size());
    let mut state = MemoryState::new();
    state.apply(&genesis_changes(genesis));
    let mut point = ChainPoint::genesis(genesis);
    let mut counts = RowCounts::default();
    let mut keys = KeyRing::default();
    for stored in snapshot.blocks_from(1) {
        let stored = stored?;
        let height = stored.block.header.height;
        let header = &stored.block.header;
        let validators = TypedState(&state).validators_at(height);
        let validators = validators.map_err(Failure::integrity)?;
        let Some(validators) = validators.filter(|entry| entry.set.digest() == header.validators)
        else {
            return Err(Failure::integrity(format!(
                "block {height} names other validators"
            )));
        };
        if stored.certificate.block_id != header.id() || stored.certificate.height != height {
            return Err(Failure::integrity(format!(
                "block {height}: foreign certificate"
            )));
        }
        stored
            .certificate
            .verify(&validators.set, genesis.chain_id())
            .map_err(Failure::integrity)?;
        let seed = fresh_seed().map_err(|error| Failure::new(Exit::Usage, "randomness", error))?;
        let signatures = Signatures::Verify {
            seed,
            keys: &mut keys,
        };
        let executed =
            execute_block(&point, &state, &stored.block, signatures).map_err(Failure::integrity)?;
        for (index, hash) in (header.first_index..).zip(&executed.leaf_hashes) {
            if snapshot.node(0, index)? != *hash {
                return Err(Failure::integrity(format!("hash of leaf {index} differs")));
            }
        }
        state.apply(&executed.changes);
        let rows = rows_over(&state, &executed.records).map_err(Failure::integrity)?;
        if let Some(damage) = snapshot.first_difference(height, &rows)? {
            return Err(Failure::integrity(damage));
        }
        add(&mut counts, &rows);
        point = point.after(header, executed.frontier);
        bar.inc(u64::from(header.count));
    }
    bar.finish_and_clear();
    if point.block_id != head.block_id || point.frontier != head.frontier {
        return Err(Failure::integrity("the head is not the last block"));
    }
    compare_state(snapshot, &state)?;
    let found = snapshot.row_counts()?;
    if found != counts {
        return Err(Failure::integrity(format!(
            "index rows: {found:?} instead of {counts:?}"
        )));
    }
    Ok(point)
}

/// Reads a folder's store and closes it again; the node must not run. What was read counts only
/// when the store could be closed: a damaged file may show it as late as that.
pub(super) fn read<T>(
    data: &Path,
    genesis: &Genesis,
    read: impl FnOnce(&Snapshot) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let store = Store::open(
        data,
        &OpenOptions {
            genesis_hash: genesis.hash(),
            certified: &|state, header, certificate| certified(genesis, state, header, certificate),
            cache_bytes: CACHE_BYTES,
            tuning: Tuning::default(),
        },
    )?;
    let result = match store.snapshot() {
        Ok(snapshot) => read(&snapshot),
        Err(error) => Err(error.into()),
    };
    let closed = store.close();
    let value = result?;
    closed?;
    Ok(value)
}

/// A bar on a terminal, nothing in a pipe.
fn progress(records: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(records), ProgressDrawTarget::stderr());
    let style = "{bar:40} {pos}/{len}  {per_sec}  {eta}";
    ProgressStyle::with_template(style).map_or(bar.clone(), |style| bar.with_style(style))
}

fn compare_state(snapshot: &Snapshot, state: &MemoryState) -> Result<(), Failure> {
    let mut expected = state.iter();
    for table in Table::ALL {
        let mut difference = None;
        snapshot.state_rows(table, &mut |key, value| {
            if difference.is_none() && expected.next() != Some((table, key, value)) {
                difference = Some(hex::encode(key));
            }
        })?;
        if let Some(key) = difference {
            return Err(Failure::integrity(format!(
                "state {table:?}, entry {key} differs"
            )));
        }
    }
    match expected.next() {
        Some((table, key, _)) => Err(Failure::integrity(format!(
            "state {table:?}, entry {} is missing",
            hex::encode(key)
        ))),
        None => Ok(()),
    }
}

fn add(counts: &mut RowCounts, rows: &crate::store::IndexRows) {
    let count = |rows: usize| rows as u64;
    counts.records = counts.records.saturating_add(count(rows.records.len()));
    counts.timeline = counts.timeline.saturating_add(count(rows.timeline.len()));
    counts.claims = counts.claims.saturating_add(count(rows.claims.len()));
    counts.events = counts.events.saturating_add(count(rows.events.len()));
    let by_member = rows.events.iter().map(|event| event.members.len()).sum();
    counts.events_by_member = counts.events_by_member.saturating_add(count(by_member));
}

fn report(point: &ChainPoint, output: Output) {
    let (height, records) = (point.height, point.frontier.size());
    let root = point.frontier.root().to_string();
    let value = serde_json::json!({
        "valid": true, "height": height, "records": records, "root_hash": root,
    });
    let lines = [
        output
            .of("整条链校验通过", "the whole chain verifies")
            .to_owned(),
        format!("{}  {height}", output.of("高度", "height   ")),
        format!("{}  {records}", output.of("记录", "records  ")),
        format!("{}  {root}", output.of("日志根", "root hash")),
    ];
    output.result(&value, &lines);
}
