//! Sealed parts of the right shape and size. Nobody can open them: random bytes stand where the
//! ciphertext does, and compress as little.

use invoice_core::crypto::{Hash, Kid};
use invoice_core::record::{Sealed, Wrap};
use rand::RngExt;

use super::Dice;

/// Bytes of one salted field, `["<salt>","name","value"]`.
const FIELD_BYTES: usize = 56;
/// Bytes of GCM's tag.
const TAG_BYTES: usize = 16;
/// Content of the DER sequence of an SM2 cipher over a key of 16 bytes.
const WRAP_CONTENT_BYTES: u8 = 121;

/// A sealed part with so many fields, readable for one or two members.
pub(super) fn part(dice: &mut Dice, fields: usize) -> Sealed {
    let wraps = (0..dice.random_range(1..=2))
        .map(|_| {
            let mut key = vec![0x30, WRAP_CONTENT_BYTES];
            key.extend((0..WRAP_CONTENT_BYTES).map(|_| dice.random::<u8>()));
            Wrap {
                kid: Kid::new(dice.random()),
                key,
            }
        })
        .collect();
    let length = 2 + fields * FIELD_BYTES + TAG_BYTES;
    Sealed {
        nonce: dice.random(),
        ciphertext: (0..length).map(|_| dice.random()).collect(),
        wraps,
        root: Hash::new(dice.random()),
    }
}
