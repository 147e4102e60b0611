//! A demonstration node and the `invoice` command beside it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A demonstration node in a folder of its own; it ends with the test.
pub(crate) struct Demo {
    pub(crate) folder: tempfile::TempDir,
    node: Child,
    pub(crate) server: String,
    command: PathBuf,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ended_before = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl Demo {
    pub(crate) fn start() -> Self {
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

    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("demo").join(name)
    }

    /// The member with this role at this place of the list.
    pub(crate) fn member(&self, role: &str, place: usize) -> Value {
        let members: Vec<Value> =
            serde_json::from_slice(&fs::read(self.data("members.json")).unwrap()).unwrap();
        let has_role = |member: &&Value| member["roles"].as_array().unwrap().contains(&role.into());
        members.iter().filter(has_role).nth(place).unwrap().clone()
    }

    /// Runs `invoice` as a member, with receipts verified against the genesis file.
    pub(crate) fn invoice(&self, member: &Value, arguments: &[&str]) -> Output {
        self.invoice_to(&self.server, member, arguments)
    }

    /// The same by another way to the node.
    pub(crate) fn invoice_to(&self, server: &str, member: &Value, arguments: &[&str]) -> Output {
        Command::new(&self.command)
            .current_dir(self.folder.path())
            .args(arguments)
            .env("PIAOLIAN_SERVER", server)
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
    pub(crate) fn lines(&self, member: &Value, exit: i32, arguments: &[&str]) -> Vec<Value> {
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

    pub(crate) fn invoice_content(&self, number: u64) -> Value {
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
pub(crate) fn program(package: &str, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_tax-node")).with_file_name(name);
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", package, "--bin", name]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    path
}
