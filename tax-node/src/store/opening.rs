//! Opening a store: the manifest names the files, the journal gives the young blocks.
//!
//! 1. The engine repairs its own file: it is that of the last block whose commit was decided.
//! 2. Files that the manifest does not name are left over from interrupted steps and are removed.
//! 3. The runs that it names are opened.
//! 4. The journal's entries above the last block in files become the young blocks in memory.
//! 5. The last blocks are verified (`tail_check.rs`), and the caller executes them again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};

use super::block_row::BlockOutline;
use super::bodies::{Bodies, BodyFile, year_of};
use super::commit::{Writer, read_dictionary};
use super::dictionary::Dictionaries;
use super::error::{Damage, OpenError, ReadError};
use super::head::Head;
use super::manifest::Manifest;
use super::runs::{Files, Home};
use super::shared::{Published, Shared};
use super::young::{Segment, YoungBlock};
use super::{OpenOptions, journal, tables};

/// Where the run files lie in the store's folder.
pub(crate) const RUNS: &str = "runs";

/// Where the body files lie in the store's folder, by year.
pub(crate) const EPOCHS: &str = "epochs";

/// Reads everything that is needed before the first answer.
pub(super) fn open(
    database: &Database,
    files: &Arc<dyn Files>,
    folder: &Path,
    options: &OpenOptions<'_>,
) -> Result<(Shared, Writer), OpenError> {
    let transaction = database.begin_read().map_err(OpenError::storage)?;
    check_format(&transaction)?;
    let (head, genesis) = read_meta(&transaction)?;
    let manifest = transaction
        .open_table(tables::MANIFEST)
        .map_err(OpenError::storage)?;
    let manifest = Manifest::read(&manifest)?;
    let next_number = manifest.next_number();
    let dictionaries = read_dictionaries(&transaction)?;
    let table = transaction
        .open_table(tables::JOURNAL)
        .map_err(OpenError::storage)?;
    let journal_first = journal::first_height(&table)?.unwrap_or(0);
    let flushed = manifest.flushed.as_ref().map(|head| head.height);
    let segments = read_journal(&table, flushed, &head, options.tuning.flush_bytes)?;

    let runs_folder = folder.join(RUNS);
    for folder in [&runs_folder, &folder.join(EPOCHS)] {
        let created = files.create_folder(folder);
        created.map_err(super::runs::RunError::io("create", folder))?;
    }
    let home = Home::new(
        Arc::clone(files),
        runs_folder,
        tables::FILTERS,
        options.cache_bytes,
    );
    home.remove_others(&manifest.runs)?;
    let bodies = Bodies::new(Arc::clone(files), folder.join(EPOCHS));
    remove_other_bodies(&bodies, &manifest, &segments)?;
    let runs = manifest
        .runs
        .iter()
        .map(|info| home.open(info))
        .collect::<Result<Vec<_>, _>>()?;

    let published = Published {
        head: Arc::new(head),
        version: Published::version_of(&segments, runs),
        segments,
        flushed: manifest.flushed.map(Arc::new),
        bodies: Arc::new(manifest.bodies),
        dictionaries: Arc::new(dictionaries),
    };
    let shared = Shared::new(
        published,
        (home, bodies),
        genesis,
        options.tuning,
        next_number,
    );
    Ok((shared, Writer::new(journal_first)))
}

fn check_format(transaction: &ReadTransaction) -> Result<(), OpenError> {
    let meta = transaction
        .open_table(tables::META)
        .map_err(OpenError::storage)?;
    let row = meta.get(tables::META_FORMAT).map_err(OpenError::storage)?;
    let format = row
        .and_then(|row| row.value().try_into().ok())
        .map(u32::from_be_bytes);
    match format {
        Some(tables::FORMAT) => Ok(()),
        Some(found) => Err(OpenError::Format {
            found,
            known: tables::FORMAT,
        }),
        None => Err(Damage::new("meta", tables::META_FORMAT, "missing").into()),
    }
}

