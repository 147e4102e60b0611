//! Zip archives, read strictly: where two readers could see different contents, none is read.
//!
//! Libraries resolve duplicate names, gaps and contradicting headers silently, each in its own way;
//! an archive whose signed entry one of them shows and whose other entry another shows is an old
//! trick. Here the central directory and every local header must say the same, entries must lie one
//! after another from the first byte to the directory, and names must be paths inside the package.

mod directory;
mod path;

use std::collections::BTreeMap;
use std::io::Read;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::error::PaperError;
use crate::limits::Meter;
pub(crate) use path::resolve;

/// A file in an archive.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'f> {
    data: &'f [u8],
    deflated: bool,
    size: usize,
    crc: u32,
}

/// An archive whose structure is in order. Contents are decompressed when they are asked for.
#[derive(Debug)]
pub(crate) struct Archive<'f> {
    entries: BTreeMap<String, Entry<'f>>,
}

impl<'f> Archive<'f> {
    /// Reads the structure.
    ///
    /// # Errors
    /// A [`PaperError`] of zips.
    pub(crate) fn open(file: &'f [u8], meter: &Meter<'_>) -> Result<Self, PaperError> {
        let entries = directory::read(file, meter.limits)?;
        Ok(Self { entries })
    }

    /// The files' names, directories excluded.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether there is a file of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The bytes of a file; `None` where there is none of that name.
    ///
    /// # Errors
    /// [`PaperError::Inflated`] beyond the limits, [`PaperError::ZipMalformed`] when size or
    /// checksum are others than the directory says.
    pub(crate) fn read(
        &self,
        name: &str,
        meter: &mut Meter<'_>,
    ) -> Result<Option<Vec<u8>>, PaperError> {
        match self.entries.get(name) {
            Some(entry) => entry.bytes(meter).map(Some),
            None => Ok(None),
        }
    }
}

impl Entry<'_> {
    fn bytes(&self, meter: &mut Meter<'_>) -> Result<Vec<u8>, PaperError> {
        let room = meter.room(self.data.len());
        if self.size > room {
            return Err(PaperError::Inflated);
        }
        let bytes = if self.deflated {
            let (bytes, used) = inflate_raw(self.data, room)?;
            if used != self.data.len() {
                return Err(PaperError::ZipMalformed);
            }
            bytes
        } else {
            self.data.to_vec()
        };
        meter.inflated(bytes.len());
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() != self.size || crc.sum() != self.crc {
            return Err(PaperError::ZipMalformed);
        }
        Ok(bytes)
    }
}

/// Decompresses raw deflate (RFC 1951) up to a bound, and says how much of the input it took.
fn inflate_raw(data: &[u8], room: usize) -> Result<(Vec<u8>, usize), PaperError> {
    let mut decoder = DeflateDecoder::new(data);
    let bytes = bounded(&mut decoder, room)?;
    let used = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
    Ok((bytes, used))
}

/// All that a reader gives, up to a bound. Memory grows with what really comes out.
pub(crate) fn bounded(reader: &mut impl Read, room: usize) -> Result<Vec<u8>, PaperError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|_| PaperError::ZipMalformed)?;
    if bytes.len() > room {
        return Err(PaperError::Inflated);
    }
    Ok(bytes)
}
