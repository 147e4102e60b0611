//! The hot parts one by one, for counting instructions (`scripts/instruction_counts.sh`).

use std::hint::black_box;
use std::path::Path;

use invoice_core::apply::{BlockPosition, Candidate, Execution, genesis_changes};
use invoice_core::calendar::Instant;
use invoice_core::chain::Genesis;
use invoice_core::crypto::{SecretKey, SecretKeySigner, sm3_many};
use invoice_core::merkle;
use invoice_core::record::{Fingerprint, Record, parse_envelope, parse_record};
use invoice_core::state::MemoryState;

use crate::cast::{Cast, CastSize, Player};
use crate::documents::{Press, Profile};
use crate::input::plan::Plan;
use crate::input::{Form, Sealer};
use crate::ledger::Ledger;

/// A part: its name, how many things one turn handles, and what prepares and returns a turn.
pub struct Part {
    /// Its name, `what/how`.
    pub name: &'static str,
    /// Things of one turn.
    pub things: usize,
    /// Prepares a turn.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

/// 2026-11-21 14:30 in UTC+8.
const NOON: Instant = Instant::from_ms(1_795_242_600_000);
const SEED: u64 = 20_261_121;
/// Things of one turn.
const RECORDS: usize = 1_000;
/// Turns of a part that cannot be repeated with the same input.
const TURNS: usize = 8;
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What happens to a record apart from its signature.
pub const PARTS: &[Part] = &[
    Part {
        name: "generator/write-and-sign",
        things: RECORDS,
        prepare: || {
            let cast = leaked_cast();
            let press: &'static Press<'static> = Box::leak(Box::new(press(cast)));
            let sealer = Sealer::new(press, genesis(cast).chain_id().clone());
            let mut plan = Plan::new(press, SEED, 1, 0, 1);
            let items: Vec<_> = (0..RECORDS).map(|_| plan.next_of(1)).collect();
            Box::new(move || {
                black_box(sealer.lines(Form::Single, black_box(&items)));
            })
        },
    },
    Part {
        name: "record/parse",
        things: RECORDS,
        prepare: || {
            let texts = texts(leaked_cast());
            Box::new(move || {
                for (_, text) in &texts {
                    let parsed = parse_record(black_box(text.as_bytes()));
                    assert!(parsed.is_ok_and(|parsed| parsed.record.is_ok()));
                }
            })
        },
    },
    Part {
        // All that execution needs of a record alone, made together as the node makes it.
        name: "record/candidates-of-1000",
        things: RECORDS,
        prepare: || {
            let texts = texts(leaked_cast());
            Box::new(move || {
                black_box(candidates(black_box(&texts)));
            })
        },
    },
    Part {
        name: "envelope/parse-of-1000",
        things: RECORDS,
        prepare: || {
            let texts = texts(leaked_cast());
            let records: Vec<_> = texts.into_iter().map(|(_, text)| text).collect();
            let kid = "0".repeat(32);
            let records = records.join(",");
            let body = format!("{{\"kid\":\"{kid}\",\"sig\":\"x\",\"records\":[{records}]}}");
            Box::new(move || {
                let envelope = parse_envelope(black_box(body.as_bytes()));
                assert!(envelope.is_ok_and(|e| e.contents.records().len() == RECORDS));
            })
        },
    },
    Part {
        name: "sm3/leaves-of-1000",
        things: RECORDS,
        prepare: || {
            let texts = texts(leaked_cast());
            let records: Vec<_> = texts.into_iter().map(|(_, text)| text).collect();
            Box::new(move || {
                black_box(merkle::root(&merkle::leaf_hashes(black_box(&records))));
            })
        },
    },
    Part {
        name: "execute/issues",
        things: RECORDS,
        prepare: || {
            let cast = leaked_cast();
            let candidates = candidates(&texts(cast));
            let mut state = MemoryState::new();
            state.apply(&genesis_changes(&genesis(cast)));
            let position = BlockPosition {
                time: NOON,
                first_index: 0,
                height: 1,
            };
            Box::new(move || {
                let mut execution = Execution::new(&state, position);
                for candidate in &candidates {
                    assert!(execution.execute(black_box(candidate)).is_ok());
                }
                black_box(execution.finish().root());
            })
        },
    },
    Part {
        name: "block/encode-1000",
        things: RECORDS,
        prepare: || {
            let folder = tempfile::tempdir();
            let cast = leaked_cast();
            let ready = folder.map_err(Into::into).and_then(|folder| {
                ledger(folder.path(), cast)?.prepare(&blocks(cast).next().unwrap_or_default())
            });
            match ready {
                Ok(ready) => Box::new(move || {
                    assert!(black_box(&ready.block).encode().is_ok());
                }),
                Err(error) => panic!("{error}"),
            }
        },
    },
    Part {
        name: "block/prepare-and-commit-1000",
        things: RECORDS,
        prepare: || {
            let cast = leaked_cast();
            let folder = match tempfile::tempdir() {
                Ok(folder) => folder,
                Err(error) => panic!("{error}"),
            };
            let mut ledger = match ledger(folder.path(), cast) {
                Ok(ledger) => ledger,
                Err(error) => panic!("{error}"),
            };
            // As many as are ever asked for, made before the turns begin.
            let mut blocks = blocks(cast).take(TURNS).collect::<Vec<_>>().into_iter();
            Box::new(move || {
                let _keep = &folder;
                let block = blocks.next().unwrap_or_default();
                assert!(!block.is_empty(), "at most {TURNS} turns");
                let written = ledger
                    .prepare(&block)
                    .and_then(|ready| ledger.commit(&ready));
                if let Err(error) = written {
                    panic!("{error}");
                }
            })
        },
    },
];

/// A process counts one part and ends, so nothing has to be given back.
fn leaked_cast() -> &'static Cast {
    Box::leak(Box::new(Cast::new(SEED, CastSize::of_issuers(40))))
}

