//! The head: the last final block and the log's frontier after it.
//!
//! The row is `height u64 | block id 32 | time i64 (ms since 1970 UTC) | frontier`.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::Hash;
use invoice_core::merkle::Frontier;

/// Where the chain ends. A fresh store stands at height 0, which is the genesis file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Height of the last final block; 0 before the first.
    pub height: u64,
    /// Id of that block; at height 0 the hash of the genesis file.
    pub block_id: Hash,
    /// Time of that block in milliseconds since 1970 UTC; at height 0 the genesis time.
    pub time_ms: i64,
    /// The right edge of the log's Merkle tree, from which the next block is appended.
    pub frontier: Frontier,
}

impl Head {
    /// Number of leaves in the log, which is the index of the next one.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = Writer::new();
        row.put_u64(self.height);
        row.put(self.block_id.as_bytes());
        row.put_i64(self.time_ms);
        row.put(&self.frontier.encode());
        row.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut row = Reader::new(bytes);
        let height = row.u64("height")?;
        let block_id = row.hash("block id")?;
        let time_ms = row.i64("time")?;
        let frontier = Frontier::decode(row.take("frontier", row.remaining())?)?;
        Ok(Self {
            height,
            block_id,
            time_ms,
            frontier,
        })
    }
}
