//! `document.reverse`: the red letter (红字, 冲红).

use super::confirm_reversal;
use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use super::execution::each_once;
use super::quota;
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::record::{DocumentReverse, ReversalReason};
use crate::refusal::Rejection;
use crate::state::{
    AliasEntry, AliasKind, Document, Family, StateView, Table, Title, confirmation_key, difference,
    document_key, sum,
};

pub(super) fn reverse<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &DocumentReverse,
) -> Result<(), Stop<V::Error>> {
    let red_key = body.red_number.map(|red| DocumentKey::Digital(red.0));
    if let Some(red) = &red_key
        && super::resolve(&context.state(), red)?.is_some()
    {
        return Err(Rejection::IdentityTaken.into());
    }
    let Found {
        key,
        mut document,
        via,
    } = context.document(&body.document)?;
    if document.issuer != context.signer.number {
        return Err(Rejection::NotIssuer.into());
    }
    if document.is_reversed() || via == Some(AliasKind::RedLetter) {
        return Err(Rejection::DocumentReversed.into());
    }
    let asked = body.amount;
    let must_be_whole =
        document.family == Family::Bill || body.reason == ReversalReason::IssuedInError;
    if must_be_whole && (asked != document.total || document.reversed != Fen::ZERO) {
        return Err(Rejection::ReversalMustBeWhole {
            whole: document.total,
        }
        .into());
    }
    let remaining = document.unreversed();
    if asked > remaining {
        return Err(Rejection::ReversalExceedsRemaining { remaining, asked }.into());
    }
    let holders = document.holders_at(context.time);
    // Everyone who holds money on the document has agreed to this very amount. What happened to a
    // document elsewhere has happened, whether they agree or not.
    if !document.registered {
        let missing = confirm_reversal::missing(context, &key, &document, &holders, asked)?;
        if missing > 0 {
            return Err(Rejection::ReversalNotConfirmed { missing }.into());
        }
    }

    for holder in &holders {
        context.remove(Table::Confirmation, confirmation_key(&key, *holder));
    }
    free_locks(context, &key, &mut document)?;
    let was_over_claimed = document.is_over_claimed();
    document.reversed = sum([document.reversed, asked]);
    restore_quota(context, &mut document, asked)?;
    if let Some(red) = red_key {
        let entry = AliasEntry {
            kind: AliasKind::RedLetter,
            document: key,
        };
        context.put(Table::Alias, document_key(&red), entry.encode());
    }

    let mut concerns = context.ids(holders.iter().copied())?;
    if document.is_over_claimed() && !was_over_claimed {
        let excess = difference(document.settled(), document.capacity());
        context.state_fact("over_claimed", excess);
        context.tell(
            Event::new(EventKind::OverClaimed, concerns.clone())
                .of(key)
                .amount(excess),
        );
    }
    concerns.push(context.signer.id);
    if let Title::Organisation(buyer) = document.title {
        concerns.push(buyer);
    }
    concerns.extend(context.ids(document.shares.iter().map(|share| share.holder))?);
    context.state_fact("remaining", document.unreversed());
    context.put_document(&key, &mut document);
    context.tell(
        Event::new(EventKind::DocumentReversed, each_once(concerns))
            .of(key)
            .amount(asked),
    );
    Ok(())
}

/// Gives back every live lock: what they hold is no longer what was locked.
fn free_locks<V: StateView>(
    context: &mut Context<'_, '_, V>,
    key: &DocumentKey,
    document: &mut Document,
) -> Result<(), Stop<V::Error>> {
    let time = context.time;
    let freed: Vec<_> = document.live_at(time).cloned().collect();
    for holding in freed {
        if let Some(mut claim) = context.state().claim(holding.owner, &holding.claim)? {
            claim.released_at = Some(time);
            context.put_claim(holding.owner, &holding.claim, &claim);
        }
        for owner in context.ids([holding.owner])? {
            context.tell(
                Event::new(EventKind::ClaimReleased, vec![owner])
                    .of(*key)
                    .claim(owner, holding.claim.clone())
                    .amount(holding.locked),
            );
        }
    }
    for holding in &mut document.holdings {
        holding.locked = Fen::ZERO;
    }
    Ok(())
}

/// A reversal in the month of issue gives its part of the sum without tax back to the quota:
/// proportional and rounded down, the last part takes what is left.
fn restore_quota<V: StateView>(
    context: &mut Context<'_, '_, V>,
    document: &mut Document,
    asked: Fen,
) -> Result<(), Stop<V::Error>> {
    let month = document.issue_date.month();
    let took_quota = document.family == Family::Invoice && !document.registered;
    if !took_quota || context.time.month_utc8() != month {
        return Ok(());
    }
    let part = if document.is_reversed() {
        difference(document.total_without_tax, document.quota_restored)
    } else {
        proportion(asked, document.total_without_tax, document.total)
    };
    document.quota_restored = sum([document.quota_restored, part]);
    quota::restore(context, month, part)
}

/// `amount × part ÷ whole`, rounded down; the product of two amounts needs 128 bits.
fn proportion(amount: Fen, part: Fen, whole: Fen) -> Fen {
    let product = i128::from(amount.get()).saturating_mul(i128::from(part.get()));
    let quotient = product.checked_div(i128::from(whole.get())).unwrap_or(0);
    Fen::new(i64::try_from(quotient).unwrap_or(0))
}
