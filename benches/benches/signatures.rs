//! Verifying SM2 signatures: the crate alone, our single path, and many together, on one core.
//!
//! What counts are the ratios to the baseline of the same run.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use invoice_core::crypto::{
    Hash, HintedSignature, PublicKey, SecretKey, SecretKeySigner, Signed, Signer, USER_ID,
    verify_many,
};
use sm2::dsa::signature::hazmat::PrehashVerifier;

const SEED: [u8; 32] = [0x5e; 32];
const SIZES: [usize; 6] = [2, 8, 16, 64, 256, 1_024];
const KEYS: [usize; 3] = [1, 100, 1_024];

/// A signature and the place of its key.
struct Case {
    key: usize,
    digest: Hash,
    signature: HintedSignature,
}

fn signers(count: usize) -> Vec<SecretKeySigner> {
    (1..=count as u32)
        .map(|number| {
            let mut bytes = [1; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            SecretKeySigner::new(SecretKey::from_bytes(&bytes).unwrap())
        })
        .collect()
}

fn cases(signers: &[SecretKeySigner], count: usize) -> Vec<Case> {
    (0..count)
        .map(|number| {
            let key = number % signers.len();
            let message = number.to_be_bytes();
            let signature = signers[key].sign(&message).unwrap();
            let by = signers[key].public_key();
            Case {
                key,
                digest: by.message_digest(&message),
                signature: HintedSignature::with_hint(signature, by),
            }
        })
        .collect()
}

/// The keys as just read from their bytes: nothing about them has been computed yet.
fn fresh(signers: &[SecretKeySigner]) -> Vec<PublicKey> {
    signers
        .iter()
        .map(|signer| PublicKey::from_sec1(signer.public_key().as_sec1()).unwrap())
        .collect()
}

fn signed<'a>(cases: &[Case], keys: &'a [PublicKey]) -> Vec<Signed<'a>> {
    cases
        .iter()
        .map(|case| Signed {
            key: &keys[case.key],
            digest: case.digest,
            signature: case.signature,
        })
        .collect()
}

/// Keys that have verified before, as those of a registry have.
fn used(keys: Vec<PublicKey>, cases: &[Case]) -> Vec<PublicKey> {
    for _ in 0..4 {
        for case in cases {
            assert!(keys[case.key].verify_digest(&case.digest, &case.signature.signature));
        }
    }
    keys
}

fn single(criterion: &mut Criterion) {
    let signers = signers(100);
    let cases = cases(&signers, 100);
    let mut group = criterion.benchmark_group("one signature");
    group.throughput(Throughput::Elements(1));
    let case = &cases[0];
    let theirs =
        sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, signers[case.key].public_key().as_sec1())
            .unwrap();
    let plain = sm2::dsa::Signature::from_slice(case.signature.signature.as_bytes()).unwrap();
    group.bench_function("sm2 crate (baseline)", |bencher| {
        bencher.iter(|| {
            theirs
                .verify_prehash(black_box(case.digest.as_bytes()), black_box(&plain))
                .unwrap();
        });
    });
    group.bench_function("key seen for the first time", |bencher| {
        bencher.iter_batched(
            || fresh(&signers[..1]).remove(0),
            |key| assert!(key.verify_digest(black_box(&case.digest), &case.signature.signature)),
            BatchSize::SmallInput,
        );
    });
    let keys = used(fresh(&signers), &cases);
    group.bench_function("key used often", |bencher| {
        let mut turn = cases.iter().cycle();
        bencher.iter(|| {
            let case = turn.next().unwrap();
            assert!(
                keys[case.key].verify_digest(black_box(&case.digest), &case.signature.signature)
            );
        });
    });
    group.bench_function("hint, key used often", |bencher| {
        bencher.iter(|| {
            black_box(case.signature.signature)
                .parity_hint(&keys[case.key])
                .unwrap()
        });
    });
    group.bench_function("reading a key", |bencher| {
        bencher.iter(|| PublicKey::from_sec1(black_box(keys[0].as_sec1())).unwrap());
    });
    group.finish();
}

fn together(criterion: &mut Criterion) {
    for key_count in KEYS {
        let signers = signers(key_count);
        let cases = cases(&signers, 1_024);
        let keys = used(fresh(&signers), &cases);
        let mut group = criterion.benchmark_group(format!("together, {key_count} keys"));
        for size in SIZES {
            let signed = signed(&cases[..size], &keys);
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new("signatures", size), |bencher| {
                bencher.iter(|| assert!(verify_many(black_box(&signed), &SEED).iter().all(|v| *v)));
            });
        }
        group.finish();
    }
}

/// Junk costs whoever receives it: a bad signature with a point on the curve and a hint, which
/// only the equation gives away.
fn bad(criterion: &mut Criterion) {
    let signers = signers(100);
    let cases = cases(&signers, 1_024);
    let keys = used(fresh(&signers), &cases);
    let mut group = criterion.benchmark_group("1024 signatures by 100 keys, some bad");
    group.throughput(Throughput::Elements(1_024));
    for bad in [1, 10, 102, 512, 1_024] {
        let mut signed = signed(&cases, &keys);
        for turn in 0..bad {
            // r and s of the right point, under the wrong key.
            let place = turn * 1_024 / bad;
            signed[place].key = &keys[(cases[place].key + 1) % keys.len()];
        }
        group.bench_function(BenchmarkId::new("bad", bad), |bencher| {
            bencher.iter(|| {
                let verdicts = verify_many(black_box(&signed), &SEED);
                assert_eq!(verdicts.iter().filter(|good| !**good).count(), bad);
            });
        });
    }
    group.finish();
}

criterion_group!(signatures, single, together, bad);
criterion_main!(signatures);
