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

mod deciding;
mod talking;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_malachitebft_wal::Storage;
use consensus::{Machine, Message, Timer};
use invoice_core::calendar::Instant;
use invoice_core::chain::ValidatorSet;
use invoice_core::crypto::{Hash, Kid};

use super::catch_up::Fetching;
use super::doubts::Doubts;
use super::forwarding::Forwarding;
use super::frames::Frame;
use super::greeting::Greeting;
use super::proposals::Proposals;
use super::vote_log::VoteLog;
use super::{Alarm, ConsortiumError, Tuning};
use crate::engine::{Fault, Planted, Replica};

/// Messages that are kept until the first height since the start begins, of all validators
/// together: each has the same share, so that none takes the places of others.
const EARLY_MESSAGES_MAX: usize = 1_024;

/// Peers tell their height with every tick ([`Tuning::status`]). After so many of this node's ticks
/// without a word a peer counts as out of reach, whatever its link says.
const SILENT_TICKS_MAX: u32 = 4;

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
    /// A peer is not asked for blocks for a while, and why.
    Doubt(Kid, &'static str),
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
    /// Ticks since it said anything. A stopped process, or one whose disk hangs, keeps its link.
    pub(super) silent_ticks: u32,
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
    /// Messages that came before the first height began, and from whom.
    early: Vec<(Kid, Message)>,
    /// Whether somebody has begun the next height.
    called: bool,
    pub(super) peers: BTreeMap<Kid, Peer>,
    pub(super) doubts: Doubts,
    greeting: Greeting,
    proposals: Proposals,
    pub(super) fetching: Option<Fetching>,
    /// Whether the last answer brought blocks, and no height has begun since.
    pub(super) follows: bool,
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
        mut machine: Machine,
        kid: Kid,
        log: VoteLog<S>,
        tuning: Tuning,
    ) -> Result<Self, ConsortiumError> {
        let height = application.next_height();
        let validators = application.validators(height);
        machine.foresee(Arc::clone(&validators))?;
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
            doubts: Doubts::default(),
            greeting,
            proposals: Proposals::default(),
            fetching: None,
            follows: false,
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

    /// Signs nothing before a block is final that was made after this moment: the first start since
    /// its disk went back in time.
    pub fn restored(&mut self, at: Instant) {
        self.greeting.restored(at);
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

    /// Whether records can become final as far as this node sees: the validators that it is linked
    /// to and has heard of lately make up a quorum, with itself where it has a vote.
    pub fn sees_quorum(&self) -> bool {
        let weight_of = |kid: &Kid| self.validators.get(kid).map_or(0, |one| one.weight);
        let heard = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.silent_ticks <= SILENT_TICKS_MAX)
            .map(|(kid, _)| weight_of(kid));
        let weight = heard.fold(weight_of(&self.kid), u64::saturating_add);
        self.validators.is_quorum(weight)
    }

    /// How many peers there are, and the highest block that more than a third of the weight says it
    /// has, so that one of them is correct; 0 when fewer say anything.
    pub fn peers_and_highest(&self) -> (u64, u64) {
        (self.peers.len() as u64, self.highest_believed())
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
                if self.fetching.take_if(|asked| asked.from == peer).is_some() {
                    self.actions.push(Action::Stop(Clock::Fetch));
                    self.doubt(peer, "left without an answer");
                }
                self.peers.remove(&peer);
                self.greeting.left(&peer);
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
        let Some(peer) = self.peers.get_mut(&from) else {
            return Ok(());
        };
        peer.silent_ticks = 0;
        match frame {
            Frame::Consensus(message) => self.message(from, message),
            Frame::Block(block) => self.block(from, block),
            Frame::Status { height } => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    peer.height = peer.height.max(height);
                    self.doubts.states(&from, height);
                }
                Ok(())
            }
            Frame::Fetch { from: first } => self.serve(from, first),
            Frame::Blocks(blocks) => self.fetched(from, blocks),
            Frame::Envelopes(envelopes) => {
                self.application.take_forwarded(from, envelopes);
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
                    self.doubt(asked.from, "no answer");
                }
                self.ask_if_behind();
                Ok(())
            }
            Clock::Status => {
                self.set(Clock::Status, self.tuning.status);
                self.doubts.tick();
                for peer in self.peers.values_mut() {
                    peer.silent_ticks = peer.silent_ticks.saturating_add(1);
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
            && !self.waits_for_blocks()
            && (self.greeting.is_done(&self.validators) || self.planted.has(Fault::GreetingIgnored))
    }

    /// Whether this node may have signed at the height what it does not remember.
    fn is_forbidden(&self) -> bool {
        let last = self.application.last_time();
        let forbids = self.greeting.forbids(self.height(), last, &self.validators);
        forbids && !self.planted.has(Fault::GreetingIgnored)
    }

    fn heard_of_next(&self) -> bool {
        self.called || self.proposals.has(self.height())
    }

    fn last_height(&self) -> u64 {
        self.height().saturating_sub(1)
    }
}
