//! Figures against a recount that scans the whole history for every single one of them.

mod history;

use std::collections::{BTreeMap, BTreeSet};

use history::{Happened, MEMBERS, steps};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::Body;
use oversight::read::{IncidentKind, RecordList};
use oversight::{
    Changes, FOLD_VERSION, Figures, Head, Level, Measure, Memory, SeenBlock, Sum, fold,
};
use proptest::prelude::*;

/// Folds blocks into rows, so many of them in each batch.
fn folded(blocks: &[SeenBlock], batches: impl Fn(usize) -> bool) -> Memory {
    let mut rows = Memory::default();
    let mut changes = Changes::new(&rows);
    let genesis = invoice_core::crypto::Hash::new([7; 32]);
    fold::begin(&mut changes, &Head::genesis(FOLD_VERSION, genesis, 0));
    let changed = changes.into_changed();
    rows.apply(changed);
    let mut at = 0;
    while at < blocks.len() {
        let base = rows.clone();
        let mut changes = Changes::new(&base);
        loop {
            fold::fold(&mut changes, &blocks[at]).unwrap();
            at += 1;
            if at >= blocks.len() || batches(at) {
                break;
            }
        }
        rows.apply(changes.into_changed());
    }
    rows
}

/// A claim as the recount follows it.
struct Claim {
    by: MemberId,
    id: String,
    index: u64,
    document: DocumentKey,
    locked: Fen,
    settled: Fen,
    live: bool,
    expires_ms: i64,
}

/// Everything that holds money before a record, by scanning all that happened before.
fn claims_before(happened: &[Happened], until: usize) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let time = happened[until].time_ms;
    for one in &happened[..until] {
        if one.seen.outcome.code().is_some() {
            continue;
        }
        if let Body::ClaimLock(body) = &one.seen.record.body {
            claims.push(Claim {
                by: one.seen.record.by,
                id: one.seen.record.id.as_str().to_owned(),
                index: one.seen.index,
                document: body.document,
                locked: body.amount.unwrap(),
                settled: Fen::ZERO,
                live: true,
                expires_ms: body.expires_at.ms(),
            });
        }
        let find = |claims: &mut Vec<Claim>, id: &str| {
            let by = one.seen.record.by;
            claims
                .iter()
                .position(|claim| claim.by == by && claim.id == id)
                .unwrap()
        };
        if let Body::ClaimSettle(body) = &one.seen.record.body {
            let place = find(&mut claims, body.claim.as_str());
            claims[place].live = false;
            claims[place].settled = body.amount;
        }
        if let Body::ClaimRelease(body) = &one.seen.record.body {
            let place = find(&mut claims, body.claim.as_str());
            claims[place].live = false;
        }
        if let Body::ClaimReverse(body) = &one.seen.record.body {
            let place = find(&mut claims, body.claim.as_str());
            let left = claims[place].settled.get() - body.amount.get();
            claims[place].settled = Fen::new(left);
        }
        if let Body::DocumentReverse(body) = &one.seen.record.body {
            for claim in claims
                .iter_mut()
                .filter(|claim| claim.document == body.document)
            {
                claim.live = false;
            }
        }
    }
    for claim in &mut claims {
        claim.live &= claim.expires_ms > time;
    }
    claims
}

fn sum(amounts: impl IntoIterator<Item = Fen>) -> Sum {
    let mut sum = Sum::default();
    for amount in amounts {
        sum.count += 1;
        sum.amount = Fen::new(sum.amount.get() + amount.get());
    }
    sum
}

/// What a record counts as, and for how much.
fn measured(one: &Happened, attempt: bool) -> Vec<(Measure, Fen)> {
    let body = &one.seen.record.body;
    if one.seen.outcome.code().is_some() {
        let mut counted = vec![(Measure::Refused, Fen::ZERO)];
        if let (Body::ClaimLock(body), true) = (body, attempt) {
            counted.push((Measure::Attempted, body.amount.unwrap()));
        }
        return counted;
    }
    if let Body::InvoiceIssue(body) = body {
        vec![(Measure::Issued, body.invoice.total)]
    } else if let Body::ClaimLock(body) = body {
        vec![(Measure::Locked, body.amount.unwrap())]
    } else if let Body::ClaimSettle(body) = body {
        vec![(Measure::Settled, body.amount)]
    } else if let Body::DocumentReverse(body) = body {
        vec![(Measure::Reversed, body.amount)]
    } else {
        Vec::new()
    }
}

