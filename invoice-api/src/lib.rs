//! The HTTP interface of the registry, its client and what both share.
//!
//! [`registry`] is what the interface needs from whoever keeps the records; [`serve`] puts it
//! behind the addresses of the wire contract.

pub mod client;
mod config;
mod fault;
mod language;
pub mod limits;
mod pages;
mod problem;
pub mod registry;
pub mod routes;
mod server;
mod status;
mod texts;
mod trust;
pub mod wire;

pub use ::print::Fonts;
pub use config::{
    BudgetConfig, ProxyNetwork, ProxyNetworkError, PublicUrl, PublicUrlError, ServerConfig,
    TlsFiles,
};
pub use fault::Fault;
pub use language::Language;
pub use problem::PROBLEM_JSON;
pub use routes::openapi::{openapi, openapi_json};
pub use server::{AppState, BoundServer, ServeError, TlsError, bind, rustls_config, serve};
pub use trust::{TrustError, TrustedSeals};
