//! Names for the validators who signed a checkpoint.

use std::collections::HashMap;

use invoice_core::crypto::{Kid, PublicKey};
use serde_json::Value;

use crate::registry::CheckpointView;
use crate::server::state::AppState;

/// A validator as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) kid: String,
    pub(crate) name: String,
}

/// Who signed a checkpoint, by the names of the genesis file and of the changes since.
pub(crate) fn signers(state: &AppState, checkpoint: &CheckpointView) -> Vec<Named> {
    let founders = state.founders.get_or_init(|| {
        let genesis = serde_json::from_slice::<Value>(state.registry.genesis());
        names(&genesis.unwrap_or_default()["validators"])
    });
    let mut later = HashMap::new();
    for change in checkpoint.validator_changes.iter() {
        let record = serde_json::from_str::<Value>(&change.record).unwrap_or_default();
        later.extend(names(&record["change"]["validators"]));
    }
    let signatures = checkpoint.certificate.signatures.iter();
    signatures
        .map(|(kid, _)| Named {
            kid: kid.to_string(),
            name: later
                .get(kid)
                .or_else(|| founders.get(kid))
                .cloned()
                .unwrap_or_default(),
        })
        .collect()
}

/// The names in a list of validators, by their keys' identifiers.
fn names(list: &Value) -> HashMap<Kid, String> {
    let validators = list.as_array().map(Vec::as_slice).unwrap_or_default();
    validators
        .iter()
        .filter_map(|validator| {
            let key = hex::decode(validator["public_key"].as_str()?).ok()?;
            let key = PublicKey::from_sec1(&key).ok()?;
            Some((key.kid(), validator["name"].as_str()?.to_owned()))
        })
        .collect()
}
