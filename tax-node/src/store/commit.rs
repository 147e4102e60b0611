//! Writing one block: one transaction, one durable commit.
//!
//! On disk after a crash: everything of the block or nothing of it. The engine writes all pages,
//! syncs, then flips one byte in its header and syncs again (two-phase commit, implied by quick
//! repair); an acknowledged block has passed the second sync. In the same transaction the manifest
//! takes over what steps in the background finished, and journal entries that are in files since
//! an earlier block are removed, a few at a time.

use std::sync::{Arc, LazyLock, OnceLock};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use redb::{Database, Durability, WriteTransaction};

use invoice_core::chain::{Block, Certificate, Leaf};
use invoice_core::codec::EncodeError;
use invoice_core::crypto::{Hash, sm3};
use invoice_core::state::Changes;

use super::block_row::BlockOutline;
use super::bundle::{BUNDLE_LEAVES, LEAF_BYTES_MAX, Part, pack_leaves};
use super::dictionary::Dictionary;
use super::error::{CommitError, Damage, ReadError};
use super::head::Head;
use super::log_tree::Node;
use super::manifest::{self, Edit};
use super::rows::IndexRows;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::young::YoungBlock;
use super::{journal, log_tree, rows, tables};

/// Journal entries that one block removes: more than it adds, so that they come to an end, and few
/// enough that it does not take longer for it.
const JOURNAL_REMOVED: u64 = 8;

/// Bundles of a block from which on several threads compress them.
const BUNDLES_IN_PARALLEL: usize = 3;

/// The threads that compress them. They have the name of the stage that they work for, so that
/// their time is counted to it. Without them the writer does it alone.
static PACKERS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().thread_name(|_| "storer".to_owned());
    pool.build().ok()
});

/// A final block with everything that executing it brought about.
#[derive(Clone, Copy, Debug)]
pub struct CommittedBlock<'a> {
    /// The block.
    pub block: &'a Block,
    /// The validators' signatures over its id.
    pub certificate: &'a Certificate,
    /// The state changes that its header's `effects_root` stands for.
    pub changes: &'a Changes,
    /// The Merkle hashes of its leaves, in order.
    pub leaf_hashes: &'a [Hash],
    /// Rows of the derived indexes.
    pub rows: &'a IndexRows,
}

/// What only the one writer knows.
#[derive(Debug)]
pub(super) struct Writer {
    /// The first height that the journal has an entry of.
    journal_first: u64,
    encoder: journal::Encoder,
}

impl Writer {
    /// For a journal whose first entry is of this height.
    pub(super) fn new(journal_first: u64) -> Self {
        Self {
            journal_first,
            encoder: journal::Encoder::default(),
        }
    }
}

/// Starts a transaction whose commit is durable and two-phase.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Appends the block, or does nothing when it is there already.
pub(super) fn commit(
    database: &Database,
    shared: &Arc<Shared>,
    writer: &mut Writer,
    given: &CommittedBlock<'_>,
) -> Result<(), CommitError> {
    let published = shared.published();
    let header = &given.block.header;
    let Some((head, nodes)) = check(shared, &published.head, given)? else {
        return Ok(());
    };
    let outline = BlockOutline::of(given.block, given.certificate).map_err(too_large)?;
    let dictionary = published.dictionaries.newest().map(|newest| &**newest);
    let parts = pack(given.block, dictionary)?;
    let rows = rows::of_block(header, given.changes, given.rows, &nodes).map_err(too_large)?;
    let row = outline.encode().map_err(too_large)?;
    let first = writer.journal_first;
    let entry = writer
        .encoder
        .encode(&row, &head.frontier, &parts, &rows)
        .map_err(too_large)?;

    let edits = shared.work().take_finished();
    let flushed = published.flushed.as_ref().map(|flushed| flushed.height);
    // The block is durable once this returns.
    writer.journal_first = write(database, first, &head, entry, &edits, flushed)?;

    let block = YoungBlock {
        outline: Arc::new(outline),
        frontier: head.frontier.clone(),
        parts,
        leaf_hashes: OnceLock::from(given.leaf_hashes.to_vec()),
    };
    let mut next = published.with_head(Arc::new(head));
    if let Some(segment) = next.segments.first() {
        segment.push(next.head.height, &rows, Some(block));
        if segment.bytes() >= shared.tuning.flush_bytes {
            next.seal();
        }
    }
    for edit in &edits {
        next.adopt(edit);
    }
    shared.publish(next);
    let mut work = shared.work();
    for edit in edits {
        work.adopted(edit);
    }
    drop(work);
    shared.work_changed.notify_all();
    Ok(())
}

