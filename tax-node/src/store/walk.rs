//! Reading everything, in order: what `tax-node verify` goes through.

use redb::{ReadableTable, ReadableTableMetadata};

use invoice_core::state::Table;

use super::error::{Damage, ReadError};
use super::rows::{IndexRows, hash_prefix};
use super::snapshot::{Snapshot, StoredBlock};
use super::tables;

/// How many rows the derived indexes have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Records by their hash.
    pub records: u64,
    /// Documents and the leaves that concern them.
    pub timeline: u64,
    /// Locks by claimant.
    pub claims: u64,
    /// Events.
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
            for row in self
                .state_table(table)?
                .iter()
                .map_err(ReadError::storage)?
            {
                let (key, value) = row.map_err(ReadError::storage)?;
                visit(key.value(), value.value());
            }
            Ok(())
        })
    }

    /// How many rows the derived indexes have in all.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn row_counts(&self) -> Result<RowCounts, ReadError> {
        self.shared.guard(|| {
            Ok(RowCounts {
                records: self
                    .table(tables::RECORDS_BY_HASH)?
                    .len()
                    .map_err(ReadError::storage)?,
                timeline: self
                    .table(tables::TIMELINE)?
                    .len()
                    .map_err(ReadError::storage)?,
                claims: self
                    .table(tables::CLAIMS_BY_MEMBER)?
                    .len()
                    .map_err(ReadError::storage)?,
                events: self
                    .table(tables::EVENTS)?
                    .len()
                    .map_err(ReadError::storage)?,
                events_by_member: self
                    .table(tables::EVENTS_BY_MEMBER)?
                    .len()
                    .map_err(ReadError::storage)?,
            })
        })
    }

    /// The first of `rows` that the derived indexes lack or have otherwise. Together with
    /// [`Snapshot::row_counts`] it shows that the indexes are exactly what the log gives.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn first_difference(&self, rows: &IndexRows) -> Result<Option<Damage>, ReadError> {
        self.shared.guard(|| {
            let table = self.table(tables::RECORDS_BY_HASH)?;
            for (hash, index) in &rows.records {
                let row = table
                    .get((hash_prefix(hash), *index))
                    .map_err(ReadError::storage)?;
                if row.is_none() {
                    return Ok(Some(Damage::new("records_by_hash", index, "missing")));
                }
            }
            let table = self.table(tables::TIMELINE)?;
            for (document, index) in &rows.timeline {
                let row = table
                    .get((document.as_slice(), *index))
                    .map_err(ReadError::storage)?;
                if row.is_none() {
                    return Ok(Some(Damage::new("timeline", index, "missing")));
                }
            }
            let table = self.table(tables::CLAIMS_BY_MEMBER)?;
            for claim in &rows.claims {
                let row = table
                    .get((&claim.member, claim.leaf_index))
                    .map_err(ReadError::storage)?;
                if row.is_none_or(|row| row.value() != claim.claim) {
                    return Ok(Some(Damage::new(
                        "claims_by_member",
                        claim.leaf_index,
                        "differs",
                    )));
                }
            }
            let table = self.table(tables::EVENTS)?;
            let by_member = self.table(tables::EVENTS_BY_MEMBER)?;
            for event in &rows.events {
                let at = (event.leaf_index, event.number);
                let row = table.get(at).map_err(ReadError::storage)?;
                if row.is_none_or(|row| row.value() != event.bytes) {
                    return Ok(Some(Damage::new("events", event.leaf_index, "differs")));
                }
                for member in &event.members {
                    let row = by_member
                        .get((member, at.0, at.1))
                        .map_err(ReadError::storage)?;
                    if row.is_none() {
                        return Ok(Some(Damage::new(
                            "events_by_member",
                            event.leaf_index,
                            "missing",
                        )));
                    }
                }
            }
            Ok(None)
        })
    }
}
