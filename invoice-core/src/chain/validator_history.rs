//! Who decided on which heights: the validators of the genesis file and every change of them, each
//! proved by those that the one before left in charge.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crypto::Hash;
use crate::record::{Body, NewValidators, parse_record};

use super::certificate::ValidatorSet;
use super::chain_id::ChainId;
use super::genesis::Genesis;
use super::header::Header;
use super::outcome::Outcome;
use super::receipt::{
    Inclusion, Receipt, ReceiptAuthorization, ReceiptFault, ReceiptSignature, read_header,
    read_outcome, write_header, write_outcome,
};
use super::receipt_proof::Proof;
use super::wire;

/// Most changes of the validators of a chain. Every receipt after them carries them all, and a chain
/// is of one year.
pub const VALIDATOR_CHANGES_MAX: usize = 64;

/// A new set decides at the earliest on the block so many heights after the one that records it:
/// whoever votes on the next block has executed this one, and knows the set in time.
pub const FROM_HEIGHT_AHEAD_MIN: u64 = 2;

/// A new set decides at the latest on the block so many heights after the one that records it: a
/// slip of the pen must not forbid every other change for ever.
pub const FROM_HEIGHT_AHEAD_MAX: u64 = 1_000_000;

/// The changes that are in effect at a height, oldest first.
pub type ValidatorChanges = Arc<[Arc<ValidatorChange>]>;

/// The proof that validators were changed: a receipt of the record that did it, without what the
/// receipt that carries it says already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorChange {
    /// The exact text of the `validators.change` record.
    pub record: String,
    /// The answer, which must be that it was accepted.
    #[serde(serialize_with = "write_outcome", deserialize_with = "read_outcome")]
    pub outcome: Outcome,
    /// Height of the block.
    pub height: u64,
    /// Index of the record in the log.
    pub index: u64,
    /// Proof that the record is in the log.
    #[serde(deserialize_with = "wire::object")]
    pub inclusion: Inclusion,
    /// The block's header; lower-case hexadecimal of its encoding.
    #[serde(serialize_with = "write_header", deserialize_with = "read_header")]
    pub header: Header,
    /// Round of consensus in which the block was decided.
    pub round: u32,
    /// The validators' signatures, in ascending order of their keys' identifiers.
    #[serde(deserialize_with = "wire::objects")]
    pub signatures: Vec<ReceiptSignature>,
    /// The submitter's signature.
    #[serde(deserialize_with = "wire::object")]
    pub authorization: ReceiptAuthorization,
}

impl From<Receipt> for ValidatorChange {
    /// What a receipt of a `validators.change` record proves.
    fn from(receipt: Receipt) -> Self {
        Self {
            record: receipt.record,
            outcome: receipt.outcome,
            height: receipt.height,
            index: receipt.index,
            inclusion: receipt.inclusion,
            header: receipt.header,
            round: receipt.round,
            signatures: receipt.signatures,
            authorization: receipt.authorization,
        }
    }
}

impl ValidatorChange {
    fn proof(&self) -> Proof<'_> {
        Proof {
            record: &self.record,
            outcome: &self.outcome,
            height: self.height,
            index: self.index,
            inclusion: &self.inclusion,
            header: &self.header,
            round: self.round,
            signatures: &self.signatures,
            authorization: &self.authorization,
        }
    }

    /// What the record says.
    fn stated(&self) -> Result<NewValidators, ChangeFault> {
        if !self.outcome.is_accepted() {
            return Err(ChangeFault::NotAccepted);
        }
        let parsed = parse_record(self.record.as_bytes()).map_err(|_| ChangeFault::OtherRecord)?;
        match parsed.record.map(|record| record.body) {
            Ok(Body::ValidatorsChange(body)) => Ok(body.change),
            Ok(_) | Err(_) => Err(ChangeFault::OtherRecord),
        }
    }
}

/// Why a change of the validators does not continue the changes before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeFault {
    /// There are more than [`VALIDATOR_CHANGES_MAX`].
    #[error("验证者变更超过 64 项 / there are more than 64 changes of the validators")]
    TooMany,
    /// The record was refused.
    #[error("变更记录未被接受 / the record was refused")]
    NotAccepted,
    /// The record is no `validators.change`.
    #[error("记录不是 validators.change / the record is no validators.change")]
    OtherRecord,
    /// It was recorded before the change before it was in effect, or is an older one.
    #[error("变更顺序错误 / the change does not come after the one before it")]
    Order,
    /// It replaces other validators than those in force.
    #[error("被替换的验证者集不是当时有效的 / it replaces other validators than those in force")]
    Replaces,
    /// The new validators decide too soon or too late after the record.
    #[error("生效高度与记录所在高度不符 / the first height does not fit that of the record")]
    FromHeight,
    /// The record is not proved.
    #[error(transparent)]
    Proof(#[from] Box<ReceiptFault>),
}

