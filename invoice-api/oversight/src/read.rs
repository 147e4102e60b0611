//! Reading the rows back, a page at a time.

mod incidents;
mod locks;
mod members;
mod series;

pub use incidents::IncidentKind;

use invoice_core::calendar::Instant;
use invoice_core::codec::DecodeError;
use invoice_core::crypto::Hash;
use invoice_core::identity::MemberId;
use invoice_core::money::Fen;

use crate::fold::{self, FoldError};
use crate::keys::{self, CODE, FOLD_VERSION, FROZEN_ORDER, Level, Measure, Total};
use crate::list::{self, Name};
use crate::row::{Head, Tally};
use crate::rows::Rows;
use crate::views::{Basis, CodeCount, Overview, Sum};

/// The most entries that a page has.
pub const PAGE_MAX: usize = 200;
/// Codes of refusals that are read: more than the registry has.
const CODES_MAX: usize = 10_000;
/// Hours of the overview.
const OVERVIEW_HOURS: u32 = 24;
/// Codes and pairs of the overview.
const OVERVIEW_TOP: usize = 10;

/// Why figures cannot be read: the rows cannot, or one of them is damaged.
pub type FiguresError<E> = FoldError<E>;
type Read<R, T> = Result<T, FoldError<<R as Rows>::Error>>;

/// Figures as they stand in some rows.
#[derive(Debug)]
pub struct Figures<'r, R> {
    rows: &'r R,
    head: Head,
    chain_height: u64,
    /// Cells that one answer adds up.
    cells_max: usize,
}

/// A list of records and where a page of it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordList {
    /// Those behind a figure of some hours, by region and kind where they are given.
    Cells {
        /// What was counted.
        measure: Measure,
        /// The first hour.
        from: u32,
        /// The last hour.
        to: u32,
        /// Only of this region.
        region: Option<u8>,
        /// Only of this kind.
        kind: Option<u8>,
    },
    /// Those that were refused with a code.
    Code(String),
    /// The attempts of one member on what another held.
    Pair(MemberId, MemberId),
    /// What a member issued.
    Issued(MemberId),
    /// What a member reversed.
    Reversed(MemberId),
    /// What of a member was refused.
    Refused(MemberId),
    /// The locks that ran out, the last one first.
    Expired,
    /// The freezings of documents that are frozen now.
    Frozen,
}

/// Leaf indexes of a page, the newest first, and the cursor of the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// The leaf indexes.
    pub indexes: Vec<u64>,
    /// Where the next page begins.
    pub next: Option<Vec<u8>>,
}

impl<'r, R: Rows> Figures<'r, R> {
    /// The figures in these rows, of a chain of this height; `None` when there are none yet, or those
    /// that there are were folded by other rules.
    ///
    /// # Errors
    /// The rows cannot be read; so for every method here.
    pub fn of(rows: &'r R, chain_height: u64) -> Read<R, Option<Self>> {
        let head = fold::head_of(rows)?.filter(|head| head.version == FOLD_VERSION);
        Ok(head.map(|head| Self {
            rows,
            head,
            chain_height,
            cells_max: series::CELLS_MAX,
        }))
    }

    /// Figures of no block yet, over rows that are empty.
    #[must_use]
    pub const fn before_the_first(rows: &'r R, chain_height: u64) -> Self {
        Self {
            rows,
            head: Head::genesis(FOLD_VERSION, Hash::new([0; 32])),
            chain_height,
            cells_max: series::CELLS_MAX,
        }
    }

