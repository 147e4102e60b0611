//! Blocks that are in no run file yet: everything of them is in memory, and in the journal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use invoice_core::crypto::Hash;
use invoice_core::merkle::Frontier;

use super::block_row::BlockOutline;
use super::bundle::Part;
use super::rows::Rows;
use super::runs::Generation;

/// Memory that the outline of one envelope takes, about, in bytes.
const ENVELOPE_BYTES: usize = 160;

/// A block that is in no body file yet.
#[derive(Debug)]
pub(super) struct YoungBlock {
    pub(super) outline: Arc<BlockOutline>,
    /// The log's right edge after the block.
    pub(super) frontier: Frontier,
    /// Its leaves, cut where bundles begin.
    pub(super) parts: Vec<Part>,
    /// The Merkle hashes of its leaves, once they were needed.
    pub(super) leaf_hashes: OnceLock<Vec<Hash>>,
}

impl YoungBlock {
    fn bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(Part::bytes).sum();
        let envelopes = self.outline.envelopes.len().saturating_mul(ENVELOPE_BYTES);
        let hashes = (self.outline.header.count as usize).saturating_mul(Hash::BYTES);
        parts.saturating_add(envelopes).saturating_add(hashes)
    }

    /// The part that holds a leaf.
    pub(super) fn part_of(&self, index: u64) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.first <= index);
        let part = self.parts.get(after.checked_sub(1)?)?;
        (index < part.end()).then_some(part)
    }
}

/// Consecutive young blocks that go into files together.
#[derive(Debug)]
pub(super) struct Segment {
    /// The rows that they changed.
    pub(super) generation: Arc<Generation>,
    first_block: u64,
    blocks: RwLock<Vec<Arc<YoungBlock>>>,
    bytes: AtomicUsize,
}

impl Segment {
    /// For the blocks from `first_height` on; height 0 is the state before the first block.
    pub(super) fn new(first_height: u64) -> Self {
        Self {
            generation: Arc::new(Generation::new(first_height)),
            first_block: first_height.max(1),
            blocks: RwLock::default(),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Adds what is next. No snapshot sees it before the head moves.
    pub(super) fn push(&self, height: u64, rows: &Rows, block: Option<YoungBlock>) {
        self.generation.apply(height, rows.iter());
        if let Some(block) = block {
            self.bytes.fetch_add(block.bytes(), Ordering::Relaxed);
            let mut blocks = self.blocks.write().unwrap_or_else(PoisonError::into_inner);
            blocks.push(Arc::new(block));
        }
    }

    /// The block of a height.
    pub(super) fn block(&self, height: u64) -> Option<Arc<YoungBlock>> {
        let place = usize::try_from(height.checked_sub(self.first_block)?).ok()?;
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.get(place).cloned()
    }

    /// The block that holds a leaf.
    pub(super) fn block_of_leaf(&self, index: u64) -> Option<Arc<YoungBlock>> {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        let after = blocks.partition_point(|block| block.outline.header.first_index <= index);
        // Of several that begin here, all but the last are empty.
        let block = blocks.get(after.checked_sub(1)?)?;
        (index < block.outline.header.log_size).then(|| Arc::clone(block))
    }

    /// All blocks so far.
    pub(super) fn blocks(&self) -> Vec<Arc<YoungBlock>> {
        let blocks = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.clone()
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.generation
            .bytes()
            .saturating_add(self.bytes.load(Ordering::Relaxed))
    }

    /// The last height that it has; one before its first while it has none.
    pub(super) fn last_height(&self) -> u64 {
        self.generation.last_height()
    }
}
