//! Issuers: what they issue and reverse, and what about it stands out.

use invoice_core::calendar::Month;
use invoice_core::codec::DecodeError;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Document, Visit};

use super::{Context, FoldError, Folded, SeenRecord, issuer};
use crate::codec::plus;
use crate::keys::{self, Level, MERCHANT, MERCHANT_RANK, Measure, QUOTA, SERIES, Total};
use crate::list::{self, Name};
use crate::region::{INPATIENT, OUTPATIENT, family, region_of};
use crate::row::{Merchant, Quota, Series};
use crate::rows::Rows;
use crate::signals;

/// Totals of which these many fen are a divisor are round: 100 yuan.
const ROUND_FEN: i64 = 10_000;

pub(super) fn issued<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    document: &Document<'_>,
) -> Folded<R> {
    let member = *issuer(document);
    let (key, total, kind) = match document {
        Document::Invoice(invoice) => {
            let code = invoice.kind.code().parse();
            let kind = code.unwrap_or_else(|_| family(&invoice.key));
            (invoice.key, invoice.total, kind)
        }
        Document::Bill(bill) => {
            let kind = match bill.visit {
                Visit::Outpatient => OUTPATIENT,
                Visit::Inpatient => INPATIENT,
            };
            (bill.key, bill.total, kind)
        }
    };
    let region = region_of(Some(&key), &member);
    context.count(Measure::Issued, index, (region, kind), total)?;
    list::push(context.rows, &Name::issued(member.as_bytes()), index)?;
    let (span, missing) = series(context, &member, &key)?;
    let billed = match document {
        Document::Invoice(invoice) => {
            let month = invoice.issue_date.month();
            Some((
                month,
                bill(context, &member, month, invoice.total_without_tax)?,
            ))
        }
        Document::Bill(_) => None,
    };
    let hour = Level::Hour.bucket(context.time_ms);
    merchant(context, &member, |merchant| {
        let before = merchant.issued.count;
        merchant.issued.add(total);
        merchant.last = index;
        if total.get() % ROUND_FEN == 0 {
            merchant.round = merchant.round.saturating_add(1);
        }
        if merchant.hours == 0 || merchant.hour != hour {
            merchant.hour = hour;
            merchant.hour_count = 0;
            merchant.hours = merchant.hours.saturating_add(1);
        }
        let earlier = before.saturating_sub(merchant.hour_count);
        let hours = merchant.hours.saturating_sub(1);
        merchant.hour_count = merchant.hour_count.saturating_add(1);
        if signals::is_burst(merchant.hour_count, earlier, hours)
            && merchant.hour_count > merchant.burst_count
        {
            merchant.burst_hour = hour;
            merchant.burst_count = merchant.hour_count;
            merchant.burst_before = earlier;
            merchant.burst_hours = hours;
        }
        merchant.span = merchant.span.wrapping_add(span);
        merchant.missing = merchant.missing.wrapping_add(missing);
        if let Some((month, quota)) = billed {
            note_quota(merchant, month, quota);
        }
    })
}

/// Notes a number in its series. Gives by how much the span, and the missing numbers, of all
/// series that are the issuer's own became more (less, by wrapping around).
fn series<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    key: &DocumentKey,
) -> Folded<R, (u64, u64)> {
    let text = key.number();
    // Year, region and channel; the rest of the twenty digits counts up.
    let (prefix, number) = match key {
        DocumentKey::Digital(_) => text.split_at_checked(5).unwrap_or((text, "")),
        DocumentKey::Paper { .. } | DocumentKey::Fiscal { .. } => {
            (key.code().unwrap_or_default(), text)
        }
    };
    let number: u64 = number.parse().unwrap_or(0);
    let key = keys::key(SERIES, &[member.as_bytes(), prefix.as_bytes()]);
    let changed = context.rows.update(key, |value| {
        let mut series = Series::decode(value)?;
        let before = own(&series);
        series.add(number);
        let now = own(&series);
        *value = series.encode();
        let more = |now: u64, before: u64| now.wrapping_sub(before);
        Ok::<_, DecodeError>((more(now.0, before.0), more(now.1, before.1)))
    });
    Ok(changed.map_err(FoldError::Rows)??)
}

