//! Nonces of signed requests, so that a request heard on the wire cannot be sent again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use invoice_core::crypto::{Kid, sm3};

use crate::limits::{NONCES_MAX, NONCES_PER_KEY_MAX, TIMESTAMP_SKEW_SECONDS};

/// What became of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// It was new and is remembered now.
    New,
    /// It was seen with this key before.
    Seen,
    /// There is no room to remember it, so it may not be used.
    Full,
}

/// The nonces of every request whose timestamp is still in range.
///
/// Only nonces of verified requests are put in, so nobody but a key's holder can fill its share.
pub(crate) struct NonceCache {
    inner: Mutex<Inner>,
    max: usize,
    per_key_max: usize,
}

#[derive(Default)]
struct Inner {
    seen: HashSet<[u8; 32]>,
    per_key: HashMap<Kid, usize>,
    /// By the second from which the timestamp is out of range.
    expiring: BTreeMap<u64, Vec<(Kid, [u8; 32])>>,
}

impl NonceCache {
    pub(crate) fn new() -> Self {
        Self::bounded(NONCES_MAX, NONCES_PER_KEY_MAX)
    }

    fn bounded(max: usize, per_key_max: usize) -> Self {
        Self {
            inner: Mutex::default(),
            max,
            per_key_max,
        }
    }

    /// Whether a nonce was seen with this key, as a cheap question before the costly one.
    pub(crate) fn is_known(&self, kid: Kid, nonce: &str) -> bool {
        let name = name(kid, nonce);
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .seen
            .contains(&name)
    }

    /// Remembers a nonce of a request that was stamped at `timestamp`, both in Unix seconds.
    pub(crate) fn admit(&self, kid: Kid, nonce: &str, timestamp: u64, now: u64) -> Nonce {
        let name = name(kid, nonce);
        // A poisoned lock means that another thread panicked between two map operations; the maps
        // are whole, at worst a nonce is remembered too long.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget_before(now);
        if inner.seen.contains(&name) {
            return Nonce::Seen;
        }
        let of_key = inner.per_key.get(&kid).copied().unwrap_or(0);
        if inner.seen.len() >= self.max || of_key >= self.per_key_max {
            return Nonce::Full;
        }
        inner.seen.insert(name);
        inner.per_key.insert(kid, of_key + 1);
        let out_of_range = timestamp
            .saturating_add(TIMESTAMP_SKEW_SECONDS)
            .saturating_add(1);
        inner
            .expiring
            .entry(out_of_range)
            .or_default()
            .push((kid, name));
        Nonce::New
    }
}

fn name(kid: Kid, nonce: &str) -> [u8; 32] {
    *sm3(&[kid.as_bytes(), nonce.as_bytes()]).as_bytes()
}

impl Inner {
    fn forget_before(&mut self, now: u64) {
        while let Some(entry) = self.expiring.first_entry() {
            if *entry.key() > now {
                return;
            }
            for (kid, name) in entry.remove() {
                self.seen.remove(&name);
                if let Some(count) = self.per_key.get_mut(&kid) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        self.per_key.remove(&kid);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid(byte: u8) -> Kid {
        Kid::new([byte; 16])
    }

    #[test]
    fn a_nonce_is_good_once_per_key() {
        let cache = NonceCache::new();
        assert_eq!(cache.admit(kid(1), "n", 1_000, 1_000), Nonce::New);
        assert_eq!(cache.admit(kid(1), "n", 1_000, 1_001), Nonce::Seen);
        assert_eq!(cache.admit(kid(2), "n", 1_000, 1_001), Nonce::New);
    }

    #[test]
    fn a_nonce_is_remembered_until_its_timestamp_is_out_of_range() {
        let cache = NonceCache::new();
        assert_eq!(cache.admit(kid(1), "n", 1_300, 1_000), Nonce::New);
        assert_eq!(cache.admit(kid(1), "n", 1_300, 1_600), Nonce::Seen);
        assert_eq!(cache.admit(kid(1), "n", 1_700, 1_601), Nonce::New);
    }

    #[test]
    fn one_key_cannot_crowd_out_another_and_all_keys_are_bounded() {
        let cache = NonceCache::bounded(3, 2);
        assert_eq!(cache.admit(kid(1), "a", 1_000, 1_000), Nonce::New);
        assert_eq!(cache.admit(kid(1), "b", 1_000, 1_000), Nonce::New);
        assert_eq!(cache.admit(kid(1), "c", 1_000, 1_000), Nonce::Full);
        assert_eq!(cache.admit(kid(2), "a", 1_000, 1_000), Nonce::New);
        assert_eq!(cache.admit(kid(2), "b", 1_000, 1_000), Nonce::Full);
        assert_eq!(
            cache.admit(kid(2), "b", 1_301, 1_301),
            Nonce::New,
            "room after a while"
        );
    }
}
