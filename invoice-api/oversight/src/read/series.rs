//! Measures over time, and the records behind them.

use std::collections::BTreeMap;

use invoice_core::calendar::Instant;

use super::{Figures, Indexes, Read, joined};
use crate::codec::{part, u32_at};
use crate::fold::FoldError;
use crate::keys::{self, Level, Measure};
use crate::list::{self, Name};
use crate::region::{kind_name, region_name};
use crate::row::Tally;
use crate::rows::Rows;
use crate::views::{Bucket, SeriesView, Share, Sum};

/// Cells that one answer adds up: 92 days of every region with some fifteen kinds.
pub(super) const CELLS_MAX: usize = 50_000;
/// Buckets that one answer has.
pub(super) const BUCKETS_MAX: u32 = 400;
/// Cells that one page of records looks through.
const CELLS_PER_PAGE: usize = 5_000;

/// A cell's place: hour or day, region, kind.
fn place(key: &[u8]) -> Result<(u32, u8, u8), invoice_core::codec::DecodeError> {
    let last = part(key, 7, 2)?;
    let byte = |at: usize| last.get(at).copied().unwrap_or(0);
    Ok((u32_at(key, 3)?, byte(0), byte(1)))
}

/// The first key of a bucket's cells.
fn first_of(measure: Measure, level: Level, bucket: u32) -> Vec<u8> {
    keys::cell(measure, level, bucket, 0, 0)
}

impl<R: Rows> Figures<'_, R> {
    /// A measure from the first hour or day to the last, at most the newest 400 of them; what is
    /// left out is marked.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn series(
        &self,
        measure: Measure,
        level: Level,
        (first, last): (u32, u32),
        region: Option<u8>,
        kind: Option<u8>,
    ) -> Read<R, SeriesView> {
        let asked = first;
        let mut first = asked.max(last.saturating_sub(BUCKETS_MAX.saturating_sub(1)));
        let from = first_of(measure, level, first);
        let to = match last.checked_add(1) {
            Some(end) => first_of(measure, level, end),
            None => keys::after(&[keys::CELL, measure as u8, level as u8]),
        };
        let rows = self.rows.scan(&from, &to, true, self.cells_max);
        let mut rows = rows.map_err(FoldError::Rows)?;
        if rows.len() >= self.cells_max {
            // The oldest bucket may be there in part only.
            let last_row = rows.last().map(|(key, _)| place(key)).transpose()?;
            let oldest = last_row.map_or(first, |(bucket, ..)| bucket);
            first = oldest.saturating_add(1).min(last);
            while let Some((key, _)) = rows.last() {
                if place(key)?.0 >= first {
                    break;
                }
                rows.pop();
            }
        }
        let mut buckets = BTreeMap::<u32, Sum>::new();
        let mut regions = BTreeMap::<u8, Sum>::new();
        let mut kinds = BTreeMap::<u8, Sum>::new();
        for (key, value) in rows {
            let (bucket, of_region, of_kind) = place(&key)?;
            let tally = Tally::decode(&value)?;
            let wanted = |asked: Option<u8>, is: u8| asked.is_none_or(|asked| asked == is);
            // A share is shown beside the others even where only it is counted.
            if wanted(kind, of_kind) {
                joined(regions.entry(of_region).or_default(), tally);
            }
            if wanted(region, of_region) {
                joined(kinds.entry(of_kind).or_default(), tally);
                if wanted(kind, of_kind) {
                    joined(buckets.entry(bucket).or_default(), tally);
                }
            }
        }
        let bucket = |number: u32| Bucket {
            start: Instant::from_ms(level.start_ms(number)),
            sum: buckets.get(&number).copied().unwrap_or_default(),
        };
        Ok(SeriesView {
            as_of: self.basis(),
            measure: measure.as_str().to_owned(),
            level: level.as_str().to_owned(),
            buckets: (first..=last).map(bucket).collect(),
            regions: shares(regions, |number| {
                let (zh, en) = region_name(number);
                (zh.to_owned(), en.to_owned())
            }),
            kinds: shares(kinds, kind_name),
            cut: first > asked,
        })
    }

    /// The records of some hours, hour by hour from the last.
    pub(super) fn cells(
        &self,
        measure: Measure,
        (first, last): (u32, u32),
        region: Option<u8>,
        kind: Option<u8>,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Read<R, Option<Indexes>> {
        let from = first_of(measure, Level::Hour, first);
        let mut to = match last.checked_add(1) {
            Some(end) => first_of(measure, Level::Hour, end),
            None => keys::after(&[keys::CELL, measure as u8, Level::Hour as u8]),
        };
        // A cursor is a cell's key and a place in its list.
        let mut before = None;
        if let Some(cursor) = cursor {
            let Some((cell, place)) = cursor.split_last_chunk::<8>() else {
                return Ok(None);
            };
            if cell.len() != from.len() || cell < from.as_slice() || cell >= to.as_slice() {
                return Ok(None);
            }
            before = Some(u64::from_be_bytes(*place));
            to = cell.to_vec();
            to.push(0);
        }
        let rows = self.rows.scan(&from, &to, true, CELLS_PER_PAGE);
        let rows = rows.map_err(FoldError::Rows)?;
        let more = rows.len() >= CELLS_PER_PAGE;
        let mut found = Indexes::default();
        let mut last_cell = None;
        for (key, _) in rows {
            let (hour, of_region, of_kind) = place(&key)?;
            let at = before.take();
            let wanted = |asked: Option<u8>, is: u8| asked.is_none_or(|asked| asked == is);
            if wanted(region, of_region) && wanted(kind, of_kind) {
                let room = limit.saturating_sub(found.indexes.len());
                let name = Name::cell(measure, hour, of_region, of_kind);
                let (indexes, next) = list::page(self.rows, &name, at, room)?;
                found.indexes.extend(indexes);
                if let Some(next) = next {
                    found.next = Some([key.as_slice(), &next.to_be_bytes()].concat());
                    return Ok(Some(found));
                }
            }
            last_cell = Some(key);
            if found.indexes.len() >= limit {
                break;
            }
        }
        // The page is full, or enough cells were looked through: the next one goes on below the
        // last cell, whose own list is at its end.
        if (more || found.indexes.len() >= limit)
            && let Some(cell) = last_cell
        {
            found.next = Some([cell.as_slice(), &0_u64.to_be_bytes()].concat());
        }
        Ok(Some(found))
    }
}

