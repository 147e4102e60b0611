//! The compression function of SM3 (GB/T 32905-2016, clause 5.3) on vectors.
//!
//! Everything is inlined into the caller that has chosen the processor's features: a function of
//! its own would be compiled without them.

use fearless_simd::{Bytes as _, Simd, SimdBase, SimdInt};

use super::lane::BLOCK_BYTES;

/// Words of a block.
pub(super) const WORDS: usize = 16;

/// IV, clause 4.1.
pub(super) const INITIAL: [u32; 8] = [
    0x7380_166f,
    0x4914_b2b9,
    0x1724_42d7,
    0xda8a_0600,
    0xa96f_30bc,
    0x1631_38aa,
    0xe38d_ee4d,
    0xb0fb_0e4e,
];

/// T of clause 4.2, rotated as clause 5.3.3 uses it, for rounds `from` to `from` + 15.
const fn constants(from: u32) -> [u32; WORDS] {
    let constant: u32 = if from < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
    let mut rotated = [0; WORDS];
    let mut round = 0;
    while round < WORDS {
        rotated[round] = constant.rotate_left((from + round as u32) % 32);
        round += 1;
    }
    rotated
}

const EARLY: [u32; WORDS] = constants(0);
const LATE: [[u32; WORDS]; 3] = [constants(16), constants(32), constants(48)];

/// The processor's rotation where it has one: the compiler knows this pattern.
#[inline(always)]
fn rotate<S: Simd, V: SimdInt<S, Element = u32>>(word: V, bits: u32) -> V {
    (word << bits) | (word >> (32 - bits))
}

/// Puts a block of one lane into `words`, not yet transposed: row `lane` of each square.
#[inline(always)]
pub(super) fn load<S: Simd>(
    simd: S,
    words: &mut [S::u32s; WORDS],
    lane: usize,
    block: &[u8; BLOCK_BYTES],
) {
    let lanes = S::u32s::LEN;
    for (square, bytes) in block.chunks_exact(4 * lanes).enumerate() {
        let little: S::u32s = S::u8s::from_slice(simd, bytes).bitcast();
        words[square * lanes + lane] =
            (rotate::<S, _>(little, 8) & 0x00ff_00ff) | (rotate::<S, _>(little, 24) & 0xff00_ff00);
    }
}

/// Turns rows of lanes into the words of the blocks, one lane of each vector a message.
///
/// Interleaving row i with row i + n/2 is a perfect shuffle of the square; log2 n of them
/// transpose it.
#[inline(always)]
pub(super) fn transpose<S: Simd>(words: &mut [S::u32s; WORDS]) {
    let lanes = S::u32s::LEN;
    let half = lanes / 2;
    for _ in 0..lanes.ilog2() {
        let rows = *words;
        for square in (0..WORDS).step_by(lanes) {
            for i in 0..half {
                let (low, high) = rows[square + i].interleave(rows[square + i + half]);
                words[square + 2 * i] = low;
                words[square + 2 * i + 1] = high;
            }
        }
    }
}

/// CF: one block a lane. Message words are expanded on the way, in a ring of sixteen.
#[inline(always)]
pub(super) fn compress<S: Simd>(state: &mut [S::u32s; 8], words: [S::u32s; WORDS]) {
    let mut w = words;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    // One round; instead of moving all eight words on, the next round names them anew.
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
         $j:literal, $constants:expr, $early:expr, $expand:expr) => {
            let ahead = ($j + 4) % WORDS;
            if $expand {
                let mixed =
                    w[ahead] ^ w[($j + 11) % WORDS] ^ rotate::<S, _>(w[($j + 1) % WORDS], 15);
                let p1 = mixed ^ rotate::<S, _>(mixed, 15) ^ rotate::<S, _>(mixed, 23);
                w[ahead] = p1 ^ rotate::<S, _>(w[($j + 7) % WORDS], 7) ^ w[($j + 14) % WORDS];
            }
            let a12 = rotate::<S, _>($a, 12);
            let ss1 = rotate::<S, _>(a12 + $e + $constants[$j], 7);
            let ss2 = ss1 ^ a12;
            let (ff, gg) = if $early {
                ($a ^ $b ^ $c, $e ^ $f ^ $g)
            } else {
                (($a & $b) | ($a & $c) | ($b & $c), ($e & $f) | (!$e & $g))
            };
            let tt1 = ff + $d + ss2 + (w[$j] ^ w[ahead]);
            let tt2 = gg + $h + ss1 + w[$j];
            $b = rotate::<S, _>($b, 9);
            $d = tt1;
            $f = rotate::<S, _>($f, 19);
            $h = tt2 ^ rotate::<S, _>(tt2, 9) ^ rotate::<S, _>(tt2, 17);
        };
    }
    macro_rules! four_rounds {
        ($j0:literal $j1:literal $j2:literal $j3:literal, $constants:expr, $early:expr, $expand:expr) => {
            round!(a b c d e f g h, $j0, $constants, $early, $expand);
            round!(d a b c h e f g, $j1, $constants, $early, $expand);
            round!(c d a b g h e f, $j2, $constants, $early, $expand);
            round!(b c d a f g h e, $j3, $constants, $early, $expand);
        };
    }
    // The first twelve rounds need no word beyond the block's own sixteen.
    four_rounds!(0 1 2 3, EARLY, true, false);
    four_rounds!(4 5 6 7, EARLY, true, false);
    four_rounds!(8 9 10 11, EARLY, true, false);
    four_rounds!(12 13 14 15, EARLY, true, true);
    for constants in &LATE {
        four_rounds!(0 1 2 3, constants, false, true);
        four_rounds!(4 5 6 7, constants, false, true);
        four_rounds!(8 9 10 11, constants, false, true);
        four_rounds!(12 13 14 15, constants, false, true);
    }
    for (word, mixed) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word ^= mixed;
    }
}
