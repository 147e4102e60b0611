//! Numbers modulo the prime p of the SM2 curve (GB/T 32918.5-2017), in variable time.
//!
//! **Only for public data.** What is computed here takes a time that depends on the numbers, so no
//! secret may ever enter: signing and key generation use the `sm2` crate.
//!
//! A number a is kept as a·2²⁵⁶ mod p (Montgomery) in four words, the least significant first, and
//! reduced only as far as the words require: a number below 2²⁵⁶ − p has two forms. Because p ≡ −1 mod 2⁶⁴ a step of the reduction adds m·p with m simply the
//! lowest word, and because p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1 that product is shifts and subtractions.

#[cfg(target_arch = "x86_64")]
use super::lanes;

/// Four words of 64 bits, the least significant first.
pub(super) type Limbs = [u64; 4];

/// p, the modulus.
pub(super) const P: Limbs = [
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_ffff,
    0xffff_fffe_ffff_ffff,
];

/// 2⁵¹² mod p, which takes a number into Montgomery form.
const R_SQUARED: Limbs = [
    0x0000_0002_0000_0003,
    0x0000_0002_ffff_ffff,
    0x0000_0001_0000_0001,
    0x0000_0004_0000_0002,
];

/// A number modulo p.
#[derive(Clone, Copy, Debug)]
pub(in crate::crypto) struct Fe(Limbs);

impl PartialEq for Fe {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.minus(other).is_zero()
    }
}

impl Eq for Fe {}

