//! Receipts: proof, offline and with nothing but the genesis file, of what was recorded.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::Instant;
use crate::crypto::messages::{batch_message, record_message};
use crate::crypto::{Hash, Kid, PublicKey, Signature};
use crate::merkle;

use super::block::{BATCH_RECORDS_MAX, BatchProof};
use super::certificate::{Certificate, CertificateError};
use super::chain_id::ChainId;
use super::genesis::Genesis;
use super::header::Header;
use super::leaf::Leaf;
use super::outcome::{Facts, Outcome, is_code};
use super::wire;

/// Longest receipt that is read, in bytes (256 KiB).
pub const RECEIPT_BYTES_MAX: usize = 256 * 1024;

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
    /// The header names other validators than the genesis file.
    #[error(
        "区块头中的验证者集与创世文件不符 / the header names other validators than the genesis file"
    )]
    Validators,
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
    /// leaf, the log's root, the header, the certificate, and the submitter's signature.
    ///
    /// # Errors
    /// [`ReceiptFault`], the first link that does not hold.
    pub fn verify(&self, genesis: &Genesis) -> Result<(), ReceiptFault> {
        let header = &self.header;
        if self.chain_id != *genesis.chain_id() || header.chain_id != self.chain_id {
            return Err(ReceiptFault::OtherChain);
        }
        let named: Named = serde_json::from_str::<wire::Object<Named>>(&self.record)
            .map_err(|_| ReceiptFault::Identity)?
            .0;
        if named.by != self.by || named.id != self.id {
            return Err(ReceiptFault::Identity);
        }
        if header.height != self.height
            || header.log_size != self.inclusion.tree_size
            || !(header.first_index..header.log_size).contains(&self.index)
            || Instant::from_ms(header.time_ms).to_rfc3339_utc8() != self.time
        {
            return Err(ReceiptFault::Header);
        }
        if header.height == 1 && header.previous != genesis.hash() {
            return Err(ReceiptFault::Predecessor);
        }
        let leaf = Leaf {
            kid: self.authorization.kid,
            record: self.record.as_bytes(),
            outcome: &self.outcome,
        };
        let leaf = leaf.hash().map_err(|_| ReceiptFault::Inclusion)?;
        let Inclusion { tree_size, path } = &self.inclusion;
        if !merkle::verify_inclusion(&leaf, self.index, *tree_size, path, &header.log_root) {
            return Err(ReceiptFault::Inclusion);
        }
        if header.validators != genesis.validators().digest() {
            return Err(ReceiptFault::Validators);
        }
        self.certificate()
            .verify(genesis.validators(), &self.chain_id)?;
        self.verify_submitter()
    }

    fn certificate(&self) -> Certificate {
        Certificate {
            height: self.height,
            round: self.round,
            block_id: self.header.id(),
            signatures: self
                .signatures
                .iter()
                .map(|vote| (vote.kid, vote.sig))
                .collect(),
        }
    }

    fn verify_submitter(&self) -> Result<(), ReceiptFault> {
        let ReceiptAuthorization {
            kid,
            public_key,
            sig,
            batch,
        } = &self.authorization;
        if public_key.kid() != *kid {
            return Err(ReceiptFault::SubmitterKey);
        }
        let record = self.record.as_bytes();
        let message = match batch {
            None => record_message(&self.chain_id, record),
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
                batch_message(&self.chain_id, *count, &root, *atomic)
            }
        };
        if public_key.verify(&message, sig) {
            Ok(())
        } else {
            Err(ReceiptFault::SubmitterSignature)
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

fn write_outcome<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
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

fn read_outcome<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
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

fn write_header<S: Serializer>(header: &Header, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(header.encode()))
}

fn read_header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = crate::crypto::from_hex::<{ super::HEADER_BYTES }>(&text)
        .map_err(serde::de::Error::custom)?;
    Header::decode(&bytes).map_err(serde::de::Error::custom)
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
