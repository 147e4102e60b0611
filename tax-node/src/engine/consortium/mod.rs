//! Agreement of several validators that do not trust each other.
//!
//! Malachite's core decides (crate `consensus`); here is what surrounds it: the log that is synced
//! before a vote leaves, blocks on their way, catching up, forwarding, and the guard against a disk
//! that went back in time. [`Participant`] has no threads, sockets or clocks; [`thread`] gives it
//! real ones, and the simulation of whole consortiums gives it virtual ones.

mod catch_up;
mod doubts;
#[cfg(any(test, feature = "fault-injection"))]
mod fault_log;
mod forwarding;
pub mod frames;
mod greeting;
mod participant;
mod progress;
mod proposals;
pub mod thread;
mod vote_log;

use std::time::Duration;

use invoice_core::crypto::{Hash, Kid};

#[cfg(any(test, feature = "fault-injection"))]
pub use fault_log::{LogDisk, LogFile};
pub use participant::{Action, Clock, Event, Participant};
pub use vote_log::VoteLog;

use super::Fatal;

/// Times of a node's part in the agreement.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// An idle chain records an empty block after this time, so that everybody sees it alive.
    pub heartbeat: Duration,
    /// How long the proposer of a height that others began waits for records.
    pub patience: Duration,
    /// A peer has decided a height that is being decided here: so long the votes may take.
    pub grace: Duration,
    /// After this time another peer is asked for blocks.
    pub fetch: Duration,
    /// How often peers are told the height.
    pub status: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(60),
            patience: Duration::from_millis(500),
            grace: Duration::from_millis(300),
            fetch: Duration::from_secs(10),
            status: Duration::from_secs(1),
        }
    }
}

/// What people must hear of.
#[derive(Clone, Debug)]
pub enum Alarm {
    /// A quorum signed a block that does not execute to what it states.
    Disagreement {
        /// Its height.
        height: u64,
        /// Its id.
        block_id: Hash,
        /// What differs.
        reason: String,
    },
    /// A validator proposed a block that breaks a rule.
    InvalidProposal {
        /// The height.
        height: u64,
        /// Who.
        proposer: Kid,
        /// Which rule.
        reason: String,
    },
    /// Validators signed two things that contradict each other.
    Misbehaved(Vec<consensus::Evidence>),
    /// This node may have signed at this height and does not remember it: its disk went back in time.
    Forgotten {
        /// The height.
        height: u64,
    },
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Disagreement {
                height,
                block_id,
                reason,
            } => write!(
                f,
                "区块 {height}（{block_id}）已由法定多数签署，但与本节点的执行结果不符：{reason} / \
                 block {height} ({block_id}) is signed by a quorum and does not execute to what it \
                 states here: {reason}"
            ),
            Self::InvalidProposal {
                height,
                proposer,
                reason,
            } => write!(
                f,
                "验证者 {proposer} 在高度 {height} 提出了无效区块：{reason} / validator {proposer} \
                 proposed an invalid block at height {height}: {reason}"
            ),
            Self::Misbehaved(evidence) => {
                f.write_str("验证者签署了相互矛盾的消息 / validators contradicted themselves:")?;
                evidence
                    .iter()
                    .try_for_each(|one| write!(f, " {}", one.kid))
            }
            Self::Forgotten { height } => write!(
                f,
                "本节点的磁盘回退过，可能曾在高度 {height} 签名而本地已无记录，在此高度不签名 / the \
                 disk of this node went back in time: it may have signed at height {height} and does \
                 not remember it, so it signs nothing there"
            ),
        }
    }
}

/// Why a node's part in the agreement ended.
#[derive(Debug, thiserror::Error)]
pub enum ConsortiumError {
    /// The application failed.
    #[error(transparent)]
    Application(#[from] Fatal),
    /// The log of votes cannot be read or written: nothing may be signed any more.
    #[error("the log of votes failed: {0}")]
    Log(#[from] std::io::Error),
    /// The state machine failed.
    #[error(transparent)]
    Machine(#[from] consensus::MachineError),
    /// This node's own execution differs from what a quorum signed.
    #[error("block {height} is final and does not execute to what it states here: {reason}")]
    Disagreement {
        /// The height.
        height: u64,
        /// What differs.
        reason: String,
    },
}
