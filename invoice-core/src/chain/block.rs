//! Blocks: the envelopes that were signed, and what the rules answered to each record.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::crypto::messages::{batch_message, record_message};
use crate::crypto::{Hash, Kid, PublicKey, Signature};
use crate::merkle;

use super::batch_tree::BatchTree;
use super::chain_id::ChainId;
use super::header::Header;
use super::leaf::Leaf;
use super::outcome::Outcome;

/// Longest encoded block, in bytes (8 MiB).
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most records in a block.
pub const BLOCK_RECORDS_MAX: usize = 10_000;
/// Most records in one signed batch.
pub const BATCH_RECORDS_MAX: usize = 1_000;
/// Longest record, in bytes (16 KiB).
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// A record and what the rules answered to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's exact bytes, shared with whoever else holds them.
    pub record: Bytes,
    /// The answer.
    pub outcome: Outcome,
}

/// By what signature the records of an envelope are authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// A signature over one record.
    Single {
        /// The signing key.
        kid: Kid,
        /// The signature of [`record_message`].
        signature: Signature,
    },
    /// A signature over the Merkle root of several records.
    Batch {
        /// The signing key.
        kid: Kid,
        /// The signature of [`batch_message`].
        signature: Signature,
        /// Whether all are accepted or none.
        atomic: bool,
        /// How many records were signed.
        count: u32,
        /// Those that are not on the chain (replays, faulty ones): their positions, ascending,
        /// and their leaf hashes SM3(0x00 || record).
        omitted: Vec<(u32, Hash)>,
    },
}

impl Authorization {
    /// The signing key.
    #[must_use]
    pub const fn kid(&self) -> Kid {
        match self {
            Self::Single { kid, .. } | Self::Batch { kid, .. } => *kid,
        }
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> Signature {
        match self {
            Self::Single { signature, .. } | Self::Batch { signature, .. } => *signature,
        }
    }
}

/// Where a record stands in its signed batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchProof {
    /// How many records were signed.
    pub count: u32,
    /// The record's position among them, from 0.
    pub position: u32,
    /// Hashes from the record's leaf to the root that was signed, lowest first.
    pub path: Vec<Hash>,
    /// Whether all are accepted or none.
    pub atomic: bool,
}

/// One signed envelope with its recorded entries, in the order in which they were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEnvelope {
    /// The signature and what it covers.
    pub authorization: Authorization,
    /// The records that are on the chain.
    pub entries: Vec<Entry>,
    /// What the signer said of the signature's point ([`HintedSignature::parity`]), where it is
    /// known. No part of the encoding: it makes verifying quicker and changes no verdict.
    ///
    /// [`HintedSignature::parity`]: crate::crypto::HintedSignature::parity
    pub parity: Option<bool>,
}

impl BlockEnvelope {
    /// The leaf hashes of all records that were signed, omitted ones at their positions; `None`
    /// when entries and omissions do not make up the count.
    fn batch_leaves(&self) -> Option<Vec<Hash>> {
        let Authorization::Batch { count, omitted, .. } = &self.authorization else {
            return None;
        };
        if self.entries.len().checked_add(omitted.len())? != usize::try_from(*count).ok()? {
            return None;
        }
        let records: Vec<&[u8]> = self.entries.iter().map(|entry| &*entry.record).collect();
        let mut recorded = merkle::leaf_hashes(&records).into_iter();
        let mut omitted = omitted.iter().peekable();
        (0..*count)
            .map(
                |position| match omitted.next_if(|(at, _)| *at == position) {
                    Some((_, hash)) => Some(*hash),
                    None => recorded.next(),
                },
            )
            .collect()
    }

    /// The message that the envelope's signature signs; `None` when its parts contradict each
    /// other.
    #[must_use]
    pub fn signed_message(&self, chain: &ChainId) -> Option<Vec<u8>> {
        match &self.authorization {
            Authorization::Single { .. } => match self.entries.as_slice() {
                [entry] => Some(record_message(chain, &entry.record)),
                _ => None,
            },
            Authorization::Batch { count, atomic, .. } => Some(batch_message(
                chain,
                *count,
                &merkle::root(&self.batch_leaves()?),
                *atomic,
            )),
        }
    }

    /// Whether the envelope's signature is `key`'s, and `key` the one it names.
    #[must_use]
    pub fn verify(&self, chain: &ChainId, key: &PublicKey) -> bool {
        key.kid() == self.authorization.kid()
            && self
                .signed_message(chain)
                .is_some_and(|message| key.verify(&message, &self.authorization.signature()))
    }

