//! Questions that the derived indexes answer.

use std::ops::Bound;

use invoice_core::crypto::{Hash, sm3};

use super::block_row::StoredLeaf;
use super::error::{Damage, ReadError};
use super::feeds::{self, Listed};
use super::rows::{ClaimRow, MemberKey, hash_prefix};
use super::runs::{Order, RunError, Scan};
use super::snapshot::Snapshot;
use super::tables::{self, key};

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

/// An event of a feed: its place, and its bytes unless they follow from the leaf alone.
pub type FeedEvent = (EventPosition, Option<Vec<u8>>);

impl Snapshot {
    /// The leaf of the record whose exact bytes have this SM3 digest; of several, the first.
    ///
    /// # Errors
    /// The store has stopped or cannot be read; so for every method here.
    pub fn leaf_of_record(&self, hash: &Hash) -> Result<Option<u64>, ReadError> {
        self.shared.guard(|| {
            let group = key(tables::RECORDS_BY_HASH, &[&hash_prefix(hash)]);
            for row in self.view.group(&group, None, Order::Ascending) {
                let (key, _) = row?;
                let index = leaf_in(&key, "records_by_hash")?;
                if index >= self.head().log_size() {
                    return Err(Damage::new("records_by_hash", index, "beyond the log").into());
                }
                for leaf in self.read_leaves(index, 1)? {
                    let leaf = StoredLeaf::decode(&leaf);
                    let leaf = leaf.map_err(|_| Damage::new("bundles", index, "unreadable"))?;
                    if sm3(&[&leaf.record]) == *hash {
                        return Ok(Some(index));
                    }
                }
            }
            Ok(None)
        })
    }

    /// The leaves that concern a document (given by its key bytes), in the order of the log. The
    /// one that issued it is not among them: the document's state names it.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn timeline(&self, document: &[u8], page: Page<u64>) -> Result<Vec<u64>, ReadError> {
        self.shared.guard(|| {
            let group = key(tables::TIMELINE, &[document]);
            let after = page.after.map(u64::to_be_bytes);
            let after = after.as_ref().map(|after| &after[..]);
            let rows = self.view.group(&group, after, Order::Ascending);
            rows.take(page.rows())
                .map(|row| leaf_in(&row?.0, "timeline"))
                .collect()
        })
    }

    /// A member's locks in the order of the log or against it; the cursor is the leaf of a lock.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn claims_of(
        &self,
        member: &MemberKey,
        page: Page<u64>,
        newest_first: bool,
    ) -> Result<Vec<ClaimRow>, ReadError> {
        self.shared.guard(|| {
            let group = key(tables::CLAIMS_BY_MEMBER, &[member]);
            let after = page.after.map(u64::to_be_bytes);
            let after = after.as_ref().map(|after| &after[..]);
            let order = match newest_first {
                true => Order::Descending,
                false => Order::Ascending,
            };
            let rows = self.view.group(&group, after, order);
            rows.take(page.rows()).map(claim_row).collect()
        })
    }

    /// All locks, member by member; the cursor is a claimant and the leaf of a lock.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn claims(&self, page: Page<(MemberKey, u64)>) -> Result<Vec<ClaimRow>, ReadError> {
        self.shared.guard(|| {
            let from = match &page.after {
                None => Bound::Included(key(tables::CLAIMS_BY_MEMBER, &[])),
                Some((member, index)) => Bound::Excluded(key(
                    tables::CLAIMS_BY_MEMBER,
                    &[member, &index.to_be_bytes()],
                )),
            };
            let rows = self.keyspace(tables::CLAIMS_BY_MEMBER, from);
            rows.take(page.rows()).map(claim_row).collect()
        })
    }

    /// The feed of all events, in the order of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn events(&self, page: Page<EventPosition>) -> Result<Vec<FeedEvent>, ReadError> {
        self.shared.guard(|| {
            let start = match page.after {
                None => Bound::Included(key(tables::EVENTS, &[])),
                Some(at) => Bound::Excluded(event_key(at)),
            };
            let mut explicit = self
                .keyspace(tables::EVENTS, start)
                .map(|row| {
                    let (key, bytes) = row?;
                    Ok::<_, ReadError>((position_in(&key)?, bytes))
                })
                .peekable();
            let mut implied = self.implied_after(page.after)?.peekable();
            let mut events = Vec::new();
            while events.len() < page.rows() {
                let next = |at: EventPosition| (at.leaf_index, at.number);
                let first = match (implied.peek(), explicit.peek()) {
                    (None, None) => break,
                    (Some(_), None) => true,
                    (None, Some(_)) => false,
                    (Some(Ok(implied)), Some(Ok((explicit, _)))) => {
                        next(*implied) < next(*explicit)
                    }
                    (Some(Err(_)), Some(_)) => true,
                    (Some(Ok(_)), Some(Err(_))) => false,
                };
                if first {
                    events.extend(implied.next().transpose()?.map(|at| (at, None)));
                } else if let Some((at, bytes)) = explicit.next().transpose()? {
                    events.push((at, Some(bytes)));
                }
            }
            Ok(events)
        })
    }

    /// The events of the leaves from `first` on and below `end` that do not follow from the leaf
    /// alone, in order.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn told_by(
        &self,
        first: u64,
        end: u64,
    ) -> Result<Vec<(EventPosition, Vec<u8>)>, ReadError> {
        self.shared.guard(|| {
            let from = key(tables::EVENTS, &[&first.to_be_bytes()]);
            let to = key(tables::EVENTS, &[&end.to_be_bytes()]);
            let (from, to) = (Bound::Included(&from[..]), Bound::Excluded(&to[..]));
            self.view
                .scan(from, to, Order::Ascending)
                .map(|row| {
                    let (key, bytes) = row?;
                    Ok((position_in(&key)?, bytes))
                })
                .collect()
        })
    }

    /// Implied events beyond a position, read block by block.
    fn implied_after(
        &self,
        after: Option<EventPosition>,
    ) -> Result<impl Iterator<Item = Result<EventPosition, ReadError>>, ReadError> {
        let height = self.height_from(after)?;
        let from = key(tables::IMPLIED_EVENTS, &[&height.to_be_bytes()]);
        let blocks = self.keyspace(tables::IMPLIED_EVENTS, Bound::Included(from));
        let positions = blocks.flat_map(|row| match implied_of(row) {
            Ok(leaves) => leaves.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        });
        Ok(positions
            .map(|leaf| {
                leaf.map(|leaf_index| EventPosition {
                    leaf_index,
                    number: 0,
                })
            })
            .filter(move |at| match (at, after) {
                (Ok(at), Some(after)) => *at > after,
                (Ok(_), None) | (Err(_), _) => true,
            }))
    }

    /// The first block with events beyond a position, at the earliest.
    fn height_from(&self, after: Option<EventPosition>) -> Result<u64, ReadError> {
        match after {
            None => Ok(0),
            Some(at) if at.leaf_index < self.head().log_size() => {
                self.read_height_of_leaf(at.leaf_index)
            }
            Some(_) => Ok(self.head().height.saturating_add(1)),
        }
    }

    /// A member's own feed of events, in the order of the log.
    ///
    /// # Errors
    /// The store has stopped or cannot be read.
    pub fn events_of(
        &self,
        member: &MemberKey,
        page: Page<EventPosition>,
    ) -> Result<Vec<FeedEvent>, ReadError> {
        self.shared.guard(|| {
            let before = self.height_from(page.after)?.checked_sub(1);
            let before = before.map(u64::to_be_bytes);
            let before = before.as_ref().map(|height| &height[..]);
            let group = key(tables::EVENTS_BY_MEMBER, &[member]);
            let mut events = Vec::new();
            for row in self.view.group(&group, before, Order::Ascending) {
                let (_, list) = row?;
                for event in listed(&list)? {
                    if events.len() >= page.rows() {
                        return Ok(events);
                    }
                    if page.after.is_some_and(|after| event.at <= after) {
                        continue;
                    }
                    let bytes = match event.implied {
                        true => None,
                        false => Some(self.event_bytes(event.at)?),
                    };
                    events.push((event.at, bytes));
                }
                if events.len() >= page.rows() {
                    break;
                }
            }
            Ok(events)
        })
    }

    fn event_bytes(&self, at: EventPosition) -> Result<Vec<u8>, ReadError> {
        let EventPosition { leaf_index, number } = at;
        let bytes = self.view.get(&event_key(at))?;
        Ok(bytes
            .ok_or_else(|| Damage::new("events", format!("({leaf_index}, {number})"), "missing"))?)
    }

    /// The rows of a keyspace from a key on.
    pub(super) fn keyspace(&self, keyspace: u8, from: Bound<Vec<u8>>) -> Scan {
        let end = [keyspace.saturating_add(1)];
        let from = from.as_ref().map(Vec::as_slice);
        self.view
            .scan(from, Bound::Excluded(&end), Order::Ascending)
    }
}

