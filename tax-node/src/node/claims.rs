//! `GET /v1/claims`: pages of claims.

use std::ops::Range;

use invoice_api::registry::{AsOf, Asker, ClaimPage, ClaimQuery, ClaimView};
use invoice_core::calendar::Instant;
use invoice_core::identity::{MemberId, RecordId};
use invoice_core::read::Spelled;
use invoice_core::record::Body;
use invoice_core::state::{Claim, MemberNo, TypedState};

use super::receipts;
use super::registry::NodeError;
use crate::store::{ClaimRow, MemberKey, Page, Snapshot};

/// Rows that one page looks at while it filters by status.
const ROWS_READ_MAX: usize = 10_000;

/// A page of the asker's claims, or of everyone's for an authority that does not ask for its own.
pub(super) fn page(
    snapshot: &Snapshot,
    asker: &Asker,
    query: &ClaimQuery,
    as_of: AsOf,
) -> Result<Option<ClaimPage>, NodeError> {
    let everyone = asker.roles.has_authority() && !query.own;
    let leaves = leaves_between(snapshot, query.from, query.until)?;
    let mut cursor = match &query.cursor {
        None => None,
        Some(bytes) => match decode_cursor(bytes) {
            Some(cursor) if everyone || cursor.0 == *asker.member.as_bytes() => Some(cursor),
            Some(_) | None => return Ok(None),
        },
    };
    if let (false, Some(before)) = (everyone, leaves.start.checked_sub(1)) {
        // A member's locks stand in the order of the log: what is too old is not even read.
        cursor = cursor.max(Some((*asker.member.as_bytes(), before)));
    }
    let mut claims = Vec::new();
    let mut read = 0_usize;
    loop {
        let rows = rows_after(snapshot, asker, everyone, query.newest_first, cursor)?;
        let last = rows.len() < ROWS_AT_ONCE;
        for row in rows {
            cursor = Some((row.member, row.leaf_index));
            read = read.saturating_add(1);
            if !everyone && row.leaf_index >= leaves.end {
                return Ok(Some(ClaimPage {
                    claims,
                    next: None,
                    as_of,
                }));
            }
            if leaves.contains(&row.leaf_index)
                && let Some(view) = view(snapshot, &row, as_of)?
                && query.status.is_none_or(|status| status == view.status)
            {
                claims.push(view);
            }
            if claims.len() >= query.limit || read >= ROWS_READ_MAX {
                let next = cursor.map(encode_cursor);
                return Ok(Some(ClaimPage {
                    claims,
                    next,
                    as_of,
                }));
            }
        }
        if last {
            return Ok(Some(ClaimPage {
                claims,
                next: None,
                as_of,
            }));
        }
    }
}

/// The leaves that were recorded from one instant on and before another.
fn leaves_between(
    snapshot: &Snapshot,
    from: Option<Instant>,
    until: Option<Instant>,
) -> Result<Range<u64>, NodeError> {
    let start = from.map_or(Ok(0), |time| first_leaf_at(snapshot, time))?;
    let end = until.map_or(Ok(u64::MAX), |time| first_leaf_at(snapshot, time))?;
    Ok(start..end)
}

/// The first leaf of the first block of this instant or later; the end of the log when there is
/// none. The times of blocks grow with their heights, so it is found by halves.
fn first_leaf_at(snapshot: &Snapshot, time: Instant) -> Result<u64, NodeError> {
    let (mut low, mut high) = (1, snapshot.head().height.saturating_add(1));
    let mut first = snapshot.head().log_size();
    while low < high {
        let middle = low.midpoint(high);
        let Some(outline) = snapshot.outline(middle)? else {
            break;
        };
        if outline.header.time_ms < time.ms() {
            low = middle.saturating_add(1);
        } else {
            (high, first) = (middle, outline.header.first_index);
        }
    }
    Ok(first)
}

/// Rows of the index that are read together.
const ROWS_AT_ONCE: usize = 256;

fn rows_after(
    snapshot: &Snapshot,
    asker: &Asker,
    everyone: bool,
    newest_first: bool,
    cursor: Option<(MemberKey, u64)>,
) -> Result<Vec<ClaimRow>, NodeError> {
    let limit = ROWS_AT_ONCE;
    let rows = if everyone {
        snapshot.claims(Page {
            after: cursor,
            limit,
        })?
    } else {
        let after = cursor.map(|(_, index)| index);
        snapshot.claims_of(asker.member.as_bytes(), Page { after, limit }, newest_first)?
    };
    Ok(rows)
}

fn view(snapshot: &Snapshot, row: &ClaimRow, as_of: AsOf) -> Result<Option<ClaimView>, NodeError> {
    let (Some(by), Some((id, claim))) =
        (MemberId::from_bytes(&row.member), claim_of(snapshot, row)?)
    else {
        return Ok(None);
    };
    let Some(lock) = receipts::logged(snapshot, row.leaf_index)? else {
        return Ok(None);
    };
    let Body::ClaimLock(locked) = lock.record.body else {
        return Ok(None);
    };
    let mut voucher = None;
    if claim.settled_at.is_some() {
        let settled = receipts::logged(snapshot, claim.settled_index)?;
        if let Some(Body::ClaimSettle(body)) = settled.map(|logged| logged.record.body) {
            voucher = Some(body.voucher);
        }
    }
    Ok(Some(ClaimView {
        claim: id.as_str().to_owned(),
        by,
        status: claim.status_at(as_of.time),
        settled: claim.effective(),
        document: claim.document,
        kind: claim.kind,
        component: claim.component,
        reference: locked.reference,
        locked: claim.locked,
        expires_at: claim.expires_at,
        voucher,
        place: lock.place,
    }))
}

/// The id of a lock and its claim, as the state has it now.
pub(super) fn claim_of(
    snapshot: &Snapshot,
    row: &ClaimRow,
) -> Result<Option<(RecordId, Claim)>, NodeError> {
    let Some((owner, id)) = claim_key(&row.claim) else {
        return Ok(None);
    };
    let claim = TypedState(snapshot).claim(owner, &id)?;
    Ok(claim.map(|claim| (id, claim)))
}

/// Claimant's number and lock id out of a claim's key.
fn claim_key(key: &[u8]) -> Option<(MemberNo, RecordId)> {
    let (number, id) = key.split_first_chunk::<4>()?;
    let id = RecordId::spelled(std::str::from_utf8(id).ok()?).ok()?;
    Some((MemberNo(u32::from_be_bytes(*number)), id))
}

fn encode_cursor((member, index): (MemberKey, u64)) -> Vec<u8> {
    [member.as_slice(), &index.to_be_bytes()].concat()
}

fn decode_cursor(bytes: &[u8]) -> Option<(MemberKey, u64)> {
    let (member, index) = bytes.split_first_chunk::<18>()?;
    Some((*member, u64::from_be_bytes(index.try_into().ok()?)))
}
