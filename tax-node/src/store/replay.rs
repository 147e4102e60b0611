//! Replaying the last blocks on opening, by the code that runs live.
//!
//! The last blocks are in no run file, and memory holds every version of their rows: a view at an
//! earlier height is the state from before them. The caller executes each block on it and hands
//! the changes back; they must have the header's effects root, and after the last block every entry
//! that was touched must have the value that the store has.

use std::borrow::Cow;

use invoice_core::state::{Changes, StateView, Table};

use super::error::{Damage, ReadError};
use super::runs::View;
use super::snapshot::{Snapshot, StoredBlock};
use super::tables;

/// Why the last blocks do not replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store cannot be read or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Executing a block gave other changes than were agreed on.
    #[error(
        "executing block {height} again gives another effects root; the file or the program is damaged: restore the folder from another node, with the same version"
    )]
    Effects {
        /// The height of the block.
        height: u64,
    },
    /// More changes were handed in than there are blocks.
    #[error("there is no block left to replay")]
    NoBlock,
    /// Not all blocks were replayed.
    #[error("block {height} was not replayed")]
    Unfinished {
        /// The first block that is missing.
        height: u64,
    },
}

/// The state before the next block to replay.
#[derive(Debug)]
pub struct TailReplay {
    snapshot: Snapshot,
    base: View,
    overlay: Changes,
    next: u64,
}

impl TailReplay {
    /// Goes back at most [`tables::REPLAYED_BLOCKS`] blocks.
    pub(super) fn new(snapshot: Snapshot) -> Result<Self, ReadError> {
        let before = snapshot
            .head()
            .height
            .saturating_sub(tables::REPLAYED_BLOCKS);
        Ok(Self {
            base: snapshot.published.version.at(before),
            snapshot,
            overlay: Changes::new(),
            next: before.saturating_add(1),
        })
    }

    /// The block to execute next on this state; `None` when all are done.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn next_block(&self) -> Result<Option<StoredBlock>, ReadError> {
        self.snapshot.block(self.next)
    }

    /// Takes the changes that executing the next block gave, and moves the state behind it.
    ///
    /// # Errors
    /// [`ReplayError::Effects`] when they are not the agreed ones.
    pub fn advance(&mut self, changes: Changes) -> Result<(), ReplayError> {
        let outline = self
            .snapshot
            .outline(self.next)?
            .ok_or(ReplayError::NoBlock)?;
        if changes.root() != outline.header.effects_root {
            self.snapshot.shared.stop();
            return Err(ReplayError::Effects { height: self.next });
        }
        self.overlay.absorb(changes);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// Compares every entry that the blocks touched with what the store has.
    ///
    /// # Errors
    /// [`ReplayError::Unfinished`] when blocks are left, damage when an entry differs.
    pub fn finish(self) -> Result<(), ReplayError> {
        if self.next <= self.snapshot.head().height {
            return Err(ReplayError::Unfinished { height: self.next });
        }
        for (table, key, value) in self.overlay.iter() {
            if self.snapshot.get(table, key)?.as_deref() != value {
                self.snapshot.shared.stop();
                let row = hex::encode(key);
                let fault = "differs from what replaying the last blocks gives";
                return Err(
                    ReadError::from(Damage::new(tables::state_name(table), row, fault)).into(),
                );
            }
        }
        Ok(())
    }
}

impl StateView for TailReplay {
    type Error = ReadError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, ReadError> {
        match self.overlay.get(table, key) {
            Some(covered) => Ok(covered.map(Cow::Borrowed)),
            None => self.snapshot.shared.guard(|| {
                let row = self.base.get(&tables::key(table.number(), &[key]))?;
                Ok(row.map(Cow::Owned))
            }),
        }
    }
}
