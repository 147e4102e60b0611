//! Lines of a streamed body, each bounded.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

/// One line of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes without the line feed.
    Whole(Bytes),
    /// It was longer than allowed and was skipped.
    TooLong,
}

/// Why a stream ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The connection failed.
    Connection,
    /// Nothing came for too long.
    Silent,
}

/// Cuts a stream of chunks into lines and never holds more than one line and one chunk.
pub(super) struct Lines<S> {
    chunks: S,
    buffer: BytesMut,
    /// How much of the buffer is known to have no line feed.
    searched: usize,
    skipping: bool,
    ended: bool,
    line_bytes_max: usize,
    idle: Duration,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub(super) fn new(chunks: S, line_bytes_max: usize, idle: Duration) -> Self {
        let (buffer, searched) = (BytesMut::new(), 0);
        Self {
            chunks,
            buffer,
            searched,
            skipping: false,
            ended: false,
            line_bytes_max,
            idle,
        }
    }

    /// The next line; `None` at the end. A last line needs no line feed.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, Broken> {
        loop {
            if let Some(line) = self.cut() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(self.rest());
            }
            match tokio::time::timeout(self.idle, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Some(Err(_))) => return Err(Broken::Connection),
                Ok(None) => self.ended = true,
                Err(_) => return Err(Broken::Silent),
            }
        }
    }

    /// A line that has arrived already.
    pub(super) fn arrived(&mut self) -> Option<Line> {
        self.cut()
    }

    fn cut(&mut self) -> Option<Line> {
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', fresh) else {
            self.searched = self.buffer.len();
            if self.searched > self.line_bytes_max {
                self.skipping = true;
            }
            if self.skipping {
                self.buffer.clear();
                self.searched = 0;
            }
            return None;
        };
        let line = self.buffer.split_to(self.searched + at).freeze();
        self.buffer.advance(1);
        self.searched = 0;
        let skipped = std::mem::take(&mut self.skipping);
        Some(self.bounded(line, skipped))
    }

    fn rest(&mut self) -> Option<Line> {
        let skipped = std::mem::take(&mut self.skipping);
        let line = std::mem::take(&mut self.buffer).freeze();
        self.searched = 0;
        (skipped || !line.is_empty()).then(|| self.bounded(line, skipped))
    }

    fn bounded(&self, line: Bytes, skipped: bool) -> Line {
        if skipped || line.len() > self.line_bytes_max {
            return Line::TooLong;
        }
        match line.strip_suffix(b"\r") {
            Some(shorter) => Line::Whole(line.slice(..shorter.len())),
            None => Line::Whole(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn cut(chunks: &[&'static str]) -> Vec<Line> {
        let chunks = chunks
            .iter()
            .map(|chunk| Ok::<_, ()>(Bytes::from_static(chunk.as_bytes())));
        let mut lines = Lines::new(
            stream::iter(chunks.collect::<Vec<_>>()),
            5,
            Duration::from_secs(1),
        );
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line);
        }
        all
    }

    fn whole(text: &'static str) -> Line {
        Line::Whole(Bytes::from_static(text.as_bytes()))
    }

    #[actix_web::test]
    async fn lines_are_cut_wherever_the_chunks_are() {
        assert_eq!(cut(&["ab\ncd\n"]).await, [whole("ab"), whole("cd")]);
        assert_eq!(cut(&["a", "b\nc", "d"]).await, [whole("ab"), whole("cd")]);
        assert_eq!(
            cut(&["ab\r\n\ncd"]).await,
            [whole("ab"), whole(""), whole("cd")]
        );
        assert_eq!(cut(&[""]).await, []);
    }

    #[actix_web::test]
    async fn a_line_too_long_is_skipped_and_the_next_is_read() {
        assert_eq!(cut(&["abcdef\nok\n"]).await, [Line::TooLong, whole("ok")]);
        assert_eq!(
            cut(&["abc", "def", "ghi\nok"]).await,
            [Line::TooLong, whole("ok")]
        );
        assert_eq!(cut(&["abcdefghi"]).await, [Line::TooLong]);
        assert_eq!(cut(&["abcde\n"]).await, [whole("abcde")]);
    }

    #[actix_web::test]
    async fn a_silent_stream_ends() {
        let silent = stream::pending::<Result<Bytes, ()>>();
        let mut lines = Lines::new(silent, 5, Duration::from_millis(10));
        assert_eq!(lines.next().await, Err(Broken::Silent));
    }
}
