//! What a block means: cut from executed envelopes, compared, committed, answered.
//!
//! The engine's thread runs this. It asks the sequencer for a block whenever it is free, agrees
//! (alone, or with others), writes, and answers. How the port maps to the pipeline:
//!
//! - `build` takes what the sequencer has executed. It may have executed the beginning of the
//!   block after it already; nobody outside sees that.
//! - `check` accepts the block that was built here by its id, since its digests come from that
//!   very execution, and executes any other over the last committed state. What comes as final
//!   from a peer is always executed: the peer may have put another body under its header.
//! - `commit` stores. When the block that was decided is not the one that was built, what the
//!   sequencer executed over it is thrown away, and its envelopes are executed again, first and in
//!   their order.
//!
//! An engine of several validators therefore sees one height at a time over committed state, as it
//! must; only the execution of this node's own next proposal runs ahead, by one block.

use std::sync::Arc;

use bytes::Bytes;

use invoice_core::apply::{
    BlockFault, ChainPoint, Executed, InvalidBlock, KeyRing, Recorded, Signatures, execute_block,
};
use invoice_core::calendar::Instant;
use invoice_core::chain::{
    Authorization, Block, Certificate, ChainId, Header, ValidatorSet, leaf_hashes,
};
use invoice_core::crypto::{Hash, Kid};
use invoice_core::merkle::Frontier;
use invoice_core::state::{Changes, Overlay};
use tokio::sync::watch;

use super::clock::Clock;
use super::index_rows::rows_over;
use super::intake::Intake;
use super::key_cache::KeyCache;
use super::pipeline::desk::{Desk, Given, Restart};
use super::pipeline::fresh::FreshBlock;
use super::pipeline::outbox::Outbox;
use super::pipeline::pending::Pending;
use super::pipeline::seal::{Sealed, Waiting, seal};
use super::validators::Validators;
use crate::engine::consortium::frames::DecidedBlock;
use crate::engine::{
    Application, Build, BuildRequest, CLOCK_SKEW_MAX_MS, Fatal, Fault, Planted, Replica, Validity,
};
use crate::seed::fresh_seed;
use crate::store::{CommittedBlock, IndexRows, Snapshot, Store};

/// The chain of this node.
pub(super) struct ChainApplication {
    pub(super) store: Arc<Store>,
    pub(super) validators: Arc<Validators>,
    pub(super) point: ChainPoint,
    pub(super) clock: Clock,
    pub(super) desk: Arc<Desk>,
    pub(super) keys: Arc<KeyCache>,
    /// Keys that verified blocks of others.
    pub(super) ring: KeyRing,
    pub(super) pending: Arc<Pending>,
    pub(super) head: watch::Sender<u64>,
    pub(super) built: Option<Built>,
    /// The block of another that was found valid last.
    pub(super) checked: Option<Checked>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) intake: Arc<Intake>,
    pub(super) planted: Planted,
}

/// The block that this node proposes, with those who wait for it.
pub(super) struct Built {
    block_id: Hash,
    changes: Arc<Changes>,
    leaf_hashes: Vec<Hash>,
    frontier: Frontier,
    records: Vec<Recorded>,
    waiting: Vec<Waiting>,
    /// Whether the sequencer executed it, and goes on from it.
    sequenced: bool,
}

/// A block of another, executed over the state that it continues.
pub(super) struct Checked {
    block_id: Hash,
    executed: Executed,
}

impl ChainApplication {
    /// The block that continues the chain with what was executed.
    fn assemble(&self, sealed: Sealed) -> Result<(Block, Built), Fatal> {
        let Sealed {
            time,
            first_index,
            envelopes,
            leaf_hashes,
            records,
            changes,
            effects_root,
            waiting,
        } = sealed;
        let mut frontier = self.point.frontier.clone();
        frontier.extend(&leaf_hashes);
        let header = Header {
            chain_id: self.point.chain_id.clone(),
            height: self.next_height(),
            time_ms: time.ms(),
            previous: self.point.block_id,
            first_index,
            count: u32::try_from(leaf_hashes.len()).map_err(Fatal::new)?,
            log_size: frontier.size(),
            log_root: frontier.root(),
            effects_root,
            validators: self.validators.at(self.next_height()).digest(),
        };
        let built = Built {
            block_id: header.id(),
            changes,
            leaf_hashes,
            frontier,
            records,
            waiting,
            sequenced: true,
        };
        Ok((Block { header, envelopes }, built))
    }

