//! As much of HTTP/1.1 as loading one server takes, so that the driver itself costs little.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::Failure;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
}

/// What is read from a server.
pub struct Answers<R> {
    stream: R,
    received: BytesMut,
    /// Name and value of the last cookie that was set.
    cookie: Option<String>,
}

impl<R: AsyncRead + Unpin> Answers<R> {
    /// Reads from this stream.
    pub fn new(stream: R) -> Self {
        Self {
            stream,
            received: BytesMut::with_capacity(READ_BYTES),
            cookie: None,
        }
    }

    async fn more(&mut self) -> Result<(), Failure> {
        self.received.reserve(READ_BYTES / 4);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("连接中断 / the connection was closed".into()),
            _ => Ok(()),
        }
    }

    /// Reads one answer; gives its status and hands its body, as it comes, to `take`.
    ///
    /// # Errors
    /// The connection broke, or it is no answer.
    pub async fn answer(&mut self, mut take: impl FnMut(&[u8])) -> Result<u16, Failure> {
        let (status, length) = loop {
            if let Some(end) = memchr::memmem::find(&self.received, b"\r\n\r\n") {
                let head = head(&self.received[..end])?;
                if let Some(cookie) = cookie(&self.received[..end]) {
                    self.cookie = Some(cookie);
                }
                self.received.advance(end + 4);
                break head;
            }
            self.more().await?;
        };
        match length {
            Length::Known(length) => self.exactly(length, &mut take).await?,
            Length::Chunked => loop {
                let size = loop {
                    if let Some(end) = memchr::memmem::find(&self.received, b"\r\n") {
                        let size = std::str::from_utf8(&self.received[..end])?;
                        let size = usize::from_str_radix(size.trim(), 16)?;
                        self.received.advance(end + 2);
                        break size;
                    }
                    self.more().await?;
                };
                self.exactly(size, &mut take).await?;
                while self.received.len() < 2 {
                    self.more().await?;
                }
                self.received.advance(2);
                if size == 0 {
                    break;
                }
            },
        }
        Ok(status)
    }

    async fn exactly(
        &mut self,
        mut length: usize,
        take: &mut impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        while length > 0 {
            if self.received.is_empty() {
                self.more().await?;
            }
            let part = length.min(self.received.len());
            take(&self.received[..part]);
            self.received.advance(part);
            length -= part;
        }
        Ok(())
    }
}

/// Status and length of an answer.
fn head(text: &[u8]) -> Result<(u16, Length), Failure> {
    let text = std::str::from_utf8(text)?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .ok_or("no status")?
        .parse()?;
    // No content has no length.
    if status == 204 {
        return Ok((status, Length::Known(0)));
    }
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, Length::Known(value.parse()?)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked" {
            return Ok((status, Length::Chunked));
        }
    }
    Err("应答没有长度 / the answer has no length".into())
}

/// Name and value of the cookie that an answer sets.
fn cookie(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))?;
    Some(value.split(';').next()?.trim().to_owned())
}

/// A connection that is kept open.
pub struct Connection {
    address: SocketAddr,
    answers: Answers<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    request: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            address,
            answers: Answers::new(reader),
            writer,
            request: Vec::new(),
        })
    }

    /// Sends a request with a body and reads the answer into `answer`; gives its status. The
    /// headers are whole lines.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<u16, Failure> {
        let length = body.len();
        self.request.clear();
        self.request.extend_from_slice(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
                self.address
            )
            .as_bytes(),
        );
        self.request.extend_from_slice(body);
        self.writer.write_all(&self.request).await?;
        answer.clear();
        self.answers
            .answer(|part| answer.extend_from_slice(part))
            .await
    }

    /// Name and value of the last cookie that an answer set.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.answers.cookie.as_deref()
    }

    /// Begins a request whose body is sent piece by piece, and gives both directions.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn stream(mut self, path: &str) -> Result<(Pieces, Answers<OwnedReadHalf>), Failure> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-ndjson\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            self.address
        );
        self.writer.write_all(head.as_bytes()).await?;
        let pieces = Pieces {
            writer: self.writer,
            piece: Vec::new(),
        };
        Ok((pieces, self.answers))
    }
}

/// The body of a request that is sent piece by piece.
pub struct Pieces {
    writer: OwnedWriteHalf,
    piece: Vec<u8>,
}

impl Pieces {
    /// Sends lines, each with a line feed behind it.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(&mut self, lines: &[bytes::Bytes]) -> Result<(), Failure> {
        let length: usize = lines.iter().map(|line| line.len() + 1).sum();
        if length == 0 {
            return Ok(());
        }
        self.piece.clear();
        self.piece
            .extend_from_slice(format!("{length:x}\r\n").as_bytes());
        for line in lines {
            self.piece.extend_from_slice(line);
            self.piece.push(b'\n');
        }
        self.piece.extend_from_slice(b"\r\n");
        Ok(self.writer.write_all(&self.piece).await?)
    }

    /// Ends the body. The connection stays open for the answer.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn end(mut self) -> Result<OwnedWriteHalf, Failure> {
        self.writer.write_all(b"0\r\n\r\n").await?;
        Ok(self.writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> (u16, Vec<u8>) {
        let mut body = Vec::new();
        let status = Answers::new(bytes)
            .answer(|part| body.extend_from_slice(part))
            .await;
        (status.unwrap(), body)
    }

    #[tokio::test]
    async fn answers_are_read_in_both_forms() {
        let known = b"HTTP/1.1 201 Created\r\ncontent-Length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(read(known).await, (201, b"hello".to_vec()));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n\
                        1\r\n!\r\n0\r\n\r\n";
        assert_eq!(read(chunked).await, (200, b"hello!".to_vec()));
        assert!(head(b"HTTP/1.1 200 OK\r\nx: y").is_err());
        assert!(head(b"HTTP/1.1 204 No Content\r\nx: y").is_ok());
        let set = b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b; Path=/\r\n\r\n";
        assert_eq!(cookie(set).as_deref(), Some("a=b"));
    }
}
