//! What a block means: built from verified envelopes, executed, compared, committed, answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use invoice_api::registry::{Unavailable, UnavailableReason};
use invoice_core::apply::{
    BlockFault, BlockPosition, ChainPoint, Executed, Execution, Recorded, Signatures, Verdict,
    execute_block,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::{
    Authorization, Block, BlockEnvelope, Certificate, ChainId, Entry, Header, Leaf, ValidatorSet,
};
use invoice_core::crypto::Hash;
use invoice_core::merkle::Frontier;
use invoice_core::state::{Changes, Overlay, StateView};
use tokio::sync::watch;

use super::clock::Clock;
use super::index_rows::rows_over;
use super::job::{Form, Job};
use crate::engine::{Application, Build, Fatal, Validity};
use crate::seed::fresh_seed;
use crate::store::{CommittedBlock, IndexRows, Snapshot, Store};

/// Records after which a block takes no further envelope.
pub(super) const BLOCK_RECORDS_TARGET: usize = 4_096;
/// Bytes of records after which a block takes no further envelope.
pub(super) const BLOCK_BYTES_TARGET: usize = 2 * 1024 * 1024;
/// How long [`Application::build`] waits for the first record.
const IDLE_WAIT: Duration = Duration::from_millis(500);
/// How far a proposed block's time may be ahead of this node's clock.
const CLOCK_SKEW_MAX_MS: i64 = 5_000;

/// The chain of this node.
pub(super) struct ChainApplication {
    store: Arc<Store>,
    validators: Arc<ValidatorSet>,
    point: ChainPoint,
    clock: Clock,
    jobs: Receiver<Job>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Envelopes that go first: they did not fit, or their block was not the one decided.
    carried: VecDeque<Job>,
    built: Option<Built>,
    head: watch::Sender<u64>,
}

/// The block that this node proposes, executed, with those who wait for it.
struct Built {
    block_id: Hash,
    executed: Executed,
    waiting: Vec<(Job, Vec<Verdict>)>,
}

impl ChainApplication {
    pub(super) fn new(
        store: Arc<Store>,
        validators: Arc<ValidatorSet>,
        point: ChainPoint,
        clock: Clock,
        jobs: Receiver<Job>,
        waiting_bytes: Arc<AtomicUsize>,
        head: watch::Sender<u64>,
    ) -> Self {
        Self {
            store,
            validators,
            point,
            clock,
            jobs,
            waiting_bytes,
            carried: VecDeque::new(),
            built: None,
            head,
        }
    }

    /// The envelopes of the next block: the first that comes, and all that wait behind it.
    fn gather(&mut self) -> Result<Vec<Job>, Build> {
        let first = match self.carried.pop_front() {
            Some(job) => job,
            None => match self.jobs.recv_timeout(IDLE_WAIT) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => return Err(Build::Idle),
                Err(RecvTimeoutError::Disconnected) => return Err(Build::Finished),
            },
        };
        let (mut records, mut bytes) = (first.records.len(), first.bytes());
        let mut jobs = vec![first];
        while let Some(job) = self
            .carried
            .pop_front()
            .or_else(|| self.jobs.try_recv().ok())
        {
            records = records.saturating_add(job.records.len());
            bytes = bytes.saturating_add(job.bytes());
            if records > BLOCK_RECORDS_TARGET || bytes > BLOCK_BYTES_TARGET {
                self.carried.push_front(job);
                break;
            }
            jobs.push(job);
        }
        Ok(jobs)
    }

    fn execute(&mut self, jobs: Vec<Job>) -> Result<(Block, Built), Fatal> {
        let snapshot = self.store.snapshot().map_err(fatal)?;
        let next_ms = self.point.time.ms().saturating_add(1);
        let time = (self.clock)().max(Instant::from_ms(next_ms));
        let first_index = self.point.frontier.size();
        let mut execution = Execution::new(&snapshot, BlockPosition { time, first_index });
        let mut assembly = Assembly::new(self.point.frontier.clone());
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs {
            let verdicts = run(&mut execution, &job).map_err(fatal)?;
            assembly.add(&job, &verdicts)?;
            waiting.push((job, verdicts));
        }
        let changes = execution.finish();
        let header = Header {
            chain_id: self.point.chain_id.clone(),
            height: self.next_height(),
            time_ms: time.ms(),
            previous: self.point.block_id,
            first_index,
            count: u32::try_from(assembly.leaf_hashes.len()).map_err(fatal)?,
            log_size: assembly.frontier.size(),
            log_root: assembly.frontier.root(),
            effects_root: changes.root(),
            validators: self.validators.digest(),
        };
        let block_id = header.id();
        let block = Block {
            header,
            envelopes: assembly.envelopes,
        };
        let executed = Executed {
            changes,
            leaf_hashes: assembly.leaf_hashes,
            frontier: assembly.frontier,
            records: assembly.records,
        };
        Ok((
            block,
            Built {
                block_id,
                executed,
                waiting,
            },
        ))
    }

    fn answer(&self, waiting: Vec<(Job, Vec<Verdict>)>) {
        for (job, verdicts) in waiting {
            self.forget(&job);
            // Whoever asked may have gone; the record is final all the same.
            let _ = job.reply.send(Ok(verdicts));
        }
    }

    /// The envelope waits no longer.
    fn forget(&self, job: &Job) {
        self.waiting_bytes.fetch_sub(job.bytes(), Ordering::AcqRel);
    }
}

