//! Envelopes handed in, and what became of their records.

use std::sync::Arc;

use bytes::Bytes;
use invoice_core::calendar::Instant;
use invoice_core::chain::{Facts, Outcome, Receipt};
use invoice_core::refusal::{AuthenticationError, Forbidden, ShapeError, Violation};

/// An envelope whose own shape is right. What it holds has not been looked at.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The member `kid` as sent; absent only in an envelope to be validated without a signature.
    pub kid: Option<String>,
    /// The member `sig` as sent; absent together with `kid`.
    pub sig: Option<String>,
    /// The exact bytes of each record, slices of the request's body.
    pub records: Vec<Bytes>,
    /// Whether the signature is over a Merkle root (`records`) or over the one record (`record`).
    pub batch: bool,
    /// Whether all are accepted or none. Only a batch can be atomic.
    pub atomic: bool,
    /// Whether the answers must carry receipts. Bulk answers do without, so that sending again
    /// what is recorded costs no more than finding its place.
    pub receipts: bool,
    /// Tells apart where envelopes come from, as far as the interface knows: those that name one
    /// member and come from different places wait in queues of their own, so that junk in a
    /// member's name does not stand before what the member sends itself.
    pub origin: u64,
}

/// What became of one record of an envelope.
#[derive(Debug, Clone)]
pub struct RecordAnswer {
    /// The record's `id`, as far as it could be read.
    pub id: Option<String>,
    /// What became of it.
    pub verdict: RecordVerdict,
}

/// What became of one record, in the contract's order of checks.
#[derive(Debug, Clone)]
pub enum RecordVerdict {
    /// It has not the contract's shape. Nothing was recorded.
    Malformed(Vec<ShapeError>),
    /// Its signature or key is not good. Nothing was recorded.
    Unauthenticated(AuthenticationError),
    /// Its member may not do this. Nothing was recorded.
    Forbidden(Forbidden),
    /// Its own values break rules, all of which are here. Nothing was recorded.
    Invalid(Vec<Violation>),
    /// Its member used the id for other bytes before. Nothing was recorded.
    IdReused {
        /// Where the first use of the id stands, as `height`, `index`, `time`.
        facts: Facts,
    },
    /// Nothing is wrong with it, but another record of its atomic batch failed a check that
    /// leaves no trace, so nothing of the batch was recorded. A batch that failed by a rule of
    /// state is recorded, and its innocent records are `Final` with code `batch_aborted`.
    BatchAborted,
    /// It is on the chain, with the outcome that it will always have.
    Final(Recorded),
}

/// A record on the chain.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Whether it stood there before this envelope came.
    pub replayed: bool,
    /// Accepted, or refused with a code. What is worth knowing about the effect of something
    /// accepted is read back only together with a receipt.
    pub outcome: Outcome,
    /// What the answer says beyond the outcome's own facts, looked up when answering: for
    /// `document_exists` the first record's `first_id`, `first_height` and `first_time`.
    pub context: Facts,
    /// Height of its block.
    pub height: u64,
    /// Index of its leaf in the log.
    pub index: u64,
    /// Time of its block. It is read back only together with a receipt: `None` for what was
    /// recorded earlier and is answered without one.
    pub time: Option<Instant>,
    /// The proof of all this, when it was asked for.
    pub receipt: Option<Arc<Receipt>>,
}

/// Where a record stands on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Height of its block.
    pub height: u64,
    /// Index of its leaf in the log.
    pub index: u64,
    /// Time of its block.
    pub time: Instant,
}

/// Everything that a record would fail if it were sent now, from all stages at once.
#[derive(Debug, Clone, Default)]
pub struct RecordFindings {
    /// The record's `id`, as far as it could be read.
    pub id: Option<String>,
    /// Shape (400). When there are any, the later stages were not reached.
    pub shape: Vec<ShapeError>,
    /// Signature and key (401); `None` also for an envelope without a signature.
    pub authentication: Option<AuthenticationError>,
    /// Rights (403).
    pub forbidden: Option<Forbidden>,
    /// Rules of the record's own values (422).
    pub violations: Vec<Violation>,
    /// The first rule of state that refuses it (409), judged at the time of the last block;
    /// `id_reused` among them.
    pub refusal: Option<Refusal>,
}

/// A refusal by state that was found and not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: &'static str,
    /// What collided.
    pub facts: Facts,
}

/// The way back after a lost answer.
#[derive(Debug, Clone)]
pub enum RecordState {
    /// Never seen, or none of the asker's business.
    Absent,
    /// Taken, but not yet in a final block.
    Pending,
    /// On the chain.
    Final(Arc<Receipt>),
}
