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
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use invoice_core::crypto::Hash;
use invoice_core::merkle::{self, Frontier};
use serde::Serialize;

use crate::files;

/// The name of the file in the data folder.
pub const ACCESS_LOG_FILE: &str = "access.ndjson";

/// The log could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("the access log cannot be written: {0}")]
pub struct AccessLogError(#[from] std::io::Error);

/// The access log of a node.
#[derive(Debug)]
pub struct AccessLog(Mutex<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    frontier: Frontier,
    unsynced: bool,
}

/// One question.
#[derive(Debug, Serialize)]
pub(super) struct Access<'a> {
    pub(super) time: String,
    pub(super) by: &'a str,
    pub(super) kid: String,
    pub(super) call: &'static str,
    pub(super) document: String,
    /// Elements that the asker supplied.
    pub(super) asked: Vec<&'static str>,
    /// Those of them that were wrong.
    pub(super) differs: &'a [&'static str],
    pub(super) answer: &'static str,
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
        let mut file = file;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(Mutex::new(Open {
            file,
            frontier,
            unsynced: false,
        })))
    }

    /// Appends questions.
    pub(super) fn append(&self, accesses: &[Access<'_>]) -> Result<(), AccessLogError> {
        let mut text = Vec::new();
        let mut hashes = Vec::with_capacity(accesses.len());
        for access in accesses {
            let line = serde_json::to_vec(access).map_err(std::io::Error::other)?;
            hashes.push(merkle::leaf_hash(&line));
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.file.write_all(&text)?;
        open.unsynced = true;
        for hash in hashes {
            open.frontier.push(hash);
        }
        Ok(())
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// The sync failed.
    pub fn sync(&self) -> Result<(), AccessLogError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut open.unsynced) {
            open.file.sync_data()?;
        }
        Ok(())
    }

    /// How many questions were asked, and the root over them.
    #[must_use]
    pub fn root(&self) -> (u64, Hash) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (open.frontier.size(), open.frontier.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(document: &str) -> Access<'_> {
        Access {
            time: "2026-11-21T08:00:00.000+08:00".to_owned(),
            by: "91330106MACKX4QG41",
            kid: "00".repeat(16),
            call: "check",
            document: document.to_owned(),
            asked: vec!["amount"],
            differs: &[],
            answer: "claimable",
        }
    }

    #[test]
    fn a_torn_last_line_is_cut_and_the_root_survives_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        log.append(&[access("D:1"), access("D:2")]).unwrap();
        log.sync().unwrap();
        let root = log.root();
        drop(log);
        let path = folder.path().join(ACCESS_LOG_FILE);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"time\":\"2026").unwrap();
        let log = AccessLog::open(folder.path()).unwrap();
        assert_eq!(log.root(), root);
        log.append(&[access("D:3")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.lines()
                .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
        );
    }
}
