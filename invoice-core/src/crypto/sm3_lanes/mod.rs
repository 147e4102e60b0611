//! SM3 of many messages side by side: one message in each lane of the processor's vectors.
//!
//! A digest is one long chain of dependent steps, so a single message cannot be sped up; but 4, 8
//! or 16 messages (SSE2 and NEON, AVX2, AVX-512) take hardly longer than two one after another.
//! A lane whose message ends takes the next from the queue, longest first.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "dense arithmetic: vectors wrap by definition, and every index is below a length \
              that stands beside it"
)]

mod compress;
mod lane;

use fearless_simd::{Level, Simd, SimdBase, dispatch};

use self::compress::{INITIAL, WORDS, compress, load, transpose};
use self::lane::{BLOCK_BYTES, Lane};
use super::hash::{Hash, sm3};

/// What a step of all lanes costs, in blocks hashed alone; measured alike at every vector width.
const STEP_COST: usize = 2;
/// So few messages gain nothing from each other's company.
const ALONE_MAX: usize = 2;
/// The widest vector has so many lanes (AVX-512).
const LANES_MAX: usize = 16;
/// Padding takes at least so many bytes: the bit 1 and the length in 64 bits.
const PADDING_BYTES_MIN: usize = 9;

/// A message that waits for a lane.
#[derive(Clone, Copy)]
struct Waiting {
    blocks: usize,
    /// Its place among the messages.
    index: usize,
}

/// The digests of messages given in parts, in order.
pub(super) fn digests(messages: &[&[&[u8]]]) -> Vec<Hash> {
    digests_at(Level::new(), messages)
}

fn digests_at(level: Level, messages: &[&[&[u8]]]) -> Vec<Hash> {
    if messages.len() <= ALONE_MAX || level.is_fallback() {
        return messages.iter().map(|parts| sm3(parts)).collect();
    }
    let lanes = dispatch!(level, simd => lane_count(simd));
    let mut queue: Vec<Waiting> = messages
        .iter()
        .enumerate()
        .map(|(index, parts)| Waiting {
            blocks: block_count(parts),
            index,
        })
        .collect();
    queue.sort_unstable_by_key(|waiting| std::cmp::Reverse(waiting.blocks));
    let (alone, together) = queue.split_at(best_alone(&queue, lanes));
    let mut digests = vec![Hash::new([0; Hash::BYTES]); messages.len()];
    for waiting in alone {
        digests[waiting.index] = sm3(messages[waiting.index]);
    }
    if !together.is_empty() {
        dispatch!(level, simd => run(simd, messages, together, &mut digests));
    }
    digests
}

/// Blocks of a message and its padding.
fn block_count(parts: &[&[u8]]) -> usize {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    (bytes + PADDING_BYTES_MIN).div_ceil(BLOCK_BYTES)
}

/// How many of the longest messages are better hashed alone, so that the other lanes need not
/// idle until they end. `queue` is sorted, longest first.
fn best_alone(queue: &[Waiting], lanes: usize) -> usize {
    let mut together: usize = queue.iter().map(|waiting| waiting.blocks).sum();
    let (mut alone, mut best, mut best_cost) = (0, 0, usize::MAX);
    for (count, waiting) in queue.iter().enumerate() {
        let steps = waiting.blocks.max(together.div_ceil(lanes));
        let cost = alone + steps * STEP_COST;
        if cost < best_cost {
            (best, best_cost) = (count, cost);
        }
        alone += waiting.blocks;
        together -= waiting.blocks;
        if alone >= best_cost {
            return best;
        }
    }
    queue.len()
}

#[inline(always)]
fn lane_count<S: Simd>(_: S) -> usize {
    S::u32s::LEN
}

/// Hashes the waiting messages, as many at a time as the vectors have lanes.
#[inline(always)]
fn run<S: Simd>(simd: S, messages: &[&[&[u8]]], waiting: &[Waiting], digests: &mut [Hash]) {
    let mut queue = waiting
        .iter()
        .map(|next| Lane::new(next.index, next.blocks, messages[next.index]));
    let mut lanes: [Lane<'_>; LANES_MAX] = std::array::from_fn(|lane| match lane < S::u32s::LEN {
        true => queue.next().unwrap_or_default(),
        false => Lane::default(),
    });
    let lanes = &mut lanes[..S::u32s::LEN];
    let mut state = INITIAL.map(|word| S::u32s::splat(simd, word));
    while lanes.iter().any(|lane| lane.index.is_some()) {
        let mut words = [S::u32s::splat(simd, 0); WORDS];
        for (lane, reader) in lanes.iter_mut().enumerate() {
            load(simd, &mut words, lane, reader.next_block());
        }
        transpose::<S>(&mut words);
        compress::<S>(&mut state, words);
        for (lane, reader) in lanes.iter_mut().enumerate() {
            if let Some(index) = reader.finished() {
                digests[index] = digest_of::<S>(&state, lane);
                *reader = queue.next().unwrap_or_default();
                for (word, initial) in state.iter_mut().zip(INITIAL) {
                    word[lane] = initial;
                }
            }
        }
    }
}

#[inline(always)]
fn digest_of<S: Simd>(state: &[S::u32s; 8], lane: usize) -> Hash {
    let mut digest = [0; Hash::BYTES];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word[lane].to_be_bytes();
    }
    Hash::new(digest)
}

#[cfg(test)]
mod tests;
