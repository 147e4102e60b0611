//! Who decides on blocks from which height on.

use super::view::TypedState;
use super::{Fault, StateView, Table};
use crate::chain::{ChainId, ValidatorSet};
use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::Hash;

/// Key in [`Table::Validators`]: the chain's name, which countersignatures are over.
pub(crate) const CHAIN_KEY: &[u8] = b"chain";

/// Key in [`Table::Validators`]: the first height of the newest set (8 bytes).
pub(crate) const NEWEST_KEY: &[u8] = b"newest";

/// First height of the validators of the genesis file.
pub(crate) const FIRST_HEIGHT: u64 = 1;

/// A set of validators and where it stands among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorsEntry {
    /// Height of the first block that the set decides.
    pub from_height: u64,
    /// How many changes there were up to this one; 0 for the set of the genesis file.
    pub number: u64,
    /// First height of the set before; 0 for the set of the genesis file.
    pub previous: u64,
    /// Leaf index of the record that names the set; 0 for that of the genesis file.
    pub index: u64,
    /// The set.
    pub set: ValidatorSet,
}

/// An entry of which the list is not read.
struct Outline {
    number: u64,
    previous: u64,
    index: u64,
    digest: Hash,
}

impl ValidatorsEntry {
    /// The set of the genesis file.
    #[must_use]
    pub(crate) fn genesis(set: ValidatorSet) -> Self {
        Self {
            from_height: FIRST_HEIGHT,
            number: 0,
            previous: 0,
            index: 0,
            set,
        }
    }

    /// The value of the entry: number, previous and index as varints, the digest for headers (32
    /// bytes), the list.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_varint(self.number);
        bytes.put_varint(self.previous);
        bytes.put_varint(self.index);
        bytes.put(self.set.digest().as_bytes());
        bytes.put(&self.set.encode());
        bytes.into_bytes()
    }

    fn decode(from_height: u64, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let outline = Outline::read(&mut reader)?;
        let set = ValidatorSet::decode(reader.take("validators", reader.remaining())?)?;
        if set.digest() != outline.digest {
            return Err(DecodeError::Invalid { what: "digest" });
        }
        Ok(Self {
            from_height,
            number: outline.number,
            previous: outline.previous,
            index: outline.index,
            set,
        })
    }
}

impl Outline {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            number: reader.varint("number")?,
            previous: reader.varint("previous")?,
            index: reader.varint("index")?,
            digest: reader.hash("digest")?,
        })
    }
}

impl<V: StateView> TypedState<'_, V> {
    /// The set of the last accepted change, in effect or not; that of the genesis file before any.
    ///
    /// # Errors
    /// The state cannot be read. A state without its beginning has no set.
    pub fn newest_validators(&self) -> Result<Option<ValidatorsEntry>, Fault<V::Error>> {
        match self.newest_height()? {
            Some(height) => self.validators_from(height),
            None => Ok(None),
        }
    }

    /// The set that decides on the block of a height, as far as is known now.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn validators_at(&self, height: u64) -> Result<Option<ValidatorsEntry>, Fault<V::Error>> {
        match self.outline_at(height)? {
            Some((from_height, _)) => self.validators_from(from_height),
            None => Ok(None),
        }
    }

    /// The digest of the set that decides on the block of a height, as headers state it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn validators_digest_at(&self, height: u64) -> Result<Option<Hash>, Fault<V::Error>> {
        Ok(self.outline_at(height)?.map(|(_, outline)| outline.digest))
    }

    /// The set whose first block has exactly this height.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn validators_from(&self, height: u64) -> Result<Option<ValidatorsEntry>, Fault<V::Error>> {
        self.entry(Table::Validators, &height.to_be_bytes(), |bytes| {
            ValidatorsEntry::decode(height, bytes)
        })
    }

    /// The chain's name.
    ///
    /// # Errors
    /// The state cannot be read. A state without its beginning has no name.
    pub fn chain_id(&self) -> Result<Option<ChainId>, Fault<V::Error>> {
        self.entry(Table::Validators, CHAIN_KEY, |bytes| {
            let invalid = DecodeError::Invalid { what: "chain id" };
            let text = std::str::from_utf8(bytes).map_err(|_| invalid)?;
            text.parse().map_err(|_| invalid)
        })
    }

    /// The last set whose first height is not above `height`, and that first height.
    fn outline_at(&self, height: u64) -> Result<Option<(u64, Outline)>, Fault<V::Error>> {
        let mut from_height = self.newest_height()?;
        while let Some(from) = from_height {
            let outline = self.entry(Table::Validators, &from.to_be_bytes(), |bytes| {
                let outline = Outline::read(&mut Reader::new(bytes))?;
                // Heights descend, so that the walk ends whatever is stored.
                if outline.previous >= from {
                    return Err(DecodeError::Invalid { what: "previous" });
                }
                Ok(outline)
            })?;
            match outline {
                Some(outline) if from <= height => return Ok(Some((from, outline))),
                Some(outline) => from_height = Some(outline.previous),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn newest_height(&self) -> Result<Option<u64>, Fault<V::Error>> {
        self.entry(Table::Validators, NEWEST_KEY, |bytes| {
            bytes
                .try_into()
                .map(u64::from_be_bytes)
                .map_err(|_| DecodeError::Invalid { what: "newest" })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Validator;
    use crate::crypto::SecretKey;

    #[test]
    fn an_entry_has_these_bytes() {
        let validator = Validator {
            public_key: SecretKey::from_bytes(&[1; 32]).unwrap().public_key(),
            weight: 1,
            group: None,
            name: "v".to_owned(),
        };
        let set = ValidatorSet::new(vec![validator]).unwrap();
        let entry = ValidatorsEntry {
            from_height: 300,
            number: 2,
            previous: 200,
            index: 128,
            set,
        };
        let bytes = entry.encode();
        let due = "02c8018001".to_owned()
            // The vector of docs/format.md §15.
            + "bbb115eaec795c367d90a49c0d4bab900bd88b24666dd1a8d1022c86a6595898"
            + "0001"
            + &entry.set.validators()[0].public_key.to_hex()
            + "0000000000000001000001"
            + "76";
        assert_eq!(hex::encode(&bytes), due);
        assert_eq!(ValidatorsEntry::decode(300, &bytes), Ok(entry));
        for end in 0..bytes.len() {
            assert!(
                ValidatorsEntry::decode(300, &bytes[..end]).is_err(),
                "{end}"
            );
        }
        let mut other = bytes;
        other[5] ^= 1;
        assert!(ValidatorsEntry::decode(300, &other).is_err());
    }
}
