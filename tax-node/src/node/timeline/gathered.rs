//! One list of a page of a document's life: read from its own place, as far as its own bounds.

/// How far one list of a page goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Rows that are read for it, at least one: else its cursor would stand still.
    pub(super) rows_read_max: usize,
    /// Leaves in it.
    pub(super) leaves_max: usize,
}

/// One list of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Its leaves, in order.
    pub(super) leaves: Vec<u64>,
    /// After which row the list goes on; `None` when its rows were read to their end. It is the
    /// last row that was read and needs no second look, so following it always leads further.
    pub(super) next: Option<u64>,
}

/// Gathers those of the rows that belong to a list behind the leaves that it begins with.
pub(super) fn gather<E>(
    mut leaves: Vec<u64>,
    bounds: Bounds,
    mut next_row: impl FnMut() -> Result<Option<u64>, E>,
    mut belongs: impl FnMut(u64) -> Result<bool, E>,
) -> Result<Part, E> {
    let mut read = None;
    for _ in 0..bounds.rows_read_max {
        let Some(row) = next_row()? else {
            return Ok(Part { leaves, next: None });
        };
        if belongs(row)? {
            if leaves.len() >= bounds.leaves_max {
                // One more than fits: the next page begins with it.
                let next = read.or_else(|| leaves.last().copied());
                return Ok(Part { leaves, next });
            }
            leaves.push(row);
        }
        read = Some(row);
    }
    Ok(Part { leaves, next: read })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const SMALL: Bounds = Bounds {
        rows_read_max: 10,
        leaves_max: 3,
    };

    /// The part of a list of even rows that begins after a row.
    fn even(rows: &[u64], after: Option<u64>, bounds: Bounds) -> Part {
        let mut ahead = rows
            .iter()
            .copied()
            .filter(|row| after.is_none_or(|after| *row > after));
        let part = gather(
            Vec::new(),
            bounds,
            || Ok::<_, Infallible>(ahead.next()),
            |row| Ok(row % 2 == 0),
        );
        part.unwrap_or_default()
    }

    /// All pages, and how many there were; every cursor leads further than the one before.
    fn pages(rows: &[u64], bounds: Bounds) -> (Vec<u64>, usize) {
        let (mut found, mut after, mut count) = (Vec::new(), None, 0);
        loop {
            let part = even(rows, after, bounds);
            assert!(part.leaves.len() <= bounds.leaves_max);
            found.extend(part.leaves);
            count += 1;
            match part.next {
                None => return (found, count),
                next => {
                    assert!(next > after, "{next:?} after {after:?}");
                    after = next;
                }
            }
        }
    }

    #[test]
    fn what_stands_behind_rows_of_others_is_reached() {
        // Forty rows that do not belong, then one that does, then more of the others.
        let others = |from: u64| (from..from + 40).map(|row| row * 2 + 1);
        let rows: Vec<u64> = others(0).chain([100]).chain(others(60)).collect();
        assert_eq!(pages(&rows, SMALL), (vec![100], 9));
    }

    #[test]
    fn pages_of_any_size_hold_each_row_once() {
        let rows: Vec<u64> = (0..40).chain((41..81).step_by(2)).chain([90]).collect();
        let due: Vec<u64> = rows.iter().copied().filter(|row| row % 2 == 0).collect();
        for rows_read_max in 1..50 {
            for leaves_max in 1..25 {
                let bounds = Bounds {
                    rows_read_max,
                    leaves_max,
                };
                assert_eq!(pages(&rows, bounds).0, due, "{bounds:?}");
            }
        }
    }

    #[test]
    fn a_list_that_just_fits_ends() {
        assert_eq!(
            even(&[2, 3, 4, 6], None, SMALL),
            Part {
                leaves: vec![2, 4, 6],
                next: None
            }
        );
        // The odd row is not read again.
        assert_eq!(even(&[2, 4, 6, 7, 8], None, SMALL).next, Some(7));
        assert_eq!(even(&[], None, SMALL), Part::default());
    }
}
