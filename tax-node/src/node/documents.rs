//! `GET /v1/documents/{key}`: everything about one document, for those whose business it is.

use invoice_api::registry::{AsOf, Asker, DocumentView, Place, TimelineEntry};
use invoice_core::apply::{Found, resolve};
use invoice_core::chain::Receipt;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::record::{Body, Record};
use invoice_core::state::TypedState;

use super::access_log::Access;
use super::checks::{Party, state_for};
use super::receipts::{self, LoggedRecord, Receipts};
use super::registry::NodeError;
use super::start::Shared;
use crate::store::{Page, ReadError, Snapshot};

/// Everything about a document that the asker may see; the question is logged before it is
/// answered.
pub(super) fn logged_view(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
) -> Result<Option<DocumentView>, NodeError> {
    let as_of = shared.as_of(snapshot);
    let view = view(snapshot, asker, key, as_of)?;
    log(shared, as_of, asker, key, "document", view.is_some())?;
    Ok(view)
}

/// The receipt of the record that issued a document, for those who may see the document; the
/// question is logged before it is answered.
pub(super) fn logged_receipt(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
) -> Result<Option<Receipt>, NodeError> {
    let receipt = match visible(snapshot, asker, key)? {
        Some((_, found)) => {
            let mut receipts =
                Receipts::new(snapshot, &shared.genesis, shared.validators.history());
            Some(receipts.receipt(found.document.index)?)
        }
        None => None,
    };
    let as_of = shared.as_of(snapshot);
    log(shared, as_of, asker, key, "paper", receipt.is_some())?;
    Ok(receipt)
}

/// Writes to the access log who asked for the content of a document.
fn log(
    shared: &Shared,
    as_of: AsOf,
    asker: &Asker,
    key: &DocumentKey,
    call: &'static str,
    told: bool,
) -> Result<(), NodeError> {
    let access = Access {
        time: &as_of.time.to_rfc3339_utc8(),
        by: asker.member.as_str(),
        kid: &asker.kid.to_string(),
        call,
        document: *key,
        asked: &[],
        differs: &[],
        answer: if told { "content" } else { "not_found" },
    };
    shared.access_log.append(&[access])?;
    Ok(())
}

/// The asker and the document, when the document is the asker's business.
fn visible(
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
) -> Result<Option<(Party, Found)>, NodeError> {
    let state = TypedState(snapshot);
    let (Some(party), Some(found)) = (Party::of(&state, asker)?, resolve(&state, key)?) else {
        return Ok(None);
    };
    if !party.is_party_to(&found.document) && !claimed_by(snapshot, &party, &found.key)? {
        return Ok(None);
    }
    Ok(Some((party, found)))
}

/// Entries of a timeline that one answer carries; the oldest come first.
const TIMELINE_MAX: usize = 1_000;

/// The view of a document for an asker; `None` when it is none of the asker's business.
pub(super) fn view(
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
    as_of: AsOf,
) -> Result<Option<DocumentView>, super::registry::NodeError> {
    let Some((party, found)) = visible(snapshot, asker, key)? else {
        return Ok(None);
    };
    let mut aliases = Vec::new();
    let mut timeline = Vec::new();
    for index in leaves_of(snapshot, &found.key, found.document.index)? {
        let Some(logged) = receipts::logged(snapshot, index)? else {
            continue;
        };
        if let Body::DocumentAlias(alias) = &logged.record.body
            && logged.outcome.is_accepted()
        {
            aliases.push(alias.alias);
        }
        timeline.extend(entry(&party, logged));
    }
    let Some(issued) = receipts::logged(snapshot, found.document.index)? else {
        return Ok(None);
    };
    Ok(Some(DocumentView {
        document: found.key,
        aliases,
        record: issued.text,
        place: issued.place,
        state: state_for(&found.document, &party, as_of.time),
        timeline,
        as_of,
    }))
}

