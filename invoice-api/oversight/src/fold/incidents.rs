//! What a supervisor looks at one by one: attempts to claim what others hold, and reversals of what
//! was claimed.

use invoice_core::codec::DecodeError;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::Body;

use super::{Context, FoldError, Folded, SeenRecord, claims, origin};
use crate::codec::plus;
use crate::keys::{self, ATTEMPT, LATE, Measure, PAIR, Total};
use crate::list::{self, Name};
use crate::region::family;
use crate::row::{Holders, Incident, Pair};
use crate::rows::Rows;

/// The refusals of a lock that are an attempt when others hold money on the document.
const ATTEMPT_CODES: [&str; 6] = [
    "already_claimed",
    "already_locked",
    "claim_exceeds_remaining",
    "claimant_not_entitled",
    "component_exceeded",
    "document_over_claimed",
];

pub(super) fn incident<R: Rows>(
    context: &Context<'_, '_, R>,
    seen: &SeenRecord,
    document: DocumentKey,
    amount: Option<Fen>,
    holders: Holders,
) -> Incident {
    Incident {
        by: seen.record.by,
        id: seen.record.id.as_str().to_owned(),
        document,
        amount,
        largest: amount.unwrap_or(Fen::ZERO),
        code: seen.outcome.code().unwrap_or_default().to_owned(),
        height: context.height,
        time_ms: context.time_ms,
        holders,
        cleared: None,
    }
}

/// A refused lock: an attempt, when another holds money on the document.
///
/// Whoever sends a lock writes any amount into it, so no more of it is counted than the others
/// hold, and of each of them no more than it holds itself. The row keeps what was asked.
pub(super) fn attempted<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    code: &str,
) -> Folded<R> {
    let Body::ClaimLock(body) = &seen.record.body else {
        return Ok(());
    };
    if !ATTEMPT_CODES.contains(&code) {
        return Ok(());
    }
    let document = context.resolve(&body.document)?;
    let by = seen.record.by;
    let holders = claims::holders(context, &document)?;
    // Whoever holds all of it itself asks twice, and takes nothing from anyone.
    let others: Vec<(MemberId, Fen)> = holders
        .iter()
        .filter(|(member, _)| *member != by)
        .map(|(member, holding)| (*member, holding.money()))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    // Without an amount all that is left was asked.
    let of = |held: Fen| body.amount.map_or(held, |asked| asked.min(held));
    let held = others
        .iter()
        .fold(Fen::ZERO, |sum, (_, held)| plus(sum, *held));
    let amount = of(held);
    let place = (origin::region(context, &document)?, family(&document));
    context.count(Measure::Attempted, seen.index, place, amount)?;
    for (held, holds) in others {
        let key = keys::key(PAIR, &[by.as_bytes(), held.as_bytes()]);
        let changed = context.rows.update(key, |value| {
            let mut pair = match value.is_empty() {
                true => Pair::default(),
                false => Pair::decode(value)?,
            };
            let before = pair.tally.count;
            pair.tally.add(of(holds));
            pair.last = seen.index;
            *value = pair.encode();
            Ok::<_, DecodeError>(before)
        });
        let before = changed.map_err(FoldError::Rows)??;
        if before > 0 {
            context.rows.remove(keys::pair_rank(before, &by, &held));
        }
        let rank = keys::pair_rank(before.saturating_add(1), &by, &held);
        context.rows.put(rank, Vec::new());
        let name = Name::pair(by.as_bytes(), held.as_bytes());
        list::push(context.rows, &name, seen.index)?;
    }
    let row = incident(context, seen, document, body.amount, holders.into());
    let key = keys::by_index(ATTEMPT, seen.index);
    context.rows.put(key, row.encode());
    Ok(())
}

/// A document that is being reversed, and who held money on it before.
pub(super) struct Before {
    document: DocumentKey,
    holders: Holders,
}

/// Who holds money on the document that a record reverses; `None` when nobody does.
pub(super) fn holders_before<R: Rows>(
    context: &Context<'_, '_, R>,
    seen: &SeenRecord,
) -> Folded<R, Option<Before>> {
    let Body::DocumentReverse(body) = &seen.record.body else {
        return Ok(None);
    };
    let document = context.resolve(&body.document)?;
    let holders = claims::holders(context, &document)?;
    Ok((!holders.is_empty()).then(|| Before {
        document,
        holders: holders.into(),
    }))
}

pub(super) fn late_reversal<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    amount: Fen,
    before: Before,
) -> Folded<R> {
    context.total(Total::Late, |total| total.add(amount))?;
    let issuer = origin::issuer(context, &before.document)?;
    super::merchants::late(context, &issuer.unwrap_or(seen.record.by))?;
    let row = incident(context, seen, before.document, Some(amount), before.holders);
    let key = keys::by_index(LATE, seen.index);
    context.rows.put(key, row.encode());
    Ok(())
}
