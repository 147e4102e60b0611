//! As much of HTTP/1.1 as posting to one server takes, so that the driver itself costs little.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Failure;

/// A connection that is kept open.
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    received: Vec<u8>,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            address,
            received: Vec::new(),
        })
    }

    /// Posts an envelope and waits for the answer.
    ///
    /// # Errors
    /// The connection broke, or the answer has no length.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let length = body.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n",
            self.address
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await?;
        self.received.clear();
        let (end, status, length) = loop {
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                let (status, length) = head(&self.received[..end])?;
                break (end + 4, status, length);
            }
            self.read_some().await?;
        };
        while self.received.len() < end + length {
            self.read_some().await?;
        }
        let body = self.received[end..end + length].to_vec();
        Ok(Answer { status, body })
    }

    async fn read_some(&mut self) -> Result<(), Failure> {
        self.received.reserve(64 * 1024);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("连接中断 / the connection was closed".into()),
            _ => Ok(()),
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Status and length of an answer.
fn head(text: &[u8]) -> Result<(u16, usize), Failure> {
    let text = std::str::from_utf8(text)?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .ok_or("no status")?
        .parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("应答没有长度 / the answer has no length")?;
    Ok((status, length.1.trim().parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let text = b"HTTP/1.1 201 Created\r\ncontent-Length: 12\r\nx: y";
        assert_eq!(head(text).unwrap(), (201, 12));
        assert!(head(b"HTTP/1.1 200 OK\r\nx: y").is_err());
        assert_eq!(find(b"ab\r\n\r\nc", b"\r\n\r\n"), Some(2));
    }
}
