//! Single cases that random histories seldom come to.

use invoice_core::identity::MemberId;
use invoice_core::money::Fen;
use oversight::read::IncidentKind;
use oversight::signals::Signal;
use oversight::{
    Changes, Figures, IncidentView, Level, Measure, Memory, MerchantView, SeenBlock, fold,
};

use crate::bodies::{FIRST_EMPLOYER, OUTSIDER, member};
use crate::folded;
use crate::history::{self, Step};

fn rows(steps: &[Step]) -> Memory {
    folded(&history::play(steps).0, |_| true)
}

fn over_claim(steps: &[Step]) -> IncidentView {
    let rows = rows(steps);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    let mut page = figures
        .incidents(IncidentKind::OverClaims, None, 9)
        .unwrap()
        .unwrap();
    assert_eq!(page.incidents.len(), 1);
    page.incidents.remove(0)
}

fn issuer(steps: &[Step], who: MemberId) -> MerchantView {
    let rows = rows(steps);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    figures.merchant(&who).unwrap().unwrap().merchant
}

#[test]
fn the_excess_of_an_over_claim_is_that_of_now() {
    let mut steps = vec![
        Step::Issue(0, 0, 106_000),
        Step::Lock(FIRST_EMPLOYER, 0, 106_000, 1, false),
        Step::Settle(0, 106_000),
    ];
    for (step, excess, largest, open) in [
        (Step::Reverse(0, 56_000), 56_000, 56_000, true),
        (Step::TakeBack(0, 30_000), 26_000, 56_000, true),
        (Step::Reverse(0, 20_000), 46_000, 56_000, true),
        (Step::Reverse(0, 30_000), 76_000, 76_000, true),
        (Step::TakeBack(0, 76_000), 0, 76_000, false),
    ] {
        steps.push(step);
        let over = over_claim(&steps);
        assert_eq!(over.amount, Some(Fen::new(excess)));
        assert_eq!(over.largest, Some(Fen::new(largest)));
        assert_eq!(over.cleared_by.is_none(), open);
    }
}

#[test]
fn raising_the_quota_of_one_month_does_not_hide_another() {
    let mut steps = Vec::new();
    // Numbers 1 and 2 are of October and November.
    steps.extend([Step::Issue(0, 0, 95_000), Step::Issue(0, 0, 93_000)]);
    steps.extend([Step::Quota(0, 10, 100_000), Step::Quota(0, 11, 100_000)]);
    let known = issuer(&steps, member(0));
    assert_eq!(known.quota_month.as_deref(), Some("2026-10"));
    steps.push(Step::Quota(0, 10, 10_000_000));
    let known = issuer(&steps, member(0));
    assert_eq!(known.quota_month.as_deref(), Some("2026-11"));
    let quota = |signal: &Signal| matches!(signal, Signal::Quota { .. });
    assert!(known.signals.iter().any(quota));
}

#[test]
fn a_month_without_quota_does_not_hide_another() {
    let quota = |signal: &Signal| matches!(signal, Signal::Quota { .. });
    // Numbers 1 and 2 are of October and November.
    let billed = [Step::Issue(0, 0, 95_000), Step::Issue(0, 0, 93_000)];
    let none = [9, 10, 12].map(|month| Step::Quota(0, month, 0));
    let november = [Step::Quota(0, 11, 100_000)];
    for order in [
        // Before and after what was billed; the month with something billed and that with nothing.
        [&none[..], &november, &billed],
        [&billed, &none, &november],
        [&november, &billed, &none],
        [&billed, &november, &none],
    ] {
        let known = issuer(&order.concat(), member(0));
        assert_eq!(known.quota_month.as_deref(), Some("2026-11"), "{order:?}");
        assert!(known.signals.iter().any(quota), "{order:?}");
    }
    // Without any quota there is no share of it, and what was billed before is no signal.
    let known = issuer(&[&billed[..], &none].concat(), member(0));
    assert_eq!(known.quota_limit, Some(Fen::ZERO));
    assert!(!known.signals.iter().any(quota));
}

#[test]
fn an_attempt_counts_for_no_more_than_others_hold() {
    let held = [
        Step::Issue(0, 0, 106_000),
        Step::Lock(FIRST_EMPLOYER, 0, 60_000, 1, false),
        Step::Settle(0, 60_000),
        Step::Lock(FIRST_EMPLOYER + 1, 0, 46_000, 1, false),
    ];
    let tries = |amount| Step::Lock(FIRST_EMPLOYER + 2, 0, amount, 1, false);
    // What is asked (0: all that is left), what it counts for, and against each of the holders.
    for (asked, counted, each) in [
        (999_999_999_999, 106_000, [60_000, 46_000]),
        (0, 106_000, [60_000, 46_000]),
        (50_000, 50_000, [50_000, 46_000]),
        (1, 1, [1, 1]),
    ] {
        let rows = rows(&[&held[..], &[tries(asked)]].concat());
        let figures = Figures::of(&rows, 0).unwrap().unwrap();
        let overview = figures.overview().unwrap();
        assert_eq!(overview.attempted.amount, Fen::new(counted));
        let pairs = figures.pairs(None, 9).unwrap().unwrap().pairs;
        for (place, due) in each.into_iter().enumerate() {
            let holder = member(FIRST_EMPLOYER + place);
            let pair = pairs.iter().find(|pair| pair.held.id == holder).unwrap();
            assert_eq!(pair.sum.amount, Fen::new(due), "{asked}");
        }
        let page = figures.incidents(IncidentKind::Attempts, None, 9).unwrap();
        let page = page.unwrap();
        assert_eq!(page.total.amount, Fen::new(counted));
        let asked = (asked > 0).then_some(Fen::new(asked));
        assert_eq!(page.incidents[0].amount, asked);
    }
}

