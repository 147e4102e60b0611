//! Roots of many numbers modulo p, sixteen at a time, on processors with AVX-512 IFMA.
//!
//! The root is what a batch spends most on, and roots do not depend on each other. A number is
//! kept as a·2²⁶⁰ mod p in five words of 52 bits, the width that the processor multiplies, one
//! number in each lane. Sums of products are signed and carried only at the end. Every result is
//! below 2p, and every product of two numbers below 4p is such a result, so that nothing needs to
//! be compared with p.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_extract_epi64, _mm512_add_epi64, _mm512_and_si512,
    _mm512_extracti64x4_epi64, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_set_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srai_epi64, _mm512_sub_epi64,
};

use super::field::{Fe, Limbs};

/// Numbers side by side in one vector.
const LANES: usize = 8;

/// Vectors that take their steps together: one alone would wait for its own results.
const GROUPS: usize = 2;

/// Numbers whose roots are found in one go.
pub(super) const AT_ONCE: usize = LANES * GROUPS;

/// 2²⁶⁴ mod p: a product with it takes a·2²⁵⁶ to a·2²⁶⁰.
const INTO_260: Limbs = [0x100, 0xff_ffff_ff00, 0, 0x100_0000_0000];

/// 2²⁵⁶ mod p: a product with it takes a·2²⁶⁰ to a·2²⁵⁶.
const OUT_OF_260: Limbs = [1, 0xffff_ffff, 0, 0x1_0000_0000];

/// Eight numbers in five words of 52 bits each, the least significant first.
type Numbers = [__m512i; 5];

/// Lowest 52 bits.
const MASK: u64 = (1 << 52) - 1;

/// (p + 1) / 2⁵² = [`Q0`] − 2⁵² + [`Q3`]·2¹⁵⁶.
const Q0: u64 = (1 << 52) + (1 << 12) - (1 << 44);

/// See [`Q0`].
const Q3: u64 = (1 << 48) - (1 << 16);

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn all(word: u64) -> __m512i {
    _mm512_set1_epi64(word as i64)
}

/// The number of ten words over 2²⁶⁰ mod p.
///
/// A step adds m·p, which clears the lowest 52 bits of a word; since p + 1 is a multiple of 2⁶⁴, m
/// is just those bits, and m·p is m·(p + 1) − m.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(mut t: [__m512i; 10]) -> Numbers {
    let (mask, q0, q3) = (all(MASK), all(Q0), all(Q3));
    for i in 0..5 {
        let m = _mm512_and_si512(t[i], mask);
        let carry = _mm512_srai_epi64::<52>(t[i]);
        t[i + 1] = _mm512_madd52lo_epu64(_mm512_add_epi64(t[i + 1], carry), m, q0);
        t[i + 2] = _mm512_madd52hi_epu64(_mm512_sub_epi64(t[i + 2], m), m, q0);
        t[i + 4] = _mm512_madd52lo_epu64(t[i + 4], m, q3);
        t[i + 5] = _mm512_madd52hi_epu64(t[i + 5], m, q3);
    }
    let mut r = [t[5], t[6], t[7], t[8], t[9]];
    for i in 0..4 {
        let carry = _mm512_srai_epi64::<52>(r[i]);
        r[i] = _mm512_and_si512(r[i], mask);
        r[i + 1] = _mm512_add_epi64(r[i + 1], carry);
    }
    r
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Numbers, b: &Numbers) -> Numbers {
    let mut t = [_mm512_setzero_si512(); 10];
    for i in 0..5 {
        for j in 0..5 {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], b[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], b[j]);
        }
    }
    reduce(t)
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn sqr(a: &Numbers) -> Numbers {
    let mut t = [_mm512_setzero_si512(); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], a[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], a[j]);
        }
    }
    for word in &mut t {
        *word = _mm512_add_epi64(*word, *word);
    }
    for i in 0..5 {
        t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a[i], a[i]);
        t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a[i], a[i]);
    }
    reduce(t)
}

