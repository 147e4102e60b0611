//! `POST /v1/checks` and the public page: comparing what an asker holds with what is recorded.

use invoice_api::registry::{
    AsOf, Asker, CheckItem, CheckResult, CheckVerdict, Checked, DocumentState, PublicCheck,
};
use invoice_core::apply::resolve;
use invoice_core::calendar::Instant;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Body, Party as Named, Registered, RoleSet};
use invoice_core::state::{AliasKind, Document, MemberNo, Title, TypedState};

use super::access_log::{Access, PUBLIC};
use super::receipts;
use super::registry::{NodeError, chain};
use super::start::Shared;
use crate::store::{ReadError, Snapshot};

/// The fault of a typed read over the store.
pub(super) type Fault = invoice_core::state::Fault<ReadError>;

/// Who asks, as the rules know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Party {
    pub(super) id: MemberId,
    pub(super) number: MemberNo,
    pub(super) roles: RoleSet,
}

impl Party {
    /// The asker's number; `None` when no such member exists.
    pub(super) fn of(
        state: &TypedState<'_, Snapshot>,
        asker: &Asker,
    ) -> Result<Option<Self>, Fault> {
        let member = state.member(&asker.member)?;
        Ok(member.map(|member| Self {
            id: asker.member,
            number: member.number,
            // Not those of the state: who is suspended acts in none.
            roles: asker.roles,
        }))
    }

    /// Whether the document is this member's business: seller, buyer, share holder, claimant or
    /// authority.
    pub(super) fn is_party_to(&self, document: &Document) -> bool {
        self.roles.has_authority()
            || document.issuer == self.number
            || document.title == Title::Organisation(self.id)
            || document.share_of(self.number).is_some()
            || document
                .holdings
                .iter()
                .any(|held| held.owner == self.number)
    }
}

/// Compares items and writes the access log before anything is told.
pub(super) fn check_all(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: Option<&Asker>,
    items: &[CheckItem],
) -> Result<Checked, NodeError> {
    let as_of = shared.as_of(snapshot);
    let state = TypedState(snapshot);
    let party = asker
        .map(|asker| Party::of(&state, asker))
        .transpose()?
        .flatten();
    // In the order of the keys: neighbours lie on one page of the state.
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_cached_key(|place| items.get(*place).map(|item| item.document.to_bytes()));
    let mut results: Vec<Option<CheckResult>> = items.iter().map(|_| None).collect();
    for place in order {
        if let (Some(item), Some(slot)) = (items.get(place), results.get_mut(place)) {
            *slot = Some(check(&state, party.as_ref(), item, as_of)?);
        }
    }
    let results: Vec<CheckResult> = results.into_iter().flatten().collect();
    let time = as_of.time.to_rfc3339_utc8();
    let kid = asker.map(|asker| asker.kid.to_string()).unwrap_or_default();
    let accesses: Vec<_> = items
        .iter()
        .zip(&results)
        .map(|(item, result)| Access {
            time: &time,
            by: asker.map_or(PUBLIC, |asker| asker.member.as_str()),
            kid: &kid,
            call: "check",
            document: item.document,
            asked: asked(item),
            differs: &result.differs,
            answer: result.verdict.as_str(),
        })
        .collect();
    shared.access_log.append(&accesses)?;
    Ok(Checked { results, as_of })
}

/// Compares what the public page was given, and names the issuer when all of it is as recorded.
/// The checkpoint is of the same snapshot as the answer.
pub(super) fn check_in_public(
    shared: &Shared,
    snapshot: &Snapshot,
    item: CheckItem,
) -> Result<PublicCheck, NodeError> {
    let key = item.document;
    let Checked { results, as_of } = check_all(shared, snapshot, None, &[item])?;
    let verdict = results
        .first()
        .map_or(CheckVerdict::NotFound, |result| result.verdict);
    let found = match verdict {
        CheckVerdict::NotFound | CheckVerdict::Mismatch => None,
        CheckVerdict::Reversed
        | CheckVerdict::Frozen
        | CheckVerdict::Claimed
        | CheckVerdict::Locked
        | CheckVerdict::PartlyClaimed
        | CheckVerdict::Claimable => resolve(&TypedState(snapshot), &key)?,
    };
    let document = found.as_ref().map(|found| &found.document);
    Ok(PublicCheck {
        verdict,
        issuer: document
            .map(|document| issuer_name(snapshot, document))
            .transpose()?
            .flatten(),
        has_check_code: document.is_some_and(|document| document.check_code.is_some()),
        as_of,
        checkpoint: chain::checkpoint(snapshot, &shared.validators.history())?,
    })
}

/// The name of whoever issued a document: a member's registered name, or the name on a document
/// that was issued elsewhere, whose issuer need not be a member.
fn issuer_name(snapshot: &Snapshot, document: &Document) -> Result<Option<String>, NodeError> {
    if document.registered {
        return Ok(stated_issuer(snapshot, document)?.map(|issuer| issuer.name));
    }
    let state = TypedState(snapshot);
    let Some(id) = state.member_id(document.issuer)? else {
        return Ok(None);
    };
    Ok(state.member(&id)?.map(|member| member.name))
}

