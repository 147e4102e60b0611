//! Reading the chain and the state as they stood at one moment.

use std::borrow::Cow;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use invoice_core::chain::{Block, Certificate};
use invoice_core::codec::Reader;
use invoice_core::state::{StateView, Table};

use super::block_row::BlockOutline;
use super::bodies::{BodyFile, Place};
use super::bundle::{BUNDLE_LEAVES, Bundle, Part};
use super::error::{Damage, ReadError};
use super::head::Head;
use super::runs::{Order, View};
use super::shared::{Published, Shared};
use super::tables::{self, key};
use super::young::YoungBlock;

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
/// It keeps old files and memory from being freed, so it should not be held for long. Every method
/// fails with [`ReadError::Stopped`] once the store has stopped, and a method that finds the files
/// unreadable or damaged stops the store.
pub struct Snapshot {
    pub(super) shared: Arc<Shared>,
    pub(super) published: Arc<Published>,
    pub(super) view: View,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("head", self.head())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// What exists now.
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        let published = shared.published();
        Self {
            shared: Arc::clone(shared),
            view: published.version.at(published.head.height),
            published,
        }
    }

    /// Where the chain ended when the snapshot was taken.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.published.head
    }

    /// The exact bytes of the genesis file.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; so for every method here.
    pub fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        self.shared.guard(|| Ok(self.shared.genesis.clone()))
    }

    /// A block without its records; `None` above the head and at height 0.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn outline(&self, height: u64) -> Result<Option<Arc<BlockOutline>>, ReadError> {
        if height == 0 || height > self.head().height {
            return Ok(None);
        }
        self.shared.guard(|| self.read_outline(height).map(Some))
    }

    pub(super) fn young_block(&self, height: u64) -> Option<Arc<YoungBlock>> {
        let mut segments = self.published.segments.iter();
        segments.find_map(|segment| segment.block(height))
    }

    fn young_block_of_leaf(&self, index: u64) -> Result<Arc<YoungBlock>, ReadError> {
        let mut segments = self.published.segments.iter();
        let block = segments.find_map(|segment| segment.block_of_leaf(index));
        block.ok_or_else(|| Damage::new("journal", index, "has no block with this leaf").into())
    }

    /// Whether a height is in files.
    fn is_flushed(&self, height: u64) -> bool {
        let flushed = self.published.flushed.as_ref();
        flushed.is_some_and(|flushed| height <= flushed.height)
    }

    pub(super) fn read_outline(&self, height: u64) -> Result<Arc<BlockOutline>, ReadError> {
        let damage = |fault| Damage::new("blocks", height, fault);
        if !self.is_flushed(height) {
            let block = self.young_block(height).ok_or_else(|| damage("missing"))?;
            return Ok(Arc::clone(&block.outline));
        }
        if let Some(outline) = self.shared.outlines.get(&height) {
            return Ok(outline);
        }
        let row = self
            .view
            .get(&key(tables::BLOCKS, &[&height.to_be_bytes()]))?;
        let row = row.ok_or_else(|| damage("missing"))?;
        let (file, place) = self.place(&row, "blocks", height)?;
        let outline = self.shared.bodies.outline(file, place, height)?;
        if outline.header.height != height {
            return Err(damage("has another height").into());
        }
        let outline = Arc::new(outline);
        self.shared.outlines.insert(height, Arc::clone(&outline));
        Ok(outline)
    }

    /// The place in a body file that a row tells.
    fn place(
        &self,
        row: &[u8],
        table: &'static str,
        number: u64,
    ) -> Result<(&BodyFile, Place), ReadError> {
        let damage = |fault| Damage::new(table, number, fault);
        let place = Place::read(&mut Reader::new(row)).map_err(|_| damage("unreadable"))?;
        let file = self.published.bodies.get(&place.file);
        Ok((file.ok_or_else(|| damage("is in no body file"))?, place))
    }

    /// A block with its records; `None` above the head and at height 0.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn block(&self, height: u64) -> Result<Option<StoredBlock>, ReadError> {
        if height == 0 || height > self.head().height {
            return Ok(None);
        }
        self.shared.guard(|| {
            let outline = self.read_outline(height)?;
            let leaves = self.read_leaves(outline.header.first_index, outline.header.count)?;
            assemble(height, &outline, &leaves).map(Some)
        })
    }

    /// The height of the block that holds a leaf; `None` beyond the end of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn height_of_leaf(&self, index: u64) -> Result<Option<u64>, ReadError> {
        if index >= self.head().log_size() {
            return Ok(None);
        }
        self.shared
            .guard(|| self.read_height_of_leaf(index).map(Some))
    }

    pub(super) fn read_height_of_leaf(&self, index: u64) -> Result<u64, ReadError> {
        if index >= self.published.flushed_leaves() {
            return Ok(self.young_block_of_leaf(index)?.outline.header.height);
        }
        let from = key(tables::FIRST_INDEX, &[]);
        let to = key(tables::FIRST_INDEX, &[&index.to_be_bytes()]);
        let (from, to) = (Bound::Included(&from[..]), Bound::Included(&to[..]));
        let row = self.view.scan(from, to, Order::Descending).next();
        let damage = |fault| Damage::new("first_index", index, fault);
        let (_, height) = row.ok_or_else(|| damage("no block begins at or before it"))??;
        let height = height.as_slice().try_into().map(u64::from_be_bytes);
        Ok(height.map_err(|_| damage("unreadable"))?)
    }

    /// The bytes of a leaf; `None` beyond the end of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; [`ReadError::BodiesAway`] when the year's folder
    /// was moved away.
    pub fn leaf(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if index >= self.head().log_size() {
            return Ok(None);
        }
        self.shared.guard(|| Ok(self.read_leaves(index, 1)?.pop()))
    }

    /// The bytes of `count` leaves from `first` on, fewer at the end of the log.
    ///
    /// # Errors
    /// As [`Snapshot::leaf`].
    pub fn leaves(&self, first: u64, count: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let left = self.head().log_size().saturating_sub(first);
        let count = u32::try_from(left.min(u64::from(count))).unwrap_or(count);
        self.shared.guard(|| self.read_leaves(first, count))
    }

    pub(super) fn read_leaves(&self, first: u64, count: u32) -> Result<Vec<Vec<u8>>, ReadError> {
        let end = first.saturating_add(u64::from(count));
        let mut leaves = Vec::new();
        let mut index = first;
        while index < end {
            let bundle = self.bundle_of(index)?;
            let before = index;
            while index < end
                && let Some(leaf) = bundle.leaf(index)
            {
                leaves.push(leaf.to_vec());
                index = index.saturating_add(1);
            }
            if index == before {
                return Err(Damage::new("bundles", index, "does not hold the leaf").into());
            }
        }
        Ok(leaves)
    }

    /// The unpacked leaves around a leaf that is in the log.
    fn bundle_of(&self, index: u64) -> Result<Arc<Bundle>, ReadError> {
        let number = index / BUNDLE_LEAVES;
        if index >= self.published.flushed_leaves() {
            let block = self.young_block_of_leaf(index)?;
            let part = block.part_of(index);
            let part = part.ok_or_else(|| Damage::new("journal", index, "has no such leaf"))?;
            if let Some(bundle) = self.shared.bundles.get(&(part.first, part.leaves)) {
                return Ok(bundle);
            }
            return self.unpack(part, part.leaves, number);
        }
        // A part before the right one may be of a year that was moved away.
        let part = self
            .parts_of(number)?
            .into_iter()
            .take_while(|(first, ..)| *first <= index)
            .last();
        let damage = |fault| Damage::new("bundles", number, fault);
        let (first, file, place) = part.ok_or_else(|| damage("missing"))?;
        if let Some(bundle) = self.shared.bundles.get(&(first, 0)) {
            return Ok(bundle);
        }
        let part = self.shared.bodies.leaves(file, place)?;
        if part.first != first {
            return Err(damage("is not where it should be").into());
        }
        self.unpack(&part, 0, number)
    }

    /// First leaf and place of each part of a bundle that is in body files, in order.
    fn parts_of(&self, number: u64) -> Result<Vec<(u64, &BodyFile, Place)>, ReadError> {
        let group = key(tables::BUNDLES, &[&number.to_be_bytes()]);
        let mut parts = Vec::new();
        for row in self.view.group(&group, None, Order::Ascending) {
            let (key, value) = row?;
            let within = u64::from(key.last().copied().unwrap_or(0));
            let first = number.saturating_mul(BUNDLE_LEAVES).saturating_add(within);
            let (file, place) = self.place(&value, "bundles", number)?;
            parts.push((first, file, place));
        }
        Ok(parts)
    }

    /// Unpacks a part and keeps it at hand under its first leaf and `leaves`: the number of its
    /// leaves while it is young, and 0 in a body file, where one part begins at a leaf.
    fn unpack(&self, part: &Part, leaves: u16, number: u64) -> Result<Arc<Bundle>, ReadError> {
        let bundle = part.unpack(&self.published.dictionaries);
        let bundle = Arc::new(bundle.map_err(|fault| Damage::new("bundles", number, fault))?);
        self.shared
            .bundles
            .insert((part.first, leaves), Arc::clone(&bundle));
        Ok(bundle)
    }
}

impl StateView for Snapshot {
    type Error = ReadError;

    fn get(&self, table: Table, name: &[u8]) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        self.shared.guard(|| {
            let row = self.view.get(&key(table.number(), &[name]))?;
            Ok(row.map(Cow::Owned))
        })
    }
}

/// Puts a block together from its row and its leaves.
pub(super) fn assemble<L: AsRef<[u8]>>(
    height: u64,
    outline: &BlockOutline,
    leaves: &[L],
) -> Result<StoredBlock, ReadError> {
    let assembled = outline.assemble(leaves);
    let (block, certificate) =
        assembled.map_err(|_| Damage::new("blocks", height, "does not match its leaves"))?;
    Ok(StoredBlock { block, certificate })
}
