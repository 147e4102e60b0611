//! What stands on the chain and what proves it: blocks, headers, certificates, the log's leaves,
//! the genesis file and receipts.

mod chain_id;
mod header;
mod leaf;
mod outcome;

pub use chain_id::{ChainId, ChainIdError};
pub use header::{HEADER_BYTES, Header};
pub use leaf::Leaf;
pub use outcome::{CODE_BYTES_MAX, FACTS_MAX, Facts, Outcome};
