//! One validator's or observer's agreement, one height after another.

use std::sync::Arc;

use arc_malachitebft_core_consensus::{Error, Input, LocallyProposedValue, Params, State, process};
use arc_malachitebft_core_types as library;
use invoice_core::chain::{ChainId, ValidatorSet};
use invoice_core::crypto::{Hash, Kid, PublicKey, Signer};
use library::{Round, ThresholdParams, ValuePayload, VoteExtensionPolicy};

use crate::context::{Address, BlockId, Context, Height};
use crate::convert;
use crate::early::Early;
use crate::effects::Hands;
use crate::log::{LogEntry, Value};
use crate::message::{Message, ROUND_MAX};
use crate::output::{MachineError, Output};
use crate::signing::Voice;
use crate::timer::{Timeouts, Timer};
use crate::validators::Validators;

pub use crate::early::{EARLY_HEIGHTS, EARLY_ROUNDS};

/// Whether the machine may sign at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voting {
    /// It votes if its key is among the validators', and says again what the log says it said.
    May,
    /// It signs nothing: an observer, or a validator that may have signed at this height and
    /// cannot tell what.
    MustNot,
}

/// What every call returns.
type Outputs = Result<Vec<Output>, MachineError>;

/// One validator's or observer's agreement, one height after another.
///
/// ```
/// # use std::sync::Arc;
/// # use consensus::{Machine, Output, Timeouts, Voting};
/// # use invoice_core::chain::{Validator, ValidatorSet};
/// # use invoice_core::crypto::{Hash, SecretKey, SecretKeySigner, Signer};
/// let signer = Arc::new(SecretKeySigner::new(SecretKey::from_bytes(&[7; 32])?));
/// let validators = Arc::new(ValidatorSet::new(vec![Validator {
///     public_key: signer.public_key().clone(),
///     weight: 1,
///     group: None,
///     name: "税务局".to_owned(),
/// }])?);
/// let chain = "sz-2026".parse()?;
/// let mut machine = Machine::new(chain, signer, Timeouts::default());
/// let outputs = machine.begin(1, Arc::clone(&validators), Vec::new(), Voting::May)?;
/// assert!(outputs.iter().any(|output| matches!(output, Output::Build { round: 0, .. })));
///
/// // Alone, one decides at once.
/// let outputs = machine.proposed(0, Hash::new([1; 32]))?;
/// let Some(Output::Decided(certificate)) = outputs.last() else { unreachable!() };
/// assert_eq!(certificate.verify(&validators, &"sz-2026".parse()?), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Machine {
    chain: ChainId,
    signer: Arc<dyn Signer>,
    timeouts: Timeouts,
    /// `None` before the first height.
    running: Option<Running>,
    early: Early,
    /// The validators of the heights after the one that runs, if they were said to differ.
    next: Option<Validators>,
    /// A call failed.
    dead: bool,
}

/// A height that has begun.
struct Running {
    state: State<Context>,
    hands: Hands,
    /// The height was decided elsewhere.
    left: bool,
}

impl Machine {
    /// A machine that has not begun a height.
    #[must_use]
    pub fn new(chain: ChainId, signer: Arc<dyn Signer>, timeouts: Timeouts) -> Self {
        Self {
            chain,
            signer,
            timeouts,
            running: None,
            early: Early::default(),
            next: None,
            dead: false,
        }
    }

    /// Begins a height and forgets the former one.
    ///
    /// `logged` are the entries of the log of this height, in their order. They are gone through
    /// as if they came now; what was said then is said again with the same signature, and asked
    /// to be sent again.
    ///
    /// # Errors
    /// [`MachineError`]; the machine is of no use afterwards.
    pub fn begin(
        &mut self,
        height: u64,
        validators: Arc<ValidatorSet>,
        logged: Vec<LogEntry>,
        voting: Voting,
    ) -> Outputs {
        self.guarded(|machine| machine.begin_height(height, validators, logged, voting))
    }

    /// Says who the validators of the next height are: before the first one, and whenever it is
    /// known that they are others than those of the height that runs.
    ///
    /// Without it, early messages of a validator that is new then are not kept, and nobody knows
    /// whose turn it is.
    ///
    /// # Errors
    /// [`MachineError::Weights`] for weights that are too large.
    pub fn foresee(&mut self, validators: Arc<ValidatorSet>) -> Result<(), MachineError> {
        self.next = Some(self.known(validators)?);
        Ok(())
    }

