//! Opening the store, replaying its tail, and starting the engine.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use consensus::Timeouts;
use invoice_core::apply::{
    BlockFault, ChainPoint, KeyRing, Signatures, execute_block, genesis_changes,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, GenesisError};
use invoice_core::crypto::{Kid, Signer};
use invoice_core::merkle::Frontier;
use tokio::sync::{Semaphore, oneshot, watch};
use webhooks::Networks;

use super::access_log::{AccessLog, AccessLogError};
use super::admission::Messages;
use super::application::ChainApplication;
use super::clock::Clock;
use super::disk::Disk;
use super::intake::Intake;
use super::key_cache::KeyCache;
use super::oversight::Oversight;
use super::pipeline::desk::Desk;
use super::pipeline::outbox::Outbox;
use super::pipeline::pending::Pending;
use super::pipeline::queue::Queue;
use super::pipeline::reply::Fate;
use super::pipeline::sequencer::Sequencer;
use super::pipeline::verify::Verifier;
use super::push::{self, Push};
use super::validators::{Validators, ValidatorsError, certified};
use crate::engine::consortium::thread::{Consortium, Figures, Wake};
use crate::engine::{Engine, EngineError, Planted, Solo, consortium};
use crate::files;
use crate::links::{Limits, Links, LinksConfig, LinksError, Peer};
use crate::store::{NewChain, OpenError, OpenOptions, ReadError, ReplayError, Store, Tuning};

/// Reads of the store at the same time; more are answered 503.
const READS_AT_ONCE_MAX: usize = 512;
/// How often the access log is synced.
const ACCESS_LOG_SYNC: Duration = Duration::from_secs(1);

/// What a node needs to run.
pub struct NodeConfig {
    /// Folder of the store and the access log.
    pub data: PathBuf,
    /// The genesis file.
    pub genesis: Genesis,
    /// The node's key: with it a validator votes, and every node shows its peers who it is.
    pub signer: Arc<dyn Signer>,
    /// The other nodes; `None` for a chain with one validator, which is this one.
    pub consortium: Option<ConsortiumConfig>,
    /// Tells the time.
    pub clock: Clock,
    /// Memory for the store's pages, in bytes.
    pub cache_bytes: usize,
    /// Free bytes below which new records are refused.
    pub disk_reserve_bytes: u64,
    /// Threads that verify signatures.
    pub verify_threads: usize,
    /// Whether the node keeps the supervisor's figures: they take processor time and disk.
    pub oversight: bool,
    /// Private networks that members' webhooks may lead into.
    pub webhook_networks: Networks,
}

