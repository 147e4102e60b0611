//! Every table of the store, its keys and its layout.
//!
//! All integers in rows that this file describes are big-endian. Integer keys are the engine's own
//! and sort by value. Nothing here is agreed between nodes: what is agreed is in the headers, and
//! a node may lay out its file as it likes.

use redb::TableDefinition;

use invoice_core::state::Table;

/// The layout that this file describes.
pub(super) const FORMAT: u32 = 1;

/// Facts about the file: `format` (u32), `genesis` (the exact bytes of the genesis file) and
/// `head` (see `head.rs`).
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Key of [`META`]: the format version.
pub(super) const META_FORMAT: &str = "format";
/// Key of [`META`]: the genesis file.
pub(super) const META_GENESIS: &str = "genesis";
/// Key of [`META`]: the last block and the log's frontier.
pub(super) const META_HEAD: &str = "head";

/// Height → header, certificate, authorizations and numbers of entries (see `block_row.rs`).
pub(super) const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks");

/// First leaf index of a block → its height. Blocks without leaves have no row.
pub(super) const FIRST_INDEX: TableDefinition<'_, u64, u64> = TableDefinition::new("first_index");

/// Leaf index → leaf bytes, for the leaves after the last whole bundle.
pub(super) const TAIL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("tail");

/// Bundle number → 256 compressed leaves (see `bundle.rs`); bundle n begins at leaf 256·n.
pub(super) const BUNDLES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("bundles");

/// (Tile level, tile number) → up to 256 hashes of 32 bytes. Tile level l holds the Merkle hashes
/// of subtrees of 256^l leaves; hash k of tile n is that of subtree 256·n + k. Only the last tile
/// of a level is partial, and it grows in place.
pub(super) const TILES: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("tiles");

/// Height → what the block's changes replaced (see `undo.rs`), for the last blocks only: opening
/// replays them.
pub(super) const UNDO: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("undo");

/// How many of the last blocks can be undone, and so are replayed on opening.
pub const REPLAYED_BLOCKS: u64 = 16;

/// (First eight bytes of SM3 over a record's bytes, leaf index) → nothing. Derived from the log.
pub(super) const RECORDS_BY_HASH: TableDefinition<'_, (u64, u64), ()> =
    TableDefinition::new("records_by_hash");

/// (Document key bytes, leaf index) → nothing: what happened to a document. Derived from the log.
pub(super) const TIMELINE: TableDefinition<'_, (&[u8], u64), ()> = TableDefinition::new("timeline");

/// (Claimant, leaf index of the lock) → the key of the claim in the state. Derived from the log.
pub(super) const CLAIMS_BY_MEMBER: TableDefinition<'_, (&[u8; 18], u64), &[u8]> =
    TableDefinition::new("claims_by_member");

/// (Leaf index, number of the event within the leaf) → event bytes. Derived from the log.
pub(super) const EVENTS: TableDefinition<'_, (u64, u32), &[u8]> = TableDefinition::new("events");

/// (Member, leaf index, number of the event) → nothing: whom an event concerns. Derived from the
/// log.
pub(super) const EVENTS_BY_MEMBER: TableDefinition<'_, (&[u8; 18], u64, u32), ()> =
    TableDefinition::new("events_by_member");

/// The engine's table for one table of the state: key bytes → value bytes, both as the core
/// encodes them.
pub(super) const fn state_table(
    table: Table,
) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(state_name(table))
}

/// The name of a state table in the file.
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
    }
}
