//! Lines of a prepared file, shared by whoever sends them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Bytes that are read at once. Lines are slices of what was read and are not copied.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// The lines of a file in their order, each to one caller.
pub struct Lines(Mutex<Inner>);

struct Inner {
    /// Where more comes from.
    file: Option<File>,
    buffer: Bytes,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(Inner {
            file: Some(File::open(path)?),
            buffer: Bytes::new(),
        })))
    }

    /// Lines that are in memory already.
    #[must_use]
    pub fn of(lines: Vec<u8>) -> Self {
        Self(Mutex::new(Inner {
            file: None,
            buffer: lines.into(),
        }))
    }

    /// The next line without its line feed; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_line(&self) -> io::Result<Option<Bytes>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(end) = memchr::memchr(b'\n', &inner.buffer) {
                let line = inner.buffer.split_to(end + 1);
                return Ok(Some(line.slice(..end)));
            }
            if inner.file.is_none() {
                let rest = std::mem::take(&mut inner.buffer);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            inner.fill()?;
        }
    }
}

impl Inner {
    fn fill(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut more = BytesMut::zeroed(self.buffer.len() + READ_BYTES);
        more[..self.buffer.len()].copy_from_slice(&self.buffer);
        let mut filled = self.buffer.len();
        while filled < more.len() {
            match file.read(&mut more[filled..])? {
                0 => {
                    self.file = None;
                    break;
                }
                read => filled += read,
            }
        }
        more.truncate(filled);
        self.buffer = more.freeze();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_wherever_the_reads_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let lines: Vec<String> = (0..9_000)
            .map(|number| format!("{number}-{}", "x".repeat(number % 2_000)))
            .collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        let read = Lines::open(&path).unwrap();
        for line in &lines {
            assert_eq!(read.next_line().unwrap().unwrap(), line.as_bytes());
        }
        assert_eq!(read.next_line().unwrap(), None);
    }
}
