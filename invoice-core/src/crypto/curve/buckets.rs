//! Sums of many points times numbers of 128 bits, by buckets (Pippenger).
//!
//! A number is cut into windows with signed digits. Within a window the points with the same digit
//! are added up, and the sums of the buckets weighted by their digits. All additions are of affine
//! points and share inversions: many pairs are added at once, over all buckets of several windows.

use super::chain::Chain;
use super::point::{Affine, Scratch, add_pairs};

/// Bits of the numbers.
const BITS: usize = 128;

/// Narrowest and widest window that is considered.
const WIDTHS: std::ops::RangeInclusive<usize> = 3..=11;

/// Points that are added up in one go: their windows stay in the cache.
const POINTS_AT_ONCE: usize = 4_096;

/// Cost of an addition of affine points with its share of the inversion, in products.
const ADDITION: usize = 6;

/// Cost of an inversion, in products.
const INVERSION: usize = 270;

/// Cost of adding a point at a place of the chain, in products.
const CHAINED: usize = 11;

/// How the points of one sum are spread.
#[derive(Clone, Copy)]
struct Layout {
    /// Bits of a window.
    width: usize,
    /// Windows: the last has room for the carry.
    windows: usize,
    /// Buckets of a window, for the digits 1 to 2^(width − 1).
    buckets: usize,
}

impl Layout {
    const fn new(width: usize) -> Self {
        Self {
            width,
            windows: BITS / width + 1,
            buckets: 1 << (width - 1),
        }
    }

    /// The cost in products of numbers modulo p.
    fn cost(&self, points: usize) -> usize {
        let per_bucket = points / self.buckets + 1;
        let at_once = (POINTS_AT_ONCE / points.max(1)).max(1);
        let inversions =
            self.windows.div_ceil(at_once) * (per_bucket.ilog2() as usize + 2) + self.width;
        self.windows * (points + 2 * self.buckets) * ADDITION
            + inversions * INVERSION
            + BITS * CHAINED
    }

    /// The cheapest for so many points.
    fn best(points: usize) -> Self {
        WIDTHS
            .map(Self::new)
            .min_by_key(|layout| layout.cost(points))
            .unwrap_or(const { Self::new(*WIDTHS.start()) })
    }
}

/// What [`add_by_buckets`] costs for so many points, in products of numbers modulo p.
pub(in crate::crypto) fn cost(points: usize) -> usize {
    Layout::best(points).cost(points)
}

/// Adds 2^`place` times Σ number · point to a sum.
pub(in crate::crypto) fn add_by_buckets(terms: &[(Affine, u128)], place: usize, sum: &mut Chain) {
    if terms.is_empty() {
        return;
    }
    add_with_layout(terms, place, sum, Layout::best(terms.len()));
}

fn add_with_layout(terms: &[(Affine, u128)], place: usize, sum: &mut Chain, layout: Layout) {
    let Layout {
        width,
        windows,
        buckets,
    } = layout;
    let mut work = Work::default();
    let digits = signed_windows(terms, layout);
    // For each window its buckets, the widest digit first: see `weigh`.
    let mut filled = Vec::with_capacity(windows * buckets);
    let at_once = (POINTS_AT_ONCE / terms.len()).max(1);
    for some in digits.chunks(at_once * terms.len()) {
        work.fill(terms, some, buckets, &mut filled);
    }
    work.weigh(&mut filled, buckets);
    for (window, weighed) in filled.chunks_exact(buckets).enumerate() {
        for bit in 0..width {
            // Bit i is collected at place 2^i; the widest digit alone, 2^(width − 1), at 0.
            let index = if bit + 1 == width { 0 } else { 1 << bit };
            if !weighed[index].is_identity() {
                sum.add(place + window * width + bit, weighed[index]);
            }
        }
    }
}

