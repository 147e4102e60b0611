//! What the machine asks for, and why it stops.

use std::time::Duration;

use invoice_core::chain::{Certificate, CertificateError};
use invoice_core::crypto::{Hash, Kid, SignError};

use crate::log::LogEntry;
use crate::message::Message;
use crate::timer::Timer;

/// Two signed messages of one validator for the same step that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who signed both.
    pub kid: Kid,
    /// The one that was there first: a vote or a proposal.
    pub first: Message,
    /// The other, of the same kind.
    pub second: Message,
}

/// Something to be done, in the order given.
///
/// Whatever is to be logged is durable before any [`Output::Send`] that comes after it; that is
/// the only thing that the safety of this validator's votes asks of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Append to the log of the height.
    Log(LogEntry),
    /// Send to all validators and observers.
    Send(Message),
    /// Start a timer, or start it anew.
    Start(Timer, Duration),
    /// Stop a timer; it may not run.
    Stop(Timer),
    /// Stop all timers.
    StopAll,
    /// Build a block, make its bytes durable, give them to the other validators, and call
    /// [`Machine::proposed`](crate::Machine::proposed).
    Build {
        /// Round in which it is to be proposed.
        round: u32,
        /// When the others stop waiting for it.
        within: Duration,
    },
    /// Give the bytes of a known block to the other validators again: it is proposed once more.
    Resend {
        /// Round of the proposal.
        round: u32,
        /// The earlier round in which a quorum prevoted for it.
        valid_round: Option<u32>,
        /// The block.
        block_id: Hash,
        /// Who proposes it in this round.
        proposer: Kid,
    },
    /// What validators signed twice at this height; before [`Output::Decided`].
    Misbehaved(Vec<Evidence>),
    /// The height is decided; the last output of a height. The machine waits for the next
    /// [`Machine::begin`](crate::Machine::begin).
    Decided(Certificate),
}

/// Why the machine cannot go on. Nothing is signed after one of these, until a new machine begins
/// with the log as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// The signer failed as often as it was asked.
    #[error("无法签名：{0} / cannot sign: {0}")]
    CannotSign(#[from] SignError),
    /// What the signer returned is no signature of its key.
    #[error("签名设备给出的签名无法验证 / the signer returned a signature that does not verify")]
    WrongSignature,
    /// Two different votes or proposals were about to be signed for the same step.
    #[error(
        "高度 {height} 第 {round} 轮：拒绝对 {what} 重复签名 / height {height}, round {round}: a second, different {what} is not signed"
    )]
    DoubleSign {
        /// The height.
        height: u64,
        /// The round.
        round: u32,
        /// `prevote`, `precommit` or `proposal`.
        what: &'static str,
    },
    /// The log does not lead to the votes that it contains.
    #[error("共识日志与重放结果不符：{0} / the log does not lead to its own votes: {0}")]
    Diverged(String),
    /// A height below the former one was begun, or 0.
    #[error("高度不能从 {from} 回到 {to} / the height cannot go back from {from} to {to}")]
    Backwards {
        /// The former height.
        from: u64,
        /// The one asked for.
        to: u64,
    },
    /// An entry of the log belongs to another height.
    #[error(
        "日志条目属于高度 {found} 而非 {expected} / a log entry is of height {found}, not {expected}"
    )]
    ForeignLog {
        /// The height that begins.
        expected: u64,
        /// The entry's.
        found: u64,
    },
    /// The weights exceed [`WEIGHT_TOTAL_MAX`](crate::WEIGHT_TOTAL_MAX).
    #[error("验证者权重总和过大 / the sum of the validators' weights is too large")]
    Weights,
    /// The decision's certificate is refused by the rule for receipts.
    #[error("决议证书无效：{0} / the decision's certificate is invalid: {0}")]
    Certificate(#[from] CertificateError),
    /// The library found itself in a state that should be impossible.
    #[error("共识内部错误：{0} / consensus failed: {0}")]
    Library(String),
    /// An earlier call failed.
    #[error("共识已停止，须重新启动 / consensus has stopped and must be started again")]
    Dead,
}
