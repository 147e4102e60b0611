//! Receipts: proof, offline and with nothing but the genesis file, of what was recorded.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::Instant;
use crate::crypto::{Hash, Kid, PublicKey, Signature};

use super::block::BatchProof;
use super::certificate::CertificateError;
use super::chain_id::ChainId;
use super::genesis::Genesis;
use super::header::Header;
use super::outcome::{Facts, Outcome, is_code};
use super::receipt_proof::Proof;
use super::validator_history::{
    ChangeFault, ValidatorChanges, ValidatorHistory, read_changes, write_changes,
};
use super::wire;

/// Longest receipt that is read, in bytes (4 MiB).
///
/// A receipt itself is read up to 256 KiB. Each change of the validators that it carries has at most
/// 52 KiB: a record of 16 KiB, doubled by escapes, 100 signatures of 142 bytes and two paths; there
/// are at most 64.
pub const RECEIPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where the record stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// Size of the log after the record's block.
    pub tree_size: u64,
    /// Hashes from the record's leaf to the log's root, lowest first.
    pub path: Vec<Hash>,
}

/// One validator's precommit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptSignature {
    /// The validator's key.
    pub kid: Kid,
    /// Its signature.
    pub sig: Signature,
}

/// The submitter's own signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAuthorization {
    /// The signing key's identifier, as it stands in the leaf.
    pub kid: Kid,
    /// The signing key.
    pub public_key: PublicKey,
    /// The signature of the record, or of the batch that it was part of.
    pub sig: Signature,
    /// The record's place in a signed batch.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::optional_object"
    )]
    pub batch: Option<BatchProof>,
}

/// What a submitter gets and keeps: the record, the answer, and the proof of both.
///
/// Its JSON is read strictly: no unknown or repeated member, numbers as plain integers, digests in
/// lower-case hexadecimal, canonical base64. White space between values is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The chain.
    pub chain_id: ChainId,
    /// Member that sent the record.
    pub by: String,
    /// The record's id.
    pub id: String,
    /// The record's exact text.
    pub record: String,
    /// The answer.
    #[serde(serialize_with = "write_outcome", deserialize_with = "read_outcome")]
    pub outcome: Outcome,
    /// Height of the block.
    pub height: u64,
    /// Index of the record in the log.
    pub index: u64,
    /// Time of the block: RFC 3339 in UTC+8, milliseconds.
    pub time: String,
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
    /// The changes of the validators that are in effect at the block's height, oldest first; the
    /// member is absent while there is none.
    #[serde(
        default,
        skip_serializing_if = "has_none",
        serialize_with = "write_changes",
        deserialize_with = "read_changes"
    )]
    pub validator_changes: ValidatorChanges,
}

fn has_none(changes: &ValidatorChanges) -> bool {
    changes.is_empty()
}

