//! Pages of the access log, from its end.

use invoice_api::registry::{AccessEntry, AccessPage, OversightAnswer};
use invoice_core::apply::resolve;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::read::Spelled;
use invoice_core::state::TypedState;
use serde::Deserialize;

use crate::node::access_log::PUBLIC;
use crate::node::registry::NodeError;
use crate::node::start::Shared;
use crate::store::Snapshot;

/// Lines of a page.
const PAGE: usize = 50;

/// A line as the log writes it.
#[derive(Deserialize)]
struct Line {
    time: String,
    by: String,
    kid: String,
    call: String,
    document: String,
    asked: Vec<String>,
    differs: Vec<String>,
    answer: String,
}

/// A page before a place in the file, which is what a cursor holds.
pub(super) fn page(
    shared: &Shared,
    snapshot: &Snapshot,
    cursor: Option<&[u8]>,
) -> Result<OversightAnswer, NodeError> {
    let before = match cursor.map(<[u8; 8]>::try_from) {
        None => None,
        Some(Ok(place)) => Some(u64::from_be_bytes(place)),
        Some(Err(_)) => return Ok(OversightAnswer::CursorInvalid),
    };
    let (entries_total, root) = shared.access_log.root();
    let (lines, next) = shared.access_log.page(before, PAGE)?;
    let mut entries = Vec::new();
    for line in lines {
        // A cursor that somebody made up may point into a line: that is no entry.
        let Ok(line) = serde_json::from_str::<Line>(&line) else {
            continue;
        };
        let by = match line.by.as_str() {
            PUBLIC => None,
            member => match MemberId::spelled(member) {
                Ok(member) => Some(member),
                Err(_) => continue,
            },
        };
        let Ok(document) = DocumentKey::spelled(&line.document) else {
            continue;
        };
        entries.push(AccessEntry {
            time: line.time,
            by,
            kid: line.kid,
            call: line.call,
            document,
            document_exists: resolve(&TypedState(snapshot), &document)?.is_some(),
            asked: line.asked,
            differs: line.differs,
            answer: line.answer,
        });
    }
    Ok(OversightAnswer::Access(AccessPage {
        entries_total,
        root: root.to_string(),
        entries,
        next: next.map(|place| hex::encode(place.to_be_bytes())),
    }))
}
