//! `validators.change`: who decides on blocks from a height on.

use super::context::{Context, Stop};
use super::event::{Event, EventKind};
use super::execution::Inadmissible;
use crate::calendar::Instant;
use crate::chain::{FROM_HEIGHT_AHEAD_MAX, FROM_HEIGHT_AHEAD_MIN, VALIDATOR_CHANGES_MAX};
use crate::crypto::messages::validators_message;
use crate::identity::MemberId;
use crate::record::{Role, RoleSet, ValidatorsChange};
use crate::refusal::{AuthenticationError, Forbidden, Rejection};
use crate::state::{Fault, KeyBytes, NEWEST_KEY, StateView, Table, TypedState, ValidatorsEntry};

/// Judges the countersignature: who gave it, and whether that member may. What does not count leaves
/// no trace, like a record's own signature.
pub(super) fn countersigned<V: StateView>(
    state: &TypedState<'_, V>,
    body: &ValidatorsChange,
    by: &MemberId,
    roles: RoleSet,
    time: Instant,
) -> Result<Option<Inadmissible>, Fault<V::Error>> {
    let unauthenticated = |error| Ok(Some(Inadmissible::Unauthenticated(error)));
    let forbidden = |forbidden| Ok(Some(Inadmissible::Forbidden(forbidden)));
    let other = &body.countersigned;
    let Some(key) = state.key(&other.kid)? else {
        return unauthenticated(AuthenticationError::KeyUnknown);
    };
    let standing = match state.standing(&other.by)? {
        Some(standing) if standing.number == key.owner => standing,
        Some(_) | None => return unauthenticated(AuthenticationError::KeyNotOfMember),
    };
    let change = &body.change;
    let verifies = state.chain_id()?.is_some_and(|chain| {
        let list = change.validators.list_digest();
        let message = validators_message(&chain, change.from_height, &change.replaces, &list);
        key.public_key.verify(&message, &other.sig)
    });
    if !verifies {
        return unauthenticated(AuthenticationError::SignatureInvalid);
    }
    if let Err(error) = key.usable_at(time) {
        return unauthenticated(error);
    }
    if standing.suspended {
        return forbidden(Forbidden::MemberSuspended);
    }
    if other.by == *by || !are_both_bureaus(roles, standing.roles) {
        return forbidden(Forbidden::RoleMissing);
    }
    Ok(None)
}

/// Whether one of two members is a tax authority and the other a finance authority.
fn are_both_bureaus(one: RoleSet, other: RoleSet) -> bool {
    let pair =
        |tax: RoleSet, finance: RoleSet| tax.contains(Role::Tax) && finance.contains(Role::Finance);
    pair(one, other) || pair(other, one)
}

pub(super) fn change<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ValidatorsChange,
) -> Result<(), Stop<V::Error>> {
    let change = &body.change;
    let newest = context.state().newest_validators()?;
    let newest = newest.ok_or(Rejection::ValidatorsNotCurrent)?;
    if newest.set.digest() != change.replaces {
        return Err(Rejection::ValidatorsNotCurrent.into());
    }
    if newest.from_height > context.height {
        return Err(Rejection::ValidatorsChangePending {
            from_height: newest.from_height,
        }
        .into());
    }
    let earliest = context.height.saturating_add(FROM_HEIGHT_AHEAD_MIN);
    if change.from_height < earliest {
        return Err(Rejection::FromHeightTooEarly { earliest }.into());
    }
    let latest = context.height.saturating_add(FROM_HEIGHT_AHEAD_MAX);
    if change.from_height > latest {
        return Err(Rejection::FromHeightTooLate { latest }.into());
    }
    if newest.number >= VALIDATOR_CHANGES_MAX as u64 {
        return Err(Rejection::TooManyValidatorChanges.into());
    }
    let entry = ValidatorsEntry {
        from_height: change.from_height,
        number: newest.number.saturating_add(1),
        previous: newest.from_height,
        index: context.index,
        set: change.validators.clone(),
    };
    let height = change.from_height.to_be_bytes();
    context.put(Table::Validators, KeyBytes::of(&[&height]), entry.encode());
    context.put(
        Table::Validators,
        KeyBytes::of(&[NEWEST_KEY]),
        height.to_vec(),
    );
    // Authorities hear of every event; these two are named because they signed.
    let told = vec![context.signer.id, body.countersigned.by];
    context.tell(Event::new(EventKind::ValidatorsChanged, told));
    Ok(())
}
