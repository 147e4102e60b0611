//! Whose seals on papers are believed: certificates that whoever runs a node or a command names.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use papers::is_seal_certificate;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Bytes of one file of certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Certificates in all.
const CERTIFICATES_MAX: usize = 1_000;

/// Certificates (DER) of sealers whose seals are trusted. None by default: a seal shows that a file
/// was not changed since somebody sealed it, and not who that was.
#[derive(Clone, Default)]
pub struct TrustedSeals(Arc<Vec<Vec<u8>>>);

/// Why certificates of trusted sealers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The file is larger than such files are, or there are too many certificates.
    #[error(
        "{0}: 证书文件过大或证书过多（至多 1 MiB、{CERTIFICATES_MAX} 张） / a file of certificates that is too large, or too many of them (1 MiB and {CERTIFICATES_MAX} at most)"
    )]
    TooMuch(String),
    /// The file has no certificate with an SM2 key, so that trusting it would change nothing.
    #[error("{0}: 不是 SM2 证书（PEM 或 DER） / not a certificate with an SM2 key (PEM or DER)")]
    NotACertificate(String),
}

impl TrustedSeals {
    /// Reads files, each with one certificate (DER) or several (PEM).
    ///
    /// # Errors
    /// [`TrustError`], which names the file.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, TrustError> {
        let mut all = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let name = || path.display().to_string();
            let unread = |error| TrustError::File(name(), error);
            if std::fs::metadata(path).map_err(unread)?.len() > FILE_BYTES_MAX {
                return Err(TrustError::TooMuch(name()));
            }
            let bytes = std::fs::read(path).map_err(unread)?;
            let found = certificates(bytes).ok_or_else(|| TrustError::NotACertificate(name()))?;
            all.extend(found);
            if all.len() > CERTIFICATES_MAX {
                return Err(TrustError::TooMuch(name()));
            }
        }
        Ok(Self(Arc::new(all)))
    }

    /// The certificates as DER.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.0
    }
}

impl fmt::Debug for TrustedSeals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.len())
    }
}

/// The certificates in a file, at least one; `None` when something in it is none.
fn certificates(bytes: Vec<u8>) -> Option<Vec<Vec<u8>>> {
    let found = if is_seal_certificate(&bytes) {
        vec![bytes]
    } else {
        let found = CertificateDer::pem_slice_iter(&bytes).map(|one| Some(one.ok()?.to_vec()));
        found.collect::<Option<Vec<_>>>()?
    };
    let sound = !found.is_empty() && found.iter().all(|one| is_seal_certificate(one));
    sound.then_some(found)
}