impl Application for ChainApplication {
    fn chain_id(&self) -> &ChainId {
        &self.point.chain_id
    }

    fn next_height(&self) -> u64 {
        self.point.height.saturating_add(1)
    }

    fn validators(&self, _height: u64) -> Arc<ValidatorSet> {
        Arc::clone(&self.validators)
    }

    fn build(&mut self) -> Result<Build, Fatal> {
        // A proposal that was never decided: its records go first.
        if let Some(built) = self.built.take() {
            self.carried
                .extend(built.waiting.into_iter().map(|(job, _)| job));
        }
        let jobs = match self.gather() {
            Ok(jobs) => jobs,
            Err(nothing) => return Ok(nothing),
        };
        let (block, built) = self.execute(jobs)?;
        if block.header.count == 0 {
            // Nothing to record: every answer stands as of the last block.
            self.answer(built.waiting);
            return Ok(Build::Idle);
        }
        self.built = Some(built);
        Ok(Build::Block(Box::new(block)))
    }

    fn check(&mut self, block: &Block) -> Result<Validity, Fatal> {
        let invalid = |reason: String| Ok(Validity::Invalid { reason });
        if block.header.validators != self.validators.digest() {
            return invalid("its header names other validators".to_owned());
        }
        let latest = (self.clock)().ms().saturating_add(CLOCK_SKEW_MAX_MS);
        if block.header.time_ms > latest.max(self.point.time.ms().saturating_add(1)) {
            return invalid("its time lies ahead of this node's clock".to_owned());
        }
        if self
            .built
            .as_ref()
            .is_some_and(|built| built.block_id == block.header.id())
        {
            // Built here over the same state: its digests come from this very execution.
            return Ok(Validity::Valid);
        }
        let snapshot = self.store.snapshot().map_err(fatal)?;
        let signatures = verify_all()?;
        match execute_block(&self.point, &snapshot, block, signatures) {
            Ok(_) => Ok(Validity::Valid),
            Err(BlockFault::Invalid { reason, .. }) => invalid(reason.to_string()),
            Err(BlockFault::State(fault)) => Err(fatal(fault)),
        }
    }

    fn commit(&mut self, block: Block, certificate: Certificate) -> Result<(), Fatal> {
        if block.header.height <= self.point.height {
            return Ok(());
        }
        let snapshot = self.store.snapshot().map_err(fatal)?;
        let (executed, waiting) = match self.built.take() {
            Some(built) if built.block_id == block.header.id() => (built.executed, built.waiting),
            other => {
                if let Some(built) = other {
                    self.carried
                        .extend(built.waiting.into_iter().map(|(job, _)| job));
                }
                let executed =
                    execute_block(&self.point, &snapshot, &block, verify_all()?).map_err(fatal)?;
                (executed, Vec::new())
            }
        };
        let rows = rows_of(&snapshot, &block, &executed.changes, &executed.records)?;
        drop(snapshot);
        self.store
            .commit_block(&CommittedBlock {
                block: &block,
                certificate: &certificate,
                changes: &executed.changes,
                leaf_hashes: &executed.leaf_hashes,
                rows: &rows,
            })
            .map_err(fatal)?;
        // The block is durable from here on: only now may anyone hear of it.
        self.point = self.point.after(&block.header, executed.frontier);
        self.head.send_replace(self.point.height);
        self.answer(waiting);
        Ok(())
    }
}

