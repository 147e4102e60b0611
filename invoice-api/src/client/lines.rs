//! Lines out of a stream of bytes.

use bytes::{Buf, Bytes, BytesMut};

/// A line is longer than any that the registry sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineTooLong;

/// Cuts what arrives in pieces into lines, without their line feeds. Blank lines are left out.
#[derive(Debug)]
pub(super) struct LineSplitter {
    buffer: BytesMut,
    searched: usize,
    bytes_max: usize,
}

impl LineSplitter {
    /// A splitter for lines of at most this many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            bytes_max,
        }
    }

    /// Adds what arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line.
    pub(super) fn line(&mut self) -> Result<Option<Bytes>, LineTooLong> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(found) = unsearched.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                let fits = self.buffer.len() <= self.bytes_max;
                return if fits { Ok(None) } else { Err(LineTooLong) };
            };
            let line = self
                .buffer
                .split_to(self.searched.saturating_add(found))
                .freeze();
            self.buffer.advance(1);
            self.searched = 0;
            if line.len() > self.bytes_max {
                return Err(LineTooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Whether the stream broke off inside a line.
    pub(super) fn is_inside_a_line(&self) -> bool {
        !self.buffer.trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(splitter: &mut LineSplitter) -> Vec<String> {
        std::iter::from_fn(|| splitter.line().unwrap())
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let text = "one\n\ntwo 二\r\n \nthree\n";
        for size in 1..=text.len() {
            let mut splitter = LineSplitter::new(16);
            let mut lines = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                splitter.push(piece);
                lines.extend(all(&mut splitter));
            }
            assert_eq!(lines, ["one", "two 二\r", "three"], "in pieces of {size}");
            assert!(!splitter.is_inside_a_line());
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_a_line() {
        let mut splitter = LineSplitter::new(16);
        splitter.push(b"{\"line\":1");
        assert_eq!(splitter.line(), Ok(None));
        assert!(splitter.is_inside_a_line());
        splitter.push(b"23456789");
        assert_eq!(splitter.line(), Err(LineTooLong));
    }
}
