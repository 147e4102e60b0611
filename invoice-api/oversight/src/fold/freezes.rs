//! Documents that an authority holds.

use invoice_core::identity::DocumentKey;
use invoice_core::money::Fen;

use super::{Context, Folded};
use crate::keys::{self, FROZEN, FROZEN_ORDER, Total};
use crate::rows::Rows;

pub(super) fn frozen<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    document: &DocumentKey,
) -> Folded<R> {
    let now = keys::by_document(FROZEN, document);
    context.rows.put(now, index.to_be_bytes().to_vec());
    let order = keys::by_index(FROZEN_ORDER, index);
    context.rows.put(order, document.to_bytes());
    context.total(Total::Frozen, |total| total.add(Fen::ZERO))
}

/// Nothing happens where the freezing was in a block that could not be folded.
pub(super) fn unfrozen<R: Rows>(
    context: &mut Context<'_, '_, R>,
    document: &DocumentKey,
) -> Folded<R> {
    let now = keys::by_document(FROZEN, document);
    let Some(row) = context.value(&now)? else {
        return Ok(());
    };
    let since = crate::codec::u64_at(&row, 0)?;
    context.rows.remove(now);
    context.rows.remove(keys::by_index(FROZEN_ORDER, since));
    context.total(Total::Frozen, |total| total.take(Fen::ZERO))
}
