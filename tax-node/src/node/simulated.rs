//! A whole node of a consortium without threads, sockets or clocks: for simulations.
//!
//! It is put together from the parts of the real one: the participant over the chain's application,
//! the store and the log of votes on a simulated disk, and the pipeline, whose stages take turns in
//! the caller's thread. Nothing here depends on time or chance, so a run repeats from its seed.

mod disk;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use consensus::{LogEntry, Machine, Timeouts};
use invoice_api::registry::Submission;
use invoice_core::apply::{ChainPoint, KeyRing, Verdict};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Block, Certificate, Genesis, Outcome};
use invoice_core::crypto::{Hash, Signer, sm3};
use invoice_core::state::{Table, TypedState};
use tokio::sync::{oneshot, watch};

use super::admission::{self, Messages};
use super::application::ChainApplication;
use super::clock::Clock;
use super::intake::Intake;
use super::key_cache::{KeyCache, KnownKey};
use super::pipeline::desk::Desk;
use super::pipeline::lanes::Waiting;
use super::pipeline::outbox::Outbox;
use super::pipeline::pending::Pending;
use super::pipeline::queue::Queue;
use super::pipeline::reply::{self, Decision, Fate, Told};
use super::pipeline::sequencer::Sequencer;
use super::pipeline::verify::Verifier;
use super::registry::NodeError;
use super::start::replay_tail;
use super::validators::{Validators, certified};
use crate::engine::Planted;
use crate::engine::consortium::{
    Action, ConsortiumError, Event, LogDisk, LogFile, Participant, Tuning, VoteLog,
};
use crate::store::{self, Files, OpenOptions, Store};

pub use disk::SimulatedDisk;

/// Memory for the store's pages, in bytes.
const CACHE_BYTES: usize = 256 * 1024;
/// Young blocks go into files when they take so much memory, in bytes.
const FLUSH_BYTES: usize = 16 * 1024;
/// Where the simulated files lie.
const FOLDER: &str = "/node";

/// What a node is opened with.
#[derive(Clone)]
pub struct SimulatedConfig {
    /// The genesis file.
    pub genesis: Genesis,
    /// The node's key.
    pub signer: Arc<dyn Signer>,
    /// Its clock.
    pub clock: Clock,
    /// How long the steps of a round take.
    pub timeouts: Timeouts,
    /// Other times.
    pub tuning: Tuning,
    /// When it first started after its disk was put back by the command.
    pub restored: Option<Instant>,
    /// A fault that is to be caught.
    pub planted: Planted,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It is final, at this index of the log.
    Recorded {
        /// The index.
        index: u64,
        /// The outcome beside it.
        outcome: Outcome,
    },
    /// It was final before, at this index.
    Replayed {
        /// The index.
        index: u64,
    },
    /// It leaves no trace.
    Refused,
}

/// What is told of an envelope: facts, or that nothing is known.
pub type Answer = Option<Vec<Fact>>;

/// Where the answer to an envelope will be.
pub struct Answers(oneshot::Receiver<Vec<Option<Told>>>);

impl Answers {
    /// The answer, once it is there.
    pub fn poll(&mut self) -> Option<Answer> {
        match self.0.try_recv() {
            Ok(told) => Some(told.into_iter().flatten().next().and_then(facts)),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(None),
        }
    }
}

fn facts(told: Told) -> Answer {
    let answered = told.ok()?;
    let decided = answered.decided.map(|decided| decided.decisions);
    let facts = decided
        .unwrap_or_default()
        .into_iter()
        .map(|one| match one {
            Decision::Recorded { index, outcome } => Fact::Recorded { index, outcome },
            Decision::ByAnother { index, .. }
            | Decision::NotNow(Verdict::Replayed { index, .. }) => Fact::Replayed { index },
            Decision::NotNow(
                Verdict::Recorded(_)
                | Verdict::IdReused
                | Verdict::Inadmissible(_)
                | Verdict::Aborted,
            ) => Fact::Refused,
        });
    Some(facts.collect())
}

