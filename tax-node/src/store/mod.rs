//! The store: the chain, the state and the indexes of one node.
//!
//! One block is one durable transaction in one redb file, which holds the last blocks and a
//! manifest; after a crash the block is there wholly or not at all, and a block whose commit was
//! acknowledged is there. Older blocks lie in files that never change: *runs* of sorted rows, and
//! *body files* of leaves and signatures. Threads of the store write them beside the blocks
//! (`maintenance.rs`); they count from the block on whose transaction names them in the manifest.
//! Why a crash at any point leaves the old or the new is told in
//! `docs/decisions/007-write-ahead-and-runs.md`.
//!
//! When a commit or a read fails, nobody knows what is on disk; the store then stops and serves
//! nothing until it is opened again, which verifies the end of the chain with SM3 and lets the
//! caller replay the last blocks.
//!
//! `tables.rs` lists every table and keyspace, with keys and layouts.

mod block_row;
mod bodies;
mod bundle;
mod commit;
mod dictionary;
mod error;
#[cfg(any(test, feature = "fault-injection"))]
pub mod fault;
mod feeds;
mod figures;
mod folder;
mod head;
mod journal;
mod log_tree;
mod lookup;
mod maintenance;
mod manifest;
mod opening;
mod proofs;
mod replay;
mod rows;
mod runs;
mod shared;
mod snapshot;
mod tables;
mod tail_check;
mod varint;
mod walk;
mod webhooks;
mod young;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Builder, Database, StorageBackend};

use invoice_core::codec::EncodeError;
use invoice_core::crypto::Hash;
use invoice_core::merkle::Frontier;
use invoice_core::state::Changes;

pub use block_row::{BlockOutline, EnvelopeOutline, StoredLeaf};
pub use bundle::{BUNDLE_LEAVES, LEAF_BYTES_MAX};
pub use commit::CommittedBlock;
pub use error::{CommitError, Damage, OpenError, ReadError};
pub use figures::{FIGURES_FILE, FigureFile, FigureRows};
pub use folder::{FILE_NAME, TEMPORARY_NAME, file_of};
pub use head::Head;
pub use lookup::{EventPosition, FeedEvent, PAGE_ROWS_MAX, Page};
pub(crate) use opening::{EPOCHS, RUNS};
pub use replay::{ReplayError, TailReplay};
pub use rows::{ClaimRow, EventRow, IndexRows, MemberKey};
#[cfg(any(test, feature = "fault-injection"))]
pub use runs::FaultFiles;
pub use runs::{DiskFiles, FileIn, FileOut, Files, RunError};
pub use snapshot::{Snapshot, StoredBlock};
pub use tables::REPLAYED_BLOCKS;
pub use tail_check::{CertificateCheck, VERIFIED_BLOCKS};
pub use walk::RowCounts;
pub use webhooks::{WEBHOOKS_FILE, WebhookChange, WebhookFile};

use commit::Writer;
use error::contained;
use maintenance::Threads;
use shared::Shared;

/// Memory for blocks of run files unless the configuration says otherwise, in bytes.
pub const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// Memory for the engine's pages: it holds the journal, which is written and seldom read.
const ENGINE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Young blocks go into files when they take so much memory, in bytes.
const FLUSH_BYTES: usize = 64 * 1024 * 1024;

/// When flushing lags by so many segments, commits wait: memory stays bounded.
const WAITING_SEGMENTS_MAX: usize = 3;

/// Sizes and habits of a store that tests make small. Nodes run with the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Young blocks go into files when they take so much memory, in bytes.
    pub flush_bytes: usize,
    /// When flushing lags by so many times [`Tuning::flush_bytes`], commits wait.
    pub waiting_segments_max: usize,
    /// Number of leaves from which on each dictionary is trained.
    pub dictionaries_at: [u64; 3],
    /// Steps beside the blocks are taken by whoever commits, after each block, and not by threads
    /// of the store. A run of a test then repeats from its seed.
    pub inline: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            flush_bytes: FLUSH_BYTES,
            waiting_segments_max: WAITING_SEGMENTS_MAX,
            dictionaries_at: dictionary::TRAINED_AT,
            inline: false,
        }
    }
}

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
    /// Memory for blocks of run files, in bytes.
    pub cache_bytes: usize,
    /// Sizes and habits.
    pub tuning: Tuning,
}

impl std::fmt::Debug for OpenOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("genesis_hash", &self.genesis_hash)
            .field("cache_bytes", &self.cache_bytes)
            .field("tuning", &self.tuning)
            .finish_non_exhaustive()
    }
}