    /// The tree from which the entries' proofs are read; `None` for a single record, and when
    /// entries and omissions do not make up the count.
    #[must_use]
    pub fn batch_tree(&self) -> Option<BatchTree> {
        let Authorization::Batch {
            count,
            atomic,
            omitted,
            ..
        } = &self.authorization
        else {
            return None;
        };
        let leaves = self.batch_leaves()?;
        let mut omitted = omitted.iter().peekable();
        let positions = (0..*count)
            .filter(|position| omitted.next_if(|(at, _)| at == position).is_none())
            .collect();
        Some(BatchTree::new(*count, *atomic, positions, leaves))
    }

    /// The proof that the entry at `entry` (from 0, among those recorded) is part of the signed
    /// batch; `None` for a single record and outside the entries. Whoever needs several takes
    /// them from [`BlockEnvelope::batch_tree`].
    #[must_use]
    pub fn batch_proof(&self, entry: usize) -> Option<BatchProof> {
        self.batch_tree()?.proof(entry)
    }

    fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        match &self.authorization {
            Authorization::Single { kid, signature } => {
                writer.put_u8(1);
                writer.put(kid.as_bytes());
                writer.put(signature.as_bytes());
            }
            Authorization::Batch {
                kid,
                signature,
                atomic,
                count,
                omitted,
            } => {
                writer.put_u8(2);
                writer.put(kid.as_bytes());
                writer.put(signature.as_bytes());
                writer.put_u8(u8::from(*atomic));
                writer.put_u32(*count);
                writer.put_count32("omitted records", omitted.len())?;
                for (position, hash) in omitted {
                    writer.put_u32(*position);
                    writer.put(hash.as_bytes());
                }
            }
        }
        writer.put_count32("entries", self.entries.len())?;
        for entry in &self.entries {
            writer.put_bytes32("record", &entry.record)?;
            entry.outcome.write(writer)?;
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let form = reader.u8("form of authorization")?;
        let (kid, signature) = (reader.kid("signer")?, reader.signature("signature")?);
        let authorization = match form {
            1 => Authorization::Single { kid, signature },
            2 => {
                let atomic = reader.flag("atomic")?;
                let count = reader.u32("count")?;
                if usize::try_from(count).is_ok_and(|count| count > BATCH_RECORDS_MAX) {
                    return Err(DecodeError::TooLarge {
                        what: "batch",
                        limit: BATCH_RECORDS_MAX,
                    });
                }
                let mut omitted: Vec<(u32, Hash)> = Vec::new();
                for _ in 0..reader.count32("omitted records", BATCH_RECORDS_MAX)? {
                    let position = reader.u32("position")?;
                    if position >= count
                        || omitted.last().is_some_and(|(last, _)| *last >= position)
                    {
                        return Err(DecodeError::Invalid { what: "position" });
                    }
                    omitted.push((position, reader.hash("leaf")?));
                }
                Authorization::Batch {
                    kid,
                    signature,
                    atomic,
                    count,
                    omitted,
                }
            }
            _ => {
                return Err(DecodeError::Invalid {
                    what: "form of authorization",
                });
            }
        };
        let mut entries = Vec::new();
        for _ in 0..reader.count32("entries", BATCH_RECORDS_MAX)? {
            let record = Bytes::copy_from_slice(reader.bytes32("record", RECORD_BYTES_MAX)?);
            entries.push(Entry {
                record,
                outcome: Outcome::read(reader)?,
            });
        }
        let complete = match &authorization {
            Authorization::Single { .. } => entries.len() == 1,
            Authorization::Batch { count, omitted, .. } => {
                !entries.is_empty()
                    && entries.len().checked_add(omitted.len()) == usize::try_from(*count).ok()
            }
        };
        if complete {
            Ok(Self {
                authorization,
                entries,
                parity: None,
            })
        } else {
            Err(DecodeError::Invalid { what: "entries" })
        }
    }
}

/// A block: its header and the envelopes whose records it adds to the log.
///
/// Encoded as the header, the number of envelopes (4 bytes), and each envelope: form (1 byte: 1
/// single, 2 batch), key identifier (16), signature (64); for a batch atomic (1), count (4),
/// number omitted (4) and each one's position (4) and leaf hash (32); then number of entries (4),
/// and each entry's record (length in 4 bytes) and outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The envelopes, in the order of their records in the log.
    pub envelopes: Vec<BlockEnvelope>,
}

