//! Single promises of the parts.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use invoice_core::crypto::Hash;

use super::{FILTERS, GO, Rows, apply, fault_free, home_on, sealed};
use crate::store::fault::Dice;
use crate::store::runs::block::common;
use crate::store::runs::filter::{Filter, key_hash};
use crate::store::runs::key::Key;
use crate::store::runs::{
    Cell, DiskFiles, Files, Generation, Home, Order, RunError, RunInfo, Version, plan_merge,
};

fn row(key: &[u8], value: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.to_vec(), Some(value.to_vec()))
}

#[test]
fn many_versions_of_a_key_are_told_apart_by_height() {
    let generation = Generation::new(10);
    let key = [1, 2, 3];
    for height in 10..5_000_u64 {
        let value = height.to_be_bytes();
        let removed = height % 7 == 0;
        generation.apply(height, [(&key[..], (!removed).then_some(&value[..]))]);
    }
    for height in 10..5_000_u64 {
        let expected = match height % 7 {
            0 => Cell::Removed,
            _ => Cell::Value(height.to_be_bytes().to_vec()),
        };
        assert_eq!(generation.get(&key, height), Some(expected));
        assert_eq!(generation.contains(&key, height), Some(height % 7 != 0));
    }
    assert_eq!(generation.get(&key, 9), None);
    assert_eq!(generation.get(&[1, 2], 4_999), None);
    assert_eq!(generation.get(&[], 4_999), None);
    assert_eq!(generation.get(&[255, 1], 4_999), None);
    assert_eq!(generation.rows(), 1);
    assert_eq!(generation.last_height(), 4_999);
    generation.seal();
    let home = home_on(&fault_free());
    let info = home.flush("a", &[Arc::new(generation)], true, &GO).unwrap();
    assert_eq!(
        (info.rows, info.first_height, info.last_height),
        (1, 10, 4_999)
    );
}

#[test]
fn a_reader_sees_no_row_above_its_height_while_a_block_goes_in() {
    let generation = Arc::new(Generation::new(1));
    let rows = |height: u64| -> Rows {
        let row = |n: u16| {
            row(
                &[&[1][..], &n.to_be_bytes()].concat(),
                &height.to_be_bytes(),
            )
        };
        (0..2_000).map(row).collect()
    };
    apply(&generation, 1, &rows(1));
    let version = Arc::new(Version::new(
        FILTERS,
        vec![Arc::clone(&generation)],
        Vec::new(),
    ));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let view = version.at(1);
            for _ in 0..20 {
                let scan = view.scan(Bound::Unbounded, Bound::Unbounded, Order::Ascending);
                let values: Vec<_> = scan.map(|row| row.unwrap().1).collect();
                assert_eq!(values, vec![1_u64.to_be_bytes().to_vec(); 2_000]);
            }
        });
        for height in 2..40 {
            apply(&generation, height, &rows(height));
        }
        reader.join().unwrap();
    });
}

#[test]
fn the_rows_of_the_genesis_have_height_0() {
    let generation = Generation::new(0);
    apply(&generation, 0, &vec![row(&[1], &[5])]);
    assert_eq!(generation.get(&[1], 0), Some(Cell::Value(vec![5])));
    generation.seal();
    let nothing = sealed(1, &[]);
    let home = home_on(&fault_free());
    let info = home.flush("a", &[Arc::new(generation)], true, &GO).unwrap();
    assert_eq!((info.first_height, info.last_height), (0, 0));
    let empty = home.flush("b", &[nothing], true, &GO).unwrap();
    home.verify_file(&empty).unwrap();
    let runs = vec![home.open(&empty).unwrap(), home.open(&info).unwrap()];
    let merged = home.merge("c", &runs, true, &GO).unwrap();
    let view = Arc::new(Version::new(
        FILTERS,
        Vec::new(),
        vec![home.open(&merged).unwrap()],
    ))
    .at(0);
    assert_eq!(view.get(&[1]).unwrap(), Some(vec![5]));
    assert_eq!(view.get(&[2]).unwrap(), None);
}

#[test]
#[should_panic(expected = "a sealed generation takes no rows")]
fn a_sealed_generation_takes_no_rows() {
    apply(&sealed(1, &[]), 1, &vec![row(&[1], &[])]);
}