    /// A block without records: it says that the chain is alive.
    fn build_empty(&mut self) -> Result<Build, Fatal> {
        let now = (self.clock)().ms();
        let (block, mut built) = self.assemble(Sealed {
            time: Instant::from_ms(now.max(self.point.time.ms().saturating_add(1))),
            first_index: self.point.frontier.size(),
            envelopes: Vec::new(),
            leaf_hashes: Vec::new(),
            records: Vec::new(),
            effects_root: Changes::new().root(),
            changes: Arc::new(Changes::new()),
            waiting: Vec::new(),
        })?;
        built.sequenced = false;
        self.built = Some(built);
        Ok(Build::Block(Box::new(block)))
    }

    /// What executing a decided block of another gives: known when it was found valid just before.
    fn executed(&mut self, block: &Block) -> Result<Executed, Fatal> {
        let block_id = block.header.id();
        if let Some(checked) = self.checked.take_if(|checked| checked.block_id == block_id) {
            return Ok(checked.executed);
        }
        let snapshot = self.store.snapshot().map_err(Fatal::new)?;
        let signatures = verify_all(&mut self.ring)?;
        execute_block(&self.point, &snapshot, block, signatures).map_err(Fatal::new)
    }

    /// Whether what a block's header stands for breaks a rule, whatever body comes with it. The
    /// header covers records, signers and outcomes, and neither signatures nor which records came
    /// together.
    fn is_proven(&self, block: &Block, reason: &InvalidBlock) -> bool {
        match reason {
            InvalidBlock::Discontinuous(_) => true,
            InvalidBlock::Signature { .. } => false,
            InvalidBlock::Digest { .. }
            | InvalidBlock::Unreadable { .. }
            | InvalidBlock::Outcome { .. } => {
                let Ok(hashes) = leaf_hashes(block.leaves()) else {
                    return false;
                };
                let mut frontier = self.point.frontier.clone();
                frontier.extend(&hashes);
                let together = block.envelopes.iter().any(|envelope| {
                    matches!(
                        envelope.authorization,
                        Authorization::Batch { atomic: true, .. }
                    )
                });
                frontier.root() == block.header.log_root && !together
            }
        }
    }

    /// The block that was built is not the one decided: the sequencer begins again over the last
    /// committed block, with the envelopes of the lost one first.
    fn restart(&self, lost: Option<Built>) {
        if lost.is_none() && self.planted.has(Fault::SequencerNotRestarted) {
            return;
        }
        let waiting = lost.map(|built| built.waiting).unwrap_or_default();
        self.desk.restart(Restart {
            carried: waiting.into_iter().map(|waiting| waiting.job).collect(),
            time: self.point.time,
            log_size: self.point.frontier.size(),
            height: self.point.height,
        });
    }

    /// Makes a block durable. The block survives a power cut when this returns.
    fn store(
        &self,
        block: &Block,
        certificate: &Certificate,
        changes: &Changes,
        leaf_hashes: &[Hash],
        records: &[Recorded],
    ) -> Result<(), Fatal> {
        let snapshot = self.store.snapshot().map_err(Fatal::new)?;
        let rows = rows_of(&snapshot, changes, records)?;
        drop(snapshot);
        self.store
            .commit_block(&CommittedBlock {
                block,
                certificate,
                changes,
                leaf_hashes,
                rows: &rows,
            })
            .map_err(Fatal::new)
    }

