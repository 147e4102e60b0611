//! Sums of points times powers of two, by one chain of doublings.

use super::field::Limbs;
use super::point::{Affine, Jacobian};
use super::scalar::{Scalar, signed_digits};

/// Highest power of two: a signed digit can stand one place above the highest bit of a number.
const PLACE_MAX: usize = 256;

/// No further entry.
const END: u32 = u32::MAX;

/// A sum Σ 2^place · point that is evaluated at the end, from the highest place down.
pub(in crate::crypto) struct Chain {
    /// For each place the index of its last entry.
    last: [u32; PLACE_MAX + 1],
    /// The points, each with the entry before it at the same place.
    entries: Vec<(Affine, u32)>,
}

impl Chain {
    /// The empty sum.
    pub(in crate::crypto) fn new() -> Self {
        Self {
            last: [END; PLACE_MAX + 1],
            entries: Vec::with_capacity(128),
        }
    }

    /// Adds 2^`place` times `point`.
    #[inline]
    pub(super) fn add(&mut self, place: usize, point: Affine) {
        let index = self.entries.len() as u32;
        self.entries.push((point, self.last[place]));
        self.last[place] = index;
    }

    /// Adds `number` times the point of which `odd` are the multiples 1, 3, 5 … by signed digits.
    pub(super) fn add_digits(&mut self, number: Limbs, odd: &[Affine]) {
        let width = odd.len().ilog2() + 2;
        signed_digits(number, width, |place, digit| {
            let point = &odd[(digit.unsigned_abs() >> 1) as usize];
            self.add(place, point.negate_if(digit < 0));
        });
    }

    /// Adds `scalar` times `point`, which is seen only this once.
    pub(in crate::crypto) fn add_multiple(&mut self, scalar: &Scalar, point: &Affine) {
        let odd = super::table::odd_multiples(&[Jacobian::from(*point)], ODD_ONCE);
        self.add_digits(*scalar.limbs(), &odd);
    }

    /// The sum.
    pub(in crate::crypto) fn sum(&self) -> Jacobian {
        let mut sum = Jacobian::IDENTITY;
        for &last in self.last.iter().rev() {
            if !sum.is_identity() {
                sum = sum.double();
            }
            let mut index = last;
            while let Some((point, before)) = self.entries.get(index as usize) {
                sum = sum.plus(point);
                index = *before;
            }
        }
        sum
    }
}

/// Odd multiples that are computed for a point used once: digits of five bits.
const ODD_ONCE: usize = 8;
