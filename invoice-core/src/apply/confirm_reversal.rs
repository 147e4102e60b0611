//! `document.confirm_reversal`: a holder's consent to a reversal (红字发票信息确认单).

use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use super::execution::each_once;
use crate::identity::DocumentKey;
use crate::money::Fen;
use crate::record::ConfirmReversal;
use crate::refusal::Rejection;
use crate::state::{Confirmation, Document, MemberNo, StateView, Table, confirmation_key};

/// How long a confirmation is good: 72 h of block time (国家税务总局公告2024年第11号).
pub const CONFIRMATION_VALIDITY_MS: i64 = 72 * 60 * 60 * 1000;

pub(super) fn confirm<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ConfirmReversal,
) -> Result<(), Stop<V::Error>> {
    let Found { key, document, .. } = context.document(&body.document)?;
    if !document
        .holders_at(context.time)
        .contains(&context.signer.number)
    {
        return Err(Rejection::NothingToConfirm.into());
    }
    let remaining = document.unreversed();
    if body.amount > remaining {
        let asked = body.amount;
        return Err(Rejection::ReversalExceedsRemaining { remaining, asked }.into());
    }
    let confirmation = Confirmation {
        amount: body.amount,
        reversed: document.reversed,
        at: context.time,
    };
    let entry = confirmation_key(&key, context.signer.number);
    context.put(Table::Confirmation, entry, confirmation.encode());
    let mut concerns = context.ids([document.issuer])?;
    concerns.push(context.signer.id);
    context.tell(
        Event::new(EventKind::ReversalConfirmed, each_once(concerns))
            .of(key)
            .amount(body.amount),
    );
    Ok(())
}

/// How many of the holders have not confirmed that this amount is the next reversal, in time.
pub(super) fn missing<V: StateView>(
    context: &Context<'_, '_, V>,
    key: &DocumentKey,
    document: &Document,
    holders: &[MemberNo],
    amount: Fen,
) -> Result<u32, Stop<V::Error>> {
    let mut missing = 0_u32;
    for holder in holders {
        let confirmation = context.state().confirmation(key, *holder)?;
        let confirmed = confirmation.is_some_and(|confirmation| {
            let age_ms = context.time.ms().saturating_sub(confirmation.at.ms());
            confirmation.amount == amount
                && confirmation.reversed == document.reversed
                && age_ms < CONFIRMATION_VALIDITY_MS
        });
        missing = missing.saturating_add(u32::from(!confirmed));
    }
    Ok(missing)
}
