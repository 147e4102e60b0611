//! Issuers: what they issue and reverse, and what about it stands out.

use invoice_core::codec::DecodeError;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;
use invoice_core::record::{Document, Visit};

use super::{Context, FoldError, Folded, SeenRecord, issuer, origin, quotas};
use crate::keys::{self, Level, MERCHANT, MERCHANT_RANK, Measure, SERIES, Total};
use crate::list::{self, Name};
use crate::region::{INPATIENT, OUTPATIENT, family, region_of};
use crate::row::{Merchant, Series};
use crate::rows::Rows;
use crate::signals;

/// Totals of which these many fen are a divisor are round: 100 yuan.
const ROUND_FEN: i64 = 10_000;

/// A document was issued, or was issued elsewhere and registered. What was issued elsewhere took no
/// quota of this registry, and when it was registered says nothing about when it was issued.
pub(super) fn issued<R: Rows>(
    context: &mut Context<'_, '_, R>,
    index: u64,
    document: &Document<'_>,
    registered: bool,
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
    let region = region_of(&key, &member);
    origin::keep(context, &key, &member, registered);
    context.count(Measure::Issued, index, (region, kind), total)?;
    list::push(context.rows, &Name::issued(member.as_bytes()), index)?;
    let (span, missing) = series(context, &member, &key, registered)?;
    let billed = match document {
        Document::Invoice(invoice) if !registered => {
            let month = invoice.issue_date.month();
            let quota = quotas::bill(context, &member, month, invoice.total_without_tax)?;
            Some((month, quota))
        }
        Document::Invoice(_) | Document::Bill(_) => None,
    };
    let hour = Level::Hour.bucket(context.time_ms);
    merchant(context, &member, |merchant| {
        merchant.issued.add(total);
        merchant.last = index;
        if total.get() % ROUND_FEN == 0 {
            merchant.round = merchant.round.saturating_add(1);
        }
        if !registered {
            note_hour(merchant, hour);
        }
        merchant.span = merchant.span.wrapping_add(span);
        merchant.missing = merchant.missing.wrapping_add(missing);
        if let Some((month, quota)) = billed {
            quotas::note(merchant, month, quota);
        }
    })
}

/// One document more in an hour: it may be the issuer's fullest.
fn note_hour(merchant: &mut Merchant, hour: u32) {
    if merchant.hours == 0 || merchant.hour != hour {
        merchant.hour = hour;
        merchant.hour_count = 0;
        merchant.hours = merchant.hours.saturating_add(1);
    }
    let earlier = merchant.timed.saturating_sub(merchant.hour_count);
    let hours = merchant.hours.saturating_sub(1);
    merchant.timed = merchant.timed.saturating_add(1);
    merchant.hour_count = merchant.hour_count.saturating_add(1);
    if signals::is_burst(merchant.hour_count, earlier, hours)
        && merchant.hour_count > merchant.burst_count
    {
        merchant.burst_hour = hour;
        merchant.burst_count = merchant.hour_count;
        merchant.burst_before = earlier;
        merchant.burst_hours = hours;
    }
}

/// Notes a number in its series. Gives by how much the span, and the missing numbers, of all
/// series that are the issuer's own became more (less, by wrapping around). A registered document
/// fills a gap between numbers that were issued here, and makes none.
fn series<R: Rows>(
    context: &mut Context<'_, '_, R>,
    member: &MemberId,
    key: &DocumentKey,
    registered: bool,
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
        if !registered || series.is_within(number) {
            series.add(number);
        }
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
    // An authority signs the reversal of what it registered.
    let issuer = origin::issuer(context, document)?.unwrap_or(seen.record.by);
    let place = (region_of(document, &issuer), family(document));
    context.count(Measure::Reversed, seen.index, place, amount)?;
    list::push(context.rows, &Name::reversed(issuer.as_bytes()), seen.index)?;
    merchant(context, &issuer, |merchant| {
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

/// Changes an issuer's figures, and its rank with them.
pub(super) fn merchant<R: Rows>(
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
