//! What becomes of each step.

mod money;

use invoice_core::apply::{Event, EventKind};
use invoice_core::calendar::{Date, Instant, Month};
use invoice_core::chain::{Facts, Outcome};
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, Booking, ClaimRelease, ClaimSettle, DocumentAlias, DocumentFreeze, DocumentUnfreeze,
    QuotaSet, Record,
};
use oversight::SeenRecord;

use crate::bodies::{self, BUREAU, OUTSIDER, SELLERS, digital, fiscal, member};
use crate::history::{Happened, Step};

struct Claim {
    by: MemberId,
    id: RecordId,
    document: usize,
    locked: i64,
    settled: i64,
    live: bool,
    expires_ms: i64,
}

struct Document {
    key: DocumentKey,
    /// Whose reversal it is.
    signer: usize,
    bill: bool,
    total: i64,
    /// What can be claimed before reversals.
    stated: i64,
    reversed: i64,
    frozen: bool,
    alias: Option<DocumentKey>,
}

/// Documents and claims as they stand.
#[derive(Default)]
pub(crate) struct World {
    documents: Vec<Document>,
    claims: Vec<Claim>,
    numbers: [Vec<u64>; SELLERS],
    pub(crate) happened: Vec<Happened>,
    pub(crate) time_ms: i64,
}

fn id(index: usize) -> RecordId {
    RecordId::spelled(&format!("r-{index}")).unwrap()
}

fn told(kind: EventKind, key: DocumentKey) -> Event {
    Event::new(kind, Vec::new()).of(key)
}

impl World {
    pub(crate) fn at(time_ms: i64) -> Self {
        Self {
            time_ms,
            ..Self::default()
        }
    }

    fn live(&self, claim: &Claim) -> bool {
        claim.live && claim.expires_ms > self.time_ms
    }

    fn is_live(&self, place: usize) -> bool {
        self.claims.get(place).is_some_and(|claim| self.live(claim))
    }

    fn capacity(&self, document: usize) -> i64 {
        let known = &self.documents[document];
        (known.stated - known.reversed).max(0)
    }

    /// How far settlements exceed the capacity; negative where they fit.
    fn excess(&self, document: usize) -> i64 {
        let own = self
            .claims
            .iter()
            .filter(|claim| claim.document == document);
        own.map(|claim| claim.settled).sum::<i64>() - self.capacity(document)
    }

    fn free(&self, document: usize) -> i64 {
        let own = self
            .claims
            .iter()
            .filter(|claim| claim.document == document);
        let live = own
            .filter(|claim| self.live(claim))
            .map(|claim| claim.locked);
        -self.excess(document) - live.sum::<i64>()
    }

    fn record(&mut self, by: usize, body: Body, refused: Option<&str>, events: Vec<Event>) {
        self.record_of(member(by), body, refused, events);
    }

    fn record_of(&mut self, by: MemberId, body: Body, refused: Option<&str>, events: Vec<Event>) {
        let place = self.happened.len();
        let outcome = match refused {
            Some(code) => Outcome::refused(code, Facts::new()),
            None => Outcome::Accepted {
                detail: Facts::new(),
            },
        };
        let record = Record {
            id: id(place),
            by,
            at: Instant::from_ms(self.time_ms),
            body,
        };
        let seen = SeenRecord {
            index: place as u64,
            record,
            outcome,
            events,
        };
        self.happened.push(Happened {
            time_ms: self.time_ms,
            seen,
        });
    }

    /// The claim's owner, id and document, and an event about it.
    fn about(&self, place: usize, kind: EventKind, amount: i64) -> (MemberId, RecordId, Event) {
        let claim = &self.claims[place];
        let event = told(kind, self.documents[claim.document].key)
            .claim(claim.by, claim.id.clone())
            .amount(Fen::new(amount));
        (claim.by, claim.id.clone(), event)
    }

