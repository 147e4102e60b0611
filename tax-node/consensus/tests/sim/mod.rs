//! A network of machines in one thread: virtual time, seeded faults, and an oracle.

mod plan;
mod world;

pub(crate) use plan::{Crash, Partition, Plan, chain, signer};
pub(crate) use world::{Outcome, run};
