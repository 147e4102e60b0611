//! Sending records, and finding out what became of them.

use bytes::Bytes;
use invoice_core::crypto::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Client;
use super::envelope::Envelope;
use super::error::ClientError;
use super::problem::{Problem, ProblemItem};

/// What became of one record that was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// It is on the chain and was accepted.
    Recorded(Recorded),
    /// It was refused. With status 409 the refusal itself is on the chain, `id_reused` excepted.
    Refused(Box<Problem>),
}

/// An accepted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Whether the chain had it before, from an earlier sending of the same bytes.
    pub replayed: bool,
    /// The receipt, byte for byte as it came; it proves all this offline.
    pub receipt: String,
}

/// What became of the records of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchAnswer {
    /// The problem as a whole, when an atomic batch failed.
    pub problem: Option<Box<Problem>>,
    /// One result per record, in order.
    pub results: Vec<BatchResult>,
}

/// What became of one record of a batch.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct BatchResult {
    /// The record's id, as far as it could be read.
    #[serde(default)]
    pub id: Option<String>,
    /// The status that the record alone would have had.
    pub status: u16,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What collided, as named values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Value>,
    /// Every rule that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemItem>,
    /// Height of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Index of its leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Its receipt, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<RawValue>>,
}

impl PartialEq for BatchResult {
    fn eq(&self, other: &Self) -> bool {
        let receipt = |result: &Self| result.receipt.as_ref().map(|text| text.get().to_owned());
        (
            &self.id,
            self.status,
            &self.code,
            self.height,
            self.index,
            receipt(self),
        ) == (
            &other.id,
            other.status,
            &other.code,
            other.height,
            other.index,
            receipt(other),
        )
    }
}

/// What the registry knows of a record.
#[derive(Clone, Debug)]
pub enum RecordLookup {
    /// Nothing, or nothing for the asker.
    Absent,
    /// It was taken and is not final yet.
    Pending,
    /// It is on the chain, accepted or refused.
    Final {
        /// The receipt, byte for byte.
        receipt: Box<RawValue>,
    },
}

/// A lookup as it comes; an enum read by its tag would lose the receipt's exact bytes.
#[derive(Deserialize)]
struct WireLookup {
    state: String,
    #[serde(default)]
    receipt: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WireBatch {
    results: Vec<BatchResult>,
}

impl Client {
    /// Sends one record and waits until its outcome is final. Lost answers are asked for again
    /// with the same bytes.
    ///
    /// # Errors
    /// [`ClientError`]; when [`ClientError::leaves_outcome_unknown`], the record may have been
    /// recorded. A refusal of the record is an answer and no error; an answer of "not now" that
    /// outlasted all attempts is [`ClientError::Refused`].
    pub async fn submit(&self, envelope: &Envelope) -> Result<Submitted, ClientError> {
        let answer = self
            .answer(&self.post(&["records"], envelope.body().clone()))
            .await?;
        match answer.status {
            200 | 201 => {
                let replayed = answer.status == 200;
                match std::str::from_utf8(&answer.body) {
                    Ok(receipt) => Ok(Submitted::Recorded(Recorded {
                        replayed,
                        receipt: receipt.to_owned(),
                    })),
                    Err(_) => Err(answer.into_foreign()),
                }
            }
            status if is_verdict(status) => match answer.problem() {
                Some(problem) => Ok(Submitted::Refused(Box::new(problem))),
                None => Err(answer.into_foreign()),
            },
            _ => Err(answer.into_error()),
        }
    }

    /// Sends a batch and waits until every outcome is final.
    ///
    /// # Errors
    /// As [`Client::submit`]. An envelope that fails as a whole, by its shape or its signature,
    /// is [`ClientError::Refused`].
    pub async fn submit_batch(&self, envelope: &Envelope) -> Result<BatchAnswer, ClientError> {
        let answer = self
            .answer(&self.post(&["records"], envelope.body().clone()))
            .await?;
        let results = serde_json::from_slice::<WireBatch>(&answer.body).ok();
        match (answer.status, results) {
            (200, Some(batch)) => Ok(BatchAnswer {
                problem: None,
                results: batch.results,
            }),
            (409, Some(batch)) => {
                let problem = answer.problem().map(Box::new);
                Ok(BatchAnswer {
                    problem,
                    results: batch.results,
                })
            }
            _ => Err(answer.into_error()),
        }
    }

    /// Asks what an envelope would fail; nothing is recorded. It may lack its signature.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn validate(&self, envelope: Bytes) -> Result<Value, ClientError> {
        self.answer(&self.post(&["validate"], envelope).signed())
            .await?
            .into_value()
    }

    /// What became of the record that `by` sent with this id: the way back after a lost answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn record(&self, by: &str, id: &str) -> Result<RecordLookup, ClientError> {
        self.lookup(&["records", by, id], &[]).await
    }

    /// What became of the record whose exact bytes have this hash.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn record_by_sm3(&self, sm3: &Hash) -> Result<RecordLookup, ClientError> {
        self.lookup(&["records"], &[("sm3", &sm3.to_string())])
            .await
    }

    async fn lookup(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RecordLookup, ClientError> {
        let answer = self.answer(&self.get(segments, query).signed()).await?;
        if answer.status != 200 {
            return Err(answer.into_error());
        }
        match serde_json::from_slice::<WireLookup>(&answer.body).map(RecordLookup::try_from) {
            Ok(Ok(lookup)) => Ok(lookup),
            Ok(Err(())) | Err(_) => Err(answer.into_foreign()),
        }
    }
}

impl TryFrom<WireLookup> for RecordLookup {
    type Error = ();

    fn try_from(wire: WireLookup) -> Result<Self, ()> {
        match (wire.state.as_str(), wire.receipt) {
            ("absent", None) => Ok(Self::Absent),
            ("pending", None) => Ok(Self::Pending),
            ("final", Some(receipt)) => Ok(Self::Final { receipt }),
            _ => Err(()),
        }
    }
}

/// A status that says what the registry thinks of the record, and not that it has no time for it.
fn is_verdict(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 409 | 413 | 422)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(text: &str) -> Option<RecordLookup> {
        RecordLookup::try_from(serde_json::from_str::<WireLookup>(text).ok()?).ok()
    }

    #[test]
    fn a_lookup_keeps_the_exact_bytes_of_the_receipt() {
        let found = lookup(r#"{"state":"final","receipt":{"b":1, "a":"\u0041"}}"#).unwrap();
        let RecordLookup::Final { receipt } = found else {
            panic!("{found:?}")
        };
        assert_eq!(receipt.get(), r#"{"b":1, "a":"\u0041"}"#);
        assert!(matches!(
            lookup(r#"{"state":"absent"}"#),
            Some(RecordLookup::Absent)
        ));
        assert!(matches!(
            lookup(r#"{"state":"pending"}"#),
            Some(RecordLookup::Pending)
        ));
        assert!(lookup(r#"{"state":"final"}"#).is_none());
        assert!(lookup(r#"{"state":"gone"}"#).is_none());
    }

    #[test]
    fn the_statuses_of_a_verdict_are_those_of_the_contract() {
        for status in [400, 401, 403, 409, 413, 422] {
            assert!(is_verdict(status));
        }
        for status in [200, 404, 408, 429, 500, 503] {
            assert!(!is_verdict(status));
        }
    }
}
