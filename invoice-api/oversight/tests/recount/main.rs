//! Figures against a recount that scans the whole history for every single one of them.

mod bodies;
mod cases;
mod counting;
mod history;

use std::collections::{BTreeMap, BTreeSet};

use bodies::{MEMBERS, SELLERS, member};
use counting::{accepted, claims_before, documents, excess, measured, own_key, sum, sum_of};
use history::{Happened, steps};
use invoice_core::identity::MemberId;
use invoice_core::money::Fen;
use invoice_core::record::Body;
use oversight::read::{IncidentKind, RecordList};
use oversight::signals::Signal;
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
    attempts: BTreeSet<u64>,
    pairs: BTreeMap<(MemberId, MemberId), Vec<Fen>>,
    /// Leaf index, amount, whose document.
    late: Vec<(u64, Fen, MemberId)>,
}

fn incidents(happened: &[Happened]) -> Incidents {
    let mut due = Incidents::default();
    for (place, one) in happened.iter().enumerate() {
        let claims = claims_before(happened, place, one.time_ms);
        let held = |key| {
            let on = claims.iter().filter(move |claim| claim.document == key);
            on.filter(|claim| claim.holds()).map(|claim| claim.by)
        };
        let code = one.seen.outcome.code();
        if let (Body::ClaimLock(body), Some(code)) = (&one.seen.record.body, code)
            && code != "document_frozen"
        {
            let by = one.seen.record.by;
            let on = held(own_key(happened, body.document));
            let others: BTreeSet<MemberId> = on.filter(|held| *held != by).collect();
            for held in others {
                due.attempts.insert(one.seen.index);
                let asked = due.pairs.entry((by, held)).or_default();
                asked.push(body.amount.unwrap());
            }
        }
        if let Body::DocumentReverse(body) = &one.seen.record.body
            && held(body.document).next().is_some()
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
                measured(one, due.attempts.contains(&one.seen.index))
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
        let (found, next) = figures.pairs(None, 200).unwrap();
        prop_assert_eq!(next, None);
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
        let listed: BTreeSet<u64> = listed.incidents.iter().map(|one| one.index).collect();
        prop_assert_eq!(&listed, &due.attempts);
        let listed = figures.incidents(IncidentKind::LateReversals, None, 200).unwrap().unwrap();
        let listed: Vec<u64> = listed.incidents.iter().rev().map(|one| one.index).collect();
        prop_assert_eq!(listed, due.late.iter().map(|row| row.0).collect::<Vec<_>>());
    }

    #[test]
    fn what_stands_now_is_what_a_recount_finds(steps in steps()) {
        let (blocks, happened) = history::play(&steps);
        let rows = folded(&blocks, |_| true);
        let figures = Figures::of(&rows, 99).unwrap().unwrap();
        let overview = figures.overview().unwrap();
        let due = incidents(&happened);

        // Live locks, by age too; those that ran out.
        let time_ms = blocks.last().unwrap().time_ms;
        let claims = claims_before(&happened, happened.len(), time_ms);
        let live: Vec<&counting::Claim> = claims.iter().filter(|claim| claim.live).collect();
        let page = figures.locks(None, None, 200).unwrap().unwrap();
        prop_assert_eq!(
            page.locks.iter().map(|lock| lock.index).collect::<Vec<_>>(),
            live.iter().map(|claim| claim.index).collect::<Vec<_>>()
        );
        let locked = sum(live.iter().map(|claim| Fen::new(claim.locked)));
        prop_assert_eq!(overview.live, locked);
        prop_assert_eq!(sum_of(page.ages.iter().map(|age| age.sum)), locked);
        for age in &page.ages {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let days = Some((age.days_from, age.days_below));
                let page = figures.locks(days, cursor.as_deref(), 1).unwrap().unwrap();
                found.extend(page.locks.iter().map(|lock| lock.amount));
                let Some(next) = page.next else { break };
                cursor = Some(hex::decode(next).unwrap());
            }
            prop_assert_eq!(sum(found), age.sum);
        }
        let expired: Vec<&counting::Claim> = claims.iter().filter(|claim| claim.expired).collect();
        prop_assert_eq!(overview.expired, sum(expired.iter().map(|claim| Fen::new(claim.locked))));
        let listed: BTreeSet<u64> = all(&figures, &RecordList::Expired).into_iter().collect();
        prop_assert_eq!(listed, expired.iter().map(|claim| claim.index).collect::<BTreeSet<_>>());

        // Frozen documents, by the record that froze them.
        let mut frozen = BTreeMap::new();
        for one in &happened {
            if let Body::DocumentFreeze(body) = &one.seen.record.body {
                frozen.insert(body.document, one.seen.index);
            } else if let Body::DocumentUnfreeze(body) = &one.seen.record.body {
                frozen.remove(&body.document);
            }
        }
        prop_assert_eq!(overview.frozen, frozen.len() as u64);
        let listed = all(&figures, &RecordList::Frozen);
        prop_assert!(listed.is_sorted_by(|one, other| one > other));
        prop_assert_eq!(
            listed.into_iter().collect::<BTreeSet<_>>(),
            frozen.into_values().collect::<BTreeSet<_>>()
        );

        // Over-claims: the excess of now, and of each time the largest.
        let (mut open, mut ever) = (BTreeMap::new(), BTreeMap::new());
        for document in documents(&happened) {
            let (mut since, mut largest) = (None, 0);
            for place in 0..happened.len() {
                let after = excess(&happened, place + 1, &document);
                if after == 0 {
                    since = None;
                } else {
                    let since = *since.get_or_insert_with(|| { largest = 0; place as u64 });
                    largest = largest.max(after);
                    ever.insert(since, Fen::new(largest));
                }
            }
            if let Some(since) = since {
                open.insert(since, Fen::new(excess(&happened, happened.len(), &document)));
            }
        }
        prop_assert_eq!(overview.over_claimed, sum(open.values().copied()));
        let listed = figures.incidents(IncidentKind::OverClaims, None, 200).unwrap().unwrap();
        prop_assert_eq!(listed.total, sum(ever.values().copied()));
        prop_assert_eq!(listed.incidents.len(), ever.len());
        for one in &listed.incidents {
            prop_assert_eq!(one.largest, ever.get(&one.index).copied());
            prop_assert_eq!(one.amount, Some(open.get(&one.index).copied().unwrap_or(Fen::ZERO)));
            prop_assert_eq!(one.cleared_by.is_none(), open.contains_key(&one.index));
        }

        // Issuers, members or not.
        let known = documents(&happened);
        for number in 0..SELLERS {
            let seller = member(number);
            let own: Vec<&counting::Issued> = known.iter().filter(|one| one.seller == seller).collect();
            let quota = counting::fullest(&happened, seller);
            let detail = figures.merchant(&seller).unwrap();
            prop_assert_eq!(detail.is_some(), !own.is_empty() || quota.is_some());
            let Some(detail) = detail else { continue };
            prop_assert_eq!(detail.merchant.issued, sum(own.iter().map(|one| Fen::new(one.total))));
            let listed = all(&figures, &RecordList::Issued(seller));
            prop_assert_eq!(listed, own.iter().rev().map(|one| one.index).collect::<Vec<_>>());
            let mut reversed = Vec::new();
            for one in &happened {
                if let Body::DocumentReverse(body) = &one.seen.record.body
                    && own.iter().any(|known| known.key == body.document)
                {
                    reversed.push((one.seen.index, body.amount));
                }
            }
            prop_assert_eq!(detail.merchant.reversed, sum(reversed.iter().map(|row| row.1)));
            let listed = all(&figures, &RecordList::Reversed(seller));
            prop_assert_eq!(listed, reversed.iter().rev().map(|row| row.0).collect::<Vec<_>>());
            let late = due.late.iter().filter(|row| row.2 == seller).count() as u64;
            let told = detail.merchant.signals.iter().find_map(|signal| match signal {
                Signal::LateReversals { late, .. } => Some(*late),
                _ => None,
            });
            prop_assert_eq!(told.unwrap_or(0), late);
            // A registered number counts where it fills a gap.
            let mut used = BTreeSet::<u64>::new();
            for one in own.iter().filter(|one| !one.bill) {
                let number = one.key.number()[5..].parse().unwrap();
                let within = used.first() < Some(&number) && Some(&number) < used.last();
                if !one.registered || (!used.is_empty() && within) {
                    used.insert(number);
                }
            }
            let digital = detail.series.iter().find(|series| series.prefix.starts_with("26"));
            let found = digital.map(|series| (series.used, series.missing));
            let missing = used.last().map(|last| last - used.first().unwrap() + 1 - used.len() as u64);
            prop_assert_eq!(found, missing.map(|missing| (used.len() as u64, missing)));
            let found = detail.merchant.quota_billed.zip(detail.merchant.quota_limit);
            prop_assert_eq!(found.is_some(), quota.is_some());
            if let (Some((billed, limit)), Some(due)) = (found, quota) {
                prop_assert_eq!(billed.get() * due.1, due.0 * limit.get(), "{} of {}, {:?}", billed, limit, due);
            }
        }
        let bureau = figures.merchant(&member(bodies::BUREAU)).unwrap();
        prop_assert_eq!(bureau, None, "who registers or reverses for others issues nothing");

        for number in 0..MEMBERS {
            let member = member(number);
            let own = |one: &&Happened| one.seen.record.by == member;
            let activity = figures.member(&member).unwrap();
            let refused = happened.iter().filter(own).filter(|one| !accepted(one)).count();
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