/// How a node of several takes part.
#[derive(Clone)]
pub struct ConsortiumConfig {
    /// Where peers connect to; `None` for a node that only connects to others.
    pub listen: Option<SocketAddr>,
    /// The other nodes.
    pub peers: Vec<Peer>,
    /// How long the steps of a round take.
    pub timeouts: Timeouts,
    /// Other times of the agreement.
    pub tuning: consortium::Tuning,
    /// How much strangers and slow peers may cost.
    pub limits: Limits,
}

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The last blocks do not replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A stored block does not execute to what it states.
    #[error("the stored chain does not verify: {0}")]
    Block(String),
    /// The genesis file in the store is damaged.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The validators of the chain are not known.
    #[error(transparent)]
    Validators(#[from] ValidatorsError),
    /// The access log cannot be opened.
    #[error(transparent)]
    AccessLog(#[from] AccessLogError),
    /// The key is not that of a validator of the next block.
    #[error(
        "key {0} is not a validator of the next block: use a key that the genesis file or the newest change names"
    )]
    NotValidator(Kid),
    /// The folder is not one of a consortium.
    #[error("the node has no peers")]
    Alone,
    /// The chain has several validators, and nothing says where the others are.
    #[error(
        "链有 {validators} 个验证者，而 peers.json 不存在或没有其他节点 / the chain has {validators} validators, and peers.json is missing or names no other node"
    )]
    PeersMissing {
        /// How many validators the next block has.
        validators: usize,
    },
    /// The only validator of a chain was restored from a backup, and nobody accepted the loss.
    #[error(
        "此单验证者由备份恢复：高度 {height} 之后的记录已丢失，曾为其出具的回执将与新链矛盾 / this lone validator was restored from a backup: whatever was recorded after height {height} is lost, and receipts given for it will contradict the new chain"
    )]
    LostBlocks {
        /// The last block of the backup.
        height: u64,
    },
    /// The mark of a restored folder cannot be read or written.
    #[error("{path}: {fault}")]
    Restored {
        /// The mark.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
    /// The members' webhooks cannot be read.
    #[error(
        "推送文件 webhooks.redb 无法读取：{0}。其中是成员的推送地址、密钥与进度，不会自动重建：请从备份恢复该文件；若没有备份，将其移开后启动，并请各成员重新设置推送 / the file webhooks.redb cannot be read: {0}. It holds the members' endpoints, secrets and cursors and is not made anew by itself: restore the file from a backup, or move it away, start, and ask the members to set their webhooks up again"
    )]
    Webhooks(#[source] OpenError),
    /// The links cannot be started.
    #[error(transparent)]
    Links(#[from] LinksError),
    /// A thread could not be started.
    #[error("a thread cannot be started: {0}")]
    Thread(String),
}

/// How the engine ended.
pub type Stopped = Result<(), EngineError>;

/// A running node. Cheap to clone; all clones are the same node.
#[derive(Clone)]
pub struct Node {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) genesis: Genesis,
    /// The node's key; see [`NodeConfig::signer`].
    pub(super) signer: Arc<dyn Signer>,
    pub(super) clock: Clock,
    pub(super) messages: Messages,
    pub(super) keys: Arc<KeyCache>,
    pub(super) queue: Arc<Queue>,
    pub(super) desk: Arc<Desk>,
    pub(super) reads: Arc<Semaphore>,
    /// Bytes of records that were taken and not answered yet.
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    pub(super) pending: Arc<Pending>,
    pub(super) head: watch::Receiver<u64>,
    pub(super) disk: Arc<Disk>,
    pub(super) access_log: AccessLog,
    pub(super) stopping: AtomicBool,
    pub(super) fate: Arc<Fate>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) wake: Arc<Wake>,
    pub(super) consensus: Arc<Figures>,
    /// The links to other nodes; unset where there are none.
    pub(super) links: OnceLock<Arc<Links>>,
    pub(super) validators: Arc<Validators>,
    /// The supervisor's figures, where the node keeps them.
    pub(super) oversight: Option<Arc<Oversight>>,
    /// The members' webhooks.
    pub(super) push: Arc<Push>,
}

impl Node {
    /// Creates the store of a new chain.
    ///
    /// # Errors
    /// The folder has a store already, or cannot be written.
    pub fn create(data: &std::path::Path, genesis: &Genesis) -> Result<(), OpenError> {
        let state = genesis_changes(genesis);
        Store::create(
            data,
            &NewChain {
                genesis: genesis.bytes(),
                genesis_hash: genesis.hash(),
                time_ms: genesis.time_ms(),
                state: &state,
            },
        )
    }

    /// Opens the store, verifies and replays its end, and starts the engine. The receiver tells
    /// how the engine ended. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store does not open or does not verify.
    pub fn start(config: NodeConfig) -> Result<(Self, oneshot::Receiver<Stopped>), StartError> {
        if config.consortium.is_some() {
            return Self::start_among_others(config);
        }
        Self::start_with(config, |config, shared| {
            let kid = config.signer.public_key().kid();
            let next = shared.head.borrow().saturating_add(1);
            let validators = shared.validators.at(next);
            if validators.validators().len() > 1 {
                return Err(StartError::PeersMissing {
                    validators: validators.validators().len(),
                });
            }
            if validators.get(&kid).is_none() {
                return Err(StartError::NotValidator(kid));
            }
            remembers_all(config, shared)?;
            Ok(Solo::new(Arc::clone(&config.signer)))
        })
    }

