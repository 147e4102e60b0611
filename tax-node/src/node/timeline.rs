//! The leaves of the log that concern a document, and what follows from them.
//!
//! Anyone can make the list longer: a refused lock stands there, too, and so do locks that were
//! given back. So nothing that decides a question is read from the beginning of the list alone,
//! and what a reader sees of it is a page that says that it is one.

mod gathered;

use std::collections::HashMap;

use invoice_api::registry::TimelineCursor;
use invoice_core::apply::{Event, EventKind};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::record::Body;

use super::checks::Party;
use super::receipts;
use super::registry::NodeError;
use crate::store::{ClaimRow, Page, ReadError, Snapshot};
use gathered::{Bounds, gather};

/// A page of what was accepted.
const ACCEPTED: Bounds = Bounds {
    rows_read_max: 20_000,
    leaves_max: 1_000,
};
/// A page of what was refused.
const REFUSED: Bounds = Bounds {
    rows_read_max: 20_000,
    leaves_max: 200,
};
/// Rows in which the other identities of a document are looked for.
const ALIAS_ROWS_READ_MAX: usize = 100_000;
/// Turns in which a member's locks and a document's leaves are compared. Each turn passes over at
/// least one of the member's own locks, so that strangers alone cannot use them up.
const CLAIM_TURNS_MAX: usize = 100_000;
/// Rows of the index that are read together.
const ROWS_AT_ONCE: usize = 1_000;

/// A page of a document's life.
#[derive(Debug)]
pub(super) struct Life {
    /// Leaves of accepted records, in order, the one that issued the document among them.
    pub(super) accepted: Vec<u64>,
    /// Leaves of refused records that the asker may see, in order.
    pub(super) refused: Vec<u64>,
    /// Where the accepted ones go on.
    pub(super) next: Option<TimelineCursor>,
    /// Where the refused ones go on.
    pub(super) refused_next: Option<TimelineCursor>,
}

/// What a row of the index is to an asker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Accepted,
    Refused,
    /// Refused, and none of the asker's business.
    Hidden,
}

/// A page of the life of a document that the record at `issued` brought here.
///
/// Each list is read from its own place and as far as its own bounds, so that however long the one
/// is, the other goes on.
pub(super) fn page(
    snapshot: &Snapshot,
    party: &Party,
    key: &DocumentKey,
    issued: u64,
    from: TimelineCursor,
) -> Result<Life, NodeError> {
    // The lists of a first page begin together: a row is judged once.
    let mut judged = HashMap::new();
    let mut is = |index: u64| -> Result<Row, NodeError> {
        if let Some(row) = judged.get(&index) {
            return Ok(*row);
        }
        let row = match refused_by(snapshot, index)? {
            None => Row::Accepted,
            // Who else tried is for authorities.
            Some(event) if party.roles.has_authority() || event.concerns.contains(&party.id) => {
                Row::Refused
            }
            Some(_) => Row::Hidden,
        };
        judged.insert(index, row);
        Ok(row)
    };
    // The index has no row for what issues a document, and nothing accepted stands before it.
    let begins = from.accepted_after.is_none_or(|after| after < issued);
    let first = if begins { vec![issued] } else { Vec::new() };
    let mut rows = Rows::new(snapshot, key, from.accepted_after.max(Some(issued)));
    let accepted = gather(
        first,
        ACCEPTED,
        || rows.next().map_err(NodeError::from),
        |index| is(index).map(|row| row == Row::Accepted),
    )?;
    let mut rows = Rows::new(snapshot, key, from.refused_after);
    let refused = gather(
        Vec::new(),
        REFUSED,
        || rows.next().map_err(NodeError::from),
        |index| is(index).map(|row| row == Row::Refused),
    )?;
    Ok(Life {
        next: accepted.next.map(|after| TimelineCursor {
            accepted_after: Some(after),
            ..from
        }),
        refused_next: refused.next.map(|after| TimelineCursor {
            refused_after: Some(after),
            ..from
        }),
        accepted: accepted.leaves,
        refused: refused.leaves,
    })
}

