//! What the store keeps of a block beside its leaves.
//!
//! The row is `header | certificate length u32 | certificate | envelopes u32 | (authorization |
//! entries u32)* | SM3 of all before it`. Records and outcomes are in the leaves, once. The digest
//! is there for the authorizations, which no other hash covers.

use invoice_core::chain::{
    Authorization, BATCH_RECORDS_MAX, Block, BlockEnvelope, Certificate, Entry, Header, Outcome,
};
use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::{Hash, Kid, sm3};

use super::bundle::LEAF_BYTES_MAX;

/// A block without its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOutline {
    /// The header, whose hash is the block id.
    pub header: Header,
    /// The validators' signatures over the block id.
    pub certificate: Certificate,
    /// The envelopes in their order.
    pub envelopes: Vec<EnvelopeOutline>,
}

/// An envelope without its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeOutline {
    /// Who signed it, and how.
    pub authorization: Authorization,
    /// How many of the block's leaves it covers.
    pub entries: u32,
}

impl BlockOutline {
    /// The envelope that holds the leaf at `index`, and the index of that envelope's first leaf.
    #[must_use]
    pub fn envelope_of(&self, index: u64) -> Option<(&EnvelopeOutline, u64)> {
        let mut first = self.header.first_index;
        for envelope in &self.envelopes {
            let next = first.checked_add(u64::from(envelope.entries))?;
            if (first..next).contains(&index) {
                return Some((envelope, first));
            }
            first = next;
        }
        None
    }

    /// Puts the leaves back into their envelopes.
    pub(super) fn assemble(self, leaves: &[Vec<u8>]) -> Result<(Block, Certificate), DecodeError> {
        let mut leaves = leaves.iter();
        let mut envelopes = Vec::with_capacity(self.envelopes.len());
        for outline in self.envelopes {
            let mut entries = Vec::new();
            for _ in 0..outline.entries {
                let bytes = leaves.next().ok_or(DecodeError::Invalid {
                    what: "number of leaves",
                })?;
                let leaf = StoredLeaf::decode(bytes)?;
                if leaf.kid != outline.authorization.kid() {
                    return Err(DecodeError::Invalid {
                        what: "signer of the leaf",
                    });
                }
                entries.push(Entry {
                    record: leaf.record.into(),
                    outcome: leaf.outcome,
                });
            }
            envelopes.push(BlockEnvelope {
                authorization: outline.authorization,
                entries,
            });
        }
        if leaves.next().is_some() {
            return Err(DecodeError::Invalid {
                what: "number of leaves",
            });
        }
        Ok((
            Block {
                header: self.header,
                envelopes,
            },
            self.certificate,
        ))
    }
}

/// A leaf read back from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLeaf {
    /// The key that signed the record's envelope.
    pub kid: Kid,
    /// The exact bytes of the record.
    pub record: Vec<u8>,
    /// What became of it.
    pub outcome: Outcome,
}

impl StoredLeaf {
    /// Reads the bytes of a leaf, version 1.
    ///
    /// # Errors
    /// They are not a leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut leaf = Reader::new(bytes);
        if leaf.u8("leaf version")? != 1 {
            return Err(DecodeError::Invalid {
                what: "leaf version",
            });
        }
        let kid = leaf.kid("kid")?;
        let record = leaf.bytes32("record", LEAF_BYTES_MAX)?.to_vec();
        let outcome = Outcome::read(&mut leaf)?;
        leaf.finish()?;
        Ok(Self {
            kid,
            record,
            outcome,
        })
    }
}

/// The bytes of a block's leaves, in order.
pub(super) fn leaves_of(block: &Block) -> Result<Vec<Vec<u8>>, EncodeError> {
    block.leaves().map(|leaf| leaf.encode()).collect()
}

/// Writes `form u8 (1 single, 2 batch) | kid 16 | signature 64`, and for a batch `atomic u8 | count
/// u32 | omitted u32 | (position u32 | leaf hash 32)*`.
fn write_authorization(row: &mut Writer, authorization: &Authorization) -> Result<(), EncodeError> {
    row.put_u8(match authorization {
        Authorization::Single { .. } => 1,
        Authorization::Batch { .. } => 2,
    });
    row.put(authorization.kid().as_bytes());
    row.put(authorization.signature().as_bytes());
    if let Authorization::Batch {
        atomic,
        count,
        omitted,
        ..
    } = authorization
    {
        row.put_u8(u8::from(*atomic));
        row.put_u32(*count);
        row.put_count32("omitted records", omitted.len())?;
        for (position, hash) in omitted {
            row.put_u32(*position);
            row.put(hash.as_bytes());
        }
    }
    Ok(())
}

fn read_authorization(row: &mut Reader<'_>) -> Result<Authorization, DecodeError> {
    let form = row.u8("form of authorization")?;
    let (kid, signature) = (row.kid("signer")?, row.signature("signature")?);
    match form {
        1 => Ok(Authorization::Single { kid, signature }),
        2 => {
            let atomic = row.flag("atomic")?;
            let count = row.u32("count")?;
            let mut omitted = Vec::new();
            for _ in 0..row.count32("omitted records", BATCH_RECORDS_MAX)? {
                omitted.push((row.u32("position")?, row.hash("leaf")?));
            }
            Ok(Authorization::Batch {
                kid,
                signature,
                atomic,
                count,
                omitted,
            })
        }
        _ => Err(DecodeError::Invalid {
            what: "form of authorization",
        }),
    }
}

/// The row of a block.
pub(super) fn encode(block: &Block, certificate: &Certificate) -> Result<Vec<u8>, EncodeError> {
    let mut row = Writer::new();
    row.put(&block.header.encode());
    row.put_bytes32("certificate", &certificate.encode()?)?;
    row.put_count32("envelopes", block.envelopes.len())?;
    for envelope in &block.envelopes {
        write_authorization(&mut row, &envelope.authorization)?;
        row.put_count32("entries", envelope.entries.len())?;
    }
    let mut row = row.into_bytes();
    let digest = sm3(&[&row]);
    row.extend_from_slice(digest.as_bytes());
    Ok(row)
}

/// Reads a row.
pub(super) fn decode(bytes: &[u8]) -> Result<BlockOutline, DecodeError> {
    let (bytes, digest) = bytes
        .split_last_chunk::<32>()
        .ok_or(DecodeError::Truncated { what: "digest" })?;
    if sm3(&[bytes]) != Hash::new(*digest) {
        return Err(DecodeError::Invalid { what: "digest" });
    }
    let mut row = Reader::new(bytes);
    let header = Header::read(&mut row)?;
    let certificate = Certificate::decode(row.bytes32("certificate", usize::MAX)?)?;
    let mut envelopes = Vec::new();
    for _ in 0..row.u32("envelopes")? {
        let authorization = read_authorization(&mut row)?;
        envelopes.push(EnvelopeOutline {
            authorization,
            entries: row.u32("entries")?,
        });
    }
    row.finish()?;
    Ok(BlockOutline {
        header,
        certificate,
        envelopes,
    })
}
