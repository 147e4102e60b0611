//! Walking rows in order, a page at a time from memory and a block at a time from runs.

use std::cmp::Ordering;
use std::ops::{Bound, Range};
use std::sync::Arc;

use super::block;
use super::error::RunError;
use super::generation::{Cell, Generation};
use super::run::{Plain, Run};
use super::version::View;
use super::{KEYSPACES_MAX, Order};

/// Rows that are copied from a generation at a time, at first.
const FIRST_PAGE_ROWS: usize = 16;

/// Rows that are copied from a generation at a time, later.
const PAGE_ROWS: usize = 256;

type Row = (Vec<u8>, Cell);

/// A key with its keyspace, and its value.
type Pair = (Vec<u8>, Vec<u8>);

fn owned(bound: Bound<&[u8]>) -> Bound<Vec<u8>> {
    bound.map(<[u8]>::to_vec)
}

fn borrowed(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// Whether a key is not before a lower bound.
fn is_after(bound: &Bound<Vec<u8>>, key: &[u8]) -> bool {
    match bound {
        Bound::Unbounded => true,
        Bound::Included(bound) => key >= bound.as_slice(),
        Bound::Excluded(bound) => key > bound.as_slice(),
    }
}

/// Whether a key is not behind an upper bound.
fn is_before(bound: &Bound<Vec<u8>>, key: &[u8]) -> bool {
    match bound {
        Bound::Unbounded => true,
        Bound::Included(bound) => key <= bound.as_slice(),
        Bound::Excluded(bound) => key < bound.as_slice(),
    }
}

/// The keyspace of a bound and the bound within it; keyspace `open` when there is none.
fn within(bound: &Bound<Vec<u8>>, open: u8) -> (u8, Bound<Vec<u8>>) {
    let (Bound::Included(key) | Bound::Excluded(key)) = bound else {
        return (open, Bound::Unbounded);
    };
    let keyspace = key.first().copied().unwrap_or(0);
    let rest = |key: &Vec<u8>| key.get(1..).unwrap_or_default().to_vec();
    (keyspace, bound.as_ref().map(rest))
}

/// Goes through a generation.
#[derive(Debug)]
struct GenerationCursor {
    generation: Arc<Generation>,
    height: u64,
    /// The keyspaces still to be gone through, both included; `None` at the end.
    keyspaces: Option<(u8, u8)>,
    from: (u8, Bound<Vec<u8>>),
    to: (u8, Bound<Vec<u8>>),
    page: std::vec::IntoIter<Row>,
    page_rows: usize,
}

impl GenerationCursor {
    fn new(
        generation: &Arc<Generation>,
        height: u64,
        from: &Bound<Vec<u8>>,
        to: &Bound<Vec<u8>>,
    ) -> Self {
        let last = KEYSPACES_MAX - 1;
        // No key is empty, so that none is at or before an empty one.
        let nothing = matches!(to, Bound::Included(key) | Bound::Excluded(key) if key.is_empty());
        let from = within(from, 0);
        let to = within(to, last);
        Self {
            generation: Arc::clone(generation),
            height,
            keyspaces: (!nothing && from.0 <= to.0.min(last)).then_some((from.0, to.0.min(last))),
            from,
            to,
            page: Vec::new().into_iter(),
            page_rows: FIRST_PAGE_ROWS,
        }
    }

    fn next(&mut self, order: Order) -> Option<Row> {
        loop {
            if let Some(row) = self.page.next() {
                return Some(row);
            }
            let (first, last) = self.keyspaces?;
            let keyspace = match order {
                Order::Ascending => first,
                Order::Descending => last,
            };
            let bound = |bound: &(u8, Bound<Vec<u8>>)| -> Bound<Vec<u8>> {
                if bound.0 == keyspace {
                    bound.1.clone()
                } else {
                    Bound::Unbounded
                }
            };
            let (from, to) = (bound(&self.from), bound(&self.to));
            let range = (borrowed(&from), borrowed(&to));
            let page = self
                .generation
                .page(keyspace, range, order, self.height, self.page_rows);
            match page.last() {
                Some((key, _)) if page.len() == self.page_rows => {
                    let reached = Bound::Excluded(key.get(1..).unwrap_or_default().to_vec());
                    match order {
                        Order::Ascending => self.from = (keyspace, reached),
                        Order::Descending => self.to = (keyspace, reached),
                    }
                }
                Some(_) | None => {
                    self.keyspaces = match order {
                        Order::Ascending if first < last => Some((first + 1, last)),
                        Order::Descending if first < last => Some((first, last - 1)),
                        Order::Ascending | Order::Descending => None,
                    };
                }
            }
            self.page_rows = PAGE_ROWS;
            self.page = page.into_iter();
        }
    }
}

/// Goes through a run.
#[derive(Debug)]
struct RunCursor {
    run: Arc<Run>,
    /// The next block; `None` at the end.
    block: Option<usize>,
    plain: Plain,
    /// Rows of the block, those to come first at the end.
    rows: Vec<(Vec<u8>, Option<Range<usize>>)>,
}

impl RunCursor {
    fn new(run: &Arc<Run>, from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>, order: Order) -> Self {
        let index = run.index();
        let last = index.blocks().checked_sub(1);
        let block = match (order, from, to) {
            (Order::Ascending, Bound::Included(from) | Bound::Excluded(from), _) => {
                last.map(|_| index.find(from).unwrap_or(0))
            }
            (Order::Ascending, Bound::Unbounded, _) => last.map(|_| 0),
            (Order::Descending, _, Bound::Included(to) | Bound::Excluded(to)) => index.find(to),
            (Order::Descending, _, Bound::Unbounded) => last,
        };
        Self {
            run: Arc::clone(run),
            block,
            plain: Arc::from([]),
            rows: Vec::new(),
        }
    }

    /// The block after `number` in the order, if it can hold rows of the range.
    fn after(
        &self,
        number: usize,
        from: &Bound<Vec<u8>>,
        to: &Bound<Vec<u8>>,
        order: Order,
    ) -> Option<usize> {
        let index = self.run.index();
        match order {
            Order::Ascending => {
                let next = number + 1;
                is_before(to, index.separator(next)?).then_some(next)
            }
            // All keys of the block before are before this separator.
            Order::Descending => match (from, index.separator(number)) {
                (Bound::Included(from) | Bound::Excluded(from), Some(separator))
                    if separator <= from.as_slice() =>
                {
                    None
                }
                (Bound::Included(_) | Bound::Excluded(_) | Bound::Unbounded, _) => {
                    number.checked_sub(1)
                }
            },
        }
    }

    fn next(
        &mut self,
        from: &Bound<Vec<u8>>,
        to: &Bound<Vec<u8>>,
        order: Order,
    ) -> Result<Option<Row>, RunError> {
        loop {
            if let Some((key, value)) = self.rows.pop() {
                let cell = match value {
                    Some(value) => Cell::Value(self.plain.get(value).unwrap_or_default().to_vec()),
                    None => Cell::Removed,
                };
                return Ok(Some((key, cell)));
            }
            let Some(number) = self.block else {
                return Ok(None);
            };
            self.plain = self.run.block(number)?;
            let mut key = Vec::new();
            let mut at = 0;
            while at < self.plain.len() {
                let row = block::row_at(&self.plain, at)
                    .and_then(|row| block::next_key(&mut key, &self.plain, &row).map(|()| row))
                    .map_err(|fault| self.run.damage(number, fault))?;
                at = row.next;
                if !is_before(to, &key) {
                    break;
                }
                if is_after(from, &key) {
                    self.rows.push((key.clone(), row.value));
                }
            }
            if order == Order::Ascending {
                self.rows.reverse();
            }
            self.block = self.after(number, from, to, order);
        }
    }
}

#[derive(Debug)]
enum Cursor {
    Generation(GenerationCursor),
    Run(RunCursor),
}

/// Rows in order; after an error there are no more.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Newest first, each with its next row.
    cursors: Vec<(Cursor, Option<Row>)>,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    order: Order,
    /// Only keys of so many bytes.
    key_bytes: Option<usize>,
    started: bool,
}

