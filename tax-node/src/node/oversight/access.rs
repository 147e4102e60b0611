//! Pages of the access log, from its end.

use invoice_api::registry::{AccessEntry, AccessPage, OversightAnswer};
use serde::Deserialize;

use crate::node::registry::NodeError;
use crate::node::start::Shared;

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
pub(super) fn page(shared: &Shared, cursor: Option<&[u8]>) -> Result<OversightAnswer, NodeError> {
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
        entries.push(AccessEntry {
            time: line.time,
            by: line.by,
            kid: line.kid,
            call: line.call,
            document: line.document,
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