    /// Which blocks the figures are of.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis {
            height: self.head.height,
            time: Instant::from_ms(self.head.time_ms),
            records: self.head.log_size,
            head: self.chain_height.max(self.head.height),
            left_out: self.head.left_out,
        }
    }

    /// Time of the last block in the figures, in milliseconds.
    #[must_use]
    pub const fn time_ms(&self) -> i64 {
        self.head.time_ms
    }

    fn total(&self, total: Total) -> Read<R, Sum> {
        let row = self
            .rows
            .get(&keys::total(total))
            .map_err(FoldError::Rows)?;
        Ok(Tally::decode(row.as_deref().unwrap_or_default())?.into())
    }

    /// Everything at a glance.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn overview(&self) -> Read<R, Overview> {
        let last = Level::Hour.bucket(self.head.time_ms);
        let first = last.saturating_sub(OVERVIEW_HOURS.saturating_sub(1));
        let hours = self.series(Measure::Issued, Level::Hour, (first, last), None, None)?;
        let first = self.pairs(None, OVERVIEW_TOP)?;
        let pairs = first.map(|page| page.pairs).unwrap_or_default();
        let mut codes = self.codes()?;
        codes.truncate(OVERVIEW_TOP);
        Ok(Overview {
            as_of: self.basis(),
            since: Instant::from_ms(self.head.first_ms),
            issued: self.total(Total::Issued)?,
            reversed: self.total(Total::Reversed)?,
            locked: self.total(Total::Locked)?,
            settled: self.total(Total::Settled)?,
            refused: self.total(Total::Refused)?,
            attempted: self.total(Total::Attempted)?,
            live: self.total(Total::Live)?,
            expired: self.total(Total::Expired)?,
            over_claimed: self.total(Total::OverOpen)?,
            late_reversals: self.total(Total::Late)?,
            members_admitted: self.total(Total::Members)?.count,
            merchants: self.total(Total::Merchants)?.count,
            merchants_with_signals: self.total(Total::Signalled)?.count,
            frozen: self.total(Total::Frozen)?.count,
            hours: hours.buckets,
            codes,
            pairs,
        })
    }

    /// Refusals by code, the most frequent first.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn codes(&self) -> Read<R, Vec<CodeCount>> {
        let prefix = [CODE];
        let rows = self
            .rows
            .scan(&prefix, &keys::after(&prefix), false, CODES_MAX);
        let mut codes = Vec::new();
        for (key, value) in rows.map_err(FoldError::Rows)? {
            let code = std::str::from_utf8(key.get(1..).unwrap_or_default())
                .map_err(|_| DecodeError::Invalid { what: "code" })?
                .to_owned();
            let count = Tally::decode(&value)?.count;
            codes.push(CodeCount { code, count });
        }
        codes.sort_by(|one, other| other.count.cmp(&one.count).then(one.code.cmp(&other.code)));
        Ok(codes)
    }

    /// A page of a list of records; `None` when the cursor is not one of this list.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn records(
        &self,
        list: &RecordList,
        cursor: Option<&[u8]>,
        limit: usize,
    ) -> Read<R, Option<Indexes>> {
        let limit = limit.clamp(1, PAGE_MAX);
        let name = match list {
            RecordList::Cells {
                measure,
                from,
                to,
                region,
                kind,
            } => return self.cells(*measure, (*from, *to), *region, *kind, cursor, limit),
            RecordList::Frozen => return self.frozen(cursor, limit),
            RecordList::Expired => Name::expired(),
            RecordList::Code(code) => Name::code(code),
            RecordList::Pair(tried, held) => Name::pair(tried.as_bytes(), held.as_bytes()),
            RecordList::Issued(member) => Name::issued(member.as_bytes()),
            RecordList::Reversed(member) => Name::reversed(member.as_bytes()),
            RecordList::Refused(member) => Name::refused(member.as_bytes()),
        };
        let before = match cursor.map(<[u8; 8]>::try_from) {
            None => None,
            Some(Ok(place)) => Some(u64::from_be_bytes(place)),
            Some(Err(_)) => return Ok(None),
        };
        let (indexes, next) = list::page(self.rows, &name, before, limit)?;
        let next = next.map(|place| place.to_be_bytes().to_vec());
        Ok(Some(Indexes { indexes, next }))
    }

    fn frozen(&self, cursor: Option<&[u8]>, limit: usize) -> Read<R, Option<Indexes>> {
        let to = match cursor.map(<[u8; 8]>::try_from) {
            None => keys::after(&[FROZEN_ORDER]),
            Some(Ok(index)) => keys::key(FROZEN_ORDER, &[&index]),
            Some(Err(_)) => return Ok(None),
        };
        let rows = self.rows.scan(&[FROZEN_ORDER], &to, true, limit);
        let mut found = Indexes::default();
        for (key, _) in rows.map_err(FoldError::Rows)? {
            found.indexes.push(crate::codec::u64_at(&key, 1)?);
        }
        if let Some(last) = found
            .indexes
            .last()
            .filter(|_| found.indexes.len() >= limit)
        {
            found.next = Some(last.to_be_bytes().to_vec());
        }
        Ok(Some(found))
    }
}

impl From<Tally> for Sum {
    fn from(tally: Tally) -> Self {
        Self {
            count: tally.count,
            amount: tally.amount,
        }
    }
}

/// What was counted in several places together.
fn joined(sum: &mut Sum, other: Tally) {
    sum.count = sum.count.saturating_add(other.count);
    sum.amount = Fen::new(sum.amount.get().saturating_add(other.amount.get()));
}