/// An opened store. One process holds it exclusively.
#[derive(Debug)]
pub struct Store {
    // First: the threads end before the file is closed.
    threads: Threads,
    database: Database,
    shared: Arc<Shared>,
    writer: Mutex<Writer>,
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
        let files: Arc<dyn Files> = Arc::new(DiskFiles);
        Self::verified(&files, folder, options, |builder| builder.open(path))
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

    /// Opens a store on a backend and a file system that the caller provides, as [`Store::open`]
    /// does on a folder.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        backend: impl StorageBackend,
        files: &Arc<dyn Files>,
        folder: &Path,
        options: &OpenOptions<'_>,
    ) -> Result<Self, OpenError> {
        Self::verified(files, folder, options, |builder| {
            builder.create_with_backend(backend)
        })
    }

    fn verified(
        files: &Arc<dyn Files>,
        folder: &Path,
        options: &OpenOptions<'_>,
        open: impl FnOnce(&mut Builder) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, OpenError> {
        let open_and_verify = || {
            let cache_bytes = options.cache_bytes.min(ENGINE_CACHE_BYTES);
            let database = open(Builder::new().set_cache_size(cache_bytes));
            let database = database.map_err(OpenError::storage)?;
            let (shared, writer) = opening::open(&database, files, folder, options)?;
            let shared = Arc::new(shared);
            let snapshot = Snapshot::of(&shared);
            tail_check::verify(&snapshot, &options.genesis_hash, options.certified)?;
            drop(snapshot);
            Ok(Self {
                threads: Threads::start(&shared)?,
                database,
                shared,
                writer: Mutex::new(writer),
            })
        };
        contained(open_and_verify, OpenError::storage)
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
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        maintenance::wait_for_room(&self.shared);
        if self.shared.stopped() {
            return Err(CommitError::Stopped);
        }
        let commit = || commit::commit(&self.database, &self.shared, &mut writer, block);
        contained(commit, CommitError::storage).inspect_err(|error| match error {
            CommitError::OutcomeUnknown(_)
            | CommitError::Damaged(_)
            | CommitError::Unreadable(_) => self.shared.stop(),
            CommitError::Stopped
            | CommitError::OtherBlock { .. }
            | CommitError::NotNext { .. }
            | CommitError::Inconsistent(_) => {}
        })?;
        if self.shared.tuning.inline {
            // The block is durable whatever becomes of these steps; a failing one stops the store.
            let _ = maintenance::perform_due(&self.shared);
        }
        Ok(())
    }

    /// A view of the chain and the state as they stand now.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        self.shared.guard(|| Ok(Snapshot::of(&self.shared)))
    }

    /// The last blocks and the state from before them, to be executed again on opening.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn tail_for_replay(&self) -> Result<TailReplay, ReadError> {
        TailReplay::new(self.snapshot()?)
    }

    /// Reads every page of the engine's file and compares the engine's checksums: for a thorough
    /// check of the disk. They are not cryptographic; what is on the chain is verified with SM3.
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

    /// Ends the store's threads and closes the file. A step that is under way is given up; its files
    /// are garbage that the next opening removes. The engine writes what it knows of free pages on
    /// closing, and on a damaged file that may fail.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn close(self) -> Result<(), ReadError> {
        let Self {
            threads, database, ..
        } = self;
        let close = move || {
            drop(threads);
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
    let too_large = |error: EncodeError| Damage::new("journal", 0, error.what);
    let rows = rows::of_state(chain.state).map_err(too_large)?;
    let mut encoder = journal::Encoder::default();
    let entry = encoder
        .encode(&[], &head.frontier, &[], &rows)
        .map_err(too_large)?;
    let write = || -> Result<(), redb::Error> {
        let mut meta = transaction.open_table(tables::META)?;
        meta.insert(tables::META_FORMAT, tables::FORMAT.to_be_bytes().as_slice())?;
        meta.insert(tables::META_GENESIS, chain.genesis)?;
        meta.insert(tables::META_HEAD, head.encode().as_slice())?;
        let mut journal = transaction.open_table(tables::JOURNAL)?;
        journal::insert(&mut journal, 0, entry)?;
        // Every table exists from the start, so that reading never meets an absent one.
        transaction.open_table(tables::MANIFEST)?;
        transaction.open_table(tables::DICTIONARIES)?;
        Ok(())
    };
    write().map_err(OpenError::storage)?;
    transaction.commit().map_err(OpenError::storage)
}
