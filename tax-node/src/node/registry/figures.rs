//! Whether the node serves, and its figures for monitoring.

use std::sync::atomic::Ordering;

use invoice_api::registry::{Gauge, Readiness};

use crate::node::gauges::gauge;
use crate::node::start::Shared;

impl Shared {
    pub(super) fn readiness(&self) -> Readiness {
        let height = *self.head.borrow();
        Readiness {
            height,
            time: (height > 0).then(|| self.keys.time()),
            storage_ok: !self.fate.has_failed(),
            refusing: self.refusing(),
        }
    }

    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let waiting = self.waiting_bytes.load(Ordering::Relaxed) as u64;
        let (accesses, _) = self.access_log.root();
        let records = self
            .store
            .snapshot()
            .map_or(0, |snapshot| snapshot.head().log_size());
        let (desk_records, desk_bytes) = self.desk.waiting();
        vec![
            gauge(
                "height",
                "Height of the last final block.",
                *self.head.borrow(),
            ),
            gauge("log_records", "Records in the log.", records),
            gauge(
                "waiting_bytes",
                "Bytes of records that were taken and not answered yet.",
                waiting,
            ),
            gauge(
                "verification_waiting_envelopes",
                "Envelopes that wait for the verification of their signatures.",
                self.queue.waiting() as u64,
            ),
            gauge(
                "execution_waiting_records",
                "Verified records that wait for execution.",
                desk_records as u64,
            ),
            gauge(
                "execution_waiting_bytes",
                "Bytes of verified records that wait for execution.",
                desk_bytes as u64,
            ),
            gauge(
                "disk_free_bytes",
                "Room on the disk.",
                self.disk.free_bytes(),
            ),
            gauge(
                "access_log_entries",
                "Questions in the access log.",
                accesses,
            ),
        ]
    }
}
