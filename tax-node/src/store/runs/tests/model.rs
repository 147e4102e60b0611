//! Random histories against a map that keeps every version of every row.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{FILTERS, GO, Rows, apply, fault_free, home_on, some_rows};
use crate::store::fault::Dice;
use crate::store::runs::{Generation, Home, Order, RunInfo, Version, View, plan_merge};

const HISTORIES: u64 = 60;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The store's part: a manifest, a journal of what is in no run, and the current version.
struct Store {
    home: Home,
    manifest: Vec<RunInfo>,
    journal: Vec<(u64, Rows)>,
    version: Arc<Version>,
    height: u64,
    names: u64,
    /// The rows as of each height.
    model: Vec<Map>,
    views: Vec<View>,
}

impl Store {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("{:08}.run", self.names)
    }

    fn set(&mut self, generations: Vec<Arc<Generation>>, manifest: Vec<RunInfo>) {
        let runs = manifest.iter().map(|info| {
            let open = self.version.runs().iter().find(|run| run.info() == info);
            open.cloned()
                .unwrap_or_else(|| self.home.open(info).unwrap())
        });
        self.version = Arc::new(Version::new(FILTERS, generations, runs.collect()));
        self.manifest = manifest;
    }

    fn block(&mut self, dice: &mut Dice) {
        let rows = some_rows(dice, 30);
        self.height += 1;
        apply(&self.version.generations()[0], self.height, &rows);
        let mut map = self.model.last().unwrap().clone();
        for (key, value) in &rows {
            match value {
                Some(value) => map.insert(key.clone(), value.clone()),
                None => map.remove(key),
            };
        }
        self.model.push(map);
        self.journal.push((self.height, rows));
    }

    fn seal(&mut self) {
        let mut generations = self.version.generations().to_vec();
        generations[0].seal();
        generations.insert(0, Arc::new(Generation::new(self.height + 1)));
        self.set(generations, self.manifest.clone());
    }

    fn flush(&mut self, dice: &mut Dice) {
        let mut generations = self.version.generations().to_vec();
        if generations.len() < 2 {
            return;
        }
        let first = 1 + dice.below(generations.len() as u64 - 1) as usize;
        let flushed = generations.split_off(first);
        let name = self.name();
        let info = self
            .home
            .flush(&name, &flushed, self.manifest.is_empty(), &GO)
            .unwrap();
        self.journal
            .retain(|(height, _)| *height > info.last_height);
        let mut manifest = self.manifest.clone();
        manifest.insert(0, info);
        self.set(generations, manifest);
    }

    fn merge(&mut self, dice: &mut Dice) {
        let count = self.manifest.len() as u64;
        if count == 0 {
            return;
        }
        let start = dice.below(count);
        let end = start + 1 + dice.below(count - start);
        let range = plan_merge(&self.manifest).unwrap_or(start as usize..end as usize);
        let oldest = range.end == self.manifest.len();
        let name = self.name();
        let runs = &self.version.runs()[range.clone()];
        let info = self.home.merge(&name, runs, oldest, &GO).unwrap();
        if oldest {
            assert_eq!(info.tombstones, 0);
        }
        self.home.verify_file(&info).unwrap();
        let mut manifest = self.manifest.clone();
        let old: Vec<RunInfo> = manifest.splice(range, [info]).collect();
        self.set(self.version.generations().to_vec(), manifest);
        for info in old {
            self.home.remove(&info.name).unwrap();
        }
    }

    fn reopen(&mut self, dice: &mut Dice) {
        let first = self.manifest.first().map_or(1, |info| info.last_height + 1);
        let mut generations = vec![Arc::new(Generation::new(first))];
        for (height, rows) in &self.journal {
            if dice.once_in(4) {
                generations[0].seal();
                generations.insert(0, Arc::new(Generation::new(*height)));
            }
            apply(&generations[0], *height, rows);
        }
        let manifest: Vec<RunInfo> = self
            .manifest
            .iter()
            .map(|info| RunInfo::decode(&info.encode().unwrap()).unwrap())
            .collect();
        assert_eq!(manifest, self.manifest);
        self.home.remove_others(&manifest).unwrap();
        self.version = Arc::new(Version::new(FILTERS, Vec::new(), Vec::new()));
        self.set(generations, manifest);
    }
}

fn bound(dice: &mut Dice, keys: &[Vec<u8>]) -> Bound<Vec<u8>> {
    let key = match dice.below(6) {
        0 => return Bound::Unbounded,
        1 => vec![dice.below(5) as u8],
        2 => Vec::new(),
        _ => keys[dice.below(keys.len() as u64) as usize].clone(),
    };
    if dice.once_in(2) {
        Bound::Included(key)
    } else {
        Bound::Excluded(key)
    }
}