/// A running node.
pub struct SimulatedNode {
    participant: Participant<ChainApplication, LogFile>,
    verifier: Verifier,
    sequencer: Sequencer,
    store: Arc<Store>,
    keys: Arc<KeyCache>,
    queue: Arc<Queue>,
    desk: Arc<Desk>,
    fate: Arc<Fate>,
    waiting_bytes: Arc<AtomicUsize>,
    woken: Arc<AtomicBool>,
}

impl SimulatedNode {
    /// Opens what is on the disk, and tells what the log remembers of the next height.
    ///
    /// # Errors
    /// It does not open, or does not verify.
    pub fn open(
        disk: &SimulatedDisk,
        config: &SimulatedConfig,
    ) -> Result<(Self, Vec<LogEntry>), String> {
        let files: Arc<dyn Files> = Arc::new(disk.files.clone());
        let genesis = &config.genesis;
        let options = OpenOptions {
            genesis_hash: genesis.hash(),
            certified: &|state, header, certificate| certified(genesis, state, header, certificate),
            cache_bytes: CACHE_BYTES,
            tuning: store::Tuning {
                flush_bytes: FLUSH_BYTES,
                inline: true,
                ..store::Tuning::default()
            },
        };
        let store = Store::open_on(disk.engine.backend(), &files, Path::new(FOLDER), &options);
        let store = Arc::new(store.map_err(text)?);
        let point = replay_tail(&store, genesis).map_err(text)?;
        let snapshot = store.snapshot().map_err(text)?;
        let validators = Arc::new(Validators::load(&snapshot, genesis).map_err(text)?);
        drop(snapshot);

        let keys = Arc::new(KeyCache::new(point.time));
        let queue = Arc::new(Queue::in_turns());
        let desk = Arc::new(Desk::in_turns());
        let pending = Arc::<Pending>::default();
        let outbox = Arc::<Outbox>::default();
        let fate = Arc::new(Fate::new(Arc::clone(&store)));
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let woken = Arc::<AtomicBool>::default();
        let wake = Arc::clone(&woken);
        outbox.connect(Box::new(move || wake.store(true, Ordering::Relaxed)));

        let verifier = Verifier {
            queue: Arc::clone(&queue),
            desk: Arc::clone(&desk),
            pending: Arc::clone(&pending),
            messages: Messages::new(genesis.chain_id().clone()),
            outbox: Arc::clone(&outbox),
        };
        let sequencer = Sequencer {
            store: Arc::clone(&store),
            desk: Arc::clone(&desk),
            clock: Arc::clone(&config.clock),
            outbox: Arc::clone(&outbox),
            pending: Arc::clone(&pending),
            time: point.time,
            log_size: point.frontier.size(),
            height: point.height,
            carried: VecDeque::new(),
        };
        let (head, _) = watch::channel(point.height);
        let next = point.height.saturating_add(1);
        let application = ChainApplication {
            store: Arc::clone(&store),
            validators,
            point,
            clock: Arc::clone(&config.clock),
            desk: Arc::clone(&desk),
            keys: Arc::clone(&keys),
            ring: KeyRing::default(),
            pending,
            head,
            built: None,
            checked: None,
            outbox,
            planted: config.planted,
            intake: Arc::new(Intake {
                store: Arc::clone(&store),
                keys: Arc::clone(&keys),
                queue: Arc::clone(&queue),
                fate: Arc::clone(&fate),
                waiting_bytes: Arc::clone(&waiting_bytes),
                refused: AtomicU64::new(0),
            }),
        };
        let place = LogDisk {
            disk: disk.log.clone(),
            machine: disk.engine.clone(),
        };
        let mut log = VoteLog::<LogFile>::open(Path::new(""), place).map_err(text)?;
        let logged = log.entries(next).map_err(text)?;
        let kid = config.signer.public_key().kid();
        let chain = genesis.chain_id().clone();
        let machine = Machine::new(chain, Arc::clone(&config.signer), config.timeouts);
        let participant = Participant::new(application, machine, kid, log, config.tuning.clone());
        let mut participant = participant.map_err(text)?;
        participant.plant(config.planted);
        if let Some(at) = config.restored {
            participant.restored(at);
        }
        let node = Self {
            participant,
            verifier,
            sequencer,
            store,
            keys,
            queue,
            desk,
            fate,
            waiting_bytes,
            woken,
        };
        Ok((node, logged))
    }

