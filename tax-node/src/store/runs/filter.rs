//! The Bloom filter of a run: a key that it does not know is not in the run.
//!
//! All bits of a key lie in one cache line, so that asking costs one access to memory.

/// Bits that a key sets.
const BITS_PER_KEY_SET: u32 = 7;

/// Bytes of a line.
pub(crate) const LINE_BYTES: usize = 64;

/// Runs of up to so many rows get [`BITS_SMALL`] a row: there are many of them, and together they
/// hold few rows.
const SMALL_ROWS: u64 = 1 << 21;

/// Bits per row in a small run; about one wrong "perhaps" in a thousand.
const BITS_SMALL: u64 = 18;

/// Bits per row in a large run; about one wrong "perhaps" in 150.
const BITS_LARGE: u64 = 12;

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([u64; 8]);

/// So many keys are inserted at a time: the processor then fetches their lines side by side.
const WAITING_KEYS: usize = 64;

/// A blocked Bloom filter.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    lines: Vec<Line>,
    waiting: Vec<u64>,
}

/// A number that spreads the keys evenly. Files depend on it; it never changes.
pub(crate) fn key_hash(key: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xd6e8_feb8_6659_fd93;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut hash = (key.len() as u64) ^ B;
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), A);
    }
    let mut last = [0; 8];
    for (target, byte) in last.iter_mut().zip(rest) {
        *target = *byte;
    }
    fold(fold(hash ^ u64::from_le_bytes(last), A) ^ B, A)
}

impl Filter {
    /// A filter for up to `rows` rows; none for none.
    pub(crate) fn for_rows(rows: u64) -> Self {
        let bits = if rows <= SMALL_ROWS {
            BITS_SMALL
        } else {
            BITS_LARGE
        };
        let lines = rows.saturating_mul(bits).div_ceil(LINE_BYTES as u64 * 8);
        let lines = usize::try_from(lines).unwrap_or(usize::MAX);
        Self {
            lines: vec![Line::default(); lines],
            waiting: Vec::with_capacity(WAITING_KEYS),
        }
    }

    /// The line of a key and its seven bits within it.
    fn place(&self, hash: u64) -> (usize, impl Iterator<Item = (usize, u64)> + use<>) {
        let line = (u128::from(hash) * self.lines.len() as u128) >> 64;
        // The line took the upper bits; the bits within it come from a remix of all of them.
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let bits = (0..BITS_PER_KEY_SET).map(move |n| {
            let bit = (mixed >> (n * 9)) & 511;
            ((bit >> 6) as usize, 1_u64 << (bit & 63))
        });
        (line as usize, bits)
    }

    /// Remembers a key, once [`Filter::settle`] was called.
    pub(crate) fn insert(&mut self, hash: u64) {
        self.waiting.push(hash);
        if self.waiting.len() >= WAITING_KEYS {
            self.settle();
        }
    }

    /// Remembers all keys that were inserted.
    pub(crate) fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for hash in waiting.drain(..) {
            let (line, bits) = self.place(hash);
            if let Some(line) = self.lines.get_mut(line) {
                for (word, bit) in bits {
                    if let Some(word) = line.0.get_mut(word) {
                        *word |= bit;
                    }
                }
            }
        }
        self.waiting = waiting;
    }

    /// False when the key was certainly never inserted.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let (line, mut bits) = self.place(hash);
        self.lines.get(line).is_some_and(|line| {
            bits.all(|(word, bit)| line.0.get(word).is_some_and(|w| w & bit != 0))
        })
    }

    /// The memory that it takes, and its length in a file, in bytes.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * LINE_BYTES
    }

    /// Its bytes, line by line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = [u8; LINE_BYTES]> {
        self.lines.iter().map(|line| {
            let mut bytes = [0; LINE_BYTES];
            let (words, _) = bytes.as_chunks_mut::<8>();
            for (target, word) in words.iter_mut().zip(line.0) {
                *target = word.to_le_bytes();
            }
            bytes
        })
    }

    /// Makes room for `bytes` bytes of lines.
    pub(crate) fn with_bytes(bytes: usize) -> Self {
        Self {
            lines: Vec::with_capacity(bytes / LINE_BYTES),
            waiting: Vec::new(),
        }
    }

    /// Appends lines that a file holds.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let (lines, _) = bytes.as_chunks::<LINE_BYTES>();
        self.lines.extend(lines.iter().map(|bytes| {
            let mut line = Line::default();
            let (words, _) = bytes.as_chunks::<8>();
            for (target, word) in line.0.iter_mut().zip(words) {
                *target = u64::from_le_bytes(*word);
            }
            line
        }));
    }
}

/// Which keyspaces have a filter, and what of their keys it knows.
///
/// A rule is a keyspace and the number of bytes at the end of its keys that the filter leaves out:
/// none where whole keys are looked up; the length of a leaf index where all leaves of a document
/// are, so that runs without the document are passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filters([u8; 64]);

/// A keyspace without a filter.
const NO_FILTER: u8 = u8::MAX;

impl Filters {
    /// Takes (keyspace, bytes left out) pairs.
    ///
    /// # Panics
    /// At compile time, of a keyspace beyond the last.
    pub(crate) const fn of(rules: &[(u8, u8)]) -> Self {
        let mut left_out = [NO_FILTER; 64];
        let mut n = 0;
        while n < rules.len() {
            left_out[rules[n].0 as usize] = rules[n].1;
            n += 1;
        }
        Self(left_out)
    }

    /// How many bytes at the end of a key of this keyspace its filter leaves out; `None` without
    /// a filter.
    pub(crate) fn left_out(&self, keyspace: u8) -> Option<usize> {
        let left_out = *self.0.get(usize::from(keyspace))?;
        (left_out != NO_FILTER).then_some(usize::from(left_out))
    }

    /// What the filter knows of a key.
    pub(crate) fn hash_of(&self, key: &[u8]) -> Option<u64> {
        let left_out = self.left_out(*key.first()?)?;
        Some(key_hash(key.get(..key.len().saturating_sub(left_out))?))
    }

    /// The rules as a file keeps them: a file that was written under others is of no use.
    pub(crate) const fn bytes(&self) -> &[u8; 64] {
        &self.0
    }
}