/// The leaves that concern a document, in order, the one that issued it among them: the index has
/// no row for that one.
fn leaves_of(snapshot: &Snapshot, key: &DocumentKey, issued: u64) -> Result<Vec<u64>, ReadError> {
    let page = Page {
        after: None,
        limit: TIMELINE_MAX,
    };
    let mut leaves = snapshot.timeline(&key.to_bytes(), page)?;
    if let Err(place) = leaves.binary_search(&issued) {
        leaves.insert(place, issued);
    }
    leaves.truncate(TIMELINE_MAX);
    Ok(leaves)
}

/// Whether the member ever held money on the document: its claim may have ended since.
fn claimed_by(
    snapshot: &Snapshot,
    party: &Party,
    key: &DocumentKey,
) -> Result<bool, super::registry::NodeError> {
    let page = Page {
        after: None,
        limit: TIMELINE_MAX,
    };
    for index in snapshot.timeline(&key.to_bytes(), page)? {
        let Some(logged) = receipts::logged(snapshot, index)? else {
            continue;
        };
        if logged.record.by == party.id
            && logged.outcome.is_accepted()
            && matches!(logged.record.body, Body::ClaimLock(_))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the asker may see of one record of the timeline. Who else claims, and who tried, is for
/// authorities.
fn entry(party: &Party, logged: LoggedRecord) -> Option<TimelineEntry> {
    let LoggedRecord {
        record,
        outcome,
        place,
        ..
    } = logged;
    let own = record.by == party.id || party.roles.has_authority();
    if !outcome.is_accepted() && !own {
        return None;
    }
    let public = matches!(
        record.body,
        Body::InvoiceIssue(_)
            | Body::BillIssue(_)
            | Body::DocumentRegister(_)
            | Body::DocumentReverse(_)
            | Body::DocumentAlias(_)
            | Body::DocumentFreeze(_)
            | Body::DocumentUnfreeze(_)
    );
    let named = own || public;
    let mut facts = if named {
        outcome.detail().clone()
    } else {
        Default::default()
    };
    if let Some(code) = outcome.code() {
        facts.set("code", code);
    }
    Some(TimelineEntry {
        place,
        kind: record.body.record_type().as_str().to_owned(),
        by: named.then_some(record.by),
        id: named.then(|| record.id.as_str().to_owned()),
        amount: if named { amount(&record, &facts) } else { None },
        facts,
    })
}

/// The money that a record moves.
pub(super) fn amount(record: &Record, facts: &invoice_core::chain::Facts) -> Option<Fen> {
    match &record.body {
        Body::InvoiceIssue(body) => Some(body.invoice.total),
        Body::BillIssue(body) => Some(body.bill.total),
        Body::DocumentRegister(body) => Some(body.document.total()),
        Body::DocumentReverse(body) => Some(body.amount),
        Body::ConfirmReversal(body) => Some(body.amount),
        Body::ClaimLock(body) => body.amount.or_else(|| {
            facts
                .get("amount")
                .and_then(|amount| Fen::parse(amount).ok())
        }),
        Body::ClaimSettle(body) => Some(body.amount),
        Body::ClaimReverse(body) => Some(body.amount),
        Body::ShareGrant(body) => Some(body.amount),
        Body::QuotaSet(body) => Some(body.amount),
        Body::MemberAdmit(_)
        | Body::MemberSuspend(_)
        | Body::MemberResume(_)
        | Body::KeyAdd(_)
        | Body::KeyRevoke(_)
        | Body::DocumentFreeze(_)
        | Body::DocumentUnfreeze(_)
        | Body::DocumentAlias(_)
        | Body::ClaimRelease(_)
        | Body::ValidatorsChange(_) => None,
    }
}

/// The place of a leaf on the chain.
pub(super) fn place(snapshot: &Snapshot, index: u64) -> Result<Option<Place>, ReadError> {
    let Some(height) = snapshot.height_of_leaf(index)? else {
        return Ok(None);
    };
    let Some(outline) = snapshot.outline(height)? else {
        return Ok(None);
    };
    let time = invoice_core::calendar::Instant::from_ms(outline.header.time_ms);
    Ok(Some(Place {
        height,
        index,
        time,
    }))
}
