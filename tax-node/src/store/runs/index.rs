//! Which block of a run holds a key.
//!
//! For each block a separator: the shortest beginning of its first key that is behind the last key
//! of the block before. In the file, block by block: `shared | rest length | frame length | rest of
//! the separator`, the numbers as LEB128.

use std::ops::Range;

use super::KEY_BYTES_MAX;
use super::block::{Fault, common, number, put_number};

/// The separators and offsets of all blocks.
#[derive(Debug)]
pub(crate) struct Index {
    separators: Vec<u8>,
    /// Where each separator ends.
    ends: Vec<u32>,
    /// Where each block begins, and where the last one ends.
    offsets: Vec<u64>,
}

impl Index {
    /// Of a run whose blocks begin at `start`.
    pub(crate) fn new(start: u64) -> Self {
        Self {
            separators: Vec::new(),
            ends: Vec::new(),
            offsets: vec![start],
        }
    }

    /// How many blocks there are.
    pub(crate) const fn blocks(&self) -> usize {
        self.ends.len()
    }

    /// Where the last block ends.
    pub(crate) fn end(&self) -> u64 {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// Appends a block of `length` bytes whose first key is `first`, after one that ends with
    /// `last`.
    pub(crate) fn push(&mut self, last: &[u8], first: &[u8], length: usize) -> Result<(), Fault> {
        let separator = first.get(..=common(last, first)).unwrap_or(first);
        self.append(separator, length)
    }

    fn append(&mut self, separator: &[u8], length: usize) -> Result<(), Fault> {
        let end = self
            .end()
            .checked_add(length as u64)
            .ok_or("a run is too long")?;
        self.separators.extend_from_slice(separator);
        let separators = u32::try_from(self.separators.len());
        self.ends
            .push(separators.map_err(|_| "a run has too many blocks")?);
        self.offsets.push(end);
        Ok(())
    }

    /// The separator of a block: none of its keys is before it, all keys of earlier blocks are.
    pub(crate) fn separator(&self, block: usize) -> Option<&[u8]> {
        let end = *self.ends.get(block)? as usize;
        let start = match block.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.separators.get(start..end)
    }

    /// Where a block lies in the file.
    pub(crate) fn place(&self, block: usize) -> Option<Range<u64>> {
        Some(*self.offsets.get(block)?..*self.offsets.get(block.checked_add(1)?)?)
    }

    /// The only block that can hold `key`.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let mut low = 0;
        let mut high = self.blocks();
        while low < high {
            let middle = low + (high - low) / 2;
            if self.separator(middle)? <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// The memory that it takes, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.separators.capacity() + self.ends.capacity() * 4 + self.offsets.capacity() * 8
    }

    /// Its form in the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.separators.len() + self.blocks() * 4);
        let mut before: &[u8] = &[];
        for block in 0..self.blocks() {
            let separator = self.separator(block).unwrap_or_default();
            let place = self.place(block).unwrap_or_default();
            let shared = common(before, separator);
            let rest = separator.get(shared..).unwrap_or_default();
            put_number(&mut out, shared);
            put_number(&mut out, rest.len());
            put_number(
                &mut out,
                usize::try_from(place.end - place.start).unwrap_or(0),
            );
            out.extend_from_slice(rest);
            before = separator;
        }
        out
    }

    /// Reads what a file holds, of blocks that begin at `start`.
    pub(crate) fn decode(bytes: &[u8], start: u64, blocks: u64) -> Result<Self, Fault> {
        const CUT: Fault = "the index is cut off";
        // A block takes at least three bytes of the index.
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
        if blocks > bytes.len() / 3 {
            return Err(CUT);
        }
        let mut index = Self::new(start);
        index.ends.reserve_exact(blocks);
        index.offsets.reserve_exact(blocks);
        let mut separator = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (shared, next) = number(bytes, at).ok_or(CUT)?;
            let (rest, next) = number(bytes, next).ok_or(CUT)?;
            let (length, next) = number(bytes, next).ok_or(CUT)?;
            if shared > separator.len() || shared + rest > KEY_BYTES_MAX {
                return Err("a separator does not fit to the one before it");
            }
            separator.truncate(shared);
            separator.extend_from_slice(bytes.get(next..next + rest).ok_or(CUT)?);
            index.append(&separator, length)?;
            at = next + rest;
        }
        if index.blocks() != blocks {
            return Err("the index has another number of blocks");
        }
        index.separators.shrink_to_fit();
        Ok(index)
    }
}
