//! Whole consortiums in one thread: real nodes, virtual time, seeded faults, and an oracle.

mod cast;
mod clients;
mod links;
mod machine;
mod oracle;
mod plan;
mod tally;
mod treason;
mod world;

use plan::Plan;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn correct_nodes_agree_and_answer() {
    for (seed, count) in (4..=7).enumerate() {
        let plan = Plan::calm(seed as u64, count);
        let tells = number("PIAOLIAN_SEED").is_some();
        let started = std::time::Instant::now();
        let outcome = world::run(&plan, tells);
        println!("{:?} {:?} in {:?}", outcome.violations, outcome.tally, started.elapsed());
        assert_eq!(outcome.violations, Vec::<String>::new());
    }
}

#[test]
fn a_seed_gives_the_same_trace_again() {
    let plan = Plan::calm(5, 4);
    let (one, other) = (world::run(&plan, false), world::run(&plan, false));
    assert_eq!(one.trace, other.trace);
    let another = world::run(&Plan::calm(6, 4), false);
    assert_ne!(one.trace, another.trace);
}
