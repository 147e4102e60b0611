//! What stands at the end of a history, against the recount.

use std::collections::{BTreeMap, BTreeSet};

use invoice_core::money::Fen;
use invoice_core::record::Body;
use oversight::Figures;
use oversight::read::{IncidentKind, RecordList};
use oversight::signals::Signal;
use proptest::prelude::*;

use crate::bodies::{self, MEMBERS, SELLERS, member};
use crate::counting::{self, accepted, claims_before, documents, excess, sum, sum_of};
use crate::history::{self, Happened, steps};
use crate::{all, folded, incidents};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

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
            let told = detail.merchant.signals.iter().find_map(|signal| {
                let Signal::LateReversals { late, .. } = signal else { return None };
                Some(*late)
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
                prop_assert_eq!(counting::share(billed.get(), limit.get()), due, "{} of {}", billed, limit);
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
}
