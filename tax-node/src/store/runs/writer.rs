//! Writing a run file from front to back.

use std::path::{Path, PathBuf};

use super::block::{self, BLOCK_BYTES, Builder, Packer};
use super::digest::{FileDigest, STRIDE_BYTES};
use super::error::RunError;
use super::files::{FileOut, Files};
use super::filter::{Filter, Filters};
use super::footer::{Footer, MAGIC};
use super::index::Index;
use super::info::RunInfo;

/// Collects the bytes of a file and hashes them on their way.
#[derive(Debug)]
struct Output {
    file: Box<dyn FileOut>,
    path: PathBuf,
    buffer: Vec<u8>,
    digest: FileDigest,
    length: u64,
}

impl Output {
    fn put(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.length += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= STRIDE_BYTES {
            let rest = self.buffer.split_off(STRIDE_BYTES);
            self.pass()?;
            self.buffer.extend_from_slice(&rest);
        }
        Ok(())
    }

    fn pass(&mut self) -> Result<(), RunError> {
        self.digest.add(&self.buffer);
        let written = self.file.write(&self.buffer);
        self.buffer.clear();
        written.map_err(RunError::io("write", &self.path))
    }
}

/// Writes a run.
#[derive(Debug)]
pub(crate) struct RunWriter {
    name: String,
    filters: Filters,
    output: Output,
    filter: Filter,
    last_hash: Option<u64>,
    builder: Builder,
    keyspace: u8,
    packer: Packer,
    index: Index,
    /// The last key of the last finished block.
    before: Vec<u8>,
    first_key: Option<Vec<u8>>,
    rows: u64,
    tombstones: u64,
    filtered: u64,
}

impl RunWriter {
    /// Creates the file, for up to `filtered` rows in keyspaces with a filter.
    pub(crate) fn create(
        files: &dyn Files,
        folder: &Path,
        name: &str,
        filters: Filters,
        filtered: u64,
    ) -> Result<Self, RunError> {
        let path = folder.join(name);
        let file = files.create(&path).map_err(RunError::io("create", &path))?;
        let packer = Packer::new().map_err(RunError::io("compress", &path))?;
        let mut output = Output {
            file,
            path,
            buffer: Vec::with_capacity(STRIDE_BYTES + BLOCK_BYTES),
            digest: FileDigest::default(),
            length: 0,
        };
        output.put(&MAGIC)?;
        Ok(Self {
            name: name.to_owned(),
            filters,
            index: Index::new(output.length),
            output,
            filter: Filter::for_rows(filtered),
            last_hash: None,
            builder: Builder::default(),
            keyspace: 0,
            packer,
            before: Vec::new(),
            first_key: None,
            rows: 0,
            tombstones: 0,
            filtered: 0,
        })
    }

