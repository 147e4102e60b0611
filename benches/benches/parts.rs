//! What each part of the way of a record costs, on one core.
//!
//! Where a ratio says more than a time, the baseline runs beside it in the same run: the crate's
//! own verification beside ours, one record a block beside a thousand.

use std::cell::RefCell;
use std::hint::black_box;

use benches::cast::{Cast, CastSize, Player};
use benches::documents::{Documents, lock};
use benches::ledger::{Ledger, Ready};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use invoice_core::apply::{BlockPosition, Candidate, Execution, genesis_changes};
use invoice_core::calendar::Instant;
use invoice_core::chain::{Block, Genesis, Inclusion, Leaf, Receipt};
use invoice_core::chain::{ReceiptAuthorization, ReceiptSignature, ValidatorChanges};
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{
    HintedSignature, SecretKey, SecretKeySigner, Signer, USER_ID, sm3_many,
};
use invoice_core::merkle::{self, Frontier};
use invoice_core::record::{Record, parse_envelope, parse_record};
use invoice_core::state::{MemoryState, TypedState};
use sm2::dsa::signature::Verifier;

const SEED: u64 = 20_261_121;
const CHAIN: &str = "bench";
/// 2026-11-21 14:30 in UTC+8.
const NOON: Instant = Instant::from_ms(1_795_242_600_000);
const BATCH: usize = 256;
const CACHE_BYTES: usize = 256 * 1024 * 1024;
/// Records that fill a block of 8 MiB.
const FULL_BLOCK: usize = 6_000;
/// Records of the store in which entries are looked up: enough for files beside what is in memory.
const LOOKED_UP: usize = 120_000;

fn cast() -> Cast {
    Cast::new(SEED, CastSize::of_issuers(200))
}

fn validator() -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[9; 32]).unwrap())
}

fn genesis(cast: &Cast) -> Genesis {
    cast.genesis(CHAIN, validator().public_key(), NOON)
}

/// Documents of any issuer, with who signs each.
fn documents(cast: &Cast, count: usize) -> Vec<(&Player, Record)> {
    let mut documents = Documents::new(cast, SEED, 1, NOON);
    (0..count)
        .map(|_| {
            let issuer = documents.any_issuer();
            (&cast.issuers[issuer].player, documents.next_of(issuer))
        })
        .collect()
}

/// A stream of batches of one issuer each.
fn batches<'c>(cast: &'c Cast, size: usize) -> impl FnMut() -> (&'c Player, Vec<Record>) {
    let mut documents = Documents::new(cast, SEED, 1, NOON);
    move || {
        let issuer = documents.any_issuer();
        let records = (0..size).map(|_| documents.next_of(issuer)).collect();
        (&cast.issuers[issuer].player, records)
    }
}

fn candidate(by: &Player, text: &[u8]) -> Candidate {
    Candidate::new(parse_record(text).unwrap(), by.signer.public_key().kid())
}

fn envelope(by: &Player, records: &[String]) -> Vec<u8> {
    let kid = by.signer.public_key().kid();
    let signature = by.signer.sign(b"only parsed").unwrap();
    let records = records.join(",");
    let member = format!("\"records\":[{records}]");
    format!("{{\"kid\":\"{kid}\",\"sig\":\"{signature}\",{member}}}").into_bytes()
}

