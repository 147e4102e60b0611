//! `tax-node export`: the whole chain as NDJSON, for a verifier that shares no code with this one.
//!
//! One object a block; `docs/format.md` has the layout.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use invoice_core::chain::Authorization;
use invoice_core::state::TypedState;
use serde_json::{Value, json};

use super::failure::Failure;
use super::init;
use super::output::Output;
use super::verify;
use crate::store::{Snapshot, StoredBlock};

pub(super) fn run(data: &Path, output: Output) -> Result<(), Failure> {
    let genesis = init::read_genesis(data)?;
    verify::read(data, &genesis, |snapshot| {
        for stored in snapshot.blocks_from(1) {
            output.line(&block(snapshot, &stored?)?.to_string());
        }
        Ok(())
    })
}

fn block(snapshot: &Snapshot, stored: &StoredBlock) -> Result<Value, Failure> {
    let mut envelopes = Vec::new();
    for envelope in &stored.block.envelopes {
        let kid = envelope.authorization.kid();
        let key = TypedState(snapshot).key(&kid).map_err(Failure::integrity)?;
        let key = key.ok_or_else(|| Failure::integrity(format!("unknown key {kid}")))?;
        let records: Vec<_> = envelope
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "record": STANDARD.encode(&entry.record),
                    "status": if entry.outcome.is_accepted() { "accepted" } else { "refused" },
                    "code": entry.outcome.code(),
                    "detail": entry.outcome.detail(),
                })
            })
            .collect();
        let batch = match &envelope.authorization {
            Authorization::Single { .. } => Value::Null,
            Authorization::Batch {
                atomic,
                count,
                omitted,
                ..
            } => json!({
                "atomic": atomic,
                "count": count,
                "omitted": omitted
                    .iter()
                    .map(|(position, hash)| json!({ "position": position, "leaf_hash": hash }))
                    .collect::<Vec<_>>(),
            }),
        };
        envelopes.push(json!({
            "kid": kid,
            "public_key": key.public_key.to_hex(),
            "sig": envelope.authorization.signature(),
            "batch": batch,
            "records": records,
        }));
    }
    Ok(json!({
        "height": stored.block.header.height,
        "header": hex::encode(stored.block.header.encode()),
        "round": stored.certificate.round,
        "signatures": stored
            .certificate
            .signatures
            .iter()
            .map(|(kid, sig)| json!({ "kid": kid, "sig": sig }))
            .collect::<Vec<_>>(),
        "envelopes": envelopes,
    }))
}
