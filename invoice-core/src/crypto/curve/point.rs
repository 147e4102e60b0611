//! Points of y² = x³ − 3x + b.

use super::field::{Fe, invert_all};

/// A point by its coordinates. The identity is (0, 0), which does not lie on the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) struct Affine {
    pub(super) x: Fe,
    pub(super) y: Fe,
}

/// A point as x = X/Z², y = Y/Z³. The identity has Z = 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::crypto) struct Jacobian {
    x: Fe,
    y: Fe,
    z: Fe,
}

/// x³ − 3x + b.
fn right_side(x: &Fe) -> Fe {
    let three = Fe::ONE.double().plus(&Fe::ONE);
    x.square().minus(&three).times(x).plus(&Fe::B)
}

impl Affine {
    pub(in crate::crypto) const IDENTITY: Self = Self {
        x: Fe::ZERO,
        y: Fe::ZERO,
    };

    /// The point with these coordinates, 32 big-endian bytes each, if there is one.
    pub(in crate::crypto) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let (x, y) = (Fe::from_bytes(x)?, Fe::from_bytes(y)?);
        (y.square() == right_side(&x)).then_some(Self { x, y })
    }

    /// For each x the point whose y has this parity, if there is one.
    pub(in crate::crypto) fn from_x(xs: &[(Fe, bool)]) -> Vec<Option<Self>> {
        let squares: Vec<Fe> = xs.iter().map(|(x, _)| right_side(x)).collect();
        let mut roots = squares.clone();
        Fe::root_candidates(&mut roots);
        xs.iter()
            .zip(squares.iter().zip(roots))
            .map(|(&(x, odd), (square, root))| {
                let y = if root.is_odd() == odd {
                    root
                } else {
                    root.negate()
                };
                (root.square() == *square).then_some(Self { x, y })
            })
            .collect()
    }

    /// Whether this is the identity. No other point has y = 0, since the order of the group is odd.
    #[inline]
    pub(super) fn is_identity(&self) -> bool {
        self.y.is_zero()
    }

    #[inline]
    pub(in crate::crypto) fn negate(&self) -> Self {
        Self {
            x: self.x,
            y: self.y.negate(),
        }
    }

    #[inline]
    pub(super) fn negate_if(&self, negative: bool) -> Self {
        if negative { self.negate() } else { *self }
    }
}

impl Jacobian {
    pub(super) const IDENTITY: Self = Self {
        x: Fe::ONE,
        y: Fe::ONE,
        z: Fe::ZERO,
    };

    #[inline]
    pub(in crate::crypto) fn is_identity(&self) -> bool {
        self.z.is_zero()
    }

    /// Whether the x coordinate is this one; false for the identity.
    pub(in crate::crypto) fn has_x(&self, x: &Fe) -> bool {
        !self.is_identity() && self.x == self.z.square().times(x)
    }

    /// Whether this is the same point, which is not the identity.
    pub(in crate::crypto) fn is(&self, other: &Affine) -> bool {
        self.has_x(&other.x) && self.y == self.z.square().times(&self.z).times(&other.y)
    }

    /// Twice the point (Bernstein and Lange, dbl-2001-b).
    pub(super) fn double(&self) -> Self {
        let delta = self.z.square();
        let gamma = self.y.square();
        let beta4 = self.x.times(&gamma).double().double();
        let alpha = self.x.minus(&delta).times(&self.x.plus(&delta));
        let alpha = alpha.double().plus(&alpha);
        let x = alpha.square().minus(&beta4.double());
        let gamma2 = gamma.double();
        Self {
            x,
            y: alpha
                .times(&beta4.minus(&x))
                .minus(&gamma2.square().double()),
            z: self.y.times(&self.z).double(),
        }
    }

    /// The sum with a point given by its coordinates.
    pub(super) fn plus(&self, other: &Affine) -> Self {
        if other.is_identity() {
            return *self;
        }
        if self.is_identity() {
            return Self::from(*other);
        }
        let zz = self.z.square();
        let h = other.x.times(&zz).minus(&self.x);
        let r = other.y.times(&zz.times(&self.z)).minus(&self.y);
        if h.is_zero() {
            return if r.is_zero() {
                self.double()
            } else {
                Self::IDENTITY
            };
        }
        let hh = h.square();
        let hhh = h.times(&hh);
        let v = self.x.times(&hh);
        let x = r.square().minus(&hhh).minus(&v.double());
        Self {
            x,
            y: r.times(&v.minus(&x)).minus(&self.y.times(&hhh)),
            z: self.z.times(&h),
        }
    }

    /// The coordinates of many points, with a single inversion.
    pub(super) fn to_affine(points: &[Self]) -> Vec<Affine> {
        let mut inverses: Vec<Fe> = points.iter().map(|point| point.z).collect();
        invert_all(&mut inverses, &mut Vec::new());
        points
            .iter()
            .zip(&inverses)
            .map(|(point, inverse)| {
                if point.is_identity() {
                    return Affine::IDENTITY;
                }
                let square = inverse.square();
                Affine {
                    x: point.x.times(&square),
                    y: point.y.times(&square.times(inverse)),
                }
            })
            .collect()
    }

    /// Whether y is odd; `None` for the identity.
    pub(in crate::crypto) fn y_is_odd(&self) -> Option<bool> {
        if self.is_identity() {
            return None;
        }
        let inverse = self.z.invert();
        let cube = inverse.square().times(&inverse);
        Some(self.y.times(&cube).is_odd())
    }
}

impl From<Affine> for Jacobian {
    fn from(point: Affine) -> Self {
        if point.is_identity() {
            return Self::IDENTITY;
        }
        Self {
            x: point.x,
            y: point.y,
            z: Fe::ONE,
        }
    }
}

/// Adds points to points of the same array, all with one inversion: for each (to, from), in any
/// order, `points[to] += points[from]`. No point may occur in two pairs.
pub(super) fn add_pairs(points: &mut [Affine], pairs: &[(u32, u32)], scratch: &mut Scratch) {
    let Scratch { inverses, products } = scratch;
    inverses.clear();
    inverses.extend(pairs.iter().map(|&(to, from)| {
        let (to, from) = (&points[to as usize], &points[from as usize]);
        let dx = from.x.minus(&to.x);
        if !dx.is_zero() {
            dx
        } else {
            // The same point is doubled; for opposite points and the identity 2y is 0 or unused.
            to.y.double()
        }
    }));
    invert_all(inverses, products);
    for (&(to, from), inverse) in pairs.iter().zip(inverses.iter()) {
        let sum = sum_with_inverse(&points[to as usize], &points[from as usize], inverse);
        points[to as usize] = sum;
    }
}

/// Memory that [`add_pairs`] uses again.
#[derive(Default)]
pub(super) struct Scratch {
    inverses: Vec<Fe>,
    products: Vec<Fe>,
}

/// The sum of two points, given 1/(x₂ − x₁), or 1/2y₁ where both have the same x.
#[inline]
fn sum_with_inverse(a: &Affine, b: &Affine, inverse: &Fe) -> Affine {
    if b.is_identity() {
        return *a;
    }
    if a.is_identity() {
        return *b;
    }
    let slope = if a.x != b.x {
        b.y.minus(&a.y).times(inverse)
    } else if a.y == b.y {
        let square = a.x.square().minus(&Fe::ONE);
        square.double().plus(&square).times(inverse)
    } else {
        return Affine::IDENTITY;
    };
    let x = slope.square().minus(&a.x).minus(&b.x);
    Affine {
        x,
        y: slope.times(&a.x.minus(&x)).minus(&a.y),
    }
}
