//! Verifying many signatures together.
//!
//! The equation, the bound on forgeries and the bound on the cost of junk are derived in
//! `docs/decisions/006-batch-verification.md`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places within arrays of the length of the input, and counts bounded by it"
)]

use std::collections::BTreeMap;
use std::ops::Range;

use super::curve::{Affine, Chain, Fe, Scalar, WideSum, add_by_buckets, bucket_cost, generator};
use super::single::Numbers;
use super::{Hash, HintedSignature, PublicKey, sm3, sm3_many};

/// What the coefficients' digests begin with, so that no other digest can be one of them.
const COEFFICIENTS: &[u8] = b"piaolian batch coefficients v1";

/// Signatures in one batch at most. More would need more memory and gain a few per cent.
const AT_ONCE_MAX: usize = 1_024;

/// Signatures of a failed batch that are tried singly, at places that nobody can foresee, to learn
/// whether bad ones are many: at most so many, and at most one in [`SAMPLE_OF`].
const SAMPLES_MAX: usize = 16;

/// See [`SAMPLES_MAX`].
const SAMPLE_OF: usize = 16;

/// Keys of one batch up to which their multiples are computed one by one instead of by buckets.
const KEYS_ONE_BY_ONE_MAX: usize = 12;

/// Cost of finding a point from its x coordinate, in products modulo p.
const RECOVERY: usize = 275;

/// Cost of 128 steps in the chain of doublings.
const CHAIN_HALF: usize = 128 * 8;

/// Cost of the multiple of one key among few.
const COST_OF_KEY: usize = 600;

/// A signature, who is said to have made it, and over what.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The signer's key.
    pub key: &'a PublicKey,
    /// `e` of GB/T 32918.2-2016, 6.1: [`PublicKey::message_digest`] of the message.
    pub digest: Hash,
    /// The signature, with or without a hint. A wrong hint costs time and changes no verdict.
    pub signature: HintedSignature,
}

/// Whether each signature verifies, in order: the same verdicts as one by one.
///
/// `seed` is 32 fresh bytes of a cryptographic random source for each call, which nobody who chose
/// a signature could know before. One call works on one core and is best given up to 1,024
/// signatures: more are judged in several batches, one after another.
#[must_use]
pub fn verify_many(signed: &[Signed<'_>], seed: &[u8; 32]) -> Vec<bool> {
    signed
        .chunks(AT_ONCE_MAX)
        .flat_map(|some| verify_some(some, seed))
        .collect()
}

/// A signature that takes part in the common equation.
struct Item {
    /// Its place in the input and in the verdicts.
    index: usize,
    /// The place of its key among the distinct ones.
    key: usize,
    numbers: Numbers,
    /// The x coordinate of its point, and whether the hint says that y is odd.
    x: Fe,
    odd: bool,
    /// The point, once [`Batch::recover_points`] has found it.
    point: Affine,
    /// The random coefficient of its equation, not 0.
    coefficient: u128,
}

/// The signatures of one call that take part in the common equation.
struct Batch<'a> {
    /// The distinct keys.
    keys: Vec<&'a PublicKey>,
    items: Vec<Item>,
}

