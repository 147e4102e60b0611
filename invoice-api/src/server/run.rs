//! Starting and stopping.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio_util::sync::CancellationToken;

use super::middleware::observe;
use super::state::AppState;
use super::tls::{TlsError, rustls_config};
use crate::config::ServerConfig;
use crate::registry::Registry;
use crate::routes;

/// Why the server did not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address could not be bound.
    #[error("无法监听 / cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server stopped by itself.
    #[error("服务器意外停止 / the server stopped: {0}")]
    Run(std::io::Error),
}

/// A server that listens and does not answer yet.
pub struct BoundServer {
    server: Server,
    addresses: Vec<SocketAddr>,
    stopping: CancellationToken,
}

impl BoundServer {
    /// Where it listens, the port that the system chose included.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until `shutdown` is ready, then takes no more connections, ends event streams, lets
    /// bulk streams finish the lines they have read, and waits for every answer that is under way.
    ///
    /// # Errors
    /// [`ServeError::Run`] when the server stops by itself.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let handle = self.server.handle();
        let mut server = std::pin::pin!(self.server);
        tokio::select! {
            ended = &mut server => return ended.map_err(ServeError::Run),
            () = shutdown => {}
        }
        self.stopping.cancel();
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        ended.map_err(ServeError::Run)
    }
}

/// Binds the address and prepares the workers.
///
/// # Errors
/// [`ServeError::Bind`] when the address is taken or not ours, [`ServeError::Tls`] when the
/// certificate or key cannot be used.
pub fn bind(config: &ServerConfig, registry: Arc<dyn Registry>) -> Result<BoundServer, ServeError> {
    let state = web::Data::new(AppState::new(config, registry));
    let stopping = state.stopping.clone();
    let listening = state.clone();
    let http = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(observe))
            .app_data(state.clone())
            .configure(routes::configure)
    })
    .workers(config.workers.max(1))
    .max_connections(
        config
            .connections_max
            .div_ceil(config.workers.max(1))
            .max(1),
    )
    .client_request_timeout(config.head_timeout)
    .keep_alive(config.keep_alive)
    .shutdown_timeout(config.stop_timeout.as_secs())
    .disable_signals();
    let http = match &config.tls {
        Some(files) => http.bind_rustls_0_23(config.listen, rustls_config(files)?),
        None => http.bind(config.listen),
    }
    .map_err(|source| ServeError::Bind {
        address: config.listen,
        source,
    })?;
    let addresses = http.addrs();
    if let Some(address) = addresses.first() {
        let scheme = config.tls.as_ref().map_or("http", |_| "https");
        listening.listens_at(format!("{scheme}://{address}"));
    }
    Ok(BoundServer {
        server: http.run(),
        addresses,
        stopping,
    })
}

/// Binds and serves until `shutdown` is ready.
///
/// # Errors
/// As [`bind`] and [`BoundServer::run`].
pub async fn serve(
    config: &ServerConfig,
    registry: Arc<dyn Registry>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    bind(config, registry)?.run(shutdown).await
}
