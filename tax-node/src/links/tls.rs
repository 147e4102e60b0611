//! TLS 1.3 for secrecy, with keys that live as long as the process.
//!
//! Neither end has a certificate: the accepting one shows a raw Ed25519 public key (RFC 7250) that
//! was drawn at start, and the connecting one accepts any. Identity comes afterwards, from the
//! [`Hello`](super::hello::Hello). Nothing is resumed and no data comes early, so that every link
//! has secrets of its own.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ConnectionCommon, DigitallySignedStruct, PeerIncompatible, ServerConfig,
    SignatureScheme,
};
use zeroize::Zeroizing;

use super::hello::{EXPORTER_LABEL, Exported};

/// What stands before the 32 secret bytes of an Ed25519 key in PKCS#8 (RFC 8410, 7).
const ED25519_PKCS8: [u8; 16] =
    *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The name that TLS wants; it is not sent.
const SERVER_NAME: &str = "piaolian";

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The system gave no random bytes.
    #[error("无法获取随机数：{0} / no random bytes: {0}")]
    Random(getrandom::Error),
    /// The library refused its configuration.
    #[error("TLS 配置失败：{0} / TLS cannot be configured: {0}")]
    Config(#[from] rustls::Error),
}

/// The accepting end's configuration, with a new key.
pub(super) fn server() -> Result<Arc<ServerConfig>, TlsError> {
    let mut pkcs8 = Zeroizing::new([0; 48]);
    let (head, secret) = pkcs8.split_at_mut(ED25519_PKCS8.len());
    head.copy_from_slice(&ED25519_PKCS8);
    getrandom::fill(secret).map_err(TlsError::Random)?;
    let key = any_eddsa_type(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()))?;
    let public = key
        .public_key()
        .expect("an Ed25519 key knows its public part");
    let shown = vec![CertificateDer::from(public.to_vec())];
    let resolver = AlwaysResolvesServerRawPublicKeys::new(Arc::new(CertifiedKey::new(shown, key)));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// The connecting end's configuration.
pub(super) fn client() -> Result<Arc<ClientConfig>, TlsError> {
    let verifier = AnyKey(provider());
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// The name that TLS wants.
pub(super) fn server_name() -> ServerName<'static> {
    ServerName::try_from(SERVER_NAME).expect("a plain word is a DNS name")
}

/// The value that both ends sign.
pub(super) fn exported<Data>(connection: &ConnectionCommon<Data>) -> io::Result<Exported> {
    connection
        .export_keying_material([0; 32], EXPORTER_LABEL, None)
        .map_err(io::Error::other)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Accepts any key, and still asks that the other end has its private part.
#[derive(Debug)]
struct AnyKey(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyKey {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(cert.as_ref());
        let schemes = &self.0.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, dss, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