fn read_meta(transaction: &ReadTransaction) -> Result<(Head, Vec<u8>), OpenError> {
    let meta = transaction
        .open_table(tables::META)
        .map_err(OpenError::storage)?;
    let row = |key| -> Result<Vec<u8>, OpenError> {
        let row = meta.get(key).map_err(OpenError::storage)?;
        let row = row.ok_or_else(|| Damage::new("meta", key, "missing"))?;
        Ok(row.value().to_vec())
    };
    let head = Head::decode(&row(tables::META_HEAD)?)
        .map_err(|_| Damage::new("meta", tables::META_HEAD, "unreadable"))?;
    Ok((head, row(tables::META_GENESIS)?))
}

fn read_dictionaries(transaction: &ReadTransaction) -> Result<Dictionaries, OpenError> {
    let table = transaction
        .open_table(tables::DICTIONARIES)
        .map_err(OpenError::storage)?;
    let mut dictionaries = Dictionaries::default();
    for row in table.iter().map_err(OpenError::storage)? {
        let (number, bytes) = row.map_err(OpenError::storage)?;
        let dictionary = read_dictionary(number.value(), bytes.value())?;
        dictionaries = dictionaries.with(Arc::new(dictionary));
    }
    Ok(dictionaries)
}

/// The blocks above the last one in files, and the state before the first block when there is none,
/// as segments, newest first: the same that were there before the store was closed.
fn read_journal(
    table: &impl ReadableTable<(u64, u32), &'static [u8]>,
    flushed: Option<u64>,
    head: &Head,
    flush_bytes: usize,
) -> Result<Vec<Arc<Segment>>, ReadError> {
    let first = flushed.map_or(0, |height| height.saturating_add(1));
    let mut segment = Segment::new(first);
    let mut segments = Vec::new();
    for height in first..=head.height {
        let damage = |fault| Damage::new("journal", height, fault);
        let entry = journal::read(table, height)?;
        if height == 0 {
            segment.push(height, &entry.rows, None);
            continue;
        }
        let outline = BlockOutline::decode(&entry.block_row).map_err(|_| damage("unreadable"))?;
        let leaves: u64 = entry.parts.iter().map(|part| u64::from(part.leaves)).sum();
        let header = &outline.header;
        let ends = (header.height, header.log_size, u64::from(header.count));
        if ends != (height, entry.frontier.size(), leaves) {
            return Err(damage("its parts do not belong together").into());
        }
        let block = YoungBlock {
            outline: Arc::new(outline),
            frontier: entry.frontier,
            parts: entry.parts,
            leaf_hashes: OnceLock::new(),
        };
        segment.push(height, &entry.rows, Some(block));
        if segment.bytes() >= flush_bytes {
            segment.generation.seal();
            let next = Segment::new(height.saturating_add(1));
            segments.push(Arc::new(std::mem::replace(&mut segment, next)));
        }
    }
    segments.push(Arc::new(segment));
    segments.reverse();
    Ok(segments)
}

/// An interrupted step may have left files in the folder of any year in which young blocks lie.
fn remove_other_bodies(
    bodies: &Bodies,
    manifest: &Manifest,
    segments: &[Arc<Segment>],
) -> Result<(), OpenError> {
    let blocks: Vec<_> = segments
        .iter()
        .flat_map(|segment| segment.blocks())
        .collect();
    let young = blocks
        .iter()
        .map(|block| year_of(block.outline.header.time_ms));
    let old = manifest.bodies.values().map(|file| file.year);
    let years: BTreeSet<u16> = young.chain(old).collect();
    let names: BTreeSet<(u16, String)> = manifest
        .bodies
        .values()
        .map(|file: &BodyFile| (file.year, file.name()))
        .collect();
    bodies.remove_others(years, |year, name| names.contains(&(year, name.to_owned())))?;
    Ok(())
}
