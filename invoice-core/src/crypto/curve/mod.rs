//! The group of the SM2 curve (GB/T 32918.5-2017) for verifying: fast, and in variable time.
//!
//! **Only for public data.** The time and the memory accesses of everything here depend on the
//! numbers. Signatures, digests and public keys are public; private keys and the k of a signature
//! never come here: signing stays with the `sm2` crate, against which all of this is tested.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "dense arithmetic on arrays of fixed size; what could overflow uses the explicit operations"
)]

mod buckets;
mod chain;
mod field;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod point;
mod scalar;
mod table;
#[cfg(test)]
mod tests;

pub(super) use buckets::{add_by_buckets, cost as bucket_cost};
pub(super) use chain::Chain;
pub(super) use field::Fe;
pub(super) use point::{Affine, Jacobian};
pub(super) use scalar::{Scalar, WideSum};
pub(super) use table::{Table, generator};
