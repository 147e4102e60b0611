//! `GET /v1/events`: the feed of changes, whole blocks at a time.

use invoice_api::registry::{Asker, Event, EventPage};
use invoice_core::apply::{self, EventKind};
use invoice_core::chain::Facts;
use invoice_core::record::Body;

use super::own_claims;
use super::receipts::{self, LoggedRecord};
use super::registry::NodeError;
use crate::store::{Damage, EventPosition, Page, ReadError, Snapshot};

/// Rows of the index that are read together.
const ROWS_AT_ONCE: usize = 256;

/// The events after block `after`.
pub(super) fn page(
    snapshot: &Snapshot,
    asker: &Asker,
    after: u64,
    limit: usize,
) -> Result<EventPage, NodeError> {
    let head = snapshot.head().height;
    let mut events: Vec<Event> = Vec::new();
    if after >= head {
        // A cursor beyond the head is of another chain or of a restored one: the feed vouches for
        // no height that it does not have.
        return Ok(EventPage {
            events,
            complete_to: head,
        });
    }
    let mut position = last_of_block(snapshot, after)?;
    loop {
        let page = Page {
            after: position,
            limit: ROWS_AT_ONCE,
        };
        let rows = if asker.roles.has_authority() {
            snapshot.events(page)?
        } else {
            snapshot.events_of(asker.member.as_bytes(), page)?
        };
        let last = rows.len() < ROWS_AT_ONCE;
        for (at, bytes) in rows {
            let Some(event) = view(snapshot, asker, at, bytes.as_deref())? else {
                continue;
            };
            let height = event.place.height;
            if let Some(complete_to) = events.last().map(|event| event.place.height)
                && events.len() >= limit
                && height > complete_to
            {
                return Ok(EventPage {
                    events,
                    complete_to,
                });
            }
            position = Some(at);
            events.push(event);
        }
        if last {
            return Ok(EventPage {
                events,
                complete_to: head,
            });
        }
    }
}

/// The last position that belongs to a block or an earlier one.
fn last_of_block(snapshot: &Snapshot, height: u64) -> Result<Option<EventPosition>, ReadError> {
    let Some(outline) = snapshot.outline(height)? else {
        return Ok(None);
    };
    let end = outline.header.log_size;
    Ok(end.checked_sub(1).map(|leaf_index| EventPosition {
        leaf_index,
        number: u32::MAX,
    }))
}

fn view(
    snapshot: &Snapshot,
    asker: &Asker,
    at: EventPosition,
    bytes: Option<&[u8]>,
) -> Result<Option<Event>, NodeError> {
    let Some(logged) = receipts::logged(snapshot, at.leaf_index)? else {
        return Ok(None);
    };
    let event = match bytes {
        Some(bytes) => apply::Event::decode(bytes)?,
        None => implied(&logged).ok_or_else(|| {
            ReadError::from(Damage::new(
                "implied_events",
                at.leaf_index,
                "issues nothing",
            ))
        })?,
    };
    let mut facts = Facts::new();
    if let Some(amount) = event.amount {
        facts.set("amount", amount);
    }
    if let Some((_, id)) = &event.claim {
        facts.set("claim", id.as_str());
    }
    if let Some(code) = &event.code {
        facts.set("code", code);
    }
    if let Some(document) = &event.document
        && matches!(
            event.kind,
            EventKind::DocumentReversed | EventKind::OverClaimed
        )
    {
        let own = own_claims::holding_before(snapshot, asker.member, document, &logged.place)?;
        if !own.is_empty() {
            facts.set("claims", own.join(","));
        }
    }
    Ok(Some(Event {
        place: logged.place,
        number: at.number,
        leaf: receipts::leaf_hash(snapshot, at.leaf_index)?,
        kind: event.kind.as_str().to_owned(),
        by: Some(logged.record.by),
        id: Some(logged.record.id.as_str().to_owned()),
        document: event.document,
        facts,
    }))
}

/// The event of a record that issued a document.
fn implied(logged: &LoggedRecord) -> Option<apply::Event> {
    let document = *logged.record.body.document()?;
    let total = if let Body::InvoiceIssue(body) = &logged.record.body {
        body.invoice.total
    } else if let Body::BillIssue(body) = &logged.record.body {
        body.bill.total
    } else {
        return None;
    };
    let event = apply::Event::new(EventKind::DocumentIssued, Vec::new());
    Some(event.of(document).amount(total))
}
