//! Every refusal by rights and by state, one case a line with the answer in the last column.

mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod scenes;
mod stories;
mod table;
mod validators;
mod world;
