//! Writing one block: one transaction, one durable commit.
//!
//! On disk after a crash: everything of the block or nothing of it. The engine writes all pages,
//! syncs, then flips one byte in its header and syncs again (two-phase commit, implied by quick
//! repair); an acknowledged block has passed the second sync.

use redb::{Database, Durability, ReadableTable, WriteTransaction};

use invoice_core::chain::{Block, Certificate};
use invoice_core::codec::EncodeError;
use invoice_core::crypto::Hash;
use invoice_core::state::Changes;

use super::bundle::{self, BUNDLE_LEAVES, LEAF_BYTES_MAX};
use super::error::{CommitError, Damage, ReadError};
use super::head::Head;
use super::undo::UndoWriter;
use super::{block_row, rows::IndexRows, tables, tiles};

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

/// Starts a transaction whose commit is durable and two-phase.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Appends the block, or does nothing when it is there already.
pub(super) fn commit(database: &Database, given: &CommittedBlock<'_>) -> Result<(), CommitError> {
    let transaction = begin(database).map_err(CommitError::storage)?;
    let head = {
        let meta = transaction
            .open_table(tables::META)
            .map_err(CommitError::storage)?;
        read_head(&meta)?
    };
    let Some(next) = check(&transaction, &head, given)? else {
        return transaction.abort().map_err(CommitError::storage);
    };
    write(&transaction, &head, &next, given)?;
    transaction.commit().map_err(CommitError::storage)
}

