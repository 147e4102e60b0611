//! The members' signatures of a block, verified together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::block::{Failure, InvalidBlock};
use super::key_ring::KeyRing;
use crate::chain::{BlockEnvelope, ChainId};
use crate::crypto::{Hash, HintedSignature, Kid, PublicKey, Signed, sm3, verify_many};
use crate::state::{StateView, TypedState};

/// Signatures that are verified in one call; more would only take memory.
const TOGETHER_MAX: usize = 1024;

/// The signatures of a block's envelopes, with the keys as the state has them before each.
pub(super) struct BlockSignatures<'c> {
    chain: &'c ChainId,
    seed: [u8; 32],
    ring: &'c mut KeyRing,
    /// Keys that were read. A `kid` is a digest of its key, so none ever becomes another key.
    keys: BTreeMap<Kid, PublicKey>,
    noted: Vec<Noted>,
}

/// A signature that waits to be verified.
struct Noted {
    kid: Kid,
    digest: Hash,
    signature: HintedSignature,
    first_index: u64,
}

impl<'c> BlockSignatures<'c> {
    pub(super) fn new(chain: &'c ChainId, seed: [u8; 32], ring: &'c mut KeyRing) -> Self {
        Self {
            chain,
            seed,
            ring,
            keys: BTreeMap::new(),
            noted: Vec::new(),
        }
    }

    /// Notes the signature of the envelope that comes next.
    pub(super) fn note<V: StateView>(
        &mut self,
        state: &V,
        envelope: &BlockEnvelope,
        first_index: u64,
    ) -> Result<(), Failure<V::Error>> {
        let wrong = || InvalidBlock::Signature { index: first_index };
        let kid = envelope.authorization.kid();
        let key = match self.keys.entry(kid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let key = TypedState(state).key(&kid)?.ok_or_else(wrong)?;
                unknown.insert(self.ring.kept(kid, key.public_key))
            }
        };
        let message = envelope.signed_message(self.chain).ok_or_else(wrong)?;
        self.noted.push(Noted {
            kid,
            digest: key.message_digest(&message),
            signature: HintedSignature {
                signature: envelope.authorization.signature(),
                parity: envelope.parity,
            },
            first_index,
        });
        Ok(())
    }

    /// Leaf index of the first record whose signature does not verify.
    pub(super) fn first_wrong(&self) -> Option<u64> {
        (0_u64..)
            .zip(self.noted.chunks(TOGETHER_MAX))
            .find_map(|(number, noted)| self.first_wrong_of(number, noted))
    }

    fn first_wrong_of(&self, number: u64, noted: &[Noted]) -> Option<u64> {
        let signed: Vec<_> = noted
            .iter()
            .filter_map(|noted| {
                Some(Signed {
                    key: self.keys.get(&noted.kid)?,
                    digest: noted.digest,
                    signature: noted.signature,
                })
            })
            .collect();
        // Each call has coefficients of its own.
        let seed = sm3(&[&self.seed, &number.to_be_bytes()]);
        let verdicts = verify_many(&signed, seed.as_bytes());
        let wrong = noted.iter().zip(verdicts).find(|(_, verifies)| !verifies);
        wrong.map(|(noted, _)| noted.first_index)
    }
}
