//! The validator's own signature: asked for with patience, checked, and never given twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{VoteKind, proposal_message};
use invoice_core::crypto::{Hash, Kid, Signature, Signer};

use crate::context::{RawProposal, RawVote};
use crate::convert;
use crate::log::LogEntry;
use crate::output::MachineError;
use crate::verify::vote_bytes;

/// How often a signer is asked for one signature before the machine gives up.
///
/// A device that needs time to recover waits within [`Signer::sign`]; there is no clock here.
pub const SIGN_ATTEMPTS: usize = 3;

/// What a validator speaks for once in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Proposal,
    Prevote,
    Precommit,
}

impl Step {
    fn of(kind: VoteKind) -> Self {
        match kind {
            VoteKind::Prevote => Self::Prevote,
            VoteKind::Precommit => Self::Precommit,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        }
    }
}

/// What was said in a step: the block, and for a proposal its earlier round.
type Said = (Option<Hash>, Option<u32>);

/// Signs, and remembers what it signed at the height.
pub(crate) struct Voice {
    chain: ChainId,
    signer: Arc<dyn Signer>,
    kid: Kid,
    height: u64,
    said: BTreeMap<(u32, Step), Said>,
    /// The last signature and what it is over: the library verifies it once more.
    last: Option<(Vec<u8>, Signature)>,
}

impl Voice {
    pub(crate) fn new(chain: ChainId, signer: Arc<dyn Signer>) -> Self {
        Self {
            kid: signer.public_key().kid(),
            chain,
            signer,
            height: 0,
            said: BTreeMap::new(),
            last: None,
        }
    }

    pub(crate) fn kid(&self) -> Kid {
        self.kid
    }

    pub(crate) fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Turns to a height. What was signed at it, by this value or according to the log, stays said.
    pub(crate) fn begin(&mut self, height: u64, logged: &[LogEntry]) {
        if self.height != height {
            self.height = height;
            self.said.clear();
        }
        for entry in logged {
            let (round, step, said) = match entry {
                LogEntry::Vote(vote) if vote.voter == self.kid => {
                    (vote.round, Step::of(vote.kind), (vote.block_id, None))
                }
                LogEntry::Proposal(own) if own.proposer == self.kid => {
                    let said = (Some(own.block_id), own.valid_round);
                    (own.round, Step::Proposal, said)
                }
                LogEntry::Vote(_)
                | LogEntry::Proposal(_)
                | LogEntry::Polka(_)
                | LogEntry::Value(_)
                | LogEntry::Elapsed(_)
                | LogEntry::Block { .. } => continue,
            };
            self.said.entry((round, step)).or_insert(said);
        }
    }

    pub(crate) fn sign_vote(&mut self, vote: &RawVote) -> Result<Signature, MachineError> {
        let (kind, round) = (convert::kind(vote.kind), convert::number(vote.round));
        let id = convert::block(&vote.value);
        self.say(vote.height.0, round, Step::of(kind), (id, None))?;
        let bytes = vote_bytes(
            &self.chain,
            kind,
            vote.height.0,
            round,
            id.as_ref(),
            &self.kid,
        );
        self.sign(bytes)
    }

    pub(crate) fn sign_proposal(&mut self, own: &RawProposal) -> Result<Signature, MachineError> {
        let (height, round) = (own.height.0, convert::number(own.round));
        let valid_round = own.valid_round.as_u32();
        let id = own.value.0;
        self.say(height, round, Step::Proposal, (Some(id), valid_round))?;
        let bytes = proposal_message(&self.chain, height, round, &id, valid_round, &self.kid);
        self.sign(bytes)
    }

    /// Whether this is what was signed last.
    pub(crate) fn is_last(&self, bytes: &[u8], signature: &Signature) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(last, signed)| last == bytes && signed == signature)
    }

    /// The algorithm does not ask for two signatures that exclude each other; if it ever did, for
    /// whatever fault in it or in its log, it would not get them.
    fn say(&mut self, height: u64, round: u32, step: Step, said: Said) -> Result<(), MachineError> {
        let first = *self.said.entry((round, step)).or_insert(said);
        if first == said && height == self.height {
            return Ok(());
        }
        Err(MachineError::DoubleSign {
            height,
            round,
            what: step.name(),
        })
    }

    fn sign(&mut self, bytes: Vec<u8>) -> Result<Signature, MachineError> {
        let mut fault = MachineError::WrongSignature;
        for _ in 0..SIGN_ATTEMPTS {
            match self.signer.sign(&bytes) {
                Ok(signature) if self.signer.public_key().verify(&bytes, &signature) => {
                    self.last = Some((bytes, signature));
                    return Ok(signature);
                }
                Ok(_) => fault = MachineError::WrongSignature,
                Err(error) => fault = MachineError::CannotSign(error),
            }
        }
        Err(fault)
    }
}
