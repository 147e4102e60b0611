//! A registered key.

use super::MemberNo;
use super::layout::{put_instant, put_member_no, take_instant, take_member_no};
use crate::calendar::Instant;
use crate::codec::{DecodeError, Reader, Writer};
use crate::crypto::PublicKey;
use crate::refusal::AuthenticationError;

/// A member's key, as registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The member that the key belongs to.
    pub owner: MemberNo,
    /// The key.
    pub public_key: PublicKey,
    /// After this instant new signatures do not count.
    pub not_after: Option<Instant>,
    /// Since when new signatures do not count; old blocks stay valid.
    pub revoked_at: Option<Instant>,
}

/// What the rules ask of a registered key: whose it is and whether it counts. Reading this much
/// of an entry costs a small part of reading the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    /// The member that the key belongs to.
    pub owner: MemberNo,
    /// After this instant new signatures do not count.
    pub not_after: Option<Instant>,
    /// Since when new signatures do not count; old blocks stay valid.
    pub revoked_at: Option<Instant>,
}

impl KeyStanding {
    /// Whether signatures made with the key count in a block of this time.
    ///
    /// # Errors
    /// The key is revoked or has expired.
    pub fn usable_at(&self, time: Instant) -> Result<(), AuthenticationError> {
        if self.revoked_at.is_some() {
            return Err(AuthenticationError::KeyRevoked);
        }
        match self.not_after {
            Some(end) if time > end => Err(AuthenticationError::KeyExpired),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        read(bytes).map(|(standing, _)| standing)
    }
}

impl KeyEntry {
    /// Whose the key is and whether it counts.
    #[must_use]
    pub fn standing(&self) -> KeyStanding {
        KeyStanding {
            owner: self.owner,
            not_after: self.not_after,
            revoked_at: self.revoked_at,
        }
    }

    /// Whether signatures made with the key count in a block of this time.
    ///
    /// # Errors
    /// The key is revoked or has expired.
    pub fn usable_at(&self, time: Instant) -> Result<(), AuthenticationError> {
        self.standing().usable_at(time)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        put_member_no(&mut bytes, self.owner);
        bytes.put(self.public_key.as_sec1());
        put_instant(&mut bytes, self.not_after);
        put_instant(&mut bytes, self.revoked_at);
        bytes.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (standing, public_key) = read(bytes)?;
        let public_key = PublicKey::from_sec1(public_key)
            .map_err(|_| DecodeError::Invalid { what: "public_key" })?;
        Ok(Self {
            owner: standing.owner,
            public_key,
            not_after: standing.not_after,
            revoked_at: standing.revoked_at,
        })
    }
}

/// The parts of an entry, the key as its bytes.
fn read(bytes: &[u8]) -> Result<(KeyStanding, &[u8]), DecodeError> {
    let mut reader = Reader::new(bytes);
    let owner = take_member_no(&mut reader, "owner")?;
    let public_key = reader.take("public_key", PublicKey::BYTES)?;
    let not_after = take_instant(&mut reader, "not_after")?;
    let revoked_at = take_instant(&mut reader, "revoked_at")?;
    reader.finish()?;
    let standing = KeyStanding {
        owner,
        not_after,
        revoked_at,
    };
    Ok((standing, public_key))
}
