//! The supervisor's figures: folded beside the blocks, read for whoever may ask.
//!
//! A thread of its own reads final blocks from snapshots, folds them (`invoice-api/oversight`) and
//! keeps the changed rows in batches (`store/figures.rs`). No block waits for it; figures say up
//! to which height they are complete.

mod access;
mod answers;
mod folding;
mod health;
mod life;
mod names;
mod search;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use invoice_core::crypto::Hash;
use tokio::sync::watch;

use crate::store::{FigureFile, FigureRows, OpenError, ReadError, Store};

use super::disk::Disk;

pub(super) use answers::answer;

/// The figures of a node that keeps them.
#[derive(Debug)]
pub(super) struct Oversight {
    file: FigureFile,
    /// Where the file lies.
    folder: PathBuf,
    stopping: AtomicBool,
    /// How often the rows were removed and folded anew since the start.
    made_anew: AtomicU64,
    /// One more than that, when an answer met a row that is not what it should be; 0 before.
    damaged: AtomicU64,
    /// Folding ended by an error or a panic: the figures stay as they are until the node starts again.
    failed: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Oversight {
    /// Opens the file of figures in a node's folder.
    pub(super) fn open(folder: &Path) -> Result<Arc<Self>, OpenError> {
        Ok(Arc::new(Self {
            file: FigureFile::open(folder)?,
            folder: folder.to_owned(),
            stopping: AtomicBool::new(false),
            made_anew: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            thread: Mutex::default(),
        }))
    }

    /// Folds from now on what becomes final, beginning where the file ends.
    pub(super) fn start(
        self: &Arc<Self>,
        store: &Arc<Store>,
        genesis: Hash,
        head: watch::Receiver<u64>,
        disk: &Arc<Disk>,
    ) -> std::io::Result<()> {
        let (this, store, disk) = (Arc::clone(self), Arc::clone(store), Arc::clone(disk));
        let thread = std::thread::Builder::new().name("oversight".to_owned());
        let thread = thread.spawn(move || {
            let fold = || folding::run(&this, &store, genesis, &head, &disk);
            let error = match catch_unwind(AssertUnwindSafe(fold)) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                // What it was in the middle of is not kept: a batch is kept as a whole.
                Err(_) => "panic".to_owned(),
            };
            this.failed.store(true, Ordering::Release);
            tracing::error!(%error, "统计停止，不影响登记 / the figures stand still; recording goes on");
        })?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Ends folding after the block that is being folded, and waits for that.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether folding ended by an error.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// How often the rows were made anew; asked for before they are read.
    fn made_anew(&self) -> u64 {
        self.made_anew.load(Ordering::Acquire)
    }

    /// Has rows folded anew because one of them cannot be read; nothing happens when that was done
    /// since they were read.
    fn distrust(&self, made_anew: u64) {
        let mark = made_anew.saturating_add(1);
        self.damaged.store(mark, Ordering::Release);
    }

    fn is_distrusted(&self) -> bool {
        self.damaged.load(Ordering::Acquire) == self.made_anew().saturating_add(1)
    }

    /// The rows as they are now.
    fn rows(&self) -> Result<FigureRows, ReadError> {
        self.file.rows()
    }

    /// Height up to which the figures are complete.
    pub(super) fn height(&self) -> u64 {
        let head = self
            .rows()
            .ok()
            .and_then(|rows| oversight::fold::head_of(&rows).ok());
        head.flatten().map_or(0, |head| head.height)
    }
}