fn check(view: &View, map: &Map, keys: &[Vec<u8>], dice: &mut Dice) {
    for key in keys {
        assert_eq!(view.get(key).unwrap().as_ref(), map.get(key), "{key:?}");
        assert_eq!(view.contains(key).unwrap(), map.contains_key(key));
    }
    for _ in 0..6 {
        let from = bound(dice, keys);
        let to = bound(dice, keys);
        let inside = |key: &Vec<u8>| {
            let after = match &from {
                Bound::Unbounded => true,
                Bound::Included(from) => key >= from,
                Bound::Excluded(from) => key > from,
            };
            let before = match &to {
                Bound::Unbounded => true,
                Bound::Included(to) => key <= to,
                Bound::Excluded(to) => key < to,
            };
            after && before
        };
        let mut expected: Vec<_> = map.iter().filter(|(key, _)| inside(key)).collect();
        let mut order = Order::Ascending;
        if dice.once_in(2) {
            expected.reverse();
            order = Order::Descending;
        }
        let limit = match dice.below(3) {
            0 => 3,
            _ => usize::MAX,
        };
        let (from, to) = (
            from.as_ref().map(Vec::as_slice),
            to.as_ref().map(Vec::as_slice),
        );
        let scan = view.scan(from, to, order).take(limit);
        let rows: Vec<_> = scan.map(Result::unwrap).collect();
        let rows: Vec<_> = rows.iter().map(|(key, value)| (key, value)).collect();
        expected.truncate(limit);
        assert_eq!(rows, expected);
    }
    for _ in 0..4 {
        let key = &keys[dice.below(keys.len() as u64) as usize];
        let left_out = match key[0] {
            1 => 0,
            2 => 2,
            _ => continue,
        };
        let Some(length) = key.len().checked_sub(left_out).filter(|n| *n > 0) else {
            continue;
        };
        let (group, last) = key.split_at(length);
        let after = dice.once_in(2).then_some(last);
        let mut expected: Vec<_> = map
            .iter()
            .filter(|(other, _)| other.starts_with(group) && other.len() == key.len())
            .collect();
        let mut order = Order::Ascending;
        if dice.once_in(2) {
            expected.reverse();
            order = Order::Descending;
        }
        expected.retain(|(other, _)| match order {
            Order::Ascending => after.is_none_or(|after| &other[length..] > after),
            Order::Descending => after.is_none_or(|after| &other[length..] < after),
        });
        let rows: Vec<_> = view
            .group(group, after, order)
            .map(Result::unwrap)
            .collect();
        let rows: Vec<_> = rows.iter().map(|(key, value)| (key, value)).collect();
        assert_eq!(rows, expected);
    }
}

fn history(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut store = Store {
        home: home_on(&fault_free()),
        manifest: Vec::new(),
        journal: Vec::new(),
        version: Arc::new(Version::new(
            FILTERS,
            vec![Arc::new(Generation::new(1))],
            Vec::new(),
        )),
        height: 0,
        names: 0,
        model: vec![Map::new()],
        views: Vec::new(),
    };
    for _ in 0..120 {
        match dice.below(20) {
            0 | 1 => store.seal(),
            2 | 3 => store.flush(&mut dice),
            4 => store.merge(&mut dice),
            5 => store.reopen(&mut dice),
            6 | 7 => {
                let flushed = store.version.flushed_height().unwrap_or(0);
                let height = flushed + dice.below(store.height - flushed + 1);
                store.views.push(store.version.at(height));
            }
            _ => store.block(&mut dice),
        }
        if dice.once_in(10) {
            store.views.push(store.version.at(store.height));
            let keys = store.model.iter().flat_map(|map| map.keys().cloned());
            let mut keys: Vec<_> = keys
                .chain(some_rows(&mut dice, 9).into_iter().map(|r| r.0))
                .collect();
            keys.sort();
            keys.dedup();
            if keys.is_empty() {
                continue;
            }
            for view in &store.views {
                check(view, &store.model[view.height() as usize], &keys, &mut dice);
            }
            if store.views.len() > 6 {
                store.views.remove(dice.below(6) as usize);
            }
        }
    }
}

#[test]
fn a_view_shows_the_rows_of_its_height_whatever_is_flushed_and_merged() {
    for seed in 0..HISTORIES {
        let outcome = std::panic::catch_unwind(|| history(seed));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