/// The signed digits of all numbers, window after window.
fn signed_windows(terms: &[(Affine, u128)], layout: Layout) -> Vec<i16> {
    let Layout { width, windows, .. } = layout;
    let count = terms.len();
    let mut digits = vec![0; windows * count];
    for (index, &(_, number)) in terms.iter().enumerate() {
        let mut carry = 0;
        for window in 0..windows {
            let bits = number.unbounded_shr((window * width) as u32) as i32 & ((1 << width) - 1);
            let digit = bits + carry;
            carry = i32::from(digit > 1 << (width - 1));
            digits[window * count + index] = (digit - (carry << width)) as i16;
        }
    }
    digits
}

/// Memory that is used again.
#[derive(Default)]
struct Work {
    /// Points, bucket after bucket.
    points: Vec<Affine>,
    /// Where each bucket begins, and how many points it still has.
    runs: Vec<(u32, u32)>,
    pairs: Vec<(u32, u32)>,
    scratch: Scratch,
}

impl Work {
    /// Sums the points of each bucket of some windows and appends the sums: per window first that
    /// of the widest digit, then those of the digits from 1.
    fn fill(
        &mut self,
        terms: &[(Affine, u128)],
        digits: &[i16],
        buckets: usize,
        filled: &mut Vec<Affine>,
    ) {
        let windows = digits.len() / terms.len();
        self.runs.clear();
        self.runs.resize(windows * buckets, (0, 0));
        let bucket_of = |window: usize, digit: i16| {
            window * buckets + usize::from(digit.unsigned_abs()) % buckets
        };
        for (window, digits) in digits.chunks_exact(terms.len()).enumerate() {
            for &digit in digits.iter().filter(|digit| **digit != 0) {
                self.runs[bucket_of(window, digit)].1 += 1;
            }
        }
        let mut total = 0;
        for (start, count) in &mut self.runs {
            *start = total;
            total += *count;
            *count = 0;
        }
        self.points.clear();
        self.points.resize(total as usize, Affine::IDENTITY);
        for (window, digits) in digits.chunks_exact(terms.len()).enumerate() {
            for (&digit, (point, _)) in digits.iter().zip(terms) {
                if digit != 0 {
                    let (start, count) = &mut self.runs[bucket_of(window, digit)];
                    self.points[(*start + *count) as usize] = point.negate_if(digit < 0);
                    *count += 1;
                }
            }
        }
        loop {
            self.pairs.clear();
            for (start, count) in &mut self.runs {
                let half = *count / 2;
                let rest = *count - half;
                self.pairs
                    .extend((0..half).map(|index| (*start + index, *start + rest + index)));
                *count = rest;
            }
            if self.pairs.is_empty() {
                break;
            }
            add_pairs(&mut self.points, &self.pairs, &mut self.scratch);
        }
        filled.extend(self.runs.iter().map(|&(start, count)| {
            if count == 0 {
                Affine::IDENTITY
            } else {
                self.points[start as usize]
            }
        }));
    }

    /// Turns the sums of the buckets of every window into sums by bits: afterwards the entry 2^i
    /// has the sum of all buckets whose digit has bit i.
    ///
    /// Each round halves the front part by adding its upper half to its lower one. The upper half
    /// stays: it is what has that bit, and is itself halved in the rounds that follow. So a bucket
    /// costs two additions, and a round one inversion. Entry 0, the widest digit, takes no part.
    fn weigh(&mut self, filled: &mut [Affine], buckets: usize) {
        let mut front = buckets;
        while front > 1 {
            front /= 2;
            self.pairs.clear();
            for window in (0..filled.len()).step_by(buckets) {
                // The front part, without entry 0, …
                let mut add = |to: usize, from: usize| {
                    self.pairs
                        .push(((window + to) as u32, (window + from) as u32));
                };
                for index in 1..front {
                    add(index, front + index);
                }
                // … and what former rounds left: the parts from 2^i, each now as long as the
                // front part was.
                let mut start = front * 2;
                while start < buckets {
                    for index in 0..front {
                        add(start + index, start + front + index);
                    }
                    start *= 2;
                }
            }
            add_pairs(filled, &self.pairs, &mut self.scratch);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn add_with_width(
        terms: &[(Affine, u128)],
        sum: &mut Chain,
        width: usize,
    ) {
        if !terms.is_empty() {
            add_with_layout(terms, 0, sum, Layout::new(width));
        }
    }
}
