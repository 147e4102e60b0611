//! Several validators on this machine, each in a child process of its own, loaded over HTTP.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use invoice_api::registry::Registry as _;
use invoice_core::chain::{Genesis, Group, Validator, ValidatorSet};
use invoice_core::crypto::{PublicKey, SecretKey, SecretKeySigner};
use serde::{Deserialize, Serialize};
use tax_node::links::{Peer, Role};
use tax_node::node::{ConsortiumConfig, Node, NodeConfig, system_clock};
use tax_node::store::CACHE_BYTES;

use super::Failure;
use super::node::serve_until_input_ends;
use super::process::{self, Stages};
use super::sockets::{Sending, Way};
use super::tally::{Latencies, Tally};
use crate::cast::Cast;
use crate::input::files::CHAIN;
use crate::input::{Lines, Prepared};

const ABOUT: &str = "consortium.json";
const GENESIS: &str = "genesis.json";
/// How long the nodes may take to find each other.
const MEETING: Duration = Duration::from_secs(30);
/// How long a late node may take.
const CATCHING_UP: Duration = Duration::from_secs(600);
/// How long nodes may lag behind at the end.
const SETTLING: Duration = Duration::from_secs(60);
/// Figures of a node that are told here, by the names under which it exports them.
const SENT: &str = "link_bytes_sent_total";

/// Who they are: what every child reads.
#[derive(Serialize, Deserialize)]
struct About {
    /// How many of the nodes vote; they come first.
    validators: u8,
    /// Where each is reached by the others.
    addresses: Vec<SocketAddr>,
}

/// What one node took.
#[derive(Clone, Debug, Serialize)]
pub struct OfNode {
    /// Its number, from 1.
    pub node: u8,
    /// Whether it votes.
    pub votes: bool,
    /// Processor time for each answered record, in microseconds.
    pub cpu_us_per_record: f64,
    /// The same by name of thread.
    pub stages_us_per_record: Vec<(String, f64)>,
    /// Bytes that it sent to other nodes for each answered record.
    pub link_bytes_per_record: f64,
    /// Most memory resident.
    pub peak_resident_bytes: Option<u64>,
}