fn parse(criterion: &mut Criterion) {
    let cast = cast();
    let texts: Vec<String> = documents(&cast, 1_000)
        .iter()
        .map(|(_, record)| record.to_json())
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("a record has {} bytes on average", bytes / texts.len());
    let body = envelope(&cast.issuers[0].player, &texts[..BATCH]);

    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("1000 records", |bencher| {
        bencher.iter(|| {
            texts
                .iter()
                .filter(|text| parse_record(black_box(text.as_bytes())).is_ok())
                .count()
        });
    });
    group.bench_function("1000 records as untyped JSON (baseline)", |bencher| {
        let untyped = |text: &String| serde_json::from_str::<serde_json::Value>(black_box(text));
        bencher.iter(|| texts.iter().filter(|text| untyped(text).is_ok()).count());
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("envelope of 256, records unread", |bencher| {
        bencher.iter(|| {
            parse_envelope(black_box(&body))
                .unwrap()
                .contents
                .records()
                .len()
        });
    });
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let cast = cast();
    let chain = CHAIN.parse().unwrap();
    let (by, record) = &documents(&cast, 1)[0];
    let key = by.signer.public_key();
    let message = record_message(&chain, record.to_json().as_bytes());
    let signature = by.signer.sign(&message).unwrap();

    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one signature", |bencher| {
        bencher.iter(|| assert!(key.verify(black_box(&message), black_box(&signature))));
    });
    let theirs = sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, key.as_sec1()).unwrap();
    let plain = sm2::dsa::Signature::from_slice(signature.as_bytes()).unwrap();
    group.bench_function("one signature, sm2 crate (baseline)", |bencher| {
        bencher.iter(|| {
            theirs
                .verify(black_box(&message), black_box(&plain))
                .unwrap()
        });
    });
    group.bench_function("sign", |bencher| {
        bencher.iter(|| by.signer.sign(black_box(&message)).unwrap());
    });
    group.bench_function("hint of one signature", |bencher| {
        bencher.iter(|| HintedSignature::with_hint(black_box(signature), key));
    });

    let texts: Vec<String> = documents(&cast, BATCH)
        .iter()
        .map(|(_, record)| record.to_json())
        .collect();
    let of_batch = |texts: &[String]| {
        let leaves: Vec<_> = texts
            .iter()
            .map(|text| merkle::leaf_hash(text.as_bytes()))
            .collect();
        batch_message(&chain, BATCH as u32, &merkle::root(&leaves), false)
    };
    let signature = by.signer.sign(&of_batch(&texts)).unwrap();
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("256 records under one signature", |bencher| {
        bencher.iter(|| assert!(key.verify(&of_batch(black_box(&texts)), &signature)));
    });
    group.finish();
}

fn apply(criterion: &mut Criterion) {
    let cast = cast();
    let mut state = MemoryState::new();
    state.apply(&genesis_changes(&genesis(&cast)));
    let position = BlockPosition {
        time: NOON,
        first_index: 0,
        height: 1,
    };
    let issued = documents(&cast, 1_000);
    let candidates = |records: &[(&Player, Record)]| -> Vec<Candidate> {
        records
            .iter()
            .map(|(by, record)| candidate(by, record.to_json().as_bytes()))
            .collect()
    };
    let issues = candidates(&issued);
    let run = |state: &MemoryState, candidates: &[Candidate]| {
        let mut execution = Execution::new(state, position);
        for candidate in candidates {
            black_box(execution.execute(candidate).unwrap());
        }
        execution.finish()
    };

    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(issues.len() as u64));
    group.bench_function("1000 issues", |bencher| {
        bencher.iter(|| run(&state, &issues))
    });

    let mut after = state.clone();
    after.apply(&run(&state, &issues));
    let locks: Vec<_> = (0..)
        .zip(&issued)
        .filter_map(|(number, (_, record))| lock(&cast, record, number))
        .collect();
    let locks = candidates(&locks);
    group.throughput(Throughput::Elements(locks.len() as u64));
    let name = format!("{} locks", locks.len());
    group.bench_function(name, |bencher| bencher.iter(|| run(&after, &locks)));
    group.throughput(Throughput::Elements(issues.len() as u64));
    group.bench_function("1000 issues again (replays)", |bencher| {
        bencher.iter(|| run(&after, &issues));
    });
    group.finish();
}

