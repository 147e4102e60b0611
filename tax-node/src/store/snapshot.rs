//! Reading the chain and the state as they stood at one moment.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use redb::{Key, ReadOnlyTable, ReadTransaction, TableDefinition, Value};

use invoice_core::chain::{Block, Certificate};
use invoice_core::codec::DecodeError;
use invoice_core::state::{Changes, StateView, Table};

use super::block_row::{self, BlockOutline};
use super::bundle::{self, BUNDLE_LEAVES, Bundle, BundleCache};
use super::error::{Damage, ReadError, contained};
use super::head::Head;
use super::{commit, tables, undo};

type StateTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// What all handles of one opened store share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stopped: AtomicBool,
    pub(super) bundles: BundleCache,
}

impl Shared {
    /// Ends all service through this opening of the store.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Runs a read; a failing one stops the store.
    pub(super) fn guard<T>(
        &self,
        read: impl FnOnce() -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if self.stopped() {
            return Err(ReadError::Stopped);
        }
        contained(read, ReadError::storage).inspect_err(|_| self.stop())
    }
}

/// A block as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// The validators' signatures over its id.
    pub certificate: Certificate,
}

/// A consistent view of the store: blocks that are committed later are not seen.
///
/// It keeps old pages from being reused, so it should not be held for long. Every method fails
/// with [`ReadError::Stopped`] once the store has stopped, and a method that finds the file
/// unreadable or damaged stops the store.
pub struct Snapshot {
    pub(super) transaction: ReadTransaction,
    pub(super) shared: Arc<Shared>,
    head: Head,
    state: [OnceLock<StateTable>; Table::ALL.len()],
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn new(
        transaction: ReadTransaction,
        shared: Arc<Shared>,
    ) -> Result<Self, ReadError> {
        let meta = transaction
            .open_table(tables::META)
            .map_err(ReadError::storage)?;
        let head = commit::read_head(&meta)?;
        drop(meta);
        Ok(Self {
            transaction,
            shared,
            head,
            state: Default::default(),
        })
    }

