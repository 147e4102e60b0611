//! `claim.lock`: a claimant reserves money of a document.

use super::context::{Context, Found, Stop};
use super::event::{Event, EventKind};
use crate::calendar::Instant;
use crate::money::Fen;
use crate::record::{ClaimKind, ClaimLock, Component};
use crate::refusal::Rejection;
use crate::state::{
    AliasKind, Claim, Document, Family, HOLDINGS_PER_DOCUMENT_MAX, Holding, MemberNo, StateView,
};

/// The longest life of a lock: 30 days.
pub const LOCK_DURATION_MAX_MS: i64 = 30 * 24 * 60 * 60 * 1000;

pub(super) fn lock<V: StateView>(
    context: &mut Context<'_, '_, V>,
    body: &ClaimLock,
) -> Result<(), Stop<V::Error>> {
    let found = context.document(&body.document)?;
    let claimable = check_document(&found);
    let Found {
        key, mut document, ..
    } = found;
    claimable?;
    check_claimant(context, &document, body)?;
    let amount = check_amount(context, &document, body)?;

    let priority_skipped = skips_priority(&document, body.kind, context.time);
    let claim = Claim {
        document: key,
        kind: body.kind,
        component: body.component,
        locked: amount,
        expires_at: body.expires_at,
        priority_skipped,
        released_at: None,
        settled_at: None,
        settled_index: 0,
        settled: Fen::ZERO,
        taken_back: Fen::ZERO,
    };
    let signer = context.signer;
    context.put_claim(signer.number, context.record_id, &claim);
    context.state_fact("amount", amount);
    if priority_skipped {
        context.state_fact("priority_skipped", true);
    }
    let locked = Event::new(EventKind::ClaimLocked, vec![signer.id])
        .of(key)
        .claim(signer.id, context.record_id.clone())
        .amount(amount);
    context.tell(locked);
    if body.kind == ClaimKind::Reference {
        return Ok(());
    }
    // Whoever claimed although this payer comes first has to know of it (rule C7).
    let overtaken = overtaken_by(&document, body.kind, context.time);
    if !overtaken.is_empty() {
        let told = context.ids(overtaken)?;
        context.tell(
            Event::new(EventKind::PriorityClaimed, told)
                .of(key)
                .amount(amount),
        );
    }
    document.forget_ended(context.time);
    if document.holdings.len() >= HOLDINGS_PER_DOCUMENT_MAX {
        return Err(Rejection::TooManyClaims.into());
    }
    document.holdings.push(Holding {
        owner: signer.number,
        claim: context.record_id.clone(),
        kind: body.kind,
        component: body.component,
        locked: amount,
        expires_at: body.expires_at,
        settled: Fen::ZERO,
    });
    context.put_document(&key, &mut document);
    Ok(())
}

/// What of the document's own state forbids any lock.
fn check_document(found: &Found) -> Result<(), Rejection> {
    let document = &found.document;
    if document.frozen {
        return Err(Rejection::DocumentFrozen);
    }
    if document.is_reversed() || found.via == Some(AliasKind::RedLetter) {
        return Err(Rejection::DocumentReversed);
    }
    if document.is_over_claimed() {
        return Err(Rejection::DocumentOverClaimed);
    }
    // Rule C8: a bill that was exchanged for paper lives on as the paper.
    if document.family == Family::Bill && document.aliases > 0 && found.via.is_none() {
        return Err(Rejection::ReissuedOnPaper);
    }
    Ok(())
}

/// Who may claim, in which capacity, of what, until when.
fn check_claimant<V: StateView>(
    context: &Context<'_, '_, V>,
    document: &Document,
    body: &ClaimLock,
) -> Result<(), Rejection> {
    if !document.entitles(&context.signer.id, context.signer.number) {
        return Err(Rejection::ClaimantNotEntitled);
    }
    match (body.kind, &document.burden) {
        (ClaimKind::Basic | ClaimKind::Supplement, None) => {
            return Err(Rejection::ClaimKindNotApplicable);
        }
        // Rule C2.
        (ClaimKind::Basic, Some(burden)) if burden.directly_settled => {
            return Err(Rejection::DirectlySettled);
        }
        _ => {}
    }
    if body.component != Component::Any && document.burden.is_none() {
        return Err(Rejection::ComponentNotApplicable);
    }
    let latest = Instant::from_ms(context.time.ms().saturating_add(LOCK_DURATION_MAX_MS));
    if body.expires_at <= context.time || body.expires_at > latest {
        return Err(Rejection::ExpiryOutOfRange { latest });
    }
    Ok(())
}

/// The amount of the lock: what was asked, or all that is left.
fn check_amount<V: StateView>(
    context: &Context<'_, '_, V>,
    document: &Document,
    body: &ClaimLock,
) -> Result<Fen, Rejection> {
    if body.kind == ClaimKind::Reference {
        return Ok(Fen::ZERO);
    }
    let time = context.time;
    if document.free_at(time) == Fen::ZERO {
        return Err(if document.locked_at(time) == Fen::ZERO {
            Rejection::AlreadyClaimed
        } else {
            Rejection::AlreadyLocked
        });
    }
    let remaining = document.free_for(&context.signer.id, context.signer.number, time);
    let of_component = match body.component {
        Component::Any => remaining,
        Component::SelfPay | Component::SelfFund => document
            .component_free_at(body.component, time)
            .unwrap_or(Fen::ZERO)
            .min(remaining),
    };
    let asked = body.amount.unwrap_or(of_component);
    if asked > remaining || remaining == Fen::ZERO {
        return Err(Rejection::ClaimExceedsRemaining { remaining, asked });
    }
    if asked > of_component || of_component == Fen::ZERO {
        return Err(Rejection::ComponentExceeded {
            remaining: of_component,
            asked,
        });
    }
    Ok(asked)
}

/// Rank of a payer among those of a medical document (rules C2 to C5).
fn rank(kind: ClaimKind) -> u8 {
    match kind {
        ClaimKind::Basic => 0,
        ClaimKind::Supplement => 1,
        ClaimKind::Commercial => 2,
        ClaimKind::Employer => 3,
        ClaimKind::Reference => u8::MAX,
    }
}

/// Whether the basic insurance, which comes first, could still claim and has not.
fn skips_priority(document: &Document, kind: ClaimKind, time: Instant) -> bool {
    let open_to_basic = document
        .burden
        .is_some_and(|burden| !burden.directly_settled);
    let basic_claimed = document
        .holdings
        .iter()
        .any(|held| held.kind == ClaimKind::Basic && held.held_at(time) > Fen::ZERO);
    open_to_basic
        && !basic_claimed
        && matches!(
            kind,
            ClaimKind::Supplement | ClaimKind::Commercial | ClaimKind::Employer
        )
}

/// Holders of claims that rank after this kind.
fn overtaken_by(document: &Document, kind: ClaimKind, time: Instant) -> Vec<MemberNo> {
    if document.burden.is_none() {
        return Vec::new();
    }
    let mut owners: Vec<_> = document
        .holdings
        .iter()
        .filter(|held| rank(held.kind) > rank(kind) && held.held_at(time) > Fen::ZERO)
        .map(|held| held.owner)
        .collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}
