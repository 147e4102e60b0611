//! Tables of multiples of points that are used again and again.

use std::sync::LazyLock;

use super::chain::Chain;
use super::field::Fe;
use super::point::{Affine, Jacobian};
use super::scalar::Scalar;

/// A scalar is taken in this many parts, each with a table of its own, so that the chain of
/// doublings is only as long as one part.
const PARTS: usize = 8;

/// Bits of a part.
const PART_BITS: usize = 32;

/// Odd multiples per part for the generator: digits of nine bits, 64 KiB in all.
const ODD_GENERATOR: usize = 128;

/// Odd multiples per part for a key: digits of five bits, 4 KiB in all.
const ODD_KEY: usize = 8;

/// Odd multiples of 2^(32 i)·P for i from 0 to 7.
pub(in crate::crypto) struct Table {
    /// For each part the multiples 1, 3, 5 …
    points: Vec<Affine>,
}

static GENERATOR: LazyLock<Table> =
    LazyLock::new(|| Table::with_odd(&Affine::GENERATOR, ODD_GENERATOR));

/// The table of the generator G.
pub(in crate::crypto) fn generator() -> &'static Table {
    &GENERATOR
}

impl Table {
    /// The table of a key.
    pub(in crate::crypto) fn new(point: &Affine) -> Self {
        Self::with_odd(point, ODD_KEY)
    }

    fn with_odd(point: &Affine, odd: usize) -> Self {
        let mut base = Jacobian::from(*point);
        let mut bases = Vec::with_capacity(PARTS);
        for _ in 0..PARTS {
            bases.push(base);
            for _ in 0..PART_BITS {
                base = base.double();
            }
        }
        Self {
            points: odd_multiples(&bases, odd),
        }
    }

    /// Adds `scalar` times the point to a sum.
    pub(in crate::crypto) fn add_multiple(&self, scalar: &Scalar, sum: &mut Chain) {
        let odd = self.points.len() / PARTS;
        for (part, points) in scalar
            .parts()
            .into_iter()
            .zip(self.points.chunks_exact(odd))
        {
            sum.add_digits([part, 0, 0, 0], points);
        }
    }
}

/// The multiples 1, 3, 5 … of each point, `count` of each, one point after another.
pub(super) fn odd_multiples(points: &[Jacobian], count: usize) -> Vec<Affine> {
    let doubles: Vec<Jacobian> = points.iter().map(Jacobian::double).collect();
    let doubles = Jacobian::to_affine(&doubles);
    let mut multiples = Vec::with_capacity(points.len() * count);
    for (point, double) in points.iter().zip(&doubles) {
        let mut multiple = *point;
        for _ in 0..count {
            multiples.push(multiple);
            multiple = multiple.plus(double);
        }
    }
    Jacobian::to_affine(&multiples)
}

impl Affine {
    /// G of GB/T 32918.5-2017.
    pub(super) const GENERATOR: Self = Self {
        x: Fe::GENERATOR_X,
        y: Fe::GENERATOR_Y,
    };
}
