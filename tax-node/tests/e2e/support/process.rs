//! The program under test, started and stopped like any other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use invoice_core::chain::Genesis;
use invoice_core::crypto::{SecretKey, SecretKeySigner, Signer};
use serde_json::Value;
use tempfile::TempDir;

use super::http::Http;

/// The command line under test, without anything of the environment that it would read.
pub(crate) fn tax_node(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tax-node"));
    command
        .args(args)
        .env_remove("PIAOLIAN_DATA")
        .env_remove("PIAOLIAN_LISTEN")
        .env("RUST_LOG", "warn")
        .env("LC_ALL", "zh_CN.UTF-8")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    tax_node(args).output().unwrap()
}

/// A member with its key.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) signer: Arc<SecretKeySigner>,
}

impl Member {
    pub(crate) fn kid(&self) -> String {
        self.signer.public_key().kid().to_string()
    }

    /// Its public key as records spell it.
    pub(crate) fn signer_hex(&self) -> String {
        self.signer.public_key().to_hex()
    }

    /// The same member with another key.
    pub(crate) fn with_key(&self, key: SecretKey) -> Self {
        Self {
            signer: Arc::new(SecretKeySigner::new(key)),
            ..self.clone()
        }
    }
}

/// A running process that has said where it listens.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts `tax-node` with these arguments and waits for its address; `None` when it ends
    /// without one.
    pub(crate) fn start(args: &[&str]) -> Option<Self> {
        let mut child = Self::spawn(args);
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Option<Value> = serde_json::from_str(&line).ok();
        match said.as_ref().and_then(|said| said["listening"].as_str()) {
            Some(url) => Some(Self {
                child,
                url: url.to_owned(),
            }),
            None => {
                let _ = child.wait();
                None
            }
        }
    }

    /// Starts the process and waits for nothing.
    pub(crate) fn spawn(args: &[&str]) -> Child {
        tax_node(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap()
    }

    /// Ends it as a power cut of the process would: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end (SIGTERM) without waiting.
    pub(crate) fn ask_to_end(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Stops the process as it stands (SIGSTOP); its connections stay open.
    pub(crate) fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.ask_to_end();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A demonstration node with a folder of its own.
pub(crate) struct Demo {
    pub(crate) folder: TempDir,
    pub(crate) server: Option<Server>,
    pub(crate) genesis: Genesis,
    pub(crate) members: Vec<Member>,
    pub(crate) http: Http,
}

impl Demo {
    /// Prepares a folder and serves it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = serve_args(folder.path());
        args.extend(more);
        let server = Server::start(&args).expect("the demonstration starts");
        let genesis = fs::read(folder.path().join("genesis.json")).unwrap();
        let genesis = Genesis::parse(&genesis).unwrap();
        let members = members(folder.path());
        let http = Http::new(&server.url, genesis.chain_id().clone());
        Self {
            folder,
            server: Some(server),
            genesis,
            members,
            http,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The `number`-th member with this role, from 1.
    pub(crate) fn member(&self, role: &str, number: usize) -> Member {
        self.members
            .iter()
            .filter(|member| member.roles.iter().any(|own| own == role))
            .nth(number - 1)
            .unwrap()
            .clone()
    }

    pub(crate) fn tax(&self) -> Member {
        self.member("tax", 1)
    }

    pub(crate) fn merchant(&self) -> Member {
        self.member("merchant", 1)
    }

    pub(crate) fn employer(&self) -> Member {
        self.member("employer", 1)
    }

    /// Ends the process in order; the folder stays.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.server.take().unwrap().end()
    }
}

/// Serves a folder as the demonstration does.
pub(crate) fn serve(folder: &Path) -> Option<Server> {
    Server::start(&serve_args(folder))
}

/// The arguments for [`serve`].
pub(crate) fn serve_args(folder: &Path) -> Vec<&str> {
    let data = folder.to_str().unwrap();
    let listen = "127.0.0.1:0";
    vec![
        "--json",
        "demo",
        "--no-story",
        "--data",
        data,
        "--listen",
        listen,
    ]
}

pub(crate) fn members(folder: &Path) -> Vec<Member> {
    let text = fs::read(folder.join("members.json")).unwrap();
    let lines: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .iter()
        .map(|line| {
            let file: PathBuf = folder.join(text(&line["key_file"]));
            let key = SecretKey::from_pkcs8_pem(&fs::read_to_string(file).unwrap(), None).unwrap();
            assert_eq!(key.public_key().kid().to_string(), text(&line["kid"]));
            Member {
                id: text(&line["id"]),
                name: text(&line["name"]),
                roles: line["roles"].as_array().unwrap().iter().map(text).collect(),
                signer: Arc::new(SecretKeySigner::new(key)),
            }
        })
        .collect()
}
