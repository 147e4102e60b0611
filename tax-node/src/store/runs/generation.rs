//! Rows of the last blocks in memory, every version of them.
//!
//! The rows of one block are put in while readers look at earlier heights; a reader never sees a
//! height above its own. A generation ends at a block: when it is sealed, the next one begins with
//! the next height, so that a flush always takes whole generations and a reader that holds one
//! goes on reading it.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::key::Key;
use super::{KEY_BYTES_MAX, KEYSPACES_MAX, Order, VALUE_BYTES_MAX};

/// The newest version of a row that someone may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// It has this value.
    Value(Vec<u8>),
    /// It was removed.
    Removed,
}

/// The writer lets readers in after so many rows.
const ROWS_PER_LOCK: usize = 256;

/// Values lie in pieces of memory of so many bytes; a longer value has one of its own.
const PIECE_BYTES: usize = 1 << 20;

/// Memory that the tree takes for one row: a node has room for eleven, and is about two thirds
/// full.
const TREE_BYTES_PER_ROW: usize = (size_of::<Key>() + size_of::<Stored>()) * 3 / 2 + 8;

/// No version before this one.
const NONE: u32 = u32::MAX;

/// A row that was removed has this length.
const REMOVED: u32 = u32::MAX;

/// One version of a row.
#[derive(Clone, Copy, Debug)]
struct Stored {
    /// In which piece its value lies, and where in it.
    piece: u32,
    start: u32,
    length: u32,
    /// Blocks after the generation's first.
    height: u32,
    /// Where in `older` the version before it is.
    before: u32,
}

/// The rows of one keyspace.
#[derive(Debug, Default)]
struct Space {
    newest: BTreeMap<Key, Stored>,
    older: Vec<Stored>,
    pieces: Vec<Vec<u8>>,
}

impl Space {
    /// Adds a version; returns the memory that it takes in bytes.
    fn put(&mut self, key: &[u8], value: Option<&[u8]>, height: u32) -> usize {
        let (stored, mut bytes) = self.store(value, height);
        let key = Key::new(key);
        let heap = key.heap_bytes();
        match self.newest.entry(key) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(stored);
                bytes += TREE_BYTES_PER_ROW + heap;
            }
            btree_map::Entry::Occupied(mut occupied) => {
                let before = u32::try_from(self.older.len()).unwrap_or(NONE);
                assert!(before != NONE, "a generation holds too many versions");
                self.older.push(*occupied.get());
                occupied.insert(Stored { before, ..stored });
                bytes += size_of::<Stored>();
            }
        }
        bytes
    }

    fn store(&mut self, value: Option<&[u8]>, height: u32) -> (Stored, usize) {
        let mut stored = Stored {
            piece: 0,
            start: 0,
            length: REMOVED,
            height,
            before: NONE,
        };
        let Some(value) = value else {
            return (stored, 0);
        };
        let fits = |piece: &Vec<u8>| piece.capacity() - piece.len() >= value.len();
        let mut bytes = 0;
        if !self.pieces.last().is_some_and(fits) {
            let room = PIECE_BYTES.max(value.len());
            // The first piece is small: most keyspaces are.
            let room = match self.pieces.len() {
                0 => (PIECE_BYTES / 256).max(value.len()),
                _ => room,
            };
            self.pieces.push(Vec::with_capacity(room));
            bytes = room;
        }
        stored.piece = u32::try_from(self.pieces.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if let Some(piece) = self.pieces.last_mut() {
            stored.start = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            stored.length = u32::try_from(value.len()).unwrap_or(REMOVED);
            piece.extend_from_slice(value);
        }
        (stored, bytes)
    }

    fn value(&self, stored: &Stored) -> Option<&[u8]> {
        if stored.length == REMOVED {
            return None;
        }
        let start = stored.start as usize;
        let piece = self.pieces.get(stored.piece as usize);
        let value = piece.and_then(|piece| piece.get(start..start + stored.length as usize));
        Some(value.unwrap_or_default())
    }

    fn cell(&self, stored: &Stored) -> Cell {
        match self.value(stored) {
            Some(value) => Cell::Value(value.to_vec()),
            None => Cell::Removed,
        }
    }

    /// The newest version at or below `height`.
    fn at(&self, newest: &Stored, height: u32) -> Option<Stored> {
        let mut stored = *newest;
        while stored.height > height {
            stored = *self.older.get(stored.before as usize)?;
        }
        Some(stored)
    }
}

/// Rows of consecutive blocks in memory, every version of them. One writer, any number of readers.
#[derive(Debug)]
pub(crate) struct Generation {
    spaces: Box<[RwLock<Space>]>,
    first_height: u64,
    /// No height below it can be put in.
    next_height: AtomicU64,
    bytes: AtomicUsize,
    sealed: AtomicBool,
}

/// The keyspace of a key and what follows it; `None` of an empty key and of a keyspace beyond the
/// last.
fn split(key: &[u8]) -> Option<(usize, &[u8])> {
    let (space, rest) = key.split_first()?;
    (*space < KEYSPACES_MAX).then_some((usize::from(*space), rest))
}

impl Generation {
    /// For blocks from `first_height` on.
    pub(crate) fn new(first_height: u64) -> Self {
        Self {
            spaces: (0..KEYSPACES_MAX).map(|_| RwLock::default()).collect(),
            first_height,
            next_height: AtomicU64::new(first_height),
            bytes: AtomicUsize::new(0),
            sealed: AtomicBool::new(false),
        }
    }