/// Validators from a height on.
#[derive(Clone, Debug)]
struct Era {
    from_height: u64,
    set: Arc<ValidatorSet>,
    /// The changes up to this one.
    changes: ValidatorChanges,
}

/// The validators of every height, each change proved.
#[derive(Clone, Debug)]
pub struct ValidatorHistory {
    chain_id: ChainId,
    genesis_hash: Hash,
    founders: Arc<ValidatorSet>,
    /// What came after the founders, in ascending order of heights.
    eras: Vec<Era>,
}

impl ValidatorHistory {
    /// The history of a chain without changes.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            chain_id: genesis.chain_id().clone(),
            genesis_hash: genesis.hash(),
            founders: Arc::new(genesis.validators().clone()),
            eras: Vec::new(),
        }
    }

    /// Adds the next change, after verifying it with what is known so far.
    ///
    /// # Errors
    /// [`ChangeFault`], naming what does not hold; the history is as before.
    pub fn push(&mut self, change: Arc<ValidatorChange>) -> Result<(), ChangeFault> {
        if self.eras.len() >= VALIDATOR_CHANGES_MAX {
            return Err(ChangeFault::TooMany);
        }
        let stated = change.stated()?;
        let last = self.eras.last();
        if last.is_some_and(|last| change.height < last.from_height) {
            return Err(ChangeFault::Order);
        }
        let current = last.map_or(&self.founders, |last| &last.set);
        if stated.replaces != current.digest() {
            return Err(ChangeFault::Replaces);
        }
        let earliest = change.height.saturating_add(FROM_HEIGHT_AHEAD_MIN);
        let latest = change.height.saturating_add(FROM_HEIGHT_AHEAD_MAX);
        if !(earliest..=latest).contains(&stated.from_height) {
            return Err(ChangeFault::FromHeight);
        }
        let proof = change.proof();
        proof
            .stands(&self.chain_id, &self.genesis_hash)
            .and_then(|()| proof.is_included())
            .and_then(|()| proof.is_final(&self.chain_id, current))
            .map_err(Box::new)?;
        let before = last.map(|last| last.changes.iter()).into_iter().flatten();
        let changes = before.cloned().chain([change]).collect();
        self.eras.push(Era {
            from_height: stated.from_height,
            set: Arc::new(stated.validators),
            changes,
        });
        Ok(())
    }

    /// The validators that decide on the block of a height, as far as is known.
    #[must_use]
    pub fn at(&self, height: u64) -> &Arc<ValidatorSet> {
        self.era(height).map_or(&self.founders, |era| &era.set)
    }

    /// The changes that a receipt of a block of this height carries: those in effect then.
    #[must_use]
    pub fn changes_at(&self, height: u64) -> ValidatorChanges {
        let era = self.era(height);
        era.map_or_else(ValidatorChanges::default, |era| Arc::clone(&era.changes))
    }

    /// How many changes there are, in effect or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.eras.len()
    }

    /// Whether the validators were never changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.eras.is_empty()
    }

    /// First height of the newest set; 1 before any change.
    #[must_use]
    pub fn newest_from_height(&self) -> u64 {
        self.eras.last().map_or(1, |era| era.from_height)
    }

    pub(super) const fn chain_id(&self) -> &ChainId {
        &self.chain_id
    }

    pub(super) const fn genesis_hash(&self) -> &Hash {
        &self.genesis_hash
    }

    /// Whether both say the same of every height up to this one.
    pub(super) fn agrees_until(&self, height: u64, other: &Self) -> bool {
        let until = |history: &Self| {
            let eras = history.eras.iter();
            eras.filter(|era| era.from_height <= height)
                .map(|era| (era.from_height, Arc::clone(&era.set)))
                .collect::<Vec<_>>()
        };
        self.founders == other.founders && until(self) == until(other)
    }

    fn era(&self, height: u64) -> Option<&Era> {
        let mut eras = self.eras.iter().rev();
        eras.find(|era| era.from_height <= height)
    }
}

pub(super) fn write_changes<S: Serializer>(
    changes: &ValidatorChanges,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(changes.iter().map(AsRef::as_ref))
}

/// A list that is there has an element: without changes the member is absent.
pub(super) fn read_changes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ValidatorChanges, D::Error> {
    let changes: Vec<ValidatorChange> = wire::objects(deserializer)?;
    if changes.is_empty() {
        return Err(serde::de::Error::custom("a list of changes is not empty"));
    }
    Ok(changes.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
#[path = "validator_history_tests.rs"]
mod tests;
