//! What takes more than one record: precedence, batches, time, quotas, over-claims, priority.

use invoice_core::apply::{Event, EventKind, Verdict};
use invoice_core::calendar::Month;
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use invoice_core::record::ClaimKind::{Basic, Commercial, Employer, Supplement};
use invoice_core::record::Component::{Any, SelfPay};
use invoice_core::refusal::catalogue::catalogue;
use invoice_core::state::{MemberNo, TypedState};
use serde_json::Value;

use crate::bodies::*;
use crate::common::*;
use crate::scenes::*;
use crate::world::{HOUR_MS, World, code};

/// The answers stand in the order of the catalogue, which is the order of precedence.
fn assert_in_order(codes: &[&str]) {
    let entries = catalogue();
    let place = |code: &&str| entries.iter().position(|entry| entry.code == *code);
    let places: Vec<_> = codes
        .iter()
        .map(|code| place(code).expect("a code"))
        .collect();
    assert!(places.is_sorted(), "{codes:?}");
}

fn told(events: &[Event], kind: EventKind) -> Option<&Event> {
    events.iter().find(|event| event.kind == kind)
}

fn concerns(events: &[Event], kind: EventKind) -> Vec<MemberId> {
    told(events, kind)
        .map(|event| event.concerns.clone())
        .unwrap_or_default()
}

#[test]
#[rustfmt::skip]
fn a_lock_that_breaks_every_rule_is_mended_one_rule_a_line() {
    let mut world = prepared();
    let insurer = INSURER as u16;
    // Frozen, reversed, over-claimed, exchanged: on one document each, as far as they go together.
    world.accept(TAX, &freeze(REVERSED));
    world.accept(TAX, &freeze(OVER_CLAIMED));
    world.accept(EMPLOYER, &lock(PLAIN, Employer, "96.00").set("/id", "most"));
    let past = world.after(-1);
    let bad = |document, kind| lock_of(SelfPay, document, kind, "500.00").set("/expires_at", past.clone());
    let mut codes = Vec::new();
    let mut line = |world: &mut World, by, body: Value, due| {
        assert_eq!(code(&world.send(by, &body)), due, "{body}");
        if due != "accepted" { codes.push(due); }
    };
    let (basic, paid) = (bad(UNKNOWN, Basic), bad(PLAIN, Commercial));
    line(&mut world, EMPLOYER, basic.clone(),                                  "claim_kind_not_allowed");
    line(&mut world, HEALTH,   basic.clone(),                                  "document_unknown");
    line(&mut world, HEALTH,   basic.clone().set("/document", REVERSED),       "document_frozen");
    world.accept(TAX, &unfreeze(REVERSED));
    world.accept(TAX, &unfreeze(OVER_CLAIMED));
    line(&mut world, HEALTH,   basic.clone().set("/document", REVERSED),       "document_reversed");
    line(&mut world, HEALTH,   basic.clone().set("/document", OVER_CLAIMED),   "document_over_claimed");
    line(&mut world, HEALTH,   basic.clone().set("/document", EXCHANGED_BILL), "reissued_on_paper");
    line(&mut world, HEALTH,   basic.clone().set("/document", PLAIN),          "claimant_not_entitled");
    line(&mut world, HEALTH,   basic.clone().set("/document", OPEN),           "claim_kind_not_applicable");
    line(&mut world, HEALTH,   basic.clone().set("/document", DIRECT_BILL),    "directly_settled");
    world.accept(EMPLOYER, &grant(PLAIN, insurer, "10.00"));
    world.accept(INSURER, &lock(PLAIN, Commercial, "10.00").set("/id", "rest"));
    line(&mut world, INSURER,  paid.clone(),                                   "component_not_applicable");
    let paid = paid.set("/component", "any");
    line(&mut world, INSURER,  paid.clone(),                                   "expiry_out_of_range");
    let paid = paid.set("/expires_at", world.after(HOUR_MS));
    line(&mut world, INSURER,  paid.clone(),                                   "already_locked");
    world.accept(INSURER, &release("rest"));
    line(&mut world, INSURER,  paid.clone(),                                   "claim_exceeds_remaining");
    line(&mut world, INSURER,  paid.clone().set("/amount", "10.00"),           "accepted");
    let medical = bad(HELD_BILL, Commercial).set("/expires_at", world.after(HOUR_MS));
    line(&mut world, INSURER,  medical.clone(),                                "claim_exceeds_remaining");
    line(&mut world, INSURER,  medical.clone().set("/amount", "30.01"),        "component_exceeded");
    line(&mut world, INSURER,  medical.clone().set("/amount", "30.00"),        "accepted");
    line(&mut world, INSURER,  paid.clone().set("/document", CROWDED).set("/amount", "0.01"), "too_many_claims");
    assert_in_order(&codes);
}

