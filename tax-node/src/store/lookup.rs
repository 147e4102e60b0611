//! Questions that the derived indexes answer.

use invoice_core::crypto::{Hash, sm3};

use super::block_row::StoredLeaf;
use super::error::{Damage, ReadError};
use super::rows::{ClaimRow, MemberKey, hash_prefix};
use super::snapshot::Snapshot;
use super::tables;

/// The most rows that one call returns, whatever was asked for.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Where an event stands in the feed: the leaf that brought it about and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// The leaf.
    pub leaf_index: u64,
    /// The number among the events of that leaf, from 0.
    pub number: u32,
}

/// Which rows of an index to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// Only rows after this one, in the order of the log.
    pub after: Option<C>,
    /// At most so many, and never more than [`PAGE_ROWS_MAX`].
    pub limit: usize,
}

impl<C> Page<C> {
    fn rows(&self) -> usize {
        self.limit.min(PAGE_ROWS_MAX)
    }
}

fn after<C, S>(cursor: Option<C>, start: S, beyond: impl FnOnce(C) -> S) -> std::ops::Bound<S> {
    match cursor {
        None => std::ops::Bound::Included(start),
        Some(cursor) => std::ops::Bound::Excluded(beyond(cursor)),
    }
}

impl Snapshot {
    /// The leaf of the record whose exact bytes have this SM3 digest; of several, the first.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; so for every method here.
    pub fn leaf_of_record(&self, hash: &Hash) -> Result<Option<u64>, ReadError> {
        self.shared.guard(|| {
            let prefix = hash_prefix(hash);
            let table = self.table(tables::RECORDS_BY_HASH)?;
            for row in table
                .range((prefix, 0)..=(prefix, u64::MAX))
                .map_err(ReadError::storage)?
            {
                let (_, index) = row.map_err(ReadError::storage)?.0.value();
                if index >= self.head().log_size() {
                    return Err(Damage::new("records_by_hash", index, "beyond the log").into());
                }
                for leaf in self.read_leaves(index, 1)? {
                    let leaf = StoredLeaf::decode(&leaf);
                    let leaf =
                        leaf.map_err(|_| Damage::new("tail or bundles", index, "unreadable"))?;
                    if sm3(&[&leaf.record]) == *hash {
                        return Ok(Some(index));
                    }
                }
            }
            Ok(None)
        })
    }

    /// The leaves that concern a document (given by its key bytes), in the order of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn timeline(&self, document: &[u8], page: Page<u64>) -> Result<Vec<u64>, ReadError> {
        self.shared.guard(|| {
            let table = self.table(tables::TIMELINE)?;
            let from = after(page.after, (document, 0), |index| (document, index));
            let to = std::ops::Bound::Included((document, u64::MAX));
            let rows = table
                .range::<(&[u8], u64)>((from, to))
                .map_err(ReadError::storage)?;
            let mut leaves = Vec::new();
            for row in rows.take(page.rows()) {
                leaves.push(row.map_err(ReadError::storage)?.0.value().1);
            }
            Ok(leaves)
        })
    }

    /// A member's locks in the order of the log; the cursor is the leaf of a lock.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn claims_of(
        &self,
        member: &MemberKey,
        page: Page<u64>,
    ) -> Result<Vec<ClaimRow>, ReadError> {
        let from = after(page.after, (member, 0), |index| (member, index));
        self.claim_rows(
            from,
            std::ops::Bound::Included((member, u64::MAX)),
            page.rows(),
        )
    }

    /// All locks, member by member; the cursor is a claimant and the leaf of a lock.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn claims(&self, page: Page<(MemberKey, u64)>) -> Result<Vec<ClaimRow>, ReadError> {
        let from = match &page.after {
            None => std::ops::Bound::Unbounded,
            Some((member, index)) => std::ops::Bound::Excluded((member, *index)),
        };
        self.claim_rows(from, std::ops::Bound::Unbounded, page.rows())
    }

    fn claim_rows(
        &self,
        from: std::ops::Bound<(&MemberKey, u64)>,
        to: std::ops::Bound<(&MemberKey, u64)>,
        limit: usize,
    ) -> Result<Vec<ClaimRow>, ReadError> {
        self.shared.guard(|| {
            let table = self.table(tables::CLAIMS_BY_MEMBER)?;
            let rows = table
                .range::<(&MemberKey, u64)>((from, to))
                .map_err(ReadError::storage)?;
            let mut claims = Vec::new();
            for row in rows.take(limit) {
                let (key, claim) = row.map_err(ReadError::storage)?;
                let (member, leaf_index) = key.value();
                claims.push(ClaimRow {
                    member: *member,
                    leaf_index,
                    claim: claim.value().to_vec(),
                });
            }
            Ok(claims)
        })
    }

    /// The feed of all events, in the order of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn events(
        &self,
        page: Page<EventPosition>,
    ) -> Result<Vec<(EventPosition, Vec<u8>)>, ReadError> {
        self.shared.guard(|| {
            let table = self.table(tables::EVENTS)?;
            let from = after(page.after, (0, 0), |at| (at.leaf_index, at.number));
            let rows = table
                .range((from, std::ops::Bound::Unbounded))
                .map_err(ReadError::storage)?;
            let mut events = Vec::new();
            for row in rows.take(page.rows()) {
                let (key, bytes) = row.map_err(ReadError::storage)?;
                let (leaf_index, number) = key.value();
                events.push((EventPosition { leaf_index, number }, bytes.value().to_vec()));
            }
            Ok(events)
        })
    }

    /// A member's own feed of events, in the order of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn events_of(
        &self,
        member: &MemberKey,
        page: Page<EventPosition>,
    ) -> Result<Vec<(EventPosition, Vec<u8>)>, ReadError> {
        self.shared.guard(|| {
            let table = self.table(tables::EVENTS_BY_MEMBER)?;
            let texts = self.table(tables::EVENTS)?;
            let from = after(page.after, (member, 0, 0), |at| {
                (member, at.leaf_index, at.number)
            });
            let to = std::ops::Bound::Included((member, u64::MAX, u32::MAX));
            let rows = table
                .range::<(&MemberKey, u64, u32)>((from, to))
                .map_err(ReadError::storage)?;
            let mut events = Vec::new();
            for row in rows.take(page.rows()) {
                let (_, leaf_index, number) = row.map_err(ReadError::storage)?.0.value();
                let text = texts
                    .get((leaf_index, number))
                    .map_err(ReadError::storage)?;
                let text = text.ok_or_else(|| {
                    Damage::new("events", format!("({leaf_index}, {number})"), "missing")
                })?;
                events.push((EventPosition { leaf_index, number }, text.value().to_vec()));
            }
            Ok(events)
        })
    }
}
