//! A state with the changes of a block over it, of which the latest can be taken back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::crypto::Kid;
use crate::identity::MemberId;
use crate::state::{
    Change, Changes, Fault, KeyBytes, KeyStanding, Standing, StateView, Table, TypedState,
};

/// A write that may still be taken back: where it went, and what the changes said of that entry.
struct Undo {
    table: Table,
    key: KeyBytes,
    before: Option<Change>,
}

/// A state with a block's changes over it, in layers that may be discarded: batch, record.
///
/// There is one set of changes. An open layer is the end of a list of what its writes covered.
pub(super) struct Layers<'v, V> {
    base: &'v V,
    changes: Changes,
    /// What the writes of the open layers covered, oldest first.
    undo: Vec<Undo>,
    /// Length of `undo` where each open layer began, innermost last.
    open: Vec<usize>,
    /// Signers that were read in this block. Each signs many records, and few records change one.
    members: BTreeMap<MemberId, Option<Standing>>,
    /// Keys that were read in this block.
    keys: BTreeMap<Kid, Option<KeyStanding>>,
}

impl<'v, V: StateView> Layers<'v, V> {
    pub(super) fn new(base: &'v V) -> Self {
        Self {
            base,
            changes: Changes::new(),
            undo: Vec::new(),
            open: Vec::new(),
            members: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    pub(super) fn typed(&self) -> TypedState<'_, Self> {
        TypedState(self)
    }

    /// What a member may do.
    pub(super) fn standing(&mut self, id: &MemberId) -> Result<Option<Standing>, Fault<V::Error>> {
        if let Some(known) = self.members.get(id) {
            return Ok(*known);
        }
        let read = self.typed().standing(id)?;
        self.members.insert(*id, read);
        Ok(read)
    }

    /// Whose a key is and whether it counts.
    pub(super) fn key_standing(
        &mut self,
        kid: &Kid,
    ) -> Result<Option<KeyStanding>, Fault<V::Error>> {
        if let Some(known) = self.keys.get(kid) {
            return Ok(*known);
        }
        let read = self.typed().key_standing(kid)?;
        self.keys.insert(*kid, read);
        Ok(read)
    }

    /// Opens a layer.
    pub(super) fn push(&mut self) {
        self.open.push(self.undo.len());
    }

    /// Closes the innermost layer; what it wrote belongs to the one below.
    pub(super) fn keep(&mut self) {
        self.open.pop();
        if self.open.is_empty() {
            self.undo.clear();
        }
    }

    /// Closes the innermost layer and takes back what it wrote.
    pub(super) fn discard(&mut self) {
        let start = self.open.pop().unwrap_or(0);
        // Newest first: an entry that was written twice gets back what it had before the first.
        for Undo { table, key, before } in self.undo.drain(start..).rev() {
            forget_read(&mut self.members, &mut self.keys, table);
            self.changes.restore(table, key, before);
        }
    }

    pub(super) fn put(&mut self, table: Table, key: KeyBytes, value: Vec<u8>) {
        self.write(table, key, Some(value));
    }

    pub(super) fn remove(&mut self, table: Table, key: KeyBytes) {
        self.write(table, key, None);
    }

    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    fn write(&mut self, table: Table, key: KeyBytes, change: Change) {
        forget_read(&mut self.members, &mut self.keys, table);
        if self.open.is_empty() {
            self.changes.replace(table, key, change);
        } else {
            let before = self.changes.replace(table, key.clone(), change);
            self.undo.push(Undo { table, key, before });
        }
    }
}

/// Signers and keys are read again after a change to any of them.
fn forget_read(
    members: &mut BTreeMap<MemberId, Option<Standing>>,
    keys: &mut BTreeMap<Kid, Option<KeyStanding>>,
    table: Table,
) {
    match table {
        Table::Member => members.clear(),
        Table::Key => keys.clear(),
        Table::MemberNumber
        | Table::Quota
        | Table::Document
        | Table::Alias
        | Table::Claim
        | Table::Confirmation
        | Table::Record
        | Table::Counter
        | Table::Validators => {}
    }
}

impl<V: StateView> StateView for Layers<'_, V> {
    type Error = V::Error;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, V::Error> {
        match self.changes.get(table, key) {
            Some(covered) => Ok(covered.map(Cow::Borrowed)),
            None => self.base.get(table, key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::MemoryState;

    fn key(byte: u8) -> KeyBytes {
        KeyBytes::of(&[&[byte]])
    }

    fn read(layers: &Layers<'_, MemoryState>, byte: u8) -> Option<Vec<u8>> {
        let Ok(value) = layers.get(Table::Quota, &[byte]);
        value.map(Cow::into_owned)
    }

    #[test]
    fn a_discarded_layer_leaves_what_was_before_it() {
        let mut base = MemoryState::new();
        let mut stored = Changes::new();
        stored.put(Table::Quota, [1], vec![1]);
        stored.put(Table::Quota, [2], vec![1]);
        base.apply(&stored);
        let mut layers = Layers::new(&base);
        layers.put(Table::Quota, key(2), vec![2]);
        layers.push();
        layers.put(Table::Quota, key(2), vec![3]);
        layers.push();
        layers.remove(Table::Quota, key(1));
        layers.put(Table::Quota, key(2), vec![4]);
        layers.put(Table::Quota, key(2), vec![5]);
        layers.put(Table::Quota, key(3), vec![5]);
        let seen = [1, 2, 3].map(|byte| read(&layers, byte));
        assert_eq!(seen, [None, Some(vec![5]), Some(vec![5])]);
        layers.discard();
        let seen = [1, 2, 3].map(|byte| read(&layers, byte));
        assert_eq!(seen, [Some(vec![1]), Some(vec![3]), None]);
        layers.discard();
        let changes = layers.into_changes();
        assert_eq!(
            changes.iter().collect::<Vec<_>>(),
            [(Table::Quota, &[2][..], Some(&[2][..]))]
        );
    }

    #[test]
    fn a_kept_layer_goes_with_the_one_below() {
        let base = MemoryState::new();
        let mut layers = Layers::new(&base);
        layers.push();
        layers.push();
        layers.put(Table::Quota, key(1), vec![1]);
        layers.keep();
        assert_eq!(read(&layers, 1), Some(vec![1]));
        layers.discard();
        assert_eq!(read(&layers, 1), None);
        assert!(layers.into_changes().is_empty());
    }

    #[test]
    fn signers_are_read_anew_after_a_change_and_after_its_withdrawal() {
        let id = MemberId::from_bytes(b"91330000142942095H").unwrap();
        let member = |suspended| {
            let member = crate::state::Member {
                number: crate::state::MemberNo(1),
                roles: crate::record::RoleSet::default(),
                suspended,
                name: "n".to_owned(),
            };
            member.encode()
        };
        let base = MemoryState::new();
        let mut layers = Layers::new(&base);
        assert!(matches!(layers.standing(&id), Ok(None)));
        let key = || KeyBytes::of(&[id.as_bytes()]);
        layers.put(Table::Member, key(), member(false));
        let suspended = |layers: &mut Layers<'_, MemoryState>| {
            let Ok(standing) = layers.standing(&id) else {
                unreachable!("memory can be read")
            };
            standing.map(|standing| standing.suspended)
        };
        assert_eq!(suspended(&mut layers), Some(false));
        layers.push();
        layers.put(Table::Member, key(), member(true));
        assert_eq!(suspended(&mut layers), Some(true));
        layers.discard();
        assert_eq!(suspended(&mut layers), Some(false));
    }
}