#[test]
#[rustfmt::skip]
fn what_was_issued_elsewhere_is_claimed_once_and_never_issued_here() {
    const STRANGER: usize = 53;
    const INVOICE: &str = "D:26442000000000000111";
    const BILL: &str = "F:33060122-0000000111";
    let mut world = prepared();
    let events = world.accept(TAX, &register(invoice(INVOICE, STRANGER, Some(EMPLOYER))));
    assert_eq!(concerns(&events, EventKind::DocumentRegistered), [id_of(TAX), id_of(EMPLOYER)]);
    world.accept(FINANCE, &register(bill(BILL, STRANGER, 0)));
    let mut line = |by, body: Value, due| assert_eq!(code(&world.send(by, &body)), due, "{body}");
    // One number, one document, whichever way it comes in.
    line(TAX,            register(invoice(INVOICE, STRANGER, Some(EMPLOYER))),                      "document_exists");
    line(TAX,            register(invoice(INVOICE, STRANGER, Some(OTHER_EMPLOYER))),                "document_conflict");
    line(MERCHANT,       invoice(INVOICE, MERCHANT, Some(EMPLOYER)),                                "document_conflict");
    line(HOSPITAL,       bill(BILL, HOSPITAL, 0),                                                   "document_conflict");
    // The buyer locks and settles it, once.
    line(OTHER_EMPLOYER, lock(INVOICE, Employer, "106.00"),                                         "claimant_not_entitled");
    line(EMPLOYER,       lock(INVOICE, Employer, "106.00").set("/id", "elsewhere"),                 "accepted");
    line(EMPLOYER,       settle("elsewhere", "106.00"),                                             "accepted");
    line(EMPLOYER,       lock(INVOICE, Employer, "1.00"),                                           "already_claimed");
    // A bill has no buyer: the first employer takes it, a second one finds nothing left.
    line(EMPLOYER,       lock(BILL, Employer, "100.00").set("/id", "bill-elsewhere"),               "accepted");
    line(OTHER_EMPLOYER, lock(BILL, Employer, "100.00"),                                            "already_locked");
    line(EMPLOYER,       settle("bill-elsewhere", "100.00"),                                        "accepted");
    line(OTHER_EMPLOYER, lock(BILL, Employer, "0.01"),                                              "already_claimed");
    // What is reversed elsewhere is frozen here; nobody here issued it.
    line(MERCHANT,       reverse(INVOICE, "106.00"),                                                "not_issuer");
    line(TAX,            freeze(INVOICE),                                                           "accepted");
}

