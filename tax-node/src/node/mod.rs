//! The node: records come in, are verified, ordered, executed, agreed on, stored, and answered.

mod access_log;
mod admission;
mod application;
mod checks;
mod claims;
mod clock;
mod disk;
mod documents;
mod events;
mod gauges;
mod index_rows;
mod intake;
mod key_cache;
mod oversight;
mod own_claims;
mod pipeline;
mod push;
mod receipts;
mod registry;
#[cfg(any(test, feature = "fault-injection"))]
pub mod simulated;
mod stages;
mod start;
mod timeline;
mod validate;
mod validators;

pub(crate) use disk::free_bytes;
pub use index_rows::rows_over;
pub(crate) use validators::certified;

pub use access_log::{ACCESS_LOG_FILE, AccessLog, AccessLogError};
pub use clock::{Clock, system_clock};
pub use start::{ConsortiumConfig, Node, NodeConfig, StartError, Stopped};
pub use validators::ValidatorsError;
