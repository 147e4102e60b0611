//! What one block changes in the keyspaces: the state, and the indexes that derive from the log.
//!
//! The indexes are no part of what the nodes agree on: whoever has the log can compute them again.

use std::collections::BTreeMap;

use invoice_core::chain::Header;
use invoice_core::codec::{DecodeError, EncodeError, Reader};
use invoice_core::crypto::Hash;
use invoice_core::state::Changes;

use super::feeds::{self, Listed};
use super::log_tree::Node;
use super::lookup::EventPosition;
use super::tables::{self, key};

/// The 18 characters of a member's unified social credit code (GB 32100-2015).
pub type MemberKey = [u8; 18];

/// An event, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The leaf that brought it about.
    pub leaf_index: u64,
    /// Its number among the events of that leaf, from 0.
    pub number: u32,
    /// Its bytes, in whatever form the caller reads back; `None` for an event that follows from
    /// the leaf alone, which must be the leaf's first.
    pub bytes: Option<Vec<u8>>,
    /// The members that may see it in their own feed.
    pub members: Vec<MemberKey>,
}

impl EventRow {
    pub(super) fn listed(&self) -> Listed {
        Listed {
            at: EventPosition {
                leaf_index: self.leaf_index,
                number: self.number,
            },
            implied: self.bytes.is_none(),
        }
    }
}

/// A lock in its claimant's list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimRow {
    /// The claimant.
    pub member: MemberKey,
    /// The leaf of the lock.
    pub leaf_index: u64,
    /// The key of the claim in the state's table of claims.
    pub claim: Vec<u8>,
}

/// What one block adds to the indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexRows {
    /// SM3 over a record's bytes, and the record's leaf.
    pub records: Vec<(Hash, u64)>,
    /// Document key bytes, and a leaf that concerns the document. That it was issued is in its
    /// state and has no row here.
    pub timeline: Vec<(Vec<u8>, u64)>,
    /// New locks.
    pub claims: Vec<ClaimRow>,
    /// Events in the order of the log.
    pub events: Vec<EventRow>,
}

/// The part of a record's hash that is kept in the index.
pub(super) fn hash_prefix(hash: &Hash) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    [a, b, c, d, e, f, g, h]
}

/// A row of a keyspace: its key with the keyspace, and its value, or `None` when it is removed.
pub(super) type Row = (Vec<u8>, Option<Vec<u8>>);

/// Rows one behind another, as the journal has them: for each, `key length u16 | key | 0` or `key
/// length u16 | key | 1 | value length u32 | value`. A block has tens of thousands, and most live no
/// longer than it takes to copy them on: they share one piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows(Vec<u8>);

impl Rows {
    /// Begins with room for so many bytes.
    fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Appends a row. Its key is the keyspace and the parts.
    pub(super) fn put(
        &mut self,
        keyspace: u8,
        parts: &[&[u8]],
        value: Option<&[u8]>,
    ) -> Result<(), EncodeError> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let length = u16::try_from(length.saturating_add(1));
        let length = length.map_err(|_| EncodeError { what: "key" })?;
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.push(keyspace);
        for part in parts {
            self.0.extend_from_slice(part);
        }
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            let length = u32::try_from(value.len()).map_err(|_| EncodeError { what: "value" })?;
            self.0.extend_from_slice(&length.to_be_bytes());
            self.0.extend_from_slice(value);
        }
        Ok(())
    }

    /// The bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes bytes that are rows from the first to the last.
    pub(super) fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&bytes);
        while reader.remaining() > 0 {
            take_row(&mut reader)?;
        }
        Ok(Self(bytes))
    }

    /// Each key with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut reader = Reader::new(&self.0);
        // Whatever is in here was put or was read before, so only the end is no row.
        std::iter::from_fn(move || take_row(&mut reader).ok())
    }
}

fn take_row<'b>(reader: &mut Reader<'b>) -> Result<(&'b [u8], Option<&'b [u8]>), DecodeError> {
    let key = reader.bytes16("key", usize::MAX)?;
    let value = match reader.flag("presence")? {
        true => Some(reader.bytes32("value", usize::MAX)?),
        false => None,
    };
    Ok((key, value))
}

