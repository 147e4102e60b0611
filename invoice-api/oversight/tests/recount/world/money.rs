//! Claims and reversals.

use invoice_core::apply::EventKind;
use invoice_core::calendar::Instant;
use invoice_core::money::Fen;
use invoice_core::record::{
    Body, ClaimKind, ClaimLock, ClaimReverse, Component, DocumentReverse, ReversalReason,
};

use super::{Claim, World, id, told};
use crate::bodies::member;

impl World {
    /// An amount of 0 asks for all that is left.
    pub(super) fn lock(
        &mut self,
        employer: usize,
        document: usize,
        amount: i64,
        days: i64,
        alias: bool,
    ) {
        let known = &self.documents[document];
        let (key, second, frozen) = (known.key, known.alias, known.frozen);
        let expires_at = Instant::from_ms(self.time_ms + days * 86_400_000);
        let body = Body::ClaimLock(ClaimLock {
            document: second.filter(|_| alias).unwrap_or(key),
            amount: (amount > 0).then_some(Fen::new(amount)),
            kind: ClaimKind::Employer,
            component: Component::Any,
            reference: "BX".to_owned(),
            expires_at,
        });
        let free = self.free(document);
        let amount = if amount > 0 { amount } else { free };
        let refused = if frozen {
            Some("document_frozen")
        } else if self.excess(document) > 0 {
            Some("document_over_claimed")
        } else if amount > free || free <= 0 {
            Some("claim_exceeds_remaining")
        } else {
            None
        };
        if refused.is_some() {
            let event = told(EventKind::RecordRefused, key);
            return self.record(employer, body, refused, vec![event]);
        }
        let (by, id) = (member(employer), id(self.happened.len()));
        let event = told(EventKind::ClaimLocked, key)
            .claim(by, id.clone())
            .amount(Fen::new(amount));
        self.record(employer, body, None, vec![event]);
        self.claims.push(Claim {
            by,
            id,
            document,
            locked: amount,
            settled: 0,
            live: true,
            expires_ms: expires_at.ms(),
        });
    }

    pub(super) fn take_back(&mut self, place: usize, amount: i64) {
        let document = self.claims[place].document;
        let before = self.excess(document);
        let amount = amount.min(self.claims[place].settled);
        let (by, claim, event) = self.about(place, EventKind::ClaimReversed, amount);
        self.claims[place].settled -= amount;
        let mut events = vec![event];
        if before > 0 && self.excess(document) <= 0 {
            let key = self.documents[document].key;
            events.push(told(EventKind::OverClaimCleared, key));
        }
        let body = Body::ClaimReverse(ClaimReverse {
            claim,
            amount: Fen::new(amount),
            reason: "r".to_owned(),
        });
        self.record_of(by, body, None, events);
    }

    pub(super) fn reverse(&mut self, place: usize, amount: i64) {
        let Some(known) = self.documents.get(place) else {
            return;
        };
        let left = known.total - known.reversed;
        let amount = if known.bill { left } else { amount.min(left) };
        let (key, signer) = (known.key, known.signer);
        if amount == 0 {
            return;
        }
        let mut events = Vec::new();
        for claim in 0..self.claims.len() {
            if self.claims[claim].document == place && self.is_live(claim) {
                events.push(self.about(claim, EventKind::ClaimReleased, 1).2);
                self.claims[claim].live = false;
            }
        }
        let before = self.excess(place);
        self.documents[place].reversed += amount;
        let after = self.excess(place);
        if before <= 0 && after > 0 {
            let event = told(EventKind::OverClaimed, key);
            events.push(event.amount(Fen::new(after)));
        }
        let event = told(EventKind::DocumentReversed, key);
        events.push(event.amount(Fen::new(amount)));
        let body = Body::DocumentReverse(DocumentReverse {
            document: key,
            amount: Fen::new(amount),
            reason: ReversalReason::Allowance,
            red_number: None,
        });
        self.record(signer, body, None, events);
    }
}
