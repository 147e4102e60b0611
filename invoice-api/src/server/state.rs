//! What all handlers share.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::HttpRequest;
use invoice_core::crypto::Kid;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::budget::Budgets;
use super::metrics::Metrics;
use super::nonce::NonceCache;
use super::places::{Bounds, Places};
use super::session::Sessions;
use super::source::network;
use super::verifier::Verifier;
use crate::config::{ProxyNetwork, ServerConfig};
use crate::limits::{
    EVENT_STREAMS_OF_ADDRESS_MAX, EVENT_STREAMS_OF_MEMBER_MAX, EXPORTS_AT_ONCE_MAX,
    PAPERS_HELD_MAX, PAPERS_HELD_OF_ADDRESS_MAX, PAPERS_HELD_OF_MEMBER_MAX, PAPERS_READ_MAX,
    PRINTS_AT_ONCE_MAX,
};
use crate::problem::Problem;
use crate::registry::Registry;
use crate::trust::TrustedSeals;

/// What all handlers share: the registry, and the bounds that protect it.
pub struct AppState {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) budgets: Budgets,
    pub(crate) nonces: NonceCache,
    pub(crate) sessions: Sessions,
    /// Names of the genesis file's validators, once someone has asked for them.
    pub(crate) founders: OnceLock<HashMap<Kid, String>>,
    pub(crate) verifier: Verifier,
    pub(crate) metrics: Metrics,
    pub(crate) bulk_streams: Arc<Semaphore>,
    pub(crate) event_streams: Arc<Places>,
    pub(crate) prints: Arc<Semaphore>,
    pub(crate) exports: Arc<Semaphore>,
    pub(crate) fonts: print::Fonts,
    pub(crate) papers_trust: TrustedSeals,
    /// Where people reach this server.
    public_url: OnceLock<String>,
    pub(crate) papers_held: Arc<Places>,
    pub(crate) papers_read: Arc<Semaphore>,
    /// Whose forwarding headers are believed.
    pub(crate) trusted_proxies: Vec<ProxyNetwork>,
    pub(crate) stopping: CancellationToken,
}

impl AppState {
    /// The state of a server with these settings.
    #[must_use]
    pub fn new(config: &ServerConfig, registry: Arc<dyn Registry>) -> Self {
        Self {
            registry,
            budgets: Budgets::new(&config.budgets),
            nonces: NonceCache::new(),
            sessions: Sessions::new(),
            founders: OnceLock::new(),
            verifier: Verifier::new(config.verifiers),
            metrics: Metrics::new(),
            bulk_streams: Arc::new(Semaphore::new(config.bulk_streams_max)),
            event_streams: Arc::new(Places::new(Bounds {
                all: config.event_streams_max,
                member: EVENT_STREAMS_OF_MEMBER_MAX,
                network: EVENT_STREAMS_OF_ADDRESS_MAX,
            })),
            prints: Arc::new(Semaphore::new(PRINTS_AT_ONCE_MAX)),
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE_MAX)),
            fonts: config.fonts.clone(),
            papers_trust: config.papers_trust.clone(),
            public_url: config
                .public_url
                .as_ref()
                .map_or_else(OnceLock::new, |url| OnceLock::from(url.as_str().to_owned())),
            papers_held: Arc::new(Places::new(Bounds {
                all: PAPERS_HELD_MAX,
                member: PAPERS_HELD_OF_MEMBER_MAX,
                network: PAPERS_HELD_OF_ADDRESS_MAX,
            })),
            papers_read: Arc::new(Semaphore::new(PAPERS_READ_MAX)),
            trusted_proxies: config.trusted_proxies.clone(),
            stopping: CancellationToken::new(),
        }
    }

    /// Where people reach this server; empty before it listens, unless it was set.
    pub(crate) fn public_url(&self) -> &str {
        self.public_url.get().map_or("", String::as_str)
    }

    /// Where it listens is where people reach it, unless that was set.
    pub(crate) fn listens_at(&self, url: String) {
        let _ = self.public_url.set(url);
    }

    /// Charges a request without a signature to its address.
    pub(crate) fn charge_anonymous(&self, request: &HttpRequest) -> Result<(), Problem> {
        Ok(self.budgets.anonymous.take(&network(self, request), 1)?)
    }
}

/// The server's clock, in Unix seconds.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
