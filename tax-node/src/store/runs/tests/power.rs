//! Power cuts and refusals in the middle of writing a run.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{FILTERS, FaultFiles, GO, Rows, home_on, sealed, some_rows};
use crate::store::fault::Dice;
use crate::store::runs::{Home, RunError, RunInfo, Version};

/// A file system whose power goes off at a chosen operation and stays off until the cut.
struct Machine {
    files: FaultFiles,
    /// Operations until the power goes off; above this it is on.
    left: Arc<AtomicU64>,
}

impl Machine {
    fn new() -> Self {
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let counter = Arc::clone(&left);
        let begin = move || {
            let count = |left: u64| match left {
                u64::MAX | 0 => None,
                left => Some(left - 1),
            };
            let before = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
            if matches!(before, Ok(1) | Err(0)) {
                return Err(io::Error::other("the power is off"));
            }
            Ok(())
        };
        Self {
            files: FaultFiles::new(Arc::new(begin)),
            left,
        }
    }

    fn cut_after(&self, operations: u64) {
        self.left.store(operations, Ordering::SeqCst);
    }

    fn power_on(&self, dice: &mut Dice) {
        self.files.cut(dice);
        self.left.store(u64::MAX, Ordering::SeqCst);
    }
}

fn assert_rows(home: &Home, infos: &[RunInfo], expected: &Rows) {
    let runs = infos.iter().map(|info| home.open(info).unwrap()).collect();
    for info in infos {
        home.verify_file(info).unwrap();
    }
    let version = Arc::new(Version::new(FILTERS, Vec::new(), runs));
    let view = version.at(u64::MAX);
    for (key, value) in expected {
        assert_eq!(view.get(key).unwrap(), *value);
    }
}

/// What a caller does: name the run in the manifest only after it was written, open after a cut.
#[test]
fn a_named_run_survives_every_power_cut_and_an_unnamed_one_is_garbage() {
    let mut finished = 0;
    let mut cut_short = 0;
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let machine = Machine::new();
        let home = home_on(&machine.files);
        let old = some_rows(&mut dice, 300);
        let new = some_rows(&mut dice, 300);
        let mut all: std::collections::BTreeMap<_, _> = old.iter().cloned().collect();
        all.extend(new.iter().cloned());
        let all: Rows = all.into_iter().collect();
        let a = home
            .flush("a", &[sealed(1, std::slice::from_ref(&old))], true, &GO)
            .unwrap();
        let mut manifest = vec![a];

        machine.cut_after(1 + dice.below(24));
        let mut named = false;
        if let Ok(b) = home.flush("b", &[sealed(2, &[new])], false, &GO) {
            manifest.insert(0, b);
            named = true;
            let runs: Vec<_> = manifest
                .iter()
                .map(|info| home.open(info).unwrap())
                .collect();
            if let Ok(c) = home.merge("c", &runs, true, &GO) {
                manifest = vec![c];
                finished += 1;
                // The old files go as soon as the manifest no longer names them.
                let _ = home.remove("a").and_then(|()| home.remove("b"));
            } else {
                cut_short += 1;
            }
        } else {
            cut_short += 1;
        }
        machine.power_on(&mut dice);
        let home = home_on(&machine.files);
        home.remove_others(&manifest).unwrap();
        let expected = if named { all } else { old };
        assert_rows(&home, &manifest, &expected);
        machine.power_on(&mut dice);
        let mut left = super::super::Files::list(&machine.files, &PathBuf::from("/runs")).unwrap();
        left.sort();
        let mut names: Vec<_> = manifest.iter().map(|info| info.name.clone()).collect();
        names.sort();
        assert_eq!(left, names, "seed {seed}");
    }
    assert!(finished > 50 && cut_short > 50, "{finished} {cut_short}");
}

#[test]
fn a_refused_step_is_an_error_and_leaves_the_old_runs_as_they_were() {
    let mut refused = 0;
    for operation in 1..40 {
        let mut dice = Dice::new(operation);
        let machine = Machine::new();
        let home = home_on(&machine.files);
        let rows = some_rows(&mut dice, 2_000);
        let a = home
            .flush("a", &[sealed(1, std::slice::from_ref(&rows))], true, &GO)
            .unwrap();
        let run = home.open(&a).unwrap();
        machine.cut_after(operation);
        match home.merge("b", &[run], false, &GO) {
            Ok(b) => assert_rows(&home, &[b], &rows),
            Err(error) => {
                assert!(matches!(error, RunError::Io { .. }), "{error}");
                refused += 1;
            }
        }
        assert_rows(&home, &[a], &rows);
    }
    assert!(refused > 3);
}
