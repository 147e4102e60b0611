//! Loading a node: input signed beforehand, sent in process or over sockets, timed to the durable
//! receipt.

pub mod checks;
pub mod consortium;
pub mod fill;
pub mod flood;
pub mod http;
pub mod ingest;
pub mod light;
pub mod node;
pub mod oversight;
pub mod process;
pub mod progress;
pub mod report;
pub mod signed;
pub mod sockets;
pub mod store;
pub mod tally;

pub use crate::Failure;