fn tree(criterion: &mut Criterion) {
    let cast = cast();
    let texts: Vec<String> = documents(&cast, 1_000)
        .iter()
        .map(|(_, record)| record.to_json())
        .collect();
    let hashes: Vec<_> = texts
        .iter()
        .map(|text| merkle::leaf_hash(text.as_bytes()))
        .collect();
    let mut before = Frontier::new();
    for _ in 0..1_000 {
        hashes.iter().for_each(|hash| before.push(*hash));
    }

    let mut group = criterion.benchmark_group("merkle");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("hash 1000 leaves", |bencher| {
        let hash = |text: &String| merkle::leaf_hash(black_box(text.as_bytes()));
        bencher.iter(|| {
            texts
                .iter()
                .map(hash)
                .fold(0, |sum, hash| sum ^ hash.as_bytes()[0])
        });
    });
    group.bench_function("hash 1000 leaves together", |bencher| {
        bencher.iter(|| merkle::leaf_hashes(black_box(&texts)));
    });
    let parts: Vec<[&[u8]; 1]> = texts.iter().map(|text| [text.as_bytes()]).collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 1]>::as_slice).collect();
    group.bench_function("SM3 of 1000 records together", |bencher| {
        bencher.iter(|| sm3_many(black_box(&messages)));
    });
    group.bench_function("append 1000 leaves to a million, and the root", |bencher| {
        bencher.iter(|| {
            let mut frontier = before.clone();
            hashes.iter().for_each(|hash| frontier.push(*hash));
            frontier.root()
        });
    });
    group.throughput(Throughput::Elements(1));
    let root = merkle::root(&hashes);
    let node = |level: u8, index: u64| {
        let size = 1_usize << level;
        let start = index as usize * size;
        Ok::<_, ()>(merkle::root(&hashes[start..start + size]))
    };
    let path = merkle::inclusion_path(437, 1_000, node).unwrap();
    group.bench_function("verify one inclusion in 1000", |bencher| {
        let leaf = black_box(&hashes[437]);
        bencher.iter(|| assert!(merkle::verify_inclusion(leaf, 437, 1_000, &path, &root)));
    });
    group.finish();
}

fn ledger(cast: &Cast, folder: &std::path::Path) -> Ledger {
    Ledger::create(folder, genesis(cast), validator(), CACHE_BYTES).unwrap()
}

fn block(criterion: &mut Criterion) {
    let cast = cast();
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&cast, folder.path());
    let ready = ledger.prepare(&[batches(&cast, 1_000)()]).unwrap();
    let bytes = ready.block.encode().unwrap();

    let mut group = criterion.benchmark_group("block");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("encode 1000 records", |bencher| {
        bencher.iter(|| black_box(&ready.block).encode().unwrap());
    });
    group.bench_function("decode 1000 records", |bencher| {
        bencher.iter(|| Block::decode(black_box(&bytes)).unwrap());
    });
    group.finish();
}

