//! What the manifest says of a run.

use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::Hash;

/// The longest name of a run file, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What the manifest says of a run.
///
/// As a row of the manifest: `name length u16 | name | bytes u64 | rows u64 | tombstones u64 |
/// first height u64 | last height u64 | digest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunInfo {
    /// The name of the file in its folder.
    pub(crate) name: String,
    /// The length of the file in bytes.
    pub(crate) bytes: u64,
    /// How many rows it has, those that say "removed" included.
    pub(crate) rows: u64,
    /// How many rows say "removed".
    pub(crate) tombstones: u64,
    /// The first block whose rows may be in it.
    pub(crate) first_height: u64,
    /// The last block whose rows are in it.
    pub(crate) last_height: u64,
    /// The digest of the whole file (see `digest.rs`).
    pub(crate) digest: Hash,
}

impl RunInfo {
    /// The row of the manifest.
    ///
    /// # Errors
    /// The name is too long.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut row = Writer::new();
        row.put_bytes16("run name", self.name.as_bytes())?;
        for number in [
            self.bytes,
            self.rows,
            self.tombstones,
            self.first_height,
            self.last_height,
        ] {
            row.put_u64(number);
        }
        row.put(self.digest.as_bytes());
        Ok(row.into_bytes())
    }

    /// Reads a row of the manifest. A name is never a path out of the folder.
    ///
    /// # Errors
    /// The row has another layout.
    pub(crate) fn decode(row: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(row);
        let name = reader.text16("run name", NAME_BYTES_MAX)?.to_owned();
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if name.starts_with('.') || name.is_empty() || !name.bytes().all(usual) {
            return Err(DecodeError::Invalid { what: "run name" });
        }
        let info = Self {
            name,
            bytes: reader.u64("run bytes")?,
            rows: reader.u64("run rows")?,
            tombstones: reader.u64("run tombstones")?,
            first_height: reader.u64("run first height")?,
            last_height: reader.u64("run last height")?,
            digest: reader.hash("run digest")?,
        };
        reader.finish()?;
        Ok(info)
    }
}
