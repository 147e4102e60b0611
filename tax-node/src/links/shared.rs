//! What all tasks of the links share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use invoice_core::chain::ChainId;
use invoice_core::crypto::{Hash, Kid, Signer};
use rustls::{ClientConfig, ServerConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::Kinds;
use super::counters::Counters;
use super::events::EventSender;
use super::limits::{Limits, STRANGER_LINES_PER_SECOND};
use super::peer::Entry;

pub(super) struct Shared {
    pub(super) chain: ChainId,
    pub(super) genesis: Hash,
    pub(super) kid: Kid,
    pub(super) signer: Arc<dyn Signer>,
    pub(super) kinds: Arc<Kinds>,
    pub(super) limits: Limits,
    pub(super) tls_client: Arc<ClientConfig>,
    pub(super) tls_server: Arc<ServerConfig>,
    pub(super) counters: Counters,
    pub(super) events: EventSender,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) peers: RwLock<HashMap<Kid, Arc<Entry>>>,
    pub(super) turns: Mutex<HashMap<Kid, Turn>>,
    pub(super) stranger_lines: StrangerLines,
}

/// Held from `Connected` to `Disconnected`, so that two links to one key never overlap, even when
/// the key leaves the list of peers and comes back at once.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

impl Shared {
    pub(super) fn peer(&self, kid: &Kid) -> Option<Arc<Entry>> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(kid).cloned()
    }

    /// All peers, by key id.
    pub(super) fn all_peers(&self) -> Vec<Arc<Entry>> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = peers.values().cloned().collect();
        all.sort_unstable_by_key(|peer| peer.kid);
        all
    }

    /// The turn of a key; those that nobody has any more are forgotten.
    pub(super) fn turn(&self, kid: Kid) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(kid).or_default())
    }
}

/// Bounds what is logged about strangers, so that a flood of them does not become one of lines.
pub(super) struct StrangerLines(DefaultDirectRateLimiter);

impl StrangerLines {
    pub(super) fn new() -> Self {
        let lines = std::num::NonZeroU32::new(STRANGER_LINES_PER_SECOND);
        let lines = lines.unwrap_or(std::num::NonZeroU32::MIN);
        Self(RateLimiter::direct(Quota::per_second(lines)))
    }

    /// Whether one more line may be logged now.
    pub(super) fn may(&self) -> bool {
        self.0.check().is_ok()
    }
}