impl Drop for ChainApplication {
    /// Whoever still waits learns that the node stops, instead of waiting for ever.
    fn drop(&mut self) {
        let stopped = Unavailable {
            reason: if self.store.stopped() {
                UnavailableReason::StorageFailed
            } else {
                UnavailableReason::Stopping
            },
            retry_after_seconds: 5,
        };
        let built = self
            .built
            .take()
            .map(|built| built.waiting)
            .unwrap_or_default();
        let waiting = built.into_iter().map(|(job, _)| job);
        for job in waiting
            .chain(self.carried.drain(..))
            .chain(self.jobs.try_iter())
        {
            self.waiting_bytes.fetch_sub(job.bytes(), Ordering::AcqRel);
            let _ = job.reply.send(Err(stopped));
        }
    }
}

/// The index rows of an executed block. Members that the block itself admits are in its changes.
fn rows_of(
    snapshot: &Snapshot,
    block: &Block,
    changes: &Changes,
    records: &[Recorded],
) -> Result<IndexRows, Fatal> {
    let after = Overlay {
        base: snapshot,
        changes,
    };
    rows_over(&after, block, records).map_err(fatal)
}

/// Verifies every signature of a block, with a seed that nobody could know before.
fn verify_all() -> Result<Signatures, Fatal> {
    let seed = fresh_seed().map_err(fatal)?;
    Ok(Signatures::Verify { seed })
}

/// Executes one envelope.
fn run<V: StateView>(
    execution: &mut Execution<'_, V>,
    job: &Job,
) -> Result<Vec<Verdict>, invoice_core::state::Fault<V::Error>> {
    match &job.form {
        Form::Batch { atomic: true, .. } => {
            let candidates: Vec<_> = job.records.iter().map(|record| &record.candidate).collect();
            execution.execute_atomic(&candidates)
        }
        Form::Single | Form::Batch { atomic: false, .. } => job
            .records
            .iter()
            .map(|record| execution.execute(&record.candidate))
            .collect(),
    }
}

/// The body of a block while it grows.
struct Assembly {
    frontier: Frontier,
    leaf_hashes: Vec<Hash>,
    envelopes: Vec<BlockEnvelope>,
    records: Vec<Recorded>,
}

impl Assembly {
    fn new(frontier: Frontier) -> Self {
        Self {
            frontier,
            leaf_hashes: Vec::new(),
            envelopes: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Adds what of an envelope goes on the chain.
    fn add(&mut self, job: &Job, verdicts: &[Verdict]) -> Result<(), Fatal> {
        let mut entries = Vec::new();
        let mut on_chain = Vec::new();
        for (submitted, verdict) in job.records.iter().zip(verdicts) {
            let recorded = match verdict {
                Verdict::Recorded(recorded) => recorded,
                Verdict::Replayed { .. }
                | Verdict::IdReused
                | Verdict::Inadmissible(_)
                | Verdict::Aborted => continue,
            };
            let leaf = Leaf {
                kid: job.kid,
                record: &submitted.bytes,
                outcome: &recorded.outcome,
            };
            let hash = leaf.hash().map_err(fatal)?;
            self.frontier.push(hash);
            self.leaf_hashes.push(hash);
            self.records.push(recorded.clone());
            on_chain.push(submitted.position);
            entries.push(Entry {
                record: submitted.bytes.clone(),
                outcome: recorded.outcome.clone(),
            });
        }
        if !entries.is_empty() {
            let authorization = authorization(job, &on_chain)?;
            self.envelopes.push(BlockEnvelope {
                authorization,
                entries,
            });
        }
        Ok(())
    }
}

/// What proves the signature of an envelope when some of its records are not on the chain.
fn authorization(job: &Job, on_chain: &[usize]) -> Result<Authorization, Fatal> {
    let (kid, signature) = (job.kid, job.signature);
    match &job.form {
        Form::Single => Ok(Authorization::Single { kid, signature }),
        Form::Batch {
            atomic,
            leaf_hashes,
        } => {
            let mut omitted = Vec::new();
            for (position, hash) in leaf_hashes.iter().enumerate() {
                if on_chain.binary_search(&position).is_err() {
                    omitted.push((u32::try_from(position).map_err(fatal)?, *hash));
                }
            }
            let count = u32::try_from(leaf_hashes.len()).map_err(fatal)?;
            Ok(Authorization::Batch {
                kid,
                signature,
                atomic: *atomic,
                count,
                omitted,
            })
        }
    }
}

fn fatal(error: impl std::fmt::Display) -> Fatal {
    Fatal(error.to_string())
}