#[test]
#[rustfmt::skip]
fn a_registered_bill_that_was_exchanged_for_paper_is_paid_once_whenever_it_was() {
    const STRANGER: usize = 53;
    const BILL: &str = "F:33060122-0000000111";
    const PAPER: &str = "F:33060199-0000000009";
    let mut world = prepared();
    world.accept(FINANCE, &register(bill(BILL, STRANGER, 0)));
    world.accept(EMPLOYER, &lock(BILL, Employer, "60.00").set("/id", "elsewhere"));
    world.accept(EMPLOYER, &settle("elsewhere", "60.00"));
    let mut line = |by, body: Value, due| assert_eq!(code(&world.send(by, &body)), due, "{body}");
    line(FINANCE,        alias(BILL, PAPER),                                              "accepted");
    line(FINANCE,        register(bill(PAPER, STRANGER, 0)),                              "identity_taken");
    // Both numbers share what was settled and what is left.
    line(OTHER_EMPLOYER, lock(PAPER, Employer, "40.01"),                                  "claim_exceeds_remaining");
    line(OTHER_EMPLOYER, lock(BILL, Employer, "40.00"),                                   "reissued_on_paper");
    line(OTHER_EMPLOYER, lock(PAPER, Employer, "40.00").set("/id", "rest"),               "accepted");
    line(OTHER_EMPLOYER, settle("rest", "40.00"),                                         "accepted");
    line(EMPLOYER,       lock(PAPER, Employer, "0.01"),                                   "already_claimed");
}

#[test]
#[rustfmt::skip]
fn a_reversal_that_breaks_every_rule_is_mended_one_rule_a_line() {
    let mut world = prepared();
    world.accept(EMPLOYER, &lock(GRANTED, Employer, "5.00"));
    let bad = reverse(UNKNOWN, "500.00").set("/reason", "01").set("/red_number", &RED[2..]);
    let mut codes = Vec::new();
    let mut line = |world: &mut World, by, body: &Value, due| {
        assert_eq!(code(&world.send(by, body)), due, "{body}");
        if due != "accepted" { codes.push(due); }
    };
    line(&mut world, EMPLOYER,       &bad, "role_missing");
    line(&mut world, OTHER_MERCHANT, &bad, "identity_taken");
    let bad = bad.set("/red_number", "26442000000000000100");
    line(&mut world, OTHER_MERCHANT, &bad, "document_unknown");
    let bad = bad.set("/document", REVERSED);
    line(&mut world, OTHER_MERCHANT, &bad, "not_issuer");
    line(&mut world, MERCHANT,       &bad, "document_reversed");
    let bad = bad.set("/document", GRANTED);
    line(&mut world, MERCHANT,       &bad, "reversal_must_be_whole");
    let bad = bad.set("/reason", "04");
    line(&mut world, MERCHANT,       &bad, "reversal_exceeds_remaining");
    let bad = bad.set("/amount", "86.00");
    line(&mut world, MERCHANT,       &bad, "reversal_not_confirmed");
    world.accept(EMPLOYER, &confirm(GRANTED, "86.00"));
    line(&mut world, MERCHANT,       &bad, "accepted");
    assert_in_order(&codes);
}

#[test]
fn an_atomic_batch_is_accepted_as_a_whole_or_not_at_all() {
    let (good, late) = (
        lock(PLAIN, Employer, "60.00").set("/id", "a"),
        lock(OPEN, Employer, "5.00").set("/id", "b"),
    );
    let too_much = lock(PLAIN, Employer, "60.00").set("/id", "c");
    let reused = lock(PLAIN, Employer, "1.00").set("/id", "live");
    let forbidden = lock(PLAIN, Commercial, "1.00").set("/id", "d");
    let cases = [
        (vec![&good, &late], vec!["accepted", "accepted"], 2),
        (
            vec![&good, &late, &too_much],
            vec!["batch_aborted", "batch_aborted", "claim_exceeds_remaining"],
            3,
        ),
        (
            vec![&too_much, &good],
            vec!["batch_aborted", "claim_exceeds_remaining"],
            2,
        ),
        (vec![&good, &reused], vec!["aborted", "id_reused"], 0),
        (
            vec![&good, &forbidden],
            vec!["aborted", "claim_kind_not_allowed"],
            0,
        ),
        (
            vec![&good, &too_much, &forbidden],
            vec!["aborted", "aborted", "claim_kind_not_allowed"],
            0,
        ),
        (vec![&good, &good], vec!["accepted", "replayed"], 1),
    ];
    let prepared = prepared();
    for (batch, due, recorded) in cases {
        let mut world = prepared.clone();
        let before = world.state.iter().count();
        let batch: Vec<_> = batch
            .into_iter()
            .map(|body| (EMPLOYER, body.clone()))
            .collect();
        assert_eq!(world.send_atomic(&batch), due);
        let locks = due.iter().filter(|code| **code == "accepted").count();
        assert_eq!(
            world.state.iter().count() - before,
            recorded + locks,
            "{due:?}"
        );
        if recorded == 0 {
            // The ids are free: alone, the innocent record is accepted.
            assert_eq!(code(&world.send(EMPLOYER, &good)), "accepted", "{due:?}");
        }
    }
}