    /// With an engine that agrees with others.
    fn start_among_others(
        config: NodeConfig,
    ) -> Result<(Self, oneshot::Receiver<Stopped>), StartError> {
        Self::start_with(config, |config, shared| {
            let Some(others) = &config.consortium else {
                return Err(StartError::Alone);
            };
            let kid = config.signer.public_key().kid();
            let next = shared.head.borrow().saturating_add(1);
            let validators = shared.validators.at(next);
            let count = validators.validators().len();
            if count > 1 && names_nobody(&others.peers, &kid) {
                return Err(StartError::PeersMissing { validators: count });
            }
            if count == 1 && validators.get(&kid).is_some() {
                remembers_all(config, shared)?;
            }
            let runtime = tokio::runtime::Handle::current();
            let (links, events) = Links::start(
                LinksConfig {
                    chain: config.genesis.chain_id().clone(),
                    genesis: config.genesis.hash(),
                    signer: Arc::clone(&config.signer),
                    listen: others.listen,
                    peers: others.peers.clone(),
                    kinds: consortium::thread::kinds(),
                    limits: others.limits.clone(),
                },
                &runtime,
            )?;
            let links = Arc::new(links);
            let _ = shared.links.set(Arc::clone(&links));
            let engine = Consortium {
                signer: Arc::clone(&config.signer),
                links,
                events,
                log: files::vote_log(&config.data),
                restored: first_start_since_restored(config, shared.keys.time())?,
                timeouts: others.timeouts,
                tuning: others.tuning.clone(),
                wake: Arc::clone(&shared.wake),
                figures: Arc::clone(&shared.consensus),
                runtime,
            };
            let wake = Arc::clone(&shared.wake);
            shared.outbox.connect(Box::new(move || wake.records()));
            Ok(engine)
        })
    }

    /// The same with any engine.
    fn start_with<E: Engine + Send + 'static>(
        config: NodeConfig,
        engine: impl FnOnce(&NodeConfig, &Shared) -> Result<E, StartError>,
    ) -> Result<(Self, oneshot::Receiver<Stopped>), StartError> {
        let store = Arc::new(open(&config)?);
        let point = replay_tail(&store, &config.genesis)?;
        let validators = Arc::new(Validators::load(&store.snapshot()?, &config.genesis)?);
        let access_log = AccessLog::open(&config.data)?;
        let oversight = match config.oversight {
            true => Some(Oversight::open(&config.data)?),
            false => None,
        };
        let disk = Disk::new(&config.data, config.disk_reserve_bytes);
        Disk::watch(&disk);
        let verifiers = config.verify_threads.max(1);
        let (head_sender, head) = watch::channel(point.height);
        let feed = push::Feed {
            store: Arc::clone(&store),
            chain_id: config.genesis.chain_id().to_string(),
            head: head.clone(),
            clock: Arc::clone(&config.clock),
        };
        let push =
            Push::open(&config.data, feed, &config.webhook_networks).map_err(|error| {
                match matches!(error, OpenError::InUse) {
                    true => StartError::Open(error),
                    false => StartError::Webhooks(error),
                }
            })?;
        let shared = Arc::new(Shared {
            messages: Messages::new(config.genesis.chain_id().clone()),
            keys: Arc::new(KeyCache::new(point.time)),
            queue: Arc::default(),
            desk: Arc::new(Desk::new(verifiers)),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE_MAX)),
            waiting_bytes: Arc::default(),
            pending: Arc::default(),
            head,
            disk,
            access_log,
            stopping: AtomicBool::new(false),
            fate: Arc::new(Fate::new(Arc::clone(&store))),
            validators,
            store,
            genesis: config.genesis.clone(),
            signer: Arc::clone(&config.signer),
            clock: Arc::clone(&config.clock),
            outbox: Arc::default(),
            wake: Arc::default(),
            consensus: Arc::default(),
            links: OnceLock::new(),
            oversight,
            push,
        });
        let application = ChainApplication {
            store: Arc::clone(&shared.store),
            validators: Arc::clone(&shared.validators),
            point,
            clock: Arc::clone(&shared.clock),
            desk: Arc::clone(&shared.desk),
            keys: Arc::clone(&shared.keys),
            ring: KeyRing::default(),
            pending: Arc::clone(&shared.pending),
            head: head_sender,
            built: None,
            checked: None,
            outbox: Arc::clone(&shared.outbox),
            planted: Planted::default(),
            intake: Arc::new(Intake {
                store: Arc::clone(&shared.store),
                keys: Arc::clone(&shared.keys),
                queue: Arc::clone(&shared.queue),
                fate: Arc::clone(&shared.fate),
                waiting_bytes: Arc::clone(&shared.waiting_bytes),
                refused: AtomicU64::new(0),
            }),
        };
        let engine = engine(&config, &shared)?;
        let ended = run(&shared, application, engine, verifiers)?;
        if let Some(figures) = &shared.oversight {
            let genesis = config.genesis.hash();
            figures
                .start(&shared.store, genesis, shared.head.clone(), &shared.disk)
                .map_err(|error| StartError::Thread(error.to_string()))?;
        }
        shared.push.start();
        sync_access_log(&shared);
        Ok((Self { shared }, ended))
    }

    /// The other nodes from now on: links to those that stay are kept. Nothing happens on a chain
    /// with one validator, or when the engine has ended.
    ///
    /// # Errors
    /// There are too many, or no other node at all, as at the start; the list stays as it was.
    pub fn set_peers(&self, peers: Vec<Peer>) -> Result<(), StartError> {
        let Some(links) = self.shared.links.get() else {
            return Ok(());
        };
        let next = self.shared.head.borrow().saturating_add(1);
        let validators = self.shared.validators.at(next).validators().len();
        if validators > 1 && names_nobody(&peers, &self.shared.signer.public_key().kid()) {
            return Err(StartError::PeersMissing { validators });
        }
        Ok(links.set_peers(peers).map_err(LinksError::from)?)
    }

    /// Takes nothing new; the engine ends when everything that was taken is final.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.queue.close();
        self.shared.wake.stop();
        self.shared.push.ask_to_stop();
        if let Err(error) = self.shared.access_log.sync() {
            tracing::error!(%error, "the access log was not synced");
        }
    }
}

