use super::*;
use crate::chain::Leaf;
use crate::chain::{Authorization, BlockEnvelope, Entry, Validator, ValidatorSet};
use crate::crypto::messages::{batch_message, precommit_message, record_message};
use crate::crypto::{SecretKey, SecretKeySigner, Signer, sm3};
use crate::merkle::{inclusion_path, leaf_hash, root};

fn signer(n: u8) -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[n; 32]).unwrap())
}

fn genesis() -> Genesis {
    let validator = Validator {
        public_key: signer(1).public_key().clone(),
        group: None,
        weight: 1,
        name: "税务局".into(),
    };
    let validators = ValidatorSet::new(vec![validator]).unwrap();
    Genesis::compose(
        "sz-2026".parse().unwrap(),
        1_795_242_600_000,
        validators,
        Vec::new(),
    )
    .unwrap()
}

const RECORD: &str = r#"{"type":"x","id":"r-1","by":"11440300MB2C93218M","note":"票\n A"}"#;

/// A block of height 1 with three records, of which the receipt is for the second.
fn receipt(outcome: Outcome, batch: bool) -> Receipt {
    let (genesis, member, validator) = (genesis(), signer(2), signer(1));
    let (chain, kid) = (genesis.chain_id().clone(), member.public_key().kid());
    let (sig, batch) = if batch {
        let leaves = [
            leaf_hash(b"other"),
            leaf_hash(RECORD.as_bytes()),
            leaf_hash(b"third"),
        ];
        let signature = member
            .sign(&batch_message(&chain, 3, &root(&leaves), true))
            .unwrap();
        let envelope = BlockEnvelope {
            authorization: Authorization::Batch {
                kid,
                signature,
                atomic: true,
                count: 3,
                omitted: vec![(0, leaves[0]), (2, leaves[2])],
            },
            entries: vec![Entry {
                record: RECORD.into(),
                outcome: outcome.clone(),
            }],
            parity: None,
        };
        (signature, envelope.batch_proof(0))
    } else {
        (
            member
                .sign(&record_message(&chain, RECORD.as_bytes()))
                .unwrap(),
            None,
        )
    };
    let leaf = Leaf {
        kid,
        record: RECORD.as_bytes(),
        outcome: &outcome,
    }
    .hash()
    .unwrap();
    let leaves = [leaf_hash(b"before"), leaf, leaf_hash(b"after")];
    let node = |level: u8, index: u64| {
        let start = (index << level) as usize;
        Ok::<_, ()>(root(&leaves[start..start + (1 << level)]))
    };
    let path = inclusion_path(1, 3, node).unwrap();
    let header = Header {
        chain_id: chain.clone(),
        height: 1,
        time_ms: 1_795_242_600_123,
        previous: genesis.hash(),
        first_index: 0,
        count: 3,
        log_size: 3,
        log_root: root(&leaves),
        effects_root: sm3(&[]),
        validators: genesis.validators().digest(),
    };
    let voter = validator.public_key().kid();
    let vote = validator
        .sign(&precommit_message(&chain, 1, 0, &header.id(), &voter))
        .unwrap();
    Receipt {
        chain_id: chain,
        by: "11440300MB2C93218M".into(),
        id: "r-1".into(),
        record: RECORD.into(),
        outcome,
        height: 1,
        index: 1,
        time: "2026-11-21T14:30:00.123+08:00".into(),
        inclusion: Inclusion { tree_size: 3, path },
        header,
        round: 0,
        signatures: vec![ReceiptSignature {
            kid: voter,
            sig: vote,
        }],
        authorization: ReceiptAuthorization {
            kid,
            public_key: member.public_key().clone(),
            sig,
            batch,
        },
        validator_changes: ValidatorChanges::default(),
    }
}

fn refused() -> Outcome {
    Outcome::refused(
        "claim_exceeds_remaining",
        Facts::new()
            .with("remaining", "40.00")
            .with("asked", "60.00"),
    )
}

fn holds(bytes: &[u8], genesis: &Genesis) -> bool {
    Receipt::parse(bytes)
        .and_then(|receipt| receipt.verify(genesis))
        .is_ok()
}

#[test]
fn a_receipt_proves_itself_by_the_genesis_file_alone() {
    for outcome in [Outcome::accepted(), refused()] {
        for batch in [false, true] {
            let receipt = receipt(outcome.clone(), batch);
            assert_eq!(receipt.verify(&genesis()), Ok(()));
            let json = serde_json::to_vec(&receipt).unwrap();
            assert_eq!(Receipt::parse(&json), Ok(receipt.clone()));
            assert!(holds(
                &serde_json::to_vec_pretty(&receipt).unwrap(),
                &genesis()
            ));
        }
    }
}

#[test]
fn any_byte_changed_spoils_a_receipt() {
    let genesis = genesis();
    for receipt in [
        receipt(Outcome::accepted(), false),
        receipt(refused(), true),
    ] {
        let json = serde_json::to_vec(&receipt).unwrap();
        for at in 0..json.len() {
            let digit = if json[at] == b'0' { b'1' } else { b'0' };
            for with in [
                json[at] ^ 1,
                json[at] ^ 0x20,
                json[at] ^ 0x80,
                digit,
                b'"',
                b' ',
            ] {
                let mut bad = json.clone();
                bad[at] = with;
                if bad != json {
                    assert!(
                        !holds(&bad, &genesis),
                        "byte {at}: {}",
                        String::from_utf8_lossy(&bad)
                    );
                }
            }
            let shorter = [&json[..at], &json[at + 1..]].concat();
            assert!(!holds(&shorter, &genesis), "without byte {at}");
        }
    }
}

