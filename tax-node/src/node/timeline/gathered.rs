//! A page of a document's life while it is gathered: two lists, counted apart.

use invoice_api::registry::TimelineCursor;

/// Accepted records in a page.
const ACCEPTED_MAX: usize = 1_000;
/// Refused records in a page.
const REFUSED_MAX: usize = 200;

/// A page of a document's life.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::node) struct Life {
    /// Leaves of accepted records, in order, the one that issued the document among them.
    pub(in crate::node) accepted: Vec<u64>,
    /// Leaves of refused records that the asker may see, in order.
    pub(in crate::node) refused: Vec<u64>,
    /// Where the accepted ones go on.
    pub(in crate::node) next: Option<TimelineCursor>,
    /// Where the refused ones go on.
    pub(in crate::node) refused_next: Option<TimelineCursor>,
}

/// One of the two lists of a page while it is gathered.
#[derive(Debug)]
pub(super) struct List {
    after: Option<u64>,
    max: usize,
    leaves: Vec<u64>,
    /// There was one more than fits.
    more: bool,
}

impl List {
    fn new(after: Option<u64>, max: usize) -> Self {
        Self {
            after,
            max,
            leaves: Vec::new(),
            more: false,
        }
    }

    pub(super) fn push(&mut self, index: u64) {
        if self.after.is_some_and(|after| index <= after) {
            return;
        }
        if self.leaves.len() < self.max {
            self.leaves.push(index);
        } else {
            self.more = true;
        }
    }

    /// After which leaf the list goes on, when rows were read up to `read` and no further; `None`
    /// when they were read to their end and all of them fit.
    fn next(&self, read: Option<u64>) -> Option<u64> {
        if self.more {
            return self.leaves.last().copied();
        }
        // A list that begins behind what was read has not come to its beginning yet.
        read.map(|read| self.after.map_or(read, |after| after.max(read)))
    }
}

/// Both lists of a page while they are gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    from: TimelineCursor,
    pub(super) accepted: List,
    pub(super) refused: List,
}

impl Gathered {
    pub(super) fn new(from: TimelineCursor, issued: u64) -> Self {
        let mut accepted = List::new(from.accepted_after, ACCEPTED_MAX);
        // The index has no row for what issues a document. Nothing accepted stands before it.
        accepted.push(issued);
        Self {
            from,
            accepted,
            refused: List::new(from.refused_after, REFUSED_MAX),
        }
    }

    /// Whether both lists have more than a page holds.
    pub(super) const fn is_full(&self) -> bool {
        self.accepted.more && self.refused.more
    }

    /// The page, when rows were read up to `read`, or to their end when that is absent.
    pub(super) fn page(self, read: Option<u64>) -> Life {
        let (from, next, refused_next) =
            (self.from, self.accepted.next(read), self.refused.next(read));
        Life {
            next: next.map(|after| TimelineCursor {
                accepted_after: Some(after),
                ..from
            }),
            refused_next: refused_next.map(|after| TimelineCursor {
                refused_after: Some(after),
                ..from
            }),
            accepted: self.accepted.leaves,
            refused: self.refused.leaves,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(from: TimelineCursor, accepted: u64, refused: u64) -> Gathered {
        let mut gathered = Gathered::new(from, 7);
        (100..100 + accepted).for_each(|index| gathered.accepted.push(index));
        (5_000..5_000 + refused).for_each(|index| gathered.refused.push(index));
        gathered
    }

    #[test]
    fn what_is_refused_never_pushes_away_what_is_accepted() {
        let start = TimelineCursor::default();
        let life = gathered(start, 3, 900).page(None);
        assert_eq!(life.accepted, [7, 100, 101, 102]);
        assert_eq!((life.refused.len(), life.next), (REFUSED_MAX, None));
        let next = life.refused_next.unwrap();
        assert_eq!(next.refused_after, Some(5_199));
        assert_eq!(next.accepted_after, None);
        let life = gathered(next, 3, 250).page(None);
        assert_eq!(life.refused, (5_200..5_250).collect::<Vec<_>>());
        assert_eq!(life.refused_next, None);
    }

    #[test]
    fn a_cut_list_says_where_it_goes_on() {
        let start = TimelineCursor::default();
        let life = gathered(start, 1_000, 0).page(None);
        assert_eq!(life.accepted.len(), ACCEPTED_MAX);
        assert_eq!(life.next.unwrap().accepted_after, Some(1_098));
        let rest = gathered(life.next.unwrap(), 1_000, 0).page(None);
        assert_eq!((rest.accepted, rest.next), (vec![1_099], None));
        // Not read to the end: both lists may go on.
        let life = gathered(start, 3, 3).page(Some(9_000));
        assert_eq!(life.next.unwrap().accepted_after, Some(9_000));
        assert_eq!(life.refused_next.unwrap().refused_after, Some(9_000));
        let before = TimelineCursor {
            accepted_after: Some(20_000),
            refused_after: None,
        };
        let life = gathered(before, 3, 3).page(Some(9_000));
        assert_eq!(life.next.unwrap().accepted_after, Some(20_000));
    }
}
