//! Tests of the runs as a whole.

mod damage;
mod model;
mod parts;
mod power;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{FaultFiles, Filters, Generation, Home};
use crate::store::fault::Dice;

/// Keyspace 1 is filtered by whole keys, 2 by all but the last two bytes, 3 not at all.
const FILTERS: Filters = Filters::of(&[(1, 0), (2, 2)]);

static GO: AtomicBool = AtomicBool::new(false);

fn fault_free() -> FaultFiles {
    FaultFiles::new(Arc::new(|| Ok(())))
}

fn home_on(files: &FaultFiles) -> Home {
    Home::new(
        Arc::new(files.clone()),
        PathBuf::from("/runs"),
        FILTERS,
        1 << 20,
    )
}

type Rows = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn apply(generation: &Generation, height: u64, rows: &Rows) {
    let rows = rows.iter();
    generation.apply(
        height,
        rows.map(|(key, value)| (key.as_slice(), value.as_deref())),
    );
}

/// A sealed generation of heights from `first` on.
fn sealed(first: u64, blocks: &[Rows]) -> Arc<Generation> {
    let generation = Generation::new(first);
    for (height, rows) in (first..).zip(blocks) {
        apply(&generation, height, rows);
    }
    generation.seal();
    Arc::new(generation)
}

/// Some sorted rows with keys that often recur, and values of very different lengths.
fn some_rows(dice: &mut Dice, count: u64) -> Rows {
    let mut rows = std::collections::BTreeMap::new();
    for _ in 0..dice.below(count + 1) {
        let mut key = vec![1 + dice.below(3) as u8];
        let length = [0, 1, 2, 3, 3, 3, 4, 45][dice.below(8) as usize];
        key.extend((0..length).map(|_| [0, 1, 7, 0xff][dice.below(4) as usize]));
        let value = match dice.below(12) {
            0..3 => None,
            3 => Some(Vec::new()),
            4 => Some(vec![7; dice.below(20_000) as usize]),
            5 | 6 => {
                let count = dice.below(4_000) as usize;
                Some(dice.bytes(count))
            }
            _ => {
                let count = dice.below(60) as usize;
                Some(dice.bytes(count))
            }
        };
        rows.insert(key, value);
    }
    rows.into_iter().collect()
}