    /// What a node does first.
    ///
    /// # Errors
    /// As [`Participant::start`].
    pub fn start(&mut self) -> Result<Vec<Action>, ConsortiumError> {
        let done = self.participant.start();
        self.ended(done)
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// As [`Participant::handle`].
    pub fn handle(&mut self, event: Event) -> Result<Vec<Action>, ConsortiumError> {
        let done = self.participant.handle(event);
        self.ended(done)
    }

    fn ended<T>(&self, done: Result<T, ConsortiumError>) -> Result<T, ConsortiumError> {
        if done.is_err() {
            self.fate.fail();
            self.queue.abort();
            self.desk.abort();
        }
        done
    }

    /// The stages of the pipeline take their turns, as far as they get. True when the participant
    /// is to be told of it by [`Event::Records`].
    pub fn turn(&mut self) -> bool {
        self.verifier.turn();
        self.sequencer.turn();
        self.woken.swap(false, Ordering::Relaxed)
    }

    /// Hands an envelope of a member in.
    pub fn submit(&mut self, submission: Submission) -> Answers {
        let size = submission.records.iter().map(Bytes::len).sum();
        let (slots, answers) = reply::group(&self.fate, &self.waiting_bytes, &[size]);
        for slot in slots {
            let Some(kid) = admission::kid_of(&submission) else {
                break;
            };
            let read = || -> Result<_, NodeError> {
                let snapshot = self.store.snapshot()?;
                Ok(KnownKey::read(&TypedState(&snapshot), &kid)?)
            };
            if let Ok(key) = self.keys.get(&kid, read) {
                self.queue.push(vec![Waiting {
                    submission: submission.clone(),
                    key,
                    slot,
                    peer: None,
                }]);
            }
        }
        Answers(answers)
    }

    /// Where the chain stands, as far as it is durable.
    #[must_use]
    pub fn point(&self) -> &ChainPoint {
        &self.participant.application().point
    }

    /// How many peers there are, and the height that is believed of them.
    pub fn peers_and_highest(&self) -> (u64, u64) {
        self.participant.peers_and_highest()
    }

    /// A block of the store.
    #[must_use]
    pub fn block(&self, height: u64) -> Option<(Block, Certificate)> {
        let snapshot = self.store.snapshot().ok()?;
        let stored = snapshot.block(height).ok()??;
        Some((stored.block, stored.certificate))
    }

    /// A digest of every entry of the state.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn state_digest(&self) -> Result<Hash, String> {
        let snapshot = self.store.snapshot().map_err(text)?;
        let mut rows = Rows::default();
        for table in Table::ALL {
            let mut visit = |key: &[u8], value: &[u8]| rows.add(table, key, value);
            snapshot.state_rows(table, &mut visit).map_err(text)?;
        }
        Ok(rows.digest())
    }
}

/// The entries of a state, to be compared.
#[derive(Debug, Default)]
pub struct Rows(Vec<u8>);

impl Rows {
    /// The next entry, in the order of tables and keys.
    pub fn add(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.0.push(table.number());
        for part in [key, value] {
            self.0.extend_from_slice(&(part.len() as u64).to_be_bytes());
            self.0.extend_from_slice(part);
        }
    }

    /// A digest of all of them.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sm3(&[&self.0])
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
