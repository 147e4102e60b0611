//! Small entries: recorded ids, second identities, quotas and confirmations.

use super::layout::{
    put_document_key, put_fen, put_instant_ms, take_document_key, take_fen, take_instant_ms,
};
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
        put_document_key(&mut bytes, &self.document);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let kind = match reader.u8("kind")? {
            0 => AliasKind::Paper,
            1 => AliasKind::RedLetter,
            _ => return Err(DecodeError::Invalid { what: "kind" }),
        };
        let document = take_document_key(&mut reader, "document")?;
        reader.finish()?;
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
        put_fen(&mut bytes, self.amount);
        put_fen(&mut bytes, self.reversed);
        put_instant_ms(&mut bytes, self.at);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let amount = take_fen(&mut reader, "amount")?;
        let reversed = take_fen(&mut reader, "reversed")?;
        let at = take_instant_ms(&mut reader, "at")?;
        reader.finish()?;
        Ok(Self {
            amount,
            reversed,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_entry_has_these_bytes() {
        let hash = Hash::new(std::array::from_fn(|n| n as u8));
        let entry = RecordEntry::new(150, true, &hash);
        let due = "ad02000102030405060708090a0b0c0d0e0f";
        assert_eq!(hex::encode(entry.encode()), due);
        for index in [0, 1, 63, 64, (1 << 62) - 1, (1 << 63) - 1] {
            for accepted in [false, true] {
                let entry = RecordEntry::new(index, accepted, &hash);
                assert_eq!(RecordEntry::decode(&entry.encode()), Ok(entry));
                assert!(entry.is(&hash) && !entry.is(&Hash::new([0; 32])));
            }
        }
    }

    #[test]
    fn a_quota_without_limit_ends_after_what_is_used() {
        let used = Fen::new(300);
        for (limit, due) in [(None, "d804"), (Some(Fen::ZERO), "d80400")] {
            let quota = Quota { limit, used };
            assert_eq!(hex::encode(quota.encode()), due);
            assert_eq!(Quota::decode(&quota.encode()), Ok(quota));
        }
        assert!(Quota::decode(&[]).is_err());
        assert!(Quota::decode(&[0, 0, 0]).is_err());
    }

    #[test]
    fn an_alias_names_its_document() {
        for text in [
            "D:24312000000136634917",
            "P:3300194130-12345678",
            "P:011001605111-80100798",
            "F:33060122-0123456789",
        ] {
            let entry = AliasEntry {
                kind: AliasKind::RedLetter,
                document: text.parse().unwrap(),
            };
            let bytes = entry.encode();
            assert_eq!(AliasEntry::decode(&bytes), Ok(entry));
            assert!(AliasEntry::decode(&bytes[1..]).is_err());
        }
    }
}
