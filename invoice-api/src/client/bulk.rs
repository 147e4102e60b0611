//! Streams of envelopes: any number in, one answer line per record out, at the same time.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ClientError;
use super::lines::LineSplitter;
use super::problem::ProblemItem;
use super::transport::{Answer, NDJSON};
use super::{Client, limits};

/// Lines that are sent as one piece at most.
const LINES_TOGETHER: usize = 64;

/// One line of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum BulkAnswer {
    /// What became of one record.
    Line(BulkLine),
    /// The last line of a stream that was answered to its end.
    Summary(BulkSummary),
}

/// What became of one record of a stream.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct BulkLine {
    /// Which line of the stream, from 1.
    pub line: u64,
    /// Which record of a batch envelope, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
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
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct BulkSummary {
    /// Lines of input.
    pub lines: u64,
    /// Records accepted for the first time.
    pub accepted: u64,
    /// Records that the chain had before.
    pub replayed: u64,
    /// Records refused by recorded state.
    pub refused: u64,
    /// Records that failed before they reached the chain.
    pub failed: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireLine {
    Summary { summary: BulkSummary },
    Line(Box<BulkLine>),
}

impl Client {
    /// Streams envelopes, one a line, and gives back the answers as they come.
    ///
    /// Nothing is retried here, since a stream cannot be read twice: when the answers end without
    /// a [`BulkAnswer::Summary`], send again what has no answer, byte for byte.
    ///
    /// # Errors
    /// [`ClientError`] when the stream is not taken. An error inside the stream of answers is its
    /// last item.
    pub async fn bulk(
        &self,
        envelopes: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<BoxStream<'static, Result<BulkAnswer, ClientError>>, ClientError> {
        // What is ready travels together: a frame and a write for each line would cost more than
        // the line.
        let lines = envelopes.ready_chunks(LINES_TOGETHER).map(|lines| {
            let bytes = lines.iter().map(|line| line.len().saturating_add(1)).sum();
            let mut text = Vec::with_capacity(bytes);
            for line in lines {
                text.extend_from_slice(&line);
                text.push(b'\n');
            }
            Ok::<_, std::convert::Infallible>(Bytes::from(text))
        });
        let url = self.url(&["records:bulk"], &[]);
        let response = self
            .http
            .post(url)
            .header(CONTENT_TYPE, NDJSON)
            .header(ACCEPT, NDJSON)
            .header(ACCEPT_LANGUAGE, self.config.language.tag())
            .body(reqwest::Body::wrap_stream(lines))
            .send()
            .await
            .map_err(|error| self.network(&error))?;
        Ok(self.answer_lines(self.taken(response).await?, read_line))
    }

    /// The response, when its status says that a stream follows.
    pub(super) async fn taken(
        &self,
        response: reqwest::Response,
    ) -> Result<reqwest::Response, ClientError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .map_err(|error| self.network(&error))?;
        Err(Answer {
            status,
            headers,
            body,
        }
        .into_error())
    }

    /// The lines of a streamed answer, each read by `read`; an error is the last item.
    pub(super) fn answer_lines<T: Send + 'static>(
        &self,
        response: reqwest::Response,
        read: fn(&[u8]) -> Option<T>,
    ) -> BoxStream<'static, Result<T, ClientError>> {
        let status = response.status().as_u16();
        let state = LineReader {
            client: self.clone(),
            pieces: response.bytes_stream().boxed(),
            splitter: LineSplitter::new(limits::LINE_BYTES_MAX),
            status,
            ended: false,
        };
        stream::unfold(state, move |mut state| async move {
            let item = state.next(read).await?;
            state.ended = item.is_err();
            Some((item, state))
        })
        .boxed()
    }
}

struct LineReader {
    client: Client,
    pieces: BoxStream<'static, reqwest::Result<Bytes>>,
    splitter: LineSplitter,
    status: u16,
    ended: bool,
}

impl LineReader {
    async fn next<T>(&mut self, read: fn(&[u8]) -> Option<T>) -> Option<Result<T, ClientError>> {
        if self.ended {
            return None;
        }
        loop {
            match self.splitter.line() {
                Ok(Some(line)) => return Some(read(&line).ok_or_else(|| self.foreign(&line))),
                Ok(None) => {}
                Err(_) => return Some(Err(self.foreign(b"(line too long)"))),
            }
            match self.pieces.next().await {
                Some(Ok(piece)) => self.splitter.push(&piece),
                Some(Err(error)) => return Some(Err(self.client.network(&error))),
                None if self.splitter.is_inside_a_line() => {
                    let server = self.client.server.to_string();
                    let reason = "应答中断 / the answer broke off".to_owned();
                    return Some(Err(ClientError::Network { server, reason }));
                }
                None => return None,
            }
        }
    }

    fn foreign(&self, line: &[u8]) -> ClientError {
        let excerpt = String::from_utf8_lossy(line)
            .chars()
            .take(limits::EXCERPT_CHARS)
            .collect();
        ClientError::Foreign {
            status: self.status,
            excerpt,
        }
    }
}

fn read_line(line: &[u8]) -> Option<BulkAnswer> {
    match serde_json::from_slice(line).ok()? {
        WireLine::Summary { summary } => Some(BulkAnswer::Summary(summary)),
        WireLine::Line(line) => Some(BulkAnswer::Line(*line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_lines_and_the_summary_are_told_apart() {
        let line = br#"{"line":3,"record":2,"id":"a","status":201,"height":7,"index":9}"#;
        let Some(BulkAnswer::Line(line)) = read_line(line) else {
            panic!("no line")
        };
        assert_eq!(
            (line.line, line.record, line.status, line.height),
            (3, Some(2), 201, Some(7))
        );
        let failed = br#"{"line":4,"id":null,"status":400,"code":"not_json"}"#;
        assert!(matches!(read_line(failed), Some(BulkAnswer::Line(line)) if line.id.is_none()));
        let summary =
            br#"{"summary":{"lines":5,"accepted":1,"replayed":2,"refused":1,"failed":1}}"#;
        assert!(
            matches!(read_line(summary), Some(BulkAnswer::Summary(summary)) if summary.lines == 5)
        );
        assert_eq!(read_line(b"{}"), None);
        assert_eq!(read_line(b"oops"), None);
    }
}
