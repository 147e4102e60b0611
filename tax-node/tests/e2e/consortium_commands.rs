//! The commands of a consortium: parties, the files they agree on, a prepared testnet, changes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Demo;
use crate::support::process::run;
use crate::support::verdict::{failed, lines, said};

const TIME: &str = "2026-11-21T16:00:00+08:00";

/// A folder of parties: four validators and a supervisor.
struct Parties {
    folder: tempfile::TempDir,
}

impl Parties {
    fn new() -> Self {
        let parties = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (number, group) in ["tax", "finance", "tax", "finance"].into_iter().enumerate() {
            let authority = authority(number);
            let mut more = vec!["--group", group];
            if number < 2 {
                more.extend(["--authority", &authority]);
            }
            parties.party(&format!("节点-{number}"), number, &more);
        }
        parties.party("监管", 4, &["--supervisor"]);
        parties
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    fn data(&self, number: usize) -> String {
        self.path(&format!("node-{number}"))
    }

    fn file(&self, number: usize) -> String {
        self.path(&format!("node-{number}/party.json"))
    }

    fn party(&self, name: &str, number: usize, more: &[&str]) -> Value {
        let (data, address) = (self.data(number), format!("127.0.0.1:{}", 27_000 + number));
        let mut args = vec![
            "--json",
            "init",
            "party",
            "--data",
            &data,
            "--name",
            name,
            "--address",
            &address,
            "--plain",
        ];
        args.extend(more);
        said(&args, 0)
    }

    /// The arguments that assemble these parties' files.
    fn assemble<'a>(&self, out: &'a str, files: &'a [String]) -> Vec<&'a str> {
        let mut args = vec![
            "--json",
            "init",
            "assemble",
            "--chain-id",
            "bund-1",
            "--time",
            TIME,
            "--out",
            out,
        ];
        args.extend(files.iter().map(String::as_str));
        args
    }

    fn files(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
        numbers
            .into_iter()
            .map(|number| self.file(number))
            .collect()
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn authority(number: usize) -> String {
    let first = format!("11330000{:09}", number + 1);
    let check = invoice_core::identity::MemberId::check_character(&first).unwrap();
    format!("{first}{check}=机关 {number}")
}

fn join<'a>(data: &'a str, genesis: &'a str, peers: &'a str, hash: &'a str) -> Vec<&'a str> {
    vec![
        "--json",
        "init",
        "join",
        "--data",
        data,
        "--genesis",
        genesis,
        "--peers",
        peers,
        "--genesis-hash",
        hash,
    ]
}

#[test]
fn every_party_assembles_the_same_files_and_joins_only_what_was_agreed_on() {
    let parties = Parties::new();
    let (one, other) = (parties.path("one"), parties.path("other"));
    let told = said(&parties.assemble(&one, &parties.files(0..5)), 0);
    let backwards = said(&parties.assemble(&other, &parties.files((0..5).rev())), 0);
    assert_eq!(told["genesis_hash"], backwards["genesis_hash"]);
    assert_eq!(told["peers_sm3"], backwards["peers_sm3"]);
    for name in ["genesis.json", "peers.json"] {
        let read = |folder: &str| fs::read(Path::new(folder).join(name)).unwrap();
        assert_eq!(read(&one), read(&other), "{name}");
    }
    let genesis = fs::read(Path::new(&one).join("genesis.json")).unwrap();
    let genesis = invoice_core::chain::Genesis::parse(&genesis).unwrap();
    assert_eq!(told["genesis_hash"], genesis.hash().to_string());
    assert_eq!(genesis.validators().validators().len(), 4);
    assert_eq!(genesis.members().len(), 2);
    let nodes = tax_node::peers::read(&Path::new(&one).join("peers.json")).unwrap();
    assert_eq!(nodes.len(), 5);
    // What was written is not overwritten.
    failed(&parties.assemble(&one, &parties.files(0..5)), 2, "exists");

    let (file, peers) = (format!("{one}/genesis.json"), format!("{one}/peers.json"));
    let hash = genesis.hash().to_string();
    let wrong = hash.chars().rev().collect::<String>();
    let data = parties.data(0);
    failed(&join(&data, &file, &peers, &wrong), 5, "genesis_hash");
    assert!(!Path::new(&data).join("genesis.json").exists());
    for (number, role) in [(0, "validator"), (4, "supervisor")] {
        let data = parties.data(number);
        let joined = said(&join(&data, &file, &peers, &hash), 0);
        assert_eq!(joined["role"], role);
        assert_eq!(
            fs::read(format!("{data}/genesis.json")).unwrap(),
            genesis.bytes()
        );
        assert_eq!(
            fs::read(format!("{data}/peers.json")).unwrap(),
            fs::read(&peers).unwrap()
        );
        failed(&join(&data, &file, &peers, &hash), 2, "chain_exists");
        assert_eq!(
            said(&["--json", "verify", "--data", &data], 0)["valid"],
            true
        );
    }
    // Another party's peers, or none of these keys.
    let listed = fs::read_to_string(&peers).unwrap();
    let fewer = parties.path("fewer.json");
    let left: Vec<Value> = serde_json::from_str::<Vec<Value>>(&listed).unwrap();
    let left: Vec<_> = left
        .into_iter()
        .filter(|node| node["name"] != "节点-1")
        .collect();
    fs::write(&fewer, serde_json::to_vec(&left).unwrap()).unwrap();
    failed(&join(&parties.data(2), &file, &fewer, &hash), 2, "peers");
    fs::write(&fewer, listed.replacen("27000", "0", 1)).unwrap();
    failed(&join(&parties.data(2), &file, &fewer, &hash), 2, "peers");
    parties.party("外人", 5, &["--group", "tax"]);
    failed(
        &join(&parties.data(5), &file, &peers, &hash),
        4,
        "not_a_party",
    );
    let nobody = parties.path("nobody");
    failed(&join(&nobody, &file, &peers, &hash), 2, "no_key");
}

#[test]
fn a_slip_of_the_pen_is_refused_before_there_are_keys_or_files() {
    let parties = Parties::new();
    let (out, files) = (parties.path("out"), parties.files(0..5));
    let mut late = parties.assemble(&out, &files);
    let time = late.iter().position(|arg| *arg == TIME).unwrap();
    late[time] = "2126-11-21T16:00:00+08:00";
    failed(&late, 2, "time");
    assert!(!Path::new(&out).exists());
    let data = parties.data(9);
    for (name, address) in [
        ("tax=1", "tax.example:27000"),
        ("tax\u{202e}1", "tax.example:27000"),
        ("tax", "0.0.0.0:27000"),
        ("tax", "[::]:27000"),
    ] {
        let mut args = vec!["--json", "init", "party", "--plain", "--data", &data];
        args.extend(["--group", "tax", "--name", name, "--address", address]);
        failed(&args, 2, "party");
        assert!(!Path::new(&data).exists());
    }
}

#[test]
fn what_does_not_make_a_consortium_is_refused_with_its_reason() {
    let parties = Parties::new();
    let out = parties.path("out");
    let refuse = |files: &[String], exit, code| {
        failed(&parties.assemble(&out, files), exit, code);
        assert!(!Path::new(&out).join("genesis.json").exists());
    };
    refuse(&parties.files(0..3), 2, "validators");
    refuse(&parties.files([0, 1, 2, 3, 3]), 2, "key_repeated");
    // Somebody on the way makes one party heavier.
    let tampered = parties.path("tampered.json");
    let file = fs::read_to_string(parties.file(3)).unwrap();
    fs::write(&tampered, file.replace("\"weight\": 1", "\"weight\": 9")).unwrap();
    let mut files = parties.files(0..3);
    files.push(tampered.clone());
    refuse(&files, 4, "party_proof");
    // One bureau alone.
    parties.party("节点-6", 6, &["--group", "tax"]);
    parties.party("节点-7", 7, &["--group", "tax", "--weight", "9"]);
    refuse(&parties.files([0, 2, 6, 7]), 2, "validators");
    refuse(&parties.files([0, 1, 2, 7]), 2, "validators");
    // One name twice, no finance authority, a file that is none.
    parties.party("节点-0", 8, &["--group", "finance"]);
    refuse(&parties.files([0, 1, 2, 8]), 2, "peers");
    parties.party("节点-9", 9, &["--group", "finance"]);
    refuse(&parties.files([0, 2, 3, 9]), 2, "no_authority");
    fs::write(&tampered, "{}").unwrap();
    refuse(&[tampered], 2, "party");
    refuse(&[parties.path("absent.json")], 2, "file");
    // A folder has one party, and a party of a bureau says which.
    let data = parties.data(0);
    let again = [
        "--json",
        "init",
        "party",
        "--data",
        &data,
        "--name",
        "x",
        "--group",
        "tax",
        "--address",
        "a:1",
        "--plain",
    ];
    failed(&again, 2, "party_exists");
    let nameless = [
        "init",
        "party",
        "--data",
        "x",
        "--name",
        "x",
        "--address",
        "a:1",
        "--plain",
    ];
    assert_eq!(run(&nameless).status.code(), Some(2));
    let fresh = parties.data(10);
    let bad = [
        "--json",
        "init",
        "party",
        "--data",
        &fresh,
        "--name",
        "x",
        "--group",
        "tax",
        "--address",
        "nowhere",
        "--plain",
    ];
    failed(&bad, 2, "party");
    assert!(!Path::new(&fresh).exists());
}

#[test]
fn a_testnet_is_prepared_whole_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = text(&folder.path().join("net"));
    let args = [
        "--json",
        "testnet",
        "--dir",
        &dir,
        "--validators",
        "5",
        "--supervisors",
        "2",
        "--base-port",
        "31000",
        "--no-start",
    ];
    let told = said(&args, 0);
    let nodes = told["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 7);
    assert_eq!(nodes[6]["url"], "http://127.0.0.1:31006");
    assert_eq!(nodes[6]["name"], "supervisor-1");
    assert_eq!(said(&args, 0)["genesis_hash"], told["genesis_hash"]);
    for node in nodes {
        let data: PathBuf = Path::new(&dir).join(node["name"].as_str().unwrap());
        let verified = said(&["--json", "verify", "--data", &text(&data)], 0);
        assert_eq!(verified["height"], 0);
        assert_eq!(
            tax_node::peers::read(&data.join("peers.json"))
                .unwrap()
                .len(),
            7
        );
    }
    // Nobody runs: that is told, node by node.
    let output = run(&["--json", "status", "--dir", &dir]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 9);
}

#[test]
fn a_change_of_the_validators_goes_from_bureau_to_bureau() {
    let parties = Parties::new();
    let out = parties.path("out");
    said(&parties.assemble(&out, &parties.files(0..5)), 0);
    let (genesis, peers) = (format!("{out}/genesis.json"), format!("{out}/peers.json"));
    parties.party("节点-5", 5, &["--group", "finance"]);
    parties.party("节点-1 新", 6, &["--group", "finance"]);
    let (added, fresh) = (parties.file(5), format!("节点-1={}", parties.file(6)));
    let change = parties.path("change.json");
    let propose = |more: &[&'static str]| {
        let mut args = vec![
            "--json",
            "validators",
            "propose",
            "--current",
            &genesis,
            "--from-height",
            "100",
            "--out",
            &change,
        ];
        args.extend(more);
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let with = |args: Vec<String>, more: &[&str]| {
        let more = more.iter().map(|text| (*text).to_owned());
        args.into_iter().chain(more).collect::<Vec<_>>()
    };
    let refs = |args: &[String]| {
        args.iter()
            .map(|arg| arg.clone().leak() as &str)
            .collect::<Vec<_>>()
    };
    failed(&refs(&propose(&[])), 2, "no_change");
    failed(&refs(&propose(&["--remove", "nobody"])), 2, "no_such_node");
    failed(&refs(&propose(&["--remove", "节点-0"])), 2, "validators");
    let supervisor = parties.file(4);
    failed(
        &refs(&with(propose(&[]), &["--add", &supervisor])),
        2,
        "supervisor",
    );
    let args = with(
        propose(&["--remove", "节点-3"]),
        &["--add", &added, "--rekey", &fresh],
    );
    let told = said(&refs(&args), 0);
    assert_eq!(told["validators"], 4);
    failed(&refs(&args), 2, "exists");
    // Not countersigned: nothing to send.
    let id = authority(0).split('=').next().unwrap().to_owned();
    let (tax, finance) = (
        parties.path("node-0/keys/tax.pem"),
        parties.path("node-1/keys/finance.pem"),
    );
    let submit = [
        "--json",
        "validators",
        "submit",
        "--change",
        &change,
        "--by",
        &id,
        "--key",
        &tax,
        "--server",
        "http://127.0.0.1:1",
    ];
    failed(&submit, 2, "not_countersigned");
    let other = authority(1).split('=').next().unwrap().to_owned();
    let signed = said(
        &[
            "--json",
            "validators",
            "countersign",
            "--change",
            &change,
            "--by",
            &other,
            "--key",
            &finance,
        ],
        0,
    );
    assert_eq!(signed["list_digest"], told["list_digest"]);
    // The next change begins with this one.
    let next = parties.path("next.json");
    let second = said(
        &[
            "--json",
            "validators",
            "propose",
            "--current",
            &change,
            "--rekey",
            &format!("节点-0={}", parties.file(3)),
            "--from-height",
            "200",
            "--out",
            &next,
        ],
        0,
    );
    assert_ne!(second["list_digest"], told["list_digest"]);
    // The peers file follows.
    let args = [
        "--json",
        "validators",
        "peers",
        "--file",
        &peers,
        "--add",
        &added,
        "--remove",
        "节点-3",
        "--rekey",
        &fresh,
    ];
    assert_eq!(said(&args, 0)["nodes"], 5);
    let nodes = tax_node::peers::read(Path::new(&peers)).unwrap();
    assert!(nodes.iter().any(|node| node.name == "节点-5"));
    assert!(nodes.iter().all(|node| node.name != "节点-3"));
    failed(&args, 2, "no_such_node");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_countersigned_change_is_recorded_once_however_often_it_is_sent() {
    let demo = Demo::start();
    let parties = Parties::new();
    let genesis = text(&demo.path().join("genesis.json"));
    let change = parties.path("change.json");
    let files = parties.files(0..4);
    let mut propose = vec![
        "--json",
        "validators",
        "propose",
        "--current",
        &genesis,
        "--from-height",
        "5000",
        "--out",
        &change,
        "--remove",
        "validator",
    ];
    for file in &files {
        propose.extend(["--add", file]);
    }
    said(&propose, 0);
    let key = |name: &str| text(&demo.path().join(format!("keys/{name}.pem")));
    let (tax, finance) = (demo.tax().id, demo.member("finance", 1).id);
    let sign = |verb: &str, by: &str, key: &str, more: &[&str], exit: i32| {
        let mut args = vec!["--json", "validators", verb, "--change", &change];
        args.extend(["--by", by, "--key", key]);
        args.extend(more);
        said(&args, exit)
    };
    let server = demo.server.as_ref().unwrap().url.clone();
    let to = ["--server", server.as_str()];
    sign("countersign", &finance, &key("finance"), &[], 0);
    let receipt = sign("submit", &tax, &key("tax"), &to, 0);
    assert_eq!(receipt["outcome"]["status"], "accepted");
    assert_eq!(sign("submit", &tax, &key("tax"), &to, 0), receipt);
    // What was sent is not signed anew.
    let again = sign("countersign", &finance, &key("finance"), &[], 2);
    assert_eq!(again["error"]["code"], "sent");

    let told = said(&["--json", "status", &format!("demo={server}")], 0);
    assert_eq!((&told["name"], &told["lag"]), (&"demo".into(), &0.into()));
    assert_eq!(
        (&told["signers"], &told["validators"]),
        (&1.into(), &1.into())
    );
    // Another chain is no part of this one, and a node that is away is told.
    let other = Demo::start();
    let url = other.server.as_ref().unwrap().url.clone();
    let both = run(&["--json", "status", &server, &url]);
    assert_eq!(both.status.code(), Some(2));
    let told = lines(&both);
    assert_eq!(told[2]["agreement"], Value::Null);
    assert_eq!(told[3]["error"]["code"], "another_chain");
    let away = run(&["--json", "status", &server, "http://127.0.0.1:1"]);
    assert_eq!(away.status.code(), Some(3));
    assert_eq!(lines(&away)[2]["agreement"], Value::Null);
}
