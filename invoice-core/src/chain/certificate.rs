//! Finality: the validators' signatures that make a block permanent.

use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::crypto::messages::precommit_message;
use crate::crypto::{Hash, Kid, PublicKey, Signature, sm3};

use super::chain_id::ChainId;
use super::validator_list::{Group, VALIDATOR_NAME_CHARS_MAX};

/// Most validators of a chain.
pub const VALIDATORS_MAX: usize = 100;

/// A member that votes on blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    /// The key that signs its votes.
    pub public_key: PublicKey,
    /// The share of its vote; at least 1.
    pub weight: u64,
    /// Which bureau it belongs to; a single validator may have none.
    pub group: Option<Group>,
    /// Who it is, for people; at most 200 characters.
    pub name: String,
}

/// Why a list is no validator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// No validator, two, three, or more than [`VALIDATORS_MAX`].
    #[error(
        "验证者应为 1 个或 4 至 100 个 / there are 1, or 4 to 100, validators: 2 or 3 tolerate no fault"
    )]
    Count,
    /// A weight is 0, or the sum exceeds 2⁶⁴ − 1.
    #[error(
        "验证者权重应大于 0 且总和不溢出 / weights are above 0 and their sum does not overflow"
    )]
    Weight,
    /// A key occurs twice.
    #[error("验证者公钥重复 / a validator's key occurs twice")]
    Repeated,
    /// A name has more than [`VALIDATOR_NAME_CHARS_MAX`] characters.
    #[error("验证者名称超过 200 个字符 / a validator's name has more than 200 characters")]
    Name,
    /// Several validators, of which one has no group or all are of one group.
    #[error(
        "多个验证者应各属税务或财政一方，且两方俱全 / several validators belong each to tax or finance, and both occur"
    )]
    Groups,
    /// One group alone has more than two thirds of the weight.
    #[error(
        "一方权重超过三分之二，可独自决定 / one group alone has more than two thirds of the weight"
    )]
    OneGroupDecides,
}

/// The validators of some heights of a chain, in the order of the genesis file or record that names
/// them.
///
/// There is one, or there are 4 to [`VALIDATORS_MAX`]. Of several, each has a [`Group`], both groups
/// occur, and the weight of neither is a quorum, so that each has at least a third: no block is
/// decided against the other bureau or without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
    total: u64,
}

impl ValidatorSet {
    /// Takes a list of validators as a set.
    ///
    /// # Errors
    /// [`ValidatorSetError`], naming what is wrong.
    pub fn new(validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if !matches!(validators.len(), 1 | 4..=VALIDATORS_MAX) {
            return Err(ValidatorSetError::Count);
        }
        let mut total: u64 = 0;
        let mut kids = std::collections::BTreeSet::new();
        for validator in &validators {
            if validator.weight == 0 {
                return Err(ValidatorSetError::Weight);
            }
            total = total
                .checked_add(validator.weight)
                .ok_or(ValidatorSetError::Weight)?;
            if !kids.insert(validator.public_key.kid()) {
                return Err(ValidatorSetError::Repeated);
            }
            if validator.name.chars().count() > VALIDATOR_NAME_CHARS_MAX {
                return Err(ValidatorSetError::Name);
            }
        }
        let set = Self { validators, total };
        match set.validators.len() {
            1 => Ok(set),
            _ => set.with_both_groups(),
        }
    }

    /// The set itself, when it is one of which neither group decides alone.
    fn with_both_groups(self) -> Result<Self, ValidatorSetError> {
        if self.validators.iter().any(|one| one.group.is_none()) {
            return Err(ValidatorSetError::Groups);
        }
        let weights = Group::ALL.map(|group| self.weight_of(group));
        // Every weight is above 0.
        if weights.contains(&0) {
            return Err(ValidatorSetError::Groups);
        }
        if weights.into_iter().any(|weight| self.is_quorum(weight)) {
            return Err(ValidatorSetError::OneGroupDecides);
        }
        Ok(self)
    }

    /// Sum of the weights of a group.
    #[must_use]
    pub fn weight_of(&self, group: Group) -> u64 {
        self.validators
            .iter()
            .filter(|validator| validator.group == Some(group))
            // Distinct validators' weights do not exceed their sum, which fits.
            .fold(0, |sum, validator| sum.saturating_add(validator.weight))
    }

