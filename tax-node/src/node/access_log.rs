//! Who asked what, from whom, when, and which elements matched.
//!
//! A file of JSON lines beside the store, append-only, with an RFC 6962 tree hash (SM3) over its
//! lines, so that a line can neither be altered nor removed without changing the root. It holds
//! what was asked, never an element that the registry knows and the asker did not supply.
//!
//! After a crash the file ends with a whole line or with the beginning of one; the beginning of
//! one is cut off on opening. Lines are synced once a second and when the node stops: a power cut
//! can cost the questions of the last second, never a record.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use invoice_core::crypto::Hash;
use invoice_core::identity::DocumentKey;
use invoice_core::merkle::{self, Frontier};
use serde::{Serialize, Serializer};

use crate::files;

/// The name of the file in the data folder.
pub const ACCESS_LOG_FILE: &str = "access.ndjson";
/// What stands in place of a member where the public page asked.
pub(super) const PUBLIC: &str = "public";

/// Bytes that one page is read from: lines are some 300 bytes long.
const PAGE_BYTES_MAX: u64 = 256 * 1024;

/// The log could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("the access log cannot be written: {0}")]
pub struct AccessLogError(#[from] std::io::Error);

/// The access log of a node.
///
/// Those who append at the same time are written together: each adds its lines to the next batch,
/// and whoever comes to write first writes them all. A question is answered when its line is
/// written.
#[derive(Debug)]
pub struct AccessLog {
    next: Mutex<Batch>,
    open: Mutex<Open>,
    /// The same file, to be synced while others append.
    syncing: File,
    unsynced: AtomicBool,
}

/// Lines that are written together.
#[derive(Debug, Default)]
struct Batch {
    text: Vec<u8>,
    /// Where each line ends, its line feed included.
    ends: Vec<usize>,
    fate: Arc<OnceLock<Result<(), ErrorKind>>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Bytes of whole lines.
    length: u64,
    frontier: Frontier,
    /// The end of the file is not known any more.
    broken: bool,
}

/// One question.
#[derive(Debug, Serialize)]
pub(super) struct Access<'a> {
    pub(super) time: &'a str,
    pub(super) by: &'a str,
    pub(super) kid: &'a str,
    pub(super) call: &'static str,
    #[serde(serialize_with = "as_text")]
    pub(super) document: DocumentKey,
    /// Elements that the asker supplied.
    pub(super) asked: &'a [&'static str],
    /// Those of them that were wrong.
    pub(super) differs: &'a [&'static str],
    pub(super) answer: &'static str,
}

fn as_text<S: Serializer>(document: &DocumentKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(document)
}

