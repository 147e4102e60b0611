//! Numbers modulo the order n of the group.
//!
//! Only what verifying needs: sums and differences, sums of products that are reduced once at the
//! end, and signed digits.

use sm2::elliptic_curve::ops::Reduce;

use super::field::{Fe, Limbs, add_limbs, bytes_from_limbs, limbs_from_bytes, sub_limbs};

/// n, the order of the curve, which is prime.
const N: Limbs = [
    0x53bb_f409_39d5_4123,
    0x7203_df6b_21c6_052b,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// p − n: only below it an x coordinate modulo n stands for two of them modulo p.
const P_MINUS_N: Limbs = [0xac44_0bf6_c62a_bedc, 0x8dfc_2093_de39_fad5, 0, 0];

/// A number from 0 to n − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) struct Scalar(Limbs);

impl Scalar {
    /// The number that 32 big-endian bytes spell, modulo n.
    pub(in crate::crypto) fn from_bytes(bytes: &[u8; 32]) -> Self {
        // A number of 256 bits is below 2n.
        Self::below_order(limbs_from_bytes(bytes), false)
    }

    /// Whether 32 big-endian bytes spell a number from 1 to n − 1.
    pub(in crate::crypto) fn is_in_range(bytes: &[u8; 32]) -> bool {
        let limbs = limbs_from_bytes(bytes);
        limbs != [0; 4] && sub_limbs(&limbs, &N).1
    }

    fn below_order(limbs: Limbs, carry: bool) -> Self {
        let (reduced, borrow) = sub_limbs(&limbs, &N);
        if borrow && !carry {
            Self(limbs)
        } else {
            Self(reduced)
        }
    }

    pub(in crate::crypto) fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        Self::below_order(sum, carry)
    }

    pub(in crate::crypto) fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = sub_limbs(&self.0, &other.0);
        if borrow {
            Self(add_limbs(&difference, &N).0)
        } else {
            Self(difference)
        }
    }

    pub(in crate::crypto) fn negate(&self) -> Self {
        Self([0; 4]).minus(self)
    }

    pub(in crate::crypto) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The x coordinate that is this number modulo n, and the second one if there are two.
    pub(in crate::crypto) fn to_x(self) -> (Fe, Option<Fe>) {
        let second = if sub_limbs(&self.0, &P_MINUS_N).1 {
            Fe::from_limbs(&add_limbs(&self.0, &N).0)
        } else {
            None
        };
        (Fe::from_reduced(&self.0), second)
    }

    /// The lower and the upper 128 bits.
    pub(in crate::crypto) fn halves(&self) -> (u128, u128) {
        let [a, b, c, d] = self.0.map(u128::from);
        (a | b << 64, c | d << 64)
    }

    /// The eight parts of 32 bits, the least significant first.
    pub(super) fn parts(&self) -> [u64; 8] {
        let mut parts = [0; 8];
        for (two, limb) in parts.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *two = [limb & 0xffff_ffff, limb >> 32];
        }
        parts
    }

    pub(super) fn limbs(&self) -> &Limbs {
        &self.0
    }
}

/// A sum of products of 128 and 256 bits, exact for fewer than 2⁶⁴ of them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::crypto) struct WideSum([u64; 7]);

impl WideSum {
    /// Adds `coefficient` times `scalar`.
    pub(in crate::crypto) fn add_product(&mut self, coefficient: u128, scalar: &Scalar) {
        let words = [coefficient as u64, (coefficient >> 64) as u64];
        for (offset, word) in words.into_iter().enumerate() {
            let mut carry = 0;
            for (sum, limb) in self.0[offset..].iter_mut().zip(scalar.0) {
                (*sum, carry) = word.carrying_mul_add(limb, *sum, carry);
            }
            for sum in &mut self.0[offset + 4..] {
                let (low, over) = sum.overflowing_add(carry);
                (*sum, carry) = (low, u64::from(over));
            }
        }
    }

    /// The sum modulo n.
    pub(in crate::crypto) fn reduced(&self) -> Scalar {
        let [a, b, c, d, e, f, g] = self.0;
        let of = |limbs: Limbs| {
            let bytes = sm2::FieldBytes::from(bytes_from_limbs(&limbs));
            <sm2::Scalar as Reduce<sm2::FieldBytes>>::reduce(&bytes)
        };
        // 2²⁵⁶ modulo n.
        let (base, _) = sub_limbs(&[0; 4], &N);
        let sum = of([a, b, c, d]) + of([e, f, g, 0]) * of(base);
        Scalar::from_bytes(&sum.to_bytes().into())
    }
}

/// The non-zero digits of a number, as (place, digit): odd digits below 2^(width − 1) in size, of
/// which no two lie within `width` places (Solinas' non-adjacent form).
pub(super) fn signed_digits(mut number: Limbs, width: u32, mut each: impl FnMut(usize, i32)) {
    let mut place = 0_usize;
    // The number shrinks as digits are taken, and a borrow from a digit can make it one bit longer.
    let mut over = false;
    loop {
        let low = number[0];
        if low == 0 {
            if number == [0; 4] && !over {
                return;
            }
            number = [number[1], number[2], number[3], u64::from(over)];
            over = false;
            place += 64;
            continue;
        }
        let zeros = low.trailing_zeros();
        number = shifted(number, zeros, over);
        over = false;
        place += zeros as usize;
        let window = (number[0] & ((1 << width) - 1)) as i32;
        let digit = if window >> (width - 1) == 0 {
            window
        } else {
            window - (1 << width)
        };
        if digit >= 0 {
            (number, _) = sub_limbs(&number, &[digit as u64, 0, 0, 0]);
        } else {
            (number, over) = add_limbs(&number, &[(-digit) as u64, 0, 0, 0]);
        }
        each(place, digit);
    }
}

/// `number`, with `over` as its bit 256, without its lowest `bits` (fewer than 64).
fn shifted(number: Limbs, bits: u32, over: bool) -> Limbs {
    let [a, b, c, d] = number;
    let take = |low: u64, high: u64| match bits {
        0 => low,
        bits => low >> bits | high << (64 - bits),
    };
    [take(a, b), take(b, c), take(c, d), take(d, u64::from(over))]
}