pub(super) fn event_key(at: EventPosition) -> Vec<u8> {
    key(
        tables::EVENTS,
        &[&at.leaf_index.to_be_bytes(), &at.number.to_be_bytes()],
    )
}

fn position_in(key: &[u8]) -> Result<EventPosition, ReadError> {
    let position = key
        .get(1..)
        .and_then(|key| key.split_first_chunk::<8>())
        .and_then(|(leaf, number)| {
            Some(EventPosition {
                leaf_index: u64::from_be_bytes(*leaf),
                number: u32::from_be_bytes(number.try_into().ok()?),
            })
        });
    Ok(position.ok_or_else(|| Damage::new("events", hex::encode(key), "unreadable"))?)
}

pub(super) fn implied_of(row: Result<(Vec<u8>, Vec<u8>), RunError>) -> Result<Vec<u64>, ReadError> {
    let (key, leaves) = row?;
    let leaves = feeds::decode_leaves(&leaves);
    Ok(leaves.map_err(|_| Damage::new("implied_events", hex::encode(key), "unreadable"))?)
}

pub(super) fn listed(list: &[u8]) -> Result<Vec<Listed>, ReadError> {
    let events = feeds::decode_list(list);
    Ok(events.map_err(|_| Damage::new("events_by_member", hex::encode(list), "unreadable"))?)
}

/// The leaf index that ends a key.
fn leaf_in(key: &[u8], table: &'static str) -> Result<u64, ReadError> {
    let leaf = tables::last_u64(key);
    Ok(leaf.ok_or_else(|| Damage::new(table, hex::encode(key), "unreadable"))?)
}

fn claim_row(row: Result<(Vec<u8>, Vec<u8>), RunError>) -> Result<ClaimRow, ReadError> {
    let (key, claim) = row?;
    let member = key.get(1..).and_then(|key| key.first_chunk::<18>());
    let damage = || Damage::new("claims_by_member", hex::encode(&key), "unreadable");
    Ok(ClaimRow {
        member: *member.ok_or_else(damage)?,
        leaf_index: leaf_in(&key, "claims_by_member")?,
        claim,
    })
}
