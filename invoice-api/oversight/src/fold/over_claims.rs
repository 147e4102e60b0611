//! Settlements beyond what reversals left, while it is so.
//!
//! The registry tells when a document becomes over-claimed, with the excess, and when it is so no
//! more. In between, every further reversal and every settlement that is taken back changes the
//! excess, and only their own events tell of it: so the capacity that is left is followed here.

use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;

use super::incidents::incident;
use super::{Context, Folded, SeenRecord, claims};
use crate::codec::minus;
use crate::keys::{self, OVER, OVER_LOG, Total};
use crate::row::{Incident, OverClaim};
use crate::rows::Rows;

/// The settlements exceed the capacity from this record on.
pub(super) fn opened<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    document: &DocumentKey,
    excess: Fen,
) -> Folded<R> {
    let holders = claims::holders(context, document)?;
    let settled = holders.iter().fold(Fen::ZERO, |sum, (_, held)| {
        crate::codec::plus(sum, held.settled)
    });
    let over = OverClaim {
        since: seen.index,
        capacity: minus(settled, excess).max(Fen::ZERO),
    };
    let row = incident(context, seen, *document, Some(excess), holders.into());
    let log = keys::by_index(OVER_LOG, seen.index);
    context.rows.put(log, row.encode());
    let open = keys::by_document(OVER, document);
    context.rows.put(open, over.encode());
    context.total(Total::Over, |total| total.add(excess))?;
    context.total(Total::OverOpen, |total| total.add(excess))
}

/// A reversal took more of a document. What it takes below zero was not claimable before either.
pub(super) fn reversed<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    document: &DocumentKey,
    amount: Fen,
) -> Folded<R> {
    let open = keys::by_document(OVER, document);
    let Some(row) = context.value(&open)? else {
        return Ok(());
    };
    let over = OverClaim::decode(&row)?;
    // The excess of the reversal that made it so is told with it.
    if over.since == index {
        return Ok(());
    }
    let left = OverClaim {
        capacity: minus(over.capacity, amount).max(Fen::ZERO),
        ..over
    };
    context.rows.put(open, left.encode());
    let more = minus(over.capacity, left.capacity);
    change(context, over.since, more, None)
}

/// A settlement was taken back.
pub(super) fn taken_back<R: Rows>(
    context: &mut Context<'_, '_, R>,
    document: &DocumentKey,
    amount: Fen,
) -> Folded<R> {
    let Some(row) = context.value(&keys::by_document(OVER, document))? else {
        return Ok(());
    };
    let since = OverClaim::decode(&row)?.since;
    change(context, since, minus(Fen::ZERO, amount), None)
}

/// The settlements fit again.
pub(super) fn cleared<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    document: &DocumentKey,
) -> Folded<R> {
    let open = keys::by_document(OVER, document);
    let Some(row) = context.value(&open)? else {
        return Ok(());
    };
    context.rows.remove(open);
    change(
        context,
        OverClaim::decode(&row)?.since,
        Fen::ZERO,
        Some(index),
    )
}

/// The excess is `more` than before, or is none since a record that cleared it.
fn change<R: Rows>(
    context: &mut Context<'_, '_, R>,
    since: u64,
    more: Fen,
    cleared: Option<u64>,
) -> Folded<R> {
    let log = keys::by_index(OVER_LOG, since);
    let Some(row) = context.value(&log)? else {
        return Ok(());
    };
    let mut incident = Incident::decode(&row)?;
    let before = incident.amount.unwrap_or(Fen::ZERO);
    let excess = crate::codec::plus(before, more).max(Fen::ZERO);
    let now = if cleared.is_some() { Fen::ZERO } else { excess };
    let largest = incident.largest.max(now);
    context.total(Total::OverOpen, |total| match cleared {
        Some(_) => total.take(before),
        None => total.shift(before, now),
    })?;
    let known = incident.largest;
    context.total(Total::Over, |total| total.shift(known, largest))?;
    incident.amount = Some(now);
    incident.largest = largest;
    incident.cleared = cleared;
    context.rows.put(log, incident.encode());
    Ok(())
}
