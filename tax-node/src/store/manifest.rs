//! The manifest: which run files and body files count, and up to which block they reach.
//!
//! Its rows are in the engine's file and change in the transaction of a block, so what they name
//! is what the block stands on. A file that no row names is left over from an interrupted step and
//! is removed on opening. Keys: `flushed` (the last block that is in files, as `head.rs` lays it
//! out), `run/NAME`, `body/NUMBER`.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, Table};

use super::bodies::BodyFile;
use super::dictionary::Dictionary;
use super::error::{Damage, ReadError};
use super::head::Head;
use super::runs::{Run, RunInfo};
use super::young::Segment;

const FLUSHED: &str = "flushed";
const RUN: &str = "run/";
const BODY: &str = "body/";

const TABLE: &str = "manifest";

/// What a finished step in the background wants the next block's transaction to write.
#[derive(Debug)]
pub(super) enum Edit {
    /// A segment is in files.
    Flushed(Flushed),
    /// Neighbouring runs are one.
    Merged {
        /// Names of the runs, newest first.
        replaced: Vec<String>,
        /// What replaces them.
        run: Arc<Run>,
    },
    /// A dictionary for later bundles.
    Trained(Arc<Dictionary>),
}

/// A segment that is in files.
#[derive(Debug)]
pub(super) struct Flushed {
    pub(super) segment: Arc<Segment>,
    pub(super) run: Arc<Run>,
    pub(super) bodies: Vec<BodyFile>,
    /// Its last block.
    pub(super) head: Head,
}

/// What the manifest says.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) flushed: Option<Head>,
    /// Newest first.
    pub(super) runs: Vec<RunInfo>,
    pub(super) bodies: BTreeMap<u32, BodyFile>,
}

fn run_key(name: &str) -> String {
    format!("{RUN}{name}")
}

fn body_key(number: u32) -> String {
    format!("{BODY}{number:010}")
}

impl Manifest {
    pub(super) fn read(
        table: &impl ReadableTable<&'static str, &'static [u8]>,
    ) -> Result<Self, ReadError> {
        let mut manifest = Self::default();
        for row in table.iter().map_err(ReadError::storage)? {
            let (key, value) = row.map_err(ReadError::storage)?;
            let (key, value) = (key.value(), value.value());
            let damage = |_| Damage::new(TABLE, key, "unreadable");
            if key == FLUSHED {
                manifest.flushed = Some(Head::decode(value).map_err(damage)?);
            } else if key.starts_with(RUN) {
                manifest.runs.push(RunInfo::decode(value).map_err(damage)?);
            } else if let Some(number) = key.strip_prefix(BODY) {
                let number = number
                    .parse()
                    .map_err(|_| Damage::new(TABLE, key, "unreadable"))?;
                let file = BodyFile::decode(number, value).map_err(damage)?;
                manifest.bodies.insert(number, file);
            } else {
                return Err(Damage::new(TABLE, key, "unknown").into());
            }
        }
        manifest
            .runs
            .sort_by_key(|run| std::cmp::Reverse(run.first_height));
        let neighbours = manifest.runs.iter().zip(manifest.runs.iter().skip(1));
        for (newer, older) in neighbours {
            if older.last_height >= newer.first_height {
                return Err(Damage::new(TABLE, &newer.name, "overlaps another run").into());
            }
        }
        let reach = manifest.runs.first().map(|run| run.last_height);
        if reach != manifest.flushed.as_ref().map(|head| head.height) {
            return Err(Damage::new(TABLE, FLUSHED, "is not where the runs end").into());
        }
        Ok(manifest)
    }

    /// The first number that no file has.
    pub(super) fn next_number(&self) -> u32 {
        let of_run = |run: &RunInfo| run.name.split_once('.')?.0.parse::<u32>().ok();
        let runs = self.runs.iter().filter_map(of_run);
        let used = runs.chain(self.bodies.keys().copied()).max();
        used.map_or(1, |used| used.saturating_add(1))
    }
}

/// Writes what an edit changes in the manifest.
pub(super) fn write(
    table: &mut Table<'_, &'static str, &'static [u8]>,
    edit: &Edit,
) -> Result<(), ReadError> {
    let put_run = |table: &mut Table<'_, &'static str, &'static [u8]>, run: &Run| {
        let info = run.info();
        let row = info
            .encode()
            .map_err(|error| Damage::new(TABLE, &info.name, error.what))?;
        table
            .insert(run_key(&info.name).as_str(), row.as_slice())
            .map_err(ReadError::storage)?;
        Ok::<(), ReadError>(())
    };
    match edit {
        Edit::Flushed(flushed) => {
            put_run(table, &flushed.run)?;
            for file in &flushed.bodies {
                table
                    .insert(body_key(file.number).as_str(), file.encode().as_slice())
                    .map_err(ReadError::storage)?;
            }
            table
                .insert(FLUSHED, flushed.head.encode().as_slice())
                .map_err(ReadError::storage)?;
        }
        Edit::Merged { replaced, run } => {
            for name in replaced {
                table
                    .remove(run_key(name).as_str())
                    .map_err(ReadError::storage)?;
            }
            put_run(table, run)?;
        }
        Edit::Trained(_) => {}
    }
    Ok(())
}
