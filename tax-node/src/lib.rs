//! The node: store, engine, ingestion and command line.

pub mod store;
