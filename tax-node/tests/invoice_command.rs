//! The `invoice` command, the Rust example and the shell client against a demonstration node.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A demonstration node in a folder of its own; it ends with the test.
struct Demo {
    folder: tempfile::TempDir,
    node: Child,
    server: String,
    command: PathBuf,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended_before = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut node = Command::new(env!("CARGO_BIN_EXE_tax-node"))
            .args([
                "demo",
                "--no-story",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(folder.path().join("demo"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(node.stdout.take().unwrap()).lines();
        let listening = lines.map_while(Result::ok).find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            line["listening"].as_str().map(str::to_owned)
        });
        Self {
            folder,
            node,
            server: listening.unwrap(),
            command: program("invoice-api", "invoice"),
        }
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("demo").join(name)
    }

    /// The member with this role at this place of the list.
    fn member(&self, role: &str, place: usize) -> Value {
        let members: Vec<Value> =
            serde_json::from_slice(&fs::read(self.data("members.json")).unwrap()).unwrap();
        let has_role = |member: &&Value| member["roles"].as_array().unwrap().contains(&role.into());
        members.iter().filter(has_role).nth(place).unwrap().clone()
    }

    /// Runs `invoice` as a member, with receipts verified against the genesis file.
    fn invoice(&self, member: &Value, arguments: &[&str]) -> Output {
        Command::new(&self.command)
            .current_dir(self.folder.path())
            .args(arguments)
            .env("PIAOLIAN_SERVER", &self.server)
            .env(
                "PIAOLIAN_KEY",
                self.data(member["key_file"].as_str().unwrap()),
            )
            .env("PIAOLIAN_MEMBER", member["id"].as_str().unwrap())
            .env("PIAOLIAN_GENESIS", self.data("genesis.json"))
            .output()
            .unwrap()
    }

    /// Runs it, wants this exit code, and gives the lines of JSON.
    fn lines(&self, member: &Value, exit: i32, arguments: &[&str]) -> Vec<Value> {
        let output = self.invoice(member, &[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{arguments:?}\n{text}\n{errors}"
        );
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn invoice_content(&self, number: u64) -> Value {
        let (seller, buyer) = (self.member("merchant", 0), self.member("employer", 0));
        let today = (chrono::Utc::now() + chrono::Duration::hours(8)).format("%Y-%m-%d");
        json!({
            "number": format!("26442{number:015}"),
            "kind": "82",
            "issue_date": today.to_string(),
            "seller": { "id": seller["id"], "name": seller["name"] },
            "buyer": { "id": buyer["id"], "name": buyer["name"] },
            "lines": [{
                "name": "*信息技术服务*软件开发",
                "amount": "943.40", "tax_rate": "0.06", "tax": "56.60",
            }],
            "total_without_tax": "943.40",
            "total_tax": "56.60",
            "total": "1000.00",
        })
    }
}

/// A program of another package of the workspace, beside this package's own. Cargo builds it when
/// it is not there or older than its sources.
fn program(package: &str, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_tax-node")).with_file_name(name);
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", package, "--bin", name]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    path
}

fn code(line: &Value) -> &str {
    line["error"]["code"].as_str().unwrap()
}

#[test]
fn a_document_goes_from_issue_to_reversal_by_command() {
    let demo = Demo::start();
    let (seller, buyer, other) = (
        demo.member("merchant", 0),
        demo.member("employer", 0),
        demo.member("employer", 1),
    );
    let content = demo.invoice_content(1);
    fs::write(demo.folder.path().join("invoice.json"), content.to_string()).unwrap();
    let key = format!("D:{}", content["number"].as_str().unwrap());
    let date = content["issue_date"].as_str().unwrap();

    // Issued once, and the same again is the original receipt.
    let issue = [
        "issue",
        "invoice.json",
        "--id",
        "A-1",
        "--save",
        "receipt.json",
    ];
    let issued = demo.lines(&seller, 0, &issue);
    assert_eq!(
        (&issued[0]["status"], &issued[0]["verified"]),
        (&201.into(), &true.into())
    );
    let record = issued[0]["receipt"]["record"].as_str().unwrap();
    fs::write(demo.folder.path().join("again.json"), record).unwrap();
    let again = demo.lines(&seller, 0, &["issue", "again.json"]);
    assert_eq!(
        (&again[0]["status"], &again[0]["receipt"]),
        (&200.into(), &issued[0]["receipt"])
    );
    let reused = demo.lines(&seller, 1, &["issue", "invoice.json", "--id", "A-1"]);
    assert_eq!(code(&reused[0]), "id_reused");

    // Verified offline, and not with any byte changed.
    demo.lines(&seller, 0, &["verify", "receipt.json"]);
    let receipt = fs::read(demo.folder.path().join("receipt.json")).unwrap();
    for place in (0..receipt.len()).step_by(receipt.len() / 25) {
        let mut changed = receipt.clone();
        changed[place] ^= 1;
        fs::write(demo.folder.path().join("changed.json"), changed).unwrap();
        demo.lines(&seller, 5, &["verify", "changed.json"]);
    }

    // Checked by number, by CSV, and with a wrong amount.
    let check = ["check", &key[2..], "--amount", "1000", "--date", date];
    assert_eq!(demo.lines(&buyer, 0, &check)[0]["verdict"], "claimable");
    let wrong = ["check", &key[2..], "--amount", "1001", "--date", date];
    assert_eq!(demo.lines(&buyer, 1, &wrong)[0]["verdict"], "mismatch");
    let list = format!("发票号码,价税合计,开票日期\n{},1000.00,{date}\n", &key[2..]);
    fs::write(demo.folder.path().join("list.csv"), list).unwrap();
    assert_eq!(
        demo.lines(&buyer, 0, &["check", "--csv", "list.csv"])[0]["verdict"],
        "claimable"
    );

    // Locked, settled, and refused to everyone else.
    let lock = |amount| {
        [
            "claim",
            "lock",
            &key,
            "--kind",
            "employer",
            "--reference",
            "BX-1",
            "--amount",
            amount,
            "--id",
            "L-1",
        ]
    };
    demo.lines(&buyer, 0, &lock("600.00"));
    assert_eq!(
        demo.lines(&other, 1, &lock("600.00"))[0]["error"]["problem"]["status"],
        409
    );
    let settle = [
        "claim",
        "settle",
        "L-1",
        "--amount",
        "600.00",
        "--voucher",
        "记-1",
        "--booking",
        "02",
    ];
    demo.lines(&buyer, 0, &settle);
    let claims = demo.lines(
        &buyer,
        0,
        &["show", "claims", "--status", "settled", "--all"],
    );
    assert_eq!((claims.len(), &claims[0]["claim"]), (1, &"L-1".into()));
    let shown = demo.lines(&seller, 0, &["show", "document", &key]);
    assert_eq!(shown[0]["remaining"], "400.00");
    assert_eq!(
        demo.lines(&buyer, 0, &["show", "record", "L-1"])[0]["state"],
        "final"
    );
    assert_eq!(
        demo.lines(&buyer, 1, &["show", "record", "L-2"])[0]["state"],
        "absent"
    );

    // Taken back by the claimant, then reversed by the seller.
    let back = [
        "claim", "reverse", "L-1", "--amount", "600.00", "--reason", "退款",
    ];
    demo.lines(&buyer, 0, &back);
    demo.lines(
        &seller,
        0,
        &["reverse", &key, "--amount", "1000.00", "--reason", "01"],
    );
    assert_eq!(demo.lines(&buyer, 1, &check)[0]["verdict"], "reversed");
}

#[test]
fn a_bulk_file_is_issued_once_however_often_it_is_sent() {
    let demo = Demo::start();
    let seller = demo.member("merchant", 0);
    let mut lines: Vec<String> = (1..=120)
        .map(|number| demo.invoice_content(number).to_string())
        .collect();
    lines[7] = "oops".to_owned();
    let input = demo.folder.path().join("month.ndjson");
    fs::write(&input, lines.join("\n")).unwrap();
    let answers = demo.lines(&seller, 1, &["bulk", "month.ndjson"]);
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(
        (&summary["accepted"], &summary["failed"]),
        (&119.into(), &1.into())
    );
    assert_eq!(answers[7]["status"], 400);

    // All but the plan and a few answers are lost: the rest is sent again and answered as before.
    let journal = demo.folder.path().join("month.ndjson.journal");
    let text = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = text.lines().take(21).collect();
    fs::write(&journal, kept.join("\n") + "\n{\"line\":").unwrap();
    let answers = demo.lines(&seller, 1, &["bulk", "month.ndjson", "--resume"]);
    let summary = &answers.last().unwrap()["summary"];
    assert_eq!(
        summary["accepted"].as_u64().unwrap() + summary["replayed"].as_u64().unwrap(),
        119
    );
    assert_eq!(
        (&summary["refused"], &summary["failed"]),
        (&0.into(), &1.into())
    );
    assert_eq!(summary["replayed"], 100);
}

#[test]
fn the_example_and_the_shell_client_tell_their_stories() {
    let demo = Demo::start();
    let folder = demo.folder.path().join("demo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/client.sh");
    for program in [program("examples", "quickstart"), script] {
        let output = Command::new(&program)
            .arg(&demo.server)
            .arg(&folder)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}\n{text}\n{errors}",
            program.display()
        );
        for step in ["issued", "checked", "locked", "settled", "refused"] {
            assert!(text.contains(step), "{}\n{text}", program.display());
        }
    }
}
