//! Verification of request signatures. That of a long message, which has to be hashed first, is
//! kept off the threads that serve connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use invoice_core::crypto::{PublicKey, Signature};
use tokio::sync::Semaphore;

use crate::fault::Fault;
use crate::limits::{VERIFICATIONS_WAITING_MAX, VERIFIED_INLINE_BYTES_MAX};
use crate::problem::Problem;
use crate::registry::UnavailableReason;

/// A bounded number of threads that verify, and a bounded queue before them.
pub(crate) struct Verifier {
    threads: Semaphore,
    waiting: AtomicUsize,
}

/// One place in the queue, given back when dropped: also when the client goes away.
struct Place<'v>(&'v AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Verifier {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads: Semaphore::new(threads.max(1)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether the signature over `message` is good.
    pub(crate) async fn verify(
        &self,
        key: Arc<PublicKey>,
        message: Vec<u8>,
        signature: Signature,
    ) -> Result<bool, Problem> {
        if message.len() <= VERIFIED_INLINE_BYTES_MAX {
            return Ok(key.verify(&message, &signature));
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if before >= VERIFICATIONS_WAITING_MAX {
            return Err(UnavailableReason::Overloaded.into());
        }
        let _thread = self
            .threads
            .acquire()
            .await
            .map_err(|_| Problem::from(UnavailableReason::Stopping))?;
        tokio::task::spawn_blocking(move || key.verify(&message, &signature))
            .await
            .map_err(|_| Problem::from(Fault::Internal))
    }
}
