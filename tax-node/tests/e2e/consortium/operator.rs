//! Four bureaus and a supervisor begin a chain from nothing but what the commands give them.

use std::fs;
use std::path::Path;

use super::net::{Net, Spot, free_ports};
use crate::second_implementation::verify;
use crate::support::process::{Member, run};
use crate::support::records::record;
use crate::support::verdict::{lines, said};
use invoice_core::crypto::{SecretKey, SecretKeySigner};
use invoice_core::identity::MemberId;
use serde_json::json;
use std::sync::Arc;

/// A social credit code, complete with its check character.
fn code(first: &str) -> String {
    format!("{first}{}", MemberId::check_character(first).unwrap())
}

fn member(id: String, name: &str, role: &str, key: SecretKey) -> Member {
    Member {
        id,
        name: name.to_owned(),
        roles: vec![role.to_owned()],
        signer: Arc::new(SecretKeySigner::new(key)),
    }
}

/// Five parties: their folders, and the arguments that assemble their files.
fn parties(folder: &Path) -> (Vec<Spot>, Vec<String>) {
    let port = free_ports();
    let groups = ["tax", "finance", "tax", "finance", "supervisor"];
    let spots: Vec<Spot> = (port..)
        .zip(groups)
        .map(|(port, group)| Spot {
            name: format!("{group}-{port}"),
            data: folder.join(format!("{group}-{port}")),
            listen: format!("127.0.0.1:{port}"),
            listen_peers: format!("127.0.0.1:{}", port + 100),
        })
        .collect();
    for (number, (spot, group)) in spots.iter().zip(groups).enumerate() {
        let data = spot.data.to_str().unwrap();
        let authority = format!("{}={group}", code(&format!("11330000{:09}", number + 1)));
        let mut args = vec!["--json", "init", "party", "--plain", "--data", data];
        args.extend(["--name", &spot.name, "--address", &spot.listen_peers]);
        match (group, number) {
            ("supervisor", _) => args.push("--supervisor"),
            (_, 0 | 1) => args.extend(["--group", group, "--authority", &authority]),
            _ => args.extend(["--group", group]),
        }
        said(&args, 0);
    }
    let files = spots
        .iter()
        .map(|spot| spot.data.join("party.json").to_str().unwrap().to_owned());
    let files = files.collect();
    (spots, files)
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_assemble_a_chain_admit_a_merchant_and_record_at_any_node() {
    let folder = tempfile::tempdir().unwrap();
    let (spots, files) = parties(folder.path());
    // Every party assembles for itself; the hash is what they compare.
    let mut agreed = Vec::new();
    for spot in &spots {
        let out = format!("{}-agreed", spot.data.display());
        let mut args = vec!["--json", "init", "assemble", "--chain-id", "bund-2"];
        args.extend(["--time", "2026-11-21T08:00:00Z", "--out", &out]);
        args.extend(files.iter().map(String::as_str));
        agreed.push(said(&args, 0)["genesis_hash"].as_str().unwrap().to_owned());
        let (data, hash) = (spot.data.to_str().unwrap(), &agreed[0]);
        let (genesis, peers) = (format!("{out}/genesis.json"), format!("{out}/peers.json"));
        let mut join = vec!["--json", "init", "join", "--data", data];
        join.extend(["--genesis", &genesis, "--peers", &peers]);
        join.extend(["--genesis-hash", hash]);
        said(&join, 0);
    }
    assert!(agreed.iter().all(|hash| *hash == agreed[0]));
    let key = fs::read_to_string(spots[0].data.join("keys/tax.pem")).unwrap();
    let key = SecretKey::from_pkcs8_pem(&key, None).unwrap();
    let tax = member(code("11330000000000001"), "税务", "tax", key);
    let key = SecretKey::from_bytes(&[7; 32]).unwrap();
    let merchant = member(code("91330100000000009"), "商户", "merchant", key);
    let mut net = Net::of(folder, spots, vec![tax.clone(), merchant.clone()]);
    net.start(0..5);
    let admitted = json!({
        "member": {"id": merchant.id, "name": merchant.name, "roles": ["merchant"]},
        "key": {"public_key": merchant.signer_hex()},
    });
    net.ready(1).await;
    let admitted = net.http[1]
        .accept(&tax, &record(&tax, "member.admit", admitted))
        .await;
    let height = admitted.json()["height"].as_u64().unwrap();
    let genesis = format!("{}/genesis.json", net.data(0));
    let file = net.path("receipt.json");
    for number in 0..5 {
        // A node knows the merchant as soon as it has that block.
        net.reaches(number, height).await;
        let receipt = net.issue(number).await;
        fs::write(&file, receipt.to_string()).unwrap();
    }
    assert_eq!(verify("receipt", Path::new(&file), Path::new(&genesis)), 0);
    net.agree(net.height(0).await).await;
    let urls: Vec<String> = (0..5).map(|number| net.url(number)).collect();
    let status = [
        &["--json", "status"],
        &*urls.iter().map(String::as_str).collect::<Vec<_>>(),
    ];
    let told = lines(&run(&status.concat()));
    assert_eq!(told.last().unwrap()["agreement"], true, "{told:?}");
    net.end(0..5);
}