    /// Takes a message from another validator, of whatever height, verified or not.
    ///
    /// What is old, far ahead, signed wrongly, or not from a validator changes nothing.
    ///
    /// # Errors
    /// [`MachineError`] for faults of this validator, never for a message that is wrong.
    pub fn receive(&mut self, message: Message) -> Outputs {
        self.guarded(|machine| machine.take_message(message))
    }

    /// A timer ran out.
    ///
    /// # Errors
    /// As [`Machine::receive`].
    pub fn elapsed(&mut self, timer: Timer) -> Outputs {
        self.guarded(|machine| {
            machine.at_height(timer.height, |running| {
                running.step(Input::TimeoutElapsed(timer.to_library()))
            })
        })
    }

    /// The block that [`Output::Build`] asked for is built, and its bytes are durable.
    ///
    /// Too late, or a second time, it changes nothing.
    ///
    /// # Errors
    /// As [`Machine::receive`].
    pub fn proposed(&mut self, round: u32, block_id: Hash) -> Outputs {
        self.guarded(|machine| {
            let height = machine.height();
            machine.at_height(height, |running| {
                if running.hands.building != Some(round) {
                    return Ok(());
                }
                running.propose(round, block_id)
            })
        })
    }

    /// A block that another validator proposed was executed, and its bytes are durable.
    ///
    /// `round`, `valid_round` and `proposer` are what came with its bytes; what counts of them is
    /// only the id, which a signed proposal names.
    ///
    /// # Errors
    /// As [`Machine::receive`].
    pub fn checked(
        &mut self,
        height: u64,
        round: u32,
        valid_round: Option<u32>,
        proposer: Kid,
        block_id: Hash,
        valid: bool,
    ) -> Outputs {
        let value = Value {
            height,
            round,
            valid_round,
            proposer,
            block_id,
            valid,
        };
        self.guarded(|machine| {
            if round > ROUND_MAX {
                return Ok(Vec::new());
            }
            machine.at_height(height, |running| running.step(convert::value_input(&value)))
        })
    }

    /// The height was decided without this machine: its block and certificate came from another
    /// node. Until the next [`Machine::begin`] nothing more is asked for but to stop the timers.
    ///
    /// Whoever commits such a block calls this before, so that the log of the height gets no
    /// entry afterwards.
    ///
    /// # Errors
    /// [`MachineError::Dead`] after another error.
    pub fn leave(&mut self) -> Outputs {
        self.guarded(|machine| {
            let Some(running) = &mut machine.running else {
                return Ok(Vec::new());
            };
            running.left = true;
            Ok(vec![Output::StopAll])
        })
    }

