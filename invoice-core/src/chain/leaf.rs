//! The leaves of the log: a record together with its outcome and the key that signed it.

use crate::codec::{EncodeError, Writer};
use crate::crypto::{Hash, Kid, sm3_many};
use crate::merkle;

use super::outcome::Outcome;

/// First byte of a leaf hash's input (RFC 6962, 2.1).
const LEAF_DOMAIN: u8 = 0x00;
/// Version of the leaf's layout.
const VERSION: u8 = 1;
/// Bytes before the record.
const HEAD_BYTES: usize = 21;
/// Bytes of an outcome beside its code and its facts.
const OUTCOME_BYTES: usize = 5;
/// Bytes of a fact beside its name and its value.
const FACT_BYTES: usize = 4;
/// Leaves that are hashed in one go: enough to fill the widest vectors several times.
const LEAVES_AT_ONCE: usize = 64;

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
        let mut writer = Writer::with_capacity(self.encoded_len());
        self.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// Appends the encoding.
    ///
    /// # Errors
    /// As [`Leaf::encode`].
    pub fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.put(&self.head()?);
        writer.put(self.record);
        self.outcome.write(writer)
    }

    /// How many bytes the encoding has.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let code = self.outcome.code().unwrap_or_default();
        let facts = self.outcome.detail().iter().map(|(name, value)| {
            name.len()
                .saturating_add(value.len())
                .saturating_add(FACT_BYTES)
        });
        facts
            .fold(HEAD_BYTES, usize::saturating_add)
            .saturating_add(OUTCOME_BYTES)
            .saturating_add(code.len())
            .saturating_add(self.record.len())
    }

    /// What stands before the record: the leaf's version, the key and the record's length.
    fn head(&self) -> Result<[u8; HEAD_BYTES], EncodeError> {
        let length =
            u32::try_from(self.record.len()).map_err(|_| EncodeError { what: "record" })?;
        let mut head = [0; HEAD_BYTES];
        let parts = [&[VERSION][..], self.kid.as_bytes(), &length.to_be_bytes()];
        let bytes = parts.into_iter().flatten();
        for (to, from) in head.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(head)
    }

    /// The leaf's hash in the log (RFC 6962, 2.1).
    ///
    /// # Errors
    /// As [`Leaf::encode`].
    pub fn hash(&self) -> Result<Hash, EncodeError> {
        Ok(merkle::leaf_hash(&self.encode()?))
    }
}

/// The hashes of many leaves, in order: the same as [`Leaf::hash`] of each, hashed side by side
/// and without a copy of the records.
///
/// # Errors
/// As [`Leaf::encode`], for any of them.
pub fn leaf_hashes<'a>(
    leaves: impl IntoIterator<Item = Leaf<'a>>,
) -> Result<Vec<Hash>, EncodeError> {
    let mut leaves = leaves.into_iter();
    let mut hashes = Vec::with_capacity(leaves.size_hint().0);
    loop {
        let some: Vec<Leaf<'a>> = leaves.by_ref().take(LEAVES_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(hashes);
        }
        hashes.extend(hash_together(&some)?);
    }
}

fn hash_together(leaves: &[Leaf<'_>]) -> Result<Vec<Hash>, EncodeError> {
    let mut heads = Vec::with_capacity(leaves.len());
    let mut outcomes = Writer::new();
    let mut ends = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        heads.push(leaf.head()?);
        leaf.outcome.write(&mut outcomes)?;
        ends.push(outcomes.len());
    }
    let outcomes = outcomes.into_bytes();
    let mut start = 0;
    let mut parts: Vec<[&[u8]; 4]> = Vec::with_capacity(leaves.len());
    for ((leaf, head), end) in leaves.iter().zip(&heads).zip(ends) {
        let outcome = outcomes.get(start..end).unwrap_or_default();
        parts.push([&[LEAF_DOMAIN], head, leaf.record, outcome]);
        start = end;
    }
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 4]>::as_slice).collect();
    Ok(sm3_many(&messages))
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

    #[test]
    fn many_leaves_hash_as_one_by_one() {
        let outcomes = [
            Outcome::accepted(),
            Outcome::refused("no", Facts::new().with("a", "b")),
            Outcome::Accepted {
                detail: Facts::new().with("amount", "1.00"),
            },
        ];
        let records: Vec<Vec<u8>> = (0..131_u8).map(|n| vec![n; usize::from(n) * 9]).collect();
        let leaves: Vec<Leaf<'_>> = records
            .iter()
            .zip(outcomes.iter().cycle())
            .map(|(record, outcome)| Leaf {
                kid: Kid::new([record.len() as u8; 16]),
                record,
                outcome,
            })
            .collect();
        for count in [0, 1, 2, 63, 64, 65, 131] {
            let some = &leaves[..count];
            let one_by_one: Vec<_> = some.iter().map(|leaf| leaf.hash().unwrap()).collect();
            for leaf in some {
                assert_eq!(leaf.encoded_len(), leaf.encode().unwrap().len());
            }
            assert_eq!(leaf_hashes(some.iter().copied()), Ok(one_by_one));
        }
        let wrong = Outcome::refused("No", Facts::new());
        let wrong = Leaf {
            outcome: &wrong,
            ..leaves[0]
        };
        assert!(leaf_hashes([leaves[1], wrong]).is_err());
    }
}
