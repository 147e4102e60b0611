//! Static rights (403): what a member may do by its roles, whatever documents the registry holds.

use super::candidate::Candidate;
use super::work::Work;
use crate::identity::MemberId;
use crate::record::{ClaimKind, RecordType, Role, RoleSet};
use crate::refusal::Forbidden;
use crate::state::{Fault, Standing, StateView, TypedState};

/// The first right that is missing, in the order of [`Forbidden`].
pub(super) fn check<V: StateView>(
    state: &TypedState<'_, V>,
    candidate: &Candidate,
    by: &MemberId,
    member: Standing,
) -> Result<Option<Forbidden>, Fault<V::Error>> {
    if member.suspended {
        return Ok(Some(Forbidden::MemberSuspended));
    }
    if !may_submit(candidate.record_type, member.roles) {
        return Ok(Some(Forbidden::RoleMissing));
    }
    // Invoices are the tax authority's to register, bills the finance authority's.
    if candidate
        .registrar
        .is_some_and(|due| !member.roles.contains(due))
    {
        return Ok(Some(Forbidden::RoleMissing));
    }
    if let Some(kind) = candidate.claim_kind
        && !may_claim(kind, member.roles)
    {
        return Ok(Some(Forbidden::ClaimKindNotAllowed));
    }
    if candidate.stated_issuer.is_some_and(|issuer| issuer != *by) {
        return Ok(Some(Forbidden::IssuerIsNotSigner));
    }
    match &candidate.task {
        Ok(task) => over_members(state, &task.work, by, member),
        Err(_) => Ok(None),
    }
}

/// Whether one of the roles may submit records of this type.
fn may_submit(record: RecordType, roles: RoleSet) -> bool {
    let any = |allowed: &[Role]| allowed.iter().any(|role| roles.contains(*role));
    match record {
        RecordType::MemberAdmit | RecordType::ValidatorsChange | RecordType::DocumentRegister => {
            any(&[Role::Tax, Role::Finance])
        }
        RecordType::MemberSuspend
        | RecordType::MemberResume
        | RecordType::DocumentFreeze
        | RecordType::DocumentUnfreeze => roles.has_authority(),
        RecordType::QuotaSet => any(&[Role::Tax]),
        RecordType::InvoiceIssue => any(&[Role::Merchant, Role::Hospital]),
        RecordType::BillIssue => any(&[Role::Hospital]),
        // The authorities for what they registered.
        RecordType::DocumentReverse | RecordType::DocumentAlias => {
            any(&[Role::Merchant, Role::Hospital, Role::Tax, Role::Finance])
        }
        RecordType::ClaimLock
        | RecordType::ClaimSettle
        | RecordType::ClaimRelease
        | RecordType::ClaimReverse
        | RecordType::ConfirmReversal => any(&[Role::Employer, Role::Insurer, Role::Health]),
        // Any organisation can be the buyer of an invoice, and everyone keeps its own keys.
        RecordType::ShareGrant | RecordType::KeyAdd | RecordType::KeyRevoke => true,
    }
}

/// Whether one of the roles may claim in this capacity.
fn may_claim(kind: ClaimKind, roles: RoleSet) -> bool {
    match kind {
        ClaimKind::Employer => roles.contains(Role::Employer),
        ClaimKind::Commercial => roles.contains(Role::Insurer),
        ClaimKind::Basic | ClaimKind::Supplement => roles.contains(Role::Health),
        ClaimKind::Reference => {
            roles.contains(Role::Employer)
                || roles.contains(Role::Insurer)
                || roles.contains(Role::Health)
        }
    }
}

/// Rights over other members: neither bureau admits, suspends or re-keys a bureau alone.
fn over_members<V: StateView>(
    state: &TypedState<'_, V>,
    work: &Work,
    by: &MemberId,
    member: Standing,
) -> Result<Option<Forbidden>, Fault<V::Error>> {
    let (target, keys) = match work {
        Work::MemberAdmit(admit) => {
            let bureau = is_bureau(admit.member.roles);
            return Ok(bureau.then_some(Forbidden::AuthorityProtected));
        }
        Work::MemberSuspend(body) => (&body.member, false),
        Work::MemberResume(body) => (&body.member, false),
        Work::KeyAdd(body) => (&body.member, true),
        Work::KeyRevoke(body) => (&body.member, true),
        Work::QuotaSet(_)
        | Work::Issue(_)
        | Work::Register(_)
        | Work::DocumentReverse(_)
        | Work::ConfirmReversal(_)
        | Work::DocumentFreeze(_)
        | Work::DocumentUnfreeze(_)
        | Work::DocumentAlias(_)
        | Work::ClaimLock(_)
        | Work::ClaimSettle(_)
        | Work::ClaimRelease(_)
        | Work::ClaimReverse(_)
        | Work::ShareGrant(_)
        | Work::ValidatorsChange(_) => return Ok(None),
    };
    if keys && target == by {
        return Ok(None);
    }
    if keys && !member.roles.has_authority() {
        return Ok(Some(Forbidden::KeyOfAnotherMember));
    }
    let protected = state
        .standing(target)?
        .is_some_and(|target| is_bureau(target.roles));
    Ok(protected.then_some(Forbidden::AuthorityProtected))
}

fn is_bureau(roles: RoleSet) -> bool {
    roles.contains(Role::Tax) || roles.contains(Role::Finance)
}
