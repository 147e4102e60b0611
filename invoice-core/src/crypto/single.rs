//! Verifying one signature (GB/T 32918.2-2016, 7.1) on the arithmetic for public data.

use super::curve::{Affine, Chain, Jacobian, Scalar, generator};
use super::{Hash, PublicKey, Signature};

/// The numbers that the equation of a signature is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// s.
    pub(super) s: Scalar,
    /// t = r + s modulo n, which is not 0.
    pub(super) t: Scalar,
    /// r − e modulo n: what the x coordinate of s·G + t·P must be modulo n.
    pub(super) x: Scalar,
}

impl Numbers {
    /// The numbers of a signature of `digest`; `None` if t is 0, which no valid signature has.
    pub(super) fn new(digest: &Hash, signature: &Signature) -> Option<Self> {
        let (r, s) = signature.scalars();
        let t = r.plus(&s);
        (!t.is_zero()).then(|| Self {
            s,
            t,
            x: r.minus(&Scalar::from_bytes(digest.as_bytes())),
        })
    }

    /// s·G + t·P.
    fn point(&self, key: &PublicKey) -> Jacobian {
        let mut sum = Chain::new();
        generator().add_multiple(&self.s, &mut sum);
        key.add_multiple(&self.t, &mut sum);
        sum.sum()
    }

    /// Whether s·G + t·P has the right x coordinate.
    pub(super) fn verify(&self, key: &PublicKey) -> bool {
        let point = self.point(key);
        let (x, second) = self.x.to_x();
        point.has_x(&x) || second.is_some_and(|x| point.has_x(&x))
    }

    /// Whether s·G + t·P is this point.
    pub(super) fn has_point(&self, key: &PublicKey, point: &Affine) -> bool {
        self.point(key).is(point)
    }
}
