//! Histories of a few members and documents, as the rules of the registry would have them.

use invoice_core::crypto::Hash;
use oversight::{SeenBlock, SeenRecord};
use proptest::prelude::*;

use crate::bodies::{FIRST_EMPLOYER, SELLERS};
use crate::world::World;

/// A record with its block's time.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) time_ms: i64,
    pub(crate) seen: SeenRecord,
}

/// One thing to do; numbers are places in the lists of members, documents and claims.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A merchant issues an invoice after leaving out some numbers.
    Issue(usize, u64, i64),
    /// The first merchant issues a bill.
    Bill(i64),
    /// The authority registers a document of a seller: one of the numbers that it left out, or the
    /// next one of who is no member.
    Register(usize, i64),
    /// Who locks how much of what (all that is left, when 0), for how many days, by its second number if it has one.
    Lock(usize, usize, i64, i64, bool),
    Settle(usize, i64),
    Release(usize),
    TakeBack(usize, i64),
    Reverse(usize, i64),
    /// Frozen when it is not, else unfrozen.
    Freeze(usize),
    Alias(usize),
    Quota(usize, u8, i64),
    /// A new block, so many minutes later.
    Wait(i64),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let or_zero = |most: i64| prop_oneof![4 => 1..most, 1 => Just(0)];
    let step = prop_oneof![
        4 => (0..2_usize, 0..3_u64, 1..40_000_i64).prop_map(|(m, s, t)| Step::Issue(m, s, t)),
        1 => (2..40_000_i64).prop_map(Step::Bill),
        2 => (0..SELLERS, 1..40_000_i64).prop_map(|(s, t)| Step::Register(s, t)),
        8 => (FIRST_EMPLOYER..FIRST_EMPLOYER + 3, 0..6_usize, or_zero(30_000), 1..4_i64, any::<bool>())
            .prop_map(|(e, d, a, days, alias)| Step::Lock(e, d, a, days, alias)),
        5 => (0..12_usize, 1..40_000_i64).prop_map(|(c, a)| Step::Settle(c, a)),
        1 => (0..12_usize).prop_map(Step::Release),
        2 => (0..12_usize, 1..20_000_i64).prop_map(|(c, a)| Step::TakeBack(c, a)),
        3 => (0..6_usize, 1..30_000_i64).prop_map(|(d, a)| Step::Reverse(d, a)),
        1 => (0..6_usize).prop_map(Step::Freeze),
        1 => (0..6_usize).prop_map(Step::Alias),
        2 => (0..2_usize, 9..12_u8, or_zero(60_000)).prop_map(|(m, n, a)| Step::Quota(m, n, a)),
        4 => (1..2_000_i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..70)
}

/// The blocks of a history, and its records with their times.
pub(crate) fn play(steps: &[Step]) -> (Vec<SeenBlock>, Vec<Happened>) {
    let mut world = World::at(30 * 86_400_000);
    let mut blocks: Vec<SeenBlock> = Vec::new();
    let mut first = 0;
    for step in steps.iter().chain([&Step::Wait(1)]) {
        world.step(step);
        if let Step::Wait(minutes) = step {
            let records = world.happened[first..].iter().map(|one| one.seen.clone());
            let records = Some(records.collect());
            first = world.happened.len();
            let height = blocks.len() as u64 + 1;
            blocks.push(SeenBlock {
                height,
                id: Hash::new([height as u8; 32]),
                time_ms: world.time_ms,
                log_size: first as u64,
                records,
            });
            world.time_ms += minutes * 60_000;
        }
    }
    (blocks, world.happened)
}
