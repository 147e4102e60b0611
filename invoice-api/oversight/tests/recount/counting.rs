//! What figures are due, by scanning all that happened before for every single one of them.

use std::collections::BTreeMap;

use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Body, Document};
use oversight::{Measure, Sum};

use crate::bodies::{FIRST_EMPLOYER, MEMBERS, member};
use crate::history::Happened;

/// A claim as the recount follows it.
pub(crate) struct Claim {
    pub(crate) by: MemberId,
    id: String,
    pub(crate) index: u64,
    pub(crate) document: DocumentKey,
    pub(crate) locked: i64,
    settled: i64,
    pub(crate) live: bool,
    /// Neither settled, released nor freed by a reversal before it ran out.
    pub(crate) expired: bool,
    expires_ms: i64,
}

impl Claim {
    pub(crate) fn holds(&self) -> bool {
        self.live || self.settled > 0
    }

    pub(crate) fn money(&self) -> i64 {
        if self.live { self.locked } else { self.settled }
    }
}

/// What an accepted lock took: what it names, or all that was left, which its event tells.
fn taken(one: &Happened) -> Fen {
    let mut told = one.seen.events.iter().filter_map(|event| event.amount);
    told.next().unwrap()
}

pub(crate) fn accepted(one: &Happened) -> bool {
    one.seen.outcome.code().is_none()
}

/// The key that a document was issued under.
pub(crate) fn own_key(happened: &[Happened], key: DocumentKey) -> DocumentKey {
    for one in happened {
        if let Body::DocumentAlias(body) = &one.seen.record.body
            && body.alias == key
        {
            return body.document;
        }
    }
    key
}

/// Everything that was claimed before a record, as it stands at a time.
pub(crate) fn claims_before(happened: &[Happened], until: usize, time_ms: i64) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for one in happened[..until].iter().filter(|one| accepted(one)) {
        let by = one.seen.record.by;
        for claim in &mut claims {
            claim.expired |= claim.live && claim.expires_ms <= one.time_ms;
            claim.live &= claim.expires_ms > one.time_ms;
        }
        let find = |claims: &[Claim], id: &str| {
            let own = |claim: &Claim| claim.by == by && claim.id == id;
            claims.iter().position(own).unwrap()
        };
        if let Body::ClaimLock(body) = &one.seen.record.body {
            claims.push(Claim {
                by,
                id: one.seen.record.id.as_str().to_owned(),
                index: one.seen.index,
                document: own_key(happened, body.document),
                locked: taken(one).get(),
                settled: 0,
                live: true,
                expired: false,
                expires_ms: body.expires_at.ms(),
            });
        } else if let Body::ClaimSettle(body) = &one.seen.record.body {
            let place = find(&claims, body.claim.as_str());
            claims[place].live = false;
            claims[place].settled = body.amount.get();
        } else if let Body::ClaimRelease(body) = &one.seen.record.body {
            let place = find(&claims, body.claim.as_str());
            claims[place].live = false;
        } else if let Body::ClaimReverse(body) = &one.seen.record.body {
            let place = find(&claims, body.claim.as_str());
            claims[place].settled -= body.amount.get();
        } else if let Body::DocumentReverse(body) = &one.seen.record.body {
            let of = claims.iter_mut();
            for claim in of.filter(|claim| claim.document == body.document) {
                claim.live = false;
            }
        }
    }
    for claim in &mut claims {
        claim.expired |= claim.live && claim.expires_ms <= time_ms;
        claim.live &= claim.expires_ms > time_ms;
    }
    claims
}

/// A document as its record has it.
pub(crate) struct Issued {
    pub(crate) index: u64,
    pub(crate) key: DocumentKey,
    pub(crate) seller: MemberId,
    pub(crate) total: i64,
    /// What of it can be claimed.
    stated: i64,
    pub(crate) month: u32,
    pub(crate) registered: bool,
    pub(crate) bill: bool,
}

/// All documents, in the order of the chain.
pub(crate) fn documents(happened: &[Happened]) -> Vec<Issued> {
    let mut documents = Vec::new();
    for one in happened.iter().filter(|one| accepted(one)) {
        let body = &one.seen.record.body;
        let registered = matches!(body, Body::DocumentRegister(_));
        let index = one.seen.index;
        documents.extend(body.issued().map(|document| match document {
            Document::Invoice(invoice) => Issued {
                index,
                key: invoice.key,
                seller: invoice.seller.id,
                total: invoice.total.get(),
                stated: invoice.total.get(),
                month: invoice.issue_date.month().month(),
                registered,
                bill: false,
            },
            Document::Bill(bill) => Issued {
                index,
                key: bill.key,
                seller: bill.issuer.id,
                total: bill.total.get(),
                stated:
                    (bill.payment.account.get() + bill.payment.cash.get()).min(bill.total.get()),
                month: bill.issue_date.month().month(),
                registered,
                bill: true,
            },
        }));
    }
    documents
}

