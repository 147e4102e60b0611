//! How far the rows are complete.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::Hash;

use crate::keys::FOLD_VERSION;

/// How far the rows are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// [`FOLD_VERSION`] of whoever wrote the rows.
    pub version: u32,
    /// Hash of the chain's genesis file.
    pub genesis: Hash,
    /// The last block that was folded.
    pub height: u64,
    /// Its id; the genesis hash at height 0.
    pub block: Hash,
    /// Its time, in milliseconds.
    pub time_ms: i64,
    /// Time of the first block, in milliseconds; 0 before it.
    pub first_ms: i64,
    /// Records of the log up to it.
    pub log_size: u64,
    /// Blocks whose records could not be read any more, since their year was moved away before
    /// they were folded. Their records are in no figure.
    pub left_out: u64,
}

impl Head {
    /// Before the first block.
    #[must_use]
    pub const fn genesis(version: u32, genesis: Hash) -> Self {
        Self {
            version,
            genesis,
            height: 0,
            block: genesis,
            time_ms: 0,
            first_ms: 0,
            log_size: 0,
            left_out: 0,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.put_u32(self.version);
        writer.put(self.genesis.as_bytes());
        writer.put_u64(self.height);
        writer.put(self.block.as_bytes());
        writer.put_i64(self.time_ms);
        writer.put_i64(self.first_ms);
        writer.put_u64(self.log_size);
        writer.put_u64(self.left_out);
        writer.into_bytes()
    }

    /// Reads the row. Of another version only that much is sure to be readable, and the rest is as
    /// before the first block.
    ///
    /// # Errors
    /// The bytes are no such row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u32("version")?;
        if version != FOLD_VERSION {
            return Ok(Self::genesis(version, Hash::new([0; 32])));
        }
        let head = Self {
            version,
            genesis: reader.hash("genesis")?,
            height: reader.u64("height")?,
            block: reader.hash("block")?,
            time_ms: reader.i64("time")?,
            first_ms: reader.i64("first time")?,
            log_size: reader.u64("log size")?,
            left_out: reader.u64("left out")?,
        };
        reader.finish()?;
        Ok(head)
    }
}
