//! Every table and keyspace of the store, with keys and layout.
//!
//! The engine's file holds little: facts about the chain, the journal of the last blocks and the
//! manifest, which names every other file. All rows of the state and of the derived indexes are
//! rows of *keyspaces*: in memory while their blocks are young, in the run files afterwards.
//!
//! All integers in rows are big-endian. Nothing here is agreed between nodes: what is agreed is in
//! the headers, and a node may lay out its files as it likes.

use redb::TableDefinition;

use invoice_core::state::Table;

use super::runs::Filters;

/// The layout that this file describes.
pub(super) const FORMAT: u32 = 3;

/// Facts about the chain: `format` (u32), `genesis` (the exact bytes of the genesis file) and
/// `head` (see `head.rs`).
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Key of [`META`]: the format version.
pub(super) const META_FORMAT: &str = "format";
/// Key of [`META`]: the genesis file.
pub(super) const META_GENESIS: &str = "genesis";
/// Key of [`META`]: the last block and the log's frontier.
pub(super) const META_HEAD: &str = "head";

/// (Height, number of the piece) → piece of what the block brought about (see `journal.rs`), for
/// the blocks that are in no run file yet. Height 0 is the state before the first block.
pub(super) const JOURNAL: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("journal");

/// What exists beside this file (see `manifest.rs`).
pub(super) const MANIFEST: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("manifest");

/// Number → the bytes of a dictionary for compressing leaves (see `dictionary.rs`).
pub(super) const DICTIONARIES: TableDefinition<'_, u32, &[u8]> =
    TableDefinition::new("dictionaries");

/// How many of the last blocks are replayed on opening: no younger block goes into a run file.
pub const REPLAYED_BLOCKS: u64 = 16;

/// First eight bytes of SM3 over a record's bytes, leaf index u64 → nothing.
pub(super) const RECORDS_BY_HASH: u8 = 16;
/// Document key bytes, leaf index u64 → nothing: what happened to a document, other than that it
/// was issued, which its state tells.
pub(super) const TIMELINE: u8 = 17;
/// Claimant (18 bytes), leaf index u64 of the lock → the key of the claim in the state.
pub(super) const CLAIMS_BY_MEMBER: u8 = 18;
/// Leaf index u64, number u32 of the event within the leaf → event bytes; not for implied events.
pub(super) const EVENTS: u8 = 19;
/// Member (18 bytes), height u64 → the block's events that concern the member (see `feeds.rs`).
pub(super) const EVENTS_BY_MEMBER: u8 = 20;
/// Level u8, number u64 → Merkle hash of the complete subtree of 2^level leaves, from level 8 on.
pub(super) const NODES: u8 = 21;
/// Bundle number u64, place of the first leaf u8 → where in the body files up to 256 leaves stand.
pub(super) const BUNDLES: u8 = 22;
/// Height u64 → where in the body files the block's header, certificate and signatures stand.
pub(super) const BLOCKS: u8 = 23;
/// First leaf index u64 of a block → its height u64. Blocks without leaves have no row.
pub(super) const FIRST_INDEX: u8 = 24;
/// Height u64 → leaves with an event that follows from the leaf alone (see `feeds.rs`).
pub(super) const IMPLIED_EVENTS: u8 = 25;
/// Bundle number u64, place of the first leaf u8 → leaf hashes, for bundles in several parts.
pub(super) const PART_HASHES: u8 = 26;

/// What the filters of the run files know: whole keys where single rows are looked for that are
/// often absent, or what rows of one thing have in common.
pub(super) const FILTERS: Filters = Filters::of(&[
    (Table::Member as u8, 0),
    (Table::MemberNumber as u8, 0),
    (Table::Key as u8, 0),
    (Table::Quota as u8, 0),
    (Table::Document as u8, 0),
    (Table::Alias as u8, 0),
    (Table::Claim as u8, 0),
    (Table::Confirmation as u8, 0),
    (Table::Record as u8, 0),
    (Table::Counter as u8, 0),
    (Table::Validators as u8, 0),
    (RECORDS_BY_HASH, 8),
    (TIMELINE, 8),
    (CLAIMS_BY_MEMBER, 8),
    (EVENTS_BY_MEMBER, 8),
    (NODES, 0),
    (BUNDLES, 1),
    (BLOCKS, 0),
    (PART_HASHES, 1),
]);

/// A key: its keyspace and its parts.
pub(super) fn key(keyspace: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut key = Vec::with_capacity(length.saturating_add(1));
    key.push(keyspace);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// The last eight bytes of a key, as the number that they are.
pub(super) fn last_u64(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>()
        .map(|bytes| u64::from_be_bytes(*bytes))
}

/// The name of a state table in messages.
pub(super) const fn state_name(table: Table) -> &'static str {
    match table {
        Table::Member => "state.member",
        Table::MemberNumber => "state.member_number",
        Table::Key => "state.key",
        Table::Quota => "state.quota",
        Table::Document => "state.document",
        Table::Alias => "state.alias",
        Table::Claim => "state.claim",
        Table::Confirmation => "state.confirmation",
        Table::Record => "state.record",
        Table::Counter => "state.counter",
        Table::Validators => "state.validators",
    }
}
