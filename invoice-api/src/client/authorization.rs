//! The signature of a question that is not public.

use std::time::{SystemTime, UNIX_EPOCH};

use invoice_core::crypto::Signer;
use invoice_core::crypto::messages::request_message;

use super::error::ClientError;

/// Random bytes of a nonce, which is twice as many characters.
const NONCE_BYTES: usize = 16;

/// The value of `Authorization` for one attempt of one request, with a fresh nonce.
pub(super) fn authorization(
    signer: &dyn Signer,
    method: &str,
    path_and_query: &str,
    body: &[u8],
) -> Result<String, ClientError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| ClientError::Setup(error.to_string()))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    header(
        signer,
        method,
        path_and_query,
        &now.to_string(),
        &hex::encode(nonce),
        body,
    )
}

fn header(
    signer: &dyn Signer,
    method: &str,
    path_and_query: &str,
    timestamp: &str,
    nonce: &str,
    body: &[u8],
) -> Result<String, ClientError> {
    let message = request_message(method, path_and_query, timestamp, nonce, body);
    let signature = signer.sign(&message)?;
    let kid = signer.public_key().kid();
    Ok(format!(
        "SM2-WITH-SM3 kid=\"{kid}\",timestamp=\"{timestamp}\",nonce=\"{nonce}\",signature=\"{signature}\""
    ))
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::{SecretKey, SecretKeySigner, Signature};

    use super::*;

    #[test]
    fn the_signature_covers_the_request() {
        let signer = SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap());
        let value = header(
            &signer,
            "GET",
            "/v1/limits?x=1",
            "1790000000",
            "0123456789abcdef",
            b"",
        )
        .unwrap();
        let start = format!(
            "SM2-WITH-SM3 kid=\"{}\",timestamp=\"1790000000\",nonce=\"0123456789abcdef\",signature=\"",
            signer.public_key().kid()
        );
        let signature: Signature = value
            .strip_prefix(&start)
            .unwrap()
            .strip_suffix('"')
            .unwrap()
            .parse()
            .unwrap();
        let message = b"GET\n/v1/limits?x=1\n1790000000\n0123456789abcdef\n\n";
        assert!(signer.public_key().verify(message, &signature));
    }

    #[test]
    fn every_attempt_has_its_own_nonce() {
        let signer = SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap());
        let one = authorization(&signer, "GET", "/", b"").unwrap();
        let two = authorization(&signer, "GET", "/", b"").unwrap();
        assert_ne!(one, two);
    }
}
