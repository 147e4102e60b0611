//! Reading generations and runs as one sorted map, as of a height.

use std::ops::Bound;
use std::sync::Arc;

use super::Order;
use super::error::RunError;
use super::filter::{Filters, key_hash};
use super::generation::{Cell, Generation};
use super::run::Run;
use super::scan::Scan;

/// What exists at one moment: generations and runs, each newest first. It never changes; whoever
/// holds it goes on reading what it names.
#[derive(Debug)]
pub(crate) struct Version {
    filters: Filters,
    generations: Vec<Arc<Generation>>,
    runs: Vec<Arc<Run>>,
}

impl Version {
    /// Takes generations and runs, each newest first; all runs are older than all generations.
    pub(crate) const fn new(
        filters: Filters,
        generations: Vec<Arc<Generation>>,
        runs: Vec<Arc<Run>>,
    ) -> Self {
        Self {
            filters,
            generations,
            runs,
        }
    }

    /// The generations, newest first.
    pub(crate) fn generations(&self) -> &[Arc<Generation>] {
        &self.generations
    }

    /// The runs, newest first.
    pub(crate) fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// The last height that is in a run; what was before it can no longer be seen.
    pub(crate) fn flushed_height(&self) -> Option<u64> {
        self.runs.iter().map(|run| run.info().last_height).max()
    }

    /// All rows as of `height`.
    ///
    /// # Panics
    /// When later rows are in a run already.
    pub(crate) fn at(self: &Arc<Self>, height: u64) -> View {
        assert!(
            self.flushed_height()
                .is_none_or(|flushed| flushed <= height),
            "rows above the height were flushed"
        );
        View {
            version: Arc::clone(self),
            height,
        }
    }
}

/// All rows as of a height.
#[derive(Clone, Debug)]
pub(crate) struct View {
    version: Arc<Version>,
    height: u64,
}

impl View {
    /// The height.
    pub(crate) const fn height(&self) -> u64 {
        self.height
    }

    /// What it reads.
    pub(crate) const fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// The value of a row.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RunError> {
        for generation in &self.version.generations {
            match generation.get(key, self.height) {
                Some(Cell::Value(value)) => return Ok(Some(value)),
                Some(Cell::Removed) => return Ok(None),
                None => {}
            }
        }
        self.find(key, |plain, value| {
            value.map(|value| plain.get(value).unwrap_or_default().to_vec())
        })
    }

    /// Whether there is a row.
    pub(crate) fn contains(&self, key: &[u8]) -> Result<bool, RunError> {
        for generation in &self.version.generations {
            if let Some(is_there) = generation.contains(key, self.height) {
                return Ok(is_there);
            }
        }
        let found = self.find(key, |_, value| value.map(|_| ()))?;
        Ok(found.is_some())
    }

    /// The first run that knows of the key decides.
    fn find<T>(
        &self,
        key: &[u8],
        take: impl FnOnce(&[u8], Option<std::ops::Range<usize>>) -> Option<T>,
    ) -> Result<Option<T>, RunError> {
        let hash = self.version.filters.hash_of(key);
        for run in &self.version.runs {
            if run.may_hold(hash)
                && let Some((plain, value)) = run.find(key)?
            {
                return Ok(take(&plain, value));
            }
        }
        Ok(None)
    }

    /// Rows between two keys, in either order. It reads on as it is asked and holds no lock in
    /// between.
    pub(crate) fn scan(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, order: Order) -> Scan {
        Scan::new(self, from, to, order, None, |_| true)
    }

    /// Rows whose key is `group` (with its keyspace) followed by exactly the bytes that the
    /// keyspace's filter leaves out, and these bytes come after `after` in the order. Runs whose
    /// filter does not know the group are not read.
    ///
    /// # Panics
    /// When the keyspace has no filter.
    pub(crate) fn group(&self, group: &[u8], after: Option<&[u8]>, order: Order) -> Scan {
        let left_out = group
            .first()
            .and_then(|keyspace| self.version.filters.left_out(*keyspace));
        assert!(left_out.is_some(), "a keyspace with groups has a filter");
        let length = left_out.unwrap_or(0);
        let hash = Some(key_hash(group));
        let mut end = group.to_vec();
        end.extend(std::iter::repeat_n(u8::MAX, length));
        let mut cursor = group.to_vec();
        cursor.extend_from_slice(after.unwrap_or_default());
        let beyond = after.map(|_| Bound::Excluded(cursor.as_slice()));
        let (from, to) = match order {
            Order::Ascending => (
                beyond.unwrap_or(Bound::Included(group)),
                Bound::Included(end.as_slice()),
            ),
            Order::Descending => (
                Bound::Included(group),
                beyond.unwrap_or(Bound::Included(end.as_slice())),
            ),
        };
        Scan::new(self, from, to, order, Some(end.len()), |run| {
            run.may_hold(hash)
        })
    }
}
