//! Whether the node serves, and its figures for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

use invoice_api::registry::{Gauge, Readiness};

use crate::links::{Links, PeerState};
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
        let mut gauges = vec![
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
        ];
        if let Some(links) = self.links.get() {
            gauges.extend(self.agreement());
            gauges.extend(links.upgrade().iter().flat_map(|links| link_figures(links)));
        }
        gauges
    }

    /// How far the agreement with others is.
    fn agreement(&self) -> [Gauge; 5] {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let figures = &self.consensus;
        [
            gauge(
                "peers_connected",
                "Other nodes to which a link stands.",
                read(&figures.peers),
            ),
            gauge(
                "consensus_height",
                "Height that is decided next.",
                read(&figures.height),
            ),
            gauge(
                "consensus_round",
                "Round of that height, from 0: each failed one adds one.",
                read(&figures.round),
            ),
            gauge(
                "highest_known_height",
                "Height of the highest block that this node or a peer says it has.",
                read(&figures.highest).max(*self.head.borrow()),
            ),
            gauge(
                "alarms_total",
                "Alarms since the start: contradicting votes, invalid proposals, forgotten votes, disagreement.",
                read(&figures.alarms),
            ),
        ]
    }
}

/// What the links carry, all peers together.
fn link_figures(links: &Links) -> [Gauge; 7] {
    let peers = links.peers();
    let counters = links.counters();
    let sum = |of: fn(&PeerState) -> u64| peers.iter().map(of).fold(0, u64::saturating_add);
    let refused = [
        counters.refused_rate,
        counters.refused_room,
        counters.refused_timeout,
        counters.refused_tls,
        counters.refused_mismatch,
        counters.refused_unknown,
        counters.refused_signature,
    ];
    [
        gauge(
            "peers_listed",
            "Other nodes in the peers file.",
            peers.len() as u64,
        ),
        gauge(
            "links_received_bytes_total",
            "Bytes received from other nodes, before TLS.",
            sum(|peer| peer.bytes_in),
        ),
        gauge(
            "links_sent_bytes_total",
            "Bytes sent to other nodes, before TLS.",
            sum(|peer| peer.bytes_out),
        ),
        gauge(
            "links_queued_bytes",
            "Bytes that wait to be sent to other nodes.",
            sum(|peer| peer.queued_bytes as u64),
        ),
        gauge(
            "links_dropped_frames_total",
            "Frames that were dropped since a peer was slow.",
            counters.frames_dropped,
        ),
        gauge(
            "links_made_total",
            "Links that were made.",
            counters.connected,
        ),
        gauge(
            "links_refused_total",
            "Connections that did not become a link: strangers, too many, wrong genesis or signature.",
            refused
                .iter()
                .fold(0, |all, one| u64::saturating_add(all, *one)),
        ),
    ]
}
