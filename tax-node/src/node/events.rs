//! `GET /v1/events`: the feed of changes, whole blocks at a time.

use invoice_api::registry::{Asker, Event, EventPage};
use invoice_core::apply;
use invoice_core::chain::Facts;

use super::receipts;
use super::registry::NodeError;
use crate::store::{EventPosition, Page, ReadError, Snapshot};

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
            let Some(event) = view(snapshot, at, &bytes)? else {
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

fn view(snapshot: &Snapshot, at: EventPosition, bytes: &[u8]) -> Result<Option<Event>, NodeError> {
    let event = apply::Event::decode(bytes)?;
    let Some(logged) = receipts::logged(snapshot, at.leaf_index)? else {
        return Ok(None);
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
    Ok(Some(Event {
        place: logged.place,
        kind: event.kind.as_str().to_owned(),
        by: Some(logged.record.by),
        id: Some(logged.record.id.as_str().to_owned()),
        document: event.document,
        facts,
    }))
}
