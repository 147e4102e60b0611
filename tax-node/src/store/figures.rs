//! The supervisor's figures: rows that are derived from the blocks, in a file of their own.
//!
//! One table of byte keys, changed by one durable two-phase transaction for each batch of blocks;
//! the row that says how far the figures are complete is among the changes. After a crash the
//! file holds the rows of an earlier batch as a whole. Since rows are a function of the blocks,
//! going on from there gives the bytes that there would have been. The file may be removed at any
//! time while the node does not run: it is made anew from the chain. Nothing else depends on it,
//! and no block waits for it.

use std::fs;
use std::io;
use std::path::Path;

use oversight::{Changed, Row, Rows};
use redb::{
    AccessGuard, Builder, Database, Durability, ReadOnlyTable, ReadableDatabase, StorageBackend,
    TableDefinition,
};

use super::error::{OpenError, ReadError, contained};

/// The name of the file in the node's folder.
pub const FIGURES_FILE: &str = "figures.redb";

/// Key → value, as the crate `oversight` lays them out.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// Memory for the engine's pages.
const CACHE_BYTES: usize = 48 * 1024 * 1024;

/// The file of figures, opened. One process holds it exclusively.
#[derive(Debug)]
pub struct FigureFile {
    database: Database,
}

impl FigureFile {
    /// Opens the file in a folder, or makes an empty one. A damaged one is made anew: it holds
    /// nothing that the chain does not.
    ///
    /// # Errors
    /// The file is in use, or the disk fails.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FIGURES_FILE);
        match Self::built(|builder| builder.create(&path)) {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "统计文件已损坏，将重建 / the file of figures is damaged and made anew");
                Self::remove(folder)?;
                Self::built(|builder| builder.create(&path))
            }
            opened => opened,
        }
    }

    /// Opens the file on a backend that the caller provides.
    ///
    /// # Errors
    /// The backend fails.
    pub fn on(backend: impl StorageBackend) -> Result<Self, OpenError> {
        Self::built(|builder| builder.create_with_backend(backend))
    }

    /// Removes the file.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn remove(folder: &Path) -> Result<(), OpenError> {
        let path = folder.join(FIGURES_FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(OpenError::Io {
                action: "remove",
                path,
                source,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn built(
        open: impl FnOnce(&mut Builder) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, OpenError> {
        let build = || {
            let database = open(Builder::new().set_cache_size(CACHE_BYTES));
            let database = database.map_err(OpenError::storage)?;
            // The table exists from the start, so that reading never meets an absent one.
            let transaction = super::commit::begin(&database).map_err(OpenError::storage)?;
            drop(transaction.open_table(ROWS).map_err(OpenError::storage)?);
            transaction.commit().map_err(OpenError::storage)?;
            Ok(Self { database })
        };
        contained(build, OpenError::storage)
    }

    /// The rows as they are now; what is committed later is not seen.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn rows(&self) -> Result<FigureRows, ReadError> {
        let read = || {
            let transaction = self.database.begin_read().map_err(ReadError::storage)?;
            let table = transaction.open_table(ROWS).map_err(ReadError::storage)?;
            Ok(FigureRows { table })
        };
        contained(read, ReadError::storage)
    }

    /// Keeps what a batch changed, durably and as a whole.
    ///
    /// # Errors
    /// It is not known whether the batch is kept: whoever gets this opens the file anew.
    pub fn commit(&self, changed: &Changed) -> Result<(), ReadError> {
        let write = || {
            let transaction = super::commit::begin(&self.database).map_err(ReadError::storage)?;
            let mut table = transaction.open_table(ROWS).map_err(ReadError::storage)?;
            for (key, value) in changed {
                match value {
                    Some(value) => drop(
                        table
                            .insert(key.as_slice(), value.as_slice())
                            .map_err(ReadError::storage)?,
                    ),
                    None => drop(table.remove(key.as_slice()).map_err(ReadError::storage)?),
                }
            }
            drop(table);
            transaction.commit().map_err(ReadError::storage)
        };
        contained(write, ReadError::storage)
    }

    /// Removes all rows.
    ///
    /// # Errors
    /// As [`FigureFile::commit`].
    pub fn clear(&self) -> Result<(), ReadError> {
        let clear = || {
            let mut transaction = self.database.begin_write().map_err(ReadError::storage)?;
            transaction
                .set_durability(Durability::Immediate)
                .map_err(ReadError::storage)?;
            transaction.delete_table(ROWS).map_err(ReadError::storage)?;
            drop(transaction.open_table(ROWS).map_err(ReadError::storage)?);
            transaction.commit().map_err(ReadError::storage)
        };
        contained(clear, ReadError::storage)
    }
}

/// A row as the engine hands it out.
type Guards<'t> = (
    AccessGuard<'t, &'static [u8]>,
    AccessGuard<'t, &'static [u8]>,
);

/// The rows of figures as they stood at one moment.
pub struct FigureRows {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl std::fmt::Debug for FigureRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FigureRows").finish_non_exhaustive()
    }
}

impl Rows for FigureRows {
    type Error = ReadError;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let read = || {
            let value = self.table.get(key).map_err(ReadError::storage)?;
            Ok(value.map(|value| value.value().to_vec()))
        };
        contained(read, ReadError::storage)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let read = || {
            let range = self.table.range(from..to).map_err(ReadError::storage)?;
            let owned = |row: Result<Guards<'_>, redb::StorageError>| {
                let (key, value) = row.map_err(ReadError::storage)?;
                Ok((key.value().to_vec(), value.value().to_vec()))
            };
            match descending {
                false => range.take(limit).map(owned).collect(),
                true => range.rev().take(limit).map(owned).collect(),
            }
        };
        contained(read, ReadError::storage)
    }
}
