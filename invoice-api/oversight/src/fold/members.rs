//! What members do.

use invoice_core::codec::DecodeError;

use super::{Context, FoldError, Folded, SeenRecord};
use crate::keys::{self, MEMBER};
use crate::row::Activity;
use crate::rows::Rows;

pub(super) fn activity<R: Rows>(context: &mut Context<'_, '_, R>, seen: &SeenRecord) -> Folded<R> {
    let time_ms = context.time_ms;
    let key = keys::by_member(MEMBER, &seen.record.by);
    let changed = context.rows.update(key, |value| {
        let mut activity = Activity::decode(value)?;
        if value.is_empty() {
            activity.first_ms = time_ms;
        }
        activity.last_ms = time_ms;
        activity.last = seen.index;
        let kind = seen.record.record_type().as_str();
        activity.add(kind, seen.outcome.code().is_none());
        *value = activity.encode();
        Ok::<_, DecodeError>(())
    });
    Ok(changed.map_err(FoldError::Rows)??)
}
