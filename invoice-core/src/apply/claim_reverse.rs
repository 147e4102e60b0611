//! `claim.reverse`: the settler takes a settlement back, wholly or in part (入账撤销).

use super::claim_settle::{holding_mut, own_claim};
use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use super::execution::each_once;
use crate::record::{ClaimKind, ClaimReverse};
use crate::refusal::Rejection;
use crate::state::{ClaimStatus, StateView, sum};

pub(super) fn reverse<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ClaimReverse,
) -> Result<(), Stop<V::Error>> {
    let signer = context.signer;
    let mut claim = own_claim(context, &body.claim)?;
    if claim.kind == ClaimKind::Reference {
        return Err(Rejection::ClaimIsReference.into());
    }
    match claim.status_at(context.time) {
        ClaimStatus::Settled => {}
        ClaimStatus::Reversed => return Err(Rejection::ClaimReversed.into()),
        ClaimStatus::Locked | ClaimStatus::Released | ClaimStatus::Expired => {
            return Err(Rejection::ClaimNotSettled.into());
        }
    }
    let settled = claim.effective();
    let asked = body.amount;
    if asked > settled {
        return Err(Rejection::ReverseExceedsSettlement { settled, asked }.into());
    }
    let mut document = context
        .state()
        .document(&claim.document)?
        .ok_or(Rejection::DocumentUnknown)?;
    let was_over_claimed = document.is_over_claimed();
    claim.taken_back = sum([claim.taken_back, asked]);
    let left = claim.effective();
    if let Some(holding) = holding_mut(&mut document, signer.number, &body.claim) {
        holding.settled = left;
    }
    let cleared = was_over_claimed && !document.is_over_claimed();
    context.put_claim(signer.number, &body.claim, &claim);
    let key = claim.document;
    context.put_document(&key, &mut document);
    context.state_fact("settled", left);
    context.tell(
        Event::new(EventKind::ClaimReversed, vec![signer.id])
            .of(key)
            .claim(signer.id, body.claim.clone())
            .amount(asked),
    );
    if cleared {
        // Who took everything back holds nothing any more, and is told all the same.
        let mut concerns = context.ids(document.holders_at(context.time))?;
        concerns.push(signer.id);
        context.tell(Event::new(EventKind::OverClaimCleared, each_once(concerns)).of(key));
    }
    Ok(())
}