fn commit(criterion: &mut Criterion) {
    let cast = cast();
    let mut group = criterion.benchmark_group("commit with fsync");
    for size in [1, 100, 1_000, FULL_BLOCK] {
        let folder = tempfile::tempdir().unwrap();
        let ledger = RefCell::new(ledger(&cast, folder.path()));
        let mut one = batches(&cast, size.min(1_000));
        let mut next = || -> Vec<_> { (0..size.div_ceil(1_000)).map(|_| one()).collect() };
        group.sample_size(20);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("{size} records a block"), |bencher| {
            bencher.iter_batched_ref(
                || ledger.borrow().prepare(&next()).unwrap(),
                |ready: &mut Ready| ledger.borrow_mut().commit(ready).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Entries of documents, there and absent, in a store with more than its memory holds.
fn lookup(criterion: &mut Criterion) {
    let cast = cast();
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&cast, folder.path());
    let mut one = batches(&cast, 1_000);
    let mut present = Vec::new();
    for _ in 0..LOOKED_UP / FULL_BLOCK {
        let block: Vec<_> = (0..FULL_BLOCK / 1_000).map(|_| one()).collect();
        let records = block.iter().flat_map(|(_, records)| records);
        present.extend(
            records
                .step_by(37)
                .filter_map(|record| record.body.document().copied()),
        );
        let ready = ledger.prepare(&block).unwrap();
        ledger.commit(&ready).unwrap();
    }
    let mut strangers = Documents::new(&cast, SEED, 1_000_000, NOON);
    let absent: Vec<_> = (0..present.len())
        .filter_map(|_| strangers.next_document().body.document().copied())
        .collect();
    let snapshot = ledger.snapshot().unwrap();
    let state = TypedState(&snapshot);
    let mut group = criterion.benchmark_group("look up a document");
    group.throughput(Throughput::Elements(1));
    for (name, keys, found) in [("there", &present, true), ("absent", &absent, false)] {
        let mut turn = 0;
        group.bench_function(format!("{name}, of {LOOKED_UP}"), |bencher| {
            bencher.iter(|| {
                // A stride that is prime to the number of keys comes by all of them.
                turn = (turn + 1_009) % keys.len();
                let entry = state.document(black_box(&keys[turn])).unwrap();
                assert_eq!(entry.is_some(), found);
            });
        });
    }
    group.finish();
}

/// The receipt of a record in the middle of the chain's first block.
fn some_receipt(cast: &Cast, ledger: &Ledger, size: usize) -> Receipt {
    let mut documents = Documents::new(cast, SEED, 1, NOON);
    let by = &cast.issuers[0].player;
    let records: Vec<Record> = (0..size).map(|_| documents.next_of(0)).collect();
    let texts: Vec<String> = records.iter().map(Record::to_json).collect();
    let chain = ledger.genesis().chain_id().clone();
    let key = by.signer.public_key();
    let Ready {
        block,
        leaf_hashes,
        certificate,
        ..
    } = ledger.prepare(&[(by, records)]).unwrap();
    let header = block.header;
    let signed = block.envelopes.into_iter().next().unwrap();
    let place = size / 2;
    let message = signed.signed_message(&chain).unwrap();
    let node = |level: u8, index: u64| {
        let span = 1_usize << level;
        let start = index as usize * span;
        Ok::<_, ()>(merkle::root(&leaf_hashes[start..start + span]))
    };
    let path = merkle::inclusion_path(place as u64, size as u64, node).unwrap();
    let outcome = signed.entries[place].outcome.clone();
    let leaf = Leaf {
        kid: key.kid(),
        record: texts[place].as_bytes(),
        outcome: &outcome,
    };
    assert_eq!(leaf.hash().unwrap(), leaf_hashes[place]);
    let record: serde_json::Value = serde_json::from_str(&texts[place]).unwrap();
    Receipt {
        chain_id: chain,
        by: by.id.to_string(),
        id: record["id"].as_str().unwrap().to_owned(),
        record: texts[place].clone(),
        outcome,
        height: header.height,
        index: place as u64,
        time: Instant::from_ms(header.time_ms).to_rfc3339_utc8(),
        inclusion: Inclusion {
            tree_size: size as u64,
            path,
        },
        header,
        round: 0,
        signatures: certificate
            .signatures
            .iter()
            .map(|(kid, sig)| ReceiptSignature {
                kid: *kid,
                sig: *sig,
            })
            .collect(),
        authorization: ReceiptAuthorization {
            kid: key.kid(),
            public_key: key.clone(),
            sig: by.signer.sign(&message).unwrap(),
            batch: signed.batch_proof(place),
        },
        validator_changes: ValidatorChanges::default(),
    }
}

fn receipt(criterion: &mut Criterion) {
    let cast = cast();
    let folder = tempfile::tempdir().unwrap();
    let ledger = ledger(&cast, folder.path());
    let mut group = criterion.benchmark_group("receipt");
    group.throughput(Throughput::Elements(1));
    for (size, name) in [(1, "of a single"), (1_000, "of a batch of 1000")] {
        let receipt = some_receipt(&cast, &ledger, size);
        receipt.verify(ledger.genesis()).unwrap();
        let text = serde_json::to_vec(&receipt).unwrap();
        group.bench_function(format!("read and verify, {name}"), |bencher| {
            bencher.iter(|| {
                Receipt::parse(black_box(&text))
                    .unwrap()
                    .verify(ledger.genesis())
                    .unwrap();
            });
        });
    }
    group.finish();
}

/// The proofs that a batch's receipts carry, of all its records at once and one by one.
fn proofs(criterion: &mut Criterion) {
    let cast = cast();
    let folder = tempfile::tempdir().unwrap();
    let ready = ledger(&cast, folder.path())
        .prepare(&[batches(&cast, 1_000)()])
        .unwrap();
    let envelope = &ready.block.envelopes[0];
    let mut group = criterion.benchmark_group("batch proofs");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1000 from one tree", |bencher| {
        bencher.iter(|| {
            let tree = black_box(envelope).batch_tree().unwrap();
            (0..1_000)
                .filter(|entry| tree.proof(*entry).is_some())
                .count()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one with a tree of its own (baseline)", |bencher| {
        bencher.iter(|| black_box(envelope).batch_proof(437).unwrap());
    });
    group.finish();
}

criterion_group!(
    parts, parse, verify, apply, tree, block, commit, lookup, receipt, proofs
);
criterion_main!(parts);
