//! A consortium of processes, each with a folder and ports of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use consensus::LogEntry;
use invoice_core::chain::{Genesis, Header};
use serde_json::Value;
use tax_node::engine::consortium::VoteLog;
use tokio::task::JoinHandle;

use crate::support::process::{Server, members};
use crate::support::verdict::said;
use crate::support::{Answer, Document, Http, Member};

/// How long anything that must happen may take before it counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Ports above the HTTP port of a node where `tax-node testnet` puts its links.
const LINKS_ABOVE: u16 = 200;
/// Ports that a consortium of a test may take.
const SPAN: u16 = 8;

/// The first of some ports in a row that nobody uses, here or [`LINKS_ABOVE`].
pub(crate) fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 900).unwrap();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Below the ports that the system gives out by itself (from 32768 on Linux).
        let base = 20_000 + (start * 7 + number * SPAN) % 12_000;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (base..base + SPAN).all(|port| free(port) && free(port + LINKS_ABOVE)) {
            return base;
        }
    }
}

/// A node of a consortium.
#[derive(Clone)]
pub(crate) struct Spot {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    pub(crate) listen: String,
    pub(crate) listen_peers: String,
}

/// A consortium; some of its nodes run.
pub(crate) struct Net {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) spots: Vec<Spot>,
    pub(crate) genesis: Genesis,
    pub(crate) members: Vec<Member>,
    servers: Vec<Option<Server>>,
    pub(crate) http: Vec<Http>,
}

impl Net {
    /// Four validators and so many others, prepared by `tax-node testnet`; none runs.
    pub(crate) fn prepare(supervisors: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("net").to_str().unwrap().to_owned();
        let (port, others) = (free_ports().to_string(), supervisors.to_string());
        let mut args = vec!["--json", "testnet", "--no-start", "--dir", &dir];
        args.extend(["--base-port", &port, "--supervisors", &others]);
        let told = said(&args, 0);
        let spots = told["nodes"].as_array().unwrap().iter().map(|node| {
            let text = |name: &str| node[name].as_str().unwrap().to_owned();
            Spot {
                name: text("name"),
                data: Path::new(&dir).join(text("name")),
                listen: text("listen"),
                listen_peers: text("listen_peers"),
            }
        });
        let spots: Vec<Spot> = spots.collect();
        let members = members(Path::new(&dir));
        Self::of(folder, spots, members)
    }

    /// Nodes whose folders are ready.
    pub(crate) fn of(folder: tempfile::TempDir, spots: Vec<Spot>, members: Vec<Member>) -> Self {
        let genesis = fs::read(spots[0].data.join("genesis.json")).unwrap();
        let genesis = Genesis::parse(&genesis).unwrap();
        let chain = genesis.chain_id().clone();
        let http = spots
            .iter()
            .map(|spot| Http::new(&format!("http://{}", spot.listen), chain.clone()));
        Self {
            http: http.collect(),
            servers: spots.iter().map(|_| None).collect(),
            folder,
            spots,
            genesis,
            members,
        }
    }

    /// One more node, whose folder is ready.
    pub(crate) fn add(&mut self, spot: Spot) {
        let url = format!("http://{}", spot.listen);
        self.http
            .push(Http::new(&url, self.genesis.chain_id().clone()));
        self.servers.push(None);
        self.spots.push(spot);
    }

