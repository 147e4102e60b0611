//! Random histories of a few members and documents, as the rules of the registry would have them.

use invoice_core::apply::{Event, EventKind};
use invoice_core::calendar::{Date, Instant};
use invoice_core::chain::{Facts, Outcome};
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId, RecordId};
use invoice_core::money::Fen;
use invoice_core::read::Spelled;
use invoice_core::record::{
    Body, Booking, Buyer, ClaimKind, ClaimLock, ClaimRelease, ClaimReverse, ClaimSettle, Component,
    DocumentReverse, Invoice, InvoiceIssue, Party, Record, ReversalReason,
};
use oversight::{SeenBlock, SeenRecord};
use proptest::prelude::*;

/// Two merchants, then three employers.
pub(crate) const MEMBERS: [&str; 5] = [
    "91350100M000100Y43",
    "91440300708461136T",
    "91330000142942095H",
    "91330106MACKX4QG41",
    "913205830880018839",
];

/// A record with its block's time.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) time_ms: i64,
    pub(crate) seen: SeenRecord,
}

/// One thing to do; numbers are places in the lists of members, documents and claims.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Issue(usize, u64, i64),
    Lock(usize, usize, i64, i64),
    Settle(usize, i64),
    Release(usize),
    TakeBack(usize),
    Reverse(usize),
    /// A new block, so many minutes later.
    Wait(i64),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, 0..3_u64, 1..40_000_i64).prop_map(|(m, s, t)| Step::Issue(m, s, t)),
        6 => (2..5_usize, 0..6_usize, 1..40_000_i64, 1..4_i64)
            .prop_map(|(e, d, a, days)| Step::Lock(e, d, a, days)),
        3 => (0..12_usize, 1..40_000_i64).prop_map(|(c, a)| Step::Settle(c, a)),
        1 => (0..12_usize).prop_map(Step::Release),
        1 => (0..12_usize).prop_map(Step::TakeBack),
        1 => (0..6_usize).prop_map(Step::Reverse),
        4 => (1..2_000_i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..60)
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
    merchant: usize,
    total: i64,
    reversed: bool,
}

#[derive(Default)]
struct World {
    documents: Vec<Document>,
    claims: Vec<Claim>,
    numbers: [u64; 2],
    happened: Vec<Happened>,
    time_ms: i64,
}

fn member(number: usize) -> MemberId {
    MemberId::spelled(MEMBERS[number]).unwrap()
}

fn id(index: usize) -> RecordId {
    RecordId::spelled(&format!("r-{index}")).unwrap()
}

impl World {
    fn live(&self, claim: &Claim) -> bool {
        claim.live && claim.expires_ms > self.time_ms
    }

    fn free(&self, document: usize) -> i64 {
        let own = self
            .claims
            .iter()
            .filter(|claim| claim.document == document);
        let held = |claim: &Claim| claim.settled + i64::from(self.live(claim)) * claim.locked;
        match &self.documents[document] {
            Document { reversed: true, .. } => 0,
            known => known.total - own.map(held).sum::<i64>(),
        }
    }

