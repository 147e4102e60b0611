//! Verifying the end of the chain with SM3 when a store is opened.
//!
//! The engine's own checksum is not cryptographic and records are chosen by strangers, so after a
//! crash it proves nothing. Checked here for the last blocks: the hash links, the certificates,
//! every leaf against the log root of its header, and that the chain ends at the head. What lies further back was checked when it lay at the end.

use invoice_core::chain::{Certificate, Header};
use invoice_core::crypto::{Hash, sm3};
use invoice_core::merkle::{Frontier, leaf_hashes};

use super::error::{Damage, ReadError};
use super::snapshot::{Snapshot, assemble};
use super::{block_row, tables};

/// How many of the last blocks are verified on opening.
pub const VERIFIED_BLOCKS: u64 = tables::REPLAYED_BLOCKS;

/// First byte of what is hashed for the genesis file's digest.
const GENESIS_DOMAIN: u8 = 0x03;

/// Decides whether a certificate proves that a header is final, by the validators that the store's
/// state names; see [`Certificate::verify`](invoice_core::chain::Certificate::verify).
pub type CertificateCheck<'a> = dyn Fn(&Snapshot, &Header, &Certificate) -> bool + 'a;

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
    let before = head.height.saturating_sub(VERIFIED_BLOCKS);
    let first = before.saturating_add(1);
    let flushed = snapshot.published.flushed.as_ref();
    let mut previous = match flushed.filter(|flushed| flushed.height == before) {
        _ if before == 0 => *genesis_hash,
        // Its body may have been moved away.
        Some(flushed) => flushed.block_id,
        None => snapshot.read_outline(before)?.header.id(),
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
    if outline.certificate.block_id != id || !certified(snapshot, &header, &outline.certificate) {
        return damage("its certificate does not verify");
    }
    if header.first_index != frontier.size() {
        return damage("does not begin where the block before it ends");
    }
    let first = tables::key(tables::FIRST_INDEX, &[&header.first_index.to_be_bytes()]);
    if header.count > 0 && snapshot.view.get(&first)? != Some(height.to_be_bytes().to_vec()) {
        return damage("its first leaf is filed under another height");
    }
    let leaves = snapshot.read_leaves(header.first_index, header.count)?;
    for hash in leaf_hashes(&leaves) {
        frontier.push(hash);
    }
    if header.log_size != frontier.size() || header.log_root != frontier.root() {
        return damage("its leaves do not give its log root");
    }
    let young = snapshot.young_block(height);
    if young.is_none_or(|young| young.frontier != *frontier) {
        return damage("another frontier is kept with it");
    }
    let stored = assemble(height, &outline, &leaves)?;
    if block_row::leaves_of(&stored.block).ok() != Some(leaves) {
        return damage("a leaf has a second spelling");
    }
    Ok(id)
}