#[test]
fn a_cursor_of_another_list_is_none_of_this_one() {
    let mut steps = Vec::new();
    for seller in 0..2 {
        steps.push(Step::Issue(seller, 0, 1_000));
        steps.push(Step::Lock(FIRST_EMPLOYER, seller, 1_000, 1, false));
        steps.push(Step::Lock(FIRST_EMPLOYER + 1 + seller, seller, 1, 1, false));
    }
    let rows = rows(&steps);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    let first = figures.pairs(None, 1).unwrap().unwrap();
    let next = hex::decode(first.next.unwrap()).unwrap();
    let second = figures.pairs(Some(&next), 1).unwrap().unwrap();
    assert_ne!(first.pairs[0].tried, second.pairs[0].tried);
    let first = figures.merchants(None, 1).unwrap().unwrap();
    let next = hex::decode(first.next.unwrap()).unwrap();
    let second = figures.merchants(Some(&next), 1).unwrap().unwrap();
    assert_ne!(first.merchants[0].member, second.merchants[0].member);
    for length in 0..60 {
        let cursor = vec![0; length];
        let pairs = figures.pairs(Some(&cursor), 9).unwrap();
        assert_eq!(pairs.is_some(), length == 44, "{length}");
        let merchants = figures.merchants(Some(&cursor), 9).unwrap();
        assert_eq!(merchants.is_some(), length == 20, "{length}");
    }
}

/// Six in each of two days of hours, then so many in one hour.
fn busy(last: Step, count: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..30 {
        steps.extend([Step::Issue(0, 0, 101), Step::Wait(60)]);
    }
    steps.extend(std::iter::repeat_n(last, count));
    steps
}

#[test]
fn a_burst_is_of_documents_that_were_issued_here() {
    let burst = |known: &MerchantView| {
        let is_burst = |signal: &&Signal| matches!(signal, Signal::Burst { .. });
        known.signals.iter().find(is_burst).cloned()
    };
    let known = issuer(&busy(Step::Issue(0, 0, 101), 120), member(0));
    let due = Signal::Burst {
        documents: 120,
        usual: 1,
        times: 10,
    };
    assert_eq!(burst(&known), Some(due));
    let mut steps = Vec::new();
    for _ in 0..30 {
        steps.extend([Step::Register(OUTSIDER, 101), Step::Wait(60)]);
    }
    steps.extend(std::iter::repeat_n(Step::Register(OUTSIDER, 101), 120));
    let known = issuer(&steps, member(OUTSIDER));
    assert_eq!((known.issued.count, burst(&known)), (150, None));
}

#[test]
fn registered_documents_take_no_quota_and_make_no_gaps() {
    let mut steps = vec![Step::Quota(OUTSIDER, 9, 1), Step::Quota(OUTSIDER, 11, 1)];
    steps.extend(std::iter::repeat_n(Step::Register(OUTSIDER, 101), 90));
    let rows = rows(&steps);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    let detail = figures.merchant(&member(OUTSIDER)).unwrap().unwrap();
    assert_eq!(detail.merchant.issued.count, 90);
    assert_eq!(detail.merchant.quota_billed, Some(Fen::ZERO));
    assert_eq!((detail.merchant.signals, detail.series), (vec![], vec![]));
}

#[test]
fn everyone_who_holds_money_is_in_a_pair_with_who_tried() {
    let mut steps = vec![Step::Issue(0, 0, 1_000)];
    for holder in 1..11 {
        steps.push(Step::Lock(FIRST_EMPLOYER + holder, 0, 100, 1, false));
    }
    steps.push(Step::Lock(FIRST_EMPLOYER, 0, 1, 1, false));
    let rows = rows(&steps);
    let figures = Figures::of(&rows, 0).unwrap().unwrap();
    assert_eq!(figures.pairs(None, 50).unwrap().unwrap().pairs.len(), 10);
    let page = figures.incidents(IncidentKind::Attempts, None, 9).unwrap();
    let attempt = page.unwrap().incidents.remove(0);
    assert_eq!((attempt.holders.len(), attempt.holders_count), (8, 10));
}

#[test]
fn figures_of_other_rules_are_none() {
    let mut rows = rows(&[Step::Issue(0, 0, 1)]);
    assert!(Figures::of(&rows, 0).unwrap().is_some());
    let head = rows.0.get_mut(&vec![0_u8]).unwrap();
    head[3] = head[3].wrapping_add(1);
    assert!(Figures::of(&rows, 0).unwrap().is_none());
    // Such a row may have another length.
    rows.0.get_mut(&vec![0_u8]).unwrap().pop();
    assert!(Figures::of(&rows, 0).unwrap().is_none());
}

#[test]
fn figures_of_no_block_say_so() {
    let rows = Memory::default();
    let overview = Figures::before_the_first(&rows, 9).overview().unwrap();
    assert_eq!((overview.as_of.height, overview.as_of.head), (0, 9));
    assert_eq!((overview.issued.count, overview.codes.len()), (0, 0));
}

#[test]
fn a_damaged_row_is_told_as_such() {
    let (blocks, _) = history::play(&[Step::Issue(0, 0, 1), Step::Wait(1), Step::Issue(0, 0, 1)]);
    let mut rows = folded(&blocks[..1], |_| true);
    for (key, value) in &mut rows.0 {
        if key.first() == Some(&16) {
            value.push(1);
        }
    }
    let mut changes = Changes::new(&rows);
    let error = fold::fold(&mut changes, &blocks[1]).unwrap_err();
    assert!(matches!(error, fold::FoldError::Damaged(_)));
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
    let series = figures.series(Measure::Issued, Level::Hour, (0, 1), None, None);
    assert_eq!(series.unwrap().buckets.len(), 2);
}
