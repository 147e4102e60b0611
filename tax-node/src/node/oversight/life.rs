//! A document's whole life.

use invoice_api::registry::{Asker, OversightAnswer, TimelineCursor};
use invoice_core::identity::DocumentKey;

use crate::node::documents;
use crate::node::registry::NodeError;
use crate::node::start::Shared;
use crate::store::Snapshot;

/// What an authority sees of a document, as everywhere; the question is in the access log.
pub(super) fn view(
    shared: &Shared,
    snapshot: &Snapshot,
    asker: &Asker,
    key: &DocumentKey,
    from: TimelineCursor,
) -> Result<OversightAnswer, NodeError> {
    let view = documents::logged_view(shared, snapshot, asker, key, from)?;
    Ok(view.map_or(OversightAnswer::NotFound, |view| {
        OversightAnswer::Life(Box::new(view))
    }))
}
