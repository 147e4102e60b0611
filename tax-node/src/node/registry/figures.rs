//! Whether the node serves, and its figures for monitoring.

use std::sync::atomic::Ordering;

use invoice_api::registry::{Gauge, Readiness};

use crate::node::gauges::gauge;
use crate::node::stages::StageTimes;
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
        let cpu = StageTimes::now();
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
                "cpu_verify_ms",
                "Processor time of verification: shape, hashes, signatures.",
                cpu.verify_ms,
            ),
            gauge(
                "cpu_execute_ms",
                "Processor time of execution.",
                cpu.execute_ms,
            ),
            gauge(
                "cpu_store_ms",
                "Processor time of agreement and storing.",
                cpu.store_ms,
            ),
            gauge(
                "cpu_http_ms",
                "Processor time of the threads that serve connections.",
                cpu.http_ms,
            ),
            gauge(
                "cpu_other_ms",
                "Processor time of all other threads: reads of the store among them.",
                cpu.other_ms,
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
