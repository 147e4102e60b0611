//! The node that is loaded: in this process, or in a child whose memory and processor time are
//! its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use invoice_api::{BudgetConfig, ServerConfig};
use tax_node::node::{Node, NodeConfig, StartError, Stopped, system_clock};
use tax_node::store::{CACHE_BYTES, OpenError};
use tokio::sync::oneshot;

use super::Failure;
use super::store::{StoreFolder, validator};

/// How often a store is tried again that the node before has not let go of yet.
const TRIES: u32 = 100;
/// How long to wait between two tries.
const WAIT: std::time::Duration = std::time::Duration::from_millis(100);

/// Starts a node on a store in this process. Must be called within a tokio runtime.
///
/// # Errors
/// It does not start.
pub fn start(store: &StoreFolder) -> Result<(Node, oneshot::Receiver<Stopped>), Failure> {
    start_with(store, false)
}

/// The same with or without the supervisor's figures.
///
/// # Errors
/// It does not start.
pub fn start_with(
    store: &StoreFolder,
    oversight: bool,
) -> Result<(Node, oneshot::Receiver<Stopped>), Failure> {
    let mut tries = 0;
    loop {
        let config = NodeConfig {
            data: store.node(),
            genesis: store.genesis().clone(),
            consortium: None,
            signer: Arc::new(validator()?),
            clock: system_clock(),
            cache_bytes: CACHE_BYTES,
            disk_reserve_bytes: 0,
            verify_threads: std::thread::available_parallelism().map_or(1, usize::from),
            oversight,
            webhook_networks: Default::default(),
        };
        match Node::start(config) {
            Err(StartError::Open(OpenError::InUse)) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(WAIT);
            }
            started => return Ok(started?),
        }
    }
}

/// Serves a store until the standard input ends: what the child does.
///
/// # Errors
/// The node does not start, or did not end well.
pub fn serve(
    folder: &Path,
    failures_per_minute: Option<NonZeroU32>,
    oversight: bool,
) -> Result<(), Failure> {
    let store = StoreFolder::open(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (node, end) = start_with(&store, oversight)?;
        serve_until_input_ends(&node, failures_per_minute).await?;
        node.stop();
        Ok(end.await??)
    })
}

/// Serves a node until the standard input ends. The first line of the standard output is its address.
/// Budgets are as wide as they get, but for the failures that are named.
///
/// # Errors
/// No address is free, or the server fails.
pub async fn serve_until_input_ends(
    node: &Node,
    failures_per_minute: Option<NonZeroU32>,
) -> Result<(), Failure> {
    let mut server = ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    let defaults = BudgetConfig::default();
    server.budgets = BudgetConfig {
        records_per_minute: NonZeroU32::MAX,
        checks_per_minute: NonZeroU32::MAX,
        reads_per_minute: NonZeroU32::MAX,
        anonymous_per_minute: NonZeroU32::MAX,
        failures_per_minute: failures_per_minute.unwrap_or(defaults.failures_per_minute),
        ..defaults
    };
    let bound = invoice_api::bind(&server, Arc::new(node.clone()))?;
    let address = bound.addresses().first().ok_or("no address")?;
    println!("{address}");
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(stop);
    });
    bound
        .run(async { drop::<Result<(), _>>(stopped.await) })
        .await?;
    Ok(())
}

/// A node in a child process.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    input: Option<ChildStdin>,
}

impl Served {
    /// Starts this program again as a node.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(store: &StoreFolder, failures: Option<NonZeroU32>) -> Result<Self, Failure> {
        let failures = failures.map(|failures| format!("--failures-per-minute={failures}"));
        Self::start_with(store, &failures.into_iter().collect::<Vec<_>>())
    }

    /// The same with options of the verb `serve`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_with(store: &StoreFolder, options: &[String]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(store.path()).args(options);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        match line.trim().parse() {
            Ok(address) => Ok(Self {
                address,
                child,
                input,
            }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err("节点没有启动 / the node did not start".into())
            }
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        Some(self.child.id())
    }

    /// Lets it finish and waits for its end.
    ///
    /// # Errors
    /// It did not end well.
    pub fn stop(mut self) -> Result<(), Failure> {
        drop(self.input.take());
        let ended = self.child.wait()?;
        if ended.success() {
            Ok(())
        } else {
            Err(format!("节点异常结束 / the node ended badly: {ended}").into())
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