#[test]
fn an_aborted_record_keeps_its_answer() {
    let mut world = prepared();
    let good = lock(PLAIN, Employer, "60.00").set("/id", "a");
    let bad = lock(PLAIN, Employer, "200.00").set("/id", "b");
    let batch = [(EMPLOYER, good.clone()), (EMPLOYER, bad)];
    assert_eq!(
        world.send_atomic(&batch),
        ["batch_aborted", "claim_exceeds_remaining"]
    );
    assert_eq!(code(&world.send(EMPLOYER, &good)), "replayed refusal");
    // A repetition of a refused record fails a batch without a trace.
    let new = lock(PLAIN, Employer, "1.00").set("/id", "c");
    assert_eq!(
        world.send_atomic(&[(EMPLOYER, new), (EMPLOYER, good)]),
        ["aborted", "replayed refusal"]
    );
}

#[test]
fn a_refused_record_stays_refused_when_the_world_has_changed() {
    let mut world = prepared();
    let more = lock(LOCKED, Employer, "1.00").set("/id", "again");
    assert_eq!(code(&world.send(EMPLOYER, &more)), "already_locked");
    world.accept(EMPLOYER, &release("all-locked"));
    assert_eq!(code(&world.send(EMPLOYER, &more)), "replayed refusal");
    assert_eq!(
        code(&world.send(EMPLOYER, &more.clone().set("/reference", "x"))),
        "id_reused"
    );
    assert_eq!(
        code(&world.send(EMPLOYER, &more.set("/id", "anew"))),
        "accepted"
    );
}

#[test]
fn a_lock_lives_until_just_before_its_expiry() {
    for (wait, due) in [(HOUR_MS - 1, "accepted"), (HOUR_MS, "claim_expired")] {
        for act in [settle("short", "5.00"), release("short")] {
            let mut world = prepared();
            let start = world.now;
            let ends = world.after(HOUR_MS);
            world.accept(
                EMPLOYER,
                &lock(PLAIN, Employer, "5.00")
                    .set("/id", "short")
                    .set("/expires_at", ends),
            );
            world.now = start + wait;
            assert_eq!(
                code(&world.send(EMPLOYER, &act)),
                due,
                "{act} after {wait} ms"
            );
        }
    }
}