    /// The validators, in order.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// The validator with a key.
    #[must_use]
    pub fn get(&self, kid: &Kid) -> Option<&Validator> {
        self.validators
            .iter()
            .find(|validator| validator.public_key.kid() == *kid)
    }

    /// Sum of all weights.
    #[must_use]
    pub const fn total_weight(&self) -> u64 {
        self.total
    }

    /// Whether `weight` is strictly more than two thirds of the total.
    #[must_use]
    pub fn is_quorum(&self, weight: u64) -> bool {
        // Products of a u64 and 3 do not reach 2^128.
        u128::from(weight).saturating_mul(3) > u128::from(self.total).saturating_mul(2)
    }

    /// The digest that stands in headers: SM3 over 0x05 and each validator's public key (65
    /// bytes) and weight (8 bytes), in order.
    #[must_use]
    pub fn digest(&self) -> Hash {
        let mut writer = Writer::new();
        writer.put_u8(0x05);
        for validator in &self.validators {
            writer.put(validator.public_key.as_sec1());
            writer.put_u64(validator.weight);
        }
        sm3(&[&writer.into_bytes()])
    }
}

/// Why a certificate proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer occurs twice, or the signers are not in ascending order.
    #[error("签名者重复或未按顺序 / a signer occurs twice or out of order")]
    Order,
    /// A signer is not a validator.
    #[error("签名者 {0} 不是验证者 / signer {0} is not a validator")]
    Foreign(Kid),
    /// A signature is wrong.
    #[error("验证者 {0} 的签名错误 / the signature of validator {0} is wrong")]
    Signature(Kid),
    /// The signers have two thirds of the weight or less.
    #[error(
        "签名权重不足三分之二以上 / the signers do not have more than two thirds of the weight"
    )]
    NoQuorum,
}

/// Precommits of more than two thirds of the validators' weight for one block.
///
/// Encoded as height (8 bytes), round (4 bytes), block id (32 bytes), number of signatures
/// (2 bytes), and each signer's key identifier (16 bytes) and signature (64 bytes), in ascending
/// order of the identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Height of the block.
    pub height: u64,
    /// Round of consensus in which it was decided.
    pub round: u32,
    /// Id of the block.
    pub block_id: Hash,
    /// Signers and signatures, in ascending order of the signers.
    pub signatures: Vec<(Kid, Signature)>,
}

impl Certificate {
    /// Puts signatures, in any order, into a certificate.
    #[must_use]
    pub fn new(
        height: u64,
        round: u32,
        block_id: Hash,
        mut signatures: Vec<(Kid, Signature)>,
    ) -> Self {
        signatures.sort_unstable();
        Self {
            height,
            round,
            block_id,
            signatures,
        }
    }

