//! What a validator must remember of the height that is being decided: the log that is synced
//! before a signed message leaves.
//!
//! The file is a write-ahead log of one height at a time. On disk after a crash: all entries up to
//! the last sync, perhaps some after it, perhaps a torn one, which is cut off when it is opened.
//! Resetting the log for the next height happens only when the block of the former is durable in
//! the store; a crash in the middle of it may leave entries of the former height under the number
//! of the next, so that every entry names its own height and others are passed over.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use arc_malachitebft_wal::log::Log;
use arc_malachitebft_wal::log::constants::{HEADER_SIZE, VERSION_SIZE};
use arc_malachitebft_wal::{Storage, Version};
use consensus::LogEntry;

/// The log of the height that is being decided.
pub struct VoteLog<S> {
    log: Log<S>,
    /// Whether something was appended after the last sync.
    dirty: bool,
}

impl<S: Storage> VoteLog<S> {
    /// Opens the log, or begins a new one.
    ///
    /// On disk after a crash in the middle of the very first opening: a header that is not whole.
    /// Nothing was appended to such a log, so it is begun again.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(path: &Path, options: S::OpenOptions) -> io::Result<Self>
    where
        S::OpenOptions: Clone,
    {
        let mut storage = S::open_with(path, options.clone())?;
        if !has_header(&mut storage)? {
            storage.truncate_to(0)?;
            storage.sync_all()?;
        }
        drop(storage);
        let log = Log::open_with(path, options)?;
        Ok(Self { log, dirty: false })
    }

    /// The entries of a height, in order. What does not follow from a whole entry is cut off.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn entries(&mut self, height: u64) -> io::Result<Vec<LogEntry>> {
        if self.log.sequence() != height {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        let mut whole: u64 = 0;
        for bytes in self.log.iter()? {
            // After a torn entry nothing was synced.
            let Some(entry) = bytes.ok().and_then(|bytes| LogEntry::decode(&bytes).ok()) else {
                break;
            };
            whole = whole.saturating_add(1);
            if entry.height().is_none_or(|of| of == height) {
                entries.push(entry);
            }
        }
        self.log.truncate(whole)?;
        Ok(entries)
    }

    /// Forgets the former height.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&mut self, height: u64) -> io::Result<()> {
        if self.log.sequence() != height {
            self.log.reset(height)?;
            self.dirty = false;
        }
        Ok(())
    }

    /// Appends an entry; it is durable after [`VoteLog::sync`].
    ///
    /// # Errors
    /// It cannot be written.
    pub fn append(&mut self, entry: &LogEntry) -> io::Result<()> {
        let bytes = entry.encode().map_err(io::Error::other)?;
        self.log.append(bytes)?;
        self.dirty = true;
        Ok(())
    }

    /// Makes everything that was appended durable.
    ///
    /// # Errors
    /// What is on disk is not known: the node stops.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.dirty {
            self.log.flush()?;
            self.dirty = false;
        }
        Ok(())
    }
}

impl VoteLog<File> {
    /// Opens the log in a folder of the file system, and makes its name durable as well.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open_file(path: &Path) -> io::Result<Self> {
        let log = Self::open(path, ())?;
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(log)
    }
}

/// Whether a log begins as it must, or has more than a header, whatever that is.
fn has_header<S: Storage>(storage: &mut S) -> io::Result<bool> {
    let size = storage.size_bytes()?;
    if size > HEADER_SIZE {
        return Ok(true);
    }
    let mut version = Vec::new();
    Read::by_ref(storage)
        .take(VERSION_SIZE)
        .read_to_end(&mut version)?;
    Ok(size == HEADER_SIZE && version == (Version::V1 as u32).to_be_bytes())
}
