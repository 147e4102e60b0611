//! How the chain and this node are, as the last certificates and the node's own figures tell.

use std::collections::BTreeMap;

use invoice_api::registry::{BlockHealth, HealthView, PeerHealth, ValidatorHealth};
use invoice_core::calendar::Instant;

use crate::node::registry::NodeError;
use crate::node::start::Shared;
use crate::store::Snapshot;

/// Blocks that are looked at.
const BLOCKS: u64 = 60;

pub(super) fn view(shared: &Shared, snapshot: &Snapshot) -> Result<HealthView, NodeError> {
    let head = snapshot.head();
    let mut outlines = Vec::new();
    for height in (head.height.saturating_sub(BLOCKS)..=head.height).rev() {
        outlines.extend(snapshot.outline(height)?);
    }
    let mut blocks = Vec::new();
    for (place, outline) in outlines
        .iter()
        .enumerate()
        .take(usize::try_from(BLOCKS).unwrap_or(0))
    {
        let header = &outline.header;
        let before = outlines.get(place.saturating_add(1));
        let before = before.map_or(header.time_ms, |before| before.header.time_ms);
        blocks.push(BlockHealth {
            height: header.height,
            time: Instant::from_ms(header.time_ms),
            records: header.count,
            round: outline.certificate.round,
            signatures: outline.certificate.signatures.len() as u64,
            after_ms: header.time_ms.saturating_sub(before),
        });
    }
    let set = shared.validators.at(head.height.max(1));
    let mut validators = Vec::new();
    for validator in set.validators() {
        let kid = validator.public_key.kid();
        let signed = |outline: &&std::sync::Arc<crate::store::BlockOutline>| {
            outline
                .certificate
                .signatures
                .iter()
                .any(|(signer, _)| *signer == kid)
        };
        let by_it: Vec<u64> = outlines
            .iter()
            .filter(signed)
            .map(|outline| outline.header.height)
            .collect();
        validators.push(ValidatorHealth {
            kid: kid.to_string(),
            name: validator.name.clone(),
            signed: by_it.len() as u64,
            last_signed: by_it.first().copied(),
        });
    }
    let peers = shared
        .links
        .get()
        .map(|links| links.peers())
        .unwrap_or_default();
    let peers = peers.into_iter().map(|peer| PeerHealth {
        connected: peer.connected(),
        queued_bytes: peer.queued_bytes as u64,
        name: peer.name,
        last_error: peer.last_error,
    });
    let last = outlines.first();
    let gauges: BTreeMap<String, i64> = shared
        .gauges()
        .into_iter()
        .map(|gauge| (gauge.name.to_owned(), gauge.value))
        .collect();
    Ok(HealthView {
        height: head.height,
        time: Instant::from_ms(head.time_ms),
        records: head.log_size(),
        effects_root: last
            .map(|last| last.header.effects_root.to_string())
            .unwrap_or_default(),
        log_root: head.frontier.root().to_string(),
        refusing: shared.refusing().map(|reason| reason.to_string()),
        figures_height: shared.oversight.as_ref().map(|figures| figures.height()),
        figures_failed: shared
            .oversight
            .as_ref()
            .is_some_and(|figures| figures.has_failed()),
        blocks,
        validators,
        peers: peers.collect(),
        gauges,
    })
}
