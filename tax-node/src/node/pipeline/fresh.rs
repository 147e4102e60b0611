//! A block that was just made durable, with what receipts for its records are made of.
//!
//! The answers to fresh records come from memory: the very values that were hashed, signed and
//! stored. Reading them back would give the same bytes (a test compares them), only later.

use std::sync::OnceLock;

use invoice_api::registry::Place;
use invoice_core::calendar::Instant;
use invoice_core::chain::{
    BatchTree, Block, Certificate, Inclusion, Receipt, ReceiptAuthorization, ReceiptSignature,
    ValidatorChanges,
};
use invoice_core::crypto::{Hash, PublicKey};
use invoice_core::merkle::{self, Frontier};
use serde::Deserialize;

/// A final block in memory.
#[derive(Debug)]
pub(in crate::node) struct FreshBlock {
    block: Block,
    signatures: Vec<ReceiptSignature>,
    round: u32,
    time: Instant,
    /// The log before the block, whose complete subtrees the paths of its leaves need.
    before: Frontier,
    leaf_hashes: Vec<Hash>,
    /// Computed for the first receipt that somebody wants.
    paths: OnceLock<Paths>,
    /// The tree of each envelope that is a batch, computed for its first receipt.
    trees: Vec<OnceLock<Option<BatchTree>>>,
    /// The changes of the validators that are in effect at its height.
    changes: ValidatorChanges,
}

/// The members of a record that a receipt repeats.
#[derive(Deserialize)]
pub(in crate::node) struct Named {
    pub(in crate::node) by: String,
    pub(in crate::node) id: String,
}

impl FreshBlock {
    /// A block over the log as it was `before`.
    pub(in crate::node) fn new(
        block: Block,
        certificate: &Certificate,
        before: Frontier,
        leaf_hashes: Vec<Hash>,
        changes: ValidatorChanges,
    ) -> Self {
        let signatures = certificate
            .signatures
            .iter()
            .map(|(kid, sig)| ReceiptSignature {
                kid: *kid,
                sig: *sig,
            })
            .collect();
        Self {
            signatures,
            round: certificate.round,
            time: Instant::from_ms(block.header.time_ms),
            before,
            leaf_hashes,
            paths: OnceLock::new(),
            changes,
            trees: block.envelopes.iter().map(|_| OnceLock::new()).collect(),
            block,
        }
    }

    /// Where the record at a leaf index of this block stands.
    pub(in crate::node) fn place(&self, index: u64) -> Place {
        Place {
            height: self.block.header.height,
            index,
            time: self.time,
        }
    }

    /// The receipt of an entry of an envelope, signed by `key`, at a leaf index; `None` when there
    /// is no such entry.
    pub(in crate::node) fn receipt(
        &self,
        envelope: usize,
        entry: usize,
        index: u64,
        key: &PublicKey,
    ) -> Option<Receipt> {
        let header = &self.block.header;
        let recorded = self.block.envelopes.get(envelope)?;
        let logged = recorded.entries.get(entry)?;
        let Named { by, id } = serde_json::from_slice(&logged.record).ok()?;
        let tree = self.trees.get(envelope)?;
        let batch = tree
            .get_or_init(|| recorded.batch_tree())
            .as_ref()
            .and_then(|tree| tree.proof(entry));
        let paths = self
            .paths
            .get_or_init(|| Paths::new(&self.before, &self.leaf_hashes));
        let tree_size = header.log_size;
        let path = merkle::inclusion_path(index, tree_size, |level, place| {
            paths.node(level, place).ok_or(())
        });
        Some(Receipt {
            chain_id: header.chain_id.clone(),
            by,
            id,
            record: std::str::from_utf8(&logged.record).ok()?.to_owned(),
            outcome: logged.outcome.clone(),
            height: header.height,
            index,
            time: self.time.to_rfc3339_utc8(),
            inclusion: Inclusion {
                tree_size,
                path: path.ok()?,
            },
            header: header.clone(),
            round: self.round,
            signatures: self.signatures.clone(),
            authorization: ReceiptAuthorization {
                kid: recorded.authorization.kid(),
                public_key: key.clone(),
                sig: recorded.authorization.signature(),
                batch,
            },
            validator_changes: ValidatorChanges::clone(&self.changes),
        })
    }
}

/// Hashes of the complete subtrees that the paths of a block's leaves consist of: those that the
/// block completes, and at the left edge of each level the one that was complete before.
#[derive(Debug)]
struct Paths(Vec<Level>);

/// Subtrees of 2^level leaves, from the place `first` on.
#[derive(Debug)]
struct Level {
    first: u64,
    hashes: Vec<Hash>,
}

impl Paths {
    fn new(before: &Frontier, leaf_hashes: &[Hash]) -> Self {
        let mut levels = Vec::new();
        // One complete subtree for each bit that is set in the size, the smallest last.
        let mut peaks = before.peaks().iter().rev();
        let mut first = before.size();
        let mut hashes = leaf_hashes.to_vec();
        loop {
            if first % 2 == 1
                && let Some(peak) = peaks.next()
            {
                hashes.insert(0, *peak);
                first = first.saturating_sub(1);
            }
            if hashes.len() < 2 && peaks.len() == 0 {
                levels.push(Level { first, hashes });
                return Self(levels);
            }
            let above = merkle::node_hashes(&hashes);
            levels.push(Level { first, hashes });
            hashes = above;
            first /= 2;
        }
    }

    fn node(&self, level: u8, place: u64) -> Option<Hash> {
        let level = self.0.get(usize::from(level))?;
        let at = usize::try_from(place.checked_sub(level.first)?).ok()?;
        level.hashes.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_blocks_leaves_lead_to_the_root_wherever_the_block_begins() {
        let leaf = |index: u64| merkle::leaf_hash(&index.to_be_bytes());
        for before in 0_u64..40 {
            for count in 1_u64..20 {
                let mut log = Frontier::new();
                (0..before).for_each(|index| log.push(leaf(index)));
                let new: Vec<Hash> = (before..before + count).map(leaf).collect();
                let paths = Paths::new(&log, &new);
                new.iter().for_each(|hash| log.push(*hash));
                for index in before..before + count {
                    let path = merkle::inclusion_path(index, before + count, |level, place| {
                        paths.node(level, place).ok_or((level, place))
                    })
                    .unwrap();
                    let root = log.root();
                    assert!(
                        merkle::verify_inclusion(&leaf(index), index, before + count, &path, &root),
                        "{before} {count} {index}"
                    );
                }
            }
        }
    }
}
