//! Final blocks, one after another, into the rows of figures.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use invoice_core::apply::Event;
use invoice_core::codec::DecodeError;
use invoice_core::crypto::Hash;
use invoice_core::record::parse_record;
use oversight::{Changes, FOLD_VERSION, FoldError, Head, SeenBlock, SeenRecord, fold};
use tokio::sync::watch;

use super::Oversight;
use crate::node::disk::Disk;
use crate::store::{Damage, FigureFile, ReadError, Snapshot, Store, StoredBlock};

/// Records from which on a batch is kept.
const BATCH_RECORDS: usize = 20_000;
/// Changed rows from which on a batch is kept: its memory is bounded by them.
const BATCH_ROWS: usize = 200_000;
/// Time after which a batch is kept.
const BATCH_TIME: Duration = Duration::from_millis(500);
/// How often a thread that has nothing to do looks for new blocks.
const LOOK: Duration = Duration::from_millis(100);
/// The longest rest between two batches while blocks come in.
const REST_MAX: Duration = Duration::from_millis(500);
/// How often it is told how far a fold is that is far behind.
const TELL: Duration = Duration::from_secs(5);
/// Blocks behind the head from which on it is told.
const TELL_BEHIND: u64 = 1_000;

/// Why the figures stand still.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldingError {
    /// The store or the file of figures failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A block or row is not what it should be.
    #[error(transparent)]
    Fold(#[from] FoldError<ReadError>),
    /// Whoever read the figures met a row that is not what it should be.
    #[error("a row of the figures is damaged")]
    RowsDamaged,
    /// An event of the index is damaged.
    #[error("an event is damaged: {0}")]
    Event(#[from] DecodeError),
}

impl FoldingError {
    /// Whether the rows of the figures are at fault, which the chain can be folded into anew.
    const fn is_of_rows(&self) -> bool {
        match self {
            Self::RowsDamaged => true,
            Self::Fold(FoldError::Rows(_) | FoldError::Damaged(_)) => true,
            Self::Fold(FoldError::NotNext(_)) | Self::Read(_) | Self::Event(_) => false,
        }
    }
}

/// Folds until the node stops. Rows that turn out to be damaged are removed once and made anew;
/// when that fails too, the file goes, so that the next start begins with an empty one.
pub(super) fn run(
    oversight: &Oversight,
    store: &Arc<Store>,
    genesis: Hash,
    head: &watch::Receiver<u64>,
    disk: &Disk,
) -> Result<(), FoldingError> {
    let error = match follow(oversight, store, genesis, head, disk) {
        Err(error) if error.is_of_rows() => error,
        ended => return ended,
    };
    tracing::warn!(%error, "统计数据已损坏，将从头重建 / the figures are damaged and folded anew");
    let cleared = oversight.file.clear();
    oversight.made_anew.fetch_add(1, Ordering::AcqRel);
    let is_cleared = cleared.is_ok();
    let anew = cleared.map_err(FoldingError::Read);
    let anew = anew.and_then(|()| follow(oversight, store, genesis, head, disk));
    if let Err(error) = &anew
        && (!is_cleared || error.is_of_rows())
    {
        tracing::warn!(%error, "统计文件将在下次启动时重建 / the file of figures is made anew at the next start");
        if let Err(error) = FigureFile::remove(&oversight.folder) {
            tracing::warn!(%error, "统计文件无法删除 / the file of figures cannot be removed");
        }
    }
    anew
}

/// Folds until the node stops or something fails.
fn follow(
    oversight: &Oversight,
    store: &Arc<Store>,
    genesis: Hash,
    head: &watch::Receiver<u64>,
    disk: &Disk,
) -> Result<(), FoldingError> {
    let mut height = begin(oversight, store, genesis)?;
    let mut told = Instant::now();
    while !oversight.is_stopping() {
        if oversight.is_distrusted() {
            return Err(FoldingError::RowsDamaged);
        }
        let target = *head.borrow();
        // What room there is left belongs to the chain.
        if height >= target || disk.is_low() {
            std::thread::park_timeout(LOOK);
            continue;
        }
        let since = Instant::now();
        height = batch(oversight, store, height)?;
        let behind = target.saturating_sub(height);
        if behind >= TELL_BEHIND && told.elapsed() >= TELL {
            told = Instant::now();
            tracing::info!(height, head = target, "正在统计 / folding figures");
        }
        // While records come in they come first: a fold that is behind takes half of a processor.
        if *head.borrow() > target {
            std::thread::park_timeout(since.elapsed().min(REST_MAX));
        }
    }
    Ok(())
}

/// Where to go on: the height that the rows are complete to. Rows of another version, chain or
/// branch are removed first.
fn begin(oversight: &Oversight, store: &Store, genesis: Hash) -> Result<u64, FoldingError> {
    let snapshot = store.snapshot()?;
    let known = fold::head_of(&oversight.rows()?);
    if let Ok(Some(head)) = known
        && fits(&head, &snapshot, genesis)?
    {
        return Ok(head.height);
    }
    if !matches!(known, Ok(None)) {
        tracing::info!("统计将从头重建 / the figures are folded anew");
        oversight.file.clear()?;
    }
    let rows = oversight.rows()?;
    let mut changes = Changes::new(&rows);
    fold::begin(&mut changes, &Head::genesis(FOLD_VERSION, genesis));
    oversight.file.commit(&changes.into_changed())?;
    Ok(0)
}

/// Whether rows are of this version and of a beginning of this very chain.
fn fits(head: &Head, snapshot: &Snapshot, genesis: Hash) -> Result<bool, ReadError> {
    if head.version != FOLD_VERSION || head.genesis != genesis {
        return Ok(false);
    }
    if head.height == 0 {
        return Ok(true);
    }
    let outline = snapshot.outline(head.height)?;
    Ok(outline.is_some_and(|outline| outline.header.id() == head.block))
}

/// Folds the blocks after a height and keeps what they changed. Gives the new height.
fn batch(oversight: &Oversight, store: &Store, height: u64) -> Result<u64, FoldingError> {
    let since = Instant::now();
    let rows = oversight.rows()?;
    let mut changes = Changes::new(&rows);
    let snapshot = store.snapshot()?;
    let (mut last, mut records) = (height, 0_usize);
    while last < snapshot.head().height && !oversight.is_stopping() {
        let next = last.saturating_add(1);
        let block = seen(&snapshot, next)?;
        records = records.saturating_add(block.records.as_ref().map_or(0, Vec::len));
        fold::fold(&mut changes, &block)?;
        last = next;
        let full = records >= BATCH_RECORDS || changes.len() >= BATCH_ROWS;
        if full || since.elapsed() >= BATCH_TIME {
            break;
        }
    }
    if last > height {
        oversight.file.commit(&changes.into_changed())?;
    }
    Ok(last)
}

/// A block as the fold sees it.
fn seen(snapshot: &Snapshot, height: u64) -> Result<SeenBlock, FoldingError> {
    let missing = || ReadError::from(Damage::new("blocks", height, "missing"));
    let outline = snapshot.outline(height)?.ok_or_else(missing)?;
    let header = &outline.header;
    let records = match snapshot.block(height) {
        Ok(block) => Some(records(snapshot, &block.ok_or_else(missing)?)?),
        // The year's bodies are elsewhere; what it held is counted as left out.
        Err(ReadError::BodiesAway { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(SeenBlock {
        height,
        id: header.id(),
        time_ms: header.time_ms,
        log_size: header.log_size,
        records,
    })
}

fn records(snapshot: &Snapshot, stored: &StoredBlock) -> Result<Vec<SeenRecord>, FoldingError> {
    let header = &stored.block.header;
    let mut told = snapshot
        .told_by(header.first_index, header.log_size)?
        .into_iter()
        .peekable();
    let mut records = Vec::new();
    let entries = stored
        .block
        .envelopes
        .iter()
        .flat_map(|envelope| &envelope.entries);
    for (index, entry) in (header.first_index..).zip(entries) {
        let damaged = || ReadError::from(Damage::new("leaves", index, "not a record"));
        let parsed = parse_record(&entry.record).map(|parsed| parsed.record);
        let Ok(Ok(record)) = parsed else {
            return Err(damaged().into());
        };
        let mut events = Vec::new();
        while let Some((_, bytes)) = told.next_if(|(at, _)| at.leaf_index == index) {
            events.push(Event::decode(&bytes)?);
        }
        records.push(SeenRecord {
            index,
            record,
            outcome: entry.outcome.clone(),
            events,
        });
    }
    Ok(records)
}
