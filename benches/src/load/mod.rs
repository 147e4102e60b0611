//! Loading a node: input signed beforehand, sent over sockets, timed to the durable receipt.

pub mod http;
pub mod input;
pub mod measure;
pub mod process;
pub mod report;
pub mod target;

use serde::Serialize;

/// Whatever went wrong, as text: a measurement can only stop.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Case {
    /// Records under one signature; 1 is a signature for each record.
    pub batch: usize,
    /// Connections, each of which waits for its answer before it sends again.
    pub connections: usize,
    /// Share of records that were sent before, in percent.
    pub duplicates: u32,
    /// Records to send.
    pub records: usize,
}
