//! A chain on which every rule can be broken with one record.

use invoice_core::record::ClaimKind::{Basic, Commercial, Employer, Reference};
use serde_json::json;

use crate::bodies::*;
use crate::common::*;
use crate::world::{HOUR_MS, World};

/// Made out to the employer, 106.00, untouched.
pub(crate) const PLAIN: &str = "D:26442000000000000001";
/// Frozen by the tax authority.
pub(crate) const FROZEN: &str = "D:26442000000000000002";
/// Reversed as a whole.
pub(crate) const REVERSED: &str = "D:26442000000000000003";
/// The number of its red letter.
pub(crate) const RED: &str = "D:26442000000000000004";
/// The employer settled 106.00, then 50.00 were reversed.
pub(crate) const OVER_CLAIMED: &str = "D:26442000000000000005";
/// All locked by the employer.
pub(crate) const LOCKED: &str = "D:26442000000000000006";
/// All settled by the employer.
pub(crate) const CLAIMED: &str = "D:26442000000000000007";
/// Carries as many locks as it may; made out to a person.
pub(crate) const CROWDED: &str = "D:26442000000000000008";
/// Shares for as many members as it may have; made out to the employer.
pub(crate) const SHARED: &str = "D:26442000000000000009";
/// As many second identities as it may have.
pub(crate) const RENAMED: &str = "D:26442000000000000010";
/// A share of 10.00 for the insurer; 20.00 were reversed.
pub(crate) const GRANTED: &str = "D:26442000000000000011";
/// A second identity of [`RENAMED`].
pub(crate) const PAPER: &str = "P:3300194130-00000001";
/// Made out to a person, with claims of the employer in every state.
pub(crate) const OPEN: &str = "D:26442000000000000012";
/// A bill without a fund: self-pay 60.00, self-fund 40.00.
pub(crate) const BILL: &str = "F:33060122-0000000001";
/// A bill of which a fund paid 50.00.
pub(crate) const DIRECT_BILL: &str = "F:33060122-0000000002";
/// A bill that was exchanged for a paper one.
pub(crate) const EXCHANGED_BILL: &str = "F:33060122-0000000003";
/// That paper.
pub(crate) const PAPER_BILL: &str = "F:33060122-0000000004";
/// A bill with a lock of 30.00 of self-pay.
pub(crate) const HELD_BILL: &str = "F:33060122-0000000005";
/// Nothing bears this number.
pub(crate) const UNKNOWN: &str = "D:26442000000000009999";

/// A member that is suspended.
pub(crate) const SUSPENDED: u16 = 50;
/// Members that hold shares of [`SHARED`].
const HOLDERS: std::ops::Range<u16> = 100..356;

/// The chain with all of the above, three hours after its beginning.
pub(crate) fn prepared() -> World {
    let mut world = World::new();
    let documents = [
        PLAIN,
        FROZEN,
        REVERSED,
        OVER_CLAIMED,
        LOCKED,
        CLAIMED,
        SHARED,
        RENAMED,
        GRANTED,
    ];
    for key in documents {
        world.accept(MERCHANT, &invoice(key, MERCHANT, Some(EMPLOYER)));
    }
    for key in [CROWDED, OPEN] {
        world.accept(MERCHANT, &invoice(key, MERCHANT, None));
    }
    for (key, fund) in [
        (BILL, 0),
        (DIRECT_BILL, 50),
        (EXCHANGED_BILL, 0),
        (HELD_BILL, 0),
    ] {
        world.accept(HOSPITAL, &bill(key, HOSPITAL, fund));
    }
    members(&mut world);
    documents_in_every_state(&mut world);
    claims_in_every_state(&mut world);
    world.accept(TAX, &quota(MERCHANT as u16, "1200.00"));
    world.wait(3 * HOUR_MS);
    world
}

fn members(world: &mut World) {
    world.accept(TAX, &admit(SUSPENDED, SUSPENDED));
    world.accept(FINANCE, &suspend(SUSPENDED));
    world.accept(OTHER_EMPLOYER, &key_add(OTHER_EMPLOYER as u16, 60));
    world.accept(OTHER_EMPLOYER, &key_revoke(OTHER_EMPLOYER as u16, 60));
    let ends = world.after(HOUR_MS);
    world.accept(
        OTHER_EMPLOYER,
        &key_add(OTHER_EMPLOYER as u16, 61).set("/key/not_after", ends),
    );
    for holder in HOLDERS {
        world.accept(TAX, &admit(holder, holder));
        world.accept(EMPLOYER, &grant(SHARED, holder, "0.01"));
    }
}

fn documents_in_every_state(world: &mut World) {
    world.accept(TAX, &freeze(FROZEN));
    world.accept(
        MERCHANT,
        &reverse(REVERSED, "106.00").set("/red_number", &RED[2..]),
    );
    for (key, id) in [(OVER_CLAIMED, "too-much"), (CLAIMED, "all-settled")] {
        world.accept(EMPLOYER, &lock(key, Employer, "106.00").set("/id", id));
        world.accept(EMPLOYER, &settle(id, "106.00"));
    }
    world.accept(EMPLOYER, &confirm(OVER_CLAIMED, "50.00"));
    world.accept(MERCHANT, &reverse(OVER_CLAIMED, "50.00"));
    world.accept(
        EMPLOYER,
        &lock(LOCKED, Employer, "106.00").set("/id", "all-locked"),
    );
    for _ in 0..256 {
        world.accept(EMPLOYER, &lock(CROWDED, Employer, "0.01"));
    }
    for paper in [
        PAPER,
        "P:3300194130-00000002",
        "P:3300194130-00000003",
        "P:3300194130-00000004",
    ] {
        world.accept(MERCHANT, &alias(RENAMED, paper));
    }
    world.accept(EMPLOYER, &grant(GRANTED, INSURER as u16, "10.00"));
    world.accept(MERCHANT, &reverse(GRANTED, "20.00"));
    world.accept(HOSPITAL, &alias(EXCHANGED_BILL, PAPER_BILL));
    let half = json!("self_pay");
    world.accept(
        INSURER,
        &lock(HELD_BILL, Commercial, "30.00").set("/component", half),
    );
}

/// The employer's claims on [`OPEN`], named by their state.
fn claims_in_every_state(world: &mut World) {
    let soon = world.after(HOUR_MS);
    for id in ["live", "settled", "released", "expired", "taken-back"] {
        let mut body = lock(OPEN, Employer, "10.00").set("/id", id);
        if id == "expired" {
            body = body.set("/expires_at", soon.clone());
        }
        world.accept(EMPLOYER, &body);
    }
    world.accept(
        EMPLOYER,
        &lock(OPEN, Reference, "0.00").set("/id", "reference"),
    );
    world.accept(EMPLOYER, &settle("settled", "10.00"));
    world.accept(EMPLOYER, &release("released"));
    world.accept(EMPLOYER, &settle("taken-back", "10.00"));
    world.accept(EMPLOYER, &take_back("taken-back", "10.00"));
    world.accept(HEALTH, &lock(HELD_BILL, Basic, "5.00").set("/id", "basic"));
}
