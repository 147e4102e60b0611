//! Quotas by month, and the fullest month of each issuer.

use invoice_core::calendar::Month;
use invoice_core::codec::DecodeError;
use invoice_core::identity::MemberId;
use invoice_core::money::Fen;

use super::{Context, FoldError, Folded};
use crate::codec::{part, plus};
use crate::keys::{self, QUOTA};
use crate::row::{Merchant, Quota};
use crate::rows::Rows;

/// Months that are read at a time.
const MONTHS_AT_ONCE: usize = 256;

/// A quota was set. The fullest month is chosen anew, since it may have become less full.
pub(super) fn set<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    member: &MemberId,
    month: Month,
    limit: Fen,
) -> Folded<R> {
    change(context, member, month, |quota| quota.limit = Some(limit))?;
    let mut fullest = Merchant::default();
    let prefix = keys::by_member(QUOTA, member);
    let (mut from, to) = (prefix.clone(), keys::after(&prefix));
    loop {
        let rows = context.rows.scan(&from, &to, MONTHS_AT_ONCE);
        let rows = rows.map_err(FoldError::Rows)?;
        for (key, value) in &rows {
            note_parts(
                &mut fullest,
                month_in(key, prefix.len())?,
                Quota::decode(value)?,
            );
        }
        match rows.last() {
            Some((key, _)) if rows.len() >= MONTHS_AT_ONCE => {
                from = keys::key(QUOTA, &[key.get(1..).unwrap_or_default(), &[0]])
            }
            Some(_) | None => break,
        }
    }
    super::merchants::merchant(context, member, |merchant| {
        merchant.last = index;
        merchant.quota_limit = fullest.quota_limit;
        merchant.quota_billed = fullest.quota_billed;
        merchant.quota_year = fullest.quota_year;
        merchant.quota_month = fullest.quota_month;
    })
}

fn month_in(key: &[u8], at: usize) -> Result<(u16, u8), DecodeError> {
    match part(key, at, 3)? {
        [high, low, month] => Ok((u16::from_be_bytes([*high, *low]), *month)),
        _ => Err(DecodeError::Truncated { what: "month" }),
    }
}

/// An invoice was issued in a month.
pub(super) fn bill<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    month: Month,
    amount: Fen,
) -> Folded<R, Quota> {
    change(context, member, month, |quota| {
        quota.billed = plus(quota.billed, amount);
    })
}

fn change<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    month: Month,
    change: impl FnOnce(&mut Quota),
) -> Folded<R, Quota> {
    let (year, number) = month_parts(month);
    let key = keys::key(QUOTA, &[member.as_bytes(), &year.to_be_bytes(), &[number]]);
    let changed = context.rows.update(key, |value| {
        let mut quota = Quota::decode(value)?;
        change(&mut quota);
        *value = quota.encode();
        Ok::<_, DecodeError>(quota)
    });
    Ok(changed.map_err(FoldError::Rows)??)
}

fn month_parts(month: Month) -> (u16, u8) {
    let year = u16::try_from(month.year()).unwrap_or(0);
    (year, u8::try_from(month.month()).unwrap_or(0))
}

/// Keeps the fullest month: the one with the largest share of its quota billed.
///
/// A month whose quota is nothing is fuller than no other, whatever was billed before its quota was
/// taken away: it has no share, and what is refused in it is counted by itself.
pub(super) fn note(merchant: &mut Merchant, month: Month, quota: Quota) {
    note_parts(merchant, month_parts(month), quota);
}

fn note_parts(merchant: &mut Merchant, (year, number): (u16, u8), quota: Quota) {
    let Some(limit) = quota.limit else { return };
    let same = (merchant.quota_year, merchant.quota_month) == (year, number);
    let product = |one: Fen, other: Fen| i128::from(one.get()).saturating_mul(other.get().into());
    let fuller = match (limit > Fen::ZERO, merchant.quota_limit > Fen::ZERO) {
        (false, _) => false,
        (true, false) => true,
        (true, true) => {
            product(quota.billed, merchant.quota_limit) > product(merchant.quota_billed, limit)
        }
    };
    if same || fuller || merchant.quota_year == 0 {
        merchant.quota_limit = limit;
        merchant.quota_billed = quota.billed;
        merchant.quota_year = year;
        merchant.quota_month = number;
    }
}