    /// A path beside the nodes' folders.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn data(&self, number: usize) -> String {
        self.spots[number].data.to_str().unwrap().to_owned()
    }

    pub(crate) fn url(&self, number: usize) -> String {
        self.http[number].url()
    }

    /// The first member with this role.
    pub(crate) fn member(&self, role: &str) -> Member {
        let with = |member: &&Member| member.roles.iter().any(|own| own == role);
        self.members.iter().find(with).unwrap().clone()
    }

    /// Starts nodes and waits until they serve.
    #[track_caller]
    pub(crate) fn start(&mut self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            let spot = self.spots[number].clone();
            let data = self.data(number);
            let mut args = vec!["--json", "start", "--data", &data];
            args.extend(["--listen", &spot.listen]);
            args.extend(["--listen-peers", &spot.listen_peers]);
            let server = Server::start(&args);
            assert!(server.is_some(), "{} does not start", spot.name);
            self.servers[number] = server;
        }
    }

    /// SIGSTOP.
    pub(crate) fn freeze(&self, number: usize) {
        self.servers[number].as_ref().unwrap().freeze();
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self, number: usize) {
        self.servers[number].as_ref().unwrap().thaw();
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, number: usize) {
        self.servers[number].take().unwrap().kill();
    }

    /// Ends nodes in order: all are asked, then waited for.
    pub(crate) fn end(&mut self, numbers: impl IntoIterator<Item = usize>) {
        let ending: Vec<Server> = numbers
            .into_iter()
            .map(|number| self.servers[number].take().unwrap())
            .collect();
        ending.iter().for_each(Server::ask_to_end);
        for server in ending {
            assert!(server.end().success());
        }
    }

    /// Waits until a node takes records: a quorum is in its reach.
    pub(crate) async fn ready(&self, number: usize) {
        let begun = Instant::now();
        loop {
            let answer = self.http[number].get("/readyz").await;
            if answer.status == 200 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{number}: {}", answer.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Issues an invoice at a node, and gives its receipt.
    pub(crate) async fn issue(&self, number: usize) -> Value {
        self.ready(number).await;
        let merchant = self.member("merchant");
        let text = Document::invoice(&merchant, None).text();
        let answer = self.http[number].submit(&merchant, &text).await;
        answer.is(201).json()
    }

    /// Goes on handing an invoice in at a node until it is decided: a node tells those who wait for
    /// long that the outcome is open.
    pub(crate) fn hand_in(&self, number: usize) -> JoinHandle<Answer> {
        let (http, merchant) = (self.http[number].clone(), self.member("merchant"));
        tokio::spawn(async move {
            let text = Document::invoice(&merchant, None).text();
            let begun = Instant::now();
            loop {
                let answer = http.submit(&merchant, &text).await;
                if answer.status != 503 {
                    return answer;
                }
                assert!(begun.elapsed() < 2 * PATIENCE, "{}", answer.text());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    }

    pub(crate) async fn height(&self, number: usize) -> u64 {
        // Also a node that takes no records says how far it is.
        let answer = self.http[number].get("/readyz").await.json();
        answer["height"].as_u64().unwrap()
    }

    /// Waits until a node has so many blocks.
    pub(crate) async fn reaches(&self, number: usize, height: u64) {
        let begun = Instant::now();
        while self.height(number).await < height {
            assert!(begun.elapsed() < PATIENCE, "{number} is stuck");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A figure of a node.
    pub(crate) async fn figure(&self, number: usize, name: &str) -> u64 {
        let answer = self.http[number].get("/metrics").await.is(200);
        let line = answer.text().lines().find_map(|line| {
            let (found, value) = line.split_once(' ')?;
            (found == name).then(|| value.parse().unwrap())
        });
        line.unwrap_or_else(|| panic!("{name} not in {}", answer.text()))
    }

    /// Waits until a node has voted at a height, as its log of votes says.
    pub(crate) async fn has_voted(&self, number: usize, height: u64) {
        self.has_vote(number, number, height).await;
    }

    /// Waits until a node has logged a vote of one at a height.
    pub(crate) async fn has_vote(&self, number: usize, of: usize, height: u64) {
        let (begun, kid) = (Instant::now(), self.kid(of));
        let copy = self.folder.path().join("votes.copy");
        loop {
            // A copy: whoever opens a log cuts off what is half written.
            fs::copy(self.spots[number].data.join("votes.log"), &copy).unwrap();
            let mut log = VoteLog::<fs::File>::open(&copy, ()).unwrap();
            let entries = log.entries(height).unwrap();
            if entries
                .iter()
                .any(|entry| matches!(entry, LogEntry::Vote(vote) if vote.voter.to_string() == kid))
            {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{number}: no vote of {of}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a figure is what it should be.
    pub(crate) async fn shows(&self, number: usize, name: &str, good: impl Fn(u64) -> bool) {
        let begun = Instant::now();
        loop {
            let found = self.figure(number, name).await;
            if good(found) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} of {number} is {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whose signatures make a block final, as a node has them.
    pub(crate) async fn signers(&self, number: usize, height: u64) -> Vec<String> {
        self.reaches(number, height).await;
        let path = format!("/v1/blocks/{height}");
        let block = self.http[number].get(&path).await.is(200).json();
        let signatures = block["signatures"].as_array().unwrap().iter();
        signatures
            .map(|one| one["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// When a block was made, in milliseconds since 1970, by its header.
    pub(crate) async fn made_at(&self, number: usize, height: u64) -> i64 {
        let path = format!("/v1/blocks/{height}");
        let block = self.http[number].get(&path).await.is(200).json();
        let header = hex::decode(block["header"].as_str().unwrap()).unwrap();
        Header::decode(&header).unwrap().time_ms
    }

    /// The kid of a node's key.
    pub(crate) fn kid(&self, number: usize) -> String {
        let name = &self.spots[number].name;
        let peers = tax_node::peers::read(&self.spots[number].data.join("peers.json")).unwrap();
        let own = peers.iter().find(|peer| peer.name == *name).unwrap();
        own.kid().to_string()
    }

    /// What a receipt says apart from whose signatures prove it: a node proves a block by those
    /// that it had when the block became final for it, and they may be others elsewhere.
    pub(crate) fn said(receipt: &Value) -> Value {
        let mut receipt = receipt.clone();
        for name in ["signatures", "round"] {
            receipt.as_object_mut().unwrap().remove(name).unwrap();
        }
        receipt
    }

    /// The nodes that run show the same block at this height.
    pub(crate) async fn agree(&self, height: u64) {
        let mut seen: Option<Value> = None;
        for (number, server) in self.servers.iter().enumerate() {
            if server.is_none() {
                continue;
            }
            self.reaches(number, height).await;
            let path = format!("/v1/blocks/{height}");
            let block = self.http[number].get(&path).await.is(200).json();
            let header = block["header"].clone();
            let first = seen.get_or_insert_with(|| header.clone());
            assert_eq!(*first, header, "node {number}");
        }
    }
}