/// How a node without a vote caught up.
#[derive(Clone, Debug, Serialize)]
pub struct Late {
    /// From its start until it had every block, in seconds.
    pub seconds: f64,
    /// Records that it verified and executed in a second.
    pub records_per_second: f64,
    /// Its processor time for each record since its last start, in microseconds.
    pub cpu_us_per_record: f64,
    /// How often it was killed on the way and started again.
    pub kills: u64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Together {
    /// How records were signed.
    pub form: String,
    /// How many nodes vote.
    pub validators: u8,
    /// How many follow without a vote.
    pub supervisors: u8,
    /// What came of the records.
    #[serde(flatten)]
    pub tally: Tally,
    /// Envelopes a second that were sent at most; `None` for as many as went.
    pub pace: Option<f64>,
    /// Records that were answered in a second.
    pub records_per_second: f64,
    /// Half of the requests were answered within this time.
    pub p50_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
    /// Blocks that this took.
    pub blocks: u64,
    /// Bytes that all nodes together sent to each other for each answered record.
    pub link_bytes_per_record: f64,
    /// Bytes of the requests for each record.
    pub sent_bytes_per_record: f64,
    /// Processor time of the driver for each answered record, in microseconds.
    pub driver_us_per_record: Option<f64>,
    /// Until the last node had the last block, after the last answer.
    pub settled_ms: f64,
    /// What a node without a vote took that started from nothing after all that.
    pub late: Option<Late>,
    /// Of each node.
    pub nodes: Vec<OfNode>,
}

fn key(number: u8) -> Result<SecretKeySigner, Failure> {
    // These keys protect nothing.
    Ok(SecretKeySigner::new(SecretKey::from_bytes(&[number; 32])?))
}

fn public_key(number: u8) -> Result<PublicKey, Failure> {
    Ok(SecretKey::from_bytes(&[number; 32])?.public_key())
}

fn node_folder(folder: &Path, number: u8) -> PathBuf {
    folder.join(format!("node-{number}"))
}

/// Makes the folders of a new chain.
fn prepare(
    folder: &Path,
    cast: &Cast,
    validators: u8,
    supervisors: u8,
) -> Result<Genesis, Failure> {
    let groups = Group::ALL.into_iter().cycle();
    let set = (1..=validators).zip(groups).map(|(number, group)| {
        Ok(Validator {
            public_key: public_key(number)?,
            weight: 1,
            group: (validators > 1).then_some(group),
            name: format!("validator-{number}"),
        })
    });
    let set = ValidatorSet::new(set.collect::<Result<_, Failure>>()?)?;
    let genesis = cast.genesis_of(CHAIN, set, (system_clock())());
    fs::write(folder.join(GENESIS), genesis.bytes())?;
    let all = 1..=validators.saturating_add(supervisors);
    // All at once, so that no port is given twice.
    let listeners = all
        .clone()
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let about = About {
        validators,
        addresses: addresses.collect::<Result<_, _>>()?,
    };
    fs::write(folder.join(ABOUT), serde_json::to_vec(&about)?)?;
    for number in all {
        let node = node_folder(folder, number);
        fs::create_dir_all(&node)?;
        Node::create(&node, &genesis)?;
    }
    Ok(genesis)
}

/// Runs a node of such a folder until the standard input ends: what the child does. The first line
/// of its standard output is its address, the second, at the end, the bytes that it sent to others.
///
/// # Errors
/// The node does not start, or did not end well.
pub fn serve(folder: &Path, number: u8) -> Result<(), Failure> {
    let about: About = serde_json::from_slice(&fs::read(folder.join(ABOUT))?)?;
    let genesis = Genesis::parse(&fs::read(folder.join(GENESIS))?)?;
    let peers = (1..).zip(&about.addresses).map(|(peer, address)| {
        Ok(Peer {
            name: peer.to_string(),
            address: Some(address.to_string()),
            public_key: public_key(peer)?,
            role: match peer <= about.validators {
                true => Role::Validator,
                false => Role::Supervisor,
            },
        })
    });
    let own = about.addresses.get(usize::from(number).saturating_sub(1));
    let consortium = ConsortiumConfig {
        listen: own.copied(),
        peers: peers.collect::<Result<_, Failure>>()?,
        timeouts: Default::default(),
        tuning: Default::default(),
        limits: Default::default(),
    };
    let config = NodeConfig {
        data: node_folder(folder, number),
        genesis,
        signer: Arc::new(key(number)?),
        consortium: (about.addresses.len() > 1).then_some(consortium),
        clock: system_clock(),
        cache_bytes: CACHE_BYTES / 4,
        disk_reserve_bytes: 0,
        verify_threads: std::thread::available_parallelism().map_or(1, usize::from),
        oversight: false,
        webhook_networks: Default::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (node, end) = Node::start(config)?;
        serve_until_input_ends(&node, None).await?;
        let gauges = node.gauges();
        let sent = gauges.iter().find(|gauge| gauge.name == SENT);
        println!("{}", sent.map_or(0, |sent| sent.value));
        node.stop();
        Ok(end.await??)
    })
}