/// Whether a list of peers has no node but this one.
fn names_nobody(peers: &[Peer], own: &Kid) -> bool {
    peers.iter().all(|peer| peer.kid() == *own)
}

/// Starts the threads of the pipeline. The receiver tells how the engine ended.
fn run(
    shared: &Arc<Shared>,
    mut application: ChainApplication,
    engine: impl Engine + Send + 'static,
    verifiers: usize,
) -> Result<oneshot::Receiver<Stopped>, StartError> {
    for number in 0..verifiers {
        let verifier = Verifier {
            queue: Arc::clone(&shared.queue),
            desk: Arc::clone(&shared.desk),
            pending: Arc::clone(&shared.pending),
            messages: shared.messages.clone(),
            outbox: Arc::clone(&shared.outbox),
        };
        spawn(&format!("verify-{number}"), move || verifier.run())?;
    }
    let sequencer = Sequencer {
        store: Arc::clone(&shared.store),
        desk: Arc::clone(&shared.desk),
        clock: Arc::clone(&shared.clock),
        outbox: Arc::clone(&shared.outbox),
        pending: Arc::clone(&shared.pending),
        time: application.point.time,
        log_size: application.point.frontier.size(),
        height: application.point.height,
        carried: VecDeque::new(),
    };
    spawn("sequencer", move || sequencer.run())?;
    let (ended, end) = oneshot::channel();
    let watched = Arc::clone(shared);
    let figures = shared.oversight.clone();
    let push = Arc::clone(&shared.push);
    spawn("storer", move || {
        let ending = Ending(watched);
        let result = engine.run(&mut application);
        if let Err(error) = &result {
            tracing::error!(%error, "the engine stopped");
            // First the reason, then the end: whoever waits is told why.
            ending.0.fate.fail();
        }
        drop(application);
        drop(ending);
        // Whoever hears of the end may open the folder again.
        if let Some(figures) = figures {
            figures.stop();
        }
        push.stop();
        drop(push);
        let _ = ended.send(result);
    })?;
    Ok(end)
}

