//! Opening the store, replaying its tail, and starting the engine.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use invoice_core::apply::{BlockFault, ChainPoint, Signatures, execute_block, genesis_changes};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, GenesisError};
use invoice_core::crypto::{Kid, Signer};
use invoice_core::merkle::Frontier;
use tokio::sync::{Semaphore, oneshot, watch};

use super::access_log::{AccessLog, AccessLogError};
use super::application::ChainApplication;
use super::clock::Clock;
use super::disk::Disk;
use super::job::{JOBS_WAITING_MAX, Job};
use super::pending::Pending;
use crate::engine::{Engine, EngineError, Solo};
use crate::store::{NewChain, OpenError, OpenOptions, ReadError, ReplayError, Store, Tuning};

/// Envelopes whose signatures wait for the pool; more are answered 503.
const ADMISSIONS_WAITING_MAX: usize = 4_096;
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
    /// The validator's key.
    pub signer: Box<dyn Signer>,
    /// Tells the time.
    pub clock: Clock,
    /// Memory for the store's pages, in bytes.
    pub cache_bytes: usize,
    /// Free bytes below which new records are refused.
    pub disk_reserve_bytes: u64,
    /// Threads that verify signatures.
    pub verify_threads: usize,
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
    /// The access log cannot be opened.
    #[error(transparent)]
    AccessLog(#[from] AccessLogError),
    /// The key is not the chain's only validator.
    #[error("key {0} is not a validator of this chain: use the key that the genesis file names")]
    NotValidator(Kid),
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
    pub(super) clock: Clock,
    pub(super) pool: rayon::ThreadPool,
    pub(super) admissions: Arc<Semaphore>,
    pub(super) reads: Arc<Semaphore>,
    /// `None` once the node takes nothing any more; the engine then finishes what it has.
    pub(super) jobs: Mutex<Option<SyncSender<Job>>>,
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    pub(super) pending: Arc<Pending>,
    pub(super) head: watch::Receiver<u64>,
    pub(super) disk: Arc<Disk>,
    pub(super) access_log: AccessLog,
    pub(super) stopping: AtomicBool,
    pub(super) engine_failed: AtomicBool,
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
        let kid = config.signer.public_key().kid();
        let validators = Arc::new(config.genesis.validators().clone());
        if !validators
            .validators()
            .iter()
            .any(|validator| validator.public_key.kid() == kid)
        {
            return Err(StartError::NotValidator(kid));
        }
        let store = Arc::new(open(&config)?);
        let point = replay_tail(&store, &config.genesis)?;
        let access_log = AccessLog::open(&config.data)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(config.verify_threads)
            .thread_name(|number| format!("verify-{number}"))
            .panic_handler(|_| tracing::error!("a verification panicked: please report it"))
            .build()
            .map_err(|error| StartError::Thread(error.to_string()))?;
        let disk = Disk::new(&config.data, config.disk_reserve_bytes);
        Disk::watch(&disk);
        let (jobs, waiting) = sync_channel(JOBS_WAITING_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let (head_sender, head) = watch::channel(point.height);
        let mut application = ChainApplication::new(
            Arc::clone(&store),
            validators,
            point,
            Arc::clone(&config.clock),
            waiting,
            Arc::clone(&waiting_bytes),
            head_sender,
        );
        let shared = Arc::new(Shared {
            store,
            genesis: config.genesis,
            clock: config.clock,
            pool,
            admissions: Arc::new(Semaphore::new(ADMISSIONS_WAITING_MAX)),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE_MAX)),
            jobs: Mutex::new(Some(jobs)),
            waiting_bytes,
            pending: Arc::new(Pending::default()),
            head,
            disk,
            access_log,
            stopping: AtomicBool::new(false),
            engine_failed: AtomicBool::new(false),
        });
        let engine = Solo::new(config.signer);
        let (ended, end) = oneshot::channel();
        let watched = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let result = engine.run(&mut application);
                if let Err(error) = &result {
                    watched.engine_failed.store(true, Ordering::Release);
                    tracing::error!(%error, "the engine stopped");
                }
                drop(application);
                let _ = ended.send(result);
            })
            .map_err(|error| StartError::Thread(error.to_string()))?;
        sync_access_log(&shared);
        Ok((Self { shared }, end))
    }

    /// Takes nothing new; the engine ends when everything that was taken is final.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Err(error) = self.shared.access_log.sync() {
            tracing::error!(%error, "the access log was not synced");
        }
    }
}

fn open(config: &NodeConfig) -> Result<Store, OpenError> {
    let (validators, chain_id) = (config.genesis.validators(), config.genesis.chain_id());
    Store::open(
        &config.data,
        &OpenOptions {
            genesis_hash: config.genesis.hash(),
            certified: &|_, certificate| certificate.verify(validators, chain_id).is_ok(),
            cache_bytes: config.cache_bytes,
            tuning: Tuning::default(),
        },
    )
}

/// Executes the last blocks again, by the code that runs live, and compares the state.
fn replay_tail(store: &Store, genesis: &Genesis) -> Result<ChainPoint, StartError> {
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
