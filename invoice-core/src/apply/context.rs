//! What the rules of one record work with: the layered state, the signer and the block's time.

use super::event::Event;
use super::layers::Layers;
use crate::calendar::{Date, Instant};
use crate::chain::Facts;
use crate::identity::{DocumentKey, MemberId, RecordId};
use crate::refusal::Rejection;
use crate::state::{
    AliasKind, Claim, Document, Fault, KeyBytes, Member, MemberNo, StateView, Table, TypedState,
    by_id_key, document_key,
};

/// Why the rules stopped.
pub(super) enum Stop<E> {
    /// The record is refused.
    Rejected(Rejection),
    /// The state cannot be read.
    Fault(Fault<E>),
}

impl<E> From<Rejection> for Stop<E> {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl<E> From<Fault<E>> for Stop<E> {
    fn from(fault: Fault<E>) -> Self {
        Self::Fault(fault)
    }
}

/// Who signed the record.
#[derive(Clone, Copy)]
pub(super) struct Signer {
    pub(super) id: MemberId,
    pub(super) number: MemberNo,
}

/// The world of one record while its rules run.
pub(super) struct Context<'x, 'v, V> {
    layers: &'x mut Layers<'v, V>,
    pub(super) signer: Signer,
    pub(super) record_id: &'x RecordId,
    pub(super) index: u64,
    /// The block's height.
    pub(super) height: u64,
    pub(super) time: Instant,
    /// The day of `time` in UTC+8.
    pub(super) today: Date,
    facts: Facts,
    events: Vec<Event>,
}

impl<'x, 'v, V: StateView> Context<'x, 'v, V> {
    pub(super) fn new(
        layers: &'x mut Layers<'v, V>,
        signer: Signer,
        record_id: &'x RecordId,
        (index, height): (u64, u64),
        time: Instant,
        today: Date,
    ) -> Self {
        Self {
            layers,
            signer,
            record_id,
            index,
            height,
            time,
            today,
            facts: Facts::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn into_parts(self) -> (Facts, Vec<Event>) {
        (self.facts, self.events)
    }

    pub(super) fn state(&self) -> TypedState<'_, Layers<'v, V>> {
        self.layers.typed()
    }

    pub(super) fn put(&mut self, table: Table, key: KeyBytes, value: Vec<u8>) {
        self.layers.put(table, key, value);
    }

    pub(super) fn remove(&mut self, table: Table, key: KeyBytes) {
        self.layers.remove(table, key);
    }

    /// Adds a fact to the accepted outcome.
    pub(super) fn state_fact(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.facts = std::mem::take(&mut self.facts).with(name, value);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// A member that the record names.
    pub(super) fn member(&self, id: &MemberId) -> Result<Member, Stop<V::Error>> {
        Ok(self.state().member(id)?.ok_or(Rejection::MemberUnknown)?)
    }

    pub(super) fn put_member(&mut self, id: &MemberId, member: &Member) {
        let key = KeyBytes::of(&[id.as_bytes()]);
        self.put(Table::Member, key, member.encode());
    }

    /// The document that a key names, by its own number or by a second identity.
    pub(super) fn document(&self, key: &DocumentKey) -> Result<Found, Stop<V::Error>> {
        Ok(resolve(&self.state(), key)?.ok_or(Rejection::DocumentUnknown)?)
    }

    /// Writes a document back, without the locks that have ended.
    pub(super) fn put_document(&mut self, key: &DocumentKey, document: &mut Document) {
        document.forget_ended(self.time);
        self.put(Table::Document, document_key(key), document.encode());
    }

    pub(super) fn put_claim(&mut self, by: MemberNo, id: &RecordId, claim: &Claim) {
        self.put(Table::Claim, by_id_key(by, id), claim.encode());
    }

    /// Ids of members by number. A number in the state always has an id; one that has not is left
    /// out of the list of those to tell.
    pub(super) fn ids(
        &self,
        numbers: impl IntoIterator<Item = MemberNo>,
    ) -> Result<Vec<MemberId>, Stop<V::Error>> {
        let mut ids = Vec::new();
        for number in numbers {
            ids.extend(self.state().member_id(number)?);
        }
        Ok(ids)
    }
}

/// A document found by one of its identities.
pub struct Found {
    /// The document's own key.
    pub key: DocumentKey,
    /// The document.
    pub document: Document,
    /// The kind of second identity that was asked for.
    pub via: Option<AliasKind>,
}

/// Finds a document by its own key or by a second identity.
///
/// # Errors
/// The state cannot be read.
pub fn resolve<V: StateView>(
    state: &TypedState<'_, V>,
    key: &DocumentKey,
) -> Result<Option<Found>, Fault<V::Error>> {
    if let Some(document) = state.document(key)? {
        return Ok(Some(Found {
            key: *key,
            document,
            via: None,
        }));
    }
    let Some(alias) = state.alias(key)? else {
        return Ok(None);
    };
    Ok(state.document(&alias.document)?.map(|document| Found {
        key: alias.document,
        document,
        via: Some(alias.kind),
    }))
}
