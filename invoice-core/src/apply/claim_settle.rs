//! `claim.settle`: a lock becomes a reimbursement (入账).

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use crate::calendar::Instant;
use crate::identity::RecordId;
use crate::money::Fen;
use crate::record::{ClaimKind, ClaimSettle};
use crate::refusal::Rejection;
use crate::state::{Claim, ClaimStatus, Document, Holding, MemberNo, StateView, difference};

pub(super) fn settle<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ClaimSettle,
) -> Result<(), Stop<V::Error>> {
    let mut claim = own_claim(context, &body.claim)?;
    let mut document = context
        .state()
        .document(&claim.document)?
        .ok_or(Rejection::DocumentUnknown)?;
    if document.frozen {
        return Err(Rejection::DocumentFrozen.into());
    }
    check_live(&claim, context.time)?;
    if body.booked_on > context.today {
        return Err(Rejection::BookedInFuture {
            today: context.today.to_string(),
        }
        .into());
    }
    if body.amount > claim.locked {
        let locked = claim.locked;
        return Err(Rejection::SettleExceedsLock {
            locked,
            asked: body.amount,
        }
        .into());
    }
    claim.settled_at = Some(context.time);
    claim.settled_index = context.index;
    claim.settled = body.amount;
    let signer = context.signer;
    if let Some(holding) = holding_mut(&mut document, signer.number, &body.claim) {
        holding.locked = Fen::ZERO;
        holding.settled = body.amount;
    }
    context.put_claim(signer.number, &body.claim, &claim);
    let key = claim.document;
    context.put_document(&key, &mut document);
    context.state_fact("freed", difference(claim.locked, body.amount));
    context.tell(
        Event::new(EventKind::ClaimSettled, vec![signer.id])
            .of(key)
            .claim(signer.id, body.claim.clone())
            .amount(body.amount),
    );
    Ok(())
}

/// The signer's claim with this id.
pub(super) fn own_claim<V: StateView>(
    context: &Context<'_, '_, V>,
    id: &RecordId,
) -> Result<Claim, Stop<V::Error>> {
    Ok(context
        .state()
        .claim(context.signer.number, id)?
        .ok_or(Rejection::ClaimNotFound)?)
}

/// Refuses a claim whose lock is not live.
pub(super) fn check_live(claim: &Claim, time: Instant) -> Result<(), Rejection> {
    if claim.kind == ClaimKind::Reference {
        return Err(Rejection::ClaimIsReference);
    }
    match claim.status_at(time) {
        ClaimStatus::Locked => Ok(()),
        ClaimStatus::Released => Err(Rejection::ClaimReleased),
        ClaimStatus::Expired => Err(Rejection::ClaimExpired {
            expired_at: claim.expires_at,
        }),
        ClaimStatus::Settled | ClaimStatus::Reversed => Err(Rejection::ClaimAlreadySettled),
    }
}

/// The document's entry of a claim.
pub(super) fn holding_mut<'d>(
    document: &'d mut Document,
    owner: MemberNo,
    claim: &RecordId,
) -> Option<&'d mut Holding> {
    document
        .holdings
        .iter_mut()
        .find(|held| held.owner == owner && held.claim == *claim)
}
