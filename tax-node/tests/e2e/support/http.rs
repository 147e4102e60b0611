//! Requests by the wire contract alone: nothing of the client under `invoice-api` is used here.

use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use invoice_core::chain::{ChainId, Genesis, Receipt};
use invoice_core::crypto::messages::{batch_message, record_message, request_message};
use invoice_core::crypto::{HintedSignature, Signer};
use invoice_core::merkle;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Member;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            panic!("{}: {:?}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem document, empty for other answers.
    pub(crate) fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The same answer when it has this status; what it says instead, when not.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// A refusal with this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        let found = self.is(status).json();
        assert_eq!(found["code"], code, "{found}");
        found
    }

    /// The lines of a stream.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The exact text of the receipt in the answer to a lookup.
    pub(crate) fn receipt(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Lookup {
            receipt: Option<Box<RawValue>>,
        }
        let lookup: Lookup = serde_json::from_slice(&self.body).unwrap();
        lookup.receipt.map(|text| text.get().to_owned())
    }

    /// The receipt that this answer is, verified with nothing but the genesis file.
    #[track_caller]
    pub(crate) fn verified(&self, genesis: &Genesis) -> Receipt {
        let receipt = Receipt::parse(&self.body).unwrap();
        receipt.verify(genesis).unwrap();
        receipt
    }
}

/// Speaks to one server, whose address may change when it starts again.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    url: Arc<RwLock<String>>,
    chain_id: ChainId,
}

impl Http {
    pub(crate) fn new(url: &str, chain_id: ChainId) -> Self {
        // Another test of this process may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(120))
            .build()
            .unwrap();
        Self {
            client,
            url: Arc::new(RwLock::new(url.to_owned())),
            chain_id,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.read().unwrap().clone()
    }

    pub(crate) fn moved_to(&self, url: &str) {
        url.clone_into(&mut self.url.write().unwrap());
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url()))
    }

    /// Sends a request; an error means that no answer came.
    pub(crate) async fn try_send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.into(),
        })
    }

    pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
        Self::try_send(request).await.unwrap()
    }

    /// A public question.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    /// A request of nobody in particular.
    pub(crate) async fn request_unsigned(&self, method: Method, path: &str) -> Answer {
        Self::send(self.request(method, path)).await
    }

    /// A signed question.
    pub(crate) async fn ask(&self, who: &Member, path: &str) -> Answer {
        Self::send(self.signed(who, Method::GET, path, b"")).await
    }

    /// A signed question with a body.
    pub(crate) async fn ask_with(&self, who: &Member, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        Self::send(self.signed(who, Method::POST, path, body.as_bytes())).await
    }

    /// A request with its signature.
    pub(crate) fn signed(
        &self,
        who: &Member,
        method: Method,
        path: &str,
        body: &[u8],
    ) -> reqwest::RequestBuilder {
        let value = authorization(who, method.as_str(), path, body, unix_now(), &nonce());
        self.request(method, path)
            .header(AUTHORIZATION, value)
            .body(body.to_vec())
    }

    /// Hands in one record.
    pub(crate) async fn submit(&self, who: &Member, record: &str) -> Answer {
        self.post(self.envelope(who, record)).await
    }

    /// Hands in a record that must be accepted for the first time.
    #[track_caller]
    pub(crate) fn accept(&self, who: &Member, record: &str) -> impl Future<Output = Answer> {
        let place = std::panic::Location::caller();
        let sent = self.clone().post_owned(self.envelope(who, record));
        async move {
            let answer = sent.await;
            assert_eq!(answer.status, 201, "{place}: {}", answer.text());
            answer
        }
    }

    async fn post_owned(self, body: Vec<u8>) -> Answer {
        self.post(body).await
    }

    /// Hands in records under one signature.
    pub(crate) async fn submit_batch(
        &self,
        who: &Member,
        records: &[String],
        atomic: bool,
    ) -> Answer {
        self.post(self.batch(who, records, atomic)).await
    }

    /// The body of `POST /v1/records` as it stands.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Answer {
        Self::send(self.posting(body)).await
    }

    pub(crate) fn posting(&self, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.request(Method::POST, "/v1/records").body(body)
    }

    /// The envelope of one record.
    pub(crate) fn envelope(&self, who: &Member, record: &str) -> Vec<u8> {
        let sig = self.sig(who, record.as_bytes());
        let kid = who.kid();
        format!(r#"{{"kid":"{kid}","sig":"{sig}","record":{record}}}"#).into_bytes()
    }

    /// A member's signature over the exact bytes of a record.
    pub(crate) fn sig(&self, who: &Member, record: &[u8]) -> String {
        sign(who, &record_message(&self.chain_id, record))
    }

    /// The envelope of several records.
    pub(crate) fn batch(&self, who: &Member, records: &[String], atomic: bool) -> Vec<u8> {
        let leaves: Vec<_> = records
            .iter()
            .map(|record| merkle::leaf_hash(record.as_bytes()))
            .collect();
        let count = u32::try_from(records.len()).unwrap();
        let message = batch_message(&self.chain_id, count, &merkle::root(&leaves), atomic);
        let (kid, sig) = (who.kid(), sign(who, &message));
        let all = if atomic { r#","atomic":true"# } else { "" };
        let records = records.join(",");
        format!(r#"{{"kid":"{kid}","sig":"{sig}"{all},"records":[{records}]}}"#).into_bytes()
    }

    /// The member's events after a height, as lines.
    pub(crate) async fn events(&self, who: &Member, after: u64) -> Vec<Value> {
        let path = format!("/v1/events?after={after}");
        let request = self
            .signed(who, Method::GET, &path, b"")
            .header("accept", "application/x-ndjson");
        Self::send(request).await.is(200).lines()
    }

    /// How many records the chain holds.
    pub(crate) async fn tree_size(&self) -> u64 {
        let answer = self.get("/v1/checkpoint").await.is(200);
        answer.json()["tree_size"].as_u64().unwrap()
    }
}

/// Signs a message, with the hint.
pub(crate) fn sign(who: &Member, message: &[u8]) -> String {
    let signature = who.signer.sign(message).unwrap();
    HintedSignature::with_hint(signature, who.signer.public_key()).to_base64()
}

/// The value of `Authorization`.
pub(crate) fn authorization(
    who: &Member,
    method: &str,
    path: &str,
    body: &[u8],
    timestamp: u64,
    nonce: &str,
) -> String {
    let message = request_message(method, path, &timestamp.to_string(), nonce, body);
    let (kid, signature) = (who.kid(), sign(who, &message));
    format!(
        r#"SM2-WITH-SM3 kid="{kid}",timestamp="{timestamp}",nonce="{nonce}",signature="{signature}""#
    )
}

pub(crate) fn nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    hex::encode(bytes)
}

pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