#[test]
fn a_consent_is_good_for_72_hours_and_for_one_reversal() {
    for (wait, due) in [
        (72 * HOUR_MS - 1, "accepted"),
        (72 * HOUR_MS, "reversal_not_confirmed"),
    ] {
        let mut world = prepared();
        let start = world.now;
        world.accept(EMPLOYER, &confirm(CLAIMED, "6.00"));
        world.now = start + wait;
        assert_eq!(
            code(&world.send(MERCHANT, &reverse(CLAIMED, "6.00"))),
            due,
            "after {wait} ms"
        );
    }
    let mut world = prepared();
    world.accept(EMPLOYER, &confirm(CLAIMED, "6.00"));
    assert_eq!(
        code(&world.send(MERCHANT, &reverse(CLAIMED, "5.99"))),
        "reversal_not_confirmed"
    );
    world.accept(MERCHANT, &reverse(CLAIMED, "6.00"));
    assert_eq!(
        code(&world.send(MERCHANT, &reverse(CLAIMED, "6.00"))),
        "reversal_not_confirmed"
    );
    // A holder whose lock was gone when the reversal came has to consent to the next one anew.
    world.accept(EMPLOYER, &confirm(LOCKED, "6.00"));
    world.accept(EMPLOYER, &release("all-locked"));
    world.accept(MERCHANT, &reverse(LOCKED, "6.00"));
    world.accept(EMPLOYER, &lock(LOCKED, Employer, "1.00"));
    assert_eq!(
        code(&world.send(MERCHANT, &reverse(LOCKED, "6.00"))),
        "reversal_not_confirmed"
    );
}

#[test]
fn a_confirmed_reversal_frees_the_locks_of_those_who_confirmed() {
    let mut world = prepared();
    world.accept(EMPLOYER, &confirm(LOCKED, "6.00"));
    let events = world.accept(MERCHANT, &reverse(LOCKED, "6.00"));
    let released = told(&events, EventKind::ClaimReleased).expect("an event");
    assert_eq!(
        released.claim.as_ref().map(|(by, id)| (*by, id.as_str())),
        Some((id_of(EMPLOYER), "all-locked"))
    );
    assert_eq!(
        code(&world.send(EMPLOYER, &settle("all-locked", "1.00"))),
        "claim_released"
    );
    world.accept(EMPLOYER, &lock(LOCKED, Employer, "100.00"));
}

#[test]
fn a_reversal_in_the_month_of_issue_restores_the_quota() {
    let used = |world: &World| {
        let month = Month::spelled("2026-11").expect("a month");
        let quota = TypedState(&world.state)
            .quota(MemberNo(OTHER_MERCHANT as u32), month)
            .expect("a quota");
        quota.used.to_string()
    };
    let mut world = World::new();
    world.accept(TAX, &quota(OTHER_MERCHANT as u16, "100.00"));
    world.accept(OTHER_MERCHANT, &invoice(PLAIN, OTHER_MERCHANT, None));
    assert_eq!(used(&world), "100.00");
    assert_eq!(
        code(&world.send(OTHER_MERCHANT, &invoice(OPEN, OTHER_MERCHANT, None))),
        "quota_exceeded"
    );
    for (amount, left) in [("0.01", "100.00"), ("52.99", "50.01"), ("53.00", "0.00")] {
        world.accept(OTHER_MERCHANT, &reverse(PLAIN, amount));
        assert_eq!(used(&world), left, "after a reversal of {amount}");
    }
    world.wait(1);
    world.accept(OTHER_MERCHANT, &invoice(OPEN, OTHER_MERCHANT, None));
    world.wait(10 * 24 * HOUR_MS);
    world.accept(OTHER_MERCHANT, &reverse(OPEN, "106.00"));
    assert_eq!(
        used(&world),
        "100.00",
        "December restores nothing of November"
    );
}

