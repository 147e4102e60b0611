//! The way of a record into a block: queue → verification on all cores → execution on one thread
//! → storing on another → answers.
//!
//! ```text
//! Registry::submit ─▶ queue ─▶ verify-0..n ─▶ desk ─▶ sequencer ─▶ engine (storer) ─▶ answers
//!                     lanes     parse, hash,    in     executes     root, certificate,
//!                     per       signatures      order  into the     one durable commit,
//!                     member    together               next block   publish
//! ```
//!
//! - [`queue`]: bounded by count and bytes, one lane per member and origin, served in turn. What
//!   it hands out has a ticket, and the sequencer executes in the order of tickets: what a member
//!   sends in order is executed in order, although several threads verify.
//! - [`verify`]: takes what is there, up to [`CHUNK_SIGNATURES_MAX`] signatures, and verifies them
//!   together. One envelope that waits alone goes at once. Nothing here waits for company.
//! - [`desk`]: where the sequencer and the engine meet. The engine asks for a block when it is
//!   free; the sequencer cuts what it has executed so far. So blocks are small when little comes
//!   and grow while the engine is busy.
//! - [`sequencer`]: executes block h + 1 over the changes of block h, which may not be durable
//!   yet. At most one block is being stored and one being executed.
//!
//! Every stage is bounded: a full queue answers 503, a full desk stops verification, a busy engine
//! stops execution. Nothing is answered before its block is durable.

pub(super) mod desk;
pub(super) mod fresh;
pub(super) mod job;
pub(super) mod lanes;
pub(super) mod outbox;
pub(super) mod pending;
pub(super) mod queue;
pub(super) mod reply;
pub(super) mod seal;
pub(super) mod sequencer;
pub(super) mod verify;

/// Envelopes that wait for verification; more are answered 503.
pub(super) const QUEUE_ENVELOPES_MAX: usize = 65_536;
/// Bytes of records that wait for verification; more are answered 503.
pub(super) const QUEUE_BYTES_MAX: usize = 96 * 1024 * 1024;
/// The part of the queue that one lane may fill: a divisor.
pub(super) const LANE_SHARE: usize = 4;
/// The part of the queue that all peers together may fill with what they forward: a divisor. The
/// rest is for this node's own members, who would be answered 503 for it.
pub(super) const PEERS_SHARE: usize = 4;
/// The part of that which one peer may fill: a divisor.
pub(super) const PEER_SHARE: usize = 4;
/// The part of a peer's part that the envelopes of one member may fill: a divisor.
pub(super) const PEER_LANE_SHARE: usize = 2;
/// Signatures that are verified together at most.
pub(super) const CHUNK_SIGNATURES_MAX: usize = 1_024;
/// Records that are parsed and hashed together at most, unless one envelope has more.
pub(super) const CHUNK_RECORDS_MAX: usize = 4_096;
/// Bytes of the records of a chunk at most, unless one envelope has more.
pub(super) const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Envelopes that one lane gives to a chunk before the next lane's turn.
pub(super) const LANE_QUANTUM: usize = 64;
/// Signatures of suspects that are verified, one by one, before somebody else's turn.
pub(super) const SUSPECT_CHUNK_MAX: usize = 32;
/// Verified records that wait for execution; then verification pauses.
pub(super) const DESK_RECORDS_MAX: usize = 16_384;
/// Bytes of verified records that wait for execution; then verification pauses.
pub(super) const DESK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Records after which a block takes no further envelope.
pub(super) const BLOCK_RECORDS_TARGET: usize = 8_192;
/// Bytes of records after which a block takes no further envelope. With the outcomes of its
/// records and the signatures of its envelopes it stays below the most that a block may have.
pub(super) const BLOCK_BYTES_TARGET: usize = 5 * 1024 * 1024;
/// Records from which on a block is cut as soon as the engine is free, although more wait.
pub(super) const BLOCK_RECORDS_ENOUGH: usize = 2_048;