impl Scan {
    /// Rows of `view` between two keys, those of keys with `key_bytes` bytes if it says so, and
    /// of `runs` only.
    pub(crate) fn new(
        view: &View,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        order: Order,
        key_bytes: Option<usize>,
        runs: impl Fn(&Run) -> bool,
    ) -> Self {
        let (from, to) = (owned(from), owned(to));
        let version = view.version();
        let generations = version.generations().iter().map(|generation| {
            Cursor::Generation(GenerationCursor::new(generation, view.height(), &from, &to))
        });
        let runs = version.runs().iter().filter(|run| runs(run));
        let runs = runs.map(|run| Cursor::Run(RunCursor::new(run, &from, &to, order)));
        Self {
            cursors: generations
                .chain(runs)
                .map(|cursor| (cursor, None))
                .collect(),
            from,
            to,
            order,
            key_bytes,
            started: false,
        }
    }

    fn step(&mut self, n: usize) -> Result<(), RunError> {
        if let Some((cursor, row)) = self.cursors.get_mut(n) {
            *row = match cursor {
                Cursor::Generation(cursor) => cursor.next(self.order),
                Cursor::Run(cursor) => cursor.next(&self.from, &self.to, self.order)?,
            };
        }
        Ok(())
    }

    fn next_row(&mut self) -> Result<Option<Pair>, RunError> {
        if !self.started {
            self.started = true;
            for n in 0..self.cursors.len() {
                self.step(n)?;
            }
        }
        loop {
            let wanted = match self.order {
                Order::Ascending => Ordering::Less,
                Order::Descending => Ordering::Greater,
            };
            let mut first: Option<(usize, &[u8])> = None;
            for (n, (_, row)) in self.cursors.iter().enumerate() {
                if let Some((key, _)) = row
                    && first.is_none_or(|(_, first)| key.as_slice().cmp(first) == wanted)
                {
                    first = Some((n, key));
                }
            }
            let Some((first, _)) = first else {
                return Ok(None);
            };
            let row = self.cursors.get_mut(first).and_then(|(_, row)| row.take());
            let Some((key, cell)) = row else {
                return Ok(None);
            };
            self.step(first)?;
            for n in first + 1..self.cursors.len() {
                let row = self.cursors.get(n).and_then(|(_, row)| row.as_ref());
                if row.is_some_and(|(other, _)| *other == key) {
                    self.step(n)?;
                }
            }
            if let Cell::Value(value) = cell
                && self.key_bytes.is_none_or(|count| key.len() == count)
            {
                return Ok(Some((key, value)));
            }
        }
    }
}

impl Iterator for Scan {
    type Item = Result<Pair, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_row();
        if next.is_err() {
            self.cursors.clear();
        }
        next.transpose()
    }
}
