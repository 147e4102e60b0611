//! The log's Merkle hashes, 256 to a row, so that proofs are read and not recomputed.
//!
//! Tile level l keeps the hashes of complete subtrees of 256^l leaves. Hashes of the seven Merkle
//! levels between two tile levels are computed from one tile, so a proof reads one tile for each
//! hash of its path and at most 8 KiB for each.

use redb::{ReadableTable, Table};

use invoice_core::crypto::Hash;
use invoice_core::merkle::node_hash;

use super::error::{Damage, ReadError};

/// Hashes in a whole tile.
const TILE_HASHES: u64 = 256;

/// Merkle levels that one tile level spans.
const LEVELS_PER_TILE: u8 = 8;

const TABLE: &str = "tiles";

fn row(level: u8, number: u64) -> String {
    format!("({level}, {number})")
}

/// Appends the hashes of new leaves, the first of which has index `first_index`, and the hashes of
/// all subtrees that they complete at the tile levels above.
pub(super) fn append(
    table: &mut Table<'_, (u8, u64), &'static [u8]>,
    first_index: u64,
    leaf_hashes: &[Hash],
) -> Result<(), ReadError> {
    let mut level = 0_u8;
    let mut first = first_index;
    let mut hashes = leaf_hashes.to_vec();
    while !hashes.is_empty() {
        let mut completed = Vec::new();
        let first_tile = first / TILE_HASHES;
        let mut tile = first_tile;
        let mut place = first % TILE_HASHES;
        let mut rest = hashes.as_slice();
        while !rest.is_empty() {
            let mut bytes = head_of_tile(table, level, tile, place)?;
            let room = usize::try_from(TILE_HASHES - place).unwrap_or(0);
            let (now, later) = rest.split_at(room.min(rest.len()));
            for hash in now {
                bytes.extend_from_slice(hash.as_bytes());
            }
            if now.len() == room {
                let whole = hashes_of(&bytes)
                    .ok_or_else(|| Damage::new(TABLE, row(level, tile), "cut short"))?;
                completed.extend(subtree_root(whole));
            }
            table
                .insert((level, tile), bytes.as_slice())
                .map_err(ReadError::storage)?;
            rest = later;
            tile = tile.saturating_add(1);
            place = 0;
        }
        level = level.saturating_add(1);
        first = first_tile;
        hashes = completed;
    }
    Ok(())
}

/// The first `place` hashes of a tile that is about to grow.
fn head_of_tile(
    table: &impl ReadableTable<(u8, u64), &'static [u8]>,
    level: u8,
    tile: u64,
    place: u64,
) -> Result<Vec<u8>, ReadError> {
    if place == 0 {
        return Ok(Vec::with_capacity(8 * 1024));
    }
    let damage = |fault| Damage::new(TABLE, row(level, tile), fault);
    let stored = table.get((level, tile)).map_err(ReadError::storage)?;
    let stored = stored.ok_or_else(|| damage("missing"))?;
    let bytes = stored.value();
    if bytes.len() as u64 != place.saturating_mul(Hash::BYTES as u64) {
        return Err(damage("not as long as the log says").into());
    }
    Ok(bytes.to_vec())
}

/// The hash of the complete subtree of 2^`level` leaves that begins at leaf `index` · 2^`level`.
pub(super) fn node(
    table: &impl ReadableTable<(u8, u64), &'static [u8]>,
    level: u8,
    index: u64,
) -> Result<Hash, ReadError> {
    let tile_level = level / LEVELS_PER_TILE;
    let span = 1_u64 << (level % LEVELS_PER_TILE);
    let damage = |tile, fault| Damage::new(TABLE, row(tile_level, tile), fault);
    let first = index
        .checked_mul(span)
        .ok_or_else(|| damage(u64::MAX, "no such subtree"))?;
    let tile = first / TILE_HASHES;
    let stored = table.get((tile_level, tile)).map_err(ReadError::storage)?;
    let stored = stored.ok_or_else(|| damage(tile, "missing"))?;
    let start = usize::try_from((first % TILE_HASHES).saturating_mul(Hash::BYTES as u64))
        .unwrap_or(usize::MAX);
    let length = usize::try_from(span.saturating_mul(Hash::BYTES as u64)).unwrap_or(usize::MAX);
    stored
        .value()
        .get(start..start.saturating_add(length))
        .and_then(hashes_of)
        .and_then(subtree_root)
        .ok_or_else(|| damage(tile, "cut short").into())
}

fn hashes_of(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| hashes.iter().map(|bytes| Hash::new(*bytes)).collect())
}

/// The root over a power of two of hashes.
fn subtree_root(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        let (pairs, rest) = hashes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        hashes = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    hashes.pop()
}