/// Ends the pipeline with its engine, however that ended: nobody waits for what will not come.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fate.fail();
        }
        self.0.queue.abort();
        self.0.desk.abort();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|error| StartError::Thread(error.to_string()))
}

/// A lone validator has nobody who remembers what it signed: after a restoration it starts only
/// when somebody accepted the loss by taking the mark away.
fn remembers_all(config: &NodeConfig, shared: &Shared) -> Result<(), StartError> {
    let path = files::restored(&config.data);
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(StartError::LostBlocks {
            height: *shared.head.borrow(),
        }),
        Err(error) => Err(StartError::Restored {
            path,
            fault: error.to_string(),
        }),
    }
}

/// When this node first started after its folder was restored; `None` when it never was. The first
/// start writes the time into the mark, durably, before anything is signed. It is not before the
/// store's last block, `last`, whatever the clock says: a slow clock must not end the wait.
fn first_start_since_restored(
    config: &NodeConfig,
    last: Instant,
) -> Result<Option<Instant>, StartError> {
    let path = files::restored(&config.data);
    let failed = |fault: &dyn std::fmt::Display| StartError::Restored {
        path: path.clone(),
        fault: fault.to_string(),
    };
    let mark = match std::fs::read_to_string(&path) {
        Ok(mark) => mark,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    if !mark.trim().is_empty() {
        let unreadable = |_| {
            failed(
                &"不是时间；清空此文件即重新开始等待 / is no time; empty the file, and the wait begins anew",
            )
        };
        return Instant::parse_rfc3339(mark.trim())
            .map(Some)
            .map_err(unreadable);
    }
    let now = (config.clock)().max(last);
    let mark = format!("{}\n", now.to_rfc3339_utc8());
    files::write_whole(&path, mark.as_bytes(), files::PUBLIC).map_err(|error| failed(&error))?;
    Ok(Some(now))
}

fn open(config: &NodeConfig) -> Result<Store, OpenError> {
    Store::open(
        &config.data,
        &OpenOptions {
            genesis_hash: config.genesis.hash(),
            certified: &|state, header, certificate| {
                certified(&config.genesis, state, header, certificate)
            },
            cache_bytes: config.cache_bytes,
            tuning: Tuning::default(),
        },
    )
}

/// Executes the last blocks again, by the code that runs live, and compares the state.
pub(super) fn replay_tail(store: &Store, genesis: &Genesis) -> Result<ChainPoint, StartError> {
    let mut tail = store.tail_for_replay()?;
    while let Some(stored) = tail.next_block()? {
        let header = &stored.block.header;
        let point = point_before(store, genesis, header.height)?;
        let executed = execute_block(&point, &tail, &stored.block, Signatures::Trust)
            .map_err(|fault: BlockFault<_>| StartError::Block(fault.to_string()))?;
        tail.advance(executed.changes)?;
    }
    tail.finish()?;
    let snapshot = store.snapshot()?;
    let head = snapshot.head();
    Ok(ChainPoint {
        chain_id: genesis.chain_id().clone(),
        height: head.height,
        block_id: head.block_id,
        time: Instant::from_ms(head.time_ms),
        frontier: head.frontier.clone(),
    })
}

/// Where the chain stood before a stored block.
fn point_before(store: &Store, genesis: &Genesis, height: u64) -> Result<ChainPoint, StartError> {
    let snapshot = store.snapshot()?;
    let genesis_point = ChainPoint::genesis(genesis);
    let Some(previous) = snapshot.outline(height.saturating_sub(1))? else {
        return Ok(genesis_point);
    };
    let frontier: Frontier = snapshot.frontier_at(previous.header.log_size)?;
    Ok(genesis_point.after(&previous.header, frontier))
}

/// Syncs the access log while the node lives.
fn sync_access_log(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(ACCESS_LOG_SYNC);
        loop {
            ticks.tick().await;
            let Some(shared) = weak.upgrade() else { return };
            let synced = tokio::task::spawn_blocking(move || shared.access_log.sync()).await;
            if let Ok(Err(error)) = synced {
                tracing::error!(%error, "the access log was not synced");
            }
        }
    });
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