#[test]
#[should_panic(expected = "heights ascend")]
fn a_height_is_put_in_once() {
    let generation = Generation::new(5);
    apply(&generation, 5, &vec![row(&[1], &[])]);
    apply(&generation, 5, &vec![row(&[2], &[])]);
}

#[test]
fn memory_is_accounted_for() {
    let generation = Generation::new(1);
    let empty = generation.bytes();
    let mut dice = Dice::new(9);
    let rows: std::collections::BTreeMap<Vec<u8>, Option<Vec<u8>>> = (0..50_000)
        .map(|_| ([&[1][..], &dice.bytes(16)].concat(), Some(dice.bytes(64))))
        .collect();
    let rows: Rows = rows.into_iter().collect();
    apply(&generation, 1, &rows);
    let first = generation.bytes() - empty;
    // Key, value and what the tree takes; the value's memory comes in pieces of a MiB.
    let least = 50_000 * (17 + 64);
    assert!(first >= least && first < 3 * least + (1 << 20), "{first}");
    apply(&generation, 2, &rows);
    let second = generation.bytes() - empty - first;
    assert!(second >= 50_000 * 64 && second < first, "{second}");
    // A long key lies outside the tree.
    let before = generation.bytes();
    generation.apply(3, [(&[1; 1_000][..], None)]);
    assert!(generation.bytes() - before >= 999);

    // A run keeps its filter and its index: 18 bits per key while it is small, and less than
    // twenty bytes per block and separator.
    generation.seal();
    let home = home_on(&fault_free());
    let info = home
        .flush("a", &[Arc::new(generation)], false, &GO)
        .unwrap();
    let run = home.open(&info).unwrap();
    let filter = 50_001 * 18 / 8;
    let blocks = info.bytes as usize / 2_000;
    assert!(run.memory_bytes() >= filter);
    assert!(
        run.memory_bytes() < filter + 64 + blocks * 40,
        "{}",
        run.memory_bytes()
    );
}

#[test]
fn the_filter_knows_every_key_and_few_others() {
    for (rows, wrong_max) in [(1_000_u64, 6), (3_000_000, 24)] {
        let mut filter = Filter::for_rows(rows);
        for n in 0..rows {
            filter.insert(key_hash(&n.to_be_bytes()));
        }
        filter.settle();
        assert!((0..rows).all(|n| filter.may_hold(key_hash(&n.to_be_bytes()))));
        let asked = rows..rows + 2_000;
        let wrong = asked.filter(|n| filter.may_hold(key_hash(&n.to_be_bytes())));
        let wrong = wrong.count();
        assert!(wrong <= wrong_max, "{wrong} of 2,000 with {rows} rows");
    }
    assert!(!Filter::for_rows(0).may_hold(key_hash(b"a")));
    // Files hold these numbers.
    assert_eq!(key_hash(b""), GOLDEN_EMPTY);
    assert_eq!(key_hash(b"\x01inv-000123"), GOLDEN_KEY);
}

const GOLDEN_EMPTY: u64 = 13_369_802_524_118_334_360;
const GOLDEN_KEY: u64 = 7_902_572_512_935_587_898;

#[test]
fn keys_in_memory_have_the_order_of_their_bytes() {
    let mut dice = Dice::new(4);
    let mut slices: Vec<Vec<u8>> = (0..600)
        .map(|_| {
            let length = dice.below(44);
            (0..length)
                .map(|_| dice.below(40).saturating_sub(38) as u8)
                .collect()
        })
        .collect();
    let mut keys: Vec<Key> = slices.iter().map(|slice| Key::new(slice)).collect();
    slices.sort();
    keys.sort();
    let sorted: Vec<&[u8]> = keys.iter().map(Key::as_slice).collect();
    assert_eq!(sorted, slices);
}

#[test]
fn what_keys_have_in_common() {
    let long = [5_u8; 40];
    for length in 0..40 {
        let mut other = long;
        other[length] = 6;
        assert_eq!(common(&long, &other), length);
        assert_eq!(common(&long[..length], &long), length);
    }
}

fn info(bytes_mib: u64) -> RunInfo {
    RunInfo {
        name: "a".to_owned(),
        bytes: bytes_mib << 20,
        rows: 1,
        tombstones: 0,
        first_height: 1,
        last_height: 1,
        digest: Hash::new([0; 32]),
    }
}