impl Block {
    /// The block's id, which validators vote on.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.header.id()
    }

    /// The log's leaves that the block adds, in order.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        self.envelopes.iter().flat_map(|envelope| {
            let kid = envelope.authorization.kid();
            envelope.entries.iter().map(move |entry| Leaf {
                kid,
                record: &entry.record,
                outcome: &entry.outcome,
            })
        })
    }

    /// The hints of the envelopes' signatures, which the encoding leaves out: two bits for each
    /// envelope, lowest first, 0 for none, 2 for an even and 3 for an odd y coordinate.
    #[must_use]
    pub fn hints(&self) -> Vec<u8> {
        let bits = |envelope: &BlockEnvelope| match envelope.parity {
            None => 0,
            Some(false) => 2,
            Some(true) => 3,
        };
        let byte =
            |four: &[BlockEnvelope]| four.iter().rev().fold(0, |byte, one| byte << 2 | bits(one));
        self.envelopes.chunks(4).map(byte).collect()
    }

    /// Notes hints as [`Block::hints`] gives them. Missing ones are none, and wrong ones cost time
    /// only.
    pub fn note_hints(&mut self, hints: &[u8]) {
        for (four, byte) in self.envelopes.chunks_mut(4).zip(hints) {
            for (envelope, shift) in four.iter_mut().zip([0, 2, 4, 6]) {
                envelope.parity = match (byte >> shift) & 3 {
                    2 => Some(false),
                    3 => Some(true),
                    _ => None,
                };
            }
        }
    }

    /// The encoding.
    ///
    /// # Errors
    /// [`EncodeError`] for a part that does not fit its length, and for a block of more than
    /// [`BLOCK_BYTES_MAX`] bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new();
        writer.put(&self.header.encode());
        writer.put_count32("envelopes", self.envelopes.len())?;
        for envelope in &self.envelopes {
            envelope.write(&mut writer)?;
        }
        if writer.len() > BLOCK_BYTES_MAX {
            return Err(EncodeError { what: "block" });
        }
        Ok(writer.into_bytes())
    }

    /// Reads an encoding and nothing after it. The bytes may be a stranger's: what is read is
    /// bounded by their length.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are no block, that exceed a limit, or whose entries are not
    /// as many as the header says. Signatures and results are not checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::TooLarge {
                what: "block",
                limit: BLOCK_BYTES_MAX,
            });
        }
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let mut envelopes = Vec::new();
        let mut records = 0_usize;
        for _ in 0..reader.count32("envelopes", BLOCK_RECORDS_MAX)? {
            let envelope = BlockEnvelope::read(&mut reader)?;
            records = records.saturating_add(envelope.entries.len());
            envelopes.push(envelope);
        }
        reader.finish()?;
        if records > BLOCK_RECORDS_MAX {
            return Err(DecodeError::TooLarge {
                what: "records",
                limit: BLOCK_RECORDS_MAX,
            });
        }
        if u32::try_from(records) != Ok(header.count) {
            return Err(DecodeError::Invalid { what: "count" });
        }
        Ok(Self { header, envelopes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Facts;
    use crate::chain::header::tests::sample;
    use crate::crypto::{SecretKey, SecretKeySigner, Signer};
    use proptest::prelude::*;

    fn signer() -> SecretKeySigner {
        SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap())
    }

    fn entry(record: &str) -> Entry {
        Entry {
            record: Bytes::copy_from_slice(record.as_bytes()),
            outcome: Outcome::refused("no", Facts::new().with("a", "b")),
        }
    }

    /// One single record, and a batch of five of which the second and the last are not recorded.
    fn block() -> Block {
        let (signer, chain) = (signer(), sample().chain_id);
        let kid = signer.public_key().kid();
        let single = BlockEnvelope {
            authorization: Authorization::Single {
                kid,
                signature: signer.sign(&record_message(&chain, b"{}")).unwrap(),
            },
            entries: vec![entry("{}")],
            parity: None,
        };
        let leaves =
            ["r0", "r1", "r2", "r3", "r4"].map(|record| merkle::leaf_hash(record.as_bytes()));
        let signature = signer
            .sign(&batch_message(&chain, 5, &merkle::root(&leaves), true))
            .unwrap();
        let omitted = vec![(1, leaves[1]), (4, leaves[4])];
        let batch = BlockEnvelope {
            authorization: Authorization::Batch {
                kid,
                signature,
                atomic: true,
                count: 5,
                omitted,
            },
            entries: ["r0", "r2", "r3"].map(entry).into(),
            parity: None,
        };
        let header = Header {
            count: 4,
            log_size: 11,
            ..sample()
        };
        Block {
            header,
            envelopes: vec![single, batch],
        }
    }

    #[test]
    fn hints_come_back_as_they_were_and_wrong_ones_do_no_harm() {
        let mut block = block();
        let one = block.envelopes[0].clone();
        let hints = [None, Some(false), Some(true), None, Some(true), Some(false)];
        (block.header.count, block.header.log_size) = (6, 13);
        block.envelopes = hints
            .map(|parity| BlockEnvelope {
                parity,
                ..one.clone()
            })
            .into();
        let noted = block.hints();
        assert_eq!(noted, [0b0011_1000, 0b1011]);
        let mut read = Block::decode(&block.encode().unwrap()).unwrap();
        assert!(read.envelopes.iter().all(|one| one.parity.is_none()));
        read.note_hints(&noted);
        assert_eq!(read, block);
        read.note_hints(&[]);
        assert_eq!(read, block);
        read.note_hints(&[0xFF, 0xFF, 0xFF]);
        assert_eq!(read.hints(), [0xFF, 0x0F]);
    }

    #[test]
    fn signatures_cover_recorded_and_omitted_records() {
        let (block, signer) = (block(), signer());
        let chain = &block.header.chain_id;
        for envelope in &block.envelopes {
            assert!(envelope.verify(chain, signer.public_key()));
        }
        let mut swapped = block.envelopes[1].clone();
        swapped.entries.swap(0, 1);
        assert!(!swapped.verify(chain, signer.public_key()));
        for (entry, position) in [(0, 0), (1, 2), (2, 3)] {
            let proof = block.envelopes[1].batch_proof(entry).unwrap();
            assert_eq!(proof.position, position);
            let leaf = merkle::leaf_hash(&block.envelopes[1].entries[entry].record);
            let root = merkle::root_from_path(&leaf, position.into(), 5, &proof.path).unwrap();
            let message = batch_message(chain, 5, &root, true);
            assert!(
                signer
                    .public_key()
                    .verify(&message, &block.envelopes[1].authorization.signature())
            );
        }
        assert_eq!(block.envelopes[1].batch_proof(3), None);
        assert_eq!(block.envelopes[0].batch_proof(0), None);
    }

    #[test]
    fn a_block_has_these_bytes() {
        let block = block();
        let answer = "0100026e6f0001000161000162";
        let record = |text: &str| format!("{:08x}{}{answer}", text.len(), hex::encode(text));
        let hex_of = |envelope: &BlockEnvelope| {
            format!(
                "{}{}",
                envelope.authorization.kid(),
                hex::encode(envelope.authorization.signature().as_bytes())
            )
        };
        let golden = [
            hex::encode(block.header.encode()),
            "00000002".into(),
            format!("01{}00000001{}", hex_of(&block.envelopes[0]), record("{}")),
            format!("02{}0100000005", hex_of(&block.envelopes[1])),
            format!(
                "0000000200000001{}00000004{}",
                merkle::leaf_hash(b"r1"),
                merkle::leaf_hash(b"r4")
            ),
            format!("00000003{}{}{}", record("r0"), record("r2"), record("r3")),
        ]
        .concat();
        let bytes = block.encode().unwrap();
        assert_eq!(hex::encode(&bytes), golden);
        assert_eq!(Block::decode(&bytes), Ok(block.clone()));
        assert_eq!(block.leaves().count(), 4);
        for end in 0..bytes.len() {
            assert!(Block::decode(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn a_block_that_contradicts_itself_is_not_read() {
        let decoded = |change: fn(&mut Block)| {
            let mut block = block();
            change(&mut block);
            Block::decode(&block.encode().unwrap())
        };
        let invalid = |what| Err(DecodeError::Invalid { what });
        assert_eq!(decoded(|b| drop(b.envelopes.remove(0))), invalid("count"));
        assert_eq!(
            decoded(|b| b.envelopes[0].entries.clear()),
            invalid("entries")
        );
        assert_eq!(
            decoded(|b| drop(b.envelopes[1].entries.pop())),
            invalid("entries")
        );
        assert_eq!(
            decoded(|b| b.envelopes[0].entries[0].record = vec![0; RECORD_BYTES_MAX + 1].into()),
            Err(DecodeError::TooLarge {
                what: "record",
                limit: RECORD_BYTES_MAX
            })
        );
    }

    proptest! {
        #[test]
        fn strangers_bytes_never_panic(at in 0_usize..800, with: u8, end in 0_usize..800) {
            let mut bytes = block().encode().unwrap();
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = Block::decode(&bytes);
            let _ = Block::decode(&bytes[end % bytes.len()..]);
        }
    }
}
