//! Histories of a few members and documents, as the rules of the registry would have them.

use invoice_core::apply::{Event, EventKind};
use invoice_core::calendar::{Date, Instant, Month};
use invoice_core::chain::{Facts, Outcome};
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, Booking, ClaimKind, ClaimLock, ClaimRelease, ClaimReverse, ClaimSettle, Component,
    DocumentAlias, DocumentFreeze, DocumentReverse, DocumentUnfreeze, QuotaSet, Record,
    ReversalReason,
};
use oversight::{SeenBlock, SeenRecord};
use proptest::prelude::*;

use crate::bodies::{
    self, BUREAU, FIRST_EMPLOYER, MEMBERS, OUTSIDER, SELLERS, digital, fiscal, member,
};

/// A record with its block's time.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) time_ms: i64,
    pub(crate) seen: SeenRecord,
}

/// One thing to do; numbers are places in the lists of members, documents and claims.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A merchant issues an invoice after leaving out some numbers.
    Issue(usize, u64, i64),
    /// The first merchant issues a bill.
    Bill(i64),
    /// The authority registers a document of a seller: one of the numbers that it left out, or the
    /// next one of who is no member.
    Register(usize, i64),
    /// Who locks how much of what, for how many days, by its second number if it has one.
    Lock(usize, usize, i64, i64, bool),
    Settle(usize, i64),
    Release(usize),
    TakeBack(usize, i64),
    Reverse(usize, i64),
    /// Frozen when it is not, else unfrozen.
    Freeze(usize),
    Alias(usize),
    Quota(usize, u8, i64),
    /// A new block, so many minutes later.
    Wait(i64),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, 0..3_u64, 1..40_000_i64).prop_map(|(m, s, t)| Step::Issue(m, s, t)),
        1 => (2..40_000_i64).prop_map(Step::Bill),
        2 => (0..SELLERS, 1..40_000_i64).prop_map(|(s, t)| Step::Register(s, t)),
        8 => (FIRST_EMPLOYER..FIRST_EMPLOYER + 3, 0..6_usize, 1..30_000_i64, 1..4_i64, any::<bool>())
            .prop_map(|(e, d, a, days, alias)| Step::Lock(e, d, a, days, alias)),
        5 => (0..12_usize, 1..40_000_i64).prop_map(|(c, a)| Step::Settle(c, a)),
        1 => (0..12_usize).prop_map(Step::Release),
        2 => (0..12_usize, 1..20_000_i64).prop_map(|(c, a)| Step::TakeBack(c, a)),
        3 => (0..6_usize, 1..30_000_i64).prop_map(|(d, a)| Step::Reverse(d, a)),
        1 => (0..6_usize).prop_map(Step::Freeze),
        1 => (0..6_usize).prop_map(Step::Alias),
        2 => (0..2_usize, 9..12_u8, 1..60_000_i64).prop_map(|(m, n, a)| Step::Quota(m, n, a)),
        4 => (1..2_000_i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..70)
}

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

#[derive(Default)]
struct World {
    documents: Vec<Document>,
    claims: Vec<Claim>,
    numbers: [Vec<u64>; SELLERS],
    happened: Vec<Happened>,
    time_ms: i64,
}

fn id(index: usize) -> RecordId {
    RecordId::spelled(&format!("r-{index}")).unwrap()
}

fn told(kind: EventKind, key: DocumentKey) -> Event {
    Event::new(kind, Vec::new()).of(key)
}

impl World {
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

    fn step(&mut self, step: &Step) {
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

    fn lock(&mut self, employer: usize, document: usize, amount: i64, days: i64, alias: bool) {
        let known = &self.documents[document];
        let (key, second, frozen) = (known.key, known.alias, known.frozen);
        let expires_at = Instant::from_ms(self.time_ms + days * 86_400_000);
        let body = Body::ClaimLock(ClaimLock {
            document: second.filter(|_| alias).unwrap_or(key),
            amount: Some(Fen::new(amount)),
            kind: ClaimKind::Employer,
            component: Component::Any,
            reference: "BX".to_owned(),
            expires_at,
        });
        let refused = if frozen {
            Some("document_frozen")
        } else if self.excess(document) > 0 {
            Some("document_over_claimed")
        } else if amount > self.free(document) {
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

    fn take_back(&mut self, place: usize, amount: i64) {
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

    fn reverse(&mut self, place: usize, amount: i64) {
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

/// The blocks of a history, and its records with their times.
pub(crate) fn play(steps: &[Step]) -> (Vec<SeenBlock>, Vec<Happened>) {
    assert!(member(MEMBERS - 1) != member(0));
    let mut world = World {
        time_ms: 30 * 86_400_000,
        ..World::default()
    };
    let mut blocks: Vec<SeenBlock> = Vec::new();
    let mut first = 0;
    for step in steps.iter().chain([&Step::Wait(1)]) {
        world.step(step);
        if let Step::Wait(minutes) = step {
            let records = world.happened[first..].iter().map(|one| one.seen.clone());
            let records = Some(records.collect());
            first = world.happened.len();
            let height = blocks.len() as u64 + 1;
            blocks.push(SeenBlock {
                height,
                id: Hash::new([height as u8; 32]),
                time_ms: world.time_ms,
                log_size: first as u64,
                records,
            });
            world.time_ms += minutes * 60_000;
        }
    }
    (blocks, world.happened)
}
