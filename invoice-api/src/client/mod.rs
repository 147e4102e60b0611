//! A client of the wire contract, for programs that issue, check and claim documents.
//!
//! A client survives what a network does. Whatever it sends to be recorded may be sent again byte
//! for byte, because the registry answers the same bytes with the one outcome that they have; so
//! lost answers and refusals for the moment (503) are retried here, and only when all attempts
//! have failed does the caller hear of it, as [`ClientError::Network`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use invoice_api::client::{Client, ClientConfig, Envelope, Submitted};
//! use invoice_core::crypto::{SecretKey, SecretKeySigner};
//!
//! # async fn story(pem: &str, record: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let key = SecretKey::from_pkcs8_pem(pem, None)?;
//! let signer = Arc::new(SecretKeySigner::new(key));
//! let client = Client::new(ClientConfig::new("http://127.0.0.1:8080"))?.with_signer(signer.clone());
//! let chain_id = client.chain_id().await?;
//! match client.submit(&Envelope::single(&chain_id, &*signer, record)?).await? {
//!     Submitted::Recorded(recorded) => println!("{}", recorded.receipt),
//!     Submitted::Refused(problem) => println!("{}: {}", problem.code, problem.detail),
//! }
//! # Ok(())
//! # }
//! ```

mod authorization;
mod bulk;
mod chain;
mod checks;
mod config;
mod documents;
mod envelope;
mod error;
mod events;
pub mod limits;
mod lines;
mod problem;
mod records;
mod tls;
mod transport;
mod webhooks;

use std::sync::Arc;

use invoice_core::crypto::Signer;
use reqwest::Url;

pub use bulk::{BulkAnswer, BulkLine, BulkSummary};
pub use chain::{Checkpoint, ConsistencyProof, InclusionProof};
pub use checks::{AsOf, CheckItem, CheckResult, Checked, Verdict};
pub use config::{AnswerLanguage, ClientConfig};
pub use documents::{ClaimPage, ClaimQuestion, PaperFile};
pub use envelope::{Envelope, EnvelopeError};
pub use error::ClientError;
pub use events::EventLine;
pub use problem::{Problem, ProblemItem};
pub use records::{BatchAnswer, BatchResult, RecordLookup, Recorded, Submitted};

/// Speaks to one registry, in the name of whoever holds the signing key.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    config: Arc<ClientConfig>,
    signer: Option<Arc<dyn Signer>>,
}

impl Client {
    /// Prepares connections to the registry; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Setup`] when the address is not an `http` or `https` URL without path, query
    /// and credentials, or when the CA file is not one.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let server = config.server_url()?;
        let http = tls::http_client(&config)?;
        Ok(Self {
            http,
            server,
            config: Arc::new(config),
            signer: None,
        })
    }

    /// Signs questions that are not public with this key.
    #[must_use]
    pub fn with_signer(self, signer: Arc<dyn Signer>) -> Self {
        Self {
            signer: Some(signer),
            ..self
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Client({})", self.server)
    }
}
