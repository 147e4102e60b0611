//! The change feed.

use futures_util::stream::BoxStream;
use reqwest::header::ACCEPT;
use serde_json::Value;

use super::Client;
use super::error::ClientError;
use super::transport::NDJSON;

/// One line of the feed: an event, or the height up to which the feed is complete.
pub type EventLine = Value;

impl Client {
    /// What happened after block `after` that is the asker's business, one line at a time.
    ///
    /// When the stream ends or breaks, ask again with the last height that was said to be
    /// complete: events are repeated rather than lost.
    ///
    /// # Errors
    /// [`ClientError`] when the feed is not given. An error inside the stream is its last item.
    pub async fn events(
        &self,
        after: u64,
    ) -> Result<BoxStream<'static, Result<EventLine, ClientError>>, ClientError> {
        let call = self
            .get(&["events"], &[("after", &after.to_string())])
            .signed();
        let request = self.request(&call)?.header(ACCEPT, NDJSON);
        let response = request.send().await.map_err(|error| self.network(&error))?;
        Ok(self.answer_lines(self.taken(response).await?, |line| {
            serde_json::from_slice(line).ok()
        }))
    }
}
