//! The state in memory: for replaying a chain from its genesis without a database.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{Changes, StateView, Table};

/// A whole state in ordered maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl MemoryState {
    /// An empty state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the changes of a block.
    pub fn apply(&mut self, changes: &Changes) {
        for (table, key, value) in changes.iter() {
            match value {
                Some(value) => self.0.insert((table, key.to_vec()), value.to_vec()),
                None => self.0.remove(&(table, key.to_vec())),
            };
        }
    }

    /// Every entry, by table and key.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], &[u8])> {
        self.0
            .iter()
            .map(|((table, key), value)| (*table, key.as_slice(), value.as_slice()))
    }
}

impl StateView for MemoryState {
    type Error = Infallible;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }
}
