//! An open run file.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::block;
use super::error::RunError;
use super::files::{FileIn, Files};
use super::filter::{Filter, Filters, LINE_BYTES};
use super::footer::{Footer, MAGIC, TRAILER_BYTES};
use super::index::Index;
use super::info::RunInfo;

/// The filter is read in portions of so many bytes.
const PORTION_BYTES: usize = 1 << 20;

/// A block in the cache.
pub(crate) type Plain = Arc<[u8]>;

/// Plain blocks by run and number.
pub(crate) type BlockCache = Cache<(u64, u64), Plain, BlockWeight>;

/// What a block takes in the cache: its bytes and the entry itself.
#[derive(Clone, Debug)]
pub(crate) struct BlockWeight;

/// Memory of a cache entry beside the block, in bytes.
const ENTRY_BYTES: u64 = 96;

impl Weighter<(u64, u64), Plain> for BlockWeight {
    fn weight(&self, _: &(u64, u64), plain: &Plain) -> u64 {
        plain.len() as u64 + ENTRY_BYTES
    }
}

/// Tells the runs apart in the cache.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// An open immutable run. It goes on being readable after its name was removed; dropping it closes
/// the file.
#[derive(Debug)]
pub(crate) struct Run {
    number: u64,
    path: PathBuf,
    file: Arc<dyn FileIn>,
    cache: Arc<BlockCache>,
    info: RunInfo,
    filter: Filter,
    filtered: u64,
    index: Index,
    last_key: Vec<u8>,
}

/// A row of a run: where its value lies in the block, or nothing when it was removed.
type Found = (Plain, Option<Range<usize>>);

impl Run {
    /// Opens a file and checks everything but its rows.
    pub(crate) fn open(
        files: &dyn Files,
        path: &Path,
        info: &RunInfo,
        filters: Filters,
        cache: Arc<BlockCache>,
    ) -> Result<Arc<Self>, RunError> {
        let file = files.open(path).map_err(RunError::io("open", path))?;
        let length = file.length().map_err(RunError::io("measure", path))?;
        let damaged = |offset, fault| RunError::damaged(path, offset, fault);
        if length != info.bytes {
            return Err(damaged(length, "it has another length"));
        }
        let read = |range: Range<u64>| -> Result<Vec<u8>, RunError> {
            let count = range
                .end
                .checked_sub(range.start)
                .filter(|_| range.end <= length);
            let count = count.and_then(|count| usize::try_from(count).ok());
            let count = count.ok_or_else(|| damaged(range.start, "a part lies beyond its end"))?;
            let mut bytes = vec![0; count];
            file.read_at(range.start, &mut bytes)
                .map_err(RunError::io("read", path))?;
            Ok(bytes)
        };
        let trailer_at = length.saturating_sub(TRAILER_BYTES as u64);
        if read(0..MAGIC.len() as u64)? != MAGIC {
            return Err(damaged(0, "it does not begin like a run"));
        }
        let trailer = Footer::trailer(&read(trailer_at..length)?);
        let (count, sum) =
            trailer.map_err(|_| damaged(trailer_at, "it does not end like a run"))?;
        let footer_at = trailer_at.saturating_sub(count as u64);
        let footer = read(footer_at..trailer_at)?;
        if crc32fast::hash(&footer) != sum {
            return Err(damaged(
                footer_at,
                "the checksum of the footer does not match",
            ));
        }
        let footer = Footer::decode(&footer, &filters)
            .map_err(|_| damaged(footer_at, "the footer is unreadable"))?;
        if (footer.rows, footer.tombstones) != (info.rows, info.tombstones)
            || (footer.first_height, footer.last_height) != (info.first_height, info.last_height)
        {
            return Err(damaged(
                footer_at,
                "it is another run than the manifest names",
            ));
        }

        let index = read(footer.index_at..footer.filter_at)?;
        if crc32fast::hash(&index) != footer.index_sum {
            return Err(damaged(
                footer.index_at,
                "the checksum of the index does not match",
            ));
        }
        let index = Index::decode(&index, MAGIC.len() as u64, footer.blocks)
            .map_err(|fault| damaged(footer.index_at, fault))?;
        if index.end() != footer.index_at {
            return Err(damaged(
                footer.index_at,
                "the blocks do not end where the index begins",
            ));
        }

        let mut at = footer.filter_at;
        let count = footer_at
            .checked_sub(at)
            .and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| count.is_multiple_of(LINE_BYTES));
        let count = count.ok_or_else(|| damaged(at, "the filter has an impossible length"))?;
        let mut filter = Filter::with_bytes(count);
        let mut sum = crc32fast::Hasher::new();
        while at < footer_at {
            let end = footer_at.min(at.saturating_add(PORTION_BYTES as u64));
            let portion = read(at..end)?;
            sum.update(&portion);
            filter.extend(&portion);
            at = end;
        }
        if sum.finalize() != footer.filter_sum {
            return Err(damaged(
                footer.filter_at,
                "the checksum of the filter does not match",
            ));
        }
        Ok(Arc::new(Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            path: path.to_owned(),
            file,
            cache,
            info: info.clone(),
            filter,
            filtered: footer.filtered,
            index,
            last_key: footer.last_key,
        }))
    }

    /// What the manifest says of it.
    pub(crate) const fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The memory of its index and filter, in bytes.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        self.index.bytes() + self.filter.bytes()
    }

    /// Which block holds what.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The key of the last row.
    pub(crate) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// How many keys its filter knows.
    pub(crate) const fn filtered(&self) -> u64 {
        self.filtered
    }

    /// False when the filter says that nothing with this hash is in the run.
    pub(crate) fn may_hold(&self, hash: Option<u64>) -> bool {
        hash.is_none_or(|hash| self.filter.may_hold(hash))
    }

    /// Describes damage to a block.
    pub(crate) fn damage(&self, block: usize, fault: &'static str) -> RunError {
        let offset = self.index.place(block).map_or(0, |place| place.start);
        RunError::damaged(&self.path, offset, fault)
    }

    /// Reads the bytes of some blocks that lie one behind the other.
    pub(crate) fn read(&self, place: Range<u64>, out: &mut Vec<u8>) -> Result<(), RunError> {
        let count = place
            .end
            .checked_sub(place.start)
            .and_then(|count| usize::try_from(count).ok());
        out.clear();
        out.resize(count.unwrap_or(0), 0);
        self.file
            .read_at(place.start, out)
            .map_err(RunError::io("read", &self.path))
    }

    /// The plain form of a block.
    pub(crate) fn block(&self, block: usize) -> Result<Plain, RunError> {
        let name = (self.number, block as u64);
        if let Some(plain) = self.cache.get(&name) {
            return Ok(plain);
        }
        let place = self.index.place(block).unwrap_or_default();
        let mut frame = Vec::new();
        self.read(place, &mut frame)?;
        let mut plain = Vec::new();
        block::unpack(&frame, &mut plain).map_err(|fault| self.damage(block, fault))?;
        let plain: Plain = plain.into();
        self.cache.insert(name, Arc::clone(&plain));
        Ok(plain)
    }

    /// Looks a key up that the filter let through.
    pub(crate) fn find(&self, key: &[u8]) -> Result<Option<Found>, RunError> {
        let Some(number) = self.index.find(key) else {
            return Ok(None);
        };
        let plain = self.block(number)?;
        let found = block::find(&plain, key).map_err(|fault| self.damage(number, fault))?;
        Ok(found.map(|value| (plain, value)))
    }
}
