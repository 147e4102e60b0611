//! Small entries: recorded ids, second identities, quotas and confirmations.

use super::layout::{put_fen, take_fen};
use crate::calendar::Instant;
use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::Hash;
use crate::identity::DocumentKey;
use crate::money::Fen;

/// Bytes of a record's SM3 that the state keeps to tell the same record from a reused id.
///
/// 128 bits: only the submitter could profit from a second record with the same prefix, and what
/// it would gain is its own first answer.
const RECORD_DIGEST_BYTES: usize = 16;

/// Bytes of an entry up to an index of 2³⁴.
const USUAL_BYTES: usize = RECORD_DIGEST_BYTES + 5;

/// What became of a record id of a member. Written once, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// Where the record stands in the log.
    pub index: u64,
    /// Whether it was accepted.
    pub accepted: bool,
    digest: [u8; RECORD_DIGEST_BYTES],
}

impl RecordEntry {
    /// The entry of a record with this SM3.
    #[must_use]
    pub fn new(index: u64, accepted: bool, record: &Hash) -> Self {
        Self {
            index,
            accepted,
            digest: digest_of(record),
        }
    }

    /// Whether this is the record with that SM3.
    #[must_use]
    pub fn is(&self, record: &Hash) -> bool {
        self.digest == digest_of(record)
    }

    /// The index doubled, plus one when the record was accepted, as a varint; then the digest. An
    /// index has less than 63 bits: no log ever grows beyond.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Writer::with_capacity(USUAL_BYTES);
        bytes.put_varint(self.index.wrapping_shl(1) | u64::from(self.accepted));
        bytes.put(&self.digest);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let place = reader.varint("index")?;
        let digest = reader.array("digest")?;
        reader.finish()?;
        Ok(Self {
            index: place >> 1,
            accepted: place & 1 == 1,
            digest,
        })
    }
}

fn digest_of(record: &Hash) -> [u8; RECORD_DIGEST_BYTES] {
    let mut digest = [0; RECORD_DIGEST_BYTES];
    for (to, from) in digest.iter_mut().zip(record.as_bytes()) {
        *to = *from;
    }
    digest
}

/// What a second identity stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasKind {
    /// The same document on paper: claims by either number share its money.
    Paper,
    /// The number of a red-letter document: it can be neither issued nor claimed.
    RedLetter,
}

/// A second identity of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasEntry {
    /// What the number stands for.
    pub kind: AliasKind,
    /// The document's own key.
    pub document: DocumentKey,
}

impl AliasEntry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_u8(match self.kind {
            AliasKind::Paper => 0,
            AliasKind::RedLetter => 1,
        });
        bytes.put(&self.document.to_bytes());
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let kind = match reader.u8("kind")? {
            0 => AliasKind::Paper,
            1 => AliasKind::RedLetter,
            _ => return Err(DecodeError::Invalid { what: "kind" }),
        };
        let document = DocumentKey::from_bytes(reader.take("document", reader.remaining())?)
            .ok_or(DecodeError::Invalid { what: "document" })?;
        Ok(Self { kind, document })
    }
}

/// Bytes of a quota at most: two amounts.
const QUOTA_BYTES: usize = 20;

/// An issuer's quota of a month and what documents of that month used, without tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// No limit when none was set.
    pub limit: Option<Fen>,
    /// Σ `total_without_tax` of the month's documents less what reversals restored.
    pub used: Fen,
}

impl Quota {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Writer::with_capacity(QUOTA_BYTES);
        put_fen(&mut bytes, self.used);
        if let Some(limit) = self.limit {
            put_fen(&mut bytes, limit);
        }
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let used = take_fen(&mut reader, "used")?;
        let limit = match reader.remaining() {
            0 => None,
            _ => Some(take_fen(&mut reader, "limit")?),
        };
        reader.finish()?;
        Ok(Self { limit, used })
    }
}

/// A member's consent to a reversal (红字发票信息确认单).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The amount of the reversal that the member agreed to.
    pub amount: Fen,
    /// What of the document was reversed before: a consent is for the next reversal only.
    pub reversed: Fen,
    /// When; the consent is good for 72 h of block time.
    pub at: Instant,
}

impl Confirmation {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_i64(self.amount.get());
        bytes.put_i64(self.reversed.get());
        bytes.put_i64(self.at.ms());
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let amount = Fen::new(reader.i64("amount")?);
        let reversed = Fen::new(reader.i64("reversed")?);
        let at = Instant::from_ms(reader.i64("at")?);
        reader.finish()?;
        Ok(Self {
            amount,
            reversed,
            at,
        })
    }
}
