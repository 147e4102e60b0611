//! Rows of the derived indexes.
//!
//! They are no part of what the nodes agree on: whoever has the log can compute them again.

use redb::WriteTransaction;

use invoice_core::crypto::Hash;

use super::tables;

/// The 18 characters of a member's unified social credit code (GB 32100-2015).
pub type MemberKey = [u8; 18];

/// An event, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The leaf that brought it about.
    pub leaf_index: u64,
    /// Its number among the events of that leaf, from 0.
    pub number: u32,
    /// Its bytes, in whatever form the caller reads back.
    pub bytes: Vec<u8>,
    /// The members that may see it in their own feed.
    pub members: Vec<MemberKey>,
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
    /// Document key bytes, and a leaf that concerns the document.
    pub timeline: Vec<(Vec<u8>, u64)>,
    /// New locks.
    pub claims: Vec<ClaimRow>,
    /// Events.
    pub events: Vec<EventRow>,
}

/// The part of a record's hash that is kept in the index.
pub(super) fn hash_prefix(hash: &Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl IndexRows {
    /// Writes the rows, sorted within each index: neighbours then share pages.
    pub(super) fn write(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut records: Vec<(u64, u64)> = self
            .records
            .iter()
            .map(|(hash, index)| (hash_prefix(hash), *index))
            .collect();
        records.sort_unstable();
        let mut table = transaction.open_table(tables::RECORDS_BY_HASH)?;
        for key in records {
            table.insert(key, ())?;
        }

        let mut timeline: Vec<(&[u8], u64)> = self
            .timeline
            .iter()
            .map(|(key, index)| (key.as_slice(), *index))
            .collect();
        timeline.sort_unstable();
        let mut table = transaction.open_table(tables::TIMELINE)?;
        for key in timeline {
            table.insert(key, ())?;
        }

        let mut claims: Vec<&ClaimRow> = self.claims.iter().collect();
        claims.sort_unstable();
        let mut table = transaction.open_table(tables::CLAIMS_BY_MEMBER)?;
        for row in claims {
            table.insert((&row.member, row.leaf_index), row.claim.as_slice())?;
        }

        let mut events: Vec<&EventRow> = self.events.iter().collect();
        events.sort_unstable_by_key(|event| (event.leaf_index, event.number));
        let mut table = transaction.open_table(tables::EVENTS)?;
        let mut by_member = Vec::new();
        for event in events {
            table.insert((event.leaf_index, event.number), event.bytes.as_slice())?;
            by_member.extend(
                event
                    .members
                    .iter()
                    .map(|member| (member, event.leaf_index, event.number)),
            );
        }
        by_member.sort_unstable();
        let mut table = transaction.open_table(tables::EVENTS_BY_MEMBER)?;
        for key in by_member {
            table.insert(key, ())?;
        }
        Ok(())
    }
}
