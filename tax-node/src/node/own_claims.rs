//! Which of a member's own claims held money on a document when it was reversed.
//!
//! The event of a reversal names the document; whoever paid wants to know which of its payments it
//! is about. Read from the records themselves, so the answer is the same whenever it is asked.

use std::collections::BTreeMap;

use invoice_api::registry::Place;
use invoice_core::calendar::Instant;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Body, ClaimKind, Record};

use super::receipts;
use super::registry::NodeError;
use crate::store::{Page, Snapshot};

/// Entries of a document's timeline that are looked at, the oldest first: far more than any honest
/// document has, as a document has at most so many claims.
const TIMELINE_MAX: usize = 1_000;

/// What a claim holds.
enum Held {
    /// A lock, until then.
    Locked(Instant),
    /// A settlement, less what was taken back.
    Settled(Fen),
}

/// The ids of the member's claims that held money on the document just before a place of the log,
/// in the order of their ids.
pub(super) fn holding_before(
    snapshot: &Snapshot,
    member: MemberId,
    document: &DocumentKey,
    before: &Place,
) -> Result<Vec<String>, NodeError> {
    let page = Page {
        after: None,
        limit: TIMELINE_MAX,
    };
    let mut claims = Claims::default();
    for index in snapshot.timeline(&document.to_bytes(), page)? {
        if index >= before.index {
            break;
        }
        let Some(logged) = receipts::logged(snapshot, index)? else {
            continue;
        };
        if logged.record.by == member && logged.outcome.is_accepted() {
            claims.take(&logged.record);
        }
    }
    Ok(claims.holding_at(before.time))
}

/// The member's claims, as its accepted records tell.
#[derive(Default)]
struct Claims(BTreeMap<String, Held>);

impl Claims {
    fn take(&mut self, record: &Record) {
        let claims = &mut self.0;
        if let Body::ClaimLock(lock) = &record.body {
            if lock.kind != ClaimKind::Reference {
                let id = record.id.as_str().to_owned();
                claims.insert(id, Held::Locked(lock.expires_at));
            }
        } else if let Body::ClaimSettle(settle) = &record.body {
            let id = settle.claim.as_str().to_owned();
            claims.insert(id, Held::Settled(settle.amount));
        } else if let Body::ClaimRelease(release) = &record.body {
            claims.remove(release.claim.as_str());
        } else if let Body::ClaimReverse(back) = &record.body
            && let Some(Held::Settled(settled)) = claims.get_mut(back.claim.as_str())
        {
            *settled = Fen::new(settled.get().saturating_sub(back.amount.get()));
        }
    }

    fn holding_at(self, time: Instant) -> Vec<String> {
        let holding = self.0.into_iter().filter(|(_, held)| match held {
            Held::Locked(expires_at) => *expires_at > time,
            Held::Settled(amount) => amount.is_positive(),
        });
        holding.map(|(id, _)| id).collect()
    }
}
