//! A claim: a lock and what became of it.

use super::layout::{
    put_document_key, put_fen, put_instant_ms, take_document_key, take_fen, take_instant_ms,
};
use crate::calendar::Instant;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::record::{ClaimKind, Component};

/// The kind's number.
const KIND: u8 = 0b0000_0111;
/// The component's number.
const COMPONENT: u8 = 0b0001_1000;
/// Where that number begins.
const COMPONENT_SHIFT: u32 = 3;
/// The claimant went ahead of a payer that comes first.
const PRIORITY_SKIPPED: u8 = 0b0010_0000;
/// An instant of release follows.
const RELEASED: u8 = 0b0100_0000;
/// A settlement follows.
const SETTLED: u8 = 0b1000_0000;
/// Bytes of most claims.
const USUAL_BYTES: usize = 48;

/// A claim on a document, from its lock to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The document's own key.
    pub document: DocumentKey,
    /// In which capacity the claimant reimburses.
    pub kind: ClaimKind,
    /// Which component of the patient's burden is claimed.
    pub component: Component,
    /// The amount that was locked.
    pub locked: Fen,
    /// Until when the lock lives. A lock is live while block time is before this instant.
    pub expires_at: Instant,
    /// The claimant went ahead of a payer that comes first (rule C7).
    pub priority_skipped: bool,
    /// When the lock was given back, by its owner or by a confirmed reversal.
    pub released_at: Option<Instant>,
    /// When the lock was settled.
    pub settled_at: Option<Instant>,
    /// Leaf index of the settlement's record; 0 while there is none.
    pub settled_index: u64,
    /// The amount that was settled.
    pub settled: Fen,
    /// What of the settlement was taken back.
    pub taken_back: Fen,
}

/// Where a claim stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimStatus {
    /// Holds money until it expires. A reference claim stays here and holds nothing.
    Locked,
    /// Reimbursed, wholly or with a part taken back.
    Settled,
    /// Given back by its owner or by a confirmed reversal.
    Released,
    /// Nobody settled it in time.
    Expired,
    /// The whole settlement was taken back.
    Reversed,
}

impl ClaimStatus {
    /// The word of the wire contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }
}

impl Claim {
    /// What is still settled.
    #[must_use]
    pub fn effective(&self) -> Fen {
        Fen::new(self.settled.get().saturating_sub(self.taken_back.get()))
    }

    /// Where the claim stands at an instant of block time.
    #[must_use]
    pub fn status_at(&self, time: Instant) -> ClaimStatus {
        if self.settled_at.is_some() {
            return if self.effective() == Fen::ZERO {
                ClaimStatus::Reversed
            } else {
                ClaimStatus::Settled
            };
        }
        if self.released_at.is_some() {
            ClaimStatus::Released
        } else if self.kind == ClaimKind::Reference || time < self.expires_at {
            ClaimStatus::Locked
        } else {
            ClaimStatus::Expired
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::with_capacity(USUAL_BYTES);
        let set = |bit: u8, holds: bool| if holds { bit } else { 0 };
        bytes.put_u8(
            self.kind.number()
                | (self.component.number() << COMPONENT_SHIFT)
                | set(PRIORITY_SKIPPED, self.priority_skipped)
                | set(RELEASED, self.released_at.is_some())
                | set(SETTLED, self.settled_at.is_some()),
        );
        put_document_key(&mut bytes, &self.document);
        put_fen(&mut bytes, self.locked);
        put_instant_ms(&mut bytes, self.expires_at);
        if let Some(at) = self.released_at {
            put_instant_ms(&mut bytes, at);
        }
        if let Some(at) = self.settled_at {
            put_instant_ms(&mut bytes, at);
            bytes.put_varint(self.settled_index);
            put_fen(&mut bytes, self.settled);
            put_fen(&mut bytes, self.taken_back);
        }
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8("flags")?;
        let is = |bit: u8| flags & bit != 0;
        let kind =
            ClaimKind::from_number(flags & KIND).ok_or(DecodeError::Invalid { what: "kind" })?;
        let component = Component::from_number((flags & COMPONENT) >> COMPONENT_SHIFT)
            .ok_or(DecodeError::Invalid { what: "component" })?;
        let mut claim = Self {
            document: take_document_key(&mut reader, "document")?,
            kind,
            component,
            locked: take_fen(&mut reader, "locked")?,
            expires_at: take_instant_ms(&mut reader, "expires_at")?,
            priority_skipped: is(PRIORITY_SKIPPED),
            released_at: None,
            settled_at: None,
            settled_index: 0,
            settled: Fen::ZERO,
            taken_back: Fen::ZERO,
        };
        if is(RELEASED) {
            claim.released_at = Some(take_instant_ms(&mut reader, "released_at")?);
        }
        if is(SETTLED) {
            claim.settled_at = Some(take_instant_ms(&mut reader, "settled_at")?);
            claim.settled_index = reader.varint("settled_index")?;
            claim.settled = take_fen(&mut reader, "settled")?;
            claim.taken_back = take_fen(&mut reader, "taken_back")?;
        }
        reader.finish()?;
        Ok(claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Spelled;

    fn lock() -> Claim {
        Claim {
            document: DocumentKey::spelled("D:24312000000136634917").unwrap(),
            kind: ClaimKind::Commercial,
            component: Component::SelfFund,
            locked: Fen::new(6_490),
            expires_at: Instant::from_ms(1_795_242_600_123),
            priority_skipped: true,
            released_at: None,
            settled_at: None,
            settled_index: 0,
            settled: Fen::ZERO,
            taken_back: Fen::ZERO,
        }
    }

    #[test]
    fn a_lock_has_these_bytes() {
        let due = "31 01 24312000000136634917 b465 f69ae1ccbf68".replace(' ', "");
        assert_eq!(hex::encode(lock().encode()), due);
    }

    #[test]
    fn claims_survive_their_bytes_and_nothing_else_is_read() {
        let released = Claim {
            released_at: Some(Instant::from_ms(7)),
            ..lock()
        };
        let settled = Claim {
            settled_at: Some(Instant::from_ms(8)),
            settled_index: 300,
            settled: Fen::new(5_000),
            taken_back: Fen::new(1),
            ..lock()
        };
        for claim in [lock(), released, settled] {
            let bytes = claim.encode();
            assert_eq!(Claim::decode(&bytes), Ok(claim));
            for end in 0..bytes.len() {
                assert!(Claim::decode(&bytes[..end]).is_err());
            }
            assert!(Claim::decode(&[&bytes[..], &[0]].concat()).is_err());
            for (place, wrong) in [(0, 5), (0, 0x18), (1, 0), (1, 5), (2, 0xa0), (2, 0x0a)] {
                let mut bytes = bytes.clone();
                bytes[place] = wrong;
                assert!(Claim::decode(&bytes).is_err(), "{place} {wrong}");
            }
        }
    }
}
