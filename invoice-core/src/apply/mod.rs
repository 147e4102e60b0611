//! Executing records: one pure function of the recorded state, the block's time and the record.
//!
//! [`Execution`] runs the records of a block in order. What it answers, a [`Verdict`], depends on
//! nothing else: no clock, no randomness, no iteration order, no floats.

mod alias;
mod block;
mod block_signatures;
mod candidate;
mod claim_lock;
mod claim_release;
mod claim_reverse;
mod claim_settle;
mod confirm_reversal;
mod context;
mod document_freeze;
mod document_reverse;
mod event;
mod execution;
mod genesis;
mod issue;
mod key_ring;
mod keys;
mod layers;
mod members;
mod quota;
mod rights;
mod share_grant;
mod validators_change;
mod work;

pub use block::{BlockFault, ChainPoint, Executed, InvalidBlock, Signatures, execute_block};
pub use candidate::Candidate;
pub use claim_lock::LOCK_DURATION_MAX_MS;
pub use confirm_reversal::CONFIRMATION_VALIDITY_MS;
pub use context::{Found, resolve};
pub use event::{Event, EventKind};
pub use execution::{BlockPosition, Execution, Inadmissible, Recorded, Verdict};
pub use genesis::genesis_changes;
pub use key_ring::KeyRing;
