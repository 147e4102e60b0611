//! What an export costs the registry: one look at each document, and few exports at once.

use std::collections::HashMap;
use std::sync::Arc;

use invoice_core::identity::DocumentKey;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::row::content;
use crate::limits::CLAIMS_PAGE_MAX;
use crate::problem::Problem;
use crate::registry::{Asker, ClaimView, UnavailableReason};
use crate::server::state::AppState;

/// What the records that issued the documents of claims say of them; null when that is not for the
/// asker. Many claims on one document cost one look at it.
pub(super) async fn documents(
    state: &AppState,
    asker: &Asker,
    claims: &[ClaimView],
) -> Result<HashMap<DocumentKey, Value>, Problem> {
    let mut known = HashMap::new();
    let keys = claims.iter().map(|claim| claim.document);
    let keys = keys
        .filter(|key| known.insert(*key, Value::Null).is_none())
        .collect::<Vec<_>>();
    for keys in keys.chunks(CLAIMS_PAGE_MAX) {
        let records = state
            .registry
            .document_records(asker, keys.to_vec())
            .await?;
        for (key, record) in keys.iter().zip(records) {
            let record = record.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            known.insert(*key, record.map_or(Value::Null, content));
        }
    }
    Ok(known)
}

/// A turn to export a ledger: each holds thousands of rows in memory and reads as many documents.
pub(super) fn turn(exports: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(exports)
        .try_acquire_owned()
        .map_err(|_| UnavailableReason::Overloaded.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::EXPORTS_AT_ONCE_MAX;
    use actix_web::http::header::RETRY_AFTER;

    #[test]
    fn one_export_too_many_is_told_when_to_ask_again() {
        let exports = Arc::new(Semaphore::new(EXPORTS_AT_ONCE_MAX));
        let mut turns = (0..EXPORTS_AT_ONCE_MAX)
            .map(|_| turn(&exports).unwrap())
            .collect::<Vec<_>>();
        let refused = turn(&exports).unwrap_err().into_response();
        assert_eq!(refused.status().as_u16(), 503);
        assert!(refused.headers().contains_key(RETRY_AFTER));
        turns.pop();
        drop(turn(&exports).unwrap());
    }
}
