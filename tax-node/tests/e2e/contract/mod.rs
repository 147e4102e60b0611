//! The wire contract, call by call, against a running node.

mod money;
mod records;
