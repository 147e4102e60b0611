//! `member.admit`, `member.suspend`, `member.resume`.

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use super::keys;
use crate::identity::MemberId;
use crate::record::MemberAdmit;
use crate::refusal::Rejection;
use crate::state::{KeyBytes, MEMBER_COUNTER, Member, MemberNo, StateView, Table};

pub(super) fn admit<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &MemberAdmit,
) -> Result<(), Stop<V::Error>> {
    let id = &body.member.id;
    if context.state().member(id)?.is_some() {
        return Err(Rejection::MemberExists.into());
    }
    let number = MemberNo(context.state().member_count()?);
    keys::register(context, number, &body.key)?;
    let member = Member {
        number,
        roles: body.member.roles,
        suspended: false,
        name: body.member.name.clone(),
    };
    context.put_member(id, &member);
    context.put(
        Table::MemberNumber,
        KeyBytes::of(&[&number.0.to_be_bytes()]),
        id.as_bytes().to_vec(),
    );
    let count = number.0.saturating_add(1);
    context.put(
        Table::Counter,
        KeyBytes::of(&[MEMBER_COUNTER]),
        count.to_be_bytes().to_vec(),
    );
    context.tell(Event::new(EventKind::MemberAdmitted, vec![*id]));
    Ok(())
}

pub(super) fn suspend<V: StateView>(
    context: &mut Context<'_, '_, V>,
    id: &MemberId,
) -> Result<(), Stop<V::Error>> {
    let mut member = context.member(id)?;
    if member.suspended {
        return Err(Rejection::MemberAlreadySuspended.into());
    }
    member.suspended = true;
    context.put_member(id, &member);
    context.tell(Event::new(EventKind::MemberSuspended, vec![*id]));
    Ok(())
}

pub(super) fn resume<V: StateView>(
    context: &mut Context<'_, '_, V>,
    id: &MemberId,
) -> Result<(), Stop<V::Error>> {
    let mut member = context.member(id)?;
    if !member.suspended {
        return Err(Rejection::MemberNotSuspended.into());
    }
    member.suspended = false;
    context.put_member(id, &member);
    context.tell(Event::new(EventKind::MemberResumed, vec![*id]));
    Ok(())
}