    /// The height that was begun last; 0 before the first.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.running
            .as_ref()
            .map_or(0, |running| running.hands.height)
    }

    /// The round that the height is in.
    #[must_use]
    pub fn round(&self) -> u32 {
        let running = self.running.as_ref();
        running.map_or(0, |running| convert::number(running.state.round()))
    }

    /// Whether the height is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.hands.decided.is_some())
    }

    /// Who proposes in a round of a height: by the validators of the one that runs up to it, and
    /// by those that were foreseen after it. `None` when neither are known.
    #[must_use]
    pub fn proposer(&self, height: u64, round: u32) -> Option<Kid> {
        let present = self.running.as_ref().map(|running| &running.hands);
        let validators = match present {
            Some(hands) if height <= hands.height => &hands.validators,
            Some(hands) => self.next.as_ref().unwrap_or(&hands.validators),
            None => self.next.as_ref()?,
        };
        Some(validators.proposer_kid(height, round))
    }

    /// The identifier of this machine's key.
    #[must_use]
    pub fn kid(&self) -> Kid {
        self.signer.public_key().kid()
    }

    /// The key of this machine.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    /// Whether it signs at this height.
    #[must_use]
    pub fn is_voting(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.state.is_active_validator())
    }

    /// How many messages named a validator that had not signed them, since the machine exists.
    #[must_use]
    pub fn refused_signatures(&self) -> u64 {
        self.running
            .as_ref()
            .map_or(0, |running| running.hands.refused)
    }

    /// How many messages of later heights are kept.
    #[must_use]
    pub fn early_messages(&self) -> usize {
        self.early.len()
    }

    fn guarded(&mut self, call: impl FnOnce(&mut Self) -> Outputs) -> Outputs {
        if self.dead {
            return Err(MachineError::Dead);
        }
        let outcome = call(self);
        self.dead = outcome.is_err();
        outcome
    }

    /// Does something at the present height, unless that is another or decided.
    fn at_height(
        &mut self,
        height: u64,
        act: impl FnOnce(&mut Running) -> Result<(), MachineError>,
    ) -> Outputs {
        match &mut self.running {
            Some(running) if running.hands.height == height && !running.is_over() => {
                act(running)?;
                Ok(running.finish())
            }
            Some(_) | None => Ok(Vec::new()),
        }
    }

    /// The lookups of a set, taken over from the present height or the one foreseen if they are
    /// of the same set.
    fn known(&self, set: Arc<ValidatorSet>) -> Result<Validators, MachineError> {
        let present = self
            .running
            .as_ref()
            .map(|running| &running.hands.validators);
        let same = present
            .into_iter()
            .chain(self.next.as_ref())
            .find(|known| Arc::ptr_eq(known.set(), &set) || **known.set() == *set);
        match same {
            Some(known) => Ok(known.clone()),
            None => Validators::new(set).ok_or(MachineError::Weights),
        }
    }

    fn begin_height(
        &mut self,
        height: u64,
        set: Arc<ValidatorSet>,
        logged: Vec<LogEntry>,
        voting: Voting,
    ) -> Outputs {
        let from = self.height();
        if height < from.max(1) {
            return Err(MachineError::Backwards { from, to: height });
        }
        if let Some(found) = logged
            .iter()
            .filter_map(LogEntry::height)
            .find(|found| *found != height)
        {
            return Err(MachineError::ForeignLog {
                expected: height,
                found,
            });
        }
        let validators = self.known(set)?;
        let (mut voice, refused) = match self.running.take() {
            Some(Running { hands, .. }) => (hands.voice, hands.refused),
            None => (Voice::new(self.chain.clone(), Arc::clone(&self.signer)), 0),
        };
        voice.begin(height, &logged);
        self.next = None;
        let mut running = Running::new(voice, self.timeouts, height, validators, voting);
        running.hands.refused = refused;
        running.begin(logged)?;
        for message in self.early.take(height) {
            if running.is_decided() {
                break;
            }
            running.hands.trusted = true;
            let stepped = running.step(convert::message_input(message));
            running.hands.trusted = false;
            stepped?;
        }
        let outputs = running.finish();
        self.running = Some(running);
        Ok(outputs)
    }

    fn take_message(&mut self, message: Message) -> Outputs {
        let Some(running) = &mut self.running else {
            return Ok(Vec::new());
        };
        let hands = &mut running.hands;
        if message.round() > ROUND_MAX {
            return Ok(Vec::new());
        }
        if message.height() > hands.height {
            let validators = self.next.as_ref().unwrap_or(&hands.validators);
            if self
                .early
                .keep(message, hands.height, validators, &self.chain)
            {
                hands.refused = hands.refused.saturating_add(1);
            }
            return Ok(Vec::new());
        }
        self.at_height(message.height(), |running| {
            running.step(convert::message_input(message))
        })
    }
}

impl Running {
    fn new(
        voice: Voice,
        timeouts: Timeouts,
        height: u64,
        validators: Validators,
        voting: Voting,
    ) -> Self {
        let params = Params {
            address: Address(voice.kid()),
            threshold_params: ThresholdParams::default(),
            // With proposals alone the library takes every block for valid.
            value_payload: ValuePayload::ProposalAndParts,
            enabled: voting == Voting::May,
        };
        // Messages of later heights are kept here, never in the library's queue.
        let state = State::new(Context, Height(height), validators.clone(), params, 1, 1);
        Self {
            state,
            left: false,
            hands: Hands {
                voice,
                timeouts,
                height,
                validators,
                outputs: Vec::new(),
                replayed: std::collections::BTreeSet::new(),
                replaying: false,
                trusted: false,
                building: None,
                decided: None,
                evidence: Vec::new(),
                refused: 0,
            },
        }
    }

    fn is_decided(&self) -> bool {
        self.hands.decided.is_some()
    }

