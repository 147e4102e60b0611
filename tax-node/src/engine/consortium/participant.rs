//! A node's part in the agreement, without sockets, threads or clocks.
//!
//! Events go in, actions come out; time is what the caller says it is. The shell (`thread.rs`)
//! drives it with real links and timers, the simulation with virtual ones, and both therefore run
//! the same code. What it holds on to directly is what must be durable before anything leaves: the
//! log of the height that is being decided, and the application with its store.
//!
//! The life of a height:
//!
//! 1. *Resting.* The last block is durable. A height begins when records wait, when a peer begins
//!    it, or when the heartbeat is due; an idle chain writes nothing.
//! 2. *Deciding.* Malachite's state machine (`consensus::Machine`) asks for a block when it is this
//!    node's turn, is told what became of blocks of others, and gives votes to send. A block's
//!    bytes and every vote are synced before a message that depends on them leaves.
//! 3. The decision goes to the application with its certificate, in one durable commit; then the
//!    log is reset.
//!
//! A node that is behind fetches final blocks from a peer, verifies their certificates and executes
//! them like any other. A node that does not vote at a height only follows in this way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_wal::Storage;
use bytes::Bytes;
use consensus::{LogEntry, Machine, Message, Output, Timer, Voting};
use invoice_core::chain::{Block, Certificate, ValidatorSet};
use invoice_core::crypto::{Hash, Kid};

use super::catch_up::Fetching;
use super::forwarding::Forwarding;
use super::frames::{Frame, ProposedBlock};
use super::greeting::Greeting;
use super::proposals::Proposals;
use super::vote_log::VoteLog;
use super::{Alarm, ConsortiumError, Tuning};
use crate::engine::{Build, BuildRequest, Fault, Planted, Replica, Validity};

/// Messages that are kept until the first height since the start begins.
const EARLY_MESSAGES_MAX: usize = 1_024;

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Event {
    /// A link to a peer stands.
    Connected(Kid),
    /// It does not any more.
    Disconnected(Kid),
    /// A peer said something.
    Received(Kid, Frame),
    /// A clock that was set has run down.
    Elapsed(Clock),
    /// Records wait to be proposed here, or to be forwarded.
    Records,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// A timeout of the state machine.
    Machine(Timer),
    /// An own proposal is due, with records or without.
    Propose,
    /// A height begins although no record waits.
    Heartbeat,
    /// A peer is ahead: blocks are fetched unless this height is decided by then.
    Behind,
    /// A peer did not answer a fetch.
    Fetch,
    /// Peers are told the height again.
    Status,
}

/// What the node wants done, in this order.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send to each of these peers whose link stands.
    Send(Vec<Kid>, Frame),
    /// Set a clock, anew if it is set.
    Set(Clock, Duration),
    /// Stop a clock.
    Stop(Clock),
    /// Stop all clocks of the state machine.
    StopMachine,
    /// Cut the link: the peer said what no correct node says.
    Cut(Kid, &'static str),
    /// Tell people.
    Raise(Alarm),
    /// A block became final and durable.
    Final(u64),
}

/// What is known of a peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// Its last durable block, as it says.
    pub(super) height: u64,
    /// It did not have what it said it has: it is not asked again before this node is there.
    pub(super) doubted: bool,
    /// Answers to its fetches since the last tick.
    pub(super) served: u32,
}

/// What the node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waiting for a reason to begin the next height.
    Resting,
    /// Deciding it.
    Deciding,
}

/// A node's part in the agreement.
pub struct Participant<A, S> {
    pub(super) application: A,
    machine: Machine,
    log: VoteLog<S>,
    kid: Kid,
    tuning: Tuning,
    stage: Stage,
    pub(super) validators: Arc<ValidatorSet>,
    /// Messages that came before the first height began.
    early: Vec<Message>,
    /// Whether somebody has begun the next height.
    called: bool,
    pub(super) peers: BTreeMap<Kid, Peer>,
    greeting: Greeting,
    proposals: Proposals,
    pub(super) fetching: Option<Fetching>,
    /// Whom blocks were asked of last.
    pub(super) last_asked: Option<Kid>,
    /// A final block whose bodies, as far as they came, do not execute, and who gave them.
    pub(super) refuted: Option<(Hash, BTreeSet<Kid>)>,
    /// Whether a peer is ahead and the votes have some more time to come.
    pub(super) waits_behind: bool,
    /// A height that was decided while its block is not here.
    missing: Option<u64>,
    /// The round for which a block is wanted and not there yet.
    wanted: Option<u32>,
    /// Whether the log has entries of the height that comes next: it had begun before a crash.
    resumes: bool,
    forwarding: Forwarding,
    pub(super) planted: Planted,
    pub(super) actions: Vec<Action>,
}

