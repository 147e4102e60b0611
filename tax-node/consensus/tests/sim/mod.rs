//! A network of machines in one thread: virtual time, seeded faults, and an oracle.

mod plan;
mod world;

pub(crate) use plan::{Crash, Partition, Plan};
pub(crate) use world::{Outcome, run};