    fn is_over(&self) -> bool {
        self.left || self.is_decided()
    }

    /// Enters round 0 and goes through the log.
    fn begin(&mut self, logged: Vec<LogEntry>) -> Result<(), MachineError> {
        let own = self.own_values(&logged);
        self.hands.replayed = logged
            .iter()
            .filter_map(|entry| entry.encode().ok())
            .collect();
        let inputs: Vec<_> = logged
            .into_iter()
            .filter_map(convert::entry_input)
            .collect();
        self.hands.replaying = true;
        self.state.index_wal_entries(&inputs);
        self.step(Input::StartHeight(
            Height(self.hands.height),
            self.hands.validators.clone(),
            false,
            None,
            VoteExtensionPolicy::Disabled,
        ))?;
        for input in inputs {
            if self.is_decided() {
                break;
            }
            self.step(input)?;
        }
        // A block is asked for only now, when it is clear that none was proposed; one that was
        // built before the crash is taken instead.
        let wanted = self
            .hands
            .building
            .filter(|_| self.state.driver.step_is_propose() && !self.is_decided());
        match wanted {
            None => self.hands.building = None,
            Some(round) => match own.iter().find(|(at, _)| *at == round) {
                Some((_, block_id)) => self.propose(round, *block_id)?,
                None => self.hands.ask_to_build(round),
            },
        }
        self.state.reset_entries_index();
        self.hands.replaying = false;
        self.hands.replayed.clear();
        Ok(())
    }

    /// The rounds and ids of the blocks that this validator built, according to the log.
    fn own_values(&self, logged: &[LogEntry]) -> Vec<(u32, Hash)> {
        let kid = self.hands.voice.kid();
        logged
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Value(value) if value.proposer == kid && value.valid => {
                    Some((value.round, value.block_id))
                }
                LogEntry::Value(_)
                | LogEntry::Vote(_)
                | LogEntry::Proposal(_)
                | LogEntry::Polka(_)
                | LogEntry::Elapsed(_)
                | LogEntry::Block { .. } => None,
            })
            .collect()
    }

    fn propose(&mut self, round: u32, block_id: Hash) -> Result<(), MachineError> {
        self.hands.building = None;
        let height = Height(self.hands.height);
        let value = LocallyProposedValue::new(height, Round::new(round), BlockId(block_id));
        self.step(Input::Propose(value))
    }

    /// Gives one input to the library and does what it asks for until it has no more to ask.
    ///
    /// When a request fails, the library is left where it is and never resumed: it would take a
    /// wrong answer for a right one.
    fn step(&mut self, input: Input<Context>) -> Result<(), MachineError> {
        let (state, hands) = (&mut self.state, &mut self.hands);
        let outcome: Result<(), Error<Context>> = process!(
            input: input,
            state: state,
            metrics: &(),
            with: effect => match hands.answer(effect) {
                Ok(resume) => Ok::<_, MachineError>(resume),
                Err(error) => return Err(error),
            }
        );
        match outcome {
            Ok(()) => Ok(()),
            // The vote or proposal that needed it was not signed, which is always safe.
            Err(Error::MissingPolkaCertificate(..)) => Ok(()),
            Err(error @ Error::ReplayDivergence(..)) => {
                Err(MachineError::Diverged(error.to_string()))
            }
            Err(
                error @ (Error::UnexpectedResume(..)
                | Error::DecisionNotFound(..)
                | Error::DriverProcess(_)
                | Error::InvalidCommitCertificate(..)
                | Error::VoteExtensionRequired(..)
                | Error::WalCorrupted(_)),
            ) => Err(MachineError::Library(error.to_string())),
        }
    }

    /// What was asked for, with the decision last: what is still to be sent helps others to it.
    fn finish(&mut self) -> Vec<Output> {
        let mut outputs = std::mem::take(&mut self.hands.outputs);
        if let Some(certificate) = self.hands.decided.clone() {
            outputs.retain(|output| !matches!(output, Output::Start(..) | Output::Stop(_)));
            outputs.push(Output::StopAll);
            let evidence = std::mem::take(&mut self.hands.evidence);
            if !evidence.is_empty() {
                outputs.push(Output::Misbehaved(evidence));
            }
            outputs.push(Output::Decided(certificate));
        }
        outputs
    }
}