impl<A: Replica, S: Storage> Participant<A, S> {
    /// A node over what its store and its log hold.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn new(
        application: A,
        machine: Machine,
        kid: Kid,
        log: VoteLog<S>,
        tuning: Tuning,
    ) -> Result<Self, ConsortiumError> {
        let height = application.next_height();
        let validators = application.validators(height);
        let greeting = Greeting::new(machine.public_key().clone());
        let mut node = Self {
            application,
            machine,
            log,
            kid,
            tuning,
            stage: Stage::Resting,
            validators,
            early: Vec::new(),
            called: false,
            peers: BTreeMap::new(),
            greeting,
            proposals: Proposals::default(),
            fetching: None,
            last_asked: None,
            refuted: None,
            waits_behind: false,
            missing: None,
            wanted: None,
            resumes: false,
            forwarding: Forwarding::default(),
            planted: Planted::default(),
            actions: Vec::new(),
        };
        for entry in node.log.entries(height)? {
            node.resumes = true;
            node.greeting.note(&entry);
        }
        Ok(node)
    }

    /// Plants a fault.
    #[cfg(any(test, feature = "fault-injection"))]
    pub fn plant(&mut self, planted: Planted) {
        self.planted = planted;
    }

    /// The application.
    pub const fn application(&self) -> &A {
        &self.application
    }

    /// The height that is decided next.
    pub fn height(&self) -> u64 {
        self.application.next_height()
    }

    /// The round that is being decided; 0 while the node rests.
    pub fn round(&self) -> u32 {
        match self.stage {
            Stage::Deciding => self.machine.round(),
            Stage::Resting => 0,
        }
    }

    /// Whether records can become final as far as this node sees: with the validators that it is
    /// linked to it makes up a quorum, or, having no vote, it is linked to any of them.
    pub fn sees_quorum(&self) -> bool {
        let weight_of = |kid: &Kid| self.validators.get(kid).map_or(0, |one| one.weight);
        let weight = self
            .peers
            .keys()
            .map(weight_of)
            .fold(0, u64::saturating_add);
        if self.votes() {
            self.validators
                .is_quorum(weight.saturating_add(weight_of(&self.kid)))
        } else {
            weight > 0
        }
    }

    /// How many peers there are, and the highest block that any of them says it has.
    pub fn peers_and_highest(&self) -> (u64, u64) {
        let highest = self.peers.values().map(|peer| peer.height).max();
        (self.peers.len() as u64, highest.unwrap_or_default())
    }

    /// What a node does first.
    ///
    /// # Errors
    /// As [`Participant::handle`].
    pub fn start(&mut self) -> Result<Vec<Action>, ConsortiumError> {
        self.set(Clock::Status, self.tuning.status);
        self.set(Clock::Heartbeat, self.tuning.heartbeat);
        self.go_on()?;
        Ok(std::mem::take(&mut self.actions))
    }

    /// Takes in what happened and says what is to be done.
    ///
    /// # Errors
    /// The node must stop: its disk, its key or its store failed, or its own execution disagrees
    /// with what a quorum signed.
    pub fn handle(&mut self, event: Event) -> Result<Vec<Action>, ConsortiumError> {
        match event {
            Event::Connected(peer) => self.connected(peer),
            Event::Disconnected(peer) => {
                self.peers.remove(&peer);
                self.greeting.left(&peer);
                if self
                    .fetching
                    .as_ref()
                    .is_some_and(|fetch| fetch.from == peer)
                {
                    self.fetching = None;
                }
            }
            Event::Received(peer, frame) => self.received(peer, frame)?,
            Event::Elapsed(clock) => self.elapsed(clock)?,
            Event::Records => {}
        }
        self.go_on()?;
        Ok(std::mem::take(&mut self.actions))
    }

    fn connected(&mut self, peer: Kid) {
        self.peers.insert(peer, Peer::default());
        let height = self.last_height();
        // The height first: a validator out of an old backup must hear that others are past its
        // height before their greetings let it begin there.
        self.send(peer, Frame::Status { height });
        let word = self.greeting.last_word_of(&peer);
        self.send(peer, Frame::LastWord(word));
    }

    fn received(&mut self, from: Kid, frame: Frame) -> Result<(), ConsortiumError> {
        if !self.peers.contains_key(&from) {
            return Ok(());
        }
        match frame {
            Frame::Consensus(message) => self.message(from, message),
            Frame::Block(block) => self.block(from, block),
            Frame::Status { height } => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    peer.height = peer.height.max(height);
                }
                Ok(())
            }
            Frame::Fetch { from: first } => self.serve(from, first),
            Frame::Blocks(blocks) => self.fetched(from, blocks),
            Frame::Envelopes(envelopes) => {
                self.application.take_forwarded(envelopes);
                Ok(())
            }
            Frame::LastWord(word) => {
                let chain = self.application.chain_id().clone();
                self.greeting.heard(from, word.as_ref(), &chain);
                if self.is_forbidden() && self.stage == Stage::Deciding {
                    // It voted at this height and has forgotten it: from here on it only listens.
                    self.begin()?;
                }
                Ok(())
            }
        }
    }

    fn elapsed(&mut self, clock: Clock) -> Result<(), ConsortiumError> {
        match clock {
            Clock::Machine(timer) if self.stage == Stage::Deciding => {
                let outputs = self.machine.elapsed(timer)?;
                self.perform(outputs)
            }
            Clock::Machine(_) => Ok(()),
            Clock::Propose => self.propose(true),
            Clock::Heartbeat => {
                self.set(Clock::Heartbeat, self.tuning.heartbeat);
                if self.stage == Stage::Resting && self.may_begin() {
                    self.begin()?;
                }
                Ok(())
            }
            Clock::Behind => {
                self.waits_behind = false;
                self.ask_if_behind();
                Ok(())
            }
            Clock::Fetch => {
                if let Some(asked) = self.fetching.take() {
                    self.doubt(&asked.from);
                }
                self.ask_if_behind();
                Ok(())
            }
            Clock::Status => {
                self.set(Clock::Status, self.tuning.status);
                for peer in self.peers.values_mut() {
                    peer.served = 0;
                }
                self.tell_height();
                Ok(())
            }
        }
    }

    /// Whatever the event was: does what has become possible.
    fn go_on(&mut self) -> Result<(), ConsortiumError> {
        if self.wanted.is_some() {
            self.propose(false)?;
        }
        self.notice_lag();
        let reason = self.application.has_records() || self.heard_of_next() || self.resumes;
        if self.stage == Stage::Resting && reason && self.may_begin() {
            self.begin()?;
        }
        self.forward();
        Ok(())
    }

    /// Whether this node votes at the next height, has heard what it may have signed before, and is
    /// not behind.
    fn may_begin(&mut self) -> bool {
        let height = self.height();
        self.votes()
            && self.missing != Some(height)
            && self.fetching.is_none()
            && (self.greeting.is_done(&self.validators) || self.planted.has(Fault::GreetingIgnored))
    }

    /// Whether this node may have signed at the height what it does not remember.
    fn is_forbidden(&self) -> bool {
        self.greeting.forbids(self.height()) && !self.planted.has(Fault::GreetingIgnored)
    }

    fn heard_of_next(&self) -> bool {
        self.called || self.proposals.has(self.height())
    }

    fn last_height(&self) -> u64 {
        self.height().saturating_sub(1)
    }
}

