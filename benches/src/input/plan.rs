//! Which records follow one another: cheap to draw, so that one thread can lead many.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::documents::Press;

/// One envelope to be: records of one issuer, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Who issues, by its place in the cast.
    pub issuer: usize,
    /// Numbers of the documents, in order.
    pub serials: Vec<u64>,
    /// How many of them were not sent before.
    pub fresh: usize,
}

/// Draws envelopes.
pub struct Plan<'p, 'c> {
    press: &'p Press<'c>,
    dice: StdRng,
    /// Records under one signature.
    batch: usize,
    /// Share of records that were sent before, in percent.
    duplicates: u32,
    first_serial: u64,
    /// Number of each issuer's next document.
    next: Vec<u64>,
}

impl<'p, 'c> Plan<'p, 'c> {
    /// Envelopes of so many records, whose issuers' numbers begin at `first_serial`.
    #[must_use]
    pub fn new(
        press: &'p Press<'c>,
        seed: u64,
        batch: usize,
        duplicates: u32,
        first_serial: u64,
    ) -> Self {
        Self {
            press,
            dice: StdRng::seed_from_u64(seed),
            batch: batch.max(1),
            duplicates: duplicates.min(100),
            first_serial,
            next: vec![first_serial; press.cast().issuers.len()],
        }
    }

    /// The next envelope, of at most `most` records.
    pub fn next_of(&mut self, most: usize) -> Item {
        let issuer = self.press.any_issuer(&mut self.dice);
        let mut serials = Vec::with_capacity(self.batch.min(most));
        let mut fresh = 0;
        let known = self.next[issuer];
        for _ in 0..self.batch.min(most) {
            // A record is repeated in a later envelope than its own.
            let again = known > self.first_serial
                && self.duplicates > 0
                && self.dice.random_ratio(self.duplicates, 100);
            serials.push(if again {
                self.dice.random_range(self.first_serial..known)
            } else {
                fresh += 1;
                self.next[issuer] += 1;
                self.next[issuer] - 1
            });
        }
        Item {
            issuer,
            serials,
            fresh,
        }
    }

    /// A number that no issuer has reached.
    #[must_use]
    pub fn end_serial(&self) -> u64 {
        self.next.iter().copied().max().unwrap_or(self.first_serial)
    }
}

#[cfg(test)]
mod tests {
    use invoice_core::calendar::Instant;

    use super::*;
    use crate::cast::{Cast, CastSize};
    use crate::documents::Profile;

    #[test]
    fn the_share_of_duplicates_is_as_asked() {
        let cast = Cast::new(1, CastSize::of_issuers(20));
        let press = Press::new(
            &cast,
            Profile::Usual,
            2,
            Instant::from_ms(1_795_242_600_000),
        );
        for (batch, duplicates) in [(1, 0), (1, 50), (64, 10), (100, 50)] {
            let mut plan = Plan::new(&press, 3, batch, duplicates, 1_000);
            let (mut fresh, mut left) = (std::collections::BTreeSet::new(), 20_000);
            let mut told = 0;
            while left > 0 {
                let item = plan.next_of(left);
                left -= item.serials.len();
                told += item.fresh;
                for serial in item.serials {
                    assert!((1_000..plan.end_serial()).contains(&serial));
                    fresh.insert((item.issuer, serial));
                }
            }
            assert_eq!(fresh.len(), told);
            let expected = 20_000 - 200 * duplicates as usize;
            assert!(
                told.abs_diff(expected) < 1_200,
                "{batch} {duplicates}: {told}"
            );
        }
    }
}