#[test]
fn an_over_claim_is_told_and_cleared() {
    let mut world = prepared();
    world.accept(EMPLOYER, &confirm(CLAIMED, "50.00"));
    let events = world.accept(MERCHANT, &reverse(CLAIMED, "50.00"));
    let over = told(&events, EventKind::OverClaimed).expect("an event");
    assert_eq!(
        over.amount.map(|amount| amount.to_string()).as_deref(),
        Some("50.00")
    );
    assert_eq!(over.concerns, [id_of(EMPLOYER)]);
    // A second reversal makes it worse; it was told once.
    world.accept(EMPLOYER, &confirm(CLAIMED, "6.00"));
    let events = world.accept(MERCHANT, &reverse(CLAIMED, "6.00"));
    assert_eq!(told(&events, EventKind::OverClaimed), None);
    assert_eq!(
        code(&world.send(EMPLOYER, &lock(CLAIMED, Employer, "1.00"))),
        "document_over_claimed"
    );
    let events = world.accept(EMPLOYER, &take_back("all-settled", "55.99"));
    assert_eq!(told(&events, EventKind::OverClaimCleared), None);
    let events = world.accept(EMPLOYER, &take_back("all-settled", "0.01"));
    assert_eq!(
        concerns(&events, EventKind::OverClaimCleared),
        [id_of(EMPLOYER)]
    );
    assert_eq!(
        code(&world.send(EMPLOYER, &lock(CLAIMED, Employer, "1.00"))),
        "already_claimed"
    );
    // Who takes everything back is told too.
    let events = world.accept(EMPLOYER, &take_back("too-much", "106.00"));
    assert_eq!(
        concerns(&events, EventKind::OverClaimCleared),
        [id_of(EMPLOYER)]
    );
}

#[test]
fn a_payer_that_went_ahead_hears_of_the_one_that_comes_first() {
    let mut world = prepared();
    let soon = world.after(HOUR_MS);
    let skipped = |world: &mut World, by, body: Value| {
        let Verdict::Recorded(recorded) = world.send(by, &body) else {
            panic!("{body} is not recorded");
        };
        let outcome = format!("{:?}", recorded.outcome);
        (outcome.contains("priority_skipped"), recorded.events)
    };
    let (ahead, _) = skipped(
        &mut world,
        INSURER,
        lock_of(Any, BILL, Commercial, "10.00").set("/id", "ahead"),
    );
    assert!(ahead, "the basic insurance could still claim");
    let (_, events) = skipped(
        &mut world,
        HEALTH,
        lock(BILL, Basic, "20.00").set("/expires_at", soon),
    );
    assert_eq!(
        concerns(&events, EventKind::PriorityClaimed),
        [id_of(INSURER)]
    );
    let (ahead, _) = skipped(&mut world, EMPLOYER, lock(BILL, Employer, "1.00"));
    assert!(!ahead, "the basic insurance has claimed");
    let (_, events) = skipped(&mut world, HEALTH, lock(BILL, Supplement, "1.00"));
    let mut both = vec![id_of(INSURER), id_of(EMPLOYER)];
    both.sort_unstable();
    let mut told = concerns(&events, EventKind::PriorityClaimed);
    told.sort_unstable();
    assert_eq!(told, both, "both come after the supplement");
    world.wait(HOUR_MS);
    let (ahead, _) = skipped(&mut world, EMPLOYER, lock(BILL, Employer, "1.00"));
    assert!(ahead, "the claim of the basic insurance has expired");
    let (ahead, _) = skipped(&mut world, INSURER, lock(DIRECT_BILL, Commercial, "1.00"));
    assert!(!ahead, "the basic insurance paid at the counter");
}

#[test]
fn a_bill_that_was_exchanged_for_paper_is_claimed_by_the_paper() {
    let mut world = prepared();
    world.accept(HOSPITAL, &alias(BILL, "F:33060122-0000000100"));
    assert_eq!(
        code(&world.send(INSURER, &lock(BILL, Commercial, "1.00"))),
        "reissued_on_paper"
    );
    world.accept(
        INSURER,
        &lock("F:33060122-0000000100", Commercial, "100.00"),
    );
    // The money is the same: neither number gives it a second time.
    assert_eq!(
        code(&world.send(EMPLOYER, &lock("F:33060122-0000000100", Employer, "1.00"))),
        "already_locked"
    );
    // An invoice that was printed may be claimed by either number, once.
    world.accept(EMPLOYER, &lock(PAPER, Employer, "106.00"));
    assert_eq!(
        code(&world.send(EMPLOYER, &lock(RENAMED, Employer, "1.00"))),
        "already_locked"
    );
}