    /// Where the chain ended when the snapshot was taken.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, ReadError> {
        self.transaction
            .open_table(definition)
            .map_err(ReadError::storage)
    }

    /// The exact bytes of the genesis file.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; so for every method here.
    pub fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        self.shared.guard(|| {
            let meta = self.table(tables::META)?;
            let row = meta.get(tables::META_GENESIS).map_err(ReadError::storage)?;
            let row = row.ok_or_else(|| Damage::new("meta", tables::META_GENESIS, "missing"))?;
            Ok(row.value().to_vec())
        })
    }

    /// A block without its records; `None` above the head and at height 0.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn outline(&self, height: u64) -> Result<Option<BlockOutline>, ReadError> {
        if height == 0 || height > self.head.height {
            return Ok(None);
        }
        self.shared.guard(|| self.read_outline(height).map(Some))
    }

    pub(super) fn read_outline(&self, height: u64) -> Result<BlockOutline, ReadError> {
        let damage = |fault| Damage::new("blocks", height, fault);
        let blocks = self.table(tables::BLOCKS)?;
        let row = blocks.get(height).map_err(ReadError::storage)?;
        let row = row.ok_or_else(|| damage("missing"))?;
        let outline = block_row::decode(row.value()).map_err(|_| damage("unreadable"))?;
        if outline.header.height != height {
            return Err(damage("holds a block of another height").into());
        }
        Ok(outline)
    }

    /// A whole block; `None` above the head and at height 0.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn block(&self, height: u64) -> Result<Option<StoredBlock>, ReadError> {
        if height == 0 || height > self.head.height {
            return Ok(None);
        }
        self.shared.guard(|| {
            let outline = self.read_outline(height)?;
            let leaves = self.read_leaves(outline.header.first_index, outline.header.count)?;
            assemble(height, outline, &leaves).map(Some)
        })
    }

    /// The height of the block that holds a leaf; `None` beyond the end of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn height_of_leaf(&self, index: u64) -> Result<Option<u64>, ReadError> {
        if index >= self.head.log_size() {
            return Ok(None);
        }
        self.shared
            .guard(|| self.read_height_of_leaf(index).map(Some))
    }

    pub(super) fn read_height_of_leaf(&self, index: u64) -> Result<u64, ReadError> {
        let first = self.table(tables::FIRST_INDEX)?;
        let mut rows = first.range(..=index).map_err(ReadError::storage)?;
        match rows.next_back() {
            Some(row) => Ok(row.map_err(ReadError::storage)?.1.value()),
            None => {
                Err(Damage::new("first_index", index, "no block begins at or before it").into())
            }
        }
    }

    /// The bytes of a leaf; `None` beyond the end of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn leaf(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if index >= self.head.log_size() {
            return Ok(None);
        }
        self.shared.guard(|| Ok(self.read_leaves(index, 1)?.pop()))
    }

    /// The bytes of `count` leaves from `first` on, fewer at the end of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn leaves(&self, first: u64, count: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let left = self.head.log_size().saturating_sub(first);
        let count = u32::try_from(left.min(u64::from(count))).unwrap_or(count);
        self.shared.guard(|| self.read_leaves(first, count))
    }

    pub(super) fn read_leaves(&self, first: u64, count: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let end = first.saturating_add(u64::from(count));
        let bundled = (self.head.log_size() / BUNDLE_LEAVES).saturating_mul(BUNDLE_LEAVES);
        let mut leaves = Vec::new();
        let mut index = first;
        while index < end.min(bundled) {
            let number = index / BUNDLE_LEAVES;
            let bundle = self.bundle(number)?;
            let next = number
                .saturating_add(1)
                .saturating_mul(BUNDLE_LEAVES)
                .min(end);
            while index < next {
                let leaf = bundle.leaf(index % BUNDLE_LEAVES);
                let leaf = leaf.ok_or_else(|| Damage::new("bundles", number, "cut short"))?;
                leaves.push(leaf.to_vec());
                index = index.saturating_add(1);
            }
        }
        if index < end {
            let tail = self.table(tables::TAIL)?;
            while index < end {
                let row = tail.get(index).map_err(ReadError::storage)?;
                let row = row.ok_or_else(|| Damage::new("tail", index, "missing"))?;
                leaves.push(row.value().to_vec());
                index = index.saturating_add(1);
            }
        }
        Ok(leaves)
    }

    fn bundle(&self, number: u64) -> Result<Arc<Bundle>, ReadError> {
        if let Some(bundle) = self.shared.bundles.get(number) {
            return Ok(bundle);
        }
        let bundles = self.table(tables::BUNDLES)?;
        let row = bundles.get(number).map_err(ReadError::storage)?;
        let row = row.ok_or_else(|| Damage::new("bundles", number, "missing"))?;
        let bundle = bundle::unpack(row.value());
        let bundle = Arc::new(bundle.map_err(|fault| Damage::new("bundles", number, fault))?);
        self.shared.bundles.put(number, &bundle);
        Ok(bundle)
    }

    /// What the block at `height` replaced.
    pub(super) fn read_undo(&self, height: u64) -> Result<Changes, ReadError> {
        let damage = |fault| Damage::new("undo", height, fault);
        let undos = self.table(tables::UNDO)?;
        let row = undos.get(height).map_err(ReadError::storage)?;
        let row = row.ok_or_else(|| damage("missing"))?;
        Ok(undo::decode(row.value()).map_err(|_: DecodeError| damage("unreadable"))?)
    }

    pub(super) fn state_table(&self, table: Table) -> Result<&StateTable, ReadError> {
        let place = usize::from(table.number()).saturating_sub(1);
        let slot = self.state.get(place);
        let slot =
            slot.ok_or_else(|| Damage::new(tables::state_name(table), "", "unknown table"))?;
        if let Some(opened) = slot.get() {
            return Ok(opened);
        }
        let opened = self.table(tables::state_table(table))?;
        Ok(slot.get_or_init(|| opened))
    }
}

impl StateView for Snapshot {
    type Error = ReadError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        self.shared.guard(|| {
            let row = self
                .state_table(table)?
                .get(key)
                .map_err(ReadError::storage)?;
            Ok(row.map(|row| Cow::Owned(row.value().to_vec())))
        })
    }
}

/// Puts a block together from its row and its leaves.
pub(super) fn assemble(
    height: u64,
    outline: BlockOutline,
    leaves: &[Vec<u8>],
) -> Result<StoredBlock, ReadError> {
    let assembled = outline.assemble(leaves);
    let (block, certificate) =
        assembled.map_err(|_| Damage::new("blocks", height, "does not match its leaves"))?;
    Ok(StoredBlock { block, certificate })
}
