//! The HTTP client underneath: rustls with ring, and the trusted certificates.

use reqwest::{Certificate, redirect};

use super::config::ClientConfig;
use super::error::ClientError;
use super::limits;

/// Builds the HTTP client. The cryptography of rustls is chosen here and not by what other
/// packages happen to switch on.
pub(super) fn http_client(config: &ClientConfig) -> Result<reqwest::Client, ClientError> {
    let fault = |error: reqwest::Error| ClientError::Setup(super::transport::reason(&error));
    // An error means that this process has chosen a provider already, which then stands.
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("piaolian-client/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits::CONNECT_TIMEOUT)
        .read_timeout(limits::STREAM_IDLE_TIMEOUT)
        .tls_backend_rustls()
        // A signed request must not be carried to another address.
        .redirect(redirect::Policy::none());
    if let Some(pem) = &config.ca_pem {
        let certificates = Certificate::from_pem_bundle(pem).map_err(fault)?;
        if certificates.is_empty() {
            let text = "CA 文件中没有证书 / there is no certificate in the CA file";
            return Err(ClientError::Setup(text.into()));
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder.build().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let config = ClientConfig {
            ca_pem: Some(b"nothing".to_vec()),
            ..ClientConfig::new("https://x")
        };
        assert!(http_client(&config).is_err());
    }
}
