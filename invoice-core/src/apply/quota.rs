//! `quota.set`, and what issuing and reversing do to a quota.

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use crate::calendar::Month;
use crate::money::Fen;
use crate::record::{QuotaSet, Role};
use crate::refusal::Rejection;
use crate::state::{MemberNo, Quota, StateView, Table, difference, quota_key, sum};

pub(super) fn set<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &QuotaSet,
) -> Result<(), Stop<V::Error>> {
    let member = context.member(&body.member)?;
    if !(member.roles.contains(Role::Merchant) || member.roles.contains(Role::Hospital)) {
        return Err(Rejection::MemberNotIssuer.into());
    }
    let quota = context.state().quota(member.number, body.month)?;
    let quota = Quota {
        limit: Some(body.amount),
        ..quota
    };
    put(context, member.number, body.month, quota);
    context.tell(Event::new(EventKind::QuotaSet, vec![body.member]).amount(body.amount));
    Ok(())
}

/// Counts a document against the signer's quota of the month.
pub(super) fn consume<V: StateView>(
    context: &mut Context<'_, '_, V>,
    month: Month,
    asked: Fen,
) -> Result<(), Stop<V::Error>> {
    let issuer = context.signer.number;
    let Quota { limit, used } = context.state().quota(issuer, month)?;
    let after = sum([used, asked]);
    if let Some(limit) = limit.filter(|limit| after > *limit) {
        return Err(Rejection::QuotaExceeded { limit, used, asked }.into());
    }
    put(context, issuer, month, Quota { limit, used: after });
    Ok(())
}

/// Gives back what a reversal in the month of issue restores.
pub(super) fn restore<V: StateView>(
    context: &mut Context<'_, '_, V>,
    month: Month,
    amount: Fen,
) -> Result<(), Stop<V::Error>> {
    let issuer = context.signer.number;
    let Quota { limit, used } = context.state().quota(issuer, month)?;
    put(
        context,
        issuer,
        month,
        Quota {
            limit,
            used: difference(used, amount),
        },
    );
    Ok(())
}

fn put<V: StateView>(
    context: &mut Context<'_, '_, V>,
    member: MemberNo,
    month: Month,
    quota: Quota,
) {
    context.put(Table::Quota, quota_key(member, month), quota.encode());
}