/// Why a receipt proves nothing; each names the first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Not a receipt: not JSON, or not of the exact form.
    #[error("不是有效的回执格式：{0} / not of the form of a receipt: {0}")]
    Form(String),
    /// The receipt is of another chain than the genesis file.
    #[error("回执属于另一条链 / the receipt is of another chain")]
    OtherChain,
    /// `by` or `id` is not what the record says.
    #[error("by 或 id 与记录内容不符 / by or id is not what the record says")]
    Identity,
    /// `height`, `time`, `index` or `tree_size` is not what the header says.
    #[error(
        "高度、时间、序号或树大小与区块头不符 / height, time, index or tree size is not what the header says"
    )]
    Header,
    /// The first block does not follow the genesis file.
    #[error("首个区块与创世文件不衔接 / the first block does not follow the genesis file")]
    Predecessor,
    /// The record and its outcome are not in the log.
    #[error("记录及结果不在日志中 / the record and its outcome are not in the log")]
    Inclusion,
    /// The header names other validators than the genesis file and the changes lead to: a change is
    /// missing, or the receipt is of another history.
    #[error(
        "区块头中的验证者集与创世文件及变更不符 / the header names other validators than the genesis file and the changes"
    )]
    Validators,
    /// A change of the validators does not continue what comes before it.
    #[error(
        "第 {number} 项验证者变更无效：{fault} / change {number} of the validators does not hold: {fault}"
    )]
    Change {
        /// Which of the changes, from 1.
        number: u32,
        /// What does not hold.
        fault: ChangeFault,
    },
    /// A change of the validators is not in effect at the receipt's height.
    #[error(
        "第 {number} 项验证者变更在回执高度尚未生效 / change {number} of the validators is not in effect at the receipt's height"
    )]
    SuperfluousChange {
        /// Which of the changes, from 1.
        number: u32,
    },
    /// The receipt names other changes of the validators than are known.
    #[error(
        "回执中的验证者变更与已知的不符 / the receipt names other changes of the validators than are known"
    )]
    OtherHistory,
    /// The validators' signatures do not make the block final.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The submitter's key does not have the identifier that is in the log.
    #[error("提交者公钥与日志中的标识不符 / the submitter's key is not the one in the log")]
    SubmitterKey,
    /// The record's place in the signed batch is wrong.
    #[error("批次证明无效 / the proof of the batch does not hold")]
    Batch,
    /// The submitter's signature is wrong.
    #[error("提交者签名错误 / the submitter's signature is wrong")]
    SubmitterSignature,
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// [`ReceiptFault::Form`] for anything that is not exactly a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptFault> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptFault::Form(format!("> {RECEIPT_BYTES_MAX} bytes")));
        }
        if has_upper_case_escape(bytes) {
            return Err(ReceiptFault::Form("\\u escape in upper case".to_owned()));
        }
        let form = |error: serde_json::Error| ReceiptFault::Form(error.to_string());
        serde_json::from_slice::<wire::Object<Self>>(bytes)
            .map(|object| object.0)
            .map_err(form)
    }

    /// Checks every link from the record to the genesis file: the record's own `by` and `id`, the
    /// leaf, the log's root, the header, the changes of the validators, the certificate, and the
    /// submitter's signature.
    ///
    /// Whoever holds the keys of a former set could sign another continuation of the chain and leave
    /// the later changes out. Someone who knows of them verifies with [`Receipt::verify_knowing`].
    ///
    /// # Errors
    /// [`ReceiptFault`], the first link that does not hold.
    pub fn verify(&self, genesis: &Genesis) -> Result<(), ReceiptFault> {
        self.follow(ValidatorHistory::new(genesis)).map(drop)
    }

    /// The same, and that the receipt says of the validators what is `known` already.
    ///
    /// # Errors
    /// [`ReceiptFault`], the first link that does not hold; [`ReceiptFault::OtherHistory`] when the
    /// receipt is good by itself and names other changes, or fewer, than are known up to its height.
    pub fn verify_knowing(
        &self,
        genesis: &Genesis,
        known: &ValidatorHistory,
    ) -> Result<(), ReceiptFault> {
        let own = self.follow(ValidatorHistory::new(genesis))?;
        // What is known may end before the receipt's height; up to there both must agree.
        let until = match own.len().cmp(&known.len()) {
            Ordering::Greater => known.newest_from_height(),
            Ordering::Less | Ordering::Equal => self.height,
        };
        if own.agrees_until(until, known) {
            Ok(())
        } else {
            Err(ReceiptFault::OtherHistory)
        }
    }

    /// Follows the changes from the genesis file, and verifies with the validators to which they
    /// lead.
    fn follow(&self, mut history: ValidatorHistory) -> Result<ValidatorHistory, ReceiptFault> {
        if self.chain_id != *history.chain_id() || self.header.chain_id != self.chain_id {
            return Err(ReceiptFault::OtherChain);
        }
        let named: Named = serde_json::from_str::<wire::Object<Named>>(&self.record)
            .map_err(|_| ReceiptFault::Identity)?
            .0;
        if named.by != self.by || named.id != self.id {
            return Err(ReceiptFault::Identity);
        }
        if Instant::from_ms(self.header.time_ms).to_rfc3339_utc8() != self.time {
            return Err(ReceiptFault::Header);
        }
        let proof = self.proof();
        proof.stands(&self.chain_id, history.genesis_hash())?;
        proof.is_included()?;
        for (number, change) in (1..).zip(self.validator_changes.iter()) {
            let pushed = history.push(Arc::clone(change));
            pushed.map_err(|fault| ReceiptFault::Change { number, fault })?;
            if history.newest_from_height() > self.height {
                return Err(ReceiptFault::SuperfluousChange { number });
            }
        }
        proof.is_final(&self.chain_id, history.at(self.height))?;
        Ok(history)
    }

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
}

/// The two members of a record that a receipt repeats.
#[derive(Deserialize)]
struct Named {
    by: String,
    id: String,
}

/// Whether a `\u` escape has an upper-case digit: the same character would have several
/// spellings, and a receipt could be changed without being changed.
fn has_upper_case_escape(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            continue;
        }
        let Some((kind, tail)) = rest.split_first() else {
            return false;
        };
        rest = tail;
        if *kind == b'u' && rest.iter().take(4).any(u8::is_ascii_uppercase) {
            return true;
        }
    }
    false
}

#[derive(Serialize)]
struct OutcomeOut<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Facts::is_empty")]
    detail: &'a Facts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeIn {
    status: String,
    #[serde(default, deserialize_with = "wire::optional_text")]
    code: Option<String>,
    #[serde(default)]
    detail: Facts,
}

pub(super) fn write_outcome<S: Serializer>(
    outcome: &Outcome,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let status = if outcome.is_accepted() {
        "accepted"
    } else {
        "refused"
    };
    OutcomeOut {
        status,
        code: outcome.code(),
        detail: outcome.detail(),
    }
    .serialize(serializer)
}

pub(super) fn read_outcome<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Outcome, D::Error> {
    let OutcomeIn {
        status,
        code,
        detail,
    } = wire::object(deserializer)?;
    match (status.as_str(), code) {
        ("accepted", None) => Ok(Outcome::Accepted { detail }),
        ("refused", Some(code)) if is_code(&code) => Ok(Outcome::Refused { code, detail }),
        _ => Err(serde::de::Error::custom(
            "an outcome is accepted, or refused with a code",
        )),
    }
}

pub(super) fn write_header<S: Serializer>(
    header: &Header,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(header.encode()))
}

pub(super) fn read_header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = crate::crypto::from_hex::<{ super::HEADER_BYTES }>(&text)
        .map_err(serde::de::Error::custom)?;
    Header::decode(&bytes).map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
