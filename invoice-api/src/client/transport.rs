//! One call, attempted until it is answered.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;

use super::error::ClientError;
use super::problem::Problem;
use super::{Client, authorization, limits};

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
/// The media type of one JSON text a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// What is asked.
pub(super) struct Call {
    method: Method,
    url: Url,
    body: Bytes,
    signed: bool,
    /// Sent once, whatever comes of it: a second one would do it a second time.
    once: bool,
}

/// What was answered.
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as the value that was asked for, when the status says that it is there.
    pub(super) fn into_value<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        if !(200..300).contains(&self.status) {
            return Err(self.into_error());
        }
        serde_json::from_slice(&self.body).map_err(|_| self.into_foreign())
    }

    /// The problem that the body describes.
    pub(super) fn into_error(self) -> ClientError {
        match self.problem() {
            Some(problem) => ClientError::Refused(Box::new(problem)),
            None => self.into_foreign(),
        }
    }

    /// The body as a problem document, when it is one.
    pub(super) fn problem(&self) -> Option<Problem> {
        if self.status < 400 {
            return None;
        }
        Problem::from_json(&self.body).filter(|problem| problem.status == self.status)
    }

    pub(super) fn into_foreign(self) -> ClientError {
        let text = String::from_utf8_lossy(&self.body);
        let excerpt = text
            .chars()
            .filter(|c| !c.is_control())
            .take(limits::EXCERPT_CHARS);
        ClientError::Foreign {
            status: self.status,
            excerpt: excerpt.collect(),
        }
    }
}

impl Client {
    /// A call of a path of the contract, with query parameters.
    pub(super) fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Call {
        let url = self.url(segments, query);
        Call {
            method: Method::GET,
            url,
            body: Bytes::new(),
            signed: false,
            once: false,
        }
    }

    /// A call of a path beside the contract's.
    pub(super) fn outside(&self, segments: &[&str]) -> Call {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        Call {
            method: Method::GET,
            url,
            body: Bytes::new(),
            signed: false,
            once: false,
        }
    }

    /// A call with a JSON body.
    pub(super) fn post(&self, segments: &[&str], body: Bytes) -> Call {
        self.call(Method::POST, segments, body)
    }

    /// A call with any method.
    pub(super) fn call(&self, method: Method, segments: &[&str], body: Bytes) -> Call {
        let url = self.url(segments, &[]);
        Call {
            method,
            url,
            body,
            signed: false,
            once: false,
        }
    }

    /// The address of a path of the contract.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push("v1").extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Attempts the call until the answer is something else than "not now".
    ///
    /// # Errors
    /// [`ClientError::Network`] when the last attempt met no answer.
    pub(super) async fn answer(&self, call: &Call) -> Result<Answer, ClientError> {
        let mut wait = limits::FIRST_WAIT;
        let mut attempt = 1;
        let attempts = if call.once { 1 } else { self.config.attempts };
        loop {
            let last = attempt >= attempts.max(1);
            match self.attempt(call).await {
                Ok(answer) if last || !is_not_now(answer.status) => return Ok(answer),
                Ok(answer) => pause(retry_after(&answer.headers).unwrap_or(wait)).await,
                Err(error @ ClientError::Network { .. }) if last => return Err(error),
                Err(ClientError::Network { .. }) => pause(wait).await,
                Err(error) => return Err(error),
            }
            wait = wait.saturating_mul(2);
            attempt += 1;
        }
    }

    /// The request of one attempt: headers, and a signature of its own where one is needed.
    pub(super) fn request(&self, call: &Call) -> Result<reqwest::RequestBuilder, ClientError> {
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .header(ACCEPT_LANGUAGE, self.config.language.tag());
        if call.signed {
            let signer = self.signer.as_deref().ok_or(ClientError::KeyMissing)?;
            let path = path_and_query(&call.url);
            let value =
                authorization::authorization(signer, call.method.as_str(), &path, &call.body)?;
            request = request.header(AUTHORIZATION, value);
        }
        if call.method != Method::GET {
            request = request.header(CONTENT_TYPE, JSON).body(call.body.clone());
        }
        Ok(request)
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, ClientError> {
        let request = self
            .request(call)?
            .header(
                ACCEPT,
                HeaderValue::from_static("application/json, application/problem+json"),
            )
            .timeout(self.config.attempt_timeout);
        let response = request.send().await.map_err(|error| self.network(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        let mut stream = response.bytes_stream();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| self.network(&error))?;
            if body.len().saturating_add(part.len()) > limits::ANSWER_BYTES_MAX {
                let excerpt = format!("> {} B", limits::ANSWER_BYTES_MAX);
                return Err(ClientError::Foreign { status, excerpt });
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }

    /// No answer, with everything that the layers below say about it.
    pub(super) fn network(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Network {
            server: self.server.to_string(),
            reason: reason(error),
        }
    }
}

impl Call {
    /// The same call with a request signature.
    pub(super) fn signed(self) -> Self {
        Self {
            signed: true,
            ..self
        }
    }

    /// The same call, attempted once: it does something anew whenever it arrives.
    pub(super) fn once(self) -> Self {
        Self { once: true, ..self }
    }
}

/// What is signed of an address: exactly what the request line carries.
fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Overloaded, without a quorum, or over the budget: the same call is worth repeating.
fn is_not_now(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// Seconds that the server asks to be left alone for.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

pub(super) async fn pause(wait: Duration) {
    tokio::time::sleep(wait.min(limits::WAIT_MAX)).await;
}

/// An error with its causes in one line; the outermost alone says only "error sending request".
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::ClientConfig;
    use super::*;

    fn client() -> Client {
        Client::new(ClientConfig::new("http://127.0.0.1:9")).unwrap()
    }

    #[test]
    fn paths_and_queries_are_signed_as_they_are_sent() {
        let url = client().url(&["documents", "P:044031900111-12345678"], &[]);
        assert_eq!(
            path_and_query(&url),
            "/v1/documents/P:044031900111-12345678"
        );
        let url = client().url(&["claims"], &[("status", "locked"), ("cursor", "a b+c/=")]);
        assert_eq!(
            path_and_query(&url),
            "/v1/claims?status=locked&cursor=a+b%2Bc%2F%3D"
        );
        let url = client().url(&["records", "../x", "a?b"], &[]);
        assert_eq!(path_and_query(&url), "/v1/records/..%2Fx/a%3Fb");
    }

    #[test]
    fn only_a_problem_of_the_same_status_is_believed() {
        let answer = |status, body: &str| Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        let text = r#"{"status":409,"code":"id_reused"}"#;
        assert!(answer(409, text).problem().is_some());
        assert!(answer(400, text).problem().is_none());
        assert!(matches!(
            answer(502, "<html>\u{7}bad gateway").into_error(),
            ClientError::Foreign { status: 502, excerpt } if excerpt == "<html>bad gateway"
        ));
        assert!(answer(200, "{").into_value::<serde_json::Value>().is_err());
    }

    #[test]
    fn waiting_times_are_read_from_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_network_error() {
        let config = ClientConfig {
            attempts: 2,
            ..ClientConfig::new("http://127.0.0.1:9")
        };
        let client = Client::new(config).unwrap();
        let error = client.checkpoint().await.unwrap_err();
        assert!(matches!(error, ClientError::Network { .. }), "{error}");
        assert!(error.leaves_outcome_unknown());
    }
}
