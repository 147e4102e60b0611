//! A key in the memtable.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// So many bytes stay in the tree itself: a document's key with a leaf index behind it fits, and
/// comparing keys then touches no other memory.
const INLINE_BYTES: usize = 38;

/// The bytes of a key after its keyspace.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// A short key.
    Inline {
        /// How many of the bytes count.
        length: u8,
        /// The key, then zeros.
        bytes: [u8; INLINE_BYTES],
    },
    /// A long key.
    Boxed(Box<[u8]>),
}

impl Key {
    /// Copies `key`.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(target), Ok(length)) => {
                target.copy_from_slice(key);
                Self::Inline { length, bytes }
            }
            _ => Self::Boxed(key.into()),
        }
    }

    /// Its bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Boxed(bytes) => bytes,
        }
    }

    /// Memory outside the tree, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Inline { .. } => 0,
            Self::Boxed(bytes) => bytes.len(),
        }
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Ord for Key {
    /// The order of the bytes, as of slices. Short keys are compared as a few numbers: they end in
    /// zeros, and a key that is another one with zeros behind it is longer.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (
                Self::Inline { length, bytes },
                Self::Inline {
                    length: other_length,
                    bytes: other,
                },
            ) => {
                let (words, rest) = bytes.as_chunks::<16>();
                let (other_words, other_rest) = other.as_chunks::<16>();
                let number = |word: &[u8; 16]| u128::from_be_bytes(*word);
                let words = words.iter().map(number);
                words
                    .cmp(other_words.iter().map(number))
                    .then_with(|| rest.cmp(other_rest))
                    .then(length.cmp(other_length))
            }
            (Self::Inline { .. } | Self::Boxed(_), Self::Inline { .. } | Self::Boxed(_)) => {
                self.as_slice().cmp(other.as_slice())
            }
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Key {}
