//! Claims on generated documents.

use invoice_core::apply::LOCK_DURATION_MAX_MS;
use invoice_core::record::{Body, ClaimKind, ClaimLock, Component, Record};

use crate::cast::{Cast, Player};
use crate::spelled;

/// A lock over all of a document by whoever may claim it: the employer named as buyer, or any
/// employer where the buyer is a natural person. `None` when the buyer is no member.
#[must_use]
pub fn lock<'c>(cast: &'c Cast, issue: &Record, number: u64) -> Option<(&'c Player, Record)> {
    let buyer = if let Body::InvoiceIssue(issue) = &issue.body
        && issue.invoice.buyer.id.is_some()
    {
        Some(issue.invoice.buyer.organisation()?)
    } else {
        None
    };
    let claimant = match buyer {
        Some(buyer) => cast
            .employers
            .iter()
            .find(|employer| employer.id == buyer)?,
        None => {
            let place = usize::try_from(number)
                .ok()?
                .checked_rem(cast.employers.len())?;
            cast.employers.get(place)?
        }
    };
    let body = Body::ClaimLock(ClaimLock {
        document: *issue.body.document()?,
        amount: None,
        kind: ClaimKind::Employer,
        component: Component::Any,
        reference: format!("BX-{}-{number:06}", issue.at.date_utc8().year()),
        expires_at: issue.at.checked_add_ms(LOCK_DURATION_MAX_MS / 2)?,
    });
    let id = spelled(&format!(
        "lock-{}-{number:09}",
        issue.at.date_utc8().to_compact()
    ));
    Some((
        claimant,
        Record {
            id,
            by: claimant.id,
            at: issue.at,
            body,
        },
    ))
}