    /// Adds a block's rows, sorted by key and each key once; `None` removes a row. Heights ascend.
    /// Readers at lower heights see nothing of it.
    ///
    /// # Panics
    /// When the caller is wrong: the generation is sealed, the height is not above the last one, or
    /// a key or value is longer than a run can hold.
    pub(crate) fn apply<'r>(
        &self,
        height: u64,
        rows: impl IntoIterator<Item = (&'r [u8], Option<&'r [u8]>)>,
    ) {
        assert!(!self.is_sealed(), "a sealed generation takes no rows");
        assert!(
            height >= self.next_height.load(Ordering::Relaxed),
            "heights ascend"
        );
        let offset = u32::try_from(height - self.first_height).unwrap_or(u32::MAX);
        assert!(offset < u32::MAX, "a generation spans too many blocks");
        let mut rows = rows.into_iter().peekable();
        let mut bytes = 0_usize;
        while let Some((key, _)) = rows.peek() {
            let number = key.first().copied();
            let space = split(key).and_then(|(space, _)| self.spaces.get(space));
            assert!(
                space.is_some(),
                "a key begins with a keyspace that there is"
            );
            let Some(space) = space else { break };
            let mut space = space.write().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..ROWS_PER_LOCK {
                let Some((key, value)) = rows.next_if(|(key, _)| key.first().copied() == number)
                else {
                    break;
                };
                assert!(
                    key.len() <= KEY_BYTES_MAX
                        && value.is_none_or(|value| value.len() <= VALUE_BYTES_MAX),
                    "a row is longer than a run can hold"
                );
                bytes += space.put(key.get(1..).unwrap_or_default(), value, offset);
            }
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.next_height.store(height + 1, Ordering::Release);
    }

    fn read(&self, space: usize) -> Option<RwLockReadGuard<'_, Space>> {
        let space = self.spaces.get(space)?;
        Some(space.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// `height` in blocks after the first, when it is not before.
    fn offset(&self, height: u64) -> Option<u32> {
        let offset = height.checked_sub(self.first_height)?;
        Some(u32::try_from(offset).unwrap_or(u32::MAX))
    }

    /// The newest version of a row at or below `height`; `None` when this generation knows nothing
    /// of it.
    pub(crate) fn get(&self, key: &[u8], height: u64) -> Option<Cell> {
        let offset = self.offset(height)?;
        let (space, rest) = split(key)?;
        let space = self.read(space)?;
        let stored = space.at(space.newest.get(&Key::new(rest))?, offset)?;
        Some(space.cell(&stored))
    }

    /// Whether the row is there at `height`; `None` when this generation knows nothing of it.
    pub(crate) fn contains(&self, key: &[u8], height: u64) -> Option<bool> {
        let offset = self.offset(height)?;
        let (space, rest) = split(key)?;
        let space = self.read(space)?;
        let stored = space.at(space.newest.get(&Key::new(rest))?, offset)?;
        Some(stored.length != REMOVED)
    }

    /// The next rows of one keyspace between two bounds (of keys without the keyspace) in
    /// `order`, at most `limit`, with the keyspace before their keys.
    pub(crate) fn page(
        &self,
        number: u8,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        height: u64,
        limit: usize,
    ) -> Vec<(Vec<u8>, Cell)> {
        let Some(offset) = self.offset(height) else {
            return Vec::new();
        };
        let Some(space) = self.read(usize::from(number)) else {
            return Vec::new();
        };
        if is_empty(range) {
            return Vec::new();
        }
        let rows = space.newest.range::<[u8], _>(range);
        let row = |(key, stored): (&Key, &Stored)| {
            let stored = space.at(stored, offset)?;
            let key = key.as_slice();
            let mut whole = Vec::with_capacity(key.len().saturating_add(1));
            whole.push(number);
            whole.extend_from_slice(key);
            Some((whole, space.cell(&stored)))
        };
        match order {
            Order::Ascending => rows.filter_map(row).take(limit).collect(),
            Order::Descending => rows.rev().filter_map(row).take(limit).collect(),
        }
    }

    /// No more rows.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    /// Whether it takes no more rows.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// The first height that it was made for.
    pub(crate) const fn first_height(&self) -> u64 {
        self.first_height
    }

    /// The last height that was put in; one less than the first when there is none, and 0 rather
    /// than less.
    pub(crate) fn last_height(&self) -> u64 {
        self.next_height.load(Ordering::Acquire).saturating_sub(1)
    }

    /// Memory that the rows take, in bytes; the tree's share is estimated.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many keys of one keyspace are in memory.
    pub(crate) fn rows_of(&self, keyspace: u8) -> usize {
        self.read(usize::from(keyspace))
            .map_or(0, |space| space.newest.len())
    }

    /// How many keys are in memory.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> usize {
        (0..KEYSPACES_MAX)
            .map(|keyspace| self.rows_of(keyspace))
            .sum()
    }

    /// Holds all rows still, so that they can be walked without copying.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held(
            (0..self.spaces.len())
                .filter_map(|space| self.read(space))
                .collect(),
        )
    }
}

/// `BTreeMap::range` panics on a range that ends before it begins.
fn is_empty((from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
    }
}

/// A generation whose rows are held still.
#[derive(Debug)]
pub(crate) struct Held<'g>(Vec<RwLockReadGuard<'g, Space>>);

impl Held<'_> {
    /// The newest version of every row, in order: keyspace, the rest of the key, and the value or
    /// `None` when it was removed.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u8, &[u8], Option<&[u8]>)> {
        (0..).zip(&self.0).flat_map(|(number, space)| {
            let rows = space.newest.iter();
            rows.map(move |(key, stored)| (number, key.as_slice(), space.value(stored)))
        })
    }
}
