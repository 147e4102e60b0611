//! Backups: one that is older than the votes of its node, and one that another node begins with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;

use super::net::Net;
use crate::support::verdict::{failed, said};

/// What a message between two processes on this machine takes, amply.
const ON_THE_WAY: Duration = Duration::from_millis(500);

/// How far after its first start a block must lie for a restored validator to sign after it.
const FORBIDDEN_MS: i64 = 15_000;
/// That, and a little.
const SILENCE: Duration = Duration::from_millis(15_500);

/// Backs a stopped node up.
fn back_up(net: &Net, number: usize, name: &str) -> String {
    let (data, file) = (net.data(number), net.path(name));
    said(&["--json", "backup", "--data", &data, "--out", &file], 0);
    file
}

/// Puts a backup in the place of a node's folder; its keys stay.
fn put_back(net: &Net, number: usize, file: &str) {
    let data = &net.spots[number].data;
    let lost = net.folder.path().join(format!("lost-{number}"));
    fs::rename(data, &lost).unwrap();
    fs::create_dir(data).unwrap();
    fs::rename(lost.join("keys"), data.join("keys")).unwrap();
    let data = net.data(number);
    said(&["--json", "restore", "--from", file, "--data", &data], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_out_of_an_old_backup_does_not_sign_again_what_it_forgot() {
    let mut net = Net::prepare(0);
    net.start(0..4);
    let height = net.issue(0).await["height"].as_u64().unwrap();
    net.agree(height).await;
    net.end([1]);
    let file = back_up(&net, 1, "old.tar.zst");
    net.start([1]);

    // It goes on voting: with another one away its vote is needed.
    net.end([2]);
    let height = net.issue(1).await["height"].as_u64().unwrap();
    // Two of four vote at the next height, which therefore stays open; they have not noticed yet
    // that the last one is silent, and take a record.
    net.agree(height).await;
    net.freeze(3);
    let waiting = net.hand_in(0);
    // Its vote is written down by the other one.
    net.has_vote(0, 1, height + 1).await;
    net.kill(3);
    net.kill(1);
    put_back(&net, 1, &file);

    // The restored one hears of its own vote and keeps silent: two others are not enough with it.
    let restored = Utc::now().timestamp_millis();
    net.start([1, 2]);
    net.shows(1, "piaolian_alarms_total", |alarms| alarms > 0)
        .await;
    net.has_voted(2, height + 1).await;
    tokio::time::sleep(ON_THE_WAY).await;
    assert_eq!(net.height(0).await, height);

    // With the fourth the height is decided, without a signature of the restored one...
    net.start([3]);
    waiting.await.unwrap().verified(&net.genesis);
    net.agree(height + 1).await;
    let (own, all) = (net.kid(1), [0, 1, 2, 3]);
    assert!(!net.signers(0, height + 1).await.contains(&own));
    // ... and once a block is final that was made long enough after its start it votes again.
    tokio::time::sleep(SILENCE).await;
    let after = net.issue(0).await["height"].as_u64().unwrap();
    net.agree(after).await;
    net.end([2]);
    let next = net.issue(1).await["height"].as_u64().unwrap();
    assert!(net.signers(0, next).await.contains(&own));
    for signed in height + 1..=next {
        if net.signers(0, signed).await.contains(&own) {
            let before = net.made_at(0, signed - 1).await;
            assert!(before > restored + FORBIDDEN_MS, "{signed}");
        }
    }
    for number in [0, 3] {
        // Nobody saw it contradict itself.
        assert_eq!(net.figure(number, "piaolian_alarms_total").await, 0);
    }
    net.end(all.into_iter().filter(|number| *number != 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_begins_with_the_backup_of_another_node_once_all_of_it_is_verified() {
    let mut net = Net::prepare(1);
    net.start(0..4);
    let receipt = net.issue(0).await;
    let height = receipt["height"].as_u64().unwrap();
    net.agree(height).await;
    net.end([2]);
    let file = back_up(&net, 2, "snapshot.tar.zst");
    net.start([2]);

    // The supervisor's folder has its key only.
    let (data, hash) = (net.data(4), net.genesis.hash().to_string());
    let lost = net.folder.path().join("empty");
    fs::rename(&data, &lost).unwrap();
    fs::create_dir(&data).unwrap();
    fs::rename(lost.join("keys"), Path::new(&data).join("keys")).unwrap();
    let mut restore = vec!["--json", "restore", "--snapshot", "--from", &file];
    restore.extend(["--data", &data, "--genesis-hash"]);
    let with = |hash| [&restore[..], &[hash]].concat();
    let wrong = "0".repeat(64);
    failed(&with(&wrong), 5, "genesis_hash");
    let told = said(&with(&hash), 0);
    assert_eq!(
        (told["height"].as_u64(), &told["verified"]),
        (Some(height), &true.into())
    );
    for private in ["votes.log", "access.ndjson", "party.json"] {
        assert!(!Path::new(&data).join(private).exists(), "{private}");
    }
    net.start([4]);
    assert!(net.height(4).await >= height);
    let next = net.issue(4).await["height"].as_u64().unwrap();
    net.agree(next).await;
    net.end(0..5);
}