/// Judges up to [`AT_ONCE_MAX`] signatures.
fn verify_some(signed: &[Signed<'_>], seed: &[u8; 32]) -> Vec<bool> {
    let mut verdicts = vec![false; signed.len()];
    let mut batch = Batch {
        keys: Vec::new(),
        items: Vec::with_capacity(signed.len()),
    };
    let mut places: BTreeMap<&[u8; 65], usize> = BTreeMap::new();
    for (index, one) in signed.iter().enumerate() {
        let signature = &one.signature.signature;
        let Some(numbers) = Numbers::new(&one.digest, signature) else {
            continue;
        };
        // Without a hint the point is not known, nor where two x coordinates are possible.
        let (Some(odd), (x, None)) = (one.signature.parity, numbers.x.to_x()) else {
            verdicts[index] = numbers.verify(one.key);
            continue;
        };
        let key = *places.entry(one.key.as_sec1()).or_insert_with(|| {
            batch.keys.push(one.key);
            batch.keys.len() - 1
        });
        batch.items.push(Item {
            index,
            key,
            numbers,
            x,
            odd,
            point: Affine::IDENTITY,
            coefficient: 0,
        });
    }
    if batch.is_worthwhile() {
        batch.recover_points();
        batch.draw_coefficients(signed, seed);
        batch.judge(&mut verdicts);
    } else {
        let all = 0..batch.items.len();
        batch.judge_singly(all, &mut verdicts);
    }
    verdicts
}

impl Batch<'_> {
    /// Whether the common equation costs less than single verifications.
    fn is_worthwhile(&self) -> bool {
        let all = 0..self.items.len();
        self.items.len() * RECOVERY + self.cost(&all) < self.cost_singly(&all)
    }

    /// About what [`Self::holds`] costs, in products modulo p.
    fn cost(&self, range: &Range<usize>) -> usize {
        let keys = self.keys.len().min(range.len());
        let of_keys = if keys <= KEYS_ONE_BY_ONE_MAX {
            keys * COST_OF_KEY + bucket_cost(range.len())
        } else {
            CHAIN_HALF + bucket_cost(range.len() + keys) + bucket_cost(keys)
        };
        CHAIN_HALF + of_keys
    }

    /// About what [`Self::judge_singly`] costs, in products modulo p.
    fn cost_singly(&self, range: &Range<usize>) -> usize {
        self.items[range.clone()]
            .iter()
            .map(|item| self.keys[item.key].cost_of_verifying())
            .sum()
    }

    /// Finds the point of every signature. One that has none is invalid and leaves the batch.
    fn recover_points(&mut self) {
        let xs: Vec<(Fe, bool)> = self.items.iter().map(|item| (item.x, item.odd)).collect();
        let mut points = Affine::from_x(&xs).into_iter();
        self.items.retain_mut(|item| {
            let point = points.next().flatten();
            item.point = point.unwrap_or(Affine::IDENTITY);
            point.is_some()
        });
    }

    /// Draws a coefficient for every signature from the seed and from everything that the equation
    /// depends on, so that even who knows the seed cannot choose signatures to fit coefficients.
    fn draw_coefficients(&mut self, signed: &[Signed<'_>], seed: &[u8; 32]) {
        let mut transcript = Vec::new();
        for key in &self.keys {
            transcript.extend_from_slice(key.as_sec1());
        }
        for item in &self.items {
            let one = &signed[item.index];
            transcript.extend_from_slice(one.digest.as_bytes());
            transcript.extend_from_slice(one.signature.signature.as_bytes());
            transcript.extend_from_slice(&(item.key as u64).to_be_bytes());
            transcript.push(u8::from(item.odd));
        }
        let key = sm3(&[
            COEFFICIENTS,
            seed,
            &(self.keys.len() as u64).to_be_bytes(),
            &transcript,
        ]);
        let counters: Vec<[u8; 8]> = (0..self.items.len().div_ceil(2) as u64)
            .map(u64::to_be_bytes)
            .collect();
        let blocks: Vec<[&[u8]; 2]> = counters
            .iter()
            .map(|counter| [&key.as_bytes()[..], counter])
            .collect();
        let blocks: Vec<&[&[u8]]> = blocks.iter().map(|parts| &parts[..]).collect();
        let digests = sm3_many(&blocks);
        let numbers = digests
            .iter()
            .flat_map(|digest| digest.as_bytes().as_chunks::<16>().0)
            .map(|half| u128::from_be_bytes(*half).max(1));
        for (item, coefficient) in self.items.iter_mut().zip(numbers) {
            item.coefficient = coefficient;
        }
    }

    /// Whether Σ zᵢ·(Rᵢ − sᵢ·G − tᵢ·Pᵢ) = 0 over these signatures.
    fn holds(&self, range: Range<usize>) -> bool {
        let items = &self.items[range];
        let mut of_generator = WideSum::default();
        let mut of_keys: Vec<Option<WideSum>> = vec![None; self.keys.len()];
        let mut points = Vec::with_capacity(items.len() + self.keys.len());
        for item in items {
            of_generator.add_product(item.coefficient, &item.numbers.s);
            of_keys[item.key]
                .get_or_insert_default()
                .add_product(item.coefficient, &item.numbers.t);
            points.push((item.point, item.coefficient));
        }
        let of_keys: Vec<(&PublicKey, Scalar)> = self
            .keys
            .iter()
            .zip(&of_keys)
            .filter_map(|(key, sum)| Some((*key, sum.as_ref()?.reduced().negate())))
            .collect();
        let mut sum = Chain::new();
        generator().add_multiple(&of_generator.reduced().negate(), &mut sum);
        if of_keys.len() <= KEYS_ONE_BY_ONE_MAX {
            for (key, scalar) in &of_keys {
                key.add_multiple(scalar, &mut sum);
            }
        } else {
            let mut upper = Vec::with_capacity(of_keys.len());
            for (key, scalar) in &of_keys {
                let (low, high) = scalar.halves();
                points.push((*key.point(), low));
                upper.push((*key.point(), high));
            }
            add_by_buckets(&upper, 128, &mut sum);
        }
        add_by_buckets(&points, 0, &mut sum);
        sum.sum().is_identity()
    }

    fn judge_singly(&self, range: Range<usize>, verdicts: &mut [bool]) {
        for item in &self.items[range] {
            verdicts[item.index] = item.numbers.verify(self.keys[item.key]);
        }
    }

    fn accept(&self, range: Range<usize>, verdicts: &mut [bool]) {
        for item in &self.items[range] {
            verdicts[item.index] = true;
        }
    }

    fn judge(&self, verdicts: &mut [bool]) {
        let all = 0..self.items.len();
        if self.holds(all.clone()) {
            self.accept(all, verdicts);
        } else if self.sample_is_bad() {
            self.judge_singly(all, verdicts);
        } else {
            let mut budget = self.cost_singly(&all);
            self.split(all, &mut budget, verdicts);
        }
    }

    /// Whether one of a few signatures at random places breaks the equation: it is bad, or its hint
    /// is wrong.
    fn sample_is_bad(&self) -> bool {
        let count = self.items.len();
        self.items
            .iter()
            .take(SAMPLES_MAX.min(count / SAMPLE_OF))
            .map(|item| &self.items[(item.coefficient % count as u128) as usize])
            .any(|item| !item.numbers.has_point(self.keys[item.key], &item.point))
    }

    /// Whether a common check of these is cheaper than single ones and within the budget, from
    /// which it is then taken.
    fn affords(&self, range: &Range<usize>, budget: &mut usize) -> bool {
        let cost = self.cost(range);
        if cost >= self.cost_singly(range) {
            return false;
        }
        match budget.checked_sub(cost) {
            Some(rest) => {
                *budget = rest;
                true
            }
            None => false,
        }
    }

    /// Judges signatures of which nothing is known.
    fn judge_part(&self, range: Range<usize>, budget: &mut usize, verdicts: &mut [bool]) {
        if !self.affords(&range, budget) {
            self.judge_singly(range, verdicts);
        } else if self.holds(range.clone()) {
            self.accept(range, verdicts);
        } else {
            self.split(range, budget, verdicts);
        }
    }

    /// Judges signatures of which at least one is bad or has a wrong hint.
    fn split(&self, range: Range<usize>, budget: &mut usize, verdicts: &mut [bool]) {
        let middle = range.start.midpoint(range.end);
        let (left, right) = (range.start..middle, middle..range.end);
        if !self.affords(&left, budget) {
            self.judge_singly(range, verdicts);
        } else if self.holds(left.clone()) {
            // The coefficients stay the same, so what is wrong lies in the other half.
            self.accept(left, verdicts);
            self.split(right, budget, verdicts);
        } else {
            self.split(left, budget, verdicts);
            self.judge_part(right, budget, verdicts);
        }
    }
}
