//! The digest of a block's state changes.

use super::Changes;
use crate::crypto::{Hash, sm3, sm3_many};

/// First byte of the effects digest's input.
const EFFECTS_DOMAIN: u8 = 0x04;
/// First byte of a piece digest's input.
const PIECE_DOMAIN: u8 = 0x06;
/// Bytes of the listing that one piece has; only the last has fewer.
const PIECE_BYTES: usize = 1024;
/// Pieces that are hashed side by side. No part of the format: enough to fill the widest vectors
/// several times, and little enough to stay in a near cache.
const PIECES_AT_ONCE: usize = 64;

/// The pieces of a listing while it is written.
struct Pieces {
    listing: Vec<u8>,
    digests: Vec<u8>,
}

impl Pieces {
    fn put(&mut self, bytes: &[u8]) {
        self.listing.extend_from_slice(bytes);
    }

    /// Hashes what makes up whole pieces, once there are enough of them.
    fn hash_many(&mut self) {
        if self.listing.len() < PIECES_AT_ONCE.saturating_mul(PIECE_BYTES) {
            return;
        }
        let (whole, rest) = self.listing.as_chunks::<PIECE_BYTES>();
        hash(
            whole.iter().map(<[u8; PIECE_BYTES]>::as_slice),
            &mut self.digests,
        );
        let hashed = self.listing.len().saturating_sub(rest.len());
        self.listing.drain(..hashed);
    }

    fn finish(mut self) -> Vec<u8> {
        hash(self.listing.chunks(PIECE_BYTES), &mut self.digests);
        self.digests
    }
}

fn hash<'p>(pieces: impl Iterator<Item = &'p [u8]>, digests: &mut Vec<u8>) {
    let parts: Vec<[&[u8]; 2]> = pieces.map(|piece| [&[PIECE_DOMAIN][..], piece]).collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 2]>::as_slice).collect();
    for digest in sm3_many(&messages) {
        digests.extend_from_slice(digest.as_bytes());
    }
}

impl Changes {
    /// The `effects_root` of a block header.
    ///
    /// The listing has, for each change in order: table (u8), key length (u16), key, 1 and value
    /// length (u32) and value, or 0 for a removed entry. It is cut into pieces of 1,024 bytes, of
    /// which the last may be shorter. The root is SM3 over the byte 0x04 and the pieces' digests,
    /// each SM3 over the byte 0x06 and the piece: so that they can be hashed side by side.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut pieces = Pieces {
            listing: Vec::new(),
            digests: Vec::new(),
        };
        for (table, key, value) in self.iter() {
            let [high, low] = u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes();
            pieces.put(&[table.number(), high, low]);
            pieces.put(key);
            match value {
                Some(value) => {
                    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                    let [a, b, c, d] = length.to_be_bytes();
                    pieces.put(&[1, a, b, c, d]);
                    pieces.put(value);
                }
                None => pieces.put(&[0]),
            }
            pieces.hash_many();
        }
        sm3(&[&[EFFECTS_DOMAIN], &pieces.finish()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Table;

    #[test]
    fn the_root_is_over_entries_in_the_order_of_table_and_key() {
        let mut changes = Changes::new();
        changes.put(Table::Record, [2, 1], vec![5, 6]);
        changes.remove(Table::Record, [2]);
        changes.put(Table::Member, [9], vec![]);
        changes.put(Table::Record, [2, 1], vec![7]);
        let listing = "01000109 0100000000 09000102 00 0900020201 0100000001 07";
        let listing = hex::decode(listing.replace(' ', "")).unwrap();
        let piece = sm3(&[&[0x06], &listing]);
        assert_eq!(changes.root(), sm3(&[&[0x04], piece.as_bytes()]));
    }

    /// The vector of `docs/format.md`.
    #[test]
    fn one_counter_set_has_this_root() {
        let mut changes = Changes::new();
        changes.put(Table::Counter, b"members", vec![0, 0, 0, 1]);
        assert_eq!(
            changes.root().to_string(),
            "f2224f2d421d474f5daffe782950dd15bcfb231f92f59ac00cfe35534eb4fd20"
        );
    }

    #[test]
    fn nothing_changed_is_the_digest_of_no_piece() {
        assert_eq!(Changes::new().root(), sm3(&[&[0x04]]));
    }

    /// Listings that end just before, at and after the edges of pieces and of what is hashed at
    /// once, against the definition in its plainest form.
    #[test]
    fn listings_of_every_length_are_cut_alike() {
        for length in [
            1, 1010, 1013, 1014, 1015, 2038, 65_000, 65_526, 65_527, 65_528, 200_000,
        ] {
            let mut changes = Changes::new();
            changes.put(Table::Record, [1], vec![3; length]);
            changes.put(Table::Counter, [2], vec![4]);
            let mut listing = vec![9, 0, 1, 1, 1];
            listing.extend((length as u32).to_be_bytes());
            listing.extend(vec![3; length]);
            listing.extend([10, 0, 1, 2, 1, 0, 0, 0, 1, 4]);
            let mut digests = vec![0x04];
            for piece in listing.chunks(1024) {
                digests.extend(sm3(&[&[0x06], piece]).as_bytes());
            }
            assert_eq!(changes.root(), sm3(&[&digests]), "{length}");
        }
    }
}
