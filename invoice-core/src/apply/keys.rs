//! `key.add`, `key.revoke`: rotation and the end of a key.

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use crate::record::{KeyAdd, KeyRevoke, NewKey};
use crate::refusal::Rejection;
use crate::state::{KeyBytes, KeyEntry, MemberNo, StateView, Table};

pub(super) fn add<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &KeyAdd,
) -> Result<(), Stop<V::Error>> {
    let member = context.member(&body.member)?;
    register(context, member.number, &body.key)?;
    context.tell(Event::new(EventKind::KeyAdded, vec![body.member]));
    Ok(())
}

/// Registers a key. A `kid` is registered once for all members and all time, so that a signature
/// always names one key.
pub(super) fn register<V: StateView>(
    context: &mut Context<'_, '_, V>,
    owner: MemberNo,
    key: &NewKey,
) -> Result<(), Stop<V::Error>> {
    let kid = key.public_key.kid();
    if context.state().key(&kid)?.is_some() {
        return Err(Rejection::KidExists.into());
    }
    if key.not_after.is_some_and(|end| end <= context.time) {
        return Err(Rejection::KeyExpiryPast.into());
    }
    let entry = KeyEntry {
        owner,
        public_key: key.public_key.clone(),
        not_after: key.not_after,
        revoked_at: None,
    };
    context.put(Table::Key, KeyBytes::of(&[kid.as_bytes()]), entry.encode());
    Ok(())
}

pub(super) fn revoke<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &KeyRevoke,
) -> Result<(), Stop<V::Error>> {
    let member = context.member(&body.member)?;
    let mut key = match context.state().key(&body.kid)? {
        Some(key) if key.owner == member.number => key,
        Some(_) | None => return Err(Rejection::KeyNotFound.into()),
    };
    if key.revoked_at.is_some() {
        return Err(Rejection::KeyAlreadyRevoked.into());
    }
    key.revoked_at = Some(context.time);
    context.put(
        Table::Key,
        KeyBytes::of(&[body.kid.as_bytes()]),
        key.encode(),
    );
    context.tell(Event::new(EventKind::KeyRevoked, vec![body.member]));
    Ok(())
}
