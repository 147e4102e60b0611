//! What the rules of one record work with: the layered state, the signer and the block's time.

use super::event::Event;
use crate::calendar::Instant;
use crate::chain::Facts;
use crate::identity::{DocumentKey, MemberId, RecordId};
use crate::refusal::Rejection;
use crate::state::{
    AliasKind, Changes, Claim, Document, Fault, Member, MemberNo, StateView, Table, TypedState,
    by_id_key,
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

/// A state with changes in layers over it: block, batch, record.
pub(super) struct Layers<'v, V> {
    base: &'v V,
    /// The block's own changes.
    block: Changes,
    /// Layers that may still be discarded, innermost last.
    open: Vec<Changes>,
}

impl<'v, V: StateView> Layers<'v, V> {
    pub(super) fn new(base: &'v V) -> Self {
        Self {
            base,
            block: Changes::new(),
            open: Vec::new(),
        }
    }

    pub(super) fn typed(&self) -> TypedState<'_, Self> {
        TypedState(self)
    }

    pub(super) fn push(&mut self) {
        self.open.push(Changes::new());
    }

    /// Merges the innermost layer into the one below.
    pub(super) fn keep(&mut self) {
        if let Some(layer) = self.open.pop() {
            self.top().absorb(layer);
        }
    }

    /// Forgets the innermost layer.
    pub(super) fn discard(&mut self) {
        self.open.pop();
    }

    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.top().put(table, key, value);
    }

    pub(super) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.top().remove(table, key);
    }

    pub(super) fn into_changes(mut self) -> Changes {
        while !self.open.is_empty() {
            self.keep();
        }
        self.block
    }

    fn top(&mut self) -> &mut Changes {
        self.open.last_mut().unwrap_or(&mut self.block)
    }
}

impl<V: StateView> StateView for Layers<'_, V> {
    type Error = V::Error;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, V::Error> {
        for layer in self.open.iter().rev().chain([&self.block]) {
            if let Some(covered) = layer.get(table, key) {
                return Ok(covered.map(<[u8]>::to_vec));
            }
        }
        self.base.get(table, key)
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
    pub(super) time: Instant,
    facts: Facts,
    events: Vec<Event>,
}

impl<'x, 'v, V: StateView> Context<'x, 'v, V> {
    pub(super) fn new(
        layers: &'x mut Layers<'v, V>,
        signer: Signer,
        record_id: &'x RecordId,
        index: u64,
        time: Instant,
    ) -> Self {
        Self {
            layers,
            signer,
            record_id,
            index,
            time,
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

    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.layers.put(table, key, value);
    }

    pub(super) fn remove(&mut self, table: Table, key: Vec<u8>) {
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
        self.put(Table::Member, id.as_bytes().to_vec(), member.encode());
    }

    /// The document that a key names, by its own number or by a second identity.
    pub(super) fn document(&self, key: &DocumentKey) -> Result<Found, Stop<V::Error>> {
        Ok(resolve(&self.state(), key)?.ok_or(Rejection::DocumentUnknown)?)
    }

    /// Writes a document back, without the locks that have ended.
    pub(super) fn put_document(&mut self, key: &DocumentKey, document: &mut Document) {
        document.forget_ended(self.time);
        self.put(Table::Document, key.to_bytes(), document.encode());
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
