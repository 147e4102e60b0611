//! Rows, and the changes that folding makes to them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Bound;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Sorted byte keys with byte values, wherever they are kept.
pub trait Rows {
    /// Why they cannot be read.
    type Error;

    /// The value of a key.
    ///
    /// # Errors
    /// The rows cannot be read; so for both methods.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Up to `limit` rows with keys from `from` on and below `to`, the first ones in order or,
    /// `descending`, the last ones backwards.
    ///
    /// # Errors
    /// The rows cannot be read.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Row>, Self::Error>;
}

/// Rows in memory: for tests, and for whoever wants figures of a few blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl Memory {
    /// Takes over what a batch changed.
    pub fn apply(&mut self, changed: Changed) {
        for (key, value) in changed {
            match value {
                Some(value) => drop(self.0.insert(key, value)),
                None => drop(self.0.remove(&key)),
            }
        }
    }
}

impl Rows for Memory {
    type Error = Infallible;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Row>, Infallible> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        let rows = self.0.range::<[u8], _>(range);
        let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match descending {
            false => rows.take(limit).map(owned).collect(),
            true => rows.rev().take(limit).map(owned).collect(),
        })
    }
}

/// What a batch leaves: keys with their new values, or without one when they are removed.
pub type Changed = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Rows with changes that are not kept yet.
#[derive(Debug)]
pub struct Changes<'r, R> {
    base: &'r R,
    changed: Changed,
}

impl<'r, R: Rows> Changes<'r, R> {
    /// No changes yet.
    pub const fn new(base: &'r R) -> Self {
        Self {
            base,
            changed: Changed::new(),
        }
    }

    /// How many rows were touched: a measure of the memory that the batch takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changed.len()
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Everything that is to be kept.
    #[must_use]
    pub fn into_changed(self) -> Changed {
        self.changed
    }

    /// The value that a key has now.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, R::Error> {
        match self.changed.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changed.insert(key, Some(value));
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.changed.insert(key, None);
    }

    /// Changes a value in place; an absent one is empty before. Ending empty, it is removed.
    pub(crate) fn update<T>(
        &mut self,
        key: Vec<u8>,
        change: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<T, R::Error> {
        let base = self.base;
        let slot = match self.changed.entry(key) {
            std::collections::btree_map::Entry::Occupied(slot) => slot.into_mut(),
            std::collections::btree_map::Entry::Vacant(slot) => {
                let value = base.get(slot.key())?;
                slot.insert(value)
            }
        };
        let mut value = slot.take().unwrap_or_default();
        let result = change(&mut value);
        *slot = (!value.is_empty()).then_some(value);
        Ok(result)
    }

    /// Up to `limit` rows of a range, in order.
    pub(crate) fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, R::Error> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        let removed = self
            .changed
            .range::<[u8], _>(range)
            .filter(|row| row.1.is_none());
        // Rows that were removed may hide as many that are still there.
        let enough = limit.saturating_add(removed.count());
        let base = self.base.scan(from, to, false, enough)?;
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = base.into_iter().collect();
        for (key, value) in self.changed.range::<[u8], _>(range) {
            match value {
                Some(value) => drop(rows.insert(key.clone(), value.clone())),
                None => drop(rows.remove(key)),
            }
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}
