//! Small entries: recorded ids, second identities, quotas and confirmations.

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

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Writer::new();
        bytes.put_u64(self.index);
        bytes.put_u8(u8::from(self.accepted));
        bytes.put(&self.digest);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let index = reader.u64("index")?;
        let accepted = reader.flag("accepted")?;
        let digest = reader.array("digest")?;
        reader.finish()?;
        Ok(Self {
            index,
            accepted,
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
        let mut bytes = Writer::new();
        match self.limit {
            Some(limit) => {
                bytes.put_u8(1);
                bytes.put_i64(limit.get());
            }
            None => bytes.put_u8(0),
        }
        bytes.put_i64(self.used.get());
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let limit = match reader.u8("limit")? {
            0 => None,
            1 => Some(Fen::new(reader.i64("limit")?)),
            _ => return Err(DecodeError::Invalid { what: "limit" }),
        };
        let used = Fen::new(reader.i64("used")?);
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
