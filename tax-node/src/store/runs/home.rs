//! Where run files live: writing, merging, opening, checking and removing them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::KEYSPACES_MAX;
use super::block::BLOCK_BYTES;
use super::digest::{FileDigest, STRIDE_BYTES};
use super::error::RunError;
use super::files::Files;
use super::filter::Filters;
use super::generation::{Generation, Held};
use super::info::RunInfo;
use super::merge::{GenerationSource, RunSource, Source, Stand, merge};
use super::run::{BlockCache, BlockWeight, Run};
use super::writer::RunWriter;

/// The folder of the run files, and what they share.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    files: Arc<dyn Files>,
    folder: PathBuf,
    filters: Filters,
    cache: Arc<BlockCache>,
}

impl Home {
    /// Runs in `folder`, which is there, with up to `cache_bytes` of blocks in memory. The filters
    /// are part of the format: all runs of a folder have the same.
    pub(crate) fn new(
        files: Arc<dyn Files>,
        folder: PathBuf,
        filters: Filters,
        cache_bytes: usize,
    ) -> Self {
        let cache =
            BlockCache::with_weighter(cache_bytes / BLOCK_BYTES, cache_bytes as u64, BlockWeight);
        Self {
            files,
            folder,
            filters,
            cache: Arc::new(cache),
        }
    }

    /// Opens a run that the manifest names.
    ///
    /// # Errors
    /// The file is missing, unreadable or not the one that the manifest describes.
    pub(crate) fn open(&self, info: &RunInfo) -> Result<Arc<Run>, RunError> {
        let path = self.folder.join(&info.name);
        let files = self.files.as_ref();
        Run::open(files, &path, info, self.filters, Arc::clone(&self.cache))
    }

    /// Writes the newest version of every row of sealed generations, given newest first, and syncs
    /// file and folder. Rows that say "removed" are left out when there is nothing older.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the caller cancelled: then it was removed, or is
    /// there to be removed on the next opening.
    ///
    /// # Panics
    /// When a generation is not sealed, or there is none.
    pub(crate) fn flush(
        &self,
        name: &str,
        generations: &[Arc<Generation>],
        drop_tombstones: bool,
        cancel: &AtomicBool,
    ) -> Result<RunInfo, RunError> {
        assert!(!generations.is_empty(), "a flush has something to write");
        let sealed = generations.iter().all(|generation| generation.is_sealed());
        assert!(sealed, "only sealed generations are flushed");
        let filtered = generations.iter().flat_map(|generation| {
            let filtered = (0..KEYSPACES_MAX).filter(|n| self.filters.left_out(*n).is_some());
            filtered.map(|n| generation.rows_of(n) as u64)
        });
        let heights = (
            generations.iter().map(|g| g.first_height()).min(),
            generations.iter().map(|g| g.last_height()).max(),
        );
        let held: Vec<Held<'_>> = generations
            .iter()
            .map(|generation| generation.hold())
            .collect();
        let mut sources: Vec<_> = held.iter().map(GenerationSource::new).collect();
        self.write(
            name,
            filtered.sum(),
            &mut sources,
            heights,
            drop_tombstones,
            cancel,
        )
    }

    /// Merges neighbouring runs, given newest first, into one, and syncs file and folder. Rows
    /// that say "removed" are left out when the oldest run of all is among them.
    ///
    /// # Errors
    /// As [`Home::flush`], and when a run is damaged.
    ///
    /// # Panics
    /// When there is no run.
    pub(crate) fn merge(
        &self,
        name: &str,
        runs: &[Arc<Run>],
        drop_tombstones: bool,
        cancel: &AtomicBool,
    ) -> Result<RunInfo, RunError> {
        assert!(!runs.is_empty(), "a merge has something to merge");
        let filtered = runs.iter().map(|run| run.filtered()).sum();
        let heights = (
            runs.iter().map(|run| run.info().first_height).min(),
            runs.iter().map(|run| run.info().last_height).max(),
        );
        let mut sources: Vec<_> = runs.iter().map(|run| RunSource::new(run)).collect();
        self.write(
            name,
            filtered,
            &mut sources,
            heights,
            drop_tombstones,
            cancel,
        )
    }

