//! The port between the chain's rules and whatever agrees on the order of blocks.
//!
//! An [`Engine`] decides which block comes next; an [`Application`] knows what a block means. The
//! engine never looks into a block, the application never counts votes. Everything that several
//! validators need passes through this port already: blocks are built for a height, checked before
//! anyone votes for them, and committed with a certificate, whoever proposed them.

pub mod consortium;
mod planted;
mod solo;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use invoice_core::calendar::Instant;
use invoice_core::chain::{Block, Certificate, ChainId, ValidatorSet};
use invoice_core::crypto::Kid;

use consortium::frames::DecidedBlock;

pub use planted::{Fault, Planted};
pub use solo::Solo;

/// What the application has for the next block.
#[derive(Debug)]
pub enum Build {
    /// A block to propose.
    Block(Box<Block>),
    /// Nothing to record within the time that an engine may wait.
    Idle,
    /// Nothing will come any more: whoever submits has gone.
    Finished,
}

/// How a block is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildRequest {
    /// How long to wait for records.
    pub patience: Duration,
    /// Whether a block without records will do when there are none.
    pub empty: bool,
}

/// Whether a proposed block may be voted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// Executing it gives what its header states.
    Valid,
    /// It must not become final.
    Invalid {
        /// Why, for the log.
        reason: String,
        /// Whether what its header stands for breaks the rule. A header does not cover everything
        /// that comes with it: other signatures, or other records altogether, can be put under it.
        proven: bool,
    },
}

/// The application can no longer tell what is on disk: the node stops and is opened again.
#[derive(Debug, thiserror::Error)]
#[error("the node stops: {0}")]
pub struct Fatal(pub String);

impl Fatal {
    /// With the cause, for the log.
    pub(crate) fn new(cause: impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// How far a proposed block's time may be ahead of a validator's clock.
pub(crate) const CLOCK_SKEW_MAX_MS: i64 = 5_000;

/// The chain's rules and its store, as an engine sees them.
pub trait Application {
    /// The chain's name, a part of every vote.
    fn chain_id(&self) -> &ChainId;

    /// The height that is to be decided next.
    fn next_height(&self) -> u64;

    /// The validators of a height.
    fn validators(&self, height: u64) -> Arc<ValidatorSet>;

    /// The time of the last block, or of the genesis file.
    fn last_time(&self) -> Instant;

    /// Builds the next block, waiting a bounded time for records. An engine asks as soon as it
    /// could propose: how long it is busy between two calls decides how large blocks are. Asking
    /// again for the same height gives up the block that was built before.
    ///
    /// # Errors
    /// The store cannot be read.
    fn build(&mut self, request: BuildRequest) -> Result<Build, Fatal>;

    /// Executes a proposed block and compares what its header states. One that lies ahead of this
    /// node's clock is invalid.
    ///
    /// # Errors
    /// The store cannot be read.
    fn check(&mut self, block: &Block) -> Result<Validity, Fatal>;

    /// Makes a decided block durable and answers those who wait for it. The same block twice is
    /// once.
    ///
    /// # Errors
    /// The store failed: what is on disk is not known.
    fn commit(&mut self, block: Block, certificate: Certificate) -> Result<(), Fatal>;
}

/// What agreement among several needs of a node besides.
pub trait Replica: Application {
    /// Executes a block that is final and compares what its header states. The time that the
    /// validators agreed on is right, whatever this node's clock shows.
    ///
    /// # Errors
    /// The store cannot be read.
    fn check_final(&mut self, block: &Block) -> Result<Validity, Fatal>;

    /// Whether verified records wait to be recorded.
    fn has_records(&self) -> bool;

    /// Envelopes of this node's own members that wait, from after the one with the first number (0:
    /// none) to the one with the second, as many as go together, and the number of the last.
    fn waiting_envelopes(&self, after: u64, up_to: u64) -> (Vec<Bytes>, u64);

    /// Takes envelopes that a peer forwards. Nothing of them is believed: they go the way of
    /// every envelope, within the peer's part of the same limits, and nobody is answered.
    fn take_forwarded(&mut self, from: Kid, envelopes: Vec<Bytes>);

    /// Final blocks from a height on, in order: none, or at least one, then as many as stay
    /// within these numbers of bytes and blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    fn decided_from(
        &self,
        height: u64,
        bytes: usize,
        blocks: usize,
    ) -> Result<Vec<DecidedBlock>, Fatal>;
}

impl<A: Application + ?Sized> Application for &mut A {
    fn chain_id(&self) -> &ChainId {
        (**self).chain_id()
    }

    fn next_height(&self) -> u64 {
        (**self).next_height()
    }

    fn validators(&self, height: u64) -> Arc<ValidatorSet> {
        (**self).validators(height)
    }

    fn last_time(&self) -> Instant {
        (**self).last_time()
    }

    fn build(&mut self, request: BuildRequest) -> Result<Build, Fatal> {
        (**self).build(request)
    }

    fn check(&mut self, block: &Block) -> Result<Validity, Fatal> {
        (**self).check(block)
    }

    fn commit(&mut self, block: Block, certificate: Certificate) -> Result<(), Fatal> {
        (**self).commit(block, certificate)
    }
}

impl<R: Replica + ?Sized> Replica for &mut R {
    fn check_final(&mut self, block: &Block) -> Result<Validity, Fatal> {
        (**self).check_final(block)
    }

    fn has_records(&self) -> bool {
        (**self).has_records()
    }

    fn waiting_envelopes(&self, after: u64, up_to: u64) -> (Vec<Bytes>, u64) {
        (**self).waiting_envelopes(after, up_to)
    }

    fn take_forwarded(&mut self, from: Kid, envelopes: Vec<Bytes>) {
        (**self).take_forwarded(from, envelopes);
    }

    fn decided_from(
        &self,
        height: u64,
        bytes: usize,
        blocks: usize,
    ) -> Result<Vec<DecidedBlock>, Fatal> {
        (**self).decided_from(height, bytes, blocks)
    }
}

/// Agreement on blocks. Runs on a thread of its own until the application has finished.
pub trait Engine {
    /// Decides height after height.
    ///
    /// # Errors
    /// The application failed, or the engine cannot sign.
    fn run(self, application: &mut dyn Replica) -> Result<(), EngineError>;
}

/// Why an engine stopped before its time.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The application failed.
    #[error(transparent)]
    Application(#[from] Fatal),
    /// The validator's key cannot sign.
    #[error("the validator cannot sign: {0}")]
    Signer(#[from] invoice_core::crypto::SignError),
    /// The block that this node built itself does not execute to what it states.
    #[error("this node's own block {height} is not valid: {reason}")]
    OwnBlock {
        /// Its height.
        height: u64,
        /// Why.
        reason: String,
    },
    /// The validator's key is not one of the chain's validators, or it has not the weight to
    /// decide alone.
    #[error("this validator cannot decide alone: {0}")]
    NotAlone(invoice_core::chain::CertificateError),
    /// The agreement with others ended.
    #[error(transparent)]
    Consortium(#[from] consortium::ConsortiumError),
}
