//! One record, one answer; in the order of the catalogue.

use std::collections::BTreeSet;

use invoice_core::apply::Verdict;
use invoice_core::record::ClaimKind::{Basic, Commercial, Employer, Reference, Supplement};
use invoice_core::record::Component::{Any, SelfFund, SelfPay};
use invoice_core::refusal::catalogue::{Class, catalogue};
use invoice_core::state::Table;
use serde_json::Value;

use crate::bodies::*;
use crate::common::*;
use crate::scenes::*;
use crate::world::{HOUR_MS, World, code};

const MERCHANT_NO: u16 = MERCHANT as u16;
const EMPLOYER_NO: u16 = EMPLOYER as u16;
const INSURER_NO: u16 = INSURER as u16;
/// No member: an issuer of another registry.
const STRANGER: usize = 53;
const NEW: &str = "D:26442000000000000100";
const DAY_MS: i64 = 24 * HOUR_MS;

#[rustfmt::skip]
fn cases(world: &World) -> Vec<(usize, Value, &'static str)> {
    let at = |ms| world.after(ms);
    let again = |key| invoice(key, MERCHANT, Some(EMPLOYER));
    vec![
        (EMPLOYER, again(NEW), "role_missing"),
        (MERCHANT, lock(PLAIN, Employer, "1.00"), "role_missing"),
        (EMPLOYER, reverse(PLAIN, "1.00"), "role_missing"),
        (MERCHANT, bill(BILL, MERCHANT, 0), "role_missing"),
        (FINANCE, quota(MERCHANT_NO, "1.00"), "role_missing"),
        (HEALTH, admit(51, 51), "role_missing"),
        (EMPLOYER, freeze(PLAIN), "role_missing"),
        (TAX, confirm(PLAIN, "1.00"), "role_missing"),
        (MERCHANT, register(again(NEW)), "role_missing"),
        (HEALTH, register(again(NEW)), "role_missing"),
        (FINANCE, register(again(NEW)), "role_missing"),
        (TAX, register(bill("F:33060122-0000000100", STRANGER, 0)), "role_missing"),
        (EMPLOYER, lock(PLAIN, Commercial, "1.00"), "claim_kind_not_allowed"),
        (INSURER, lock(PLAIN, Employer, "1.00"), "claim_kind_not_allowed"),
        (HEALTH, lock(PLAIN, Employer, "1.00"), "claim_kind_not_allowed"),
        (EMPLOYER, lock(PLAIN, Basic, "1.00"), "claim_kind_not_allowed"),
        (EMPLOYER, lock(PLAIN, Supplement, "1.00"), "claim_kind_not_allowed"),
        (MERCHANT, invoice(NEW, OTHER_MERCHANT, None), "issuer_is_not_signer"),
        (HOSPITAL, bill(BILL, MERCHANT, 0), "issuer_is_not_signer"),
        (EMPLOYER, key_add(INSURER_NO, 70), "key_of_another_member"),
        (EMPLOYER, key_revoke(INSURER_NO, INSURER_NO + 1), "key_of_another_member"),
        (TAX, admit(51, 51).set("/member/roles", vec!["finance"]), "authority_protected"),
        (TAX, suspend(FINANCE as u16), "authority_protected"),
        (HEALTH, resume(TAX as u16), "authority_protected"),
        (TAX, key_add(FINANCE as u16, 70), "authority_protected"),

        (TAX, admit(EMPLOYER_NO, 70), "member_exists"),
        (TAX, suspend(52), "member_unknown"),
        (TAX, key_add(52, 70), "member_unknown"),
        (TAX, quota(52, "1.00"), "member_unknown"),
        (EMPLOYER, grant(PLAIN, 52, "1.00"), "member_unknown"),
        (TAX, admit(51, EMPLOYER_NO + 1), "kid_exists"),
        (EMPLOYER, key_add(EMPLOYER_NO, 60), "kid_exists"),
        (EMPLOYER, key_revoke(EMPLOYER_NO, INSURER_NO + 1), "key_not_found"),
        (EMPLOYER, key_revoke(EMPLOYER_NO, 70), "key_not_found"),
        (OTHER_EMPLOYER, key_revoke(OTHER_EMPLOYER as u16, 60), "key_already_revoked"),
        (EMPLOYER, key_add(EMPLOYER_NO, 70).set("/key/not_after", at(0)), "key_expiry_past"),
        (TAX, suspend(SUSPENDED), "member_already_suspended"),
        (TAX, resume(EMPLOYER_NO), "member_not_suspended"),
        (TAX, quota(EMPLOYER_NO, "1.00"), "member_not_issuer"),

        (MERCHANT, again(PLAIN), "document_exists"),
        (MERCHANT, again(PLAIN).set("/invoice/lines/0/tax_rate", "0.060"), "document_exists"),
        (MERCHANT, again(PLAIN).set("/invoice/total", "106"), "document_exists"),
        (TAX, register(again(PLAIN)), "document_exists"),
        (FINANCE, register(bill(BILL, HOSPITAL, 0)), "document_exists"),
        (OTHER_MERCHANT, invoice(PLAIN, OTHER_MERCHANT, None), "document_conflict"),
        (TAX, register(again(PLAIN).set("/invoice/note", "n")), "document_conflict"),
        (MERCHANT, again(PLAIN).set("/invoice/note", "n"), "document_conflict"),
        (MERCHANT, again(RED), "identity_taken"),
        (TAX, register(again(RED)), "identity_taken"),
        (HOSPITAL, bill(PAPER_BILL, HOSPITAL, 0), "identity_taken"),
        (FINANCE, register(bill(PAPER_BILL, HOSPITAL, 0)), "identity_taken"),
        (MERCHANT, alias(PLAIN, PAPER), "identity_taken"),
        (MERCHANT, alias(PLAIN, RED), "identity_taken"),
        (MERCHANT, reverse(PLAIN, "1.00").set("/red_number", &RENAMED[2..]), "identity_taken"),
        (MERCHANT, reverse(PLAIN, "1.00").set("/red_number", &RED[2..]), "identity_taken"),
        (MERCHANT, again(NEW).set("/invoice/issue_date", "2026-11-22"), "issue_date_in_future"),
        (HOSPITAL, bill("F:33060122-0000000100", HOSPITAL, 0).set("/bill/issue_date", "2026-11-22"), "issue_date_in_future"),
        (TAX, register(again(NEW).set("/invoice/issue_date", "2026-11-22")), "issue_date_in_future"),
        (MERCHANT, again(NEW).set("/invoice/lines/0/amount", "300.00").set("/invoice/lines/0/tax", "18.00").set("/invoice/total_without_tax", "300.00").set("/invoice/total_tax", "18.00").set("/invoice/total", "318.00"), "quota_exceeded"),

        (EMPLOYER, lock(UNKNOWN, Employer, "1.00"), "document_unknown"),
        (MERCHANT, reverse(UNKNOWN, "1.00"), "document_unknown"),
        (TAX, freeze(UNKNOWN), "document_unknown"),
        (OTHER_MERCHANT, reverse(PLAIN, "1.00"), "not_issuer"),
        (OTHER_MERCHANT, alias(PLAIN, "P:3300194130-00000100"), "not_issuer"),
        (INSURER, grant(PLAIN, EMPLOYER_NO, "1.00"), "not_buyer"),
        (EMPLOYER, grant(OPEN, INSURER_NO, "1.00"), "not_buyer"),
        (EMPLOYER, lock(FROZEN, Employer, "1.00"), "document_frozen"),
        (EMPLOYER, lock(FROZEN, Reference, "0.00"), "document_frozen"),
        (EMPLOYER, grant(FROZEN, INSURER_NO, "1.00"), "document_frozen"),
        (FINANCE, freeze(FROZEN), "document_already_frozen"),
        (FINANCE, unfreeze(PLAIN), "document_not_frozen"),
        (EMPLOYER, lock(REVERSED, Employer, "1.00"), "document_reversed"),
        (EMPLOYER, lock(RED, Employer, "1.00"), "document_reversed"),
        (MERCHANT, reverse(REVERSED, "1.00"), "document_reversed"),
        (MERCHANT, reverse(RED, "1.00"), "document_reversed"),
        (EMPLOYER, grant(REVERSED, INSURER_NO, "1.00"), "document_reversed"),
        (EMPLOYER, lock(OVER_CLAIMED, Employer, "1.00"), "document_over_claimed"),
        (EMPLOYER, lock(OVER_CLAIMED, Reference, "0.00"), "document_over_claimed"),
        (EMPLOYER, grant(OVER_CLAIMED, INSURER_NO, "1.00"), "document_over_claimed"),
        (INSURER, confirm(PLAIN, "1.00"), "nothing_to_confirm"),
        (INSURER, confirm(LOCKED, "500.00"), "nothing_to_confirm"),
        (HOSPITAL, reverse(BILL, "99.99"), "reversal_must_be_whole"),
        (MERCHANT, reverse(PLAIN, "105.99").set("/reason", "01"), "reversal_must_be_whole"),
        (MERCHANT, reverse(GRANTED, "86.00").set("/reason", "01"), "reversal_must_be_whole"),
        (MERCHANT, reverse(PLAIN, "106.01"), "reversal_exceeds_remaining"),
        (MERCHANT, reverse(GRANTED, "86.01"), "reversal_exceeds_remaining"),
        (EMPLOYER, confirm(LOCKED, "106.01"), "reversal_exceeds_remaining"),
        (MERCHANT, reverse(LOCKED, "106.00"), "reversal_not_confirmed"),
        (MERCHANT, reverse(CLAIMED, "0.01"), "reversal_not_confirmed"),
        (MERCHANT, alias(PLAIN, "D:26442000000000000100"), "alias_not_applicable"),
        (MERCHANT, alias(PLAIN, "F:33060122-0000000100"), "alias_not_applicable"),
        (HOSPITAL, alias(BILL, "P:3300194130-00000100"), "alias_not_applicable"),
        (HOSPITAL, alias(HELD_BILL, "F:33060122-0000000100"), "document_in_use"),
        (INSURER, lock(EXCHANGED_BILL, Commercial, "1.00"), "reissued_on_paper"),
        (MERCHANT, alias(RENAMED, "P:3300194130-00000100"), "too_many_aliases"),

        (OTHER_EMPLOYER, lock(PLAIN, Employer, "1.00"), "claimant_not_entitled"),
        (OTHER_EMPLOYER, lock(GRANTED, Employer, "1.00"), "claimant_not_entitled"),
        (INSURER, lock(PLAIN, Reference, "0.00"), "claimant_not_entitled"),
        (HEALTH, lock(OPEN, Basic, "1.00"), "claim_kind_not_applicable"),
        (HEALTH, lock(OPEN, Supplement, "1.00"), "claim_kind_not_applicable"),
        (HEALTH, lock(DIRECT_BILL, Basic, "1.00"), "directly_settled"),
        (EMPLOYER, lock_of(SelfPay, PLAIN, Employer, "1.00"), "component_not_applicable"),
        (EMPLOYER, lock(PLAIN, Employer, "1.00").set("/expires_at", at(0)), "expiry_out_of_range"),
        (EMPLOYER, lock(PLAIN, Employer, "1.00").set("/expires_at", at(30 * DAY_MS + 1)), "expiry_out_of_range"),
        (EMPLOYER, lock(PLAIN, Reference, "0.00").set("/expires_at", at(0)), "expiry_out_of_range"),
        (EMPLOYER, lock(CLAIMED, Employer, "1.00"), "already_claimed"),
        (EMPLOYER, lock(LOCKED, Employer, "1.00"), "already_locked"),
        (EMPLOYER, lock(PLAIN, Employer, "106.01"), "claim_exceeds_remaining"),
        (EMPLOYER, lock(GRANTED, Employer, "76.01"), "claim_exceeds_remaining"),
        (INSURER, lock(GRANTED, Commercial, "10.01"), "claim_exceeds_remaining"),
        (INSURER, lock(HELD_BILL, Commercial, "65.01"), "claim_exceeds_remaining"),
        (INSURER, lock_of(SelfPay, HELD_BILL, Commercial, "30.01"), "component_exceeded"),
        (INSURER, lock_of(SelfFund, HELD_BILL, Commercial, "40.01"), "component_exceeded"),
        (INSURER, lock(CROWDED, Commercial, "0.01"), "too_many_claims"),

        (INSURER, settle("live", "1.00"), "claim_not_found"),
        (EMPLOYER, release("nothing"), "claim_not_found"),
        (INSURER, take_back("settled", "1.00"), "claim_not_found"),
        (EMPLOYER, settle("reference", "1.00"), "claim_is_reference"),
        (EMPLOYER, release("reference"), "claim_is_reference"),
        (EMPLOYER, take_back("reference", "1.00"), "claim_is_reference"),
        (EMPLOYER, settle("released", "1.00"), "claim_released"),
        (EMPLOYER, release("released"), "claim_released"),
        (EMPLOYER, settle("expired", "1.00"), "claim_expired"),
        (EMPLOYER, release("expired"), "claim_expired"),
        (EMPLOYER, settle("settled", "1.00"), "claim_already_settled"),
        (EMPLOYER, release("taken-back"), "claim_already_settled"),
        (EMPLOYER, take_back("live", "1.00"), "claim_not_settled"),
        (EMPLOYER, take_back("released", "1.00"), "claim_not_settled"),
        (EMPLOYER, take_back("expired", "1.00"), "claim_not_settled"),
        (EMPLOYER, take_back("taken-back", "1.00"), "claim_reversed"),
        (EMPLOYER, settle("live", "1.00").set("/booked_on", "2026-11-22"), "booked_in_future"),
        (EMPLOYER, settle("live", "10.01"), "settle_exceeds_lock"),
        (EMPLOYER, take_back("settled", "10.01"), "reverse_exceeds_settlement"),

        (EMPLOYER, grant(PLAIN, INSURER_NO, "106.01"), "share_exceeds_remaining"),
        (EMPLOYER, grant(GRANTED, INSURER_NO, "76.01"), "share_exceeds_remaining"),
        (EMPLOYER, grant(SHARED, INSURER_NO, "0.01"), "too_many_shares"),
        (EMPLOYER, lock(OPEN, Employer, "1.00").set("/id", "live"), "id_reused"),

        (MERCHANT, again(NEW), "accepted"),
        (MERCHANT, invoice(NEW, MERCHANT, None).set("/invoice/issue_date", "2026-10-31"), "accepted"),
        (HOSPITAL, bill("F:33060122-0000000100", HOSPITAL, 30), "accepted"),
        // No quota of this registry was the issuer's, who is no member.
        (TAX, register(invoice(NEW, STRANGER, None).set("/invoice/lines/0/amount", "300.00").set("/invoice/lines/0/tax", "18.00").set("/invoice/total_without_tax", "300.00").set("/invoice/total_tax", "18.00").set("/invoice/total", "318.00")), "accepted"),
        (FINANCE, register(bill("F:33060122-0000000100", STRANGER, 30)), "accepted"),
        (HOSPITAL, invoice(NEW, HOSPITAL, None).set("/invoice/payment", payment(106, 6)), "accepted"),
        (MERCHANT, alias(PLAIN, "P:3300194130-00000100"), "accepted"),
        (MERCHANT, alias(LOCKED, "P:011001605111-00000100"), "accepted"),
        (HOSPITAL, alias(EXCHANGED_BILL, "F:33060122-0000000100"), "accepted"),
        (MERCHANT, reverse(PLAIN, "106.00").set("/reason", "01"), "accepted"),
        (MERCHANT, reverse(FROZEN, "6.00").set("/red_number", &NEW[2..]), "accepted"),
        (HOSPITAL, reverse(BILL, "100.00"), "accepted"),
        (EMPLOYER, confirm(LOCKED, "106.00"), "accepted"),
        (HEALTH, freeze(PLAIN), "accepted"),
        (FINANCE, unfreeze(FROZEN), "accepted"),
        (EMPLOYER, lock(PLAIN, Employer, "106.00"), "accepted"),
        (EMPLOYER, lock(PAPER, Employer, "106.00"), "accepted"),
        (EMPLOYER, lock(GRANTED, Employer, "76.00"), "accepted"),
        (INSURER, lock(GRANTED, Commercial, "10.00"), "accepted"),
        (EMPLOYER, lock(PLAIN, Employer, "1.00").set("/expires_at", at(1)), "accepted"),
        (EMPLOYER, lock(PLAIN, Employer, "1.00").set("/expires_at", at(30 * DAY_MS)), "accepted"),
        (EMPLOYER, lock(CLAIMED, Reference, "0.00"), "accepted"),
        (HEALTH, lock(BILL, Basic, "100.00"), "accepted"),
        (HEALTH, lock(DIRECT_BILL, Supplement, "50.00"), "accepted"),
        (INSURER, lock_of(SelfPay, HELD_BILL, Commercial, "30.00"), "accepted"),
        (INSURER, lock_of(SelfFund, HELD_BILL, Commercial, "40.00"), "accepted"),
        (INSURER, lock_of(Any, HELD_BILL, Commercial, "65.00"), "accepted"),
        (INSURER, lock(PAPER_BILL, Commercial, "100.00"), "accepted"),
        (EMPLOYER, settle("live", "10.00"), "accepted"),
        (EMPLOYER, settle("live", "0.01"), "accepted"),
        (EMPLOYER, release("live"), "accepted"),
        (EMPLOYER, take_back("settled", "10.00"), "accepted"),
        (EMPLOYER, take_back("too-much", "50.00"), "accepted"),
        (EMPLOYER, grant(PLAIN, INSURER_NO, "106.00"), "accepted"),
        (EMPLOYER, grant(SHARED, 100, "0.01"), "accepted"),
        (TAX, quota(MERCHANT_NO, "0.00"), "accepted"),
        (TAX, admit(51, 51), "accepted"),
        (FINANCE, resume(SUSPENDED), "accepted"),
        (EMPLOYER, key_add(EMPLOYER_NO, 70).set("/key/not_after", at(1)), "accepted"),
        (TAX, key_revoke(EMPLOYER_NO, EMPLOYER_NO + 1), "accepted"),
    ]
}

