//! `tax-node testnet` and `tax-node status`, as somebody uses them who tries a consortium out.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use invoice_core::chain::Genesis;
use serde_json::Value;

use super::net::{Net, PATIENCE, free_ports};
use crate::support::process::{Server, members, run};
use crate::support::verdict::lines;
use crate::support::{Document, Http};

/// A running testnet. It ends its nodes when it is interrupted, also where a test fails.
struct Testnet(Child);

impl Testnet {
    /// Ctrl-C.
    fn interrupt(&self) {
        let pid = i32::try_from(self.0.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // What has ended already needs no interruption.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }

    /// The end in order.
    fn end(mut self) {
        self.interrupt();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.interrupt();
            let _ = self.0.wait();
        }
    }
}

/// Starts a testnet and gives what it says when all nodes answer.
fn started(dir: &str, port: &str) -> (Testnet, Value) {
    let mut args = vec!["--json", "testnet", "--dir", dir];
    args.extend([
        "--base-port",
        port,
        "--validators",
        "4",
        "--supervisors",
        "1",
    ]);
    let mut testnet = Testnet(Server::spawn(&args));
    let mut line = String::new();
    let stdout = testnet.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    (testnet, serde_json::from_str(&line).unwrap())
}

/// The lines of `status`, once all nodes are as far.
fn settled(dir: &str) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let output = run(&["--json", "status", "--dir", dir]);
        let told = lines(&output);
        let even = told
            .iter()
            .all(|line| line["lag"].as_u64().unwrap_or(0) == 0);
        if output.status.success() && even {
            return told;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_testnet_runs_tells_its_status_ends_and_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("net").to_str().unwrap().to_owned();
    let port = free_ports().to_string();
    let (testnet, told) = started(&dir, &port);
    let nodes = told["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    let genesis = std::fs::read(format!("{dir}/validator-0/genesis.json")).unwrap();
    let genesis = Genesis::parse(&genesis).unwrap();
    assert_eq!(told["genesis_hash"], genesis.hash().to_string());
    let members = members(folder.path().join("net").as_path());
    let merchant = members
        .iter()
        .find(|member| member.roles[0] == "merchant")
        .unwrap();
    let http = |number: usize| {
        let url = nodes[number]["url"].as_str().unwrap();
        Http::new(url, genesis.chain_id().clone())
    };

    // To all nodes at once: it is recorded once, and every node gives the same receipt.
    let text = Document::invoice(merchant, None).text();
    let sent = (0..5).map(|number| {
        let (http, text) = (http(number), text.clone());
        async move { http.submit(merchant, &text).await }
    });
    let answers = futures_util::future::join_all(sent).await;
    let first = answers[0].json();
    for answer in &answers {
        assert!([200, 201].contains(&answer.status), "{}", answer.text());
        answer.verified(&genesis);
        assert_eq!(Net::said(&answer.json()), Net::said(&first));
    }
    let told = settled(&dir);
    let summary = &told[5];
    assert_eq!(summary["agreement"], true);
    assert_eq!(summary["answering"], 5);
    for node in &told[..5] {
        assert_eq!(node["height"], summary["height"]);
        assert_eq!(
            (&node["alarms"], &node["peers"]),
            (&0.into(), &4.into()),
            "{node}"
        );
        assert!(node["signers"].as_u64().unwrap() >= 3);
        assert_eq!(node["validators"], 4);
    }

    // Ctrl-C ends all; the same folder is used again, with what was recorded.
    testnet.end();
    let output = run(&["--json", "status", "--dir", &dir]);
    assert_eq!(output.status.code(), Some(3));
    let (testnet, again) = started(&dir, &port);
    assert_eq!(again["genesis_hash"], genesis.hash().to_string());
    let answer = http(3).submit(merchant, &text).await.is(200);
    assert_eq!(Net::said(&answer.json()), Net::said(&first));
    testnet.end();
}
