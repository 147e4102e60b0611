//! The journal beside a bulk file: what was fixed before anything was sent, and every answer.
//!
//! A record without an id gets one from the journal's prefix and its line, and a record without a
//! time gets the journal's. Both are on disk, synced, before the first byte is sent. So however
//! often a run is broken off, the same lines make the same bytes, and the registry answers the
//! same bytes with the one outcome that they have: nothing is issued twice.
//!
//! After a crash the last line may be torn; it is cut off. A lost answer costs one more question.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use invoice_api::client::BulkLine;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::failure::Failure;

/// The format that a journal names in its first line.
const FORMAT: &str = "piaolian-bulk/1";

/// What a run fixes before it sends anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Plan {
    /// The journal's format.
    pub(crate) journal: String,
    /// Root of the tree over the input's lines (RFC 6962 with SM3).
    pub(crate) input: String,
    /// Lines of the input.
    pub(crate) lines: u64,
    /// The chain that the signatures are for.
    pub(crate) chain_id: String,
    /// The member, when it was named.
    pub(crate) by: Option<String>,
    /// What the ids of records without one begin with; the line's number follows.
    pub(crate) id_prefix: String,
    /// The time of records without one.
    pub(crate) at: String,
}

impl Plan {
    pub(crate) fn new(
        input: String,
        lines: u64,
        chain_id: String,
        by: Option<String>,
        id_prefix: String,
        at: String,
    ) -> Self {
        Self {
            journal: FORMAT.to_owned(),
            input,
            lines,
            chain_id,
            by,
            id_prefix,
            at,
        }
    }

    /// The id of the record on this line, if it has none of its own.
    pub(crate) fn id(&self, line: u64) -> String {
        format!("{}-{line}", self.id_prefix)
    }
}

/// The journal of one bulk file.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
    plan: Plan,
    answers: HashMap<(u64, u64), u16>,
}

impl Journal {
    /// Where the journal of an input file is.
    pub(crate) fn path_beside(input: &Path) -> PathBuf {
        let mut name = input.as_os_str().to_owned();
        name.push(".journal");
        PathBuf::from(name)
    }

    /// Begins a journal; the plan is on disk when this returns.
    pub(crate) fn begin(path: &Path, plan: Plan) -> Result<Self, Failure> {
        let fault = |error: std::io::Error| Failure::file(path, &error);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(fault)?;
        let mut journal = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            plan: plan.clone(),
            answers: HashMap::new(),
        };
        journal.append(&plan)?;
        journal.sync()?;
        sync_folder(path).map_err(fault)?;
        Ok(journal)
    }

    /// Opens the journal of an earlier run. `None` when there is none, or when the earlier run was
    /// broken off before its plan was on disk: then nothing was sent either.
    pub(crate) fn resume(path: &Path) -> Result<Option<Self>, Failure> {
        let fault = |error: std::io::Error| Failure::file(path, &error);
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(fault)?,
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fault)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let mut lines = bytes
            .get(..whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n');
        let Some(first) = lines.next().filter(|line| !line.is_empty()) else {
            std::fs::remove_file(path).map_err(fault)?;
            return Ok(None);
        };
        let broken = |line: u64| {
            let text = format!(
                "{}:{line}: 日志损坏 / the journal is damaged",
                path.display()
            );
            Failure::usage("journal_damaged", text)
        };
        let plan: Plan = serde_json::from_slice(first).map_err(|_| broken(1))?;
        if plan.journal != FORMAT {
            return Err(broken(1));
        }
        let mut answers = HashMap::new();
        for (number, line) in (2..).zip(lines).filter(|(_, line)| !line.is_empty()) {
            let answer: BulkLine = serde_json::from_slice(line).map_err(|_| broken(number))?;
            answers.insert(place(&answer), answer.status);
        }
        file.set_len(whole as u64).map_err(fault)?;
        file.seek(SeekFrom::End(0)).map_err(fault)?;
        Ok(Some(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            plan,
            answers,
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Notes an answer, its line number being that of the input.
    pub(crate) fn answer(&mut self, answer: &BulkLine) -> Result<(), Failure> {
        self.append(answer)?;
        self.answers.insert(place(answer), answer.status);
        Ok(())
    }

    /// Whether this line of so many records needs no more sending: every outcome is permanent.
    pub(crate) fn is_done(&self, line: u64, records: u64) -> bool {
        (1..=records.max(1)).all(|record| {
            self.answers
                .get(&(line, record))
                .is_some_and(|status| is_final(*status))
        })
    }

    /// Whether the registry had no time for a record of this line, so that it is worth sending
    /// again at once.
    pub(crate) fn is_put_off(&self, line: u64, records: u64) -> bool {
        (1..=records).any(|record| {
            let status = self.answers.get(&(line, record));
            status.is_some_and(|status| Exit::of_status(*status) == Exit::Network)
        })
    }

    /// The status of every record that has an answer.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = u16> {
        self.answers.values().copied()
    }

    /// Lines that have an answer.
    pub(crate) fn has_answer(&self, line: u64) -> bool {
        self.answers.contains_key(&(line, 1))
    }

    /// Puts what was noted onto the disk.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        let synced = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|error| Failure::file(&self.path, &error))
    }

    fn append(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_vec(value)
            .map_err(|error| Failure::usage("journal", error.to_string()))?;
        text.push(b'\n');
        self.file
            .write_all(&text)
            .map_err(|error| Failure::file(&self.path, &error))
    }
}