struct Served {
    number: u8,
    address: SocketAddr,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Served {
    fn start(folder: &Path, number: u8) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve-among"])
            .arg(folder)
            .arg(number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut served = Self {
            number,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            input: child.stdin.take(),
            output: BufReader::new(output),
            child,
        };
        let line = served.line()?;
        served.address = line
            .parse()
            .map_err(|_| "节点没有启动 / the node did not start")?;
        Ok(served)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Lets it finish; gives the bytes that it sent to others.
    fn stop(mut self) -> Result<u64, Failure> {
        drop(self.input.take());
        let sent = self.line()?.parse().unwrap_or(0);
        let ended = self.child.wait()?;
        match ended.success() {
            true => Ok(sent),
            false => Err(format!("节点异常结束 / the node ended badly: {ended}").into()),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Without an end of its own it would go on when a measurement fails.
        if self.input.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[derive(Deserialize)]
struct Ready {
    height: u64,
}

/// The height of a node, once it says that it is ready.
async fn height(address: SocketAddr) -> Result<Option<u64>, Failure> {
    let mut connection = super::http::Connection::open(address).await?;
    let mut answer = Vec::new();
    let status = connection
        .ask("GET", "/readyz", "", &[], &mut answer)
        .await?;
    if status != 200 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice::<Ready>(&answer)?.height))
}

/// Waits until all are ready and at the same height, which is at least this one.
async fn all_at(nodes: &[Served], least: u64, patience: Duration) -> Result<u64, Failure> {
    let started = Instant::now();
    loop {
        let mut heights = Vec::new();
        for node in nodes {
            heights.push(height(node.address).await?);
        }
        let first = heights.first().copied().flatten();
        if let Some(first) = first.filter(|first| *first >= least)
            && heights.iter().all(|height| *height == Some(first))
        {
            return Ok(first);
        }
        if started.elapsed() > patience {
            return Err(format!("节点高度不一致 / the nodes differ: {heights:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts a node that has nothing and waits until it has everything.
async fn catch_up(
    folder: &Path,
    number: u8,
    nodes: &[Served],
    records: usize,
    kills: u64,
) -> Result<Late, Failure> {
    let first = nodes.first().ok_or("no node")?;
    let goal = height(first.address).await?.unwrap_or_default();
    let started = Instant::now();
    let mut late = Served::start(folder, number)?;
    let mut ends = (1..=kills).map(|kill| goal.saturating_mul(kill) / kills.saturating_add(1));
    let mut end = ends.next();
    loop {
        let height = height(late.address).await?.unwrap_or_default();
        if height >= goal {
            break;
        }
        if end.is_some_and(|end| height >= end) {
            // Dropping it is SIGKILL.
            drop(late);
            late = Served::start(folder, number)?;
            end = ends.next();
        }
        if started.elapsed() > CATCHING_UP {
            return Err("没有追上 / the node did not catch up".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = process::cpu_seconds(Some(late.child.id())).unwrap_or_default();
    late.stop()?;
    Ok(Late {
        seconds,
        records_per_second: records as f64 / seconds,
        cpu_us_per_record: cpu * 1e6 / records.max(1) as f64,
        kills,
    })
}

/// How many nodes there are and what they get.
pub struct Case<'a> {
    /// Validators.
    pub validators: u8,
    /// Nodes without a vote.
    pub supervisors: u8,
    /// Whether one more node without a vote starts when everything is sent.
    pub late: bool,
    /// How often that node is killed on the way.
    pub late_kills: u64,
    /// How the records are signed, for the table.
    pub form: String,
    /// The file.
    pub input: &'a Path,
    /// What it is.
    pub prepared: &'a Prepared,
    /// How it is sent; connections are spread over the validators.
    pub way: Way,
    /// Envelopes a second at most.
    pub pace: Option<f64>,
    /// Seconds after which nothing more is sent.
    pub seconds: Option<u64>,
}

/// Starts the nodes, sends a file to all validators in turn, and waits until all nodes have
/// everything.
///
/// # Errors
/// A node fails, or they do not agree.
pub fn run(parent: &Path, cast: &Cast, case: &Case<'_>) -> Result<Together, Failure> {
    fs::create_dir_all(parent)?;
    let folder = tempfile::tempdir_in(parent)?;
    let others = case.supervisors.saturating_add(u8::from(case.late));
    prepare(folder.path(), cast, case.validators, others)?;
    let numbers = 1..=case.validators.saturating_add(case.supervisors);
    let nodes = numbers.map(|number| Served::start(folder.path(), number));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut sending = Sending::new(Lines::open(case.input)?);
    if let Some(pace) = case.pace {
        sending = sending.pace(pace);
    }
    if let Some(seconds) = case.seconds {
        sending = sending.until(Instant::now() + Duration::from_secs(seconds));
    }
    let voting = usize::from(case.validators);
    let addresses: Vec<SocketAddr> = nodes.iter().take(voting).map(|node| node.address).collect();
    let (sent, blocks, settled, driver, stages, peaks) = runtime.block_on(async {
        let before = all_at(&nodes, 0, MEETING).await?;
        let driver = process::cpu_seconds(None);
        let stages: Vec<Stages> = nodes
            .iter()
            .map(|node| Stages::watch(Some(node.child.id())))
            .collect();
        let sent = sending.send(addresses, case.way).await?;
        let answered = Instant::now();
        let after = all_at(&nodes, before.saturating_add(1), SETTLING).await?;
        let settled = answered.elapsed();
        let driver = process::cpu_seconds(None)
            .zip(driver)
            .map(|(after, before)| after - before);
        let stages: Vec<_> = stages.into_iter().map(Stages::end).collect();
        let peaks: Vec<_> = nodes
            .iter()
            .map(|node| process::peak_resident_bytes(Some(node.child.id())))
            .collect();
        Ok::<_, Failure>((
            sent,
            after.saturating_sub(before),
            settled,
            driver,
            stages,
            peaks,
        ))
    })?;
    let late = case.late.then(|| {
        let number = case.validators.saturating_add(others);
        let records = sent.tally.accepted;
        runtime.block_on(catch_up(
            folder.path(),
            number,
            &nodes,
            records,
            case.late_kills,
        ))
    });
    let late = late.transpose()?;
    if let Some(trouble) = &sent.trouble {
        eprintln!("{trouble}");
    }
    let answered = sent.tally.answered().max(1) as f64;
    let micros = |seconds: f64| seconds * 1e6 / answered;
    let (mut of_nodes, mut link_bytes) = (Vec::new(), 0.0);
    for ((node, stages), peak_resident_bytes) in nodes.into_iter().zip(stages).zip(peaks) {
        let number = node.number;
        let sent = node.stop()? as f64;
        link_bytes += sent;
        of_nodes.push(OfNode {
            node: number,
            votes: number <= case.validators,
            cpu_us_per_record: micros(stages.values().sum()),
            stages_us_per_record: stages
                .into_iter()
                .map(|(name, seconds)| (name, micros(seconds)))
                .filter(|(_, micros)| *micros >= 0.5)
                .collect(),
            link_bytes_per_record: sent / answered,
            peak_resident_bytes,
        });
    }
    let mut latencies: Latencies = sent.latencies;
    Ok(Together {
        form: case.form.clone(),
        validators: case.validators,
        supervisors: case.supervisors,
        tally: sent.tally,
        pace: case.pace,
        records_per_second: sent.tally.answered() as f64 / sent.seconds.max(1e-9),
        p50_ms: latencies.percentile_ms(50.0),
        p99_ms: latencies.percentile_ms(99.0),
        blocks,
        link_bytes_per_record: link_bytes / answered,
        sent_bytes_per_record: case.prepared.bytes as f64 / case.prepared.records.max(1) as f64,
        driver_us_per_record: driver.map(micros),
        settled_ms: settled.as_secs_f64() * 1e3,
        late,
        nodes: of_nodes,
    })
}

/// The head of the table.
pub const HEAD: &str = "\
| validators | signature | pace /s | records | records/s | p50 ms | p99 ms | blocks | CPU µs/record, each node | link B/record, all nodes | request B/record | driver µs | peak RSS MiB, largest | failed | late node: records/s (CPU µs) |
|---:|---|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|";

/// A line of the table.
#[must_use]
pub fn line(found: &Together) -> String {
    let cpu: Vec<String> = found
        .nodes
        .iter()
        .map(|node| format!("{:.0}", node.cpu_us_per_record))
        .collect();
    let late = found.late.as_ref().map_or("–".to_owned(), |late| {
        format!(
            "{:.0} ({:.0})",
            late.records_per_second, late.cpu_us_per_record
        )
    });
    let resident = found
        .nodes
        .iter()
        .filter_map(|node| node.peak_resident_bytes);
    let resident = resident.max().map_or(0, |bytes| bytes >> 20);
    format!(
        "| {} | {} | {} | {} | {:.0} | {:.1} | {:.1} | {} | {} | {:.0} | {:.0} | {:.0} | {resident} | {} | {late} |",
        found.validators,
        found.form,
        found
            .pace
            .map_or("–".to_owned(), |pace| format!("{pace:.0}")),
        found.tally.answered(),
        found.records_per_second,
        found.p50_ms,
        found.p99_ms,
        found.blocks,
        cpu.join(" + "),
        found.link_bytes_per_record,
        found.sent_bytes_per_record,
        found.driver_us_per_record.unwrap_or(0.0),
        found.tally.failed,
    )
}
