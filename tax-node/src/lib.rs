//! The node: store, engine, ingestion and command line.
//!
//! The only crate that knows the database, sockets, clocks and key files.

pub mod cli;
pub mod engine;
mod files;
pub mod key_file;
pub mod links;
pub mod node;
pub mod peers;
mod seed;
pub mod store;
