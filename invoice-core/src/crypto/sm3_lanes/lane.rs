//! A message as the blocks that SM3 compresses (GB/T 32905-2016, clause 5.2).

/// Bytes of a block.
pub(super) const BLOCK_BYTES: usize = 64;
/// Where the length of the message stands in its last block.
const LENGTH_AT: usize = 56;

/// A message on its way through one lane. The default has no message: an idle lane.
pub(super) struct Lane<'m> {
    /// The message's place among the messages; none in an idle lane.
    pub(super) index: Option<usize>,
    blocks_left: usize,
    bits: u64,
    /// What is left of the part that is being read.
    part: &'m [u8],
    parts: &'m [&'m [u8]],
    /// Whether the bit 1 after the message has been written.
    padded: bool,
    /// A block that is put together of several parts, or padded.
    block: [u8; BLOCK_BYTES],
}

impl Default for Lane<'_> {
    fn default() -> Self {
        Self {
            index: None,
            blocks_left: 0,
            bits: 0,
            part: &[],
            parts: &[],
            padded: true,
            block: [0; BLOCK_BYTES],
        }
    }
}

impl<'m> Lane<'m> {
    /// A lane at the beginning of a message of so many blocks.
    pub(super) fn new(index: usize, blocks: usize, parts: &'m [&'m [u8]]) -> Self {
        let bytes: u64 = parts.iter().map(|part| part.len() as u64).sum();
        Self {
            index: Some(index),
            blocks_left: blocks,
            bits: bytes * 8,
            parts,
            padded: false,
            ..Self::default()
        }
    }

    /// The message whose last block has been read.
    pub(super) fn finished(&self) -> Option<usize> {
        self.index.filter(|_| self.blocks_left == 0)
    }

    /// The next block; any bytes in an idle lane.
    #[inline]
    pub(super) fn next_block(&mut self) -> &[u8; BLOCK_BYTES] {
        if let Some((block, rest)) = self.part.split_first_chunk() {
            self.part = rest;
            self.blocks_left -= 1;
            return block;
        }
        if self.blocks_left > 0 {
            self.assemble();
            self.blocks_left -= 1;
        }
        &self.block
    }

    fn assemble(&mut self) {
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            let (now, rest) = self
                .part
                .split_at(self.part.len().min(BLOCK_BYTES - filled));
            self.block[filled..filled + now.len()].copy_from_slice(now);
            filled += now.len();
            self.part = rest;
            if filled < BLOCK_BYTES {
                let Some((first, others)) = self.parts.split_first() else {
                    return self.pad(filled);
                };
                (self.part, self.parts) = (first, others);
            }
        }
    }

    fn pad(&mut self, filled: usize) {
        let padding = &mut self.block[filled..];
        padding.fill(0);
        if !self.padded {
            padding[0] = 0x80;
            self.padded = true;
        }
        if self.blocks_left == 1 {
            self.block[LENGTH_AT..].copy_from_slice(&self.bits.to_be_bytes());
        }
    }
}
