//! `GET /v1/documents/{key}`: everything about one document, for those whose business it is.

use invoice_api::registry::{AsOf, Asker, DocumentView, Place, TimelineCursor, TimelineEntry};
use invoice_core::apply::{Found, resolve};
use invoice_core::chain::Receipt;
use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;
use invoice_core::record::{Body, Record};
use invoice_core::state::TypedState;

use super::access_log::Access;
use super::checks::{Party, state_for, stated_issuer};
use super::receipts::{self, LoggedRecord, Receipts};
use super::registry::NodeError;
use super::start::Shared;
use super::timeline;
use crate::store::{ReadError, Snapshot};

/// Everything about a document that the asker may see; the question is logged before it is
/// answered.
pub(super) fn logged_view(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
    from: TimelineCursor,
) -> Result<Option<DocumentView>, NodeError> {
    let as_of = shared.as_of(snapshot);
    let view = view(snapshot, asker, key, from, as_of)?;
    log(shared, as_of, asker, key, "document", view.is_some())?;
    Ok(view)
}

/// The texts of the records that issued documents, for those who may see them; each question is
/// logged before it is answered.
pub(super) fn logged_records(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    keys: &[DocumentKey],
) -> Result<Vec<Option<String>>, NodeError> {
    let as_of = shared.as_of(snapshot);
    let (time, kid) = (as_of.time.to_rfc3339_utc8(), asker.kid.to_string());
    let mut records = Vec::with_capacity(keys.len());
    for key in keys {
        records.push(match visible(snapshot, asker, key)? {
            Some((_, found)) => {
                let issued = receipts::logged(snapshot, found.document.index)?;
                issued.map(|issued| issued.text)
            }
            None => None,
        });
    }
    let questions = keys.iter().zip(&records);
    let questions = questions
        .map(|(key, record)| access(&time, asker, &kid, key, "document", record.is_some()))
        .collect::<Vec<_>>();
    shared.access_log.append(&questions)?;
    Ok(records)
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
pub(super) fn log(
    shared: &Shared,
    as_of: AsOf,
    asker: &Asker,
    key: &DocumentKey,
    call: &'static str,
    told: bool,
) -> Result<(), NodeError> {
    let (time, kid) = (as_of.time.to_rfc3339_utc8(), asker.kid.to_string());
    let access = access(&time, asker, &kid, key, call, told);
    shared.access_log.append(&[access])?;
    Ok(())
}

/// The line of the access log about a question for the content of a document.
fn access<'a>(
    time: &'a str,
    asker: &'a Asker,
    kid: &'a str,
    key: &DocumentKey,
    call: &'static str,
    told: bool,
) -> Access<'a> {
    Access {
        time,
        by: asker.member.as_str(),
        kid,
        call,
        document: *key,
        asked: &[],
        differs: &[],
        answer: if told { "content" } else { "not_found" },
    }
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
    let concerned = party.is_party_to(&found.document)
        || stated_issuer(snapshot, &found.document)?.is_some_and(|issuer| issuer.id == party.id)
        || timeline::claimed_by(snapshot, &party, &found.key)?;
    Ok(concerned.then_some((party, found)))
}

/// The view of a document for an asker, its life from a page on; `None` when it is none of the
/// asker's business.
pub(super) fn view(
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
    from: TimelineCursor,
    as_of: AsOf,
) -> Result<Option<DocumentView>, NodeError> {
    let Some((party, found)) = visible(snapshot, asker, key)? else {
        return Ok(None);
    };
    let document = &found.document;
    let Some(issued) = receipts::logged(snapshot, document.index)? else {
        return Ok(None);
    };
    let (aliases, aliases_left_out) = timeline::aliases(snapshot, &found.key, document.aliases)?;
    let life = timeline::page(snapshot, &party, &found.key, document.index, from)?;
    let entries = |leaves: Vec<u64>| -> Result<Vec<TimelineEntry>, NodeError> {
        let mut entries = Vec::new();
        for index in leaves {
            entries.extend(receipts::logged(snapshot, index)?.map(|logged| entry(&party, logged)));
        }
        Ok(entries)
    };
    Ok(Some(DocumentView {
        document: found.key,
        aliases,
        aliases_left_out,
        record: issued.text,
        place: issued.place,
        state: state_for(document, &party, as_of.time),
        timeline: entries(life.accepted)?,
        refused: entries(life.refused)?,
        from,
        next: life.next,
        refused_next: life.refused_next,
        as_of,
    }))
}

/// What the asker may see of one record of the timeline. Who else claims is for authorities.
fn entry(party: &Party, logged: LoggedRecord) -> TimelineEntry {
    let LoggedRecord {
        record,
        outcome,
        place,
        ..
    } = logged;
    let own = record.by == party.id || party.roles.has_authority();
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
    TimelineEntry {
        place,
        kind: record.body.record_type().as_str().to_owned(),
        by: named.then_some(record.by),
        id: named.then(|| record.id.as_str().to_owned()),
        amount: if named { amount(&record, &facts) } else { None },
        facts,
    }
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