type Groups = [Numbers; GROUPS];

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn times(a: &Groups, b: &Groups) -> Groups {
    [mul(&a[0], &b[0]), mul(&a[1], &b[1])]
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn squared(a: &Groups, times: u32) -> Groups {
    let [mut a, mut b] = *a;
    for _ in 0..times {
        a = sqr(&a);
        b = sqr(&b);
    }
    [a, b]
}

/// The words of sixteen numbers, lane by lane.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(numbers: &[Fe; AT_ONCE]) -> Groups {
    let words = |group: usize, word: usize| {
        let at = |lane: usize| split(numbers[group * LANES + lane].montgomery_form())[word] as i64;
        _mm512_set_epi64(at(7), at(6), at(5), at(4), at(3), at(2), at(1), at(0))
    };
    [0, 1].map(|group| [0, 1, 2, 3, 4].map(|word| words(group, word)))
}

/// Four words of 64 bits as five of 52.
fn split(a: Limbs) -> [u64; 5] {
    [
        a[0] & MASK,
        (a[0] >> 52 | a[1] << 12) & MASK,
        (a[1] >> 40 | a[2] << 24) & MASK,
        (a[2] >> 28 | a[3] << 36) & MASK,
        a[3] >> 16,
    ]
}

/// Five words of 52 bits as four of 64, without bit 256.
fn join(a: [u64; 5]) -> Limbs {
    [
        a[0] | a[1] << 52,
        a[1] >> 12 | a[2] << 40,
        a[2] >> 24 | a[3] << 28,
        a[3] >> 36 | a[4] << 16,
    ]
}

/// The words of a vector.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn lanes(vector: __m512i) -> [u64; LANES] {
    let half = |half: __m256i| {
        [
            _mm256_extract_epi64::<0>(half) as u64,
            _mm256_extract_epi64::<1>(half) as u64,
            _mm256_extract_epi64::<2>(half) as u64,
            _mm256_extract_epi64::<3>(half) as u64,
        ]
    };
    let [a, b, c, d] = half(_mm512_extracti64x4_epi64::<0>(vector));
    let [e, f, g, h] = half(_mm512_extracti64x4_epi64::<1>(vector));
    [a, b, c, d, e, f, g, h]
}

fearless_simd::kernel! {
    /// Replaces every number by its [`Fe::root_candidate`].
    pub(super) fn root_candidates(_token: Avx512, numbers: &mut [Fe; AT_ONCE]) {
        let constant = |limbs: Limbs| [split(limbs).map(|word| all(word)); GROUPS];
        let a = times(&load(numbers), &constant(INTO_260));
        // The same chain as for one number.
        let a2 = times(&squared(&a, 1), &a);
        let a4 = times(&squared(&a2, 2), &a2);
        let a6 = times(&squared(&a4, 2), &a2);
        let a12 = times(&squared(&a6, 6), &a6);
        let a24 = times(&squared(&a12, 12), &a12);
        let a30 = times(&squared(&a24, 6), &a6);
        let b = times(&squared(&a30, 2), &a2);
        let b2 = times(&squared(&b, 1), &b);
        let b4 = times(&squared(&b2, 2), &b2);
        let b5 = times(&squared(&b4, 1), &b);
        let b10 = times(&squared(&b5, 5), &b5);
        let b20 = times(&squared(&b10, 10), &b10);
        let b40 = times(&squared(&b20, 20), &b20);
        let b80 = times(&squared(&b40, 40), &b40);
        let root = squared(&times(&squared(&b80, 80), &b80), 62);
        let root = times(&root, &constant(OUT_OF_260));
        for (numbers, words) in numbers.chunks_exact_mut(LANES).zip(&root) {
            let words = words.map(|word| lanes(word));
            for (lane, number) in numbers.iter_mut().enumerate() {
                let words = words.map(|word| word[lane]);
                *number = Fe::from_montgomery_form(join(words), words[4] >> 48 != 0);
            }
        }
    }
}
