//! Counts by hour and day, region and kind, and the lists behind them.

use invoice_core::money::Fen;

use super::{Context, Folded, SeenRecord};
use crate::keys::{self, CODE, Level, Measure, Total};
use crate::list::{self, Name};
use crate::region::region_of_member;
use crate::rows::Rows;

pub(super) fn count<R: Rows>(
    context: &mut Context<'_, '_, R>,
    measure: Measure,
    index: u64,
    (region, kind): (u8, u8),
    amount: Fen,
) -> Folded<R> {
    for level in [Level::Hour, Level::Day] {
        let bucket = level.bucket(context.time_ms);
        let cell = keys::cell(measure, level, bucket, region, kind);
        context.tally(cell, |tally| tally.add(amount))?;
    }
    context.total(Total::from(measure), |tally| tally.add(amount))?;
    let hour = Level::Hour.bucket(context.time_ms);
    let name = Name::cell(measure, hour, region, kind);
    list::push(context.rows, &name, index)
}

/// A refused record: in its hour, and under its code.
pub(super) fn refused<R: Rows>(
    context: &mut Context<'_, '_, R>,
    seen: &SeenRecord,
    code: &str,
) -> Folded<R> {
    let by = &seen.record.by;
    let region = region_of_member(by);
    context.count(Measure::Refused, seen.index, (region, 0), Fen::ZERO)?;
    let code_key = keys::key(CODE, &[code.as_bytes()]);
    context.tally(code_key, |tally| tally.add(Fen::ZERO))?;
    list::push(context.rows, &Name::code(code), seen.index)?;
    list::push(context.rows, &Name::refused(by.as_bytes()), seen.index)
}
