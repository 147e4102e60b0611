//! Static rights (403): what a member may do by its roles, whatever documents the registry holds.

use super::candidate::Candidate;
use crate::identity::MemberId;
use crate::record::{Body, ClaimKind, RecordType, Role, RoleSet};
use crate::refusal::Forbidden;
use crate::state::{Fault, Member, StateView, TypedState};

/// The first right that is missing, in the order of [`Forbidden`].
pub(super) fn check<V: StateView>(
    state: &TypedState<'_, V>,
    candidate: &Candidate,
    by: &MemberId,
    member: &Member,
) -> Result<Option<Forbidden>, Fault<V::Error>> {
    if member.suspended {
        return Ok(Some(Forbidden::MemberSuspended));
    }
    if !may_submit(candidate.record_type, member.roles) {
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
    match &candidate.record {
        Ok(record) => over_members(state, &record.body, by, member),
        Err(_) => Ok(None),
    }
}

/// Whether one of the roles may submit records of this type.
fn may_submit(record: RecordType, roles: RoleSet) -> bool {
    let any = |allowed: &[Role]| allowed.iter().any(|role| roles.contains(*role));
    match record {
        RecordType::MemberAdmit => any(&[Role::Tax, Role::Finance]),
        RecordType::MemberSuspend
        | RecordType::MemberResume
        | RecordType::DocumentFreeze
        | RecordType::DocumentUnfreeze => roles.has_authority(),
        RecordType::QuotaSet => any(&[Role::Tax]),
        RecordType::InvoiceIssue => any(&[Role::Merchant, Role::Hospital]),
        RecordType::BillIssue => any(&[Role::Hospital]),
        RecordType::DocumentReverse | RecordType::DocumentAlias => {
            any(&[Role::Merchant, Role::Hospital])
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
    body: &Body,
    by: &MemberId,
    member: &Member,
) -> Result<Option<Forbidden>, Fault<V::Error>> {
    let (target, keys) = match body {
        Body::MemberAdmit(admit) => {
            let bureau = is_bureau(admit.member.roles);
            return Ok(bureau.then_some(Forbidden::AuthorityProtected));
        }
        Body::MemberSuspend(body) => (&body.member, false),
        Body::MemberResume(body) => (&body.member, false),
        Body::KeyAdd(body) => (&body.member, true),
        Body::KeyRevoke(body) => (&body.member, true),
        Body::QuotaSet(_)
        | Body::InvoiceIssue(_)
        | Body::BillIssue(_)
        | Body::DocumentReverse(_)
        | Body::ConfirmReversal(_)
        | Body::DocumentFreeze(_)
        | Body::DocumentUnfreeze(_)
        | Body::DocumentAlias(_)
        | Body::ClaimLock(_)
        | Body::ClaimSettle(_)
        | Body::ClaimRelease(_)
        | Body::ClaimReverse(_)
        | Body::ShareGrant(_) => return Ok(None),
    };
    if keys && target == by {
        return Ok(None);
    }
    if keys && !member.roles.has_authority() {
        return Ok(Some(Forbidden::KeyOfAnotherMember));
    }
    let protected = state
        .member(target)?
        .is_some_and(|target| is_bureau(target.roles));
    Ok(protected.then_some(Forbidden::AuthorityProtected))
}

fn is_bureau(roles: RoleSet) -> bool {
    roles.contains(Role::Tax) || roles.contains(Role::Finance)
}
