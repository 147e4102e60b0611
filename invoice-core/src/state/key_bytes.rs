//! Keys of entries, held where they are compared.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

/// Bytes that a key may have without an allocation: a member number and the 36 characters of a
/// UUID, the longest record id in wide use.
const SHORT_BYTES: usize = 40;

/// The key of an entry.
///
/// Nearly all are short and lie in the map's own nodes, so that a search follows no pointer for
/// each comparison.
#[derive(Clone)]
pub(crate) enum KeyBytes {
    Short {
        length: u8,
        bytes: [u8; SHORT_BYTES],
    },
    Long(Box<[u8]>),
}

impl KeyBytes {
    /// The concatenation of `parts`.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; SHORT_BYTES];
        let mut length = 0_usize;
        for part in parts {
            let end = length.saturating_add(part.len());
            let Some(to) = bytes.get_mut(length..end) else {
                return Self::Long(parts.concat().into());
            };
            to.copy_from_slice(part);
            length = end;
        }
        match u8::try_from(length) {
            Ok(length) => Self::Short { length, bytes },
            Err(_) => Self::Long(parts.concat().into()),
        }
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for KeyBytes {
    fn borrow(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialEq for KeyBytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for KeyBytes {}

impl PartialOrd for KeyBytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyBytes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_keys_are_their_bytes() {
        for length in [0, 1, 39, 40, 41, 68, 300] {
            let bytes = vec![7_u8; length];
            let (head, tail) = bytes.split_at(length / 2);
            let key = KeyBytes::of(&[head, tail]);
            assert_eq!(key.as_slice(), bytes);
            assert_eq!(matches!(key, KeyBytes::Long(_)), length > SHORT_BYTES);
        }
    }

    #[test]
    fn keys_sort_as_their_bytes_whatever_their_length() {
        let texts: [&[u8]; 5] = [b"", &[1; 40], &[1; 41], &[1; 60], b"\x02"];
        let keys = texts.map(|text| KeyBytes::of(&[text]));
        assert!(keys.is_sorted());
        assert!(texts.is_sorted());
    }
}
