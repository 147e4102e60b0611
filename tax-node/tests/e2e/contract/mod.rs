//! The wire contract, call by call, against a running node.

mod chain;
mod documents;
mod edges;
mod ledger;
mod members;
mod money;
mod papers;
mod records;
mod reversals;