#[test]
fn every_refusal_has_its_code_and_leaves_only_its_own_entry() {
    let world = prepared();
    for (by, body, due) in cases(&world) {
        let (verdict, changes) = world.clone().signed(kid_of(by), by, &body);
        assert_eq!(code(&verdict), due, "member {by}: {body}");
        let tables: Vec<Table> = changes.iter().map(|(table, ..)| table).collect();
        match verdict {
            Verdict::Recorded(recorded) if recorded.rejection.is_some() => {
                assert_eq!(tables, [Table::Record], "{body}")
            }
            Verdict::Recorded(_) => assert!(tables.contains(&Table::Record), "{body}"),
            Verdict::Replayed { .. }
            | Verdict::IdReused
            | Verdict::Inadmissible(_)
            | Verdict::Aborted => assert!(tables.is_empty(), "{body} left a trace: {tables:?}"),
        }
    }
}

#[test]
fn the_table_has_every_code_in_the_order_of_the_catalogue() {
    let entries = catalogue();
    let place = |code: &str| {
        entries
            .iter()
            .position(|entry| entry.code == code)
            .unwrap_or(entries.len())
    };
    let places: Vec<usize> = cases(&World::new())
        .iter()
        .map(|(.., code)| place(code))
        .collect();
    assert!(places.is_sorted(), "the table is out of order");
    let shown: BTreeSet<usize> = places.into_iter().collect();
    // A suspended member signs with a key of its own, below; an aborted batch takes two records;
    // changes of the validators have a table of their own.
    let elsewhere = [
        "member_suspended",
        "batch_aborted",
        "validators_not_current",
        "validators_change_pending",
        "from_height_too_early",
        "from_height_too_late",
        "too_many_validator_changes",
    ];
    for entry in &entries {
        if matches!(entry.class, Class::Right | Class::State) && !elsewhere.contains(&entry.code) {
            assert!(
                shown.contains(&place(entry.code)),
                "no case shows {}",
                entry.code
            );
        }
    }
}

