//! Records that were taken and are not final yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use invoice_core::crypto::Hash;
use invoice_core::identity::{MemberId, RecordId};

use super::job::Submitted;

/// What is on its way, by id and by the hash of the bytes. Bounded by the queue of envelopes.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ids: HashMap<(MemberId, RecordId), usize>,
    hashes: HashMap<Hash, (MemberId, usize)>,
}

/// Keeps records pending until it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    pending: Arc<Pending>,
    records: Vec<(MemberId, RecordId, Hash)>,
}

impl Pending {
    /// Records enter; they leave when the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, submitted: &[Submitted]) -> Waiting {
        let records: Vec<_> = submitted
            .iter()
            .filter_map(|record| {
                let candidate = &record.candidate;
                Some((candidate.by()?, candidate.id()?.clone(), candidate.hash()))
            })
            .collect();
        let mut inner = self.lock();
        for (by, id, hash) in &records {
            let count = inner.ids.entry((*by, id.clone())).or_default();
            *count = count.saturating_add(1);
            let (_, count) = inner.hashes.entry(*hash).or_insert((*by, 0));
            *count = count.saturating_add(1);
        }
        Waiting {
            pending: Arc::clone(self),
            records,
        }
    }

    /// Whether a record of this member with this id is on its way.
    pub(super) fn has_id(&self, by: &MemberId, id: &RecordId) -> bool {
        self.lock().ids.contains_key(&(*by, id.clone()))
    }

    /// Who sent the record with these bytes that is on its way.
    pub(super) fn owner_of(&self, hash: &Hash) -> Option<MemberId> {
        self.lock().hashes.get(hash).map(|(by, _)| *by)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut inner = self.pending.lock();
        for (by, id, hash) in self.records.drain(..) {
            let key = (by, id);
            if let Some(count) = inner.ids.get_mut(&key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    inner.ids.remove(&key);
                }
            }
            if let Some((_, count)) = inner.hashes.get_mut(&hash) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    inner.hashes.remove(&hash);
                }
            }
        }
    }
}
