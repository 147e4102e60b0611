//! The command line: what it prints, with which exit code it ends, what it finds.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::support::process::{Server, run, serve, serve_args};
use crate::support::records::{id_of, lock};
use crate::support::verdict::{failed, lines, said};
use crate::support::{Demo, Document, Http};

/// Bytes that are flipped, one copy of the store each.
const FLIPS: usize = 48;

/// A command that ends with this code and says why.
#[track_caller]
fn failed_with(args: &[&str], exit: i32) {
    let told = said(args, exit);
    assert!(told["error"]["code"].is_string(), "{args:?}: {told}");
}

/// A social credit code of an authority with its name.
fn founder(number: u32, name: &str) -> String {
    let first = format!("11330000{number:09}");
    let check = invoice_core::identity::MemberId::check_character(&first).unwrap();
    format!("{first}{check}={name}")
}

#[test]
fn a_chain_is_begun_served_and_begun_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let data = data.to_str().unwrap();
    let (tax, finance) = (founder(1, "某税务局"), founder(2, "某财政局"));
    let init = |plain: &'static str| {
        vec![
            "--json",
            "init",
            "--data",
            data,
            "--chain-id",
            "test-1",
            "--tax",
            &tax,
            "--finance",
            &finance,
            plain,
        ]
    };
    failed(&["--json", "verify", "--data", data], 2, "file");
    let told = said(&init("--plain"), 0);
    assert_eq!(told["chain_id"], "test-1");
    let genesis = fs::read(Path::new(data).join("genesis.json")).unwrap();
    let genesis = invoice_core::chain::Genesis::parse(&genesis).unwrap();
    assert_eq!(told["genesis_hash"], genesis.hash().to_string());
    failed(&init("--plain"), 2, "chain_exists");
    assert_eq!(
        said(&["--json", "verify", "--data", data], 0)["valid"],
        true
    );
    let server = Server::start(&["--json", "start", "--data", data, "--listen", "127.0.0.1:0"]);
    let server = server.expect("the node starts");
    failed(
        &["--json", "start", "--data", data, "--listen", "127.0.0.1:0"],
        2,
        "in_use",
    );
    failed(&["--json", "verify", "--data", data], 2, "in_use");
    assert!(server.end().success());
    // Another key than the validator's decides nothing.
    let key = Path::new(data).join("keys/tax.pem");
    let key = key.to_str().unwrap();
    let args = [
        "--json",
        "start",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--key",
        key,
    ];
    failed(&args, 4, "not_validator");
    // What is no usage at all.
    for args in [
        &["start", "--no-such"][..],
        &["nothing"],
        &["init", "--chain-id", "A b"],
    ] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(run(&["--help"]).status.code(), Some(0));
    assert_eq!(run(&["completions", "bash"]).status.code(), Some(0));
}

#[test]
fn key_files_are_made_shown_exported_and_encrypted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (plain, sealed, word, other) = (
        path("plain.pem"),
        path("sealed.pem"),
        path("word"),
        path("other"),
    );
    fs::write(&word, "correct horse battery staple\n").unwrap();
    fs::write(&other, "another\n").unwrap();
    let made = said(&["--json", "keys", "new", "--plain", &plain], 0);
    assert_eq!(
        fs::metadata(&plain).unwrap().permissions().mode() & 0o777,
        0o600
    );
    failed(
        &["--json", "keys", "new", "--plain", &plain],
        2,
        "key_exists",
    );
    let kid = made["kid"].as_str().unwrap();
    assert_eq!(said(&["--json", "keys", "show", &plain], 0)["kid"], kid);
    let pem = said(&["--json", "keys", "export", &plain], 0);
    let pem = pem["pem"].as_str().unwrap();
    let public = invoice_core::crypto::PublicKey::from_spki_pem(pem).unwrap();
    assert_eq!(public.kid().to_string(), kid);
    // Encrypted by default, and opened by its passphrase alone.
    failed(&["--json", "keys", "new", &sealed], 4, "passphrase_needed");
    said(
        &["--json", "keys", "new", &sealed, "--passphrase-file", &word],
        0,
    );
    assert!(fs::read_to_string(&sealed).unwrap().contains("ENCRYPTED"));
    said(
        &[
            "--json",
            "keys",
            "show",
            &sealed,
            "--passphrase-file",
            &word,
        ],
        0,
    );
    failed(
        &[
            "--json",
            "keys",
            "show",
            &sealed,
            "--passphrase-file",
            &other,
        ],
        4,
        "key_unreadable",
    );
    failed(&["--json", "keys", "show", &sealed], 4, "passphrase_needed");
    said(
        &[
            "--json",
            "keys",
            "encrypt",
            &plain,
            "--passphrase-file",
            &word,
        ],
        0,
    );
    assert!(fs::read_to_string(&plain).unwrap().contains("ENCRYPTED"));
    assert_eq!(
        said(
            &["--json", "keys", "show", &plain, "--passphrase-file", &word],
            0
        )["kid"],
        kid
    );
    failed(&["--json", "keys", "show", &path("absent.pem")], 2, "file");
}

