//! A validator set as bytes: everything that its list says, groups and names with keys and weights.

use std::fmt;

use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::{Hash, PublicKey, sm3};
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

use super::certificate::{VALIDATORS_MAX, Validator, ValidatorSet};

/// First byte of what is hashed for [`ValidatorSet::list_digest`].
const LIST_DOMAIN: u8 = 0x07;

/// Most characters of a validator's name.
pub const VALIDATOR_NAME_CHARS_MAX: usize = 200;

/// Bytes of a validator's name: its characters, of at most four bytes each.
const NAME_BYTES_MAX: usize = 800;

/// Which bureau a validator belongs to. Neither bureau decides on a block alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// 税务: the tax bureau.
    Tax,
    /// 财政: the finance bureau.
    Finance,
}

impl Group {
    /// Every group, in order.
    pub const ALL: [Self; 2] = [Self::Tax, Self::Finance];

    /// The group's word in genesis files and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tax => "tax",
            Self::Finance => "finance",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Tax => 1,
            Self::Finance => 2,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Spelled for Group {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Self::ALL
            .into_iter()
            .find(|group| group.as_str() == text)
            .ok_or(Rule::ValidatorGroupUnknown)
    }
}

spelled_as_text!(Group, "^(tax|finance)$", "tax");

impl ValidatorSet {
    /// The digest that a countersignature is over: SM3 over 0x07 and [`ValidatorSet::encode`], so
    /// that it covers everything that the list says. Headers have [`ValidatorSet::digest`].
    #[must_use]
    pub fn list_digest(&self) -> Hash {
        sm3(&[&[LIST_DOMAIN], &self.encode()])
    }

    /// The list as bytes: the number of validators (2 bytes), then for each its public key (65
    /// bytes), weight (8 bytes), group (0 none, 1 tax, 2 finance) and name behind its length in two
    /// bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        // A set has at most 100 validators, a name at most 800 bytes.
        bytes.put_u16(u16::try_from(self.validators().len()).unwrap_or(u16::MAX));
        for validator in self.validators() {
            bytes.put(validator.public_key.as_sec1());
            bytes.put_u64(validator.weight);
            bytes.put_u8(validator.group.map_or(0, Group::number));
            bytes.put_u16(u16::try_from(validator.name.len()).unwrap_or(u16::MAX));
            bytes.put(validator.name.as_bytes());
        }
        bytes.into_bytes()
    }

    /// Reads an encoding and nothing after it.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are no validator set.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut validators = Vec::new();
        for _ in 0..reader.count16("validators", VALIDATORS_MAX)? {
            let public_key = PublicKey::from_sec1(reader.take("public key", PublicKey::BYTES)?)
                .map_err(|_| DecodeError::Invalid { what: "public key" })?;
            let weight = reader.u64("weight")?;
            let group = match reader.u8("group")? {
                0 => None,
                1 => Some(Group::Tax),
                2 => Some(Group::Finance),
                _ => return Err(DecodeError::Invalid { what: "group" }),
            };
            let name = reader.text16("name", NAME_BYTES_MAX)?.to_owned();
            validators.push(Validator {
                public_key,
                weight,
                group,
                name,
            });
        }
        reader.finish()?;
        Self::new(validators).map_err(|_| DecodeError::Invalid { what: "validators" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;

    fn validator(n: u8, group: Option<Group>) -> Validator {
        Validator {
            public_key: SecretKey::from_bytes(&[n; 32]).unwrap().public_key(),
            weight: u64::from(n),
            group,
            name: "局".to_owned(),
        }
    }

    fn four() -> ValidatorSet {
        let groups = [Group::Tax, Group::Finance, Group::Finance, Group::Tax];
        let all = (1..)
            .zip(groups)
            .map(|(n, group)| validator(n, Some(group)));
        ValidatorSet::new(all.collect()).unwrap()
    }

    #[test]
    fn a_list_has_these_bytes() {
        let set = four();
        let bytes = set.encode();
        let first = "0004".to_owned()
            + &set.validators()[0].public_key.to_hex()
            + "0000000000000001"
            + "01"
            + "0003"
            + "e5b180";
        assert_eq!(hex::encode(&bytes[..81]), first);
        assert_eq!(bytes.len(), 2 + 4 * 79);
        assert_eq!(
            set.list_digest().to_string(),
            "3bd010f603135f27bba41504eab2819af9982ef1da751d07323aa198a4e34d2b"
        );
        assert_eq!(ValidatorSet::decode(&bytes), Ok(set));
        for end in 0..bytes.len() {
            assert!(ValidatorSet::decode(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [bytes, vec![0]].concat();
        assert!(ValidatorSet::decode(&longer).is_err());
    }

    #[test]
    fn the_digest_of_the_list_covers_groups_and_names_and_that_of_headers_does_not() {
        let set = four();
        let changed = |change: fn(&mut Validator)| {
            let mut all = set.validators().to_vec();
            change(&mut all[3]);
            ValidatorSet::new(all).unwrap()
        };
        let renamed = changed(|validator| validator.name.push('二'));
        let moved = {
            let mut all = set.validators().to_vec();
            all[3].group = Some(Group::Finance);
            all[2].group = Some(Group::Tax);
            ValidatorSet::new(all).unwrap()
        };
        for other in [&renamed, &moved] {
            assert_ne!(other.list_digest(), set.list_digest());
            assert_eq!(other.digest(), set.digest());
        }
        let heavier = changed(|validator| validator.weight = 3);
        assert_ne!(heavier.list_digest(), set.list_digest());
        assert_ne!(heavier.digest(), set.digest());
    }

    #[test]
    fn a_set_of_one_has_a_group_or_none() {
        for group in [None, Some(Group::Finance)] {
            let set = ValidatorSet::new(vec![validator(7, group)]).unwrap();
            assert_eq!(ValidatorSet::decode(&set.encode()), Ok(set));
        }
    }
}
