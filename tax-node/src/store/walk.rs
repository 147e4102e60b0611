//! Reading everything, in order: what `tax-node verify` goes through.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use invoice_core::state::Table;

use super::bodies::BodyFile;
use super::error::{Damage, ReadError};
use super::lookup::{EventPosition, event_key, implied_of, listed};
use super::opening::{EPOCHS, RUNS};
use super::rows::{EventRow, IndexRows, hash_prefix};
use super::runs::Run;
use super::snapshot::{Snapshot, StoredBlock};
use super::tables::{self, key};

/// How many rows the derived indexes have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Records by their hash.
    pub records: u64,
    /// Documents and the leaves that concern them, other than by issuing them.
    pub timeline: u64,
    /// Locks by claimant.
    pub claims: u64,
    /// Events, those that follow from their leaf alone included.
    pub events: u64,
    /// Events by member.
    pub events_by_member: u64,
}

impl Snapshot {
    /// All blocks from `first_height` to the head, read from the file one after another.
    ///
    /// Each item fails when the store has stopped or cannot be read.
    pub fn blocks_from(
        &self,
        first_height: u64,
    ) -> impl Iterator<Item = Result<StoredBlock, ReadError>> {
        (first_height.max(1)..=self.head().height).map(|height| {
            self.block(height)?
                .ok_or_else(|| Damage::new("blocks", height, "missing").into())
        })
    }

    /// Shows every entry of a state table to `visit`, in the order of the keys.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; so for every method here.
    pub fn state_rows(
        &self,
        table: Table,
        visit: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), ReadError> {
        self.shared.guard(|| {
            let number = table.number();
            for row in self.keyspace(number, Bound::Included(vec![number])) {
                let (key, value) = row?;
                visit(key.get(1..).unwrap_or_default(), &value);
            }
            Ok(())
        })
    }

    /// How many rows the derived indexes have in all, except [`RowCounts::records`] and
    /// [`RowCounts::events_by_member`], which stay 0: those have rows for every record.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn small_row_counts(&self) -> Result<RowCounts, ReadError> {
        self.shared.guard(|| {
            let mut events = self.rows_in(tables::EVENTS)?;
            for row in self.all_of(tables::IMPLIED_EVENTS) {
                events = events.saturating_add(implied_of(row)?.len() as u64);
            }
            Ok(RowCounts {
                timeline: self.rows_in(tables::TIMELINE)?,
                claims: self.rows_in(tables::CLAIMS_BY_MEMBER)?,
                events,
                ..RowCounts::default()
            })
        })
    }

    /// How many rows the derived indexes have in all.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn row_counts(&self) -> Result<RowCounts, ReadError> {
        let small = self.small_row_counts()?;
        self.shared.guard(|| {
            let mut events_by_member = 0_u64;
            for row in self.all_of(tables::EVENTS_BY_MEMBER) {
                let list = listed(&row?.1)?;
                events_by_member = events_by_member.saturating_add(list.len() as u64);
            }
            Ok(RowCounts {
                records: self.rows_in(tables::RECORDS_BY_HASH)?,
                events_by_member,
                ..small
            })
        })
    }

    fn all_of(&self, keyspace: u8) -> super::runs::Scan {
        self.keyspace(keyspace, Bound::Included(vec![keyspace]))
    }

    fn rows_in(&self, keyspace: u8) -> Result<u64, ReadError> {
        let mut rows = 0_u64;
        for row in self.all_of(keyspace) {
            row?;
            rows = rows.saturating_add(1);
        }
        Ok(rows)
    }

    /// The first of a block's `rows` that the derived indexes lack or have otherwise. Together with
    /// [`Snapshot::row_counts`] it shows that the indexes are exactly what the log gives.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn first_difference(
        &self,
        height: u64,
        rows: &IndexRows,
    ) -> Result<Option<Damage>, ReadError> {
        self.shared.guard(|| self.difference(height, rows))
    }

    fn difference(&self, height: u64, rows: &IndexRows) -> Result<Option<Damage>, ReadError> {
        let found = |table, index: u64, fault| Ok(Some(Damage::new(table, index, fault)));
        for (hash, index) in &rows.records {
            let parts: [&[u8]; 2] = [&hash_prefix(hash), &index.to_be_bytes()];
            if !self.view.contains(&key(tables::RECORDS_BY_HASH, &parts))? {
                return found("records_by_hash", *index, "missing");
            }
        }
        for (document, index) in &rows.timeline {
            let parts: [&[u8]; 2] = [document, &index.to_be_bytes()];
            if !self.view.contains(&key(tables::TIMELINE, &parts))? {
                return found("timeline", *index, "missing");
            }
        }
        for claim in &rows.claims {
            let parts: [&[u8]; 2] = [&claim.member, &claim.leaf_index.to_be_bytes()];
            let row = self.view.get(&key(tables::CLAIMS_BY_MEMBER, &parts))?;
            if row.as_ref() != Some(&claim.claim) {
                return found("claims_by_member", claim.leaf_index, "differs");
            }
        }
        let implied = self
            .view
            .get(&key(tables::IMPLIED_EVENTS, &[&height.to_be_bytes()]))?;
        let implied = implied.map(|leaves| implied_of(Ok((Vec::new(), leaves))));
        let implied = implied.transpose()?.unwrap_or_default();
        for event in &rows.events {
            let EventRow {
                leaf_index, number, ..
            } = *event;
            let at = EventPosition { leaf_index, number };
            let same = match &event.bytes {
                Some(bytes) => self.view.get(&event_key(at))?.as_ref() == Some(bytes),
                None => number == 0 && implied.binary_search(&leaf_index).is_ok(),
            };
            if !same {
                return found("events", leaf_index, "differs");
            }
        }
        let mut members: Vec<_> = rows.events.iter().flat_map(|row| &row.members).collect();
        members.sort_unstable();
        members.dedup();
        for member in members {
            let parts: [&[u8]; 2] = [member, &height.to_be_bytes()];
            let list = self.view.get(&key(tables::EVENTS_BY_MEMBER, &parts))?;
            let list = listed(&list.unwrap_or_default())?;
            let concern = |row: &&EventRow| row.members.contains(member);
            let expected = rows.events.iter().filter(concern).map(EventRow::listed);
            if !list.iter().copied().eq(expected) {
                return found("events_by_member", height, "differs");
            }
        }
        Ok(None)
    }

    /// Every run file and body file that the manifest names, from the store's folder on.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let run = |run: &Arc<Run>| Path::new(RUNS).join(&run.info().name);
        let runs = self.published.version.runs().iter().map(run);
        let body = |file: &BodyFile| {
            let folder = Path::new(EPOCHS).join(format!("{:04}", file.year));
            folder.join(file.name())
        };
        runs.chain(self.published.bodies.values().map(body))
            .collect()
    }

    /// Compares every run file and body file with the SM3 digest that the manifest has of it. Gives
    /// the years whose bodies were moved away.
    ///
    /// # Errors
    /// A file is damaged or unreadable; the store has stopped.
    pub fn check_files(&self) -> Result<Vec<u16>, ReadError> {
        let mut away = Vec::new();
        for run in self.published.version.runs() {
            self.shared
                .guard(|| Ok(self.shared.home.verify_file(run.info())?))?;
        }
        for file in self.published.bodies.values() {
            match self.shared.guard(|| self.shared.bodies.verify_file(file)) {
                Err(ReadError::BodiesAway { year }) => away.push(year),
                done => done?,
            }
        }
        away.sort_unstable();
        away.dedup();
        Ok(away)
    }
}
