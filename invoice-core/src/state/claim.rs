//! A claim: a lock and what became of it.

use super::layout::{put_instant, put_short, take_instant, take_short};
use crate::calendar::Instant;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::record::{ClaimKind, Component};

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
        let mut bytes = Writer::new();
        put_short(&mut bytes, &self.document.to_bytes());
        bytes.put_u8(self.kind.number());
        bytes.put_u8(self.component.number());
        bytes.put_i64(self.locked.get());
        bytes.put_i64(self.expires_at.ms());
        bytes.put_u8(u8::from(self.priority_skipped));
        put_instant(&mut bytes, self.released_at);
        put_instant(&mut bytes, self.settled_at);
        bytes.put_u64(self.settled_index);
        bytes.put_i64(self.settled.get());
        bytes.put_i64(self.taken_back.get());
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let document = DocumentKey::from_bytes(take_short(&mut reader, "document")?)
            .ok_or(DecodeError::Invalid { what: "document" })?;
        let kind = ClaimKind::from_number(reader.u8("kind")?)
            .ok_or(DecodeError::Invalid { what: "kind" })?;
        let component = Component::from_number(reader.u8("component")?)
            .ok_or(DecodeError::Invalid { what: "component" })?;
        let locked = Fen::new(reader.i64("locked")?);
        let expires_at = Instant::from_ms(reader.i64("expires_at")?);
        let priority_skipped = reader.flag("priority_skipped")?;
        let released_at = take_instant(&mut reader, "released_at")?;
        let settled_at = take_instant(&mut reader, "settled_at")?;
        let settled_index = reader.u64("settled_index")?;
        let settled = Fen::new(reader.i64("settled")?);
        let taken_back = Fen::new(reader.i64("taken_back")?);
        reader.finish()?;
        Ok(Self {
            document,
            kind,
            component,
            locked,
            expires_at,
            priority_skipped,
            released_at,
            settled_at,
            settled_index,
            settled,
            taken_back,
        })
    }
}