// Deciding.
impl<A: Replica, S: Storage> Participant<A, S> {
    /// Begins the next height, or begins it again.
    fn begin(&mut self) -> Result<(), ConsortiumError> {
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
        self.resumes = false;
        self.proposals.begin(&logged);
        let outputs = self
            .machine
            .begin(height, Arc::clone(&self.validators), logged, vote)?;
        self.perform(outputs)?;
        for message in std::mem::take(&mut self.early) {
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
    pub(super) fn leave(&mut self) -> Result<(), ConsortiumError> {
        if self.stage == Stage::Deciding {
            let outputs = self.machine.leave()?;
            self.perform(outputs)?;
        }
        Ok(())
    }

    fn stop_deciding(&mut self) {
        self.stage = Stage::Resting;
        self.wanted = None;
        self.actions.push(Action::StopMachine);
        self.actions.push(Action::Stop(Clock::Propose));
    }

    fn message(&mut self, from: Kid, message: Message) -> Result<(), ConsortiumError> {
        if self.validators.get(&from).is_none() {
            return Ok(());
        }
        self.called |= self.stage == Stage::Resting && message.height() == self.height();
        if self.machine.height() == 0 {
            if self.early.len() < EARLY_MESSAGES_MAX {
                self.early.push(message);
            }
            return Ok(());
        }
        let outputs = self.machine.receive(message)?;
        self.perform(outputs)
    }

    /// A proposed block came.
    fn block(&mut self, from: Kid, block: ProposedBlock) -> Result<(), ConsortiumError> {
        let height = self.height();
        let round = self.machine.round();
        // Only the proposer of a round sends a block in it, the first time and again.
        let expected = self.machine.proposer(block.height, block.round);
        let by_proposer = from == block.proposer
            && match expected {
                Some(proposer) => proposer == from,
                None => self.validators.get(&from).is_some(),
            };
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
    fn check(&mut self, proposed: &ProposedBlock) -> Result<(), ConsortiumError> {
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
    fn keep_block(
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
    fn propose(&mut self, now: bool) -> Result<(), ConsortiumError> {
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
    fn perform(&mut self, outputs: Vec<Output>) -> Result<(), ConsortiumError> {
        for output in outputs {
            match output {
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
    fn want(&mut self, round: u32, within: Duration) -> Result<(), ConsortiumError> {
        self.wanted = Some(round);
        // Peers wait as long as `within` from when they began: half of it leaves time to arrive.
        self.set(Clock::Propose, self.tuning.patience.min(within / 2));
        self.propose(false)
    }

    fn decided(&mut self, certificate: Certificate) -> Result<(), ConsortiumError> {
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
    pub(super) fn commit(
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
        if self.machine.height() == height && *next != *self.validators {
            // What new validators say before this node begins is kept.
            self.machine.foresee(Arc::clone(&next))?;
        }
        self.validators = next;
        self.waits_behind = false;
        self.actions.push(Action::Stop(Clock::Behind));
        self.actions.push(Action::Final(height));
        self.forwarding.decided(height);
        for peer in self.peers.values_mut() {
            peer.doubted &= peer.height > height;
        }
        self.tell_height();
        self.set(Clock::Heartbeat, self.tuning.heartbeat);
        Ok(())
    }
}

// Talking.
impl<A: Replica, S: Storage> Participant<A, S> {
    /// Passes waiting envelopes of this node's members to whoever proposes next.
    fn forward(&mut self) {
        let height = self.height();
        let turn = match self.stage {
            Stage::Deciding if self.proposals.is_proposed(self.machine.round()) => {
                (height.saturating_add(1), 0)
            }
            Stage::Deciding => (height, self.machine.round()),
            Stage::Resting => (height, 0),
        };
        let proposer = self.machine.proposer(turn.0, turn.1);
        let Some(proposer) = proposer.or_else(|| self.any_validator()) else {
            return;
        };
        if proposer == self.kid || !self.peers.contains_key(&proposer) {
            return;
        }
        self.forwarding.now(turn);
        while let Some((after, up_to)) = self.forwarding.next() {
            let (envelopes, last) = self.application.waiting_envelopes(after, up_to);
            self.forwarding.sent(turn, last);
            if envelopes.is_empty() {
                continue;
            }
            self.send(proposer, Frame::Envelopes(envelopes));
        }
    }

    /// A validator that a node which follows passes records to before it knows whose turn it is.
    fn any_validator(&self) -> Option<Kid> {
        let mut validators = self.peers.keys();
        validators
            .find(|peer| self.validators.get(peer).is_some())
            .copied()
    }

    /// Sends the bytes of a block along with its first proposal in a round.
    fn send_own_block(&mut self, message: &Message) {
        if let Message::Proposal(proposal) = message
            && proposal.proposer == self.kid
            && self.proposals.propose(proposal.round)
            && let Some((bytes, hints)) = self.proposals.block(&proposal.block_id)
        {
            self.broadcast_block(ProposedBlock {
                height: proposal.height,
                round: proposal.round,
                valid_round: proposal.valid_round,
                proposer: self.kid,
                block_id: proposal.block_id,
                bytes,
                hints,
            });
        }
    }

    fn broadcast_block(&mut self, block: ProposedBlock) {
        self.tell_validators(Frame::Block(block));
    }

    fn tell_validators(&mut self, frame: Frame) {
        let voters = self
            .peers
            .keys()
            .filter(|peer| self.validators.get(peer).is_some());
        let voters = voters.copied().collect();
        self.actions.push(Action::Send(voters, frame));
    }

    fn tell_height(&mut self) {
        let height = self.last_height();
        let peers = self.peers.keys().copied().collect();
        self.actions
            .push(Action::Send(peers, Frame::Status { height }));
    }

    pub(super) fn send(&mut self, peer: Kid, frame: Frame) {
        self.actions.push(Action::Send(vec![peer], frame));
    }

    pub(super) fn set(&mut self, clock: Clock, after: Duration) {
        self.actions.push(Action::Set(clock, after));
    }

    pub(super) fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    pub(super) const fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    pub(super) fn is_deciding(&self) -> bool {
        self.stage == Stage::Deciding
    }

    /// Whether this node has a vote at the next height.
    pub(super) fn votes(&self) -> bool {
        self.validators.get(&self.kid).is_some()
    }
}