    fn write<S: Source>(
        &self,
        name: &str,
        filtered: u64,
        sources: &mut [S],
        heights: (Option<u64>, Option<u64>),
        drop_tombstones: bool,
        cancel: &AtomicBool,
    ) -> Result<RunInfo, RunError> {
        let files = self.files.as_ref();
        let heights = (heights.0.unwrap_or(0), heights.1.unwrap_or(0));
        let writer = RunWriter::create(files, &self.folder, name, self.filters, filtered)?;
        let mut write = |mut writer: RunWriter| {
            merge(sources, &mut writer, drop_tombstones, cancel)?;
            writer.finish(files, &self.folder, heights)
        };
        write(writer).inspect_err(|_| {
            // It is garbage either way; the next opening removes what stays.
            let _ = files.remove(&self.folder.join(name));
        })
    }

    /// Compares the SM3 digest of a whole file with the manifest, then reads every row.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub(crate) fn verify_file(&self, info: &RunInfo) -> Result<(), RunError> {
        let path = self.folder.join(&info.name);
        let file = self
            .files
            .open(&path)
            .map_err(RunError::io("open", &path))?;
        let length = file.length().map_err(RunError::io("measure", &path))?;
        let damaged = |offset, fault| RunError::damaged(&path, offset, fault);
        if length != info.bytes {
            return Err(damaged(length, "it has another length"));
        }
        let mut digest = FileDigest::default();
        let mut at = 0;
        let mut portion = Vec::new();
        while at < length {
            let count = (length - at).min(STRIDE_BYTES as u64);
            portion.resize(usize::try_from(count).unwrap_or(0), 0);
            file.read_at(at, &mut portion)
                .map_err(RunError::io("read", &path))?;
            digest.add(&portion);
            at += count;
        }
        if digest.finish() != info.digest {
            return Err(damaged(0, "its SM3 digest is not the one in the manifest"));
        }
        let run = self.open(info)?;
        let mut source = RunSource::new(&run);
        let mut rows = 0;
        let mut tombstones = 0;
        let mut before = Vec::new();
        loop {
            match source.stand() {
                Stand::End => break,
                Stand::Block => source.enter()?,
                Stand::Row => {
                    let key = source.key();
                    if rows > 0 && before.as_slice() >= key {
                        return Err(damaged(0, "its rows are not in order"));
                    }
                    if !run.may_hold(self.filters.hash_of(key)) {
                        return Err(damaged(0, "its filter does not know all rows"));
                    }
                    rows += 1;
                    tombstones += u64::from(source.value().is_none());
                    before.clear();
                    before.extend_from_slice(key);
                    source.advance()?;
                }
            }
        }
        if (rows, tombstones) != (info.rows, info.tombstones) {
            return Err(damaged(0, "it has another number of rows"));
        }
        Ok(())
    }

    /// Removes every file of the folder that `named` does not name, durably: what a crash left.
    ///
    /// # Errors
    /// The system refused.
    pub(crate) fn remove_others(&self, named: &[RunInfo]) -> Result<(), RunError> {
        let folder = &self.folder;
        let found = self
            .files
            .list(folder)
            .map_err(RunError::io("list", folder))?;
        let mut removed = false;
        for name in found {
            if !named.iter().any(|info| info.name == name) {
                self.remove(&name)?;
                removed = true;
            }
        }
        if removed {
            let synced = self.files.sync_folder(folder);
            synced.map_err(RunError::io("sync", folder))?;
        }
        Ok(())
    }

    /// Removes one file; a [`Run`] that has it open goes on reading it. Should the name come back
    /// after a power cut, the next opening removes it again.
    ///
    /// # Errors
    /// The system refused.
    pub(crate) fn remove(&self, name: &str) -> Result<(), RunError> {
        let path = self.folder.join(name);
        self.files
            .remove(&path)
            .map_err(RunError::io("remove", &path))
    }
}
