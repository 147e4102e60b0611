//! The node: store, engine, ingestion and command line.
//!
//! The only crate that knows the database, sockets, clocks and key files.

pub mod engine;
pub mod node;
pub mod store;