/// The issuer that stands on a document that was issued elsewhere; `None` on one that was issued
/// here, whose issuer is its signer.
pub(super) fn stated_issuer(
    snapshot: &Snapshot,
    document: &Document,
) -> Result<Option<Named>, NodeError> {
    if !document.registered {
        return Ok(None);
    }
    let logged = receipts::logged(snapshot, document.index)?;
    let Some(Body::DocumentRegister(body)) = logged.map(|logged| logged.record.body) else {
        return Ok(None);
    };
    Ok(Some(match body.document {
        Registered::Invoice(invoice) => invoice.seller,
        Registered::Bill(bill) => bill.issuer,
    }))
}

/// Compares one item. Nobody in particular asks when `party` is `None`.
fn check(
    state: &TypedState<'_, Snapshot>,
    party: Option<&Party>,
    item: &CheckItem,
    as_of: AsOf,
) -> Result<CheckResult, Fault> {
    let answer = |verdict, claimable, differs| CheckResult {
        document: item.document,
        verdict,
        claimable,
        differs,
    };
    let not_found = || answer(CheckVerdict::NotFound, None, Vec::new());
    let Some(found) = resolve(state, &item.document)? else {
        return Ok(not_found());
    };
    if found.via == Some(AliasKind::RedLetter) {
        return Ok(not_found());
    }
    let document = &found.document;
    if !party.is_some_and(|party| party.is_party_to(document)) && !is_complete(item, document) {
        return Ok(not_found());
    }
    let differs = differences(item, &found.key, document);
    if !differs.is_empty() {
        return Ok(answer(CheckVerdict::Mismatch, None, differs));
    }
    let verdict = verdict(document, as_of.time);
    let claimable = match verdict {
        CheckVerdict::PartlyClaimed | CheckVerdict::Claimable => {
            party.map(|party| document.free_for(&party.id, party.number, as_of.time))
        }
        CheckVerdict::NotFound
        | CheckVerdict::Mismatch
        | CheckVerdict::Reversed
        | CheckVerdict::Frozen
        | CheckVerdict::Claimed
        | CheckVerdict::Locked => None,
    };
    Ok(answer(verdict, claimable, Vec::new()))
}

/// Whether the asker holds what only the paper says: amount and date, and the check code of a
/// document that has one.
fn is_complete(item: &CheckItem, document: &Document) -> bool {
    item.amount.is_some()
        && item.date.is_some()
        && (item.check_code.is_some() || document.check_code.is_none())
}

/// The given elements that are wrong.
fn differences(item: &CheckItem, key: &DocumentKey, document: &Document) -> Vec<&'static str> {
    let mut differs = Vec::new();
    if let Some(amount) = item.amount {
        let without_tax = item.amount_may_be_without_tax && amount == document.total_without_tax;
        if amount != document.total && !without_tax {
            differs.push("amount");
        }
    }
    if item.date.is_some_and(|date| date != document.issue_date) {
        differs.push("date");
    }
    let wrong_code = match (&item.check_code, &document.check_code) {
        (Some(given), Some(code)) => given.as_bytes() != code,
        // Fully digital invoices have no check code; that of an older kind is not recorded.
        (Some(_), None) => matches!(key, DocumentKey::Digital(_)),
        (None, _) => false,
    };
    if wrong_code {
        differs.push("check_code");
    }
    differs
}

/// The first verdict that applies to a document whose elements are right.
pub(super) fn verdict(document: &Document, time: Instant) -> CheckVerdict {
    let (settled, locked) = (document.settled(), document.locked_at(time));
    if document.is_reversed() {
        CheckVerdict::Reversed
    } else if document.frozen {
        CheckVerdict::Frozen
    } else if settled >= document.capacity() {
        CheckVerdict::Claimed
    } else if document.free_at(time) == Fen::ZERO {
        CheckVerdict::Locked
    } else if settled > Fen::ZERO || locked > Fen::ZERO || document.reversed > Fen::ZERO {
        CheckVerdict::PartlyClaimed
    } else {
        CheckVerdict::Claimable
    }
}

/// All amounts of a document for one of its parties.
pub(super) fn state_for(document: &Document, party: &Party, time: Instant) -> DocumentState {
    DocumentState {
        verdict: verdict(document, time),
        total: document.total,
        reversed: document.reversed,
        capacity: document.capacity(),
        settled: document.settled(),
        locked: document.locked_at(time),
        remaining: document.free_at(time),
        claimable: document.free_for(&party.id, party.number, time),
        frozen: document.frozen,
        over_claimed: document.is_over_claimed(),
    }
}

/// The elements that the asker supplied.
fn asked(item: &CheckItem) -> &'static [&'static str] {
    match (item.amount, item.date, &item.check_code) {
        (Some(_), Some(_), Some(_)) => &["amount", "date", "check_code"],
        (Some(_), Some(_), None) => &["amount", "date"],
        (Some(_), None, Some(_)) => &["amount", "check_code"],
        (Some(_), None, None) => &["amount"],
        (None, Some(_), Some(_)) => &["date", "check_code"],
        (None, Some(_), None) => &["date"],
        (None, None, Some(_)) => &["check_code"],
        (None, None, None) => &[],
    }
}
