//! What there is to tell, read with the rights of the member that is told.

use std::sync::Arc;

use invoice_api::registry::{Asker, Event, EventPage};
use invoice_core::crypto::Kid;
use invoice_core::identity::MemberId;
use invoice_core::state::{MemberNo, Table, TypedState};
use tokio::sync::watch;
use webhooks::EventPlace;

use crate::node::clock::Clock;
use crate::node::events;
use crate::node::registry::NodeError;
use crate::store::{Snapshot, Store};

/// About how many events are read at once.
const PAGE_EVENTS: usize = 200;

/// The chain, as far as webhooks need it.
pub(in crate::node) struct Feed {
    pub(in crate::node) store: Arc<Store>,
    pub(in crate::node) chain_id: String,
    pub(in crate::node) head: watch::Receiver<u64>,
    pub(in crate::node) clock: Clock,
}

/// What may be told to a member now.
pub(super) enum Told {
    /// Nothing: it is suspended, or is no member (any more, on a chain that was put back).
    Suspended,
    /// Nothing: all its keys are revoked or have expired.
    Keyless,
    /// Nothing just now.
    Later,
    /// These events, read with the rights of this key.
    Page(EventPage, Kid),
}

impl Feed {
    /// The events after a height that a member may see: exactly those of `GET /v1/events` for a
    /// request that this key signs. Blocks on the store.
    pub(super) fn read(
        &self,
        member: MemberId,
        kid: Option<Kid>,
        after: u64,
    ) -> Result<Told, NodeError> {
        let snapshot = self.store.snapshot()?;
        let state = TypedState(&snapshot);
        let standing = match state.standing(&member)? {
            Some(standing) if !standing.suspended => standing,
            Some(_) | None => return Ok(Told::Suspended),
        };
        let Some(kid) = self.good_key(&snapshot, standing.number, kid)? else {
            return Ok(Told::Keyless);
        };
        let asker = Asker {
            member,
            roles: standing.roles,
            kid,
        };
        let page = events::page(&snapshot, &asker, after, PAGE_EVENTS)?;
        Ok(Told::Page(page, kid))
    }

    /// A key with which the member may ask now: the one that it set the endpoint up with, or any.
    fn good_key(
        &self,
        snapshot: &Snapshot,
        member: MemberNo,
        usual: Option<Kid>,
    ) -> Result<Option<Kid>, NodeError> {
        let state = TypedState(snapshot);
        let now = (self.clock)();
        let is_good = |kid: &Kid| -> Result<bool, NodeError> {
            let key = state.key_standing(kid)?;
            Ok(key.is_some_and(|key| key.owner == member && key.usable_at(now).is_ok()))
        };
        if let Some(usual) = usual
            && is_good(&usual)?
        {
            return Ok(Some(usual));
        }
        // Keys are found by their own ids only, so all are looked at.
        let mut kids = Vec::new();
        snapshot.state_rows(Table::Key, &mut |key, _| {
            kids.extend(<[u8; 16]>::try_from(key).ok().map(Kid::new));
        })?;
        for kid in kids {
            if is_good(&kid)? {
                return Ok(Some(kid));
            }
        }
        Ok(None)
    }
}

/// The events of a page, each with its place.
pub(super) fn placed(page: &EventPage) -> impl Iterator<Item = (EventPlace, &Event)> {
    page.events.iter().map(|event| {
        let place = EventPlace {
            height: event.place.height,
            index: event.place.index,
            number: event.number,
        };
        (place, event)
    })
}
