//! Who issued a document, where what happens to it later does not tell.
//!
//! Reversals are signed by the issuer, and numbers tell a region; so a row is kept only for
//! documents that an authority registered, which it reverses too, and for numbers without a region.

use invoice_core::identity::{DocumentKey, MemberId};

use super::{Context, Folded};
use crate::keys::{self, ISSUER};
use crate::region::{UNKNOWN, region_of_member, region_of_number};
use crate::rows::Rows;

pub(super) fn keep<R: Rows>(
    context: &mut Context<'_, '_, R>,
    document: &DocumentKey,
    issuer: &MemberId,
    registered: bool,
) {
    if registered || region_of_number(document).is_none() {
        let key = keys::by_document(ISSUER, document);
        context.rows.put(key, issuer.as_bytes().to_vec());
    }
}

/// The issuer of a document, where it was kept.
pub(super) fn issuer<R: Rows>(
    context: &Context<'_, '_, R>,
    document: &DocumentKey,
) -> Folded<R, Option<MemberId>> {
    let row = context.value(&keys::by_document(ISSUER, document))?;
    Ok(row.as_deref().map(crate::codec::member).transpose()?)
}

/// The region of a document that was issued before.
pub(super) fn region<R: Rows>(
    context: &Context<'_, '_, R>,
    document: &DocumentKey,
) -> Folded<R, u8> {
    if let Some(region) = region_of_number(document) {
        return Ok(region);
    }
    let issuer = issuer(context, document)?;
    Ok(issuer.map_or(UNKNOWN, |issuer| region_of_member(&issuer)))
}
