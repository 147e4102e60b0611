//! A validator's key is exchanged while the chain runs; receipts from before and after.

use std::fs;
use std::path::Path;

use super::net::{Net, Spot, free_ports};
use crate::second_implementation::{INVALID, verify};
use crate::support::verdict::{failed, said};

#[tokio::test(flavor = "multi_thread")]
async fn another_key_votes_from_the_height_that_both_bureaus_signed() {
    let mut net = Net::prepare(0);
    net.start(0..4);
    let before = net.issue(0).await;
    let from_height = before["height"].as_u64().unwrap() + 6;

    // The bureau of the fourth node makes a new key in a new folder.
    let port = free_ports();
    let (listen, links) = (
        format!("127.0.0.1:{port}"),
        format!("127.0.0.1:{}", port + 1),
    );
    let (data, name) = (net.path("new"), net.spots[3].name.clone());
    let mut party = vec!["--json", "init", "party", "--plain", "--data", &data];
    party.extend(["--name", &name, "--group", "finance", "--address", &links]);
    said(&party, 0);
    let rekey = format!("{name}={data}/party.json");
    let (file, genesis) = (
        net.path("change.json"),
        net.path("net/validator-0/genesis.json"),
    );
    let height = from_height.to_string();
    let mut propose = vec!["--json", "validators", "propose", "--current", &genesis];
    propose.extend(["--rekey", &rekey, "--from-height", &height, "--out", &file]);
    let proposed = said(&propose, 0);
    let (tax, finance) = (net.member("tax").id, net.member("finance").id);
    let key = |name: &str| net.path(&format!("net/keys/{name}.pem"));
    let (tax_key, finance_key) = (key("tax"), key("finance"));
    let mut sign = vec!["--json", "validators", "countersign", "--change", &file];
    sign.extend(["--by", &finance, "--key", &finance_key]);
    assert_eq!(said(&sign, 0)["list_digest"], proposed["list_digest"]);
    let url = net.url(1);
    let mut submit = vec!["--json", "validators", "submit", "--change", &file];
    submit.extend(["--by", &tax, "--key", &tax_key, "--server", &url]);
    let recorded = said(&submit, 0);
    assert!(recorded["height"].as_u64().unwrap() + 2 <= from_height);
    // However often it is sent: the same record.
    assert_eq!(said(&submit, 0), recorded);

    let show = [
        "--json",
        "validators",
        "show",
        "--current",
        &file,
        "--server",
        &url,
    ];
    assert_eq!(said(&show, 0)["in_force"], false);

    // The nodes take up the new list while they run; the new one joins with it and follows.
    for number in 0..4 {
        let peers = format!("{}/peers.json", net.data(number));
        let mut edit = vec!["--json", "validators", "peers", "--file", &peers];
        edit.extend(["--rekey", &rekey]);
        assert_eq!(said(&edit, 0)["nodes"], 4);
    }
    let (peers, hash) = (
        format!("{}/peers.json", net.data(0)),
        net.genesis.hash().to_string(),
    );
    let mut join = vec![
        "--json",
        "init",
        "join",
        "--data",
        &data,
        "--genesis",
        &genesis,
    ];
    join.extend(["--peers", &peers, "--genesis-hash", &hash]);
    failed(&join, 2, "peers");
    join.push("--validators-changed");
    said(&join, 0);
    net.add(Spot {
        name,
        data: Path::new(&data).to_owned(),
        listen,
        listen_peers: links,
    });
    net.start([4]);
    let mut receipts = vec![before, recorded];
    while net.height(0).await < from_height {
        receipts.push(net.issue(0).await);
    }

    // The old key is off; the new one is needed, and signs.
    net.end([2, 3]);
    let after = net.issue(4).await;
    let height = after["height"].as_u64().unwrap();
    let signers = net.signers(0, height).await;
    assert!(signers.contains(&net.kid(4)), "{signers:?}");
    assert_eq!(signers.len(), 3);
    assert_eq!(said(&show, 0)["in_force"], true);
    receipts.push(after);
    let receipt_file = net.path("receipt.json");
    let (first, last) = (0, receipts.len() - 1);
    for (number, receipt) in receipts.iter().enumerate() {
        let parsed = invoice_core::chain::Receipt::parse(receipt.to_string().as_bytes()).unwrap();
        parsed.verify(&net.genesis).unwrap();
        let later = receipt["height"].as_u64().unwrap() >= from_height;
        assert_eq!(receipt["validator_changes"].is_array(), later);
        if number != first && number != last {
            continue;
        }
        fs::write(&receipt_file, receipt.to_string()).unwrap();
        let files = (Path::new(&receipt_file), Path::new(&genesis));
        assert_eq!(verify("receipt", files.0, files.1), 0);
        // One signature less is none of a quorum.
        let mut fewer = receipt.clone();
        let signatures = fewer["signatures"].as_array_mut().unwrap();
        signatures.truncate(2);
        fs::write(&receipt_file, fewer.to_string()).unwrap();
        assert_eq!(verify("receipt", files.0, files.1), INVALID);
    }
    net.end([0, 1, 4]);
    // Whoever has the folder verifies all of it, the change included.
    let checked = said(&["--json", "verify", "--data", &data], 0);
    assert!(checked["height"].as_u64().unwrap() >= height);
    let newest = said(&["--json", "validators", "show", "--data", &data], 0);
    assert_eq!(newest["list_digest"], proposed["list_digest"]);
}