/// Reads the head.
pub(super) fn read_head(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Head, ReadError> {
    let damage = |fault| Damage::new("meta", tables::META_HEAD, fault);
    let row = meta.get(tables::META_HEAD).map_err(ReadError::storage)?;
    let row = row.ok_or_else(|| damage("missing"))?;
    Ok(Head::decode(row.value()).map_err(|_| damage("unreadable"))?)
}

/// The head after the block; `None` when the block is in the store already.
fn check(
    transaction: &WriteTransaction,
    head: &Head,
    given: &CommittedBlock<'_>,
) -> Result<Option<Head>, CommitError> {
    let header = &given.block.header;
    let block_id = header.id();
    if header.height <= head.height && header.height > 0 {
        let blocks = transaction
            .open_table(tables::BLOCKS)
            .map_err(CommitError::storage)?;
        let row = blocks.get(header.height).map_err(CommitError::storage)?;
        let damage = |fault| CommitError::Damaged(Damage::new("blocks", header.height, fault));
        let row = row.ok_or_else(|| damage("missing"))?;
        let stored = block_row::decode(row.value())
            .map_err(|_| damage("unreadable"))?
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
    let mut frontier = head.frontier.clone();
    for hash in given.leaf_hashes {
        frontier.push(*hash);
    }
    if header.first_index != head.log_size() || header.log_size != frontier.size() {
        return inconsistent("the header places the leaves elsewhere in the log");
    }
    if header.log_root != frontier.root() {
        return inconsistent("the leaf hashes do not give the header's log root");
    }
    Ok(Some(Head {
        height: expected,
        block_id,
        time_ms: header.time_ms,
        frontier,
    }))
}

fn write(
    transaction: &WriteTransaction,
    head: &Head,
    next: &Head,
    given: &CommittedBlock<'_>,
) -> Result<(), CommitError> {
    let header = &given.block.header;
    let row = block_row::encode(given.block, given.certificate);
    let row = row.map_err(too_large)?;
    let mut blocks = transaction
        .open_table(tables::BLOCKS)
        .map_err(CommitError::storage)?;
    blocks
        .insert(header.height, row.as_slice())
        .map_err(CommitError::storage)?;
    if header.count > 0 {
        let mut first = transaction
            .open_table(tables::FIRST_INDEX)
            .map_err(CommitError::storage)?;
        first
            .insert(header.first_index, header.height)
            .map_err(CommitError::storage)?;
    }
    let mut tiles = transaction
        .open_table(tables::TILES)
        .map_err(CommitError::storage)?;
    tiles::append(&mut tiles, header.first_index, given.leaf_hashes)?;
    append_leaves(transaction, head.log_size(), leaves_of(given.block)?)?;

    let mut undo = UndoWriter::default();
    put_state(transaction, given.changes, Some(&mut undo))?;
    let mut undos = transaction
        .open_table(tables::UNDO)
        .map_err(CommitError::storage)?;
    undos
        .insert(header.height, undo.into_bytes().as_slice())
        .map_err(CommitError::storage)?;
    if let Some(old) = header.height.checked_sub(tables::REPLAYED_BLOCKS) {
        undos.remove(old).map_err(CommitError::storage)?;
    }
    given
        .rows
        .write(transaction)
        .map_err(CommitError::storage)?;

    let mut meta = transaction
        .open_table(tables::META)
        .map_err(CommitError::storage)?;
    meta.insert(tables::META_HEAD, next.encode().as_slice())
        .map_err(CommitError::storage)?;
    Ok(())
}

/// The bytes of the block's leaves.
fn leaves_of(block: &Block) -> Result<Vec<Vec<u8>>, CommitError> {
    let leaves = block_row::leaves_of(block).map_err(too_large)?;
    if leaves.iter().any(|leaf| leaf.len() > LEAF_BYTES_MAX) {
        return Err(CommitError::Inconsistent("a leaf is too long"));
    }
    Ok(leaves)
}

fn too_large(error: EncodeError) -> CommitError {
    CommitError::Inconsistent(error.what)
}

/// Appends leaves to the tail and folds every full range of 256 into a bundle.
fn append_leaves(
    transaction: &WriteTransaction,
    log_size: u64,
    new: Vec<Vec<u8>>,
) -> Result<(), CommitError> {
    let mut tail = transaction
        .open_table(tables::TAIL)
        .map_err(CommitError::storage)?;
    let mut bundles = transaction
        .open_table(tables::BUNDLES)
        .map_err(CommitError::storage)?;
    let mut number = log_size / BUNDLE_LEAVES;
    let mut open = log_size % BUNDLE_LEAVES;
    let mut new = new.into_iter();
    while open.saturating_add(new.len() as u64) >= BUNDLE_LEAVES {
        let start = number.saturating_mul(BUNDLE_LEAVES);
        let mut leaves = Vec::with_capacity(256);
        for index in start..start.saturating_add(open) {
            let row = tail.remove(index).map_err(CommitError::storage)?;
            let row =
                row.ok_or_else(|| CommitError::Damaged(Damage::new("tail", index, "missing")))?;
            leaves.push(row.value().to_vec());
        }
        let room = usize::try_from(BUNDLE_LEAVES - open).unwrap_or(0);
        leaves.extend(new.by_ref().take(room));
        let packed = bundle::pack(&leaves).map_err(CommitError::Inconsistent)?;
        bundles
            .insert(number, packed.as_slice())
            .map_err(CommitError::storage)?;
        number = number.saturating_add(1);
        open = 0;
    }
    let start = number.saturating_mul(BUNDLE_LEAVES).saturating_add(open);
    for (index, leaf) in (start..).zip(new) {
        tail.insert(index, leaf.as_slice())
            .map_err(CommitError::storage)?;
    }
    Ok(())
}

/// Writes state changes, table by table and in the order of the keys.
pub(super) fn put_state(
    transaction: &WriteTransaction,
    changes: &Changes,
    mut undo: Option<&mut UndoWriter>,
) -> Result<(), CommitError> {
    let mut changes = changes.iter().peekable();
    while let Some((table, ..)) = changes.peek() {
        let table = *table;
        let mut stored = transaction
            .open_table(tables::state_table(table))
            .map_err(CommitError::storage)?;
        while let Some((_, key, value)) = changes.next_if(|(of, ..)| *of == table) {
            let before = match value {
                Some(value) => stored.insert(key, value),
                None => stored.remove(key),
            }
            .map_err(CommitError::storage)?;
            if let Some(undo) = undo.as_deref_mut() {
                let before = before.as_ref().map(redb::AccessGuard::value);
                undo.note(table, key, before).map_err(too_large)?;
            }
        }
    }
    Ok(())
}
