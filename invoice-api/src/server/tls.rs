//! TLS settings from PEM files.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate chain could not be read.
    #[error("证书文件无法读取 / cannot read the certificates: {0}")]
    Certificates(rustls_pki_types::pem::Error),
    /// The private key could not be read.
    #[error("私钥文件无法读取 / cannot read the private key: {0}")]
    Key(rustls_pki_types::pem::Error),
    /// Certificates and key do not fit, or rustls does not take them.
    #[error("证书与私钥无法使用 / certificate and key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Reads the files and makes a configuration for TLS 1.2 and 1.3 with HTTP/1.1.
///
/// # Errors
/// [`TlsError`] when a file cannot be read or the key does not belong to the certificate.
pub fn rustls_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let certificates = CertificateDer::pem_file_iter(&files.certificates)
        .map_err(TlsError::Certificates)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(TlsError::Certificates)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(TlsError::Key)?;
    Ok(
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?,
    )
}