pub(crate) fn seller_of(happened: &[Happened], key: &DocumentKey) -> MemberId {
    let known = documents(happened);
    known.iter().find(|one| one.key == *key).unwrap().seller
}

/// How far the settlements of a document exceed what is left of it before a record.
pub(crate) fn excess(happened: &[Happened], until: usize, document: &Issued) -> i64 {
    let claims = claims_before(happened, until, i64::MIN);
    let own = claims.iter().filter(|claim| claim.document == document.key);
    let settled: i64 = own.map(|claim| claim.settled).sum();
    let mut reversed = 0;
    for one in &happened[..until] {
        if let Body::DocumentReverse(body) = &one.seen.record.body
            && body.document == document.key
        {
            reversed += body.amount.get();
        }
    }
    (settled - (document.stated - reversed).max(0)).max(0)
}

/// What a record counts as, and for how much, when as an attempt it counts for so much.
pub(crate) fn measured(one: &Happened, attempt: Option<Fen>) -> Vec<(Measure, Fen)> {
    let body = &one.seen.record.body;
    if !accepted(one) {
        let mut counted = vec![(Measure::Refused, Fen::ZERO)];
        counted.extend(attempt.map(|amount| (Measure::Attempted, amount)));
        return counted;
    }
    if let Some(document) = body.issued() {
        let total = match document {
            Document::Invoice(invoice) => invoice.total,
            Document::Bill(bill) => bill.total,
        };
        vec![(Measure::Issued, total)]
    } else if let Body::ClaimLock(_) = body {
        vec![(Measure::Locked, taken(one))]
    } else if let Body::ClaimSettle(body) = body {
        vec![(Measure::Settled, body.amount)]
    } else if let Body::DocumentReverse(body) = body {
        vec![(Measure::Reversed, body.amount)]
    } else {
        Vec::new()
    }
}

/// The region that a record counts in: that of a document's number, else its issuer's; of a refused
/// record its sender's.
pub(crate) fn region(happened: &[Happened], one: &Happened, measure: Measure) -> u8 {
    // The regions in the codes of `bodies.rs`.
    let sender = |by: MemberId| match (0..MEMBERS).find(|number| member(*number) == by) {
        Some(0) => 35,
        Some(1) => 44,
        Some(2) => 61,
        Some(3) => 11,
        Some(number) if number >= FIRST_EMPLOYER => 33,
        _ => panic!("{by} is no member"),
    };
    let body = &one.seen.record.body;
    if measure == Measure::Refused {
        return sender(one.seen.record.by);
    }
    let document = if let Body::ClaimSettle(body) = body {
        let claims = claims_before(happened, happened.len(), i64::MIN);
        let id = body.claim.as_str();
        claims.iter().find(|claim| claim.id == id).unwrap().document
    } else {
        own_key(happened, *body.document().unwrap())
    };
    match document.to_string().starts_with("D:26312") {
        true => 31,
        false => sender(seller_of(happened, &document)),
    }
}

/// The share of a quota that was billed, in millionths of millionths: exact enough to tell any two
/// shares of these histories apart. There is none of a quota of nothing.
pub(crate) fn share(billed: i64, limit: i64) -> Option<i128> {
    (i128::from(billed) * 1_000_000_000_000).checked_div(limit.into())
}

/// The share of the quota of an issuer's fullest month, if there is such a share; `None` when it
/// has no quota.
pub(crate) fn fullest(happened: &[Happened], seller: MemberId) -> Option<Option<i128>> {
    let mut limits = BTreeMap::new();
    for one in happened.iter().filter(|one| accepted(one)) {
        if let Body::QuotaSet(body) = &one.seen.record.body
            && body.member == seller
        {
            limits.insert(body.month.month(), body.amount.get());
        }
    }
    let billed = |month: u32| -> i64 {
        let of = documents(happened).into_iter();
        let of = of.filter(|one| one.seller == seller && one.month == month);
        of.filter(|one| !one.registered && !one.bill)
            .map(|one| one.total)
            .sum()
    };
    let months = limits.iter();
    let mut shares: Vec<_> = months
        .map(|(month, limit)| share(billed(*month), *limit))
        .collect();
    // `None` is the smallest.
    shares.sort();
    shares.pop()
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Fen>) -> Sum {
    let mut sum = Sum::default();
    for amount in amounts {
        sum.count += 1;
        sum.amount = Fen::new(sum.amount.get() + amount.get());
    }
    sum
}

pub(crate) fn sum_of(sums: impl IntoIterator<Item = Sum>) -> Sum {
    let mut all = Sum::default();
    for sum in sums {
        all.count += sum.count;
        all.amount = Fen::new(all.amount.get() + sum.amount.get());
    }
    all
}
