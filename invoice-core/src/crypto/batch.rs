//! Verifying many signatures together.

use super::{Hash, HintedSignature, PublicKey};

/// A signature, who is said to have made it, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The signer's key.
    pub key: &'a PublicKey,
    /// `e` of GB/T 32918.2-2016, 6.1: [`PublicKey::message_digest`] of the message.
    pub digest: Hash,
    /// The signature, with or without a hint. A wrong hint costs time and changes no verdict.
    pub signature: HintedSignature,
}

/// Whether each signature verifies, in order: the same verdicts as one by one.
///
/// `seed` is 32 fresh bytes of a cryptographic random source for each call, which nobody who chose
/// a signature could know before.
#[must_use]
pub fn verify_many(signed: &[Signed<'_>], seed: &[u8; 32]) -> Vec<bool> {
    let _ = seed;
    signed
        .iter()
        .map(|one| one.key.verify_digest(&one.digest, &one.signature.signature))
        .collect()
}
