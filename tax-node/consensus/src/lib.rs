//! Agreement between validators on one block after another.
//!
//! [`Machine`] takes what happened (a message came, a timer ran out, a block was built or found
//! valid) and answers with what is to be done ([`Output`]): entries for the log, messages to send,
//! timers, and at last the [`Certificate`](invoice_core::chain::Certificate) of the decided block.
//! There is no clock, no file, no socket, no thread and no randomness here, so a simulation drives
//! exactly what a validator runs.
//!
//! The algorithm is Tendermint (Buchman, Kwon, Milosevic, arXiv:1807.04938) in the core of
//! Malachite; keys, bytes and limits are the registry's. See `docs/decisions/008-consensus.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]

mod codec;
mod context;
mod convert;
mod early;
mod effects;
mod log;
mod machine;
mod message;
mod output;
mod rotation;
mod signing;
mod timer;
mod validators;
mod verify;

pub use log::{LOG_ENTRY_BYTES_MAX, LogEntry, Value};
pub use machine::{EARLY_HEIGHTS, EARLY_ROUNDS, Machine, Voting};
pub use message::{
    MESSAGE_BYTES_MAX, Message, Polka, Proposal, ROUND_MAX, RoundChange, RoundChangeReason,
    RoundVote, Vote,
};
pub use output::{Evidence, MachineError, Output};
pub use rotation::ROTATION_STEPS_MAX;
pub use signing::SIGN_ATTEMPTS;
pub use timer::{StepTime, Timeouts, Timer, TimerKind};
pub use validators::WEIGHT_TOTAL_MAX;