/// The head after the block and the Merkle hashes that it completes; `None` when the block is in
/// the store already.
fn check(
    shared: &Arc<Shared>,
    head: &Head,
    given: &CommittedBlock<'_>,
) -> Result<Option<(Head, Vec<Node>)>, CommitError> {
    let header = &given.block.header;
    let block_id = header.id();
    if header.height <= head.height && header.height > 0 {
        let stored = Snapshot::of(shared)
            .read_outline(header.height)?
            .header
            .id();
        if stored == block_id {
            return Ok(None);
        }
        return Err(CommitError::OtherBlock {
            height: header.height,
            stored,
            given: block_id,
        });
    }
    let expected = head.height.saturating_add(1);
    if header.height != expected {
        return Err(CommitError::NotNext {
            expected,
            given: header.height,
        });
    }
    let inconsistent = |fault| Err(CommitError::Inconsistent(fault));
    if header.previous != head.block_id {
        return inconsistent("the header does not follow the last block");
    }
    if given.certificate.height != header.height || given.certificate.block_id != block_id {
        return inconsistent("the certificate is for another block");
    }
    let entries: usize = given
        .block
        .envelopes
        .iter()
        .map(|envelope| envelope.entries.len())
        .sum();
    if u64::from(header.count) != entries as u64 || entries != given.leaf_hashes.len() {
        return inconsistent("the header counts other leaves than the block has");
    }
    let implied_first = |row: &super::rows::EventRow| row.bytes.is_some() || row.number == 0;
    if !given.rows.events.iter().all(implied_first) {
        return inconsistent("an implied event is not the first of its leaf");
    }
    let growth = log_tree::grow(&head.frontier, given.leaf_hashes);
    let growth = growth.map_err(|_| CommitError::Inconsistent("the log cannot grow so far"))?;
    let frontier = growth.frontier;
    if header.first_index != head.log_size() || header.log_size != frontier.size() {
        return inconsistent("the header places the leaves elsewhere in the log");
    }
    if header.log_root != frontier.root() {
        return inconsistent("the leaf hashes do not give the header's log root");
    }
    let head = Head {
        height: expected,
        block_id,
        time_ms: header.time_ms,
        frontier,
    };
    Ok(Some((head, growth.nodes)))
}

/// Compresses the block's leaves, cut where bundles begin.
fn pack(block: &Block, dictionary: Option<&Dictionary>) -> Result<Vec<Part>, CommitError> {
    let leaves: Vec<Leaf<'_>> = block.leaves().collect();
    let too_long = |leaf: &Leaf<'_>| leaf.encoded_len() > LEAF_BYTES_MAX;
    if leaves.iter().any(too_long) {
        return Err(CommitError::Inconsistent("a leaf is too long"));
    }
    let mut bundles = Vec::new();
    let mut rest = leaves.as_slice();
    let mut first = block.header.first_index;
    while !rest.is_empty() {
        let room = BUNDLE_LEAVES.saturating_sub(first % BUNDLE_LEAVES);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let (now, later) = rest.split_at(room.min(rest.len()));
        bundles.push((first, now));
        first = first.saturating_add(now.len() as u64);
        rest = later;
    }
    let pack = |(first, leaves): &(u64, &[Leaf<'_>])| pack_leaves(*first, leaves, dictionary);
    let large = bundles.len() >= BUNDLES_IN_PARALLEL;
    let parts: Result<Vec<Part>, &'static str> = match &*PACKERS {
        Some(pool) if large => pool.install(|| bundles.par_iter().map(pack).collect()),
        Some(_) | None => bundles.iter().map(pack).collect(),
    };
    parts.map_err(CommitError::Inconsistent)
}

fn too_large(error: EncodeError) -> CommitError {
    CommitError::Inconsistent(error.what)
}

/// The one durable transaction. Takes and gives the first height that the journal has an entry of.
fn write(
    database: &Database,
    first: u64,
    head: &Head,
    entry: &[u8],
    edits: &[Edit],
    flushed: Option<u64>,
) -> Result<u64, CommitError> {
    let transaction = begin(database).map_err(CommitError::storage)?;
    let first = change(&transaction, first, head, entry, edits, flushed)?;
    transaction.commit().map_err(CommitError::storage)?;
    Ok(first)
}

fn change(
    transaction: &WriteTransaction,
    mut first: u64,
    head: &Head,
    entry: &[u8],
    edits: &[Edit],
    flushed: Option<u64>,
) -> Result<u64, ReadError> {
    let mut journal = transaction
        .open_table(tables::JOURNAL)
        .map_err(ReadError::storage)?;
    journal::insert(&mut journal, head.height, entry).map_err(ReadError::storage)?;
    if let Some(flushed) = flushed {
        // The transaction of an earlier block named the files that hold these.
        let end = first.saturating_add(JOURNAL_REMOVED);
        while first < end && first <= flushed {
            journal::remove(&mut journal, first).map_err(ReadError::storage)?;
            first = first.saturating_add(1);
        }
    }
    drop(journal);
    let mut manifest = transaction
        .open_table(tables::MANIFEST)
        .map_err(ReadError::storage)?;
    for edit in edits {
        manifest::write(&mut manifest, edit)?;
        if let Edit::Trained(dictionary) = edit {
            put_dictionary(transaction, dictionary)?;
        }
    }
    let mut meta = transaction
        .open_table(tables::META)
        .map_err(ReadError::storage)?;
    meta.insert(tables::META_HEAD, head.encode().as_slice())
        .map_err(ReadError::storage)?;
    Ok(first)
}

/// Writes `SM3 32 | dictionary`.
fn put_dictionary(
    transaction: &WriteTransaction,
    dictionary: &Dictionary,
) -> Result<(), ReadError> {
    let mut table = transaction
        .open_table(tables::DICTIONARIES)
        .map_err(ReadError::storage)?;
    let mut row = sm3(&[&dictionary.bytes]).as_bytes().to_vec();
    row.extend_from_slice(&dictionary.bytes);
    table
        .insert(dictionary.number, row.as_slice())
        .map_err(ReadError::storage)?;
    Ok(())
}

/// Reads what [`put_dictionary`] writes.
pub(super) fn read_dictionary(number: u32, row: &[u8]) -> Result<Dictionary, Damage> {
    let damage = |fault| Damage::new("dictionaries", number, fault);
    let (digest, bytes) = row
        .split_first_chunk::<32>()
        .ok_or_else(|| damage("cut short"))?;
    if sm3(&[bytes]) != Hash::new(*digest) {
        return Err(damage("is not the one that was written"));
    }
    Dictionary::new(number, bytes.to_vec()).map_err(damage)
}
