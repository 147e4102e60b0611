//! Runs a hot part a given number of times and nothing else, to be counted by
//! `scripts/instruction_counts.sh`.
//!
//! The count of a part is the difference between two runs over the difference of their times, so
//! what a part prepares before it takes its turns does not enter.

use std::hint::black_box;

use benches::hot::{self, Part};
use invoice_core::crypto::{
    Hash, HintedSignature, PublicKey, SecretKey, SecretKeySigner, Signed, Signer, USER_ID, sm3,
    verify_many,
};
use sm2::dsa::signature::hazmat::PrehashVerifier;

/// What is counted of signatures and hashes; another hot part is another line. What else happens
/// to a record is in `benches::hot`.
const PARTS: &[Part] = &[
    Part {
        name: "verify/sm2-crate",
        things: 1,
        prepare: || {
            let (signers, cases) = signatures(1, 1);
            let (_, digest, hinted) = cases[0];
            let key = signers[0].public_key();
            let theirs = sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, key.as_sec1()).unwrap();
            let plain = sm2::dsa::Signature::from_slice(hinted.signature.as_bytes()).unwrap();
            Box::new(move || {
                theirs
                    .verify_prehash(black_box(digest.as_bytes()), &plain)
                    .unwrap();
            })
        },
    },
    Part {
        name: "verify/key-used-often",
        things: 1,
        prepare: || {
            let (signers, cases) = signatures(1, 1);
            let (_, digest, hinted) = cases[0];
            Box::new(move || {
                let key = signers[0].public_key();
                assert!(key.verify_digest(black_box(&digest), &hinted.signature));
            })
        },
    },
    Part {
        name: "verify/key-seen-first",
        things: 1,
        prepare: || {
            let (signers, cases) = signatures(1, 1);
            let (_, digest, hinted) = cases[0];
            let bytes = *signers[0].public_key().as_sec1();
            Box::new(move || {
                let key = PublicKey::from_sec1(&bytes).unwrap();
                assert!(key.verify_digest(black_box(&digest), &hinted.signature));
            })
        },
    },
    Part {
        name: "verify/64-by-1-key",
        things: 64,
        prepare: || together(1, 64),
    },
    Part {
        name: "verify/64-by-64-keys",
        things: 64,
        prepare: || together(64, 64),
    },
    Part {
        name: "verify/1024-by-1-key",
        things: 1_024,
        prepare: || together(1, 1_024),
    },
    Part {
        name: "verify/1024-by-100-keys",
        things: 1_024,
        prepare: || together(100, 1_024),
    },
    Part {
        name: "verify/1024-by-1024-keys",
        things: 1_024,
        prepare: || together(1_024, 1_024),
    },
    Part {
        name: "hint/key-used-often",
        things: 1,
        prepare: || {
            let (signers, cases) = signatures(1, 1);
            let (_, _, hinted) = cases[0];
            Box::new(move || {
                let key = signers[0].public_key();
                black_box(black_box(hinted.signature).parity_hint(key));
            })
        },
    },
    Part {
        name: "key/read",
        things: 1,
        prepare: || {
            let (signers, _) = signatures(1, 0);
            let bytes = *signers[0].public_key().as_sec1();
            Box::new(move || {
                black_box(PublicKey::from_sec1(black_box(&bytes)).unwrap());
            })
        },
    },
    Part {
        name: "sm3/1-KiB",
        things: 1,
        prepare: || {
            let text = [b'x'; 1_024];
            Box::new(move || {
                black_box(sm3(&[black_box(&text)]));
            })
        },
    },
];

/// A place among the signers, a digest and its signature.
type Case = (usize, Hash, HintedSignature);

fn signatures(keys: u32, count: usize) -> (Vec<SecretKeySigner>, Vec<Case>) {
    let signers: Vec<SecretKeySigner> = (1..=keys)
        .map(|number| {
            let mut bytes = [1; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            SecretKeySigner::new(SecretKey::from_bytes(&bytes).unwrap())
        })
        .collect();
    let cases: Vec<Case> = (0..count)
        .map(|number| {
            let place = number % signers.len();
            let (signer, message) = (&signers[place], number.to_be_bytes());
            let key = signer.public_key();
            let signature = signer.sign(&message).unwrap();
            let hinted = HintedSignature::with_hint(signature, key);
            (place, key.message_digest(&message), hinted)
        })
        .collect();
    // So that the tables of the keys are there.
    for signer in &signers {
        for (_, digest, hinted) in cases.iter().cycle().take(4) {
            let _ = signer.public_key().verify_digest(digest, &hinted.signature);
        }
    }
    (signers, cases)
}

fn together(keys: u32, count: usize) -> Box<dyn FnMut()> {
    let (signers, cases) = signatures(keys, count);
    Box::new(move || {
        let signed: Vec<Signed<'_>> = cases
            .iter()
            .map(|(place, digest, signature)| Signed {
                key: signers[*place].public_key(),
                digest: *digest,
                signature: *signature,
            })
            .collect();
        assert!(
            verify_many(black_box(&signed), &[7; 32])
                .iter()
                .all(|good| *good)
        );
    })
}

fn all() -> impl Iterator<Item = &'static Part> {
    PARTS.iter().chain(hot::PARTS)
}

/// Without arguments the names and sizes of the parts, else `NAME TURNS`.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [name, turns] = &arguments[..]
        && let Some(part) = all().find(|part| part.name == name)
        && let Ok(turns) = turns.parse::<u32>()
    {
        let mut turn = (part.prepare)();
        for _ in 0..turns {
            turn();
        }
    } else {
        for part in all() {
            println!("{} {}", part.name, part.things);
        }
    }
}