/// `a + b` and the carry out of it.
#[inline(always)]
pub(super) fn add_limbs(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (r0, c) = a[0].carrying_add(b[0], false);
    let (r1, c) = a[1].carrying_add(b[1], c);
    let (r2, c) = a[2].carrying_add(b[2], c);
    let (r3, c) = a[3].carrying_add(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// `a - b` and the borrow out of it.
#[inline(always)]
pub(super) fn sub_limbs(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (r0, c) = a[0].borrowing_sub(b[0], false);
    let (r1, c) = a[1].borrowing_sub(b[1], c);
    let (r2, c) = a[2].borrowing_sub(b[2], c);
    let (r3, c) = a[3].borrowing_sub(b[3], c);
    ([r0, r1, r2, r3], c)
}

/// 2²⁵⁶ − p if `if_set`, else 0: what a carry out of the four words is worth modulo p.
#[inline(always)]
fn fold(if_set: bool) -> Limbs {
    let one = u64::from(if_set);
    [one, 0_u64.wrapping_sub(one) >> 32, 0, one << 32]
}

/// One step of Montgomery's reduction: (`a` + a₀·p) / 2⁶⁴, which is below 2²⁵⁶.
#[inline(always)]
fn step(a: Limbs) -> Limbs {
    let m = a[0];
    let (low, high) = (m << 32, m >> 32);
    // m·(1 − 2³² − 2¹⁶⁰ + 2¹⁹²): what m·p adds above the word that it clears.
    let (c0, c) = m.borrowing_sub(low, false);
    let (c1, c) = 0_u64.borrowing_sub(high, c);
    let (c2, c) = 0_u64.borrowing_sub(low, c);
    let (c3, _) = m.borrowing_sub(high, c);
    let (r0, c) = a[1].carrying_add(c0, false);
    let (r1, c) = a[2].carrying_add(c1, c);
    let (r2, c) = a[3].carrying_add(c2, c);
    let (r3, _) = c3.carrying_add(0, c);
    [r0, r1, r2, r3]
}

/// The second carry of an addition, once in 2³² for random numbers.
#[cold]
fn fold_rarely(sum: Limbs) -> Limbs {
    add_limbs(&sum, &fold(true)).0
}

/// The second borrow of a subtraction, once in 2³² for random numbers.
#[cold]
fn unfold_rarely(difference: Limbs) -> Limbs {
    sub_limbs(&difference, &fold(true)).0
}

/// The number of eight words over 2²⁵⁶ mod p, for any product of two numbers of four words.
#[inline(always)]
fn reduce(low: Limbs, high: Limbs) -> Fe {
    // Four steps leave at most p, the upper words are at most 2²⁵⁶ − 2, and so one fold is enough.
    let (sum, carry) = add_limbs(&step(step(step(step(low)))), &high);
    Fe(add_limbs(&sum, &fold(carry)).0)
}

impl Fe {
    pub(super) const ZERO: Self = Self([0; 4]);
    pub(super) const ONE: Self = Self([1, 0xffff_ffff, 0, 0x1_0000_0000]);

    /// b of the curve y² = x³ − 3x + b.
    pub(super) const B: Self = Self([
        0x90d2_3063_2bc0_dd42,
        0x71cf_379a_e9b5_37ab,
        0x5279_8150_5ea5_1c3c,
        0x240f_e188_ba20_e2c8,
    ]);

    /// The coordinates of the generator.
    pub(super) const GENERATOR_X: Self = Self([
        0x6132_8990_f418_029e,
        0x3e79_81ed_dca6_c050,
        0xd6a1_ed99_ac24_c3c3,
        0x9116_7a5e_e1c1_3b05,
    ]);
    pub(super) const GENERATOR_Y: Self = Self([
        0xc135_4e59_3c2d_0ddd,
        0xc1f5_e578_8d32_95fa,
        0x8d4c_fb06_6e2a_48f8,
        0x63cd_65d4_81d7_35bd,
    ]);

    /// The number that these words spell, unless it is p or more.
    #[inline]
    pub(super) fn from_limbs(limbs: &Limbs) -> Option<Self> {
        let (_, below) = sub_limbs(limbs, &P);
        if below {
            Some(Self::from_reduced(limbs))
        } else {
            None
        }
    }

    /// The number with this Montgomery form. With `over` the form is 2²⁵⁶ more, and below 2p.
    #[inline]
    pub(super) fn from_montgomery_form(limbs: Limbs, over: bool) -> Self {
        Self(add_limbs(&limbs, &fold(over)).0)
    }

    /// Some Montgomery form of the number.
    #[inline]
    pub(super) fn montgomery_form(&self) -> Limbs {
        self.0
    }

    /// The number that these words, which are below p, spell.
    #[inline]
    pub(super) fn from_reduced(limbs: &Limbs) -> Self {
        Self(*limbs).times(&Self(R_SQUARED))
    }

    /// The number that 32 big-endian bytes spell, unless it is p or more.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(&limbs_from_bytes(bytes))
    }

    /// The words of the number itself.
    #[inline]
    pub(super) fn to_limbs(self) -> Limbs {
        let limbs = reduce(self.0, [0; 4]).0;
        let (reduced, below) = sub_limbs(&limbs, &P);
        if below { limbs } else { reduced }
    }

    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4] || self.0 == P
    }

    /// Whether the number itself is odd.
    #[inline]
    pub(super) fn is_odd(self) -> bool {
        self.to_limbs()[0] & 1 == 1
    }

    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let (r0, c) = a[0].carrying_mul(b[0], 0);
        let (r1, c) = a[0].carrying_mul(b[1], c);
        let (r2, c) = a[0].carrying_mul(b[2], c);
        let (r3, r4) = a[0].carrying_mul(b[3], c);

        let (r1, c) = a[1].carrying_mul_add(b[0], r1, 0);
        let (r2, c) = a[1].carrying_mul_add(b[1], r2, c);
        let (r3, c) = a[1].carrying_mul_add(b[2], r3, c);
        let (r4, r5) = a[1].carrying_mul_add(b[3], r4, c);

        let (r2, c) = a[2].carrying_mul_add(b[0], r2, 0);
        let (r3, c) = a[2].carrying_mul_add(b[1], r3, c);
        let (r4, c) = a[2].carrying_mul_add(b[2], r4, c);
        let (r5, r6) = a[2].carrying_mul_add(b[3], r5, c);

        let (r3, c) = a[3].carrying_mul_add(b[0], r3, 0);
        let (r4, c) = a[3].carrying_mul_add(b[1], r4, c);
        let (r5, c) = a[3].carrying_mul_add(b[2], r5, c);
        let (r6, r7) = a[3].carrying_mul_add(b[3], r6, c);
        reduce([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        let a = &self.0;
        // The products of different words, each once.
        let (r1, c) = a[0].carrying_mul(a[1], 0);
        let (r2, c) = a[0].carrying_mul(a[2], c);
        let (r3, r4) = a[0].carrying_mul(a[3], c);
        let (r3, c) = a[1].carrying_mul_add(a[2], r3, 0);
        let (r4, r5) = a[1].carrying_mul_add(a[3], r4, c);
        let (r5, r6) = a[2].carrying_mul_add(a[3], r5, 0);
        // Twice that.
        let r7 = r6 >> 63;
        let r6 = (r6 << 1) | (r5 >> 63);
        let r5 = (r5 << 1) | (r4 >> 63);
        let r4 = (r4 << 1) | (r3 >> 63);
        let r3 = (r3 << 1) | (r2 >> 63);
        let r2 = (r2 << 1) | (r1 >> 63);
        let r1 = r1 << 1;
        // And the squares of the words.
        let (r0, s1) = a[0].carrying_mul(a[0], 0);
        let (s2, s3) = a[1].carrying_mul(a[1], 0);
        let (s4, s5) = a[2].carrying_mul(a[2], 0);
        let (s6, s7) = a[3].carrying_mul(a[3], 0);
        let (r1, c) = r1.carrying_add(s1, false);
        let (r2, c) = r2.carrying_add(s2, c);
        let (r3, c) = r3.carrying_add(s3, c);
        let (r4, c) = r4.carrying_add(s4, c);
        let (r5, c) = r5.carrying_add(s5, c);
        let (r6, c) = r6.carrying_add(s6, c);
        let (r7, _) = r7.carrying_add(s7, c);
        reduce([r0, r1, r2, r3], [r4, r5, r6, r7])
    }

    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        let (sum, carry) = add_limbs(&sum, &fold(carry));
        if carry {
            return Self(fold_rarely(sum));
        }
        Self(sum)
    }

    #[inline(always)]
    pub(super) fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = sub_limbs(&self.0, &other.0);
        let (difference, borrow) = sub_limbs(&difference, &fold(borrow));
        if borrow {
            return Self(unfold_rarely(difference));
        }
        Self(difference)
    }

    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        self.plus(self)
    }

    #[inline(always)]
    pub(super) fn negate(&self) -> Self {
        Self::ZERO.minus(self)
    }

    /// The number to the power of 2 to the power of `times`.
    #[inline(always)]
    fn squared(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// To the power of 2³² − 1, and of 2³⁰ − 1 on the way.
    #[inline(always)]
    fn ones_32(&self) -> (Self, Self) {
        let x2 = self.squared(1).times(self);
        let x4 = x2.squared(2).times(&x2);
        let x6 = x4.squared(2).times(&x2);
        let x12 = x6.squared(6).times(&x6);
        let x24 = x12.squared(12).times(&x12);
        let x30 = x24.squared(6).times(&x6);
        (x30.squared(2).times(&x2), x30)
    }

    /// The inverse, and 0 for 0: to the power of p − 2.
    pub(super) fn invert(&self) -> Self {
        let (x32, x30) = self.ones_32();
        let x31 = x30.squared(1).times(self);
        // p − 2 in words of 32 bits: ffff_fffe, four times ffff_ffff, 0, ffff_ffff, ffff_fffd.
        let mut power = x31.squared(1);
        for _ in 0..4 {
            power = power.squared(32).times(&x32);
        }
        power
            .squared(64)
            .times(&x32)
            .squared(30)
            .times(&x30)
            .squared(2)
            .times(self)
    }

    /// To the power of (p + 1) / 4 = 2⁶²·(2³² − 1)·(2¹⁶⁰ − 1): a square root, if there is one.
    ///
    /// The exponent has 254 bits, so 252 squarings and 14 products are close to the fewest there
    /// can be.
    pub(super) fn root_candidate(&self) -> Self {
        let (a, _) = self.ones_32();
        let a2 = a.squared(1).times(&a);
        let a4 = a2.squared(2).times(&a2);
        let a5 = a4.squared(1).times(&a);
        let a10 = a5.squared(5).times(&a5);
        let a20 = a10.squared(10).times(&a10);
        let a40 = a20.squared(20).times(&a20);
        let a80 = a40.squared(40).times(&a40);
        a80.squared(80).times(&a80).squared(62)
    }

    /// Replaces every number by a square root, if it has one.
    pub(super) fn root_candidates(numbers: &mut [Self]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = fearless_simd::Level::new().as_avx512() {
            for some in numbers.chunks_mut(lanes::AT_ONCE) {
                // Even a few lanes in use are faster than the numbers one by one.
                let mut all = [Self::ZERO; lanes::AT_ONCE];
                for (to, from) in all.iter_mut().zip(some.iter()) {
                    *to = *from;
                }
                lanes::root_candidates(token, &mut all);
                for (to, from) in some.iter_mut().zip(all) {
                    *to = from;
                }
            }
            return;
        }
        for number in numbers {
            *number = number.root_candidate();
        }
    }
}

/// The four words that 32 big-endian bytes spell.
#[inline]
pub(super) fn limbs_from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, word) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*word);
    }
    limbs
}

/// The 32 big-endian bytes of four words.
#[inline]
pub(super) fn bytes_from_limbs(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, limb) in bytes
        .as_chunks_mut::<8>()
        .0
        .iter_mut()
        .zip(limbs.iter().rev())
    {
        *word = limb.to_be_bytes();
    }
    bytes
}

/// Replaces each number by its inverse, and 0 by 0, with a single inversion.
///
/// `scratch` is only there to be used again.
pub(super) fn invert_all(numbers: &mut [Fe], scratch: &mut Vec<Fe>) {
    scratch.clear();
    let mut product = Fe::ONE;
    for number in numbers.iter() {
        scratch.push(product);
        if !number.is_zero() {
            product = product.times(number);
        }
    }
    let mut inverse = product.invert();
    for (number, before) in numbers.iter_mut().zip(scratch.iter()).rev() {
        if !number.is_zero() {
            let this = inverse.times(before);
            inverse = inverse.times(number);
            *number = this;
        }
    }
}
