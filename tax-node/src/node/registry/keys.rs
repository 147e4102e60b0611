//! Keys and who they belong to.

use std::sync::Arc;

use invoice_api::registry::{KeyView, Unavailable, UnavailableReason};
use invoice_core::crypto::Kid;
use invoice_core::state::TypedState;

use super::NodeError;
use crate::node::key_cache::KnownKey;
use crate::node::pipeline::reply::unavailable;
use crate::node::start::Shared;

impl Shared {
    /// A registered key, as of the last block. It is in memory unless it was not used lately; then
    /// two or three entries of small tables are read.
    pub(super) fn known_key(&self, kid: &Kid) -> Result<Option<Arc<KnownKey>>, Unavailable> {
        let read = || -> Result<_, NodeError> {
            let snapshot = self.store.snapshot()?;
            Ok(KnownKey::read(&TypedState(&snapshot), kid)?)
        };
        self.keys.get(kid, read).map_err(|error| {
            tracing::error!(%error, "the state cannot be read");
            unavailable(UnavailableReason::StorageFailed)
        })
    }

    /// The key as the interface needs it for verifying a request.
    pub(super) fn key_view(&self, kid: &Kid) -> Result<Option<KeyView>, Unavailable> {
        let Some(key) = self.known_key(kid)? else {
            return Ok(None);
        };
        let time = (self.clock)().max(self.keys.time());
        Ok(key
            .owner
            .as_ref()
            .zip(key.standing(time))
            .map(|(owner, standing)| KeyView {
                public_key: Arc::clone(&key.public_key),
                member: owner.id,
                roles: owner.roles,
                standing,
            }))
    }
}