#[test]
fn runs_of_one_level_become_one_of_the_next() {
    let plan = |sizes: &[u64]| plan_merge(&sizes.iter().map(|n| info(*n)).collect::<Vec<_>>());
    assert_eq!(plan(&[]), None);
    assert_eq!(plan(&[30; 7]), None);
    assert_eq!(plan(&[30; 8]), Some(0..8));
    assert_eq!(plan(&[&[30; 7][..], &[240; 7]].concat()), None);
    assert_eq!(plan(&[&[30; 8][..], &[240; 7]].concat()), Some(0..8));
    assert_eq!(plan(&[&[30; 7][..], &[240; 8]].concat()), Some(7..15));
    // Small ones behind a large one go with it.
    assert_eq!(plan(&[&[240][..], &[1; 7], &[9_000]].concat()), Some(0..8));
}

#[test]
fn a_row_is_rewritten_once_per_level() {
    let mut runs: Vec<RunInfo> = Vec::new();
    let mut written = 0;
    for _ in 0..3_000 {
        runs.insert(0, info(30));
        written += 30;
        while let Some(range) = plan_merge(&runs) {
            let merged = runs[range.clone()].iter().map(|run| run.bytes >> 20).sum();
            written += merged;
            runs.splice(range, [info(merged)]);
        }
        assert!(runs.len() <= 4 * 7, "{}", runs.len());
    }
    let total = 3_000 * 30;
    assert!(written < 5 * total, "{}", written / total);
}

#[test]
fn a_cancelled_merge_leaves_no_file() {
    let files = fault_free();
    let home = home_on(&files);
    let rows: Rows = (0..3_000_u16)
        .map(|n| row(&[&[1][..], &n.to_be_bytes()].concat(), &[1; 9]))
        .collect();
    let generation = sealed(1, &[rows]);
    let stop = AtomicBool::new(true);
    let flushed = home.flush("a", &[Arc::clone(&generation)], false, &stop);
    assert!(matches!(flushed, Err(RunError::Cancelled)));
    let info = home.flush("a", &[generation], false, &GO).unwrap();
    let run = home.open(&info).unwrap();
    let merged = home.merge("b", &[run], false, &stop);
    assert!(matches!(merged, Err(RunError::Cancelled)));
    assert_eq!(files.list(&PathBuf::from("/runs")).unwrap(), ["a"]);
    // A name is never taken twice.
    let run = home.open(&info).unwrap();
    let merged = home.merge("a", &[run], false, &GO);
    assert!(matches!(merged, Err(RunError::Io { .. })));
    home.verify_file(&info).unwrap();
}

/// The real file system: a run can be read although its name was removed.
#[test]
fn runs_live_on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("runs");
    DiskFiles.create_folder(&path).unwrap();
    DiskFiles.create_folder(&path).unwrap();
    let home = Home::new(Arc::new(DiskFiles), path.clone(), FILTERS, 1 << 20);
    let rows: Rows = (0..9_000_u16)
        .map(|n| row(&[&[1][..], &n.to_be_bytes()].concat(), &n.to_le_bytes()))
        .collect();
    let a = home
        .flush("a", &[sealed(1, std::slice::from_ref(&rows))], true, &GO)
        .unwrap();
    let run = home.open(&a).unwrap();
    let b = home.merge("b", &[Arc::clone(&run)], true, &GO).unwrap();
    // Only their heights tell them apart.
    assert_eq!((a.rows, a.bytes), (b.rows, b.bytes));
    home.verify_file(&b).unwrap();
    home.remove_others(&[b]).unwrap();
    assert_eq!(DiskFiles.list(&path).unwrap(), ["b"]);
    let version = Arc::new(Version::new(FILTERS, Vec::new(), vec![run]));
    let view = version.at(1);
    for (key, value) in &rows {
        assert_eq!(view.get(key).unwrap(), *value);
    }

    let file = path.join("log");
    let mut out = DiskFiles.create(&file).unwrap();
    out.write(b"abcdef").unwrap();
    drop(out);
    let mut out = DiskFiles.append(&file, 3).unwrap();
    out.write(b"xy").unwrap();
    out.sync().unwrap();
    DiskFiles.rename(&file, &path.join("new")).unwrap();
    let read = DiskFiles.open(&path.join("new")).unwrap();
    assert_eq!(read.length().unwrap(), 5);
    let mut bytes = [0; 5];
    read.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"abcxy");
    assert!(DiskFiles.append(&path.join("new"), 6).is_err());
    assert!(DiskFiles.create(&path.join("new")).is_err());
}