    /// The block is durable: whoever asks from now on may hear of it.
    fn publish(
        &mut self,
        header: &Header,
        changes: &Changes,
        frontier: Frontier,
    ) -> Result<(), Fatal> {
        self.checked = None;
        self.validators
            .advance(|| self.store.snapshot(), changes)
            .map_err(Fatal::new)?;
        self.point = self.point.after(header, frontier);
        self.keys.advance(self.point.time, changes);
        self.head.send_replace(self.point.height);
        Ok(())
    }

    fn answer(&self, waiting: Vec<Waiting>, block: Option<&Arc<FreshBlock>>) {
        let entered = waiting.into_iter().map(|waiting| {
            let fresh = block.zip(waiting.envelope);
            let fresh = fresh.map(|(block, envelope)| (Arc::clone(block), envelope));
            waiting.job.answer(waiting.decisions, fresh)
        });
        let entered = entered.collect();
        self.pending.leave(entered);
    }
}

impl Application for ChainApplication {
    fn chain_id(&self) -> &ChainId {
        &self.point.chain_id
    }

    fn next_height(&self) -> u64 {
        self.point.height.saturating_add(1)
    }

    fn validators(&self, height: u64) -> Arc<ValidatorSet> {
        self.validators.at(height)
    }

    fn last_time(&self) -> Instant {
        self.point.time
    }

    fn build(&mut self, request: BuildRequest) -> Result<Build, Fatal> {
        if let Some(lost) = self.built.take() {
            self.restart(Some(lost));
        }
        let sealed = match self.desk.want(request.patience)? {
            Given::Cut(cut) => seal(cut)?,
            Given::Sealed(sealed) => sealed,
            Given::Nothing if request.empty => return self.build_empty(),
            Given::Nothing => return Ok(Build::Idle),
            Given::Finished => return Ok(Build::Finished),
        };
        let (block, built) = self.assemble(sealed)?;
        if block.header.count == 0 {
            // Nothing to record: every answer stands as of the last block, which is durable.
            self.desk.settled();
            self.answer(built.waiting, None);
            if request.empty {
                return self.build_empty();
            }
            return Ok(Build::Idle);
        }
        self.built = Some(built);
        Ok(Build::Block(Box::new(block)))
    }

    fn check(&mut self, block: &Block) -> Result<Validity, Fatal> {
        let latest = (self.clock)().ms().saturating_add(CLOCK_SKEW_MAX_MS);
        if block.header.time_ms > latest.max(self.point.time.ms().saturating_add(1))
            && !self.planted.has(Fault::FutureAccepted)
        {
            return Ok(invalid("its time lies ahead of this node's clock"));
        }
        if self
            .built
            .as_ref()
            .is_some_and(|built| built.block_id == block.header.id())
        {
            // Built here over the same state: its digests come from this very execution.
            return Ok(Validity::Valid);
        }
        self.check_final(block)
    }

    fn commit(&mut self, block: Block, certificate: Certificate) -> Result<(), Fatal> {
        if block.header.height <= self.point.height {
            return Ok(());
        }
        match self.built.take() {
            Some(mut built) if built.block_id == block.header.id() => {
                if self.planted.has(Fault::AnsweredBeforeDurable) {
                    let frontier = self.point.frontier.clone();
                    let carried = self.validators.history().changes_at(block.header.height);
                    let hashes = built.leaf_hashes.clone();
                    let fresh =
                        FreshBlock::new(block.clone(), &certificate, frontier, hashes, carried);
                    self.answer(std::mem::take(&mut built.waiting), Some(&Arc::new(fresh)));
                }
                self.store(
                    &block,
                    &certificate,
                    &built.changes,
                    &built.leaf_hashes,
                    &built.records,
                )?;
                let before = self.point.frontier.clone();
                let carried = self.validators.history().changes_at(block.header.height);
                self.publish(&block.header, &built.changes, built.frontier)?;
                if built.sequenced {
                    self.desk.settled();
                } else {
                    // The sequencer knows nothing of a block without records, its height and time.
                    self.restart(None);
                }
                let fresh =
                    FreshBlock::new(block, &certificate, before, built.leaf_hashes, carried);
                self.answer(built.waiting, Some(&Arc::new(fresh)));
            }
            lost => {
                let Executed {
                    changes,
                    leaf_hashes,
                    frontier,
                    records,
                } = self.executed(&block)?;
                // Before anyone can read the block: whoever finds its envelope there knows why.
                self.outbox.recorded(&block);
                self.store(&block, &certificate, &changes, &leaf_hashes, &records)?;
                self.publish(&block.header, &changes, frontier)?;
                self.restart(lost);
            }
        }
        Ok(())
    }
}

