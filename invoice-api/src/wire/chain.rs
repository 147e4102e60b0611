//! Answers about the chain itself.

use invoice_core::chain::{Certificate, ValidatorChange};
use invoice_core::crypto::{Hash, HintedSignature};
use serde::Serialize;
use utoipa::ToSchema;

use crate::registry::{BlockView, CheckpointView, InclusionView};

/// One validator's signature over a header.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignatureAnswer {
    /// The validator's key, 32 hexadecimal digits.
    pub kid: String,
    /// SM2 signature, base64 of r || s.
    pub sig: String,
}

fn signatures(certificate: &Certificate) -> Vec<SignatureAnswer> {
    let signatures = certificate.signatures.iter();
    signatures
        .map(|(kid, signature)| SignatureAnswer {
            kid: kid.to_string(),
            sig: HintedSignature {
                signature: *signature,
                parity: None,
            }
            .to_base64(),
        })
        .collect()
}

fn hashes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

/// The newest final header and the signatures over it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckpointAnswer {
    /// Name of the chain.
    pub chain_id: String,
    /// Height of the block.
    pub height: u64,
    /// Leaves in the log up to and with this block.
    pub tree_size: u64,
    /// Root of the log, 64 hexadecimal digits.
    pub root_hash: String,
    /// Time of the block, RFC 3339.
    pub time: String,
    /// The header's bytes in hexadecimal.
    pub header: String,
    /// Round in which the validators agreed.
    pub round: u32,
    /// Their signatures.
    pub signatures: Vec<SignatureAnswer>,
    /// The changes of the validators that are in effect, as in a receipt; absent when there are
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub validator_changes: Option<Vec<ValidatorChange>>,
}

impl CheckpointAnswer {
    pub(crate) fn new(chain_id: &str, view: &CheckpointView) -> Self {
        Self {
            chain_id: chain_id.to_owned(),
            height: view.height,
            tree_size: view.tree_size,
            root_hash: view.root_hash.to_string(),
            time: view.time.to_rfc3339_utc8(),
            header: hex::encode(&view.header),
            round: view.certificate.round,
            signatures: signatures(&view.certificate),
            validator_changes: Some(view.validator_changes.iter().map(|one| (**one).clone()))
                .filter(|changes| changes.len() > 0)
                .map(Iterator::collect),
        }
    }
}

/// One block without content.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockAnswer {
    /// Height of the block.
    pub height: u64,
    /// Time of the block, RFC 3339.
    pub time: String,
    /// Index of its first leaf.
    pub first_index: u64,
    /// How many leaves it has.
    pub count: u64,
    /// The header's bytes in hexadecimal.
    pub header: String,
    /// Round in which the validators agreed.
    pub round: u32,
    /// Their signatures.
    pub signatures: Vec<SignatureAnswer>,
    /// The leaf hashes, in order.
    pub leaf_hashes: Vec<String>,
}

impl From<&BlockView> for BlockAnswer {
    fn from(view: &BlockView) -> Self {
        Self {
            height: view.height,
            time: view.time.to_rfc3339_utc8(),
            first_index: view.first_index,
            count: view.leaf_hashes.len() as u64,
            header: hex::encode(&view.header),
            round: view.certificate.round,
            signatures: signatures(&view.certificate),
            leaf_hashes: hashes(&view.leaf_hashes),
        }
    }
}

/// The path from a leaf to a root of the log (RFC 6962 §2.1.1, with SM3).
#[derive(Debug, Serialize, ToSchema)]
pub struct InclusionAnswer {
    /// Index of the leaf.
    pub index: u64,
    /// Size of the tree.
    pub tree_size: u64,
    /// Hash of the leaf.
    pub leaf_hash: String,
    /// Root of the log at that size.
    pub root_hash: String,
    /// Sibling hashes from the leaf upwards.
    pub path: Vec<String>,
}

impl InclusionAnswer {
    pub(crate) fn new(index: u64, tree_size: u64, view: &InclusionView) -> Self {
        Self {
            index,
            tree_size,
            leaf_hash: view.leaf_hash.to_string(),
            root_hash: view.root_hash.to_string(),
            path: hashes(&view.path),
        }
    }
}

/// The proof that a log continues an earlier one (RFC 6962 §2.1.2, with SM3).
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsistencyAnswer {
    /// Size of the earlier tree.
    pub from: u64,
    /// Size of the later tree.
    pub to: u64,
    /// The proof's hashes.
    pub path: Vec<String>,
}

impl ConsistencyAnswer {
    pub(crate) fn new(from: u64, to: u64, path: &[Hash]) -> Self {
        Self {
            from,
            to,
            path: hashes(path),
        }
    }
}