/// Records of both outcomes, single and in a batch; then the process ends in order.
async fn filled() -> (Demo, Document, String) {
    let mut demo = Demo::start();
    let (merchant, employer) = (demo.merchant(), demo.employer());
    let document = Document::invoice(&merchant, None);
    let receipt = demo
        .http
        .accept(&merchant, &document.text())
        .await
        .text()
        .to_owned();
    for _ in 0..4 {
        let records: Vec<_> = (0..25)
            .map(|_| Document::invoice(&merchant, None).text())
            .collect();
        demo.http
            .submit_batch(&merchant, &records, false)
            .await
            .is(200);
    }
    demo.http
        .accept(
            &employer,
            &lock(&employer, &document.key, "employer", Some("60.00")),
        )
        .await;
    let refused = lock(&employer, &document.key, "employer", Some("1060.00"));
    demo.http.submit(&employer, &refused).await.is(409);
    assert!(demo.end().success());
    (demo, document, receipt)
}

#[tokio::test]
async fn a_stopped_node_is_looked_into() {
    let (demo, document, receipt) = filled().await;
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let data = demo.path().to_str().unwrap();
    let verified = said(&["--json", "verify", "--data", data], 0);
    let inspect = |rest: &[&str], exit: i32| {
        let mut args = vec!["--json", "inspect", "--data", data];
        args.extend(rest);
        said(&args, exit)
    };
    inspect(&[], 0);
    let index = receipt["index"].to_string();
    let record = inspect(&["record", &index], 0);
    assert_eq!(record["record"], receipt["record"]);
    let block = inspect(&["block", &receipt["height"].to_string()], 0);
    assert_eq!(block["height"], receipt["height"]);
    let shown = inspect(&["document", &document.key], 0);
    assert_eq!(
        (&shown["total"], &shown["locked"]),
        (&"1060.00".into(), &"60.00".into())
    );
    assert_eq!(
        inspect(&["record", "999999"], 1)["error"]["code"],
        "not_found"
    );
    assert_eq!(
        inspect(&["block", "999999"], 1)["error"]["code"],
        "not_found"
    );
    assert_eq!(
        inspect(&["document", "D:26332099999999999999"], 1)["error"]["code"],
        "not_found"
    );

    // The export holds every block and every record.
    let exported = run(&["export", "--data", data]);
    assert_eq!(exported.status.code(), Some(0));
    let blocks = lines(&exported);
    assert_eq!(blocks.len() as u64, verified["height"].as_u64().unwrap());
    let records = blocks
        .iter()
        .flat_map(|block| block["envelopes"].as_array().unwrap())
        .map(|envelope| envelope["records"].as_array().unwrap().len() as u64)
        .sum::<u64>();
    assert_eq!(records, verified["records"].as_u64().unwrap());

    let doctor = run(&["--json", "doctor", "--data", data]);
    let findings = lines(&doctor);
    assert!(
        findings
            .iter()
            .any(|finding| finding["check"] == "store" && finding["ok"] == true)
    );
    // A key that others may read is a finding, with its mend.
    use std::os::unix::fs::PermissionsExt;
    let key = demo.path().join("keys/tax.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = run(&["--json", "doctor", "--data", data]);
    assert_eq!(doctor.status.code(), Some(1));
    let findings = lines(&doctor);
    let bad = findings
        .iter()
        .find(|finding| finding["check"] == "key file" && finding["ok"] == false);
    assert!(bad.unwrap()["fix"].as_str().unwrap().contains("chmod 600"));
}

/// What `doctor` finds of one thing, and with which code it ends.
fn examined(data: &str, check: &str) -> (bool, Option<i32>) {
    let doctor = run(&["--json", "doctor", "--data", data]);
    let findings = lines(&doctor);
    let of = findings.iter().filter(|one| one["check"] == check);
    let good = of.map(|one| one["ok"] == true).collect::<Vec<_>>();
    assert_eq!(good.len(), 1, "{findings:?}");
    (good[0], doctor.status.code())
}

#[test]
fn doctor_finds_what_is_no_key_and_no_peers_file_and_is_content_with_a_supervisor() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("net").to_str().unwrap().to_owned();
    said(&["--json", "testnet", "--no-start", "--dir", &dir], 0);
    let data = format!("{dir}/supervisor-0");
    for check in ["node key", "peers.json", "store"] {
        assert_eq!(examined(&data, check), (true, Some(0)), "{check}");
    }
    let key = format!("{data}/keys/node.pem");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "garbage").unwrap();
    assert_eq!(examined(&data, "node key"), (false, Some(1)));
    fs::write(&key, good).unwrap();
    fs::write(format!("{data}/peers.json"), "[{}]").unwrap();
    assert_eq!(examined(&data, "peers.json"), (false, Some(1)));
    fs::remove_file(&key).unwrap();
    assert_eq!(examined(&data, "node key"), (false, Some(1)));
}

