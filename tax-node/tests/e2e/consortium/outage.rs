//! Nodes that are killed, wiped, or come late.

use std::fs;

use super::net::Net;
use crate::support::Document;
use crate::support::verdict::{failed, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_a_wiped_and_a_late_node_catch_up_and_take_part() {
    let mut net = Net::prepare(1);
    net.start(0..4);
    net.issue(0).await;

    // kill -9: three go on; what the dead one took before is there for a retry elsewhere.
    let merchant = net.member("merchant");
    let text = Document::invoice(&merchant, None).text();
    net.ready(3).await;
    let first = net.http[3].submit(&merchant, &text).await.is(201).json();
    net.kill(3);
    net.agree(first["height"].as_u64().unwrap()).await;
    let again = net.http[1].submit(&merchant, &text).await.is(200);
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    again.verified(&net.genesis);
    assert_eq!(Net::said(&again.json()), Net::said(&first));
    for _ in 0..3 {
        net.issue(2).await;
    }
    net.start([3]);
    net.reaches(3, net.height(0).await).await;

    // A disk is lost: the same key, joined anew, and the chain comes from the others.
    net.end([1]);
    let (data, other) = (net.spots[1].data.clone(), net.spots[0].data.clone());
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("keys") => {}
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    let file = |name: &str| other.join(name).to_str().unwrap().to_owned();
    let (genesis, peers, data) = (file("genesis.json"), file("peers.json"), net.data(1));
    let hash = net.genesis.hash().to_string();
    let mut join = vec!["--json", "init", "join", "--data", &data];
    join.extend(["--genesis", &genesis, "--peers", &peers]);
    join.extend(["--genesis-hash", &hash]);
    assert_eq!(said(&join, 0)["role"], "validator");
    failed(&join, 2, "chain_exists");
    net.start([1]);
    net.reaches(1, net.height(0).await).await;

    // It takes part again: with another one away, its vote is needed.
    net.end([2]);
    let receipt = net.issue(1).await;
    let height = receipt["height"].as_u64().unwrap();
    assert!(net.signers(0, height).await.contains(&net.kid(1)));

    // A node without a vote starts late, has everything, and answers like the others.
    net.start([4]);
    net.ready(4).await;
    net.agree(height).await;
    let replayed = net.http[4].submit(&merchant, &text).await.is(200);
    replayed.verified(&net.genesis);
    assert_eq!(Net::said(&replayed.json()), Net::said(&first));
    let receipt = net.issue(4).await;
    net.agree(receipt["height"].as_u64().unwrap()).await;
    for number in [0, 1, 3, 4] {
        assert_eq!(net.figure(number, "piaolian_alarms_total").await, 0);
    }
    net.end([0, 1, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_final_and_with_one_again_it_goes_on() {
    let mut net = Net::prepare(0);
    net.start(0..3);
    let height = net.issue(0).await["height"].as_u64().unwrap();
    net.agree(height).await;
    // Nothing that it does comes through any more, and the others have not noticed yet.
    net.freeze(2);
    let waiting = net.hand_in(0);
    // Two of four vote, and that is not enough.
    net.has_voted(0, height + 1).await;
    net.has_voted(1, height + 1).await;
    net.kill(2);
    assert_eq!(net.height(0).await, height);
    net.start([3]);
    waiting.await.unwrap().verified(&net.genesis);
    net.agree(height + 1).await;
    net.end([0, 1, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_that_are_silent_are_out_of_reach_also_for_a_supervisor() {
    let mut net = Net::prepare(1);
    net.start(0..5);
    for number in [0, 4] {
        net.ready(number).await;
    }
    // Their links stay open, and they say nothing: two of four are no quorum.
    net.freeze(2);
    net.freeze(3);
    let merchant = net.member("merchant");
    for number in [0, 4] {
        net.shows(number, "piaolian_accepting", |accepting| accepting == 0)
            .await;
        net.http[number].get("/readyz").await.is(503);
        let text = Document::invoice(&merchant, None).text();
        let answer = net.http[number].submit(&merchant, &text).await;
        answer.refused(503, "no_quorum");
    }
    net.thaw(2);
    net.thaw(3);
    for number in [0, 4] {
        net.ready(number).await;
    }
    net.issue(4).await;
    net.end(0..5);
}
