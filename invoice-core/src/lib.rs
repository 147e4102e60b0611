//! The rules of the registry: records, state, chain formats and proofs.
//!
//! Everything here is a pure function of its arguments. There is no clock, no file, no socket, no
//! randomness and no logging, so the same bytes give the same answer on every node and in every
//! replay.
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

pub mod amount_words;
pub mod apply;
pub mod calendar;
pub mod chain;
pub mod codec;
pub mod crypto;
pub mod decimal;
pub mod identity;
pub mod invoice;
pub mod json;
pub mod merkle;
pub mod money;
pub mod paper_link;
pub mod qr;
pub mod read;
pub mod record;
pub mod refusal;
pub mod state;
