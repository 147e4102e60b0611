//! Figures of the links for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

use super::fault::LinkFault;
use super::hello::HelloFault;

/// What happened since the start, each as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Connections that were closed at once: too many from one network in a second.
    pub refused_rate: u64,
    /// Strangers that a newer one pushed out: too many at the same time.
    pub refused_room: u64,
    /// Accepted connections that did not get through TLS and their Hello in time.
    pub refused_timeout: u64,
    /// Accepted connections that were not TLS as it is spoken here, or broke off.
    pub refused_tls: u64,
    /// A Hello with another version or genesis, or for another node; on either end.
    pub refused_mismatch: u64,
    /// A Hello of a key that is not in the list; on either end.
    pub refused_unknown: u64,
    /// A Hello with a wrong signature; on either end.
    pub refused_signature: u64,
    /// Links that were made.
    pub connected: u64,
    /// Links that were closed for bytes that an honest end never sends.
    pub violations: u64,
    /// Links that were closed since a queue was full.
    pub resets: u64,
    /// Frames that were dropped since a queue was full.
    pub frames_dropped: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) refused_rate: AtomicU64,
    pub(super) refused_room: AtomicU64,
    refused_timeout: AtomicU64,
    refused_tls: AtomicU64,
    refused_mismatch: AtomicU64,
    refused_unknown: AtomicU64,
    refused_signature: AtomicU64,
    pub(super) connected: AtomicU64,
    violations: AtomicU64,
    resets: AtomicU64,
    pub(super) frames_dropped: AtomicU64,
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Counts a connection that did not become a link.
    pub(super) fn refused(&self, fault: &LinkFault) {
        count(match fault {
            LinkFault::HandshakeTimeout => &self.refused_timeout,
            LinkFault::Hello(HelloFault::Unknown(_)) => &self.refused_unknown,
            LinkFault::Hello(HelloFault::Signature(_) | HelloFault::Form) => {
                &self.refused_signature
            }
            LinkFault::Hello(
                HelloFault::Version(_)
                | HelloFault::Genesis
                | HelloFault::Addressed(_)
                | HelloFault::Other(_),
            ) => &self.refused_mismatch,
            LinkFault::Io(_)
            | LinkFault::Address
            | LinkFault::ConnectTimeout
            | LinkFault::Refused
            | LinkFault::Sign(_)
            | LinkFault::Wire(_)
            | LinkFault::Silent
            | LinkFault::Stalled
            | LinkFault::Full
            | LinkFault::Replaced
            | LinkFault::Removed
            | LinkFault::Closed
            | LinkFault::Stopped => &self.refused_tls,
        });
    }

    /// Counts the end of a link where its cause is of interest.
    pub(super) fn ended(&self, fault: &LinkFault) {
        if matches!(fault, LinkFault::Wire(_)) {
            count(&self.violations);
        } else if matches!(fault, LinkFault::Full) {
            count(&self.resets);
        }
    }

    pub(super) fn read(&self) -> LinkCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LinkCounters {
            refused_rate: read(&self.refused_rate),
            refused_room: read(&self.refused_room),
            refused_timeout: read(&self.refused_timeout),
            refused_tls: read(&self.refused_tls),
            refused_mismatch: read(&self.refused_mismatch),
            refused_unknown: read(&self.refused_unknown),
            refused_signature: read(&self.refused_signature),
            connected: read(&self.connected),
            violations: read(&self.violations),
            resets: read(&self.resets),
            frames_dropped: read(&self.frames_dropped),
        }
    }
}
