//! The disk of a simulated machine.

use std::sync::Arc;

use invoice_core::apply::genesis_changes;
use invoice_core::chain::Genesis;

use crate::store::fault::{Dice, Disk};
use crate::store::{FaultFiles, NewChain, Store};

/// The disk of a machine: the store, its files, and the log of votes, which lose their power
/// together.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    pub(super) engine: Disk,
    pub(super) log: Disk,
    pub(super) files: FaultFiles,
}

fn counted_by(disk: &Disk) -> Arc<dyn Fn() -> std::io::Result<()> + Send + Sync> {
    let disk = disk.clone();
    Arc::new(move || disk.step())
}

impl SimulatedDisk {
    /// The bytes of the store of a new chain, to begin any number of disks with.
    ///
    /// # Panics
    /// Never: the simulated disk does not fail.
    #[must_use]
    pub fn image(genesis: &Genesis) -> Vec<u8> {
        let disk = Disk::new(Vec::new());
        let state = genesis_changes(genesis);
        let chain = NewChain {
            genesis: genesis.bytes(),
            genesis_hash: genesis.hash(),
            time_ms: genesis.time_ms(),
            state: &state,
        };
        let created = Store::create_on(disk.backend(), &chain);
        assert!(created.is_ok(), "a store is created: {created:?}");
        disk.durable()
    }

    /// The disk of a machine with the store of a new chain and no log.
    #[must_use]
    pub fn new(image: Vec<u8>) -> Self {
        let engine = Disk::new(image);
        Self {
            files: FaultFiles::new(counted_by(&engine)),
            log: Disk::new(Vec::new()),
            engine,
        }
    }

    /// Another disk with what would be here after a power cut that loses all that is not synced: a
    /// backup.
    #[must_use]
    pub fn copy(&self) -> Self {
        let engine = Disk::new(self.engine.durable());
        Self {
            files: self.files.copy(counted_by(&engine)),
            log: Disk::new(self.log.durable()),
            engine,
        }
    }

    /// Ends the process but not the machine.
    pub fn kill_process(&self) {
        self.engine.kill_process();
        self.log.kill_process();
        self.files.kill_process();
    }

    /// Cuts the power, if it is still on, and switches it on again; true when the cut came in the
    /// middle of something.
    pub fn cut(&self, dice: &mut Dice) -> bool {
        self.files.cut(dice);
        let log = self.log.cut(dice);
        self.engine.cut(dice) || log
    }

    /// Switches the power off when so many more changes and syncs have begun.
    pub fn cut_after(&self, operations: u64) {
        self.engine.cut_after(operations);
    }

    /// Whether the power is on.
    #[must_use]
    pub fn powered(&self) -> bool {
        self.engine.powered()
    }

    /// How many changes and syncs have begun.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.engine.operations()
    }
}
