//! What one block changes in the keyspaces: the state, and the indexes that derive from the log.
//!
//! The indexes are no part of what the nodes agree on: whoever has the log can compute them again.

use std::collections::BTreeMap;

use invoice_core::chain::Header;
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

/// The rows of state changes, which come sorted.
pub(super) fn of_state(changes: &Changes) -> Vec<Row> {
    changes
        .iter()
        .map(|(table, name, value)| (key(table.number(), &[name]), value.map(<[u8]>::to_vec)))
        .collect()
}

/// All rows of a block, sorted, each key once. `nodes` are the Merkle hashes that it completes.
pub(super) fn of_block(
    header: &Header,
    changes: &Changes,
    index: &IndexRows,
    nodes: &[Node],
) -> Vec<Row> {
    let mut rows = of_state(changes);
    rows.reserve(index.records.len().saturating_add(64));
    let height = header.height.to_be_bytes();
    let mut records: Vec<_> = index
        .records
        .iter()
        .map(|(hash, leaf)| (hash_prefix(hash), leaf.to_be_bytes()))
        .collect();
    records.sort_unstable();
    rows.extend(records.iter().map(|(prefix, leaf)| {
        (
            key(tables::RECORDS_BY_HASH, &[prefix, leaf]),
            Some(Vec::new()),
        )
    }));
    let sorted_from = rows.len();
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
    if let Some(derived) = rows.get_mut(sorted_from..) {
        derived.sort_unstable();
    }
    rows.dedup_by(|later, earlier| later.0 == earlier.0);
    rows
}
