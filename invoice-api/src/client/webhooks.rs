//! The member's webhooks on the node that is asked.

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::Client;
use super::error::ClientError;

impl Client {
    /// The member's endpoints.
    ///
    /// # Errors
    /// [`ClientError`] when they are not given.
    pub async fn webhooks(&self) -> Result<Value, ClientError> {
        let call = self.get(&["webhooks"], &[]).signed();
        self.answer(&call).await?.into_value()
    }

    /// Makes or changes an endpoint. The secret of a new one is in the answer; when that is lost,
    /// the endpoint is there, and a new secret is to be asked for.
    ///
    /// # Errors
    /// [`ClientError`] when it is refused.
    pub async fn put_webhook(&self, id: &str, settings: &Value) -> Result<Value, ClientError> {
        let body = Bytes::from(settings.to_string());
        let call = self.call(Method::PUT, &["webhooks", id], body).signed();
        self.answer(&call).await?.into_value()
    }

    /// Removes an endpoint.
    ///
    /// # Errors
    /// [`ClientError`] when there is none.
    pub async fn remove_webhook(&self, id: &str) -> Result<(), ClientError> {
        let call = self
            .call(Method::DELETE, &["webhooks", id], Bytes::new())
            .signed();
        let answer = self.answer(&call).await?;
        match answer.status {
            204 => Ok(()),
            _ => Err(answer.into_error()),
        }
    }

    /// Orders something of an endpoint: `test`, `secret`, `replay` or `enable`. The first two are
    /// attempted once: each that arrives sends another message, or makes another secret.
    ///
    /// # Errors
    /// [`ClientError`] when it is refused.
    pub async fn order_webhook(
        &self,
        id: &str,
        order: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut call = self.post(&["webhooks", id, order], body).signed();
        if matches!(order, "test" | "secret") {
            call = call.once();
        }
        self.answer(&call).await?.into_value()
    }

    /// A page of an endpoint's deliveries, the newest first.
    ///
    /// # Errors
    /// [`ClientError`] when there is none.
    pub async fn webhook_deliveries(
        &self,
        id: &str,
        cursor: Option<&str>,
    ) -> Result<Value, ClientError> {
        let query: &[_] = match &cursor {
            Some(cursor) => &[("cursor", *cursor)],
            None => &[],
        };
        let call = self.get(&["webhooks", id, "deliveries"], query).signed();
        self.answer(&call).await?.into_value()
    }
}
