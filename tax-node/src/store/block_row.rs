//! What the store keeps of a block beside its leaves.
//!
//! The row is `header | certificate length u32 | certificate | kids u32 | kid 16 each | envelopes
//! u32 | tags | signature 64 each`. A tag is a varint of twice the number of
//! the signer's kid, plus one for a batch; of a batch there follow `atomic u8 | count | entries |
//! omitted | (position | leaf hash 32)*`, numbers as varints. A single has one entry. Records and
//! outcomes are in the leaves, once. No hash of the chain covers the authorizations; the digests of
//! the journal and of the body files do.

use std::collections::HashMap;

use invoice_core::chain::{
    Authorization, BATCH_RECORDS_MAX, Block, BlockEnvelope, Certificate, Entry, Header, Outcome,
};
use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::{Hash, Kid};

use super::bundle::LEAF_BYTES_MAX;
use super::varint;

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
    /// How many of the block's leaves lie before it.
    pub first: u32,
    /// How many of the block's leaves it covers.
    pub entries: u32,
}

impl BlockOutline {
    /// A block without its records.
    pub(super) fn of(block: &Block, certificate: &Certificate) -> Result<Self, EncodeError> {
        let mut envelopes = Vec::with_capacity(block.envelopes.len());
        let mut first = 0_u32;
        for envelope in &block.envelopes {
            let entries = u32::try_from(envelope.entries.len()).unwrap_or(u32::MAX);
            if matches!(envelope.authorization, Authorization::Single { .. }) && entries != 1 {
                return Err(EncodeError {
                    what: "entries of a single record",
                });
            }
            envelopes.push(EnvelopeOutline {
                authorization: envelope.authorization.clone(),
                first,
                entries,
            });
            first = first.saturating_add(entries);
        }
        Ok(Self {
            header: block.header.clone(),
            certificate: certificate.clone(),
            envelopes,
        })
    }

    /// The envelope that holds the leaf at `index`, and the index of that envelope's first leaf.
    #[must_use]
    pub fn envelope_of(&self, index: u64) -> Option<(&EnvelopeOutline, u64)> {
        let place = index.checked_sub(self.header.first_index)?;
        let after = self
            .envelopes
            .partition_point(|envelope| u64::from(envelope.first) <= place);
        // Of several that begin here, all but the last are empty.
        let envelope = self.envelopes.get(after.checked_sub(1)?)?;
        let within = place.checked_sub(u64::from(envelope.first))?;
        let first = self
            .header
            .first_index
            .checked_add(u64::from(envelope.first))?;
        (within < u64::from(envelope.entries)).then_some((envelope, first))
    }