fn place(answer: &BulkLine) -> (u64, u64) {
    (answer.line, answer.record.unwrap_or(1))
}

/// Recorded, refused for ever, or broken in a way that the same bytes always are. Not so a key
/// that may be admitted later, or a registry that had no time.
const fn is_final(status: u16) -> bool {
    matches!(status, 200 | 201 | 400 | 409 | 413 | 422)
}

/// A new file's name is on disk only when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new("00".into(), 3, "sz".into(), None, "p".into(), "now".into())
    }

    fn answer(line: u64, record: u64, status: u16) -> BulkLine {
        let text =
            format!("{{\"line\":{line},\"record\":{record},\"id\":null,\"status\":{status}}}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_journal_remembers_its_plan_and_every_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = Journal::path_beside(&folder.path().join("in.ndjson"));
        assert!(path.ends_with("in.ndjson.journal"));
        assert!(Journal::resume(&path).unwrap().is_none());
        let mut journal = Journal::begin(&path, plan()).unwrap();
        for (line, record, status) in [(1, 1, 201), (2, 1, 503), (3, 1, 409), (3, 2, 201)] {
            journal.answer(&answer(line, record, status)).unwrap();
        }
        journal.sync().unwrap();
        drop(journal);
        let journal = Journal::resume(&path).unwrap().unwrap();
        assert_eq!(journal.plan(), &plan());
        assert!(journal.is_done(1, 1));
        assert!(!journal.is_done(2, 1));
        assert!(journal.is_done(3, 2));
        assert!(!journal.is_done(3, 3));
        assert!(journal.is_put_off(2, 1));
        assert!(!journal.is_put_off(3, 2));
        assert!(journal.has_answer(2));
        assert!(!journal.has_answer(4));
        assert_eq!(journal.plan().id(7), "p-7");
    }

    #[test]
    fn a_run_broken_off_at_any_byte_resumes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let mut journal = Journal::begin(&path, plan()).unwrap();
        journal.answer(&answer(1, 1, 201)).unwrap();
        journal.answer(&answer(2, 1, 201)).unwrap();
        journal.sync().unwrap();
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        for length in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let newlines = bytes[..length]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            match Journal::resume(&path).unwrap() {
                None => assert_eq!(newlines, 0, "at {length}"),
                Some(mut journal) => {
                    assert_eq!(journal.statuses().count(), newlines - 1, "at {length}");
                    journal.answer(&answer(3, 1, 201)).unwrap();
                    journal.sync().unwrap();
                    let again = Journal::resume(&path).unwrap().unwrap();
                    assert_eq!(again.statuses().count(), newlines, "at {length}");
                }
            }
        }
    }

    #[test]
    fn a_journal_is_never_begun_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        Journal::begin(&path, plan()).unwrap();
        assert!(Journal::begin(&path, plan()).is_err());
        std::fs::write(&path, "{}\n").unwrap();
        assert_eq!(Journal::resume(&path).unwrap_err().code, "journal_damaged");
    }
}
