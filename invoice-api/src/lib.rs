//! The HTTP interface of the registry, its client and what both share.

pub mod registry;