    fn enter(&mut self, key: DocumentKey, signer: usize, total: i64, body: Body) {
        let bill = matches!(body, Body::BillIssue(_));
        self.documents.push(Document {
            key,
            signer,
            bill,
            total,
            stated: if bill { total / 2 } else { total },
            reversed: 0,
            frozen: false,
            alias: None,
        });
        self.record(signer, body, None, Vec::new());
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let reason = || "r".to_owned();
        match *step {
            Step::Issue(seller, skip, total) => {
                let last = self.numbers[seller].iter().max().copied().unwrap_or(0);
                let number = last + skip + 1;
                self.numbers[seller].push(number);
                let key = digital(seller, number);
                let body = bodies::issue(key, seller, total, bodies::month(number));
                self.enter(key, seller, total, body);
            }
            Step::Bill(total) => {
                let key = fiscal(self.happened.len() as u64);
                self.enter(key, 0, total, bodies::bill(key, 0, total));
            }
            Step::Register(seller, total) => {
                let known = &self.numbers[seller];
                let last = known.iter().max().copied().unwrap_or(0);
                let gap = (1..last).rev().find(|number| !known.contains(number));
                let number = match gap {
                    Some(number) => number,
                    None if seller == OUTSIDER => last + 2,
                    None => return,
                };
                self.numbers[seller].push(number);
                let key = digital(seller, number);
                let body = bodies::register(key, seller, total, bodies::month(number));
                self.enter(key, BUREAU, total, body);
            }
            Step::Lock(employer, document, amount, days, alias)
                if document < self.documents.len() =>
            {
                self.lock(employer, document, amount, days, alias);
            }
            Step::Settle(place, amount)
                if self.is_live(place) && !self.documents[self.claims[place].document].frozen =>
            {
                let amount = amount.min(self.claims[place].locked);
                let (by, claim, event) = self.about(place, EventKind::ClaimSettled, amount);
                let body = Body::ClaimSettle(ClaimSettle {
                    claim,
                    amount: Fen::new(amount),
                    voucher: "V".to_owned(),
                    booked_on: Date::new(2026, 11, 1).unwrap(),
                    booking: Booking::ALL[0],
                });
                self.claims[place].live = false;
                self.claims[place].settled = amount;
                self.record_of(by, body, None, vec![event]);
            }
            Step::Release(place) if self.is_live(place) => {
                let (by, claim, event) = self.about(place, EventKind::ClaimReleased, 1);
                self.claims[place].live = false;
                let body = Body::ClaimRelease(ClaimRelease {
                    claim,
                    reason: reason(),
                });
                self.record_of(by, body, None, vec![event]);
            }
            Step::TakeBack(place, amount)
                if self
                    .claims
                    .get(place)
                    .is_some_and(|claim| claim.settled > 0) =>
            {
                self.take_back(place, amount);
            }
            Step::Reverse(document, amount) => self.reverse(document, amount),
            Step::Freeze(document) if document < self.documents.len() => {
                let known = &mut self.documents[document];
                known.frozen = !known.frozen;
                let (key, frozen) = (known.key, known.frozen);
                let (kind, body) = match frozen {
                    true => (
                        EventKind::DocumentFrozen,
                        Body::DocumentFreeze(DocumentFreeze {
                            document: key,
                            reason: reason(),
                        }),
                    ),
                    false => (
                        EventKind::DocumentUnfrozen,
                        Body::DocumentUnfreeze(DocumentUnfreeze {
                            document: key,
                            reason: reason(),
                        }),
                    ),
                };
                self.record(BUREAU, body, None, vec![told(kind, key)]);
            }
            Step::Alias(document) if document < self.documents.len() => {
                let known = &mut self.documents[document];
                if known.alias.is_some() {
                    return;
                }
                let text = format!("P:3300194130-{document:08}");
                let alias = DocumentKey::spelled(&text).unwrap();
                known.alias = Some(alias);
                let (key, signer) = (known.key, known.signer);
                let body = Body::DocumentAlias(DocumentAlias {
                    document: key,
                    alias,
                });
                self.record(signer, body, None, vec![told(EventKind::AliasAdded, key)]);
            }
            Step::Quota(seller, month, limit) => {
                let month = Month::spelled(&format!("2026-{month:02}")).unwrap();
                let body = Body::QuotaSet(QuotaSet {
                    member: member(seller),
                    month,
                    amount: Fen::new(limit),
                });
                let event = Event::new(EventKind::QuotaSet, Vec::new());
                self.record(BUREAU, body, None, vec![event]);
            }
            Step::Wait(_)
            | Step::Lock(..)
            | Step::Settle(..)
            | Step::Release(_)
            | Step::TakeBack(..)
            | Step::Freeze(_)
            | Step::Alias(_) => {}
        }
    }
}
