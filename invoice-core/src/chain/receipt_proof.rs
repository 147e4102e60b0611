//! The links that a receipt and the proof of a change of the validators have in common.

use crate::crypto::Hash;
use crate::crypto::messages::{batch_message, record_message};
use crate::merkle;

use super::block::{BATCH_RECORDS_MAX, BatchProof};
use super::certificate::{Certificate, ValidatorSet};
use super::chain_id::ChainId;
use super::header::Header;
use super::leaf::Leaf;
use super::outcome::Outcome;
use super::receipt::{Inclusion, ReceiptAuthorization, ReceiptFault, ReceiptSignature};

/// A record with all that proves it, borrowed.
pub(super) struct Proof<'p> {
    pub(super) record: &'p str,
    pub(super) outcome: &'p Outcome,
    pub(super) height: u64,
    pub(super) index: u64,
    pub(super) inclusion: &'p Inclusion,
    pub(super) header: &'p Header,
    pub(super) round: u32,
    pub(super) signatures: &'p [ReceiptSignature],
    pub(super) authorization: &'p ReceiptAuthorization,
}

impl Proof<'_> {
    /// That the header is of the chain and says where the record stands.
    pub(super) fn stands(&self, chain: &ChainId, genesis_hash: &Hash) -> Result<(), ReceiptFault> {
        let header = self.header;
        if header.chain_id != *chain {
            return Err(ReceiptFault::OtherChain);
        }
        if header.height != self.height
            || header.log_size != self.inclusion.tree_size
            || !(header.first_index..header.log_size).contains(&self.index)
        {
            return Err(ReceiptFault::Header);
        }
        if header.height == 1 && header.previous != *genesis_hash {
            return Err(ReceiptFault::Predecessor);
        }
        Ok(())
    }

    /// That the record and its outcome are in the log of the header.
    pub(super) fn is_included(&self) -> Result<(), ReceiptFault> {
        let leaf = Leaf {
            kid: self.authorization.kid,
            record: self.record.as_bytes(),
            outcome: self.outcome,
        };
        let leaf = leaf.hash().map_err(|_| ReceiptFault::Inclusion)?;
        let Inclusion { tree_size, path } = self.inclusion;
        let root = &self.header.log_root;
        if merkle::verify_inclusion(&leaf, self.index, *tree_size, path, root) {
            Ok(())
        } else {
            Err(ReceiptFault::Inclusion)
        }
    }

    /// That the block is final by these validators, and that the submitter signed.
    pub(super) fn is_final(
        &self,
        chain: &ChainId,
        validators: &ValidatorSet,
    ) -> Result<(), ReceiptFault> {
        if self.header.validators != validators.digest() {
            return Err(ReceiptFault::Validators);
        }
        let signatures = self.signatures.iter().map(|vote| (vote.kid, vote.sig));
        let certificate = Certificate {
            height: self.height,
            round: self.round,
            block_id: self.header.id(),
            signatures: signatures.collect(),
        };
        certificate.verify(validators, chain)?;
        self.is_signed(chain)
    }

    fn is_signed(&self, chain: &ChainId) -> Result<(), ReceiptFault> {
        let ReceiptAuthorization {
            kid,
            public_key,
            sig,
            batch,
        } = self.authorization;
        if public_key.kid() != *kid {
            return Err(ReceiptFault::SubmitterKey);
        }
        let record = self.record.as_bytes();
        let message = match batch {
            None => record_message(chain, record),
            Some(BatchProof {
                count,
                position,
                path,
                atomic,
            }) => {
                if usize::try_from(*count).is_ok_and(|count| count > BATCH_RECORDS_MAX) {
                    return Err(ReceiptFault::Batch);
                }
                let (leaf, position) = (merkle::leaf_hash(record), u64::from(*position));
                let root = merkle::root_from_path(&leaf, position, u64::from(*count), path)
                    .ok_or(ReceiptFault::Batch)?;
                batch_message(chain, *count, &root, *atomic)
            }
        };
        if public_key.verify(&message, sig) {
            Ok(())
        } else {
            Err(ReceiptFault::SubmitterSignature)
        }
    }
}
