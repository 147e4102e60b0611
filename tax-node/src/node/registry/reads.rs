//! Questions are answered from snapshots, away from the threads that serve connections.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use invoice_api::registry::{AsOf, Unavailable, UnavailableReason};
use invoice_core::calendar::Instant;
use invoice_core::codec::DecodeError;
use tokio::sync::OwnedSemaphorePermit;

use crate::node::access_log::AccessLogError;
use crate::node::checks::Fault;
use crate::node::pipeline::reply::unavailable;
use crate::node::start::Shared;
use crate::store::{ReadError, Snapshot};

/// Why the node cannot answer: an operational accident, never a refusal.
#[derive(Debug, thiserror::Error)]
pub(in crate::node) enum NodeError {
    /// The store failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The state failed.
    #[error(transparent)]
    State(#[from] Fault),
    /// A row of an index is damaged.
    #[error("a row of an index is damaged: {0}")]
    Row(#[from] DecodeError),
    /// The access log failed: nothing may be told that is not logged.
    #[error(transparent)]
    Log(#[from] AccessLogError),
    /// A verdict names a place that its block has not: a bug.
    #[error("a record was decided and stands in no block")]
    Unplaced,
}

impl Shared {
    /// Answers a question from a snapshot of the store, unless too many are being answered.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Ok(permit) = Arc::clone(&self.reads).try_acquire_owned() else {
            return Err(unavailable(UnavailableReason::Overloaded));
        };
        self.read_with(permit, read).await
    }

    /// Reads what is needed to answer records that are final already: it waits for its turn, since
    /// whoever sent them has waited for their block.
    pub(super) async fn read_answer<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let Ok(permit) = Arc::clone(&self.reads).acquire_owned().await else {
            return Err(unavailable(UnavailableReason::Stopping));
        };
        self.read_with(permit, read).await
    }

    /// Runs a read of the store away from the threads that serve connections.
    async fn read_with<T: Send + 'static>(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        read: impl FnOnce(&Self, &Snapshot) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shared = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let snapshot = shared.store.snapshot()?;
            read(&shared, &snapshot)
        });
        match task.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "a read failed");
                Err(unavailable(UnavailableReason::StorageFailed))
            }
            Err(error) => {
                tracing::error!(%error, "a read did not end");
                Err(unavailable(UnavailableReason::StorageFailed))
            }
        }
    }

    pub(in crate::node) fn refusing(&self) -> Option<UnavailableReason> {
        if self.fate.has_failed() {
            Some(UnavailableReason::StorageFailed)
        } else if self.stopping.load(Ordering::Acquire) {
            Some(UnavailableReason::Stopping)
        } else if self.disk.is_low() {
            Some(UnavailableReason::LowDisk)
        } else if self.outbox.is_connected() && !self.consensus.quorum.load(Ordering::Relaxed) {
            Some(UnavailableReason::NoQuorum)
        } else {
            None
        }
    }

    /// The instant that questions are answered for: expiries take effect although no block came.
    pub(in crate::node) fn as_of(&self, snapshot: &Snapshot) -> AsOf {
        let head = snapshot.head();
        let time = (self.clock)().max(Instant::from_ms(head.time_ms));
        AsOf {
            height: head.height,
            time,
        }
    }
}
