//! Many thousands of histories, each run through the rules and through a naive model of them.
//!
//! `PIAOLIAN_HISTORIES` says how many (100,000 when it is not set), `PIAOLIAN_SEED` runs one alone.
//! A failure names its seed.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the model asks for one kind of record at a time; the rules themselves list them all"
)]

#[path = "../common/mod.rs"]
mod common;
mod generator;
mod history;
mod model;
mod records;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use history::Tally;

const HISTORIES: u64 = 100_000;
const THREADS: usize = 2;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number, not {text:?}")),
    )
}

#[test]
fn the_rules_agree_with_the_model_in_every_history() {
    if let Some(seed) = number("PIAOLIAN_SEED") {
        println!("{:#?}", history::run(seed));
        return;
    }
    let count = number("PIAOLIAN_HISTORIES").unwrap_or(HISTORIES);
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut tally = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        break;
                    }
                    match catch_unwind(AssertUnwindSafe(|| history::run(seed))) {
                        Ok(one) => tally.add(&one),
                        Err(panic) => {
                            // The other thread need not go on.
                            next.store(count, Ordering::Relaxed);
                            eprintln!(
                                "history {seed} fails: run it alone with PIAOLIAN_SEED={seed}"
                            );
                            resume_unwind(panic);
                        }
                    }
                }
                total.lock().expect("no thread has failed").add(&tally);
            });
        }
    });
    let total = total.into_inner().expect("no thread has failed");
    println!("{count} histories: {total:#?}");
    // A generator that reached little would prove little.
    if count >= 1_000 {
        for code in REACHED {
            assert!(total.answers.contains_key(*code), "no history gave {code}");
        }
    }
}

/// Answers that the histories must give at least once.
const REACHED: &[&str] = &[
    "accepted",
    "replayed",
    "id_reused",
    "aborted",
    "batch_aborted",
    "claim_kind_not_allowed",
    "member_not_issuer",
    "document_exists",
    "document_conflict",
    "identity_taken",
    "issue_date_in_future",
    "quota_exceeded",
    "document_unknown",
    "not_issuer",
    "not_buyer",
    "document_frozen",
    "document_already_frozen",
    "document_not_frozen",
    "document_reversed",
    "document_over_claimed",
    "nothing_to_confirm",
    "reversal_must_be_whole",
    "reversal_exceeds_remaining",
    "reversal_not_confirmed",
    "alias_not_applicable",
    "document_in_use",
    "reissued_on_paper",
    "claimant_not_entitled",
    "claim_kind_not_applicable",
    "directly_settled",
    "component_not_applicable",
    "expiry_out_of_range",
    "already_claimed",
    "already_locked",
    "claim_exceeds_remaining",
    "component_exceeded",
    "claim_not_found",
    "claim_is_reference",
    "claim_released",
    "claim_expired",
    "claim_already_settled",
    "claim_not_settled",
    "claim_reversed",
    "booked_in_future",
    "settle_exceeds_lock",
    "reverse_exceeds_settlement",
    "share_exceeds_remaining",
];