    /// The encoding.
    ///
    /// # Errors
    /// [`EncodeError`] for more than 65,535 signatures.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new();
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        writer.put(self.block_id.as_bytes());
        writer.put_count16("signatures", self.signatures.len())?;
        for (kid, signature) in &self.signatures {
            writer.put(kid.as_bytes());
            writer.put(signature.as_bytes());
        }
        Ok(writer.into_bytes())
    }

    /// Reads an encoding and nothing after it.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are no certificate; whether it proves anything is for
    /// [`Certificate::verify`] to say.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let (height, round) = (reader.u64("height")?, reader.u32("round")?);
        let block_id = reader.hash("block id")?;
        let mut signatures: Vec<(Kid, Signature)> = Vec::new();
        for _ in 0..reader.count16("signatures", VALIDATORS_MAX)? {
            let kid = reader.kid("signer")?;
            if signatures.last().is_some_and(|(last, _)| *last >= kid) {
                return Err(DecodeError::Invalid {
                    what: "order of signers",
                });
            }
            signatures.push((kid, reader.signature("signature")?));
        }
        reader.finish()?;
        Ok(Self {
            height,
            round,
            block_id,
            signatures,
        })
    }

    /// Checks every signature and that the signers are a quorum of `validators`.
    ///
    /// # Errors
    /// [`CertificateError`], naming what is wrong. One wrong signature is enough, even when the
    /// others would do.
    pub fn verify(
        &self,
        validators: &ValidatorSet,
        chain: &ChainId,
    ) -> Result<(), CertificateError> {
        if !self
            .signatures
            .is_sorted_by(|(left, _), (right, _)| left < right)
        {
            return Err(CertificateError::Order);
        }
        let mut weight: u64 = 0;
        for (kid, signature) in &self.signatures {
            let validator = validators.get(kid).ok_or(CertificateError::Foreign(*kid))?;
            let message = precommit_message(chain, self.height, self.round, &self.block_id, kid);
            if !validator.public_key.verify(&message, signature) {
                return Err(CertificateError::Signature(*kid));
            }
            // Distinct validators' weights do not exceed their sum, which fits.
            weight = weight.saturating_add(validator.weight);
        }
        if validators.is_quorum(weight) {
            Ok(())
        } else {
            Err(CertificateError::NoQuorum)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, SecretKeySigner, Signer};

    fn chain() -> ChainId {
        "sz-2026".parse().unwrap()
    }

    fn signers(count: u8) -> Vec<SecretKeySigner> {
        (1..=count)
            .map(|n| SecretKeySigner::new(SecretKey::from_bytes(&[n; 32]).unwrap()))
            .collect()
    }

    fn set(
        signers: &[SecretKeySigner],
        weights: &[u64],
    ) -> Result<ValidatorSet, ValidatorSetError> {
        let groups = [Group::Tax, Group::Finance].into_iter().cycle();
        let validator = |((signer, weight), group): ((&SecretKeySigner, &u64), Group)| Validator {
            public_key: signer.public_key().clone(),
            weight: *weight,
            group: Some(group),
            name: "v".to_owned(),
        };
        let all = signers.iter().zip(weights).zip(groups).map(validator);
        ValidatorSet::new(all.collect())
    }

    fn certificate(signers: &[SecretKeySigner]) -> Certificate {
        let id = Hash::new([9; 32]);
        let vote = |signer: &SecretKeySigner| {
            let kid = signer.public_key().kid();
            (
                kid,
                signer
                    .sign(&precommit_message(&chain(), 5, 2, &id, &kid))
                    .unwrap(),
            )
        };
        Certificate::new(5, 2, id, signers.iter().map(vote).collect())
    }

    #[test]
    fn three_of_four_decide_and_two_do_not() {
        let signers = signers(4);
        let set = set(&signers, &[1; 4]).unwrap();
        assert_eq!(certificate(&signers).verify(&set, &chain()), Ok(()));
        assert_eq!(certificate(&signers[1..]).verify(&set, &chain()), Ok(()));
        assert_eq!(
            certificate(&signers[2..]).verify(&set, &chain()),
            Err(CertificateError::NoQuorum)
        );
        assert_eq!(
            certificate(&[]).verify(&set, &chain()),
            Err(CertificateError::NoQuorum)
        );
    }

    #[test]
    fn exactly_two_thirds_are_no_quorum() {
        let six = set(&signers(6), &[1; 6]).unwrap();
        assert!(!six.is_quorum(4));
        assert!(six.is_quorum(5));
        let half = u64::MAX / 2;
        let heavy = set(&signers(4), &[half, half - 1, 1, 1]).unwrap();
        assert_eq!(heavy.total_weight(), u64::MAX);
        assert!(heavy.is_quorum(u64::MAX));
        assert!(!heavy.is_quorum(u64::MAX / 3 * 2));
    }

    #[test]
    fn neither_bureau_is_missing_or_decides_alone() {
        let (tax, finance) = (Some(Group::Tax), Some(Group::Finance));
        type Case<'a> = (&'a [(Option<Group>, u64)], Result<(), ValidatorSetError>);
        let cases: &[Case<'_>] = &[
            (&[(None, 1)], Ok(())),
            (&[(tax, 1)], Ok(())),
            (&[(tax, 1), (tax, 1), (finance, 1), (finance, 1)], Ok(())),
            (
                &[(None, 1), (tax, 1), (finance, 1), (finance, 1)],
                Err(ValidatorSetError::Groups),
            ),
            (
                &[(tax, 1), (tax, 1), (tax, 1), (tax, 1)],
                Err(ValidatorSetError::Groups),
            ),
            (
                &[(finance, 1), (finance, 1), (finance, 1), (finance, 1)],
                Err(ValidatorSetError::Groups),
            ),
            (
                &[(tax, 1), (tax, 1), (tax, 1), (finance, 1)],
                Err(ValidatorSetError::OneGroupDecides),
            ),
            (
                &[(finance, 5), (tax, 1), (finance, 5), (tax, 3)],
                Err(ValidatorSetError::OneGroupDecides),
            ),
            // Exactly two thirds are no quorum.
            (
                &[(tax, 4), (finance, 1), (finance, 1), (tax, 0)],
                Err(ValidatorSetError::Weight),
            ),
            (&[(tax, 3), (finance, 1), (finance, 1), (tax, 1)], Ok(())),
        ];
        let signers = signers(4);
        for (wanted, answer) in cases {
            let validator = |(signer, (group, weight)): (&SecretKeySigner, &(_, u64))| Validator {
                public_key: signer.public_key().clone(),
                weight: *weight,
                group: *group,
                name: "v".to_owned(),
            };
            let all = signers.iter().zip(*wanted).map(validator).collect();
            assert_eq!(ValidatorSet::new(all).map(drop), *answer, "{wanted:?}");
        }
    }

    #[test]
    fn strangers_repetitions_and_wrong_signatures_spoil_a_certificate() {
        let signers = signers(5);
        let set = set(&signers[..4], &[1; 4]).unwrap();
        let stranger = signers[4].public_key().kid();
        assert_eq!(
            certificate(&signers).verify(&set, &chain()),
            Err(CertificateError::Foreign(stranger))
        );
        let good = certificate(&signers[..4]);
        let mut repeated = good.clone();
        repeated.signatures[1] = repeated.signatures[0];
        assert_eq!(
            repeated.verify(&set, &chain()),
            Err(CertificateError::Order)
        );
        let mut wrong = good.clone();
        wrong.signatures[3].1 = wrong.signatures[2].1;
        assert!(matches!(
            wrong.verify(&set, &chain()),
            Err(CertificateError::Signature(_))
        ));
        let other: ChainId = "bj-2026".parse().unwrap();
        for bad in [
            Certificate {
                height: 6,
                ..good.clone()
            },
            Certificate {
                round: 3,
                ..good.clone()
            },
            Certificate {
                block_id: Hash::new([8; 32]),
                ..good.clone()
            },
        ] {
            assert!(matches!(
                bad.verify(&set, &chain()),
                Err(CertificateError::Signature(_))
            ));
        }
        assert!(good.verify(&set, &other).is_err());
    }

    #[test]
    fn two_or_three_validators_are_refused() {
        let signers = signers(5);
        for (count, good) in [
            (0, false),
            (1, true),
            (2, false),
            (3, false),
            (4, true),
            (5, true),
        ] {
            assert_eq!(set(&signers[..count], &[1; 5]).is_ok(), good, "{count}");
        }
        assert_eq!(
            set(&signers, &[1, 1, 1, 1, 0]),
            Err(ValidatorSetError::Weight)
        );
        assert_eq!(
            set(&signers, &[u64::MAX, 1, 1, 1, 1]),
            Err(ValidatorSetError::Weight)
        );
        let long = Validator {
            public_key: signers[0].public_key().clone(),
            weight: 1,
            group: None,
            name: "局".repeat(201),
        };
        assert_eq!(ValidatorSet::new(vec![long]), Err(ValidatorSetError::Name));
    }

    #[test]
    fn a_certificate_has_these_bytes() {
        let good = certificate(&signers(4));
        let bytes = good.encode().unwrap();
        let head = "0000000000000005".to_owned() + "00000002" + &"09".repeat(32) + "0004";
        assert_eq!(hex::encode(&bytes[..46]), head);
        assert_eq!(bytes[46..62], *good.signatures[0].0.as_bytes());
        assert_eq!(bytes[62..126], *good.signatures[0].1.as_bytes());
        assert_eq!(bytes.len(), 46 + 4 * 80);
        assert_eq!(Certificate::decode(&bytes), Ok(good));
        for end in 0..bytes.len() {
            assert!(Certificate::decode(&bytes[..end]).is_err());
        }
    }
}
