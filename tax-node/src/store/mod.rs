//! The store: the chain, the state and the indexes of one node in one redb file.
//!
//! One block is one durable transaction: after a crash it is in the file wholly or not at all, and
//! a block whose commit was acknowledged is there. When a commit or a read fails, nobody knows
//! what is on disk; the store then stops and serves nothing until it is opened again, which
//! verifies the end of the chain with SM3 and lets the caller replay the last blocks.
//!
//! `tables.rs` lists every table, its key and its layout.

mod block_row;
mod bundle;
mod commit;
mod error;
#[cfg(any(test, feature = "fault-injection"))]
pub mod fault;
mod folder;
mod head;
mod lookup;
mod proofs;
mod replay;
mod rows;
#[allow(dead_code, unused_imports, reason = "the tables move into runs one after another")]
mod runs;
mod snapshot;
mod tables;
mod tail_check;
mod tiles;
mod undo;
mod walk;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Builder, Database, ReadableDatabase, StorageBackend};

use invoice_core::crypto::Hash;
use invoice_core::merkle::Frontier;
use invoice_core::state::{Changes, Table};

pub use block_row::{BlockOutline, EnvelopeOutline, StoredLeaf};
pub use bundle::{BUNDLE_LEAVES, LEAF_BYTES_MAX};
pub use commit::CommittedBlock;
pub use error::{CommitError, Damage, OpenError, ReadError};
pub use folder::{FILE_NAME, TEMPORARY_NAME, file_of};
pub use head::Head;
pub use lookup::{EventPosition, PAGE_ROWS_MAX, Page};
pub use replay::{ReplayError, TailReplay};
pub use rows::{ClaimRow, EventRow, IndexRows, MemberKey};
#[cfg(any(test, feature = "fault-injection"))]
pub use runs::FaultFiles;
pub use runs::{DiskFiles, FileIn, FileOut, Files, RunError};
pub use snapshot::{Snapshot, StoredBlock};
pub use tables::REPLAYED_BLOCKS;
pub use tail_check::{CertificateCheck, VERIFIED_BLOCKS};
pub use walk::RowCounts;

use error::contained;
use snapshot::Shared;

/// Memory for the engine's pages unless the configuration says otherwise, in bytes.
pub const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// What a store begins with.
#[derive(Clone, Copy, Debug)]
pub struct NewChain<'a> {
    /// The exact bytes of the genesis file.
    pub genesis: &'a [u8],
    /// Their hash, which block 1 names as its predecessor.
    pub genesis_hash: Hash,
    /// The genesis time, in milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// The state before block 1.
    pub state: &'a Changes,
}

/// How to open a store.
#[derive(Clone, Copy)]
pub struct OpenOptions<'a> {
    /// Hash of the genesis file that the node was configured with.
    pub genesis_hash: Hash,
    /// Decides whether a certificate proves its header final.
    pub certified: &'a CertificateCheck<'a>,
    /// Memory for the engine's pages, in bytes.
    pub cache_bytes: usize,
}

impl std::fmt::Debug for OpenOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("genesis_hash", &self.genesis_hash)
            .field("cache_bytes", &self.cache_bytes)
            .finish_non_exhaustive()
    }
}

/// An opened store. One process holds it exclusively.
#[derive(Debug)]
pub struct Store {
    database: Database,
    shared: Arc<Shared>,
    writer: Mutex<()>,
}

impl Store {
    /// Creates the store of a new chain in `folder`.
    ///
    /// After a crash there is the whole store or none; see `folder.rs`.
    ///
    /// # Errors
    /// [`OpenError::Exists`] when the folder has a store.
    pub fn create(folder: &Path, chain: &NewChain<'_>) -> Result<(), OpenError> {
        folder::create(folder, |path| {
            let database = Builder::new().create(path).map_err(OpenError::storage)?;
            fill(&database, chain)
        })
    }

