//! Records that were taken and are not final yet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use invoice_core::apply::Candidate;
use invoice_core::crypto::Hash;
use invoice_core::identity::{MemberId, RecordId};

/// What is on its way, by id and by the hash of the bytes. Bounded by the queues.
///
/// Ids and hashes are kept as keyed 64-bit digests: a collision, which nobody can aim at, would
/// call an absent record pending for a moment.
#[derive(Debug, Default)]
pub(in crate::node) struct Pending {
    digests: RandomState,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ids: HashMap<u64, u32>,
    hashes: HashMap<u64, (MemberId, u32)>,
}

/// Keeps records pending until it is dropped.
#[derive(Debug)]
pub(in crate::node) struct Entered {
    pending: Arc<Pending>,
    /// Digest of the id and digest of the hash.
    records: Vec<(u64, u64)>,
}

impl Pending {
    /// The records of several envelopes enter; each envelope's leave when its part is dropped.
    pub(in crate::node) fn enter<'c>(
        self: &Arc<Self>,
        envelopes: impl Iterator<Item = &'c [Candidate]>,
    ) -> Vec<Entered> {
        let mut inner = self.lock();
        envelopes
            .map(|candidates| {
                let mut records = Vec::with_capacity(candidates.len());
                for candidate in candidates {
                    let (Some(by), Some(id)) = (candidate.by(), candidate.id()) else {
                        continue;
                    };
                    let id = self.digests.hash_one((by, id));
                    let hash = self.digests.hash_one(candidate.hash());
                    let count = inner.ids.entry(id).or_default();
                    *count = count.saturating_add(1);
                    let (_, count) = inner.hashes.entry(hash).or_insert((by, 0));
                    *count = count.saturating_add(1);
                    records.push((id, hash));
                }
                Entered {
                    pending: Arc::clone(self),
                    records,
                }
            })
            .collect()
    }

    /// The records of many envelopes leave together.
    pub(in crate::node) fn leave(&self, mut entered: Vec<Entered>) {
        let mut inner = self.lock();
        for one in &mut entered {
            inner.leave(&one.records);
            one.records.clear();
        }
    }

    /// Whether a record of this member with this id is on its way.
    pub(in crate::node) fn has_id(&self, by: &MemberId, id: &RecordId) -> bool {
        let id = self.digests.hash_one((*by, id));
        self.lock().ids.contains_key(&id)
    }

    /// Who sent the record with these bytes that is on its way.
    pub(in crate::node) fn owner_of(&self, hash: &Hash) -> Option<MemberId> {
        let hash = self.digests.hash_one(*hash);
        self.lock().hashes.get(&hash).map(|(by, _)| *by)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn leave(&mut self, records: &[(u64, u64)]) {
        for (id, hash) in records {
            if let Some(count) = self.ids.get_mut(id) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.ids.remove(id);
                }
            }
            if let Some((_, count)) = self.hashes.get_mut(hash) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.hashes.remove(hash);
                }
            }
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if !self.records.is_empty() {
            self.pending.lock().leave(&self.records);
        }
    }
}
