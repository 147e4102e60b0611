//! Clocks that are wrong: one that is, and the rest of the consortium.

use std::sync::Arc;

use invoice_core::calendar::Instant;
use tax_node::node::{Clock, system_clock};

use super::{Consortium, SUPERVISOR, VALIDATORS, recorded};
use invoice_api::registry::Registry;

/// More than a block's time may lie ahead of a clock, in ms.
const WRONG_MS: i64 = 30_000;

fn off_by(ms: i64) -> Clock {
    Arc::new(move || Instant::from_ms(system_clock()().ms() + ms))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_clock_stops_nobody() {
    let consortium = Consortium::new();
    let right = VALIDATORS.into_iter().take(3);
    let mut nodes: Vec<_> = right.map(|number| consortium.start(number)).collect();
    // A validator and a node without a vote whose clocks are slow: they approve of no proposal and
    // take what the others have decided all the same.
    for number in [VALIDATORS[3], SUPERVISOR] {
        nodes.push(consortium.start_with_clock(number, off_by(-WRONG_MS)));
    }
    for node in &nodes {
        node.takes_records().await;
    }
    let world = &consortium.world;
    let mut height = 0;
    for serial in 0..6 {
        let node = &nodes[serial as usize % 3].node;
        height = recorded(node.submit(world.single(&world.sellers[0], serial)).await).height;
    }
    for node in &nodes {
        node.reaches(height).await;
    }
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_clock_does_not_shorten_the_wait_of_a_restored_validator() {
    let consortium = Consortium::new();
    let mark = consortium.data(VALIDATORS[0]).join("restored");
    std::fs::write(&mark, "").unwrap();
    // Slower than the chain is old.
    let node = consortium.start_with_clock(VALIDATORS[0], off_by(-1_000 * WRONG_MS));
    node.stop().await;
    let at = std::fs::read_to_string(&mark).unwrap();
    let at = Instant::parse_rfc3339(at.trim()).unwrap();
    let last = consortium.world.genesis.time_ms();
    assert!(at.ms() / 1_000 >= last / 1_000, "{at:?} before {last}");
}
