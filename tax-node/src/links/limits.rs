//! How much strangers and slow peers may cost.

use std::time::Duration;

/// Bytes of the largest frame of any kind: a block of
/// [`BLOCK_BYTES_MAX`](invoice_core::chain::BLOCK_BYTES_MAX) and what stands around it.
pub const FRAME_BYTES_MAX: usize = 9 * 1024 * 1024;
/// Bytes of a frame that are written in one go; an urgent frame waits for at most one such piece.
pub const PIECE_BYTES_MAX: usize = 64 * 1024;
/// Peers that a node can have: all validators and as many supervisors.
pub const PEERS_MAX: usize = 512;
/// What a frame or an event counts for beside its payload, in bytes, wherever bytes are counted:
/// it bounds the number of empty frames.
pub(super) const FRAME_OVERHEAD_BYTES: usize = 256;
/// Bytes that the system holds for a connection on their way out, as it is asked. It is small so
/// that urgent frames do not wait behind what can no longer be reordered.
pub(super) const SOCKET_SEND_BYTES: u32 = 256 * 1024;
/// Connections that wait to be accepted.
pub(super) const BACKLOG: u32 = 128;
/// How long accepting pauses after the system refused, in most cases for want of descriptors.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a closing link may take to say so.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Lines a second that are logged about strangers; the rest is only counted.
pub(super) const STRANGER_LINES_PER_SECOND: u32 = 5;

/// The limits that an installation may change. [`Limits::default`] states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from a connection to both sides' Hello; 5 s.
    pub handshake_timeout: Duration,
    /// Longest time to connect to one address; 5 s.
    pub connect_timeout: Duration,
    /// Connections at the same time whose other end has not shown who it is; 64.
    pub strangers_max: usize,
    /// The same from one IPv4 address or one IPv6 /64; 8.
    pub strangers_per_network: usize,
    /// New connections a second from one IPv4 address or one IPv6 /64; 10, not 0.
    pub connections_per_second: u32,
    /// Bytes that wait to be sent to one peer in the urgent lane; 4 MiB.
    pub urgent_bytes: usize,
    /// Bytes that wait to be sent to one peer in the bulk lane; 64 MiB.
    pub bulk_bytes: usize,
    /// Frames that wait to be sent to one peer, in each lane; 8,192.
    pub frames: usize,
    /// Bytes received from one peer that nobody has taken yet; then its link is no longer read.
    /// 16 MiB, raised to [`FRAME_BYTES_MAX`] if it is less.
    pub inbox_bytes: usize,
    /// After how much silence a side says that it is there; 2 s.
    pub beat: Duration,
    /// After how much silence of the other side a link is closed; 10 s.
    pub silence_max: Duration,
    /// How long writing one piece may take; 10 s.
    pub write_timeout: Duration,
    /// Pause after a first failed attempt to connect; it doubles with each. 100 ms.
    pub backoff_min: Duration,
    /// Longest pause between two attempts; 10 s.
    pub backoff_max: Duration,
    /// A link that held this long makes the pauses begin anew; 5 s.
    pub stable_after: Duration,
    /// How long the end with the greater key id leaves connecting to the other; 250 ms.
    pub dial_yield: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            strangers_max: 64,
            strangers_per_network: 8,
            connections_per_second: 10,
            urgent_bytes: 4 * 1024 * 1024,
            bulk_bytes: 64 * 1024 * 1024,
            frames: 8_192,
            inbox_bytes: 16 * 1024 * 1024,
            beat: Duration::from_secs(2),
            silence_max: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
            stable_after: Duration::from_secs(5),
            dial_yield: Duration::from_millis(250),
        }
    }
}
