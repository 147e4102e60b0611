//! What is sent: generated and signed before anything is measured, and kept in files.

pub mod files;
pub mod plan;
pub mod reader;
pub mod seal;
mod signing;

pub use files::{Inputs, Prepared, Request, Setting};
pub use reader::Lines;
pub use seal::{Form, Sealer};
pub use signing::BulkSigner;
