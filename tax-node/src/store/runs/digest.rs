//! The cryptographic digest of a run file.
//!
//! `SM3("runs-1" | length u64 | SM3 of each piece of 64 KiB, in order)`: the pieces can be hashed
//! side by side.

use invoice_core::crypto::{Hash, sm3, sm3_many};

/// Bytes that are hashed as one.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes that are hashed at a time: eight pieces side by side.
pub(crate) const STRIDE_BYTES: usize = 8 * PIECE_BYTES;

/// Hashes a file from front to back.
#[derive(Debug, Default)]
pub(crate) struct FileDigest {
    length: u64,
    pieces: Vec<u8>,
}

impl FileDigest {
    /// Adds the next bytes: [`STRIDE_BYTES`] of them, or fewer at the end.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let pieces: Vec<[&[u8]; 1]> = bytes.chunks(PIECE_BYTES).map(|piece| [piece]).collect();
        let messages: Vec<&[&[u8]]> = pieces.iter().map(<[&[u8]; 1]>::as_slice).collect();
        for hash in sm3_many(&messages) {
            self.pieces.extend_from_slice(hash.as_bytes());
        }
    }

    /// The digest.
    pub(crate) fn finish(&self) -> Hash {
        sm3(&[b"runs-1", &self.length.to_be_bytes(), &self.pieces])
    }
}