    /// Opens the store in `folder` and verifies the end of its chain.
    ///
    /// The state is not verified yet: replay [`Store::tail_for_replay`] before serving.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when another process has it, [`OpenError::Damaged`] when the end of
    /// the chain does not verify.
    pub fn open(folder: &Path, options: &OpenOptions<'_>) -> Result<Self, OpenError> {
        let path = folder::file_of(folder);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(OpenError::Missing(path)),
            Err(source) => {
                return Err(OpenError::Io {
                    action: "look for",
                    path,
                    source,
                });
            }
        }
        Self::verified(options, |builder| builder.open(path))
    }

    /// Creates the store of a new chain on a backend that the caller provides.
    ///
    /// Unlike [`Store::create`] this is not safe against a crash halfway.
    ///
    /// # Errors
    /// The backend failed.
    pub fn create_on(backend: impl StorageBackend, chain: &NewChain<'_>) -> Result<(), OpenError> {
        let database = Builder::new()
            .create_with_backend(backend)
            .map_err(OpenError::storage)?;
        fill(&database, chain)
    }

    /// Opens a store on a backend that the caller provides, as [`Store::open`] does on a file.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        backend: impl StorageBackend,
        options: &OpenOptions<'_>,
    ) -> Result<Self, OpenError> {
        Self::verified(options, |builder| builder.create_with_backend(backend))
    }

    fn verified(
        options: &OpenOptions<'_>,
        open: impl FnOnce(&mut Builder) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, OpenError> {
        let open_and_verify = || {
            let database = open(Builder::new().set_cache_size(options.cache_bytes));
            let store = Self {
                database: database.map_err(OpenError::storage)?,
                shared: Arc::default(),
                writer: Mutex::default(),
            };
            let snapshot = store.snapshot_of_any_format()?;
            tail_check::verify(&snapshot, &options.genesis_hash, options.certified)?;
            drop(snapshot);
            Ok(store)
        };
        contained(open_and_verify, OpenError::storage)
    }

    fn snapshot_of_any_format(&self) -> Result<Snapshot, OpenError> {
        let transaction = self.database.begin_read().map_err(OpenError::storage)?;
        let meta = transaction
            .open_table(tables::META)
            .map_err(OpenError::storage)?;
        let row = meta.get(tables::META_FORMAT).map_err(OpenError::storage)?;
        let format = row
            .and_then(|row| row.value().try_into().ok())
            .map(u32::from_be_bytes);
        match format {
            Some(tables::FORMAT) => {}
            Some(found) => {
                return Err(OpenError::Format {
                    found,
                    known: tables::FORMAT,
                });
            }
            None => return Err(Damage::new("meta", tables::META_FORMAT, "missing").into()),
        }
        drop(meta);
        Ok(Snapshot::new(transaction, Arc::clone(&self.shared))?)
    }

    /// Appends a block durably. When this returns `Ok`, the block survives a power cut.
    ///
    /// The same block again is `Ok` and changes nothing.
    ///
    /// # Errors
    /// [`CommitError::OutcomeUnknown`] when the engine failed: the store has stopped, the node
    /// must stop too, and reopening tells whether the block is there.
    /// [`CommitError::OtherBlock`], [`CommitError::NotNext`] and [`CommitError::Inconsistent`]
    /// when the block does not belong here; nothing was written.
    pub fn commit_block(&self, block: &CommittedBlock<'_>) -> Result<(), CommitError> {
        let _one_writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.stopped() {
            return Err(CommitError::Stopped);
        }
        let commit = || commit::commit(&self.database, block);
        contained(commit, CommitError::storage).inspect_err(|error| match error {
            CommitError::OutcomeUnknown(_) | CommitError::Damaged(_) => self.shared.stop(),
            CommitError::Stopped
            | CommitError::OtherBlock { .. }
            | CommitError::NotNext { .. }
            | CommitError::Inconsistent(_) => {}
        })
    }

    /// A view of the chain and the state as they stand now.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        self.shared.guard(|| {
            let transaction = self.database.begin_read().map_err(ReadError::storage)?;
            Snapshot::new(transaction, Arc::clone(&self.shared))
        })
    }

    /// The last blocks and the state from before them, to be executed again on opening.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn tail_for_replay(&self) -> Result<TailReplay, ReadError> {
        TailReplay::new(self.snapshot()?, tables::REPLAYED_BLOCKS)
    }

    /// Reads every page of the file and compares the engine's checksums: for a thorough check of
    /// the disk. They are not cryptographic; what is on the chain is verified with SM3.
    ///
    /// # Errors
    /// The store has stopped, cannot be read or is damaged.
    pub fn check_pages(&mut self) -> Result<(), ReadError> {
        let Self {
            database, shared, ..
        } = self;
        shared.guard(|| match database.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Damage::new("engine", "pages", "a checksum does not match").into()),
            Err(error) => Err(ReadError::storage(error)),
        })
    }

    /// Closes the file. The engine writes what it knows of free pages on closing, and on a damaged
    /// file that may fail.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn close(self) -> Result<(), ReadError> {
        let Self { database, .. } = self;
        let close = move || {
            drop(database);
            Ok(())
        };
        contained(close, ReadError::storage)
    }

    /// Whether an error has ended all service through this handle.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.shared.stopped()
    }
}

/// Writes what a store begins with, in one durable transaction.
fn fill(database: &Database, chain: &NewChain<'_>) -> Result<(), OpenError> {
    let transaction = commit::begin(database).map_err(OpenError::storage)?;
    let head = Head {
        height: 0,
        block_id: chain.genesis_hash,
        time_ms: chain.time_ms,
        frontier: Frontier::new(),
    };
    let write = || -> Result<(), redb::Error> {
        let mut meta = transaction.open_table(tables::META)?;
        meta.insert(tables::META_FORMAT, tables::FORMAT.to_be_bytes().as_slice())?;
        meta.insert(tables::META_GENESIS, chain.genesis)?;
        meta.insert(tables::META_HEAD, head.encode().as_slice())?;
        // Every table exists from the start, so that reading never meets an absent one.
        transaction.open_table(tables::BLOCKS)?;
        transaction.open_table(tables::FIRST_INDEX)?;
        transaction.open_table(tables::TAIL)?;
        transaction.open_table(tables::BUNDLES)?;
        transaction.open_table(tables::TILES)?;
        transaction.open_table(tables::UNDO)?;
        IndexRows::default().write(&transaction)?;
        for table in Table::ALL {
            transaction.open_table(tables::state_table(table))?;
        }
        Ok(())
    };
    write().map_err(OpenError::storage)?;
    commit::put_state(&transaction, chain.state, None).map_err(|error| match error {
        CommitError::OutcomeUnknown(source) => OpenError::Storage(source),
        CommitError::Damaged(damage) => OpenError::Damaged(damage),
        CommitError::Stopped
        | CommitError::OtherBlock { .. }
        | CommitError::NotNext { .. }
        | CommitError::Inconsistent(_) => OpenError::storage(redb::Error::TransactionPoisoned),
    })?;
    transaction.commit().map_err(OpenError::storage)
}
