//! Whether the node serves, and its figures for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

use invoice_api::registry::{Gauge, Readiness};

use crate::links::Links;
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

    pub(in crate::node) fn gauges(&self) -> Vec<Gauge> {
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
        gauges.extend(self.push.gauges());
        if self.outbox.is_connected() {
            gauges.extend(self.consensus_gauges());
            gauges.extend(self.links.get().iter().flat_map(|links| link_gauges(links)));
        }
        gauges
    }

    /// The node among the others.
    fn consensus_gauges(&self) -> Vec<Gauge> {
        let figures = &self.consensus;
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let peers = self
            .links
            .get()
            .map(|links| links.peers())
            .unwrap_or_default();
        vec![
            gauge(
                "consensus_height",
                "Height that is being decided.",
                of(&figures.height),
            ),
            gauge(
                "consensus_round",
                "Round of it; 0 while all goes well.",
                of(&figures.round),
            ),
            gauge(
                "quorum_in_reach",
                "1 when the validators in reach can make records final.",
                u64::from(figures.quorum.load(Ordering::Relaxed)),
            ),
            gauge(
                "peers_connected",
                "Nodes whose link stands.",
                of(&figures.peers),
            ),
            gauge(
                "link_bytes_sent_total",
                "Bytes sent to other nodes since the start.",
                peers.iter().map(|peer| peer.bytes_out).sum(),
            ),
            gauge(
                "link_bytes_received_total",
                "Bytes received from other nodes since the start.",
                peers.iter().map(|peer| peer.bytes_in).sum(),
            ),
            gauge(
                "highest_known_height",
                "Highest block that this node has or more than a third of the weight says it has.",
                of(&figures.highest).max(*self.head.borrow()),
            ),
            gauge(
                "stalled_seconds",
                "How long records have waited while no block became final.",
                of(&figures.stalled_s),
            ),
            gauge(
                "alarms_total",
                "Contradictions of validators and blocks that were found since the start.",
                of(&figures.alarms),
            ),
            gauge(
                "envelopes_given_up_total",
                "Envelopes that waited too long for an agreement since the start.",
                self.outbox.given_up(),
            ),
        ]
    }
}

/// What befell the links, all peers together.
fn link_gauges(links: &Links) -> [Gauge; 5] {
    let peers = links.peers();
    let counters = links.counters();
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
            "link_bytes_queued",
            "Bytes that wait to be sent to other nodes.",
            peers.iter().map(|peer| peer.queued_bytes as u64).sum(),
        ),
        gauge(
            "link_frames_dropped_total",
            "Frames that were dropped since a peer was slow.",
            counters.frames_dropped,
        ),
        gauge(
            "links_made_total",
            "Links that were made since the start.",
            counters.connected,
        ),
        gauge(
            "links_refused_total",
            "Connections that did not become a link: strangers, too many, wrong genesis or signature.",
            refused.iter().sum(),
        ),
    ]
}