    fn record(&mut self, by: MemberId, body: Body, refused: Option<&str>, events: Vec<Event>) {
        let place = self.happened.len();
        let outcome = match refused {
            Some(code) => Outcome::refused(code, Facts::new()),
            None => Outcome::Accepted {
                detail: Facts::new(),
            },
        };
        let at = Instant::from_ms(self.time_ms);
        let record = Record {
            id: id(place),
            by,
            at,
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
        let event = Event::new(kind, vec![claim.by])
            .of(self.documents[claim.document].key)
            .claim(claim.by, claim.id.clone())
            .amount(Fen::new(amount));
        (claim.by, claim.id.clone(), event)
    }

    fn step(&mut self, step: &Step) {
        let reason = || "r".to_owned();
        match *step {
            Step::Issue(merchant, skip, total) => {
                self.numbers[merchant] += skip + 1;
                let number = self.numbers[merchant];
                let region = [31, 44][merchant];
                let key = DocumentKey::spelled(&format!("D:26{region}2{number:015}")).unwrap();
                self.documents.push(Document {
                    key,
                    merchant,
                    total,
                    reversed: false,
                });
                let invoice = invoice(key, merchant, total);
                let body = Body::InvoiceIssue(InvoiceIssue { invoice });
                self.record(member(merchant), body, None, Vec::new());
            }
            Step::Lock(employer, document, amount, days) if document < self.documents.len() => {
                self.lock(employer, document, amount, days);
            }
            Step::Settle(place, amount) if self.is_live(place) => {
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
                self.record(by, body, None, vec![event]);
            }
            Step::Release(place) if self.is_live(place) => {
                let (by, claim, event) = self.about(place, EventKind::ClaimReleased, 1);
                self.claims[place].live = false;
                let body = Body::ClaimRelease(ClaimRelease {
                    claim,
                    reason: reason(),
                });
                self.record(by, body, None, vec![event]);
            }
            Step::TakeBack(place) if self.claims.get(place).is_some_and(|c| c.settled > 0) => {
                let amount = self.claims[place].settled;
                let (by, claim, event) = self.about(place, EventKind::ClaimReversed, amount);
                self.claims[place].settled = 0;
                let amount = Fen::new(amount);
                let body = Body::ClaimReverse(ClaimReverse {
                    claim,
                    amount,
                    reason: reason(),
                });
                self.record(by, body, None, vec![event]);
            }
            Step::Reverse(document) => self.reverse(document),
            Step::Wait(_)
            | Step::Lock(..)
            | Step::Settle(..)
            | Step::Release(_)
            | Step::TakeBack(_) => {}
        }
    }

    fn is_live(&self, place: usize) -> bool {
        self.claims.get(place).is_some_and(|claim| self.live(claim))
    }

    fn lock(&mut self, employer: usize, document: usize, amount: i64, days: i64) {
        let key = self.documents[document].key;
        let expires_at = Instant::from_ms(self.time_ms + days * 86_400_000);
        let by = member(employer);
        let body = Body::ClaimLock(ClaimLock {
            document: key,
            amount: Some(Fen::new(amount)),
            kind: ClaimKind::Employer,
            component: Component::Any,
            reference: "BX".to_owned(),
            expires_at,
        });
        if amount > self.free(document) {
            let event = Event::new(EventKind::RecordRefused, vec![by]).of(key);
            return self.record(by, body, Some("claim_exceeds_remaining"), vec![event]);
        }
        let id = id(self.happened.len());
        let event = Event::new(EventKind::ClaimLocked, vec![by])
            .of(key)
            .claim(by, id.clone())
            .amount(Fen::new(amount));
        self.record(by, body, None, vec![event]);
        let expires_ms = expires_at.ms();
        self.claims.push(Claim {
            by,
            id,
            document,
            locked: amount,
            settled: 0,
            live: true,
            expires_ms,
        });
    }

    fn reverse(&mut self, place: usize) {
        let Some(Document {
            key,
            merchant,
            total,
            reversed: false,
        }) = self.documents.get(place)
        else {
            return;
        };
        let (key, merchant, total) = (*key, *merchant, *total);
        let mut events = Vec::new();
        for claim in 0..self.claims.len() {
            if self.claims[claim].document == place && self.is_live(claim) {
                events.push(self.about(claim, EventKind::ClaimReleased, 1).2);
                self.claims[claim].live = false;
            }
        }
        self.documents[place].reversed = true;
        let amount = Fen::new(total);
        let told = Event::new(EventKind::DocumentReversed, Vec::new());
        events.push(told.of(key).amount(amount));
        let body = Body::DocumentReverse(DocumentReverse {
            document: key,
            amount,
            reason: ReversalReason::IssuedInError,
            red_number: None,
        });
        self.record(member(merchant), body, None, events);
    }
}

fn invoice(key: DocumentKey, merchant: usize, total: i64) -> Invoice {
    Invoice {
        key,
        kind: invoice_core::invoice::InvoiceKind::spelled("82").unwrap(),
        issue_date: Date::new(2026, 11, 1).unwrap(),
        seller: Party {
            id: member(merchant),
            name: "S".to_owned(),
        },
        buyer: Buyer {
            id: None,
            name: "B".to_owned(),
        },
        lines: Vec::new(),
        total_without_tax: Fen::new(total),
        total_tax: Fen::ZERO,
        total: Fen::new(total),
        payment: None,
        sealed: None,
        note: None,
    }
}

/// The blocks of a history, and its records with their times.
pub(crate) fn play(steps: &[Step]) -> (Vec<SeenBlock>, Vec<Happened>) {
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
