//! Envelopes: records under a signature, ready to be sent.

use bytes::Bytes;
use invoice_core::chain::ChainId;
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{HintedSignature, SignError, Signer};
use invoice_core::merkle;

use super::limits;

/// Why records cannot be put into an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// No record, or more than 1,000.
    #[error("一批应有 1 至 1,000 条记录 / a batch has 1 to 1,000 records, not {0}")]
    Count(usize),
    /// The text is not a JSON object, so the envelope around it would not be JSON either.
    #[error("记录不是 JSON 对象 / the record is not a JSON object")]
    NotAnObject,
    /// The signing key gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// One record, or a batch, with its signature. Sending it twice records it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    body: Bytes,
    batch: bool,
}

impl Envelope {
    /// Signs the exact bytes of one record and wraps them.
    ///
    /// # Errors
    /// [`EnvelopeError::NotAnObject`] or [`EnvelopeError::Sign`].
    pub fn single(
        chain: &ChainId,
        signer: &dyn Signer,
        record: &str,
    ) -> Result<Self, EnvelopeError> {
        let record = object(record)?;
        let (kid, sig) = sign(signer, &record_message(chain, record.as_bytes()))?;
        let body = format!(r#"{{"kid":"{kid}","sig":"{sig}","record":{record}}}"#);
        Ok(Self {
            body: body.into(),
            batch: false,
        })
    }

    /// Signs up to 1,000 records with one signature over the root of their tree (RFC 6962 with
    /// SM3). When `atomic`, all are accepted or none.
    ///
    /// # Errors
    /// [`EnvelopeError`], naming what is wrong.
    pub fn batch(
        chain: &ChainId,
        signer: &dyn Signer,
        records: &[&str],
        atomic: bool,
    ) -> Result<Self, EnvelopeError> {
        let count = u32::try_from(records.len())
            .ok()
            .filter(|_| (1..=limits::BATCH_RECORDS_MAX).contains(&records.len()))
            .ok_or(EnvelopeError::Count(records.len()))?;
        let records = records
            .iter()
            .map(|record| object(record))
            .collect::<Result<Vec<_>, _>>()?;
        let leaves: Vec<_> = records
            .iter()
            .map(|record| merkle::leaf_hash(record.as_bytes()))
            .collect();
        let message = batch_message(chain, count, &merkle::root(&leaves), atomic);
        let (kid, sig) = sign(signer, &message)?;
        let all = if atomic { r#","atomic":true"# } else { "" };
        let records = records.join(",");
        let body = format!(r#"{{"kid":"{kid}","sig":"{sig}"{all},"records":[{records}]}}"#);
        Ok(Self {
            body: body.into(),
            batch: true,
        })
    }

    /// Takes an envelope that was made elsewhere, one record (`record`) or a batch (`records`).
    ///
    /// # Errors
    /// [`EnvelopeError::NotAnObject`] when the text is not a JSON object with one of these members.
    pub fn ready(text: &str) -> Result<Self, EnvelopeError> {
        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| EnvelopeError::NotAnObject)?;
        let batch = members.contains_key("records");
        if !batch && !members.contains_key("record") {
            return Err(EnvelopeError::NotAnObject);
        }
        Ok(Self {
            body: Bytes::copy_from_slice(text.trim().as_bytes()),
            batch,
        })
    }

    /// The body of `POST /v1/records`.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the answer will be a list.
    #[must_use]
    pub const fn is_batch(&self) -> bool {
        self.batch
    }
}

/// The record without the blanks around it, which are no part of it.
fn object(record: &str) -> Result<&str, EnvelopeError> {
    let record = record.trim();
    let members = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(record);
    members
        .map(|_| record)
        .map_err(|_| EnvelopeError::NotAnObject)
}

fn sign(signer: &dyn Signer, message: &[u8]) -> Result<(String, String), SignError> {
    let key = signer.public_key();
    let signature = HintedSignature::with_hint(signer.sign(message)?, key);
    Ok((key.kid().to_string(), signature.to_base64()))
}

#[cfg(test)]
mod tests {
    use invoice_core::crypto::{SecretKey, SecretKeySigner};
    use serde_json::Value;

    use super::*;

    fn chain() -> ChainId {
        "sz-2026".parse().unwrap()
    }

    fn signer() -> SecretKeySigner {
        SecretKeySigner::new(SecretKey::from_bytes(&[7; 32]).unwrap())
    }

    fn signature(body: &[u8]) -> HintedSignature {
        let body: Value = serde_json::from_slice(body).unwrap();
        HintedSignature::from_base64(body["sig"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn one_record_is_signed_as_its_exact_bytes() {
        let record = "{ \"type\" : \"x\" }";
        let envelope = Envelope::single(&chain(), &signer(), &format!(" {record}\n")).unwrap();
        let text = std::str::from_utf8(envelope.body()).unwrap();
        assert!(text.ends_with(&format!("\"record\":{record}}}")), "{text}");
        let signature = signature(envelope.body());
        assert!(signature.parity.is_some());
        let message = format!("piaolian/1\nsz-2026\n{record}");
        assert!(
            signer()
                .public_key()
                .verify(message.as_bytes(), &signature.signature)
        );
        assert!(!envelope.is_batch());
    }

    #[test]
    fn a_batch_is_signed_over_the_root() {
        let envelope =
            Envelope::batch(&chain(), &signer(), &["{}", "{\"a\":\"b\"}"], true).unwrap();
        let root = merkle::root(&[
            merkle::leaf_hash(b"{}"),
            merkle::leaf_hash(b"{\"a\":\"b\"}"),
        ]);
        let message = format!("piaolian/1/batch-atomic\nsz-2026\n2\n{root}");
        let signature = signature(envelope.body()).signature;
        assert!(signer().public_key().verify(message.as_bytes(), &signature));
        assert!(envelope.is_batch());
    }

    #[test]
    fn what_would_break_the_envelope_is_not_wrapped() {
        for bad in ["", "[]", "{", "{}{}", "{\"a\":1},\"sig\":{}", "\"x\""] {
            assert!(Envelope::single(&chain(), &signer(), bad).is_err(), "{bad}");
        }
        assert!(matches!(
            Envelope::batch(&chain(), &signer(), &[], false),
            Err(EnvelopeError::Count(0))
        ));
        let many = vec!["{}"; 1_001];
        assert!(matches!(
            Envelope::batch(&chain(), &signer(), &many, false),
            Err(EnvelopeError::Count(1_001))
        ));
    }

    #[test]
    fn ready_envelopes_are_sent_as_they_are() {
        let text = r#"{"kid":"a","sig":"b","records":[{}]}"#;
        assert_eq!(Envelope::ready(text).unwrap().body(), text);
        assert!(Envelope::ready(text).unwrap().is_batch());
        assert!(Envelope::ready(r#"{"kid":"a"}"#).is_err());
    }
}