    /// Puts the leaves back into their envelopes.
    pub(super) fn assemble<L: AsRef<[u8]>>(
        &self,
        leaves: &[L],
    ) -> Result<(Block, Certificate), DecodeError> {
        let mut leaves = leaves.iter();
        let mut envelopes = Vec::with_capacity(self.envelopes.len());
        for outline in &self.envelopes {
            let mut entries = Vec::new();
            for _ in 0..outline.entries {
                let bytes = leaves.next().ok_or(DecodeError::Invalid {
                    what: "number of leaves",
                })?;
                let leaf = StoredLeaf::decode(bytes.as_ref())?;
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
                authorization: outline.authorization.clone(),
                entries,
                parity: None,
            });
        }
        if leaves.next().is_some() {
            return Err(DecodeError::Invalid {
                what: "number of leaves",
            });
        }
        Ok((
            Block {
                header: self.header.clone(),
                envelopes,
            },
            self.certificate.clone(),
        ))
    }

    /// The row of the block.
    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut row = Writer::with_capacity(self.envelopes.len().saturating_mul(67));
        row.put(&self.header.encode());
        row.put_bytes32("certificate", &self.certificate.encode()?)?;
        let mut numbers = HashMap::new();
        let mut kids: Vec<Kid> = Vec::new();
        let mut tags = Vec::new();
        for envelope in &self.envelopes {
            let kid = envelope.authorization.kid();
            let number = *numbers.entry(kid).or_insert_with(|| {
                kids.push(kid);
                (kids.len() as u64).saturating_sub(1)
            });
            write_tag(&mut tags, number, envelope);
        }
        row.put_count32("kids", kids.len())?;
        for kid in &kids {
            row.put(kid.as_bytes());
        }
        row.put_count32("envelopes", self.envelopes.len())?;
        row.put(&tags);
        for envelope in &self.envelopes {
            row.put(envelope.authorization.signature().as_bytes());
        }
        Ok(row.into_bytes())
    }

    /// Reads a row.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut row = Reader::new(bytes);
        let header = Header::read(&mut row)?;
        let certificate = Certificate::decode(row.bytes32("certificate", usize::MAX)?)?;
        let mut kids = Vec::new();
        for _ in 0..row.u32("kids")? {
            kids.push(row.kid("kid")?);
        }
        let count = row.u32("envelopes")?;
        let mut tags = Vec::new();
        for _ in 0..count {
            tags.push(Tag::read(&mut row)?);
        }
        let mut envelopes = Vec::with_capacity(tags.len());
        let mut first = 0_u32;
        for tag in tags {
            let kid = kids
                .get(tag.kid)
                .ok_or(DecodeError::Invalid { what: "kid" })?;
            let signature = row.signature("signature")?;
            let entries = tag.batch.as_ref().map_or(1, |batch| batch.entries);
            let authorization = match tag.batch {
                None => Authorization::Single {
                    kid: *kid,
                    signature,
                },
                Some(batch) => Authorization::Batch {
                    kid: *kid,
                    signature,
                    atomic: batch.atomic,
                    count: batch.count,
                    omitted: batch.omitted,
                },
            };
            envelopes.push(EnvelopeOutline {
                authorization,
                first,
                entries,
            });
            first = first.saturating_add(entries);
        }
        row.finish()?;
        Ok(Self {
            header,
            certificate,
            envelopes,
        })
    }
}

fn write_tag(tags: &mut Vec<u8>, kid: u64, envelope: &EnvelopeOutline) {
    let twice = kid.saturating_mul(2);
    match &envelope.authorization {
        Authorization::Single { .. } => varint::put(tags, twice),
        Authorization::Batch {
            atomic,
            count,
            omitted,
            ..
        } => {
            varint::put(tags, twice.saturating_add(1));
            tags.push(u8::from(*atomic));
            varint::put(tags, u64::from(*count));
            varint::put(tags, u64::from(envelope.entries));
            varint::put(tags, omitted.len() as u64);
            for (position, hash) in omitted {
                varint::put(tags, u64::from(*position));
                tags.extend_from_slice(hash.as_bytes());
            }
        }
    }
}

/// How an envelope was signed, by whom, and for which leaves.
struct Tag {
    kid: usize,
    batch: Option<BatchTag>,
}

struct BatchTag {
    atomic: bool,
    count: u32,
    entries: u32,
    omitted: Vec<(u32, Hash)>,
}

impl Tag {
    fn read(row: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tag = varint::take_usize(row, "tag")?;
        let short = |row: &mut Reader<'_>, what| {
            u32::try_from(varint::take(row, what)?).map_err(|_| DecodeError::Invalid { what })
        };
        let batch = if tag % 2 == 0 {
            None
        } else {
            let atomic = row.flag("atomic")?;
            let count = short(row, "count")?;
            let entries = short(row, "entries")?;
            let mut omitted = Vec::new();
            let omissions = varint::take_usize(row, "omitted records")?;
            if omissions > BATCH_RECORDS_MAX {
                return Err(DecodeError::Invalid {
                    what: "omitted records",
                });
            }
            for _ in 0..omissions {
                omitted.push((short(row, "position")?, row.hash("leaf")?));
            }
            Some(BatchTag {
                atomic,
                count,
                entries,
                omitted,
            })
        };
        Ok(Self {
            kid: tag / 2,
            batch,
        })
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
