//! Verifying the end of the chain with SM3 when a store is opened.
//!
//! The engine's own checksum is not cryptographic and records are chosen by strangers, so after a
//! crash it proves nothing. Checked here for the last blocks: the hash links, the certificates,
//! every leaf against the Merkle tiles, the log root of every header, and that the chain ends at
//! the head. What lies further back was checked when it lay at the end.

use invoice_core::chain::{Certificate, Header};
use invoice_core::crypto::{Hash, sm3};
use invoice_core::merkle::{Frontier, leaf_hash};

use super::bundle::BUNDLE_LEAVES;
use super::error::{Damage, ReadError};
use super::snapshot::{Snapshot, assemble};
use super::{block_row, tables, tiles};

/// How many of the last blocks are verified on opening, at least; the last whole bundle is always
/// among what is verified.
pub const VERIFIED_BLOCKS: u64 = tables::REPLAYED_BLOCKS;

/// First byte of what is hashed for the genesis file's digest.
const GENESIS_DOMAIN: u8 = 0x03;

/// Decides whether a certificate proves that a header is final; see
/// [`Certificate::verify`](invoice_core::chain::Certificate::verify).
pub type CertificateCheck<'a> = dyn Fn(&Header, &Certificate) -> bool + 'a;

/// Verifies the last blocks.
pub(super) fn verify(
    snapshot: &Snapshot,
    genesis_hash: &Hash,
    certified: &CertificateCheck<'_>,
) -> Result<(), ReadError> {
    let genesis = sm3(&[&[GENESIS_DOMAIN], &snapshot.genesis()?]);
    if genesis != *genesis_hash {
        let fault = "is not the genesis file that the node is configured with";
        return Err(Damage::new("meta", tables::META_GENESIS, fault).into());
    }
    let head = snapshot.head();
    if head.height == 0 {
        if head.block_id != *genesis_hash || head.log_size() != 0 {
            return Err(Damage::new("meta", tables::META_HEAD, "is not the genesis").into());
        }
        return Ok(());
    }
    let first = first_height(snapshot)?;
    let mut previous = match first.checked_sub(1) {
        None | Some(0) => *genesis_hash,
        Some(before) => snapshot.read_outline(before)?.header.id(),
    };
    let mut frontier = snapshot.read_frontier(snapshot.read_outline(first)?.header.first_index)?;
    for height in first..=head.height {
        previous = verify_block(snapshot, height, &previous, &mut frontier, certified)?;
    }
    let last_time = snapshot.read_outline(head.height)?.header.time_ms;
    let end = (previous, last_time, &frontier);
    if end != (head.block_id, head.time_ms, &head.frontier) {
        return Err(Damage::new("meta", tables::META_HEAD, "is not where the blocks end").into());
    }
    Ok(())
}

/// The height at which verifying begins.
fn first_height(snapshot: &Snapshot) -> Result<u64, ReadError> {
    let head = snapshot.head();
    let by_blocks = head
        .height
        .saturating_sub(VERIFIED_BLOCKS)
        .saturating_add(1);
    let bundles = head.log_size() / BUNDLE_LEAVES;
    let Some(last_bundle) = bundles.checked_sub(1) else {
        return Ok(1);
    };
    let by_bundle = snapshot.read_height_of_leaf(last_bundle.saturating_mul(BUNDLE_LEAVES))?;
    Ok(by_blocks.min(by_bundle).max(1))
}

/// Verifies one block; gives its id.
fn verify_block(
    snapshot: &Snapshot,
    height: u64,
    previous: &Hash,
    frontier: &mut Frontier,
    certified: &CertificateCheck<'_>,
) -> Result<Hash, ReadError> {
    let damage = |fault| Err(Damage::new("blocks", height, fault).into());
    let outline = snapshot.read_outline(height)?;
    let header = outline.header.clone();
    let id = header.id();
    if header.previous != *previous {
        return damage("does not follow the block before it");
    }
    if outline.certificate.block_id != id || !certified(&header, &outline.certificate) {
        return damage("its certificate does not verify");
    }
    if header.first_index != frontier.size() {
        return damage("does not begin where the block before it ends");
    }
    if header.count > 0 && snapshot.read_height_of_leaf(header.first_index)? != height {
        return damage("its first leaf is filed under another height");
    }
    let leaves = snapshot.read_leaves(header.first_index, header.count)?;
    let tiles = snapshot.table(tables::TILES)?;
    for (index, leaf) in (header.first_index..).zip(&leaves) {
        let hash = leaf_hash(leaf);
        if tiles::node(&tiles, 0, index)? != hash {
            return Err(Damage::new(
                "tail or bundles",
                index,
                "does not have the hash in the log",
            )
            .into());
        }
        frontier.push(hash);
    }
    if header.log_size != frontier.size() || header.log_root != frontier.root() {
        return damage("its leaves do not give its log root");
    }
    let stored = assemble(height, outline, &leaves)?;
    if block_row::leaves_of(&stored.block).ok() != Some(leaves) {
        return damage("a leaf has a second spelling");
    }
    Ok(id)
}
