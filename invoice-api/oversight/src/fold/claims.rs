//! Live locks, and who holds what on which document.

use invoice_core::codec::DecodeError;
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::record::{Body, ClaimKind};

use super::{Context, FoldError, Folded, SeenRecord, origin};
use crate::codec::{minus, plus};
use crate::keys::{self, HOLDER, LOCK_DAY, LOCK_EXPIRY, Level, Measure, Total};
use crate::list::{self, Name};
use crate::region::family;
use crate::row::{Holding, Lock};
use crate::rows::Rows;

/// Expired locks that are looked for at a time.
const EXPIRED_AT_ONCE: usize = 1_000;
/// Holders of a document that are counted: more cannot hold money at once, since the rules of the
/// registry bound the live locks and settlements of a document.
const HOLDERS_MAX: usize = 4_096;

/// Ends the locks that ran out by the time of the block.
pub(super) fn expire<R: Rows>(context: &mut Context<'_, '_, R>) -> Folded<R> {
    loop {
        let from = [LOCK_EXPIRY];
        let to = keys::lock_expiry(context.time_ms.saturating_add(1), 0);
        let rows = context.rows.scan(&from, &to, EXPIRED_AT_ONCE);
        let rows = rows.map_err(FoldError::Rows)?;
        let last = rows.len() < EXPIRED_AT_ONCE;
        for (_, claim) in rows {
            let (by, id) = claim_of(&claim)?;
            if let Some(lock) = end(context, &by, &id)? {
                context.total(Total::Expired, |total| total.add(lock.amount))?;
                list::push(context.rows, &Name::expired(), lock.index)?;
            }
        }
        if last {
            return Ok(());
        }
    }
}

/// Claimant and id of a claim in the value of an index row.
pub(crate) fn claim_of(bytes: &[u8]) -> Result<(MemberId, RecordId), DecodeError> {
    use invoice_core::read::Spelled as _;
    let (by, id) = bytes
        .split_at_checked(18)
        .ok_or(DecodeError::Truncated { what: "claim" })?;
    let id = std::str::from_utf8(id).map_err(|_| DecodeError::Invalid { what: "claim" })?;
    let id = RecordId::spelled(id).map_err(|_| DecodeError::Invalid { what: "claim" })?;
    Ok((crate::codec::member(by)?, id))
}

pub(super) fn locked<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    document: &DocumentKey,
    by: &MemberId,
    id: &RecordId,
    amount: Fen,
) -> Folded<R> {
    let Body::ClaimLock(body) = &seen.record.body else {
        return Ok(());
    };
    // A reference holds no money and never ends.
    if body.kind == ClaimKind::Reference {
        return Ok(());
    }
    let place = (origin::region(context, document)?, family(document));
    context.count(Measure::Locked, seen.index, place, amount)?;
    let lock = Lock {
        index: seen.index,
        document: *document,
        amount,
        locked_ms: context.time_ms,
        expires_ms: body.expires_at.ms(),
        kind: body.kind.as_str().to_owned(),
    };
    let claim = [by.as_bytes().as_slice(), id.as_str().as_bytes()].concat();
    let order = keys::lock_order(lock.locked_ms, seen.index);
    context.rows.put(order, claim.clone());
    let expiry = keys::lock_expiry(lock.expires_ms, seen.index);
    context.rows.put(expiry, claim);
    context.rows.put(keys::lock(by, id), lock.encode());
    context.total(Total::Live, |total| total.add(amount))?;
    context.tally(day(&lock), |tally| tally.add(amount))?;
    holding(context, document, by, |holding| {
        holding.locks = holding.locks.saturating_add(1);
        holding.locked = plus(holding.locked, amount);
    })
}

pub(super) fn settled<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    document: &DocumentKey,
    by: &MemberId,
    id: &RecordId,
    amount: Fen,
) -> Folded<R> {
    let place = (origin::region(context, document)?, family(document));
    context.count(Measure::Settled, seen.index, place, amount)?;
    end(context, by, id)?;
    holding(context, document, by, |holding| {
        holding.settled = plus(holding.settled, amount);
    })
}

/// A lock was given back.
pub(super) fn ended<R: Rows>(
    context: &mut Context<'_, '_, R>,
    by: &MemberId,
    id: &RecordId,
) -> Folded<R> {
    end(context, by, id).map(drop)
}

pub(super) fn taken_back<R: Rows>(
    context: &mut Context<'_, '_, R>,
    document: &DocumentKey,
    by: &MemberId,
    amount: Fen,
) -> Folded<R> {
    holding(context, document, by, |holding| {
        holding.settled = minus(holding.settled, amount);
    })
}

/// Takes a live lock out of all rows; `None` when it is not live any more.
fn end<R: Rows>(
    context: &mut Context<'_, '_, R>,
    by: &MemberId,
    id: &RecordId,
) -> Folded<R, Option<Lock>> {
    let key = keys::lock(by, id);
    let Some(row) = context.value(&key)? else {
        return Ok(None);
    };
    let lock = Lock::decode(&row)?;
    context.rows.remove(key);
    let order = keys::lock_order(lock.locked_ms, lock.index);
    context.rows.remove(order);
    let expiry = keys::lock_expiry(lock.expires_ms, lock.index);
    context.rows.remove(expiry);
    context.total(Total::Live, |total| total.take(lock.amount))?;
    context.tally(day(&lock), |tally| tally.take(lock.amount))?;
    holding(context, &lock.document, by, |holding| {
        holding.locks = holding.locks.saturating_sub(1);
        holding.locked = minus(holding.locked, lock.amount);
    })?;
    Ok(Some(lock))
}

fn day(lock: &Lock) -> Vec<u8> {
    let day = Level::Day.bucket(lock.locked_ms);
    keys::key(LOCK_DAY, &[&day.to_be_bytes()])
}

fn holding<R: Rows>(
    context: &mut Context<'_, '_, R>,
    document: &DocumentKey,
    by: &MemberId,
    change: impl FnOnce(&mut Holding),
) -> Folded<R> {
    let changed = context.rows.update(keys::holder(document, by), |value| {
        let mut holding = Holding::decode(value)?;
        change(&mut holding);
        *value = holding.encode();
        Ok::<_, DecodeError>(())
    });
    Ok(changed.map_err(FoldError::Rows)??)
}

/// Everyone who holds money on a document now, by member id.
pub(super) fn holders<R: Rows>(
    context: &Context<'_, '_, R>,
    document: &DocumentKey,
) -> Folded<R, Vec<(MemberId, Holding)>> {
    let prefix = keys::by_document(HOLDER, document);
    let rows = context
        .rows
        .scan(&prefix, &keys::after(&prefix), HOLDERS_MAX)
        .map_err(FoldError::Rows)?;
    let mut holders = Vec::with_capacity(rows.len());
    for (key, value) in rows {
        let member = crate::codec::member(key.get(prefix.len()..).unwrap_or_default())?;
        holders.push((member, Holding::decode(&value)?));
    }
    Ok(holders)
}
