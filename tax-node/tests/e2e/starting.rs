//! What a node needs to start, and what it refuses to do without.

use std::fs;
use std::path::Path;

use crate::support::process::{serve_args, tax_node};
use crate::support::verdict::{failed, lines, said};
use crate::support::{Demo, process::Server};

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn start(data: &str) -> Vec<&str> {
    [&["--json", "start", "--data", data][..], &LISTEN].concat()
}

/// A chain with one validator, whose keys are not encrypted.
fn begin(data: &str, exit: i32) -> serde_json::Value {
    let code = |first: &str| {
        let check = invoice_core::identity::MemberId::check_character(first).unwrap();
        format!("{first}{check}=某局")
    };
    let (tax, finance) = (code("11330000000000001"), code("11330000000000002"));
    let mut args = vec!["--json", "init", "--plain", "--data", data];
    args.extend(["--chain-id", "test-1", "--tax", &tax, "--finance", &finance]);
    said(&args, exit)
}

#[test]
fn a_chain_whose_store_is_gone_is_not_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let data = path("node");
    begin(&data, 0);
    let store = Path::new(&data).join("chain.redb");
    fs::remove_file(&store).unwrap();
    let run = Path::new(&data).join("runs/7.run");
    fs::create_dir_all(run.parent().unwrap()).unwrap();
    fs::write(&run, b"blocks").unwrap();
    failed(&start(&data), 2, "no_store");
    assert!(!store.exists());
    assert_eq!(fs::read(&run).unwrap(), b"blocks");
    // Nor is another chain begun over what is left of it.
    fs::remove_file(Path::new(&data).join("genesis.json")).unwrap();
    fs::remove_dir_all(Path::new(&data).join("keys")).unwrap();
    assert_eq!(begin(&data, 5)["error"]["code"], "store_gone");
    // Nor are keys left behind that are nobody's.
    let keys = fs::read_dir(Path::new(&data).join("keys")).unwrap();
    assert_eq!(keys.count(), 0);
    assert_eq!(fs::read(&run).unwrap(), b"blocks");
    // A folder that is mistyped is not made.
    let wrong = path("wrong");
    failed(&start(&wrong), 2, "file");
    assert!(!Path::new(&wrong).exists());
}

#[tokio::test]
async fn a_demonstration_whose_store_is_gone_is_not_begun_anew() {
    let mut demo = Demo::start();
    assert!(demo.end().success());
    let store = demo.path().join("chain.redb");
    fs::remove_file(&store).unwrap();
    failed(&serve_args(demo.path()), 2, "no_store");
    assert!(!store.exists());
}

#[test]
fn a_node_of_several_validators_does_not_start_without_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("net").to_str().unwrap().to_owned();
    said(&["--json", "testnet", "--no-start", "--dir", &dir], 0);
    for name in ["validator-0", "supervisor-0"] {
        let data = format!("{dir}/{name}");
        let peers = format!("{data}/peers.json");
        fs::remove_file(&peers).unwrap();
        failed(&start(&data), 2, "peers_missing");
        fs::write(&peers, "[]").unwrap();
        failed(&start(&data), 2, "peers_missing");
    }
}

/// Backs a demonstration up, and puts the backup into a folder with its keys.
fn moved(demo: &mut Demo, beside: &Path) -> String {
    assert!(demo.end().success());
    let path = |name: &str| beside.join(name).to_str().unwrap().to_owned();
    let (data, file, moved) = (
        demo.path().to_str().unwrap(),
        path("whole.tar.zst"),
        path("moved"),
    );
    let backup = ["--json", "backup", "--with-keys", "--data", data];
    said(&[&backup[..], &["--out", &file]].concat(), 0);
    let restore = ["--json", "restore", "--from", &file, "--data", &moved];
    let told = said(&restore, 0);
    assert_eq!(told["alone"], true);
    moved
}

#[tokio::test]
async fn a_lone_validator_out_of_a_backup_starts_only_when_the_loss_is_accepted() {
    let mut demo = Demo::start();
    let beside = tempfile::tempdir().unwrap();
    let data = moved(&mut demo, beside.path());
    let mark = Path::new(&data).join("restored");
    let demonstrated = serve_args(Path::new(&data));
    for args in [start(&data), demonstrated.clone()] {
        failed(&args, 1, "lost_blocks");
        assert!(mark.exists());
    }
    for args in [start(&data), demonstrated] {
        fs::write(&mark, "").unwrap();
        let accepted = [&args[..], &["--accept-lost-blocks"]].concat();
        let server = Server::start(&accepted).expect("the loss was accepted");
        assert!(server.end().success());
        assert!(!mark.exists());
        // Once is enough.
        let server = Server::start(&args).expect("nothing was lost since");
        assert!(server.end().success());
    }
}

#[test]
fn files_may_have_bare_names() {
    let folder = tempfile::tempdir().unwrap();
    let here = |args: &[&str], exit: i32| {
        let output = tax_node(args).current_dir(folder.path()).output().unwrap();
        let told = lines(&output);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {told:?}");
        told.first().cloned().unwrap_or_default()
    };
    begin(folder.path().to_str().unwrap(), 0);
    here(&["--json", "keys", "new", "--plain", "k.pem"], 0);
    assert!(folder.path().join("k.pem").exists());
    let propose = [
        "--json",
        "validators",
        "propose",
        "--current",
        "genesis.json",
    ];
    let three: Vec<String> = (0..4)
        .map(|number| {
            let (data, group) = (format!("p{number}"), ["tax", "finance"][number % 2]);
            let mut args = vec!["--json", "init", "party", "--plain", "--data", &data];
            args.extend([
                "--name",
                &data,
                "--group",
                group,
                "--address",
                "b.example:27000",
            ]);
            here(&args, 0);
            format!("{data}/party.json")
        })
        .collect();
    let mut args = propose.to_vec();
    args.extend(["--remove", "validator", "--from-height", "100"]);
    for file in &three {
        args.extend(["--add", file]);
    }
    // By default to change.json.
    here(&args, 0);
    assert!(folder.path().join("change.json").exists());
    args.extend(["--out", "other.json"]);
    here(&args, 0);
    let genesis = fs::read(folder.path().join("genesis.json")).unwrap();
    let genesis = invoice_core::chain::Genesis::parse(&genesis).unwrap();
    let (tax, finance) = (
        genesis.members()[0].id.to_string(),
        genesis.members()[1].id.to_string(),
    );
    let sign = [
        "--json",
        "validators",
        "countersign",
        "--change",
        "other.json",
    ];
    let by = ["--by", &finance, "--key", "keys/finance.pem"];
    here(&[&sign[..], &by].concat(), 0);
    // The signed envelope is written before it is sent; here nobody takes it.
    let sign = ["--json", "validators", "submit", "--change", "other.json"];
    let by = ["--by", &tax, "--key", "keys/tax.pem"];
    let to = ["--server", "http://127.0.0.1:1"];
    here(&[&sign[..], &by, &to].concat(), 3);
}
