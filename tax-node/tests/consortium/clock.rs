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
