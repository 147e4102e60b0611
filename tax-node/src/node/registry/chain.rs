//! Headers, leaves and proofs.

use invoice_api::registry::{BlockView, CheckpointView, InclusionView};
use invoice_core::calendar::Instant;
use invoice_core::chain::ValidatorHistory;
use invoice_core::merkle;

use super::NodeError;
use crate::store::Snapshot;

/// The last final header with its certificate.
pub(in crate::node) fn checkpoint(
    snapshot: &Snapshot,
    history: &ValidatorHistory,
) -> Result<Option<CheckpointView>, NodeError> {
    let outline = snapshot.outline(snapshot.head().height)?;
    Ok(outline.map(|outline| CheckpointView {
        height: outline.header.height,
        tree_size: outline.header.log_size,
        root_hash: outline.header.log_root,
        time: Instant::from_ms(outline.header.time_ms),
        header: outline.header.encode(),
        certificate: outline.certificate.clone(),
        validator_changes: history.changes_at(outline.header.height),
    }))
}

/// One block without any content.
pub(super) fn block(snapshot: &Snapshot, height: u64) -> Result<Option<BlockView>, NodeError> {
    let Some(outline) = snapshot.outline(height)? else {
        return Ok(None);
    };
    let (first, count) = (outline.header.first_index, outline.header.count);
    let mut leaf_hashes = Vec::new();
    for index in first..first.saturating_add(u64::from(count)) {
        leaf_hashes.push(snapshot.node(0, index)?);
    }
    Ok(Some(BlockView {
        height,
        time: Instant::from_ms(outline.header.time_ms),
        first_index: first,
        header: outline.header.encode(),
        certificate: outline.certificate.clone(),
        leaf_hashes,
    }))
}

/// The path from a leaf to the root of the log when it had `tree_size` leaves.
pub(super) fn inclusion(
    snapshot: &Snapshot,
    index: u64,
    tree_size: u64,
) -> Result<Option<InclusionView>, NodeError> {
    let Some(path) = snapshot.inclusion_path(index, tree_size)? else {
        return Ok(None);
    };
    let leaf_hash = snapshot.node(0, index)?;
    let root_hash = merkle::root_from_path(&leaf_hash, index, tree_size, &path);
    Ok(root_hash.map(|root_hash| InclusionView {
        leaf_hash,
        root_hash,
        path,
    }))
}
