//! The server: what every request passes through.

pub(crate) mod authenticate;
pub(crate) mod authorization;
pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod metrics;
pub(crate) mod middleware;
pub(crate) mod nonce;
pub(crate) mod places;
mod run;
pub(crate) mod session;
pub(crate) mod source;
pub(crate) mod state;
mod tls;
pub(crate) mod trace_id;
pub(crate) mod verifier;

pub use run::{BoundServer, ServeError, bind, serve};
pub use state::AppState;
pub use tls::{TlsError, rustls_config};

#[cfg(test)]
mod tests;
