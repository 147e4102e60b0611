//! The public face of the chain: hashes and signatures, no content.

use invoice_core::calendar::Instant;
use invoice_core::chain::{Certificate, ValidatorChanges};
use invoice_core::crypto::Hash;

/// The newest final header and the signatures over it.
#[derive(Debug, Clone)]
pub struct CheckpointView {
    /// Height of the block.
    pub height: u64,
    /// Leaves in the log up to and with this block.
    pub tree_size: u64,
    /// Root of the log.
    pub root_hash: Hash,
    /// Time of the block.
    pub time: Instant,
    /// The header's bytes, whose hash the validators signed.
    pub header: Vec<u8>,
    /// Round and signatures.
    pub certificate: Certificate,
    /// The changes of the validators that are in effect: how the signers go back to the genesis
    /// file.
    pub validator_changes: ValidatorChanges,
}

/// One block without content.
#[derive(Debug, Clone)]
pub struct BlockView {
    /// Height of the block.
    pub height: u64,
    /// Time of the block.
    pub time: Instant,
    /// Index of its first leaf.
    pub first_index: u64,
    /// The header's bytes.
    pub header: Vec<u8>,
    /// Round and signatures.
    pub certificate: Certificate,
    /// The leaf hashes of its records, in order: enough to recompute the log, nothing to read.
    pub leaf_hashes: Vec<Hash>,
}

/// The path from a leaf to a root of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionView {
    /// Hash of the leaf.
    pub leaf_hash: Hash,
    /// Root of the log at the asked size.
    pub root_hash: Hash,
    /// Sibling hashes from the leaf upwards (RFC 6962 §2.1.1).
    pub path: Vec<Hash>,
}