#[test]
fn members_are_known_and_occur_once() {
    let json = serde_json::to_string(&receipt(refused(), true)).unwrap();
    for name in [
        "\"height\":",
        "\"tree_size\":",
        "\"status\":",
        "\"asked\":",
        "\"count\":",
        "\"public_key\":",
    ] {
        assert_eq!(json.matches(name).count(), 1, "{name}");
        let unknown = json.replace(name, &format!("\"{}x\":1,{name}", &name[1..name.len() - 2]));
        assert!(
            matches!(
                Receipt::parse(unknown.as_bytes()),
                Err(ReceiptFault::Form(_))
            ) || name == "\"asked\":"
        );
        assert!(!holds(unknown.as_bytes(), &genesis()));
        let start = json.find(name).unwrap();
        let value = &json[start..start + json[start..].find([',', '}']).unwrap()];
        let twice = json.replacen(value, &format!("{value},{value}"), 1);
        assert!(
            matches!(Receipt::parse(twice.as_bytes()), Err(ReceiptFault::Form(_))),
            "{name}"
        );
    }
}

#[test]
fn an_escape_has_one_spelling() {
    let json = serde_json::to_string(&receipt(Outcome::accepted(), false)).unwrap();
    assert!(holds(json.replace('票', "\\u7968").as_bytes(), &genesis()));
    assert!(holds(
        json.replace("sz-2026", "\\u0073z-\\u0032026").as_bytes(),
        &genesis()
    ));
    assert!(!holds(
        json.replace("sz-2026", "s\\u007A-2026").as_bytes(),
        &genesis()
    ));
}

#[test]
fn each_broken_link_is_named() {
    let (genesis, good) = (genesis(), receipt(refused(), true));
    let fault = |change: fn(&mut Receipt)| {
        let mut bad = good.clone();
        change(&mut bad);
        bad.verify(&genesis).unwrap_err()
    };
    assert_eq!(
        fault(|r| r.chain_id = "bj".parse().unwrap()),
        ReceiptFault::OtherChain
    );
    assert_eq!(fault(|r| r.by.push('x')), ReceiptFault::Identity);
    assert_eq!(fault(|r| r.height = 2), ReceiptFault::Header);
    assert_eq!(fault(|r| r.index = 3), ReceiptFault::Header);
    assert_eq!(
        fault(|r| r.header.previous = sm3(&[])),
        ReceiptFault::Predecessor
    );
    assert_eq!(fault(|r| r.index = 0), ReceiptFault::Inclusion);
    assert_eq!(
        fault(|r| r.outcome = Outcome::accepted()),
        ReceiptFault::Inclusion
    );
    assert_eq!(
        fault(|r| r.header.validators = sm3(&[])),
        ReceiptFault::Validators
    );
    assert!(matches!(
        fault(|r| r.round = 1),
        ReceiptFault::Certificate(CertificateError::Signature(_))
    ));
    assert_eq!(
        fault(|r| r.signatures.clear()),
        ReceiptFault::Certificate(CertificateError::NoQuorum)
    );
    let key = |r: &mut Receipt| r.authorization.public_key = signer(3).public_key().clone();
    assert_eq!(fault(key), ReceiptFault::SubmitterKey);
    assert_eq!(
        fault(|r| r.authorization.sig = r.signatures[0].sig),
        ReceiptFault::SubmitterSignature
    );
    assert_eq!(
        fault(|r| r.authorization.batch = None),
        ReceiptFault::SubmitterSignature
    );
    let position = |r: &mut Receipt| {
        r.authorization
            .batch
            .iter_mut()
            .for_each(|batch| batch.position = 3)
    };
    assert_eq!(fault(position), ReceiptFault::Batch);
}

#[test]
fn the_quick_writer_writes_what_serde_writes() {
    let ascii: String = (0_u8..128).map(char::from).collect();
    let texts = [
        "",
        RECORD,
        &ascii,
        "票\u{2028}\"\\\"\u{10ffff}",
        "\u{0}",
        "\"",
    ];
    let mut several = receipt(refused(), true);
    several.signatures.push(several.signatures[0].clone());
    several.round = u32::MAX;
    (several.height, several.index) = (u64::MAX, 0);
    let mut none = receipt(Outcome::accepted(), false);
    none.signatures.clear();
    none.inclusion.path.clear();
    for receipt in [several, none] {
        for text in texts {
            let receipt = Receipt {
                record: text.to_owned(),
                by: text.to_owned(),
                id: text.to_owned(),
                outcome: match receipt.outcome.code() {
                    Some(code) => {
                        Outcome::refused(code, Facts::new().with(text, text).with("z", 1))
                    }
                    None => Outcome::accepted(),
                },
                ..receipt.clone()
            };
            assert_eq!(receipt.to_json(), serde_json::to_vec(&receipt).unwrap());
        }
    }
}
