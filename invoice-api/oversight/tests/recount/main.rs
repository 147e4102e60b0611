//! Figures against a recount that scans the whole history for every single one of them.

mod bodies;
mod cases;
mod counting;
mod history;
mod now;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use counting::{claims_before, measured, own_key, sum, sum_of};
use history::{Happened, steps};
use invoice_core::identity::MemberId;
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
    fold::begin(&mut changes, &Head::genesis(FOLD_VERSION, genesis));
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

/// Who tried what others held, and reversals of what was claimed.
#[derive(Default)]
struct Incidents {
    /// For how much of what others held.
    attempts: BTreeMap<u64, Fen>,
    pairs: BTreeMap<(MemberId, MemberId), Vec<Fen>>,
    /// Leaf index, amount, whose document.
    late: Vec<(u64, Fen, MemberId)>,
}

fn incidents(happened: &[Happened]) -> Incidents {
    let mut due = Incidents::default();
    for (place, one) in happened.iter().enumerate() {
        let claims = claims_before(happened, place, one.time_ms);
        let held = |key| {
            let mut held = BTreeMap::<MemberId, i64>::new();
            let on = claims.iter().filter(|claim| claim.document == key);
            for claim in on.filter(|claim| claim.holds()) {
                *held.entry(claim.by).or_default() += claim.money();
            }
            held
        };
        let code = one.seen.outcome.code();
        if let (Body::ClaimLock(body), Some(code)) = (&one.seen.record.body, code)
            && code != "document_frozen"
        {
            let by = one.seen.record.by;
            let mut others = held(own_key(happened, body.document));
            others.remove(&by);
            let asked = |of: i64| match body.amount {
                Some(amount) if amount.get() < of => amount,
                _ => Fen::new(of),
            };
            if !others.is_empty() {
                let all = asked(others.values().sum());
                due.attempts.insert(one.seen.index, all);
            }
            for (held, money) in others {
                due.pairs.entry((by, held)).or_default().push(asked(money));
            }
        }
        if let Body::DocumentReverse(body) = &one.seen.record.body
            && !held(body.document).is_empty()
        {
            let seller = counting::seller_of(happened, &body.document);
            due.late.push((one.seen.index, body.amount, seller));
        }
    }
    due
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn figures_are_what_a_recount_finds(steps in steps()) {
        let (blocks, happened) = history::play(&steps);
        let rows = folded(&blocks, |_| true);
        let figures = Figures::of(&rows, 99).unwrap().unwrap();
        prop_assert_eq!(figures.basis().height, blocks.len() as u64);
        let due = incidents(&happened);
        let overview = figures.overview().unwrap();
        prop_assert_eq!(overview.since.ms(), blocks[0].time_ms);
        let counted: Vec<(&Happened, Measure, Fen)> = happened
            .iter()
            .flat_map(|one| {
                measured(one, due.attempts.get(&one.seen.index).copied())
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
        prop_assert_eq!(overview.late_reversals, sum(due.late.iter().map(|row| row.1)));

        // Every hour, and the list behind it; every region.
        let last = Level::Hour.bucket(blocks.last().unwrap().time_ms);
        for measure in Measure::ALL {
            let first = Level::Hour.bucket(blocks[0].time_ms);
            let view = figures.series(measure, Level::Hour, (first, last), None, None).unwrap();
            prop_assert_eq!(view.cut, last - first >= 400);
            for bucket in &view.buckets {
                let hour = Level::Hour.bucket(bucket.start.ms());
                let within = counted.iter().filter(|row| row.1 == measure)
                    .filter(|row| Level::Hour.bucket(row.0.time_ms) == hour);
                prop_assert_eq!(bucket.sum, sum(within.clone().map(|row| row.2)));
                let list = RecordList::Cells { measure, from: hour, to: hour, region: None, kind: None };
                let found: BTreeSet<u64> = all(&figures, &list).into_iter().collect();
                prop_assert_eq!(found, within.map(|row| row.0.seen.index).collect::<BTreeSet<_>>());
            }
            let first = Level::Day.bucket(blocks[0].time_ms);
            let view = figures.series(measure, Level::Day, (first, first + 399), None, None).unwrap();
            let mut regions = BTreeMap::<u8, Vec<Fen>>::new();
            for row in counted.iter().filter(|row| row.1 == measure) {
                regions.entry(counting::region(&happened, row.0, measure)).or_default().push(row.2);
            }
            let due: BTreeMap<u8, Sum> = regions.into_iter().map(|(region, amounts)| (region, sum(amounts))).collect();
            let found: BTreeMap<u8, Sum> = view.regions.iter().map(|share| (share.number, share.sum)).collect();
            prop_assert_eq!(found, due);
            prop_assert_eq!(sum_of(view.kinds.iter().map(|share| share.sum)), of(measure));
        }

        // Pairs, the most frequent first.
        let page = figures.pairs(None, 200).unwrap().unwrap();
        prop_assert_eq!(page.next, None);
        let found = page.pairs;
        prop_assert!(found.windows(2).all(|two| two[0].sum.count >= two[1].sum.count));
        let found: BTreeMap<_, _> = found.into_iter()
            .map(|pair| ((pair.tried.id, pair.held.id), pair.sum)).collect();
        let expected: BTreeMap<_, _> = due.pairs.iter()
            .map(|(pair, asked)| (*pair, sum(asked.iter().copied()))).collect();
        prop_assert_eq!(&found, &expected);
        for (tried, held) in expected.keys() {
            let list = all(&figures, &RecordList::Pair(*tried, *held));
            prop_assert_eq!(list.len(), due.pairs[&(*tried, *held)].len());
        }
        let listed = figures.incidents(IncidentKind::Attempts, None, 200).unwrap().unwrap();
        prop_assert_eq!(listed.total, overview.attempted);
        let listed: BTreeSet<u64> = listed.incidents.iter().map(|one| one.index).collect();
        prop_assert_eq!(listed, due.attempts.keys().copied().collect::<BTreeSet<_>>());
        let listed = figures.incidents(IncidentKind::LateReversals, None, 200).unwrap().unwrap();
        let listed: Vec<u64> = listed.incidents.iter().rev().map(|one| one.index).collect();
        prop_assert_eq!(listed, due.late.iter().map(|row| row.0).collect::<Vec<_>>());
    }

    #[test]
    fn batches_may_end_anywhere(steps in steps(), cuts in proptest::collection::vec(any::<bool>(), 64)) {
        let (blocks, _) = history::play(&steps);
        let one_by_one = folded(&blocks, |_| true);
        prop_assert_eq!(&folded(&blocks, |_| false), &one_by_one);
        prop_assert_eq!(&folded(&blocks, |at| cuts[at % cuts.len()]), &one_by_one);
    }
}
