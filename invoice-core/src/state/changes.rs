//! The state changes of a block and their digest.

use std::collections::BTreeMap;

use super::{StateView, Table};
use crate::codec::Writer;
use crate::crypto::{Hash, sm3};

/// First byte of the effects digest's input.
const EFFECTS_DOMAIN: u8 = 0x04;

/// Changed entries in the order of table and key; `None` removes the entry.
///
/// The order is part of the digest, so equal changes give equal roots on every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>);

impl Changes {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What these changes say of an entry: `None` when they do not touch it.
    #[must_use]
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        // The map is keyed by an owned pair; a borrowed look-up would need a second key type.
        self.0.get(&(table, key.to_vec())).map(Option::as_deref)
    }

    /// Sets an entry.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert((table, key), Some(value));
    }

    /// Removes an entry.
    pub fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.0.insert((table, key), None);
    }

    /// Takes over the changes of a later layer.
    pub fn absorb(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    /// The changes in digest order.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.0
            .iter()
            .map(|((table, key), value)| (*table, key.as_slice(), value.as_deref()))
    }

    /// How many entries change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `effects_root` of a block header.
    ///
    /// SM3 over the domain byte 0x04 and, for each change in order: table (u8), key length (u16),
    /// key, 1 and value length (u32) and value, or 0 for a removed entry.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut bytes = Writer::new();
        bytes.put_u8(EFFECTS_DOMAIN);
        for (table, key, value) in self.iter() {
            bytes.put_u8(table.number());
            bytes.put_u16(u16::try_from(key.len()).unwrap_or(u16::MAX));
            bytes.put(key);
            match value {
                Some(value) => {
                    bytes.put_u8(1);
                    bytes.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
                    bytes.put(value);
                }
                None => bytes.put_u8(0),
            }
        }
        sm3(&[&bytes.into_bytes()])
    }
}

/// Changes laid over a view: what a block sees of itself while it executes, or an older state
/// rebuilt from undo entries.
pub struct Overlay<'a, V> {
    /// The state below.
    pub base: &'a V,
    /// What covers it.
    pub changes: &'a Changes,
}

impl<V: StateView> StateView for Overlay<'_, V> {
    type Error = V::Error;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error> {
        match self.changes.get(table, key) {
            Some(covered) => Ok(covered.map(<[u8]>::to_vec)),
            None => self.base.get(table, key),
        }
    }
}
