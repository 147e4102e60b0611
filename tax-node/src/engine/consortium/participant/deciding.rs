//! Deciding a height: proposing, checking what others propose, committing what was decided.

use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_wal::Storage;
use bytes::Bytes;
use consensus::{LogEntry, Message, Output, Voting};
use invoice_core::chain::{Block, Certificate};
use invoice_core::crypto::{Hash, Kid};

use super::{Action, Clock, EARLY_MESSAGES_MAX, Participant, Stage};
use crate::engine::consortium::frames::{Frame, ProposedBlock};
use crate::engine::consortium::{Alarm, ConsortiumError};
use crate::engine::{Build, BuildRequest, Fault, Replica, Validity};

impl<A: Replica, S: Storage> Participant<A, S> {
    /// Begins the next height, or begins it again.
    pub(super) fn begin(&mut self) -> Result<(), ConsortiumError> {
        let height = self.height();
        self.stop_deciding();
        self.log.begin(height)?;
        let mut logged = self.log.entries(height)?;
        if self.planted.has(Fault::LogIgnored) {
            logged.clear();
        }
        let vote = match self.is_forbidden() {
            true => Voting::MustNot,
            false => Voting::May,
        };
        if vote == Voting::MustNot {
            // Whoever runs this node must know that it is as good as away for a while.
            self.actions
                .push(Action::Raise(Alarm::Forgotten { height }));
        }
        self.stage = Stage::Deciding;
        self.called = false;
        self.follows = false;
        self.resumes = false;
        self.proposals.begin(&logged);
        let outputs = self
            .machine
            .begin(height, Arc::clone(&self.validators), logged, vote)?;
        self.perform(outputs)?;
        for (_, message) in std::mem::take(&mut self.early) {
            if self.stage != Stage::Deciding || self.height() != height {
                break;
            }
            let outputs = self.machine.receive(message)?;
            self.perform(outputs)?;
        }
        while self.stage == Stage::Deciding
            && self.height() == height
            && let Some(block) = self.proposals.next_unchecked(height)
        {
            self.check(&block)?;
        }
        Ok(())
    }

    /// The height that is being decided was decided by others.
    pub(in crate::engine::consortium) fn leave(&mut self) -> Result<(), ConsortiumError> {
        if self.stage == Stage::Deciding {
            let outputs = self.machine.leave()?;
            self.perform(outputs)?;
        }
        Ok(())
    }

    pub(super) fn stop_deciding(&mut self) {
        self.stage = Stage::Resting;
        self.wanted = None;
        self.actions.push(Action::StopMachine);
        self.actions.push(Action::Stop(Clock::Propose));
    }

    pub(super) fn message(&mut self, from: Kid, message: Message) -> Result<(), ConsortiumError> {
        if self.validators.get(&from).is_none() {
            return Ok(());
        }
        self.called |= self.stage == Stage::Resting && message.height() == self.height();
        if self.machine.height() == 0 {
            let share = EARLY_MESSAGES_MAX / self.validators.validators().len().max(1);
            if self.early.iter().filter(|(of, _)| *of == from).count() < share {
                self.early.push((from, message));
            }
            return Ok(());
        }
        let outputs = self.machine.receive(message)?;
        self.perform(outputs)
    }