#[test]
#[rustfmt::skip]
fn keys_are_checked_when_a_record_is_executed() {
    let world = prepared();
    let other = kid_of(OTHER_EMPLOYER);
    let key = |number: u16| secret(number).public_key().kid();
    let lock = lock(OPEN, Employer, "1.00");
    let cases = [
        (key(99),           OTHER_EMPLOYER, lock.clone(), "key_unknown"),
        (kid_of(EMPLOYER),  OTHER_EMPLOYER, lock.clone(), "key_not_of_member"),
        (other,             EMPLOYER,       lock.clone(), "key_not_of_member"),
        (key(60),           OTHER_EMPLOYER, lock.clone(), "key_revoked"),
        (key(61),           OTHER_EMPLOYER, lock.clone(), "key_expired"),
        (other,             OTHER_EMPLOYER, lock.clone(), "accepted"),
        (key(SUSPENDED),    EMPLOYER,       lock.clone().set("/by", member_id(SUSPENDED).to_string()), "member_suspended"),
        // What comes first is said first: 401 before 403.
        (key(60),           OTHER_EMPLOYER, freeze(OPEN), "key_revoked"),
        (other,             OTHER_EMPLOYER, freeze(OPEN), "role_missing"),
    ];
    for (kid, by, body, due) in cases {
        let (verdict, changes) = world.clone().signed(kid, by, &body);
        assert_eq!(code(&verdict), due, "{kid} for {by}: {body}");
        assert_eq!(changes.is_empty(), due != "accepted", "{body}");
    }
}
