//! `claim.release`: the owner gives a lock back.

use super::claim_settle::{check_live, holding_mut, own_claim};
use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use crate::money::Fen;
use crate::record::ClaimRelease;
use crate::refusal::Rejection;
use crate::state::StateView;

pub(super) fn release<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ClaimRelease,
) -> Result<(), Stop<V::Error>> {
    let mut claim = own_claim(context, &body.claim)?;
    check_live(&claim, context.time)?;
    let mut document = context
        .state()
        .document(&claim.document)?
        .ok_or(Rejection::DocumentUnknown)?;
    claim.released_at = Some(context.time);
    let signer = context.signer;
    if let Some(holding) = holding_mut(&mut document, signer.number, &body.claim) {
        holding.locked = Fen::ZERO;
    }
    context.put_claim(signer.number, &body.claim, &claim);
    let key = claim.document;
    context.put_document(&key, &mut document);
    context.tell(
        Event::new(EventKind::ClaimReleased, vec![signer.id])
            .of(key)
            .claim(signer.id, body.claim.clone())
            .amount(claim.locked),
    );
    Ok(())
}