/// Span and missing numbers of a series that is the issuer's own: numbers that many issuers draw
/// from say nothing about one of them.
fn own(series: &Series) -> (u64, u64) {
    let missing = series.missing();
    match series.count >= signals::DOCUMENTS_MIN && missing <= series.count {
        true => (series.span(), missing),
        false => (0, 0),
    }
}

pub(super) fn reversed<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    document: &DocumentKey,
    amount: Fen,
) -> Folded<R> {
    let by = seen.record.by;
    let place = (region_of(Some(document), &by), family(document));
    context.count(Measure::Reversed, seen.index, place, amount)?;
    list::push(context.rows, &Name::reversed(by.as_bytes()), seen.index)?;
    merchant(context, &by, |merchant| {
        merchant.reversed.add(amount);
        merchant.last = seen.index;
    })
}

/// A document was not issued: beyond the quota, that is a figure of its issuer.
pub(super) fn refused<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    code: &str,
) -> Folded<R> {
    if code != "quota_exceeded" {
        return Ok(());
    }
    merchant(context, &seen.record.by, |merchant| {
        merchant.quota_refused = merchant.quota_refused.saturating_add(1);
        merchant.last = seen.index;
    })
}

/// A document was reversed that somebody had claimed.
pub(super) fn late<R: Rows>(context: &mut Context<'_, '_, R>, member: &MemberId) -> Folded<R> {
    merchant(context, member, |merchant| {
        merchant.late = merchant.late.saturating_add(1);
    })
}

/// A quota was set.
pub(super) fn quota<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    member: &MemberId,
    month: Month,
    limit: Fen,
) -> Folded<R> {
    let quota = change_quota(context, member, month, |quota| quota.limit = Some(limit))?;
    merchant(context, member, |merchant| {
        merchant.last = index;
        note_quota(merchant, month, quota);
    })
}

fn bill<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    month: Month,
    amount: Fen,
) -> Folded<R, Quota> {
    change_quota(context, member, month, |quota| {
        quota.billed = plus(quota.billed, amount);
    })
}

fn change_quota<R: Rows>(
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
fn note_quota(merchant: &mut Merchant, month: Month, quota: Quota) {
    let Some(limit) = quota.limit else { return };
    let (year, number) = month_parts(month);
    let same = (merchant.quota_year, merchant.quota_month) == (year, number);
    let product = |one: Fen, other: Fen| i128::from(one.get()).saturating_mul(other.get().into());
    let fuller =
        product(quota.billed, merchant.quota_limit) > product(merchant.quota_billed, limit);
    if same || fuller || merchant.quota_year == 0 {
        merchant.quota_limit = limit;
        merchant.quota_billed = quota.billed;
        merchant.quota_year = year;
        merchant.quota_month = number;
    }
}

/// Changes an issuer's figures, and its rank with them.
fn merchant<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    change: impl FnOnce(&mut Merchant),
) -> Folded<R> {
    let key = keys::by_member(MERCHANT, member);
    let changed = context.rows.update(key, |value| {
        let new = value.is_empty();
        let mut merchant = Merchant::decode(value)?;
        let before = rank(&merchant);
        change(&mut merchant);
        let now = rank(&merchant);
        *value = merchant.encode();
        Ok::<_, DecodeError>((new, before, now))
    });
    let (new, before, now) = changed.map_err(FoldError::Rows)??;
    if new {
        context.total(Total::Merchants, |total| total.add(Fen::ZERO))?;
    }
    if new || before != now {
        context.rows.remove(rank_key(before, member));
        context.rows.put(rank_key(now, member), Vec::new());
    }
    match (before.0 > 0 && !new, now.0 > 0) {
        (false, true) => context.total(Total::Signalled, |total| total.add(Fen::ZERO)),
        (true, false) => context.total(Total::Signalled, |total| total.take(Fen::ZERO)),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Signals, then documents in steps of a doubling: it changes seldom.
fn rank(merchant: &Merchant) -> (u8, u8) {
    let signals = signals::of(merchant).len();
    let steps = u64::BITS.saturating_sub(merchant.issued.count.leading_zeros());
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    (byte(signals), byte(steps as usize))
}

fn rank_key((signals, steps): (u8, u8), member: &MemberId) -> Vec<u8> {
    keys::key(MERCHANT_RANK, &[&[!signals, !steps], member.as_bytes()])
}