impl AccessLog {
    /// Opens or creates the log in a folder and recomputes its root.
    ///
    /// # Errors
    /// The file cannot be read or cut.
    pub fn open(folder: &Path) -> Result<Self, AccessLogError> {
        let path = folder.join(ACCESS_LOG_FILE);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(files::PRIVATE)
            .open(path)?;
        let mut frontier = Frontier::new();
        let mut whole = 0_u64;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            whole = whole.saturating_add(line.len() as u64);
            line.pop();
            frontier.push(merkle::leaf_hash(&line));
            line.clear();
        }
        drop(reader);
        if file.metadata()?.len() > whole {
            file.set_len(whole)?;
            file.sync_all()?;
        }
        Ok(Self {
            next: Mutex::default(),
            syncing: file.try_clone()?,
            open: Mutex::new(Open {
                file,
                length: whole,
                frontier,
                broken: false,
            }),
            unsynced: AtomicBool::new(false),
        })
    }

    /// Appends questions.
    ///
    /// # Errors
    /// They could not be written; nothing of what was asked may be told.
    pub(super) fn append(&self, accesses: &[Access<'_>]) -> Result<(), AccessLogError> {
        let fate = {
            let mut next = lock(&self.next);
            for access in accesses {
                let before = next.text.len();
                if let Err(error) = serde_json::to_writer(&mut next.text, access) {
                    next.text.truncate(before);
                    return Err(std::io::Error::other(error).into());
                }
                next.text.push(b'\n');
                let end = next.text.len();
                next.ends.push(end);
            }
            Arc::clone(&next.fate)
        };
        let mut open = lock(&self.open);
        if fate.get().is_none() {
            let batch = std::mem::take(&mut *lock(&self.next));
            let written = open.write(&batch).map_err(|error| error.kind());
            self.unsynced.store(true, Ordering::Release);
            // Set once, here: who takes a batch is the only one to write it.
            let _ = batch.fate.set(written);
        }
        drop(open);
        match fate.get() {
            Some(Ok(())) => Ok(()),
            Some(Err(kind)) => Err(std::io::Error::from(*kind).into()),
            None => Err(std::io::Error::other("a batch of lines was lost").into()),
        }
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// The sync failed.
    pub fn sync(&self) -> Result<(), AccessLogError> {
        if self.unsynced.swap(false, Ordering::AcqRel)
            && let Err(error) = self.syncing.sync_data()
        {
            self.unsynced.store(true, Ordering::Release);
            return Err(error.into());
        }
        Ok(())
    }

    /// Up to `limit` lines before a place in the file (its end, when absent), the newest first, and
    /// the place where the next page ends, unless there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn page(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<u64>), AccessLogError> {
        let length = lock(&self.open).length;
        let end = before.unwrap_or(length).min(length);
        let start = end.saturating_sub(PAGE_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
        self.syncing.read_exact_at(&mut bytes, start)?;
        let mut lines = Vec::new();
        let mut rest = bytes.as_slice();
        while lines.len() < limit && !rest.is_empty() {
            let line = rest.strip_suffix(b"\n").unwrap_or(rest);
            let begin = line.iter().rposition(|byte| *byte == b'\n');
            // What the window cuts off is no line, unless it is the file's first.
            let begin = match begin {
                Some(place) => place.saturating_add(1),
                None if start == 0 => 0,
                None => break,
            };
            let text = line.get(begin..).unwrap_or_default();
            lines.push(String::from_utf8_lossy(text).into_owned());
            rest = rest.get(..begin).unwrap_or_default();
        }
        let left = start.saturating_add(rest.len() as u64);
        Ok((lines, (left > 0).then_some(left)))
    }

    /// How many questions were asked, and the root over them.
    #[must_use]
    pub fn root(&self) -> (u64, Hash) {
        let open = lock(&self.open);
        (open.frontier.size(), open.frontier.root())
    }
}

impl Open {
    /// Writes a batch wholly, or cuts off what was written of it.
    fn write(&mut self, batch: &Batch) -> std::io::Result<()> {
        if self.broken {
            return Err(std::io::Error::other("an earlier write left a part behind"));
        }
        if let Err(error) = self.file.write_all(&batch.text) {
            self.broken = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length = self.length.saturating_add(batch.text.len() as u64);
        let mut start = 0;
        let lines = batch.ends.iter().map(|end| {
            let line = batch.text.get(start..end.saturating_sub(1));
            start = *end;
            line.unwrap_or_default()
        });
        let lines: Vec<&[u8]> = lines.collect();
        for hash in merkle::leaf_hashes(&lines) {
            self.frontier.push(hash);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use invoice_core::read::Spelled;

    use super::*;

    fn access(number: u32) -> Access<'static> {
        Access {
            time: "2026-11-21T08:00:00.000+08:00",
            by: "91330106MACKX4QG41",
            kid: "00000000000000000000000000000000",
            call: "check",
            document: DocumentKey::spelled(&format!("D:2633200000{number:010}")).unwrap(),
            asked: &["amount"],
            differs: &[],
            answer: "claimable",
        }
    }

    #[test]
    fn lines_of_many_threads_are_written_once_each_and_hashed_in_the_order_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8_u32 {
                let log = &log;
                scope.spawn(move || {
                    for number in 0..50 {
                        let two = [thread * 1_000 + number, thread * 1_000 + 500 + number];
                        log.append(&two.map(access)).unwrap();
                    }
                });
            }
        });
        let root = log.root();
        assert_eq!(root.0, 800);
        let text = std::fs::read_to_string(folder.path().join(ACCESS_LOG_FILE)).unwrap();
        let lines: std::collections::BTreeSet<_> = text.lines().collect();
        assert_eq!(lines.len(), 800);
        drop(log);
        assert_eq!(AccessLog::open(folder.path()).unwrap().root(), root);
    }

    #[test]
    fn pages_go_back_to_the_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        assert_eq!(log.page(None, 3).unwrap(), (Vec::new(), None));
        for number in 0..8 {
            log.append(&[access(number)]).unwrap();
        }
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let (lines, next) = log.page(before, 3).unwrap();
            assert!(lines.len() <= 3);
            found.extend(lines);
            before = next;
            if before.is_none() {
                break;
            }
        }
        found.reverse();
        let text = std::fs::read_to_string(folder.path().join(ACCESS_LOG_FILE)).unwrap();
        assert_eq!(found, text.lines().collect::<Vec<_>>());
        // A place that somebody made up does no harm.
        assert!(log.page(Some(5), 3).unwrap().0.len() <= 1);
        assert!(log.page(Some(u64::MAX), 3).unwrap().0.len() == 3);
    }

    #[test]
    fn a_torn_last_line_is_cut_and_the_root_survives_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        log.append(&[access(1), access(2)]).unwrap();
        log.sync().unwrap();
        let root = log.root();
        drop(log);
        let path = folder.path().join(ACCESS_LOG_FILE);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"time\":\"2026").unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        assert_eq!(log.root(), root);
        log.append(&[access(3)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.lines()
                .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
        );
    }
}
