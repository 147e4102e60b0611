//! Public keys that are kept from block to block.

use std::collections::HashMap;

use crate::crypto::{Kid, PublicKey};

/// Keys in each of two generations. A key that verifies often has a table of 4 KiB.
const GENERATION_MAX: usize = 8_192;

/// Public keys by their identifiers, kept with the tables that make verifying with them quick.
///
/// A `kid` is a digest of its key, so that none ever becomes another key and nothing here grows
/// old. Whether a key is registered is not asked here. Bounded: of two generations the older one is
/// forgotten when the younger is full, so that what is in use stays.
#[derive(Clone, Default)]
pub struct KeyRing {
    young: HashMap<Kid, PublicKey>,
    old: HashMap<Kid, PublicKey>,
}

impl KeyRing {
    /// The same key as this one, with the table that was made for it before.
    pub(super) fn kept(&mut self, kid: Kid, key: PublicKey) -> PublicKey {
        if let Some(kept) = self.young.get(&kid) {
            return kept.clone();
        }
        let key = self.old.remove(&kid).unwrap_or(key);
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(kid, key.clone());
        key
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("young", &self.young.len())
            .field("old", &self.old.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;

    fn key(n: u64) -> PublicKey {
        let mut secret = [1; 32];
        secret[24..].copy_from_slice(&n.to_be_bytes());
        SecretKey::from_bytes(&secret).unwrap().public_key()
    }

    #[test]
    fn keys_in_use_stay_and_the_number_of_all_is_bounded() {
        let mut ring = KeyRing::default();
        let used = key(0);
        let stranger = |n: u64| Kid::new([(n % 251) as u8; 16]);
        ring.kept(used.kid(), used.clone());
        for n in 0..200 {
            ring.kept(stranger(n), used.clone());
            let other = key(0);
            assert_eq!(ring.kept(used.kid(), other), used);
        }
        for n in 0..3 * GENERATION_MAX as u64 {
            let mut kid = [0; 16];
            kid[..8].copy_from_slice(&n.to_be_bytes());
            ring.kept(Kid::new(kid), used.clone());
            assert!(ring.young.len() <= GENERATION_MAX);
            assert!(ring.old.len() <= GENERATION_MAX);
        }
    }
}
