//! Big tables as sorted runs: rows in memory first, then in immutable files that are merged now
//! and then.
//!
//! A row is a key (a keyspace number, then bytes) and a value, or the fact that it was removed.
//! Rows of a block go into the newest [`Generation`], with the block's height. A sealed generation
//! is *flushed* into a run: a file of sorted rows that never changes. Runs of similar size are
//! *merged* into one. A [`Version`] names the generations and runs of one moment, and a [`View`]
//! reads them as of one height; whoever holds one is not disturbed by flushes and merges.
//!
//! Nothing here knows which runs count: the caller keeps a manifest. A file is whole and durable
//! when [`Home::flush`] or [`Home::merge`] returned; a crash before leaves a file that no manifest
//! names, and [`Home::remove_others`] removes it.

mod block;
mod digest;
mod error;
#[cfg(any(test, feature = "fault-injection"))]
mod fault_files;
mod files;
mod filter;
mod footer;
mod generation;
mod home;
mod index;
mod info;
mod key;
mod merge;
mod plan;
mod run;
mod scan;
#[cfg(test)]
mod tests;
mod version;
mod writer;

pub use error::RunError;
#[cfg(any(test, feature = "fault-injection"))]
pub use fault_files::FaultFiles;
pub use files::{DiskFiles, FileIn, FileOut, Files};
pub(crate) use filter::Filters;
#[cfg(test)]
pub(crate) use generation::Cell;
pub(crate) use generation::Generation;
pub(crate) use home::Home;
pub(crate) use info::RunInfo;
pub(crate) use plan::plan_merge;
pub(crate) use run::Run;
pub(crate) use scan::Scan;
pub(crate) use version::{Version, View};

/// Keyspaces are numbered from 0 up to and excluding this.
pub(crate) const KEYSPACES_MAX: u8 = 64;

/// The longest key, keyspace included, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 1 << 10;

/// The longest value in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 1 << 24;

/// In which direction rows are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// From the first key to the last.
    Ascending,
    /// From the last key to the first.
    Descending,
}
