//! The state changes of a block.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{KeyBytes, StateView, Table};

/// What a change makes of an entry: its new value, or nothing.
pub(crate) type Change = Option<Vec<u8>>;

/// Changed entries in the order of table and key; `None` removes the entry.
///
/// The order is part of the digest, so equal changes give equal roots on every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes([BTreeMap<KeyBytes, Change>; Table::ALL.len()]);

impl Changes {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What these changes say of an entry: `None` when they do not touch it.
    #[must_use]
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        self.of(table).get(key).map(Option::as_deref)
    }

    /// Sets an entry.
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: Vec<u8>) {
        self.replace(table, KeyBytes::of(&[key.as_ref()]), Some(value));
    }

    /// Removes an entry.
    pub fn remove(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.replace(table, KeyBytes::of(&[key.as_ref()]), None);
    }

    /// Takes over the changes of a later layer.
    pub fn absorb(&mut self, later: Self) {
        for (all, later) in self.0.iter_mut().zip(later.0) {
            if all.is_empty() {
                *all = later;
            } else {
                all.extend(later);
            }
        }
    }

    /// The changes in digest order.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        Table::ALL.into_iter().zip(&self.0).flat_map(|(table, of)| {
            of.iter()
                .map(move |(key, value)| (table, key.as_slice(), value.as_deref()))
        })
    }

    /// Whether an entry of a table changes.
    #[must_use]
    pub fn has_any(&self, table: Table) -> bool {
        !self.of(table).is_empty()
    }

    /// How many entries change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(BTreeMap::len).sum()
    }

    /// True when nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }

    /// Sets what becomes of an entry and gives what these changes said of it before.
    pub(crate) fn replace(
        &mut self,
        table: Table,
        key: KeyBytes,
        change: Change,
    ) -> Option<Change> {
        self.of_mut(table).insert(key, change)
    }

    /// Takes a [`replace`](Self::replace) back.
    pub(crate) fn restore(&mut self, table: Table, key: KeyBytes, before: Option<Change>) {
        match before {
            Some(change) => self.of_mut(table).insert(key, change),
            None => self.of_mut(table).remove(&key),
        };
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "a table's place is below the number of tables"
    )]
    fn of(&self, table: Table) -> &BTreeMap<KeyBytes, Change> {
        &self.0[table.place()]
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "a table's place is below the number of tables"
    )]
    fn of_mut(&mut self, table: Table) -> &mut BTreeMap<KeyBytes, Change> {
        &mut self.0[table.place()]
    }
}

/// Changes laid over a view: what a block leaves of the state, before it is stored, or an older
/// state rebuilt from undo entries. Laid over one another they are several blocks that wait to be
/// stored.
#[derive(Debug)]
pub struct Overlay<'a, V> {
    /// The state below.
    pub base: &'a V,
    /// What covers it.
    pub changes: &'a Changes,
}

impl<V: StateView> StateView for Overlay<'_, V> {
    type Error = V::Error;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Self::Error> {
        match self.changes.get(table, key) {
            Some(covered) => Ok(covered.map(Cow::Borrowed)),
            None => self.base.get(table, key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_changes_cover_earlier_ones() {
        let (mut earlier, mut later) = (Changes::new(), Changes::new());
        earlier.put(Table::Claim, [1], vec![1]);
        earlier.put(Table::Claim, [2], vec![1]);
        later.remove(Table::Claim, [1]);
        later.put(Table::Claim, [3], vec![2]);
        earlier.absorb(later);
        let mut seen = earlier.iter();
        assert_eq!(seen.next(), Some((Table::Claim, &[1][..], None)));
        assert_eq!(seen.next(), Some((Table::Claim, &[2][..], Some(&[1][..]))));
        assert_eq!(seen.next(), Some((Table::Claim, &[3][..], Some(&[2][..]))));
        assert_eq!(seen.next(), None);
    }

    #[test]
    fn blocks_that_wait_are_seen_through_one_another() {
        let state = crate::state::MemoryState::new();
        let (mut first, mut second) = (Changes::new(), Changes::new());
        first.put(Table::Quota, [1], vec![1]);
        first.put(Table::Quota, [2], vec![1]);
        second.remove(Table::Quota, [1]);
        let below = Overlay {
            base: &state,
            changes: &first,
        };
        let above = Overlay {
            base: &below,
            changes: &second,
        };
        let read = |key: u8| {
            above
                .get(Table::Quota, &[key])
                .unwrap()
                .map(Cow::into_owned)
        };
        assert_eq!([read(1), read(2), read(3)], [None, Some(vec![1]), None]);
    }
}