fn shares(sums: BTreeMap<u8, Sum>, name: impl Fn(u8) -> (String, String)) -> Vec<Share> {
    let mut shares: Vec<Share> = sums
        .into_iter()
        .map(|(number, sum)| {
            let (zh, en) = name(number);
            Share {
                number,
                zh,
                en,
                sum,
            }
        })
        .collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.sum.count));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Head;
    use crate::{FOLD_VERSION, Memory};
    use invoice_core::crypto::Hash;
    use invoice_core::money::Fen;

    /// Five hours from hour 100 on, each with a document in two regions.
    fn rows() -> Memory {
        let mut rows = Memory::default();
        for hour in 100..105 {
            for region in [31, 33] {
                let mut tally = Tally::default();
                tally.add(Fen::new(1));
                let key = keys::cell(Measure::Issued, Level::Hour, hour, region, 82);
                rows.0.insert(key, tally.encode());
            }
        }
        rows
    }

    #[test]
    fn what_is_left_out_of_a_series_is_marked_and_never_shown_as_nothing() {
        let rows = rows();
        let head = Head::genesis(FOLD_VERSION, Hash::new([1; 32]));
        for (cells_max, asked, first, count, cut) in [
            (50, (100, 104), 100, 10, false),
            (10, (100, 104), 101, 8, true),
            // Of hour 101 one region is read, the other not: it is not shown.
            (7, (100, 104), 102, 6, true),
            (50, (0, 104), 0, 10, false),
            (50, (0, 450), 51, 10, true),
        ] {
            let figures = Figures {
                rows: &rows,
                head,
                chain_height: 0,
                cells_max,
            };
            let view = figures
                .series(Measure::Issued, Level::Hour, asked, None, None)
                .unwrap();
            let start = Level::Hour.bucket(view.buckets[0].start.ms());
            let counted: u64 = view.buckets.iter().map(|bucket| bucket.sum.count).sum();
            assert_eq!(
                (start, counted, view.cut),
                (first, count, cut),
                "{cells_max} {asked:?}"
            );
            let regions: u64 = view.regions.iter().map(|share| share.sum.count).sum();
            assert_eq!(regions, count);
        }
    }
}