/// Bytes of a usual row of the state.
const STATE_ROW_BYTES: usize = 128;

/// Bytes that a record takes in [`tables::RECORDS_BY_HASH`].
const RECORD_ROW_BYTES: usize = 24;

/// The rows of state changes, which come sorted.
pub(super) fn of_state(changes: &Changes) -> Result<Rows, EncodeError> {
    let mut rows = Rows::default();
    put_state(&mut rows, changes)?;
    Ok(rows)
}

fn put_state(rows: &mut Rows, changes: &Changes) -> Result<(), EncodeError> {
    let mut changes = changes.iter();
    changes.try_for_each(|(table, name, value)| rows.put(table.number(), &[name], value))
}

/// All rows of a block, sorted, each key once. `nodes` are the Merkle hashes that it completes.
pub(super) fn of_block(
    header: &Header,
    changes: &Changes,
    index: &IndexRows,
    nodes: &[Node],
) -> Result<Rows, EncodeError> {
    let state = changes.len().saturating_mul(STATE_ROW_BYTES);
    let records = index.records.len().saturating_mul(RECORD_ROW_BYTES);
    let mut rows = Rows::with_capacity(state.saturating_add(records));
    put_state(&mut rows, changes)?;
    let mut records: Vec<_> = index
        .records
        .iter()
        .map(|(hash, leaf)| (u64::from_be_bytes(hash_prefix(hash)), *leaf))
        .collect();
    records.sort_unstable();
    records.dedup();
    for (prefix, leaf) in records {
        let parts: [&[u8]; 2] = [&prefix.to_be_bytes(), &leaf.to_be_bytes()];
        rows.put(tables::RECORDS_BY_HASH, &parts, Some(&[]))?;
    }
    for (key, value) in &derived(header, index, nodes) {
        let (keyspace, rest) = key.split_first().ok_or(EncodeError { what: "key" })?;
        rows.put(*keyspace, &[rest], value.as_deref())?;
    }
    Ok(rows)
}

/// The rows behind those of the records, sorted, each key once: few beside them.
fn derived(header: &Header, index: &IndexRows, nodes: &[Node]) -> Vec<Row> {
    let height = header.height.to_be_bytes();
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(index.timeline.iter().map(|(document, leaf)| {
        (
            key(tables::TIMELINE, &[document, &leaf.to_be_bytes()]),
            Some(Vec::new()),
        )
    }));
    rows.extend(index.claims.iter().map(|row| {
        (
            key(
                tables::CLAIMS_BY_MEMBER,
                &[&row.member, &row.leaf_index.to_be_bytes()],
            ),
            Some(row.claim.clone()),
        )
    }));
    let mut feeds: BTreeMap<&MemberKey, Vec<Listed>> = BTreeMap::new();
    let mut implied = Vec::new();
    for event in &index.events {
        match &event.bytes {
            Some(bytes) => {
                let leaf = event.leaf_index.to_be_bytes();
                rows.push((
                    key(tables::EVENTS, &[&leaf, &event.number.to_be_bytes()]),
                    Some(bytes.clone()),
                ));
            }
            None => implied.push(event.leaf_index),
        }
        for member in &event.members {
            feeds.entry(member).or_default().push(event.listed());
        }
    }
    rows.extend(feeds.into_iter().map(|(member, listed)| {
        (
            key(tables::EVENTS_BY_MEMBER, &[member, &height]),
            Some(feeds::encode_list(&listed)),
        )
    }));
    rows.extend(nodes.iter().map(|(level, number, hash)| {
        (
            key(tables::NODES, &[&[*level], &number.to_be_bytes()]),
            Some(hash.as_bytes().to_vec()),
        )
    }));
    if header.count > 0 {
        let first = header.first_index.to_be_bytes();
        rows.push((key(tables::FIRST_INDEX, &[&first]), Some(height.to_vec())));
    }
    if !implied.is_empty() {
        let leaves = feeds::encode_leaves(&implied);
        rows.push((key(tables::IMPLIED_EVENTS, &[&height]), Some(leaves)));
    }
    rows.sort_unstable();
    rows.dedup_by(|later, earlier| later.0 == earlier.0);
    rows
}
