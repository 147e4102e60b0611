//! What peers forward enters the pipeline here, by the same door and within the same limits as what
//! members send themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;

use super::admission;
use super::key_cache::{KeyCache, KnownKey};
use super::pipeline::lanes::Waiting;
use super::pipeline::outbox;
use super::pipeline::queue::Queue;
use super::pipeline::reply::{self, Fate};
use super::registry::NodeError;
use crate::store::Store;
use invoice_core::crypto::Kid;
use invoice_core::state::TypedState;

/// The door for peers.
pub(super) struct Intake {
    pub(super) store: Arc<Store>,
    pub(super) keys: Arc<KeyCache>,
    pub(super) queue: Arc<Queue>,
    pub(super) fate: Arc<Fate>,
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    /// Envelopes that could not be read or for which there was no room.
    pub(super) refused: AtomicU64,
}

impl Intake {
    /// Queues what a peer forwards, as far as it can be read and there is room for that peer; for
    /// the rest its own node will ask somebody else.
    pub(super) fn take(&self, peer: Kid, envelopes: &[Bytes]) {
        let mut submissions = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            match outbox::decode(envelope) {
                Ok(submission) => submissions.push(submission),
                Err(_) => self.refuse(1),
            }
        }
        let sizes: Vec<usize> = submissions
            .iter()
            .map(|one| one.records.iter().map(Bytes::len).sum())
            .collect();
        // Nobody listens for the answers: whoever sent them waits at its own node.
        let (slots, _) = reply::group(&self.fate, &self.waiting_bytes, &sizes);
        // Read at once: whatever a frame names, it costs one snapshot.
        let mut snapshot = None;
        let mut waiting = Vec::with_capacity(slots.len());
        for (submission, slot) in submissions.into_iter().zip(slots) {
            let Some(kid) = admission::kid_of(&submission) else {
                self.refuse(1);
                continue;
            };
            let read = || -> Result<_, NodeError> {
                let snapshot = match &mut snapshot {
                    Some(snapshot) => snapshot,
                    none @ None => none.insert(self.store.snapshot()?),
                };
                Ok(KnownKey::read(&TypedState(&*snapshot), &kid)?)
            };
            match self.keys.get(&kid, read) {
                Ok(key) => waiting.push(Waiting {
                    submission,
                    key,
                    slot,
                    peer: Some(peer),
                }),
                Err(_) => self.refuse(1),
            }
        }
        let not_taken = self.queue.push(waiting);
        self.refuse(not_taken.len() as u64);
    }

    fn refuse(&self, count: u64) {
        self.refused.fetch_add(count, Ordering::Relaxed);
    }
}
