//! The leaves of the log: a record together with its outcome and the key that signed it.

use crate::codec::{EncodeError, Writer};
use crate::crypto::{Hash, Kid};
use crate::merkle;

use super::outcome::Outcome;

/// Version of the leaf's layout.
const VERSION: u8 = 1;

/// One leaf of the log: 1 (version), the signer's key identifier (16 bytes), the record (length
/// in 4 bytes), and the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Identifier of the key that signed the record.
    pub kid: Kid,
    /// The record's exact bytes.
    pub record: &'a [u8],
    /// What the rules answered.
    pub outcome: &'a Outcome,
}

impl Leaf<'_> {
    /// The encoding.
    ///
    /// # Errors
    /// [`EncodeError`] for a part that does not fit its length.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::with_capacity(self.record.len().saturating_add(128));
        writer.put_u8(VERSION);
        writer.put(self.kid.as_bytes());
        writer.put_bytes32("record", self.record)?;
        self.outcome.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// The leaf's hash in the log (RFC 6962, 2.1).
    ///
    /// # Errors
    /// As [`Leaf::encode`].
    pub fn hash(&self) -> Result<Hash, EncodeError> {
        Ok(merkle::leaf_hash(&self.encode()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Facts;

    #[test]
    fn version_one_has_these_bytes() {
        let outcome = Outcome::refused("no", Facts::new().with("a", "b"));
        let leaf = Leaf {
            kid: Kid::new([0xcc; 16]),
            record: b"{}",
            outcome: &outcome,
        };
        let golden = "01".to_owned()
            + &"cc".repeat(16)
            + "000000027b7d"
            + "0100026e6f"
            + "0001"
            + "000161"
            + "000162";
        assert_eq!(hex::encode(leaf.encode().unwrap()), golden);
        assert_eq!(
            leaf.hash().unwrap(),
            merkle::leaf_hash(&hex::decode(golden).unwrap())
        );
    }
}