fn press(cast: &'static Cast) -> Press<'static> {
    Press::new(cast, Profile::Usual, SEED, NOON)
}

fn validator() -> SecretKey {
    match SecretKey::from_bytes(&[9; 32]) {
        Ok(key) => key,
        Err(error) => panic!("{error}"),
    }
}

fn genesis(cast: &Cast) -> Genesis {
    cast.genesis("bench", &validator().public_key(), NOON)
}

fn ledger(folder: &Path, cast: &Cast) -> Result<Ledger, crate::ledger::Failure> {
    let signer = SecretKeySigner::new(validator());
    Ledger::create(folder, genesis(cast), signer, CACHE_BYTES)
}

fn candidates(texts: &[(&Player, String)]) -> Vec<Candidate> {
    let parts: Vec<[&[u8]; 1]> = texts.iter().map(|(_, text)| [text.as_bytes()]).collect();
    let messages: Vec<&[&[u8]]> = parts.iter().map(<[&[u8]; 1]>::as_slice).collect();
    let hashes = sm3_many(&messages);
    let parsed: Vec<_> = texts
        .iter()
        .filter_map(|(_, text)| parse_record(text.as_bytes()).ok())
        .collect();
    let documents: Vec<_> = parsed
        .iter()
        .filter_map(|parsed| parsed.record.as_ref().ok()?.body.issued())
        .collect();
    let fingerprints = Fingerprint::of_many(&documents);
    assert_eq!(fingerprints.len(), texts.len(), "all of them issue");
    let made = texts.iter().zip(parsed).zip(hashes).zip(fingerprints);
    made.map(|((((by, _), parsed), hash), fingerprint)| {
        let kid = Some(by.signer_key().kid());
        Candidate::digested(parsed, kid, hash, Some(fingerprint))
    })
    .collect()
}

fn texts(cast: &'static Cast) -> Vec<(&'static Player, String)> {
    let press = press(cast);
    let mut plan = Plan::new(&press, SEED, 1, 0, 1);
    let text = |_| {
        let item = plan.next_of(1);
        let mut text = String::new();
        press.write(item.issuer, item.serials[0], &mut text);
        (&cast.issuers[item.issuer].player, text)
    };
    (0..RECORDS).map(text).collect()
}

/// A block to be: members, each with its records.
type Envelopes = Vec<(&'static Player, Vec<Record>)>;

/// Blocks of batches of 100 records, endlessly.
fn blocks(cast: &'static Cast) -> impl Iterator<Item = Envelopes> {
    let press: &'static Press<'static> = Box::leak(Box::new(press(cast)));
    let mut plan = Plan::new(press, SEED, 100, 0, 1);
    std::iter::repeat_with(move || {
        let mut envelopes = Vec::new();
        for _ in 0..RECORDS / 100 {
            let item = plan.next_of(100);
            let record = |serial: &u64| press.record(item.issuer, *serial);
            let records = item.serials.iter().map(record).collect();
            envelopes.push((&cast.issuers[item.issuer].player, records));
        }
        envelopes
    })
}