#[tokio::test]
async fn a_flipped_byte_is_found_or_changes_nothing() {
    let seed: u64 = std::env::var("PIAOLIAN_SEED")
        .map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("PIAOLIAN_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (demo, _, _) = filled().await;
    let path = |folder: &Path| folder.to_str().unwrap().to_owned();
    let whole = path(demo.path());
    let verified = said(&["--json", "verify", "--data", &whole], 0);
    let exported = run(&["export", "--data", &whole]).stdout;
    let store = fs::read(demo.path().join("chain.redb")).unwrap();
    // Zeros are mostly pages that nobody uses.
    let used: Vec<_> = (0..store.len()).filter(|at| store[*at] != 0).collect();
    let mut found = 0;
    for _ in 0..FLIPS {
        let at = used[random.random_range(0..used.len())];
        let bit = random.random_range(0..8);
        let folder = tempfile::tempdir().unwrap();
        let copy = path(folder.path());
        fs::copy(
            demo.path().join("genesis.json"),
            folder.path().join("genesis.json"),
        )
        .unwrap();
        let mut damaged = store.clone();
        damaged[at] ^= 1 << bit;
        fs::write(folder.path().join("chain.redb"), damaged).unwrap();
        let output = run(&["--json", "verify", "--data", &copy]);
        let told = lines(&output);
        match output.status.code() {
            Some(5) => found += 1,
            Some(0) => {
                assert_eq!(
                    told[..],
                    *std::slice::from_ref(&verified),
                    "bit {bit} of byte {at}"
                );
                assert_eq!(run(&["export", "--data", &copy]).stdout, exported);
            }
            // The number of the format itself: a store of another version is no damaged one.
            Some(2) if told[0]["error"]["code"] == "format" => {}
            other => panic!("bit {bit} of byte {at}: {other:?} {told:?}"),
        }
    }
    println!("{found} of {FLIPS} found");
    // What is in use is found for certain: of some block the log's root, a validator's and a
    // member's signature, which lie in the journal as they are. Only a block whose entry is cut
    // into pieces can have one of them at a cut, so the small ones have all three whole.
    let blocks = String::from_utf8_lossy(&exported)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect::<Vec<Value>>();
    let signature = |value: &Value| {
        use base64::Engine as _;
        let text = value["sig"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap()
    };
    let root = |block: &Value| {
        let header = hex::decode(block["header"].as_str().unwrap()).unwrap();
        let header = invoice_core::chain::Header::decode(&header).unwrap();
        header.log_root.as_bytes().to_vec()
    };
    let validator = |block: &Value| signature(&block["signatures"][0]);
    let member = |block: &Value| signature(&block["envelopes"][0]);
    let places = |bytes: &[u8]| -> Vec<usize> {
        let windows = store.windows(bytes.len()).enumerate();
        let same = windows.filter(|(_, window)| *window == bytes);
        same.map(|(at, _)| at).collect()
    };
    let whole_in_the_journal = |of: &dyn Fn(&Value) -> Vec<u8>| {
        let mut found = blocks.iter().map(|block| places(&of(block)));
        found.find(|places| !places.is_empty()).unwrap()
    };
    for places in [
        whole_in_the_journal(&root),
        whole_in_the_journal(&validator),
        whole_in_the_journal(&member),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(
            demo.path().join("genesis.json"),
            folder.path().join("genesis.json"),
        )
        .unwrap();
        let mut damaged = store.clone();
        for at in places {
            damaged[at] ^= 1;
        }
        fs::write(folder.path().join("chain.redb"), damaged).unwrap();
        failed_with(&["--json", "verify", "--data", &path(folder.path())], 5);
    }
    // A genesis file of another chain is not this chain's.
    let genesis = fs::read_to_string(demo.path().join("genesis.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("genesis.json"),
        genesis.replacen("piaolian-demo", "piaolian-dem0", 1),
    )
    .unwrap();
    fs::write(folder.path().join("chain.redb"), &store).unwrap();
    let output = run(&["--json", "verify", "--data", &path(folder.path())]);
    assert_ne!(output.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_end_under_load_finishes_what_was_accepted() {
    let mut demo = Demo::start();
    let held = Arc::new(Mutex::new(Vec::new()));
    let ended = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (http, merchant) = (demo.http.clone(), demo.merchant());
            let (held, ended) = (Arc::clone(&held), Arc::clone(&ended));
            tokio::spawn(async move {
                while !ended.load(Ordering::Acquire) {
                    let text = Document::invoice(&merchant, None).text();
                    match Http::try_send(http.posting(http.envelope(&merchant, &text))).await {
                        Ok(answer) if answer.status == 503 => {
                            assert!(answer.header("Retry-After").is_some());
                        }
                        Ok(answer) => {
                            let answer = answer.is(201);
                            held.lock().unwrap().push((text, answer.text().to_owned()));
                        }
                        // Nobody listens any more.
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    while held.lock().unwrap().len() < 100 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // A second process does not get between.
    let second = run(&serve_args(demo.path()));
    assert_eq!(second.status.code(), Some(2));
    assert_eq!(lines(&second)[0]["error"]["code"], "in_use");
    let status = demo.end();
    ended.store(true, Ordering::Release);
    assert!(status.success(), "{status}");
    for client in clients {
        client.await.unwrap();
    }
    let server = serve(demo.path()).expect("the node starts again");
    demo.http.moved_to(&server.url);
    let merchant = demo.merchant();
    let held = std::mem::take(&mut *held.lock().unwrap());
    for (text, receipt) in &held {
        let path = format!("/v1/records/{}/{}", merchant.id, id_of(text));
        let found = demo.http.ask(&merchant, &path).await.is(200);
        assert_eq!(found.receipt().as_ref(), Some(receipt));
    }
    assert!(server.end().success());
    said(
        &["--json", "verify", "--data", demo.path().to_str().unwrap()],
        0,
    );
}