impl Replica for ChainApplication {
    fn check_final(&mut self, block: &Block) -> Result<Validity, Fatal> {
        if block.header.validators != self.validators.at(block.header.height).digest() {
            return Ok(invalid("its header names other validators"));
        }
        // Also what was built here is executed: a peer may have put another body under its header.
        let snapshot = self.store.snapshot().map_err(Fatal::new)?;
        let signatures = verify_all(&mut self.ring)?;
        match execute_block(&self.point, &snapshot, block, signatures) {
            Ok(executed) => {
                let block_id = block.header.id();
                self.checked = Some(Checked { block_id, executed });
                Ok(Validity::Valid)
            }
            Err(BlockFault::Invalid {
                reason: InvalidBlock::Digest { .. },
                ..
            }) if self.planted.has(Fault::DigestUnchecked) => Ok(Validity::Valid),
            Err(BlockFault::Invalid { reason, .. }) => Ok(Validity::Invalid {
                proven: self.is_proven(block, &reason),
                reason: reason.to_string(),
            }),
            Err(BlockFault::State(fault)) => Err(Fatal::new(fault)),
        }
    }

    fn has_records(&self) -> bool {
        self.outbox.waiting() > 0
    }

    fn waiting_envelopes(&self, after: u64, up_to: u64) -> (Vec<Bytes>, u64) {
        self.outbox.between(after, up_to)
    }

    fn take_forwarded(&mut self, from: Kid, envelopes: Vec<Bytes>) {
        self.intake.take(from, &envelopes);
    }

    fn decided_from(
        &self,
        height: u64,
        bytes_target: usize,
        blocks_max: usize,
    ) -> Result<Vec<DecidedBlock>, Fatal> {
        let snapshot = self.store.snapshot().map_err(Fatal::new)?;
        let (mut decided, mut bytes) = (Vec::new(), 0_usize);
        for height in height.max(1)..=self.point.height {
            if decided.len() >= blocks_max || bytes >= bytes_target {
                break;
            }
            let Some(stored) = snapshot.block(height).map_err(Fatal::new)? else {
                break;
            };
            let block = Bytes::from(stored.block.encode().map_err(Fatal::new)?);
            let certificate = Bytes::from(stored.certificate.encode().map_err(Fatal::new)?);
            bytes = bytes.saturating_add(block.len());
            decided.push(DecidedBlock { block, certificate });
        }
        Ok(decided)
    }
}

/// The index rows of an executed block. Members that the block itself admits are in its changes.
fn rows_of(
    snapshot: &Snapshot,
    changes: &Changes,
    records: &[Recorded],
) -> Result<IndexRows, Fatal> {
    let after = Overlay {
        base: snapshot,
        changes,
    };
    rows_over(&after, records).map_err(Fatal::new)
}

/// What the header alone shows.
fn invalid(reason: &str) -> Validity {
    Validity::Invalid {
        reason: reason.to_owned(),
        proven: true,
    }
}

/// Verifies every signature of a block, with a seed that nobody could know before.
fn verify_all(keys: &mut KeyRing) -> Result<Signatures<'_>, Fatal> {
    let seed = fresh_seed().map_err(Fatal::new)?;
    Ok(Signatures::Verify { seed, keys })
}