    /// Appends a row behind all others; `None` says that it was removed.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), RunError> {
        let keyspace = key.first().copied().unwrap_or(0);
        if keyspace != self.keyspace || self.builder.is_full_for(key, value) {
            self.close_block()?;
            self.keyspace = keyspace;
        }
        self.builder.put(key, value);
        self.note(key, value.is_none());
        Ok(())
    }

    /// Counts a row.
    fn note(&mut self, key: &[u8], removed: bool) {
        if self.first_key.is_none() {
            self.first_key = Some(key.to_vec());
        }
        self.rows += 1;
        self.tombstones += u64::from(removed);
        let hash = self.filters.hash_of(key);
        if let Some(hash) = hash
            && self.last_hash != Some(hash)
        {
            self.filter.insert(hash);
            self.filtered += 1;
            self.last_hash = Some(hash);
        }
    }

    fn close_block(&mut self) -> Result<(), RunError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let frame = self.packer.pack(self.keyspace, self.builder.plain());
        let frame = frame.map_err(RunError::io("compress", &self.output.path))?;
        let offset = self.output.length;
        self.output.put(frame)?;
        let pushed = self
            .index
            .push(&self.before, self.builder.first(), frame.len());
        pushed.map_err(|fault| RunError::damaged(&self.output.path, offset, fault))?;
        self.before.clear();
        self.before.extend_from_slice(self.builder.last());
        self.builder.clear();
        Ok(())
    }

    /// Appends a whole block of another run as it is, all of whose keys are behind those written
    /// so far. The open block before it is closed; when that is small, this one's rows join it.
    ///
    /// Says no, and has done nothing, when the block had better be written row by row: it is small
    /// itself, or has rows that say "removed" although `drop_tombstones`.
    pub(crate) fn put_block(
        &mut self,
        frame: &[u8],
        plain: &[u8],
        drop_tombstones: bool,
    ) -> Result<bool, RunError> {
        let joins = !self.builder.is_empty() && self.builder.plain().len() < BLOCK_BYTES / 2;
        if plain.len() < BLOCK_BYTES / 2 || plain.len() > BLOCK_BYTES * 3 / 2 {
            return Ok(false);
        }
        let offset = self.output.length;
        let path = self.output.path.clone();
        let damaged = |fault| RunError::damaged(&path, offset, fault);
        if drop_tombstones {
            let mut at = 0;
            while at < plain.len() {
                let row = block::row_at(plain, at).map_err(damaged)?;
                if row.value.is_none() {
                    return Ok(false);
                }
                at = row.next;
            }
        }
        let keyspace = block::row_at(plain, 0).map_err(damaged)?.rest.start;
        let joins = joins && plain.get(keyspace).copied() == Some(self.keyspace);
        if !joins {
            self.close_block()?;
        }
        let mut key = Vec::new();
        let mut first = Vec::new();
        let mut at = 0;
        while at < plain.len() {
            let row = block::row_at(plain, at).map_err(damaged)?;
            block::next_key(&mut key, plain, &row).map_err(damaged)?;
            if joins {
                let value = row.value.clone();
                self.builder
                    .put(&key, value.and_then(|value| plain.get(value)));
            } else if at == 0 {
                first.clone_from(&key);
            }
            self.note(&key, row.value.is_none());
            at = row.next;
        }
        if joins {
            self.close_block()?;
            return Ok(true);
        }
        self.keyspace = key.first().copied().unwrap_or(0);
        self.output.put(frame)?;
        self.index
            .push(&self.before, &first, frame.len())
            .map_err(damaged)?;
        self.builder.passed(&key);
        self.before = key;
        Ok(true)
    }

    /// Writes the rest and makes file and name durable.
    pub(crate) fn finish(
        mut self,
        files: &dyn Files,
        folder: &Path,
        heights: (u64, u64),
    ) -> Result<RunInfo, RunError> {
        self.close_block()?;
        let index_at = self.output.length;
        let index = self.index.encode();
        self.output.put(&index)?;
        let filter_at = self.output.length;
        self.filter.settle();
        let mut filter_sum = crc32fast::Hasher::new();
        for line in self.filter.lines() {
            filter_sum.update(&line);
            self.output.put(&line)?;
        }
        let footer = Footer {
            rows: self.rows,
            tombstones: self.tombstones,
            filtered: self.filtered,
            first_height: heights.0,
            last_height: heights.1,
            blocks: self.index.blocks() as u64,
            index_at,
            filter_at,
            index_sum: crc32fast::hash(&index),
            filter_sum: filter_sum.finalize(),
            first_key: self.first_key.take().unwrap_or_default(),
            last_key: self.before,
        };
        let footer = footer.encode(&self.filters);
        let at = self.output.length;
        let footer =
            footer.map_err(|error| RunError::damaged(&self.output.path, at, error.what))?;
        self.output.put(&footer)?;
        self.output.pass()?;
        let Output {
            mut file,
            path,
            digest,
            length,
            ..
        } = self.output;
        file.sync().map_err(RunError::io("sync", &path))?;
        // Until here a crash leaves no file or an unreadable one; the caller names it in the
        // manifest only after this returned.
        files
            .sync_folder(folder)
            .map_err(RunError::io("sync", folder))?;
        Ok(RunInfo {
            name: self.name,
            bytes: length,
            rows: self.rows,
            tombstones: self.tombstones,
            first_height: heights.0,
            last_height: heights.1,
            digest: digest.finish(),
        })
    }
}