/// All pages of a list of records, a few entries each.
fn all(figures: &Figures<'_, Memory>, list: &RecordList) -> Vec<u64> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = figures
            .records(list, cursor.as_deref(), 3)
            .unwrap()
            .unwrap();
        assert!(page.indexes.len() <= 3);
        found.extend(page.indexes);
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn figures_are_what_a_recount_finds(steps in steps()) {
        let (blocks, happened) = history::play(&steps);
        let rows = folded(&blocks, |_| true);
        let figures = Figures::of(&rows, 99).unwrap().unwrap();
        prop_assert_eq!(figures.basis().height, blocks.len() as u64);

        // Who tried what others held.
        let mut attempts = BTreeSet::new();
        let mut pairs = BTreeMap::<(MemberId, MemberId), Vec<Fen>>::new();
        let mut late = Vec::new();
        for (place, one) in happened.iter().enumerate() {
            let claims = claims_before(&happened, place);
            let holds = |claim: &&Claim| claim.live || claim.settled > Fen::ZERO;
            if let (Body::ClaimLock(body), Some(_)) = (&one.seen.record.body, one.seen.outcome.code()) {
                let by = one.seen.record.by;
                let on = claims.iter().filter(holds).filter(|claim| claim.document == body.document);
                let others: BTreeSet<MemberId> = on.map(|claim| claim.by).filter(|held| *held != by).collect();
                for held in others {
                    attempts.insert(one.seen.index);
                    pairs.entry((by, held)).or_default().push(body.amount.unwrap());
                }
            }
            if let (Body::DocumentReverse(body), None) = (&one.seen.record.body, one.seen.outcome.code())
                && claims.iter().filter(holds).any(|claim| claim.document == body.document)
            {
                late.push((one.seen.index, body.amount));
            }
        }
        let overview = figures.overview().unwrap();
        let counted: Vec<(&Happened, Measure, Fen)> = happened
            .iter()
            .flat_map(|one| {
                measured(one, attempts.contains(&one.seen.index))
                    .into_iter()
                    .map(move |(measure, amount)| (one, measure, amount))
            })
            .collect();
        let of = |measure| sum(counted.iter().filter(|row| row.1 == measure).map(|row| row.2));
        prop_assert_eq!(overview.issued, of(Measure::Issued));
        prop_assert_eq!(overview.reversed, of(Measure::Reversed));
        prop_assert_eq!(overview.locked, of(Measure::Locked));
        prop_assert_eq!(overview.settled, of(Measure::Settled));
        prop_assert_eq!(overview.refused, of(Measure::Refused));
        prop_assert_eq!(overview.attempted, of(Measure::Attempted));
        prop_assert_eq!(overview.late_reversals, sum(late.iter().map(|row| row.1)));

        // Every hour, and the list behind it.
        let last = Level::Hour.bucket(happened.last().map_or(0, |one| one.time_ms));
        for measure in Measure::ALL {
            let view = figures.series(measure, Level::Hour, (0, last), None, None).unwrap();
            for bucket in &view.buckets {
                let hour = Level::Hour.bucket(bucket.start.ms());
                let within = counted.iter().filter(|row| row.1 == measure)
                    .filter(|row| Level::Hour.bucket(row.0.time_ms) == hour);
                prop_assert_eq!(bucket.sum, sum(within.clone().map(|row| row.2)));
                let list = RecordList::Cells { measure, from: hour, to: hour, region: None, kind: None };
                let found: BTreeSet<u64> = all(&figures, &list).into_iter().collect();
                prop_assert_eq!(found, within.map(|row| row.0.seen.index).collect::<BTreeSet<_>>());
            }
            let regions = sum_of(view.regions.iter().map(|share| share.sum));
            prop_assert_eq!(regions, sum_of(view.buckets.iter().map(|bucket| bucket.sum)));
        }

        // Pairs, the most frequent first.
        let (found, next) = figures.pairs(None, 200).unwrap();
        prop_assert_eq!(next, None);
        prop_assert!(found.windows(2).all(|two| two[0].sum.count >= two[1].sum.count));
        let found: BTreeMap<_, _> = found.into_iter()
            .map(|pair| ((pair.tried.id, pair.held.id), pair.sum)).collect();
        let expected: BTreeMap<_, _> = pairs.iter()
            .map(|(pair, asked)| (*pair, sum(asked.iter().copied()))).collect();
        prop_assert_eq!(&found, &expected);
        for (tried, held) in expected.keys() {
            let list = all(&figures, &RecordList::Pair(*tried, *held));
            prop_assert_eq!(list.len(), pairs[&(*tried, *held)].len());
        }
        let listed = figures.incidents(IncidentKind::Attempts, None, 200).unwrap().unwrap();
        let listed: BTreeSet<u64> = listed.incidents.iter().map(|one| one.index).collect();
        prop_assert_eq!(listed, attempts);
        let listed = figures.incidents(IncidentKind::LateReversals, None, 200).unwrap().unwrap();
        let listed: Vec<u64> = listed.incidents.iter().rev().map(|one| one.index).collect();
        prop_assert_eq!(listed, late.iter().map(|row| row.0).collect::<Vec<_>>());

        // Live locks: those of before the last record, and what that did to them.
        if let Some(last) = happened.last() {
            let mut with_end = happened.clone();
            let time_ms = blocks.last().unwrap().time_ms;
            with_end.push(Happened { time_ms, ..last.clone() });
            let claims = claims_before(&with_end, happened.len());
            let live: Vec<u64> = claims.iter().filter(|claim| claim.live).map(|claim| claim.index).collect();
            let page = figures.locks(None, 200).unwrap().unwrap();
            prop_assert_eq!(page.locks.iter().map(|lock| lock.index).collect::<Vec<_>>(), live);
            let locked = sum(claims.iter().filter(|claim| claim.live).map(|claim| claim.locked));
            prop_assert_eq!(overview.live, locked);
            prop_assert_eq!(sum_of(page.ages.iter().map(|age| age.sum)), locked);
        }

        // Issuers and members.
        for member in MEMBERS {
            let member: MemberId = member.parse().unwrap();
            let own = |one: &&Happened| one.seen.record.by == member;
            let numbers: BTreeSet<u64> = happened.iter().filter(own)
                .filter(|one| one.seen.outcome.code().is_none())
                .filter(|one| one.seen.record.body.issued().is_some())
                .filter_map(|one| one.seen.record.body.document())

                .filter_map(|key| key.number()[5..].parse().ok()).collect();
            let detail = figures.merchant(&member).unwrap();
            prop_assert_eq!(detail.is_some(), !numbers.is_empty());
            if let Some(detail) = detail {
                prop_assert_eq!(detail.merchant.issued.count, numbers.len() as u64);
                let series = &detail.series[0];
                let span = numbers.last().unwrap() - numbers.first().unwrap() + 1;
                prop_assert_eq!(series.missing, span - numbers.len() as u64);
            }
            let activity = figures.member(&member).unwrap();
            let refused = happened.iter().filter(own).filter(|one| one.seen.outcome.code().is_some()).count();
            prop_assert_eq!(activity.as_ref().map_or(0, |one| one.refused), refused as u64);
            let sent = happened.iter().filter(own).count() as u64;
            prop_assert_eq!(activity.map_or(0, |one| one.accepted + one.refused), sent);
        }
    }

    #[test]
    fn batches_may_end_anywhere(steps in steps(), cuts in proptest::collection::vec(any::<bool>(), 64)) {
        let (blocks, _) = history::play(&steps);
        let one_by_one = folded(&blocks, |_| true);
        prop_assert_eq!(&folded(&blocks, |_| false), &one_by_one);
        prop_assert_eq!(&folded(&blocks, |at| cuts[at % cuts.len()]), &one_by_one);
    }
}

fn sum_of(sums: impl IntoIterator<Item = Sum>) -> Sum {
    let mut all = Sum::default();
    for sum in sums {
        all.count += sum.count;
        all.amount = Fen::new(all.amount.get() + sum.amount.get());
    }
    all
}

#[test]
fn a_block_that_does_not_follow_is_not_folded() {
    let (blocks, _) = history::play(&[]);
    let rows = folded(&blocks, |_| true);
    let mut changes = Changes::new(&rows);
    let mut next = SeenBlock {
        height: blocks.len() as u64 + 2,
        id: invoice_core::crypto::Hash::new([1; 32]),
        time_ms: 1,
        log_size: 0,
        records: None,
    };
    assert!(fold::fold(&mut changes, &next).is_err());
    next.height -= 1;
    fold::fold(&mut changes, &next).unwrap();
    let mut rows = rows.clone();
    let changed = changes.into_changed();
    rows.apply(changed);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    assert_eq!(figures.basis().left_out, 1);
}
