//! `share.grant`: the buyer lets another organisation claim a part (原始凭证分割单).

use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use crate::record::ShareGrant;
use crate::refusal::Rejection;
use crate::state::{AliasKind, SHARES_PER_DOCUMENT_MAX, Share, StateView, Title, sum};

pub(super) fn grant<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ShareGrant,
) -> Result<(), Stop<V::Error>> {
    let to = context.member(&body.to)?;
    let Found {
        key,
        mut document,
        via,
    } = context.document(&body.document)?;
    let signer = context.signer;
    if document.title != Title::Organisation(signer.id) {
        return Err(Rejection::NotBuyer.into());
    }
    if document.frozen {
        return Err(Rejection::DocumentFrozen.into());
    }
    if document.is_reversed() || via == Some(AliasKind::RedLetter) {
        return Err(Rejection::DocumentReversed.into());
    }
    if document.is_over_claimed() {
        return Err(Rejection::DocumentOverClaimed.into());
    }
    let remaining = document.free_for(&signer.id, signer.number, context.time);
    let asked = body.amount;
    if asked > remaining {
        return Err(Rejection::ShareExceedsRemaining { remaining, asked }.into());
    }
    let full = document.shares.len() >= SHARES_PER_DOCUMENT_MAX;
    match document
        .shares
        .iter_mut()
        .find(|share| share.holder == to.number)
    {
        Some(share) => share.amount = sum([share.amount, asked]),
        None if full => return Err(Rejection::TooManyShares.into()),
        None => document.shares.push(Share {
            holder: to.number,
            amount: asked,
        }),
    }
    context.put_document(&key, &mut document);
    context.tell(
        Event::new(EventKind::ShareGranted, vec![signer.id, body.to])
            .of(key)
            .amount(asked),
    );
    Ok(())
}
