//! The node that is loaded: one in this process, or one that runs already.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use invoice_api::client::Envelope;
use invoice_api::{BudgetConfig, ServerConfig};
use invoice_core::calendar::Instant;
use invoice_core::chain::Genesis;
use invoice_core::crypto::{SecretKey, SecretKeySigner};
use invoice_core::identity::MemberId;
use tax_node::node::{Node, NodeConfig, system_clock};
use tax_node::store::CACHE_BYTES;
use tokio::sync::oneshot;

use super::Failure;
use super::http::Connection;
use crate::cast::Cast;
use crate::spelled;

/// Records in an envelope that admits members.
const ADMISSIONS: usize = 500;

/// A node in this process, with every member in its genesis file.
pub struct OwnNode {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its genesis file.
    pub genesis: Genesis,
    /// Its folder, removed with this value unless the caller named one.
    pub folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

impl OwnNode {
    /// Starts a node on a new store, in `parent` or where the system keeps temporary files.
    ///
    /// # Errors
    /// The folder cannot be written or the node does not start.
    pub fn start(cast: &Cast, parent: Option<&Path>) -> Result<Self, Failure> {
        let temporary = match parent {
            Some(parent) => tempfile::tempdir_in(parent)?,
            None => tempfile::tempdir()?,
        };
        let folder = temporary.path().to_owned();
        let validator = SecretKey::from_bytes(&[9; 32])?;
        let now = (system_clock())();
        let genesis = cast.genesis("bench", &validator.public_key(), now);
        Node::create(&folder, &genesis)?;
        let (ready, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let config = NodeConfig {
            data: folder.clone(),
            genesis: genesis.clone(),
            signer: Box::new(SecretKeySigner::new(validator)),
            clock: system_clock(),
            cache_bytes: CACHE_BYTES,
            disk_reserve_bytes: 0,
            verify_threads: std::thread::available_parallelism().map_or(1, usize::from),
        };
        let thread = std::thread::spawn(move || serve(config, &ready, stopped));
        let address = match address.recv() {
            Ok(address) => address,
            Err(_) => return Err(ended(thread)),
        };
        let stop = Some(stop);
        Ok(Self {
            address,
            genesis,
            folder,
            _temporary: Some(temporary),
            stop,
            thread: Some(thread),
        })
    }

    /// Finishes what was accepted and stops.
    ///
    /// # Errors
    /// The node did not end well.
    pub fn stop(mut self) -> Result<(), Failure> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) | None => Err("the node ended early".into()),
        }
    }
}

fn ended(thread: JoinHandle<Result<(), Failure>>) -> Failure {
    match thread.join() {
        Ok(Err(failure)) => failure,
        Ok(Ok(())) | Err(_) => "the node ended early".into(),
    }
}

/// Runs the node as its command does, but for the budgets, which are not what is measured.
fn serve(
    config: NodeConfig,
    ready: &mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (node, end) = Node::start(config)?;
        let mut server = ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into());
        server.budgets = BudgetConfig {
            records_per_minute: NonZeroU32::MAX,
            anonymous_per_minute: NonZeroU32::MAX,
            ..BudgetConfig::default()
        };
        let bound = invoice_api::bind(&server, Arc::new(node.clone()))?;
        let address = bound.addresses().first().ok_or("no address")?;
        ready.send(*address)?;
        bound.run(async { drop(stopped.await) }).await?;
        node.stop();
        Ok(end.await??)
    })
}

/// A node that runs already, and an authority's key to admit members with.
pub struct OtherNode {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its genesis file.
    pub genesis: Genesis,
}

impl OtherNode {
    /// Reads the folder that a demonstration prepared, and admits the cast to its chain.
    ///
    /// # Errors
    /// The folder is none of a demonstration, or the node does not admit the members.
    pub async fn join(url: &str, folder: &Path, cast: &Cast) -> Result<Self, Failure> {
        let host = url
            .strip_prefix("http://")
            .unwrap_or(url)
            .trim_end_matches('/');
        let address = host.to_socket_addrs()?.next().ok_or("no address")?;
        let genesis = Genesis::parse(&std::fs::read(folder.join("genesis.json"))?)?;
        let (id, signer) = authority(folder)?;
        let born = Instant::from_ms(genesis.time_ms());
        let admissions = cast.admissions(id, born);
        let mut connection = Connection::open(address).await?;
        for part in admissions.chunks(ADMISSIONS) {
            let texts: Vec<String> = part.iter().map(|record| record.to_json()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let envelope = Envelope::batch(genesis.chain_id(), &signer, &texts, false)?;
            let answer = connection.post("/v1/records", envelope.body()).await?;
            if answer.status != 200 {
                let text = String::from_utf8_lossy(&answer.body);
                return Err(format!("成员未获准入 / members were not admitted: {text}").into());
            }
        }
        Ok(Self { address, genesis })
    }
}

/// The tax authority of a demonstration.
fn authority(folder: &Path) -> Result<(MemberId, SecretKeySigner), Failure> {
    let text = std::fs::read(folder.join("members.json"))?;
    let members: Vec<serde_json::Value> = serde_json::from_slice(&text)?;
    let is_tax = |member: &&serde_json::Value| {
        member["roles"]
            .as_array()
            .is_some_and(|roles| roles.iter().any(|role| role == "tax"))
    };
    let tax = members
        .iter()
        .find(is_tax)
        .ok_or("members.json: no tax authority")?;
    let text = |name: &str| tax[name].as_str().ok_or(format!("members.json: {name}"));
    let pem = std::fs::read_to_string(folder.join(text("key_file")?))?;
    let signer = SecretKeySigner::new(SecretKey::from_pkcs8_pem(&pem, None)?);
    Ok((spelled(text("id")?), signer))
}
