//! Reading the state: bytes from whatever holds them, typed entries for the rules.

use std::borrow::Cow;

use super::{
    AliasEntry, Claim, Confirmation, Document, KeyBytes, KeyEntry, KeyStanding, Member, MemberNo,
    Quota, RecordEntry, Standing, Table,
};
use crate::calendar::Month;
use crate::codec::DecodeError;
use crate::crypto::Kid;
use crate::identity::{DocumentKey, MemberId, RecordId};

/// Whatever holds a state: a database snapshot, memory, or an overlay of changes.
pub trait StateView {
    /// Why an entry could not be read.
    type Error;

    /// The value of an entry: borrowed from the holder where it lies in memory.
    ///
    /// # Errors
    /// The holder could not be read; never for an absent entry.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Self::Error>;
}

/// The state could not be read. An operational accident, never a refusal.
#[derive(Debug, thiserror::Error)]
pub enum Fault<E> {
    /// The holder of the state failed.
    #[error("the state cannot be read: {0}")]
    View(E),
    /// An entry has not the layout of its table.
    #[error("an entry of table {table:?} is damaged: {reason}")]
    Damaged {
        /// The table.
        table: Table,
        /// What does not fit.
        reason: DecodeError,
    },
}

/// Typed reads over a [`StateView`].
pub struct TypedState<'a, V>(pub &'a V);

impl<V: StateView> TypedState<'_, V> {
    pub(super) fn entry<T>(
        &self,
        table: Table,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, Fault<V::Error>> {
        self.0
            .get(table, key)
            .map_err(Fault::View)?
            .map(|bytes| decode(&bytes).map_err(|reason| Fault::Damaged { table, reason }))
            .transpose()
    }

    /// A member by its id.
    ///
    /// # Errors
    /// The state cannot be read, as for every method here.
    pub fn member(&self, id: &MemberId) -> Result<Option<Member>, Fault<V::Error>> {
        self.entry(Table::Member, id.as_bytes(), Member::decode)
    }

    /// What a member may do, by its id.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn standing(&self, id: &MemberId) -> Result<Option<Standing>, Fault<V::Error>> {
        self.entry(Table::Member, id.as_bytes(), Standing::decode)
    }

    /// A member's id by its number.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn member_id(&self, number: MemberNo) -> Result<Option<MemberId>, Fault<V::Error>> {
        self.entry(Table::MemberNumber, &number.0.to_be_bytes(), |bytes| {
            MemberId::from_bytes(bytes).ok_or(DecodeError::Invalid { what: "member id" })
        })
    }

    /// A registered key.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn key(&self, kid: &Kid) -> Result<Option<KeyEntry>, Fault<V::Error>> {
        self.entry(Table::Key, kid.as_bytes(), KeyEntry::decode)
    }

    /// Whose a registered key is and whether it counts, without reading its point.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn key_standing(&self, kid: &Kid) -> Result<Option<KeyStanding>, Fault<V::Error>> {
        self.entry(Table::Key, kid.as_bytes(), KeyStanding::decode)
    }

    /// An issuer's quota of a month; the default when none was set and nothing issued.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn quota(&self, member: MemberNo, month: Month) -> Result<Quota, Fault<V::Error>> {
        Ok(self
            .entry(
                Table::Quota,
                quota_key(member, month).as_slice(),
                Quota::decode,
            )?
            .unwrap_or_default())
    }

    /// A document by its own key.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn document(&self, key: &DocumentKey) -> Result<Option<Document>, Fault<V::Error>> {
        self.entry(
            Table::Document,
            document_key(key).as_slice(),
            Document::decode,
        )
    }

    /// What a second identity stands for.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn alias(&self, key: &DocumentKey) -> Result<Option<AliasEntry>, Fault<V::Error>> {
        self.entry(
            Table::Alias,
            document_key(key).as_slice(),
            AliasEntry::decode,
        )
    }

    /// A claim by its claimant and the id of the lock's record.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn claim(&self, by: MemberNo, id: &RecordId) -> Result<Option<Claim>, Fault<V::Error>> {
        self.entry(Table::Claim, by_id_key(by, id).as_slice(), Claim::decode)
    }

    /// A member's consent to a reversal.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn confirmation(
        &self,
        document: &DocumentKey,
        member: MemberNo,
    ) -> Result<Option<Confirmation>, Fault<V::Error>> {
        self.entry(
            Table::Confirmation,
            confirmation_key(document, member).as_slice(),
            Confirmation::decode,
        )
    }

    /// What became of a member's record id.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn record(
        &self,
        by: MemberNo,
        id: &RecordId,
    ) -> Result<Option<RecordEntry>, Fault<V::Error>> {
        self.entry(
            Table::Record,
            by_id_key(by, id).as_slice(),
            RecordEntry::decode,
        )
    }

    /// How many members were admitted so far.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn member_count(&self) -> Result<u32, Fault<V::Error>> {
        let count = self.entry(Table::Counter, MEMBER_COUNTER, |bytes| {
            bytes
                .try_into()
                .map(u32::from_be_bytes)
                .map_err(|_| DecodeError::Invalid {
                    what: "member count",
                })
        })?;
        Ok(count.unwrap_or(0))
    }
}

pub(crate) const MEMBER_COUNTER: &[u8] = b"members";

pub(crate) fn by_id_key(by: MemberNo, id: &RecordId) -> KeyBytes {
    KeyBytes::of(&[&by.0.to_be_bytes(), id.as_str().as_bytes()])
}

pub(crate) fn document_key(key: &DocumentKey) -> KeyBytes {
    let (tag, code, number) = key.parts();
    KeyBytes::of(&[&[tag], code, number])
}

pub(crate) fn quota_key(member: MemberNo, month: Month) -> KeyBytes {
    let year = u16::try_from(month.year()).unwrap_or(0);
    let month = u8::try_from(month.month()).unwrap_or(0);
    KeyBytes::of(&[&member.0.to_be_bytes(), &year.to_be_bytes(), &[month]])
}

pub(crate) fn confirmation_key(document: &DocumentKey, member: MemberNo) -> KeyBytes {
    let document = document_key(document);
    let document = document.as_slice();
    let length = u8::try_from(document.len()).unwrap_or(u8::MAX);
    KeyBytes::of(&[&[length], document, &member.0.to_be_bytes()])
}

/// The key of a claim in [`Table::Claim`]: its claimant and the id of the lock's record.
#[must_use]
pub fn claim_key(by: MemberNo, id: &RecordId) -> Vec<u8> {
    by_id_key(by, id).as_slice().to_vec()
}