    /// A proposed block came.
    pub(super) fn block(&mut self, from: Kid, block: ProposedBlock) -> Result<(), ConsortiumError> {
        let height = self.height();
        let round = self.machine.round();
        // Only the proposer of a round sends a block in it, the first time and again.
        let expected = self.machine.proposer(block.height, block.round);
        let by_proposer = from == block.proposer && expected == Some(from);
        if !by_proposer || !self.proposals.keep(height, round, &block) {
            return Ok(());
        }
        if self.stage == Stage::Deciding && block.height == height {
            while let Some(block) = self.proposals.next_unchecked(height) {
                self.check(&block)?;
                if self.stage != Stage::Deciding || self.height() != height {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Executes a proposed block and says what became of it.
    pub(super) fn check(&mut self, proposed: &ProposedBlock) -> Result<(), ConsortiumError> {
        let valid = match Block::decode(&proposed.bytes) {
            _ if self.proposals.knows(&proposed.block_id) => true,
            Ok(mut block) if block.header.id() == proposed.block_id => {
                block.note_hints(&proposed.hints);
                match self.application.check(&block)? {
                    Validity::Valid => true,
                    Validity::Invalid { reason, .. } => {
                        self.actions.push(Action::Raise(Alarm::InvalidProposal {
                            height: proposed.height,
                            proposer: proposed.proposer,
                            reason,
                        }));
                        false
                    }
                }
            }
            // These bytes are not what was signed: as if they had not come.
            Ok(_) | Err(_) => return Ok(()),
        };
        if valid {
            self.keep_block(proposed.block_id, &proposed.bytes, &proposed.hints)?;
        }
        let outputs = self.machine.checked(
            proposed.height,
            proposed.round,
            proposed.valid_round,
            proposed.proposer,
            proposed.block_id,
            valid,
        )?;
        self.perform(outputs)
    }

    /// Remembers the bytes of a block that may be decided; durable with the next sync.
    pub(super) fn keep_block(
        &mut self,
        id: Hash,
        bytes: &Bytes,
        hints: &Bytes,
    ) -> Result<(), ConsortiumError> {
        if self.proposals.remember(id, bytes, hints) {
            let bytes = bytes.clone();
            self.log.append(&LogEntry::Block {
                block_id: id,
                bytes,
            })?;
        }
        Ok(())
    }

    /// Builds the block that is wanted: with records if there are any, without when `now`.
    pub(super) fn propose(&mut self, now: bool) -> Result<(), ConsortiumError> {
        let Some(round) = self.wanted else {
            return Ok(());
        };
        let request = BuildRequest {
            patience: Duration::ZERO,
            empty: now,
        };
        match self.application.build(request)? {
            Build::Block(block) => {
                self.wanted = None;
                self.actions.push(Action::Stop(Clock::Propose));
                let id = block.header.id();
                let bytes = Bytes::from(block.encode().map_err(crate::engine::Fatal::new)?);
                self.keep_block(id, &bytes, &Bytes::from(block.hints()))?;
                // Durable before the machine says a word of it.
                self.log.sync()?;
                let outputs = self.machine.proposed(round, id)?;
                self.perform(outputs)
            }
            Build::Idle | Build::Finished => Ok(()),
        }
    }

    /// Does what the state machine says, in its order.
    pub(super) fn perform(&mut self, outputs: Vec<Output>) -> Result<(), ConsortiumError> {
        for output in outputs {
            match output {
                // An own word that others showed is no memory: in the log it would pass for one
                // after the next start, and this node would speak again where it must be silent.
                Output::Log(entry) if self.is_forbidden() && self.greeting.is_own(&entry) => {}
                Output::Log(entry) => {
                    self.log.append(&entry)?;
                    self.greeting.note(&entry);
                }
                Output::Send(message) => {
                    // Whatever the message rests on is on disk before it leaves.
                    if !self.planted.has(Fault::VoteBeforeSync) {
                        self.log.sync()?;
                    }
                    self.send_own_block(&message);
                    self.tell_validators(Frame::Consensus(message));
                }
                Output::Start(timer, after) => self.set(Clock::Machine(timer), after),
                Output::Stop(timer) => self.actions.push(Action::Stop(Clock::Machine(timer))),
                Output::StopAll => self.actions.push(Action::StopMachine),
                Output::Build { round, within } => self.want(round, within)?,
                Output::Resend {
                    round,
                    valid_round,
                    block_id,
                    proposer,
                } => {
                    if let Some((bytes, hints)) = self.proposals.block(&block_id) {
                        self.broadcast_block(ProposedBlock {
                            height: self.height(),
                            round,
                            valid_round,
                            proposer,
                            block_id,
                            bytes,
                            hints,
                        });
                    }
                }
                Output::Decided(certificate) => return self.decided(certificate),
                Output::Misbehaved(evidence) => {
                    self.actions
                        .push(Action::Raise(Alarm::Misbehaved(evidence)));
                }
            }
        }
        Ok(())
    }

    /// It is this node's turn.
    pub(super) fn want(&mut self, round: u32, within: Duration) -> Result<(), ConsortiumError> {
        self.wanted = Some(round);
        // Peers wait as long as `within` from when they began: half of it leaves time to arrive.
        self.set(Clock::Propose, self.tuning.patience.min(within / 2));
        self.propose(false)
    }

    pub(super) fn decided(&mut self, certificate: Certificate) -> Result<(), ConsortiumError> {
        let id = certificate.block_id;
        let Some((bytes, _)) = self.proposals.block(&id) else {
            // Others have the block: it is fetched with its certificate.
            self.stop_deciding();
            self.missing = Some(certificate.height);
            self.ask_if_behind();
            return Ok(());
        };
        let block = Block::decode(&bytes).map_err(crate::engine::Fatal::new)?;
        self.commit(block, certificate)
    }

    /// Makes a final block durable and goes to the next height.
    pub(in crate::engine::consortium) fn commit(
        &mut self,
        block: Block,
        certificate: Certificate,
    ) -> Result<(), ConsortiumError> {
        let height = block.header.height;
        self.log.sync()?;
        if self.planted.has(Fault::LogResetEarly) {
            self.log.begin(height.saturating_add(1))?;
        }
        self.application.commit(block, certificate)?;
        self.stop_deciding();
        self.proposals.forget(height);
        let next = self.application.validators(self.height());
        if *next != *self.validators {
            // What new validators say and propose before this node begins is kept.
            self.machine.foresee(Arc::clone(&next))?;
        }
        self.validators = next;
        self.waits_behind = false;
        self.actions.push(Action::Stop(Clock::Behind));
        self.actions.push(Action::Final(height));
        self.forwarding.decided(height);
        self.doubts.reached(height);
        self.tell_height();
        self.set(Clock::Heartbeat, self.tuning.heartbeat);
        Ok(())
    }
}