/// The event of a refused record; `None` when it was accepted.
fn refused_by(snapshot: &Snapshot, index: u64) -> Result<Option<Event>, NodeError> {
    for (_, bytes) in snapshot.told_by(index, index.saturating_add(1))? {
        let event = Event::decode(&bytes)?;
        if event.kind == EventKind::RecordRefused {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// Whether the member ever held money on the document: its claim may have ended since.
pub(super) fn claimed_by(
    snapshot: &Snapshot,
    party: &Party,
    key: &DocumentKey,
) -> Result<bool, ReadError> {
    let mut locks = OwnLocks::new(snapshot, party.id, key, u64::MAX);
    Ok(locks.next()?.is_some())
}

/// A member's accepted locks on a document, in the order of the log.
///
/// A leaf that stands both among the member's locks and among the document's is a lock of the one
/// on the other. Both lists are ordered, so each is asked only for what the other may have: what
/// strangers put on the document is passed over and never read.
pub(super) struct OwnLocks<'s> {
    snapshot: &'s Snapshot,
    member: MemberId,
    key: Vec<u8>,
    /// Only locks of leaves below this one.
    before: u64,
    after: Option<u64>,
    turns: usize,
}

impl<'s> OwnLocks<'s> {
    pub(super) fn new(
        snapshot: &'s Snapshot,
        member: MemberId,
        key: &DocumentKey,
        before: u64,
    ) -> Self {
        Self {
            snapshot,
            member,
            key: key.to_bytes(),
            before,
            after: None,
            turns: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<ClaimRow>, ReadError> {
        let one = |after| Page { after, limit: 1 };
        while self.turns < CLAIM_TURNS_MAX {
            self.turns = self.turns.saturating_add(1);
            let member = self.member.as_bytes();
            let locks = self.snapshot.claims_of(member, one(self.after), false)?;
            let lock = locks.into_iter().next();
            let Some(lock) = lock.filter(|lock| lock.leaf_index < self.before) else {
                return Ok(None);
            };
            let from = one(lock.leaf_index.checked_sub(1));
            let leaves = self.snapshot.timeline(&self.key, from)?;
            match leaves.first() {
                None => return Ok(None),
                Some(leaf) if *leaf == lock.leaf_index => {
                    self.after = Some(*leaf);
                    return Ok(Some(lock));
                }
                Some(leaf) => self.after = leaf.checked_sub(1),
            }
        }
        tracing::warn!(member = %self.member, "claims and a document's life were not compared to their end");
        Ok(None)
    }
}

/// The other identities of a document that has so many, and how many of them were not found in the
/// rows that are read.
pub(super) fn aliases(
    snapshot: &Snapshot,
    key: &DocumentKey,
    count: u8,
) -> Result<(Vec<DocumentKey>, usize), NodeError> {
    let count = usize::from(count);
    let mut aliases = Vec::new();
    let mut rows = Rows::new(snapshot, key, None);
    for _ in 0..ALIAS_ROWS_READ_MAX {
        if aliases.len() >= count {
            break;
        }
        let Some(index) = rows.next()? else {
            break;
        };
        for (_, bytes) in snapshot.told_by(index, index.saturating_add(1))? {
            if Event::decode(&bytes)?.kind == EventKind::AliasAdded
                && let Some(logged) = receipts::logged(snapshot, index)?
                && let Body::DocumentAlias(body) = logged.record.body
            {
                aliases.push(body.alias);
            }
        }
    }
    let left_out = count.saturating_sub(aliases.len());
    Ok((aliases, left_out))
}

/// The rows of a document in the index, a thousand at a time.
struct Rows<'s> {
    snapshot: &'s Snapshot,
    key: Vec<u8>,
    /// The last row that was given out, or after which they begin.
    last: Option<u64>,
    ahead: std::vec::IntoIter<u64>,
    ended: bool,
}

impl<'s> Rows<'s> {
    fn new(snapshot: &'s Snapshot, key: &DocumentKey, after: Option<u64>) -> Self {
        Self {
            snapshot,
            key: key.to_bytes(),
            last: after,
            ahead: Vec::new().into_iter(),
            ended: false,
        }
    }

    fn next(&mut self) -> Result<Option<u64>, ReadError> {
        if self.ahead.as_slice().is_empty() && !self.ended {
            let page = Page {
                after: self.last,
                limit: ROWS_AT_ONCE,
            };
            let rows = self.snapshot.timeline(&self.key, page)?;
            self.ended = rows.len() < ROWS_AT_ONCE;
            self.ahead = rows.into_iter();
        }
        let next = self.ahead.next();
        self.last = next.or(self.last);
        Ok(next)
    }
}
