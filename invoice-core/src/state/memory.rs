//! The state in memory: for replaying a chain from its genesis without a database.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{Changes, KeyBytes, StateView, Table};

/// A whole state in ordered maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState([BTreeMap<KeyBytes, Vec<u8>>; Table::ALL.len()]);

impl MemoryState {
    /// An empty state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the changes of a block.
    pub fn apply(&mut self, changes: &Changes) {
        for (table, key, value) in changes.iter() {
            let Some(entries) = self.0.get_mut(table.place()) else {
                continue;
            };
            match value {
                Some(value) => entries.insert(KeyBytes::of(&[key]), value.to_vec()),
                None => entries.remove(key),
            };
        }
    }

    /// Every entry, by table and key.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], &[u8])> {
        Table::ALL.into_iter().zip(&self.0).flat_map(|(table, of)| {
            of.iter()
                .map(move |(key, value)| (table, key.as_slice(), value.as_slice()))
        })
    }
}

impl StateView for MemoryState {
    type Error = Infallible;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Infallible> {
        let entries = self.0.get(table.place());
        Ok(entries
            .and_then(|entries| entries.get(key))
            .map(|value| Cow::Borrowed(value.as_slice())))
    }
}
