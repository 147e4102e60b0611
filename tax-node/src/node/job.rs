//! A verified envelope on its way into a block.

use bytes::Bytes;
use invoice_api::registry::Unavailable;
use invoice_core::apply::{Candidate, Verdict};
use invoice_core::crypto::{Hash, Kid, Signature};
use tokio::sync::oneshot;

/// Envelopes that wait for a block; more are answered 503.
pub(super) const JOBS_WAITING_MAX: usize = 4_096;

/// Bytes of records that wait for a block; more are answered 503.
pub(super) const JOB_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;

/// How the signature covers the records.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Over the one record.
    Single,
    /// Over the Merkle root of all records of the envelope.
    Batch {
        /// All or none.
        atomic: bool,
        /// Leaf hashes of the records' bytes by position, also of those that failed before.
        leaf_hashes: Vec<Hash>,
    },
}

/// A record whose shape and signature are right.
#[derive(Debug, Clone)]
pub(super) struct Submitted {
    /// Its place in the envelope, from 0.
    pub(super) position: usize,
    /// Its exact bytes.
    pub(super) bytes: Bytes,
    /// What is to be executed.
    pub(super) candidate: Candidate,
}

/// An envelope to be executed and recorded.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) kid: Kid,
    pub(super) signature: Signature,
    pub(super) form: Form,
    pub(super) records: Vec<Submitted>,
    /// Takes one verdict per record of `records`, in order, once the block that they depend on is
    /// final.
    pub(super) reply: oneshot::Sender<Result<Vec<Verdict>, Unavailable>>,
}

impl Job {
    /// Bytes of its records.
    pub(super) fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.bytes.len()).sum()
    }
}
