use super::*;
use crate::calendar::Instant;
use crate::chain::{
    CertificateError, Group, Leaf, RECEIPT_BYTES_MAX, Validator, ValidatorSetError,
};
use crate::crypto::messages::{precommit_message, record_message};
use crate::crypto::{SecretKey, SecretKeySigner, Signer, sm3};
use crate::record::{Countersignature, Record, ValidatorsChange};

const BY: &str = "91330000142942095H";
const OTHER: &str = r#"{"type":"x","id":"r-1","by":"91330000142942095H"}"#;

fn signer(n: u8) -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[n; 32]).unwrap())
}

fn set_of(keys: impl IntoIterator<Item = u8>) -> Result<ValidatorSet, ValidatorSetError> {
    let groups = [Group::Tax, Group::Finance].into_iter().cycle();
    let validator = |(key, group)| Validator {
        public_key: signer(key).public_key().clone(),
        weight: 1,
        group: Some(group),
        name: "局".to_owned(),
    };
    ValidatorSet::new(keys.into_iter().zip(groups).map(validator).collect())
}

/// Validators 1 to 4, then 3 to 6, then 5 to 8.
fn set(number: u8) -> ValidatorSet {
    set_of(1 + 2 * number..5 + 2 * number).unwrap()
}

fn genesis() -> Genesis {
    let chain = "sz-2026".parse().unwrap();
    Genesis::compose(chain, 1_795_242_600_000, set(0), Vec::new()).unwrap()
}

fn change_record(from_height: u64, replaces: Hash, validators: ValidatorSet) -> String {
    let change = NewValidators {
        from_height,
        replaces,
        validators,
    };
    let countersigned = Countersignature {
        by: BY.parse().unwrap(),
        kid: signer(31).public_key().kid(),
        sig: signer(31).sign(b"judged by those who recorded it").unwrap(),
    };
    let record = Record {
        id: "r-1".parse().unwrap(),
        by: BY.parse().unwrap(),
        at: Instant::from_ms(1_795_242_600_000),
        body: Body::ValidatorsChange(Box::new(ValidatorsChange {
            change,
            countersigned,
        })),
    };
    record.to_json()
}

/// A receipt for the only record of a block that these keys decided.
fn receipt(
    height: u64,
    named: &ValidatorSet,
    voters: &[u8],
    record: &str,
    changes: &ValidatorChanges,
) -> Receipt {
    let (chain_id, outcome) = (genesis().chain_id().clone(), Outcome::accepted());
    let member = signer(30);
    let kid = member.public_key().kid();
    let leaf = Leaf {
        kid,
        record: record.as_bytes(),
        outcome: &outcome,
    };
    let header = Header {
        chain_id: chain_id.clone(),
        height,
        time_ms: 1_795_242_600_123,
        previous: genesis().hash(),
        first_index: 0,
        count: 1,
        log_size: 1,
        log_root: leaf.hash().unwrap(),
        effects_root: sm3(&[]),
        validators: named.digest(),
    };
    let vote = |key: &u8| {
        let kid = signer(*key).public_key().kid();
        let message = precommit_message(&chain_id, height, 0, &header.id(), &kid);
        let sig = signer(*key).sign(&message).unwrap();
        ReceiptSignature { kid, sig }
    };
    let mut signatures: Vec<_> = voters.iter().map(vote).collect();
    signatures.sort_unstable_by_key(|vote| vote.kid);
    let sig = member
        .sign(&record_message(&chain_id, record.as_bytes()))
        .unwrap();
    Receipt {
        by: BY.to_owned(),
        id: "r-1".to_owned(),
        record: record.to_owned(),
        outcome,
        height,
        index: 0,
        time: Instant::from_ms(header.time_ms).to_rfc3339_utc8(),
        inclusion: Inclusion {
            tree_size: 1,
            path: Vec::new(),
        },
        header,
        round: 0,
        signatures,
        authorization: ReceiptAuthorization {
            kid,
            public_key: member.public_key().clone(),
            sig,
            batch: None,
        },
        validator_changes: Arc::clone(changes),
        chain_id,
    }
}

fn none() -> ValidatorChanges {
    ValidatorChanges::default()
}

fn change(height: u64, by: u8, from_height: u64, to: u8) -> Arc<ValidatorChange> {
    let record = change_record(from_height, set(by).digest(), set(to));
    let voters = [2 + 2 * by, 3 + 2 * by, 4 + 2 * by];
    Arc::new(receipt(height, &set(by), &voters, &record, &none()).into())
}

/// The second set decides from height 10 on, the third from 20 on.
fn both() -> ValidatorChanges {
    [change(5, 0, 10, 1), change(10, 1, 20, 2)].into()
}

fn first(count: usize) -> ValidatorChanges {
    both()[..count].into()
}

/// A good receipt of a height: three of the four that decide on it sign.
fn good(height: u64) -> Receipt {
    let era = match height {
        ..10 => 0,
        10..20 => 1,
        20.. => 2,
    };
    let voters = [1, 2, 3].map(|n| n + 2 * era);
    receipt(height, &set(era), &voters, OTHER, &first(era.into()))
}

#[test]
fn receipts_before_between_and_after_changes_verify_by_the_genesis_file_alone() {
    for height in [1, 5, 9, 10, 11, 19, 20, 1_000] {
        let receipt = good(height);
        assert_eq!(receipt.verify(&genesis()), Ok(()), "{height}");
        let json = receipt.to_json();
        assert_eq!(json, serde_json::to_vec(&receipt).unwrap());
        assert_eq!(Receipt::parse(&json), Ok(receipt));
        let text = String::from_utf8(json).unwrap();
        assert_eq!(text.contains("validator_changes"), height >= 10);
    }
}

#[test]
fn a_history_says_who_decides_and_what_receipts_carry() {
    let mut history = ValidatorHistory::new(&genesis());
    assert!(history.is_empty());
    for change in both().iter() {
        history.push(Arc::clone(change)).unwrap();
    }
    for (height, era) in [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2), (u64::MAX, 2)] {
        assert_eq!(**history.at(height), set(era), "{height}");
        assert_eq!(history.changes_at(height), first(era.into()), "{height}");
    }
    assert_eq!((history.len(), history.newest_from_height()), (2, 20));
}

#[test]
fn every_wrong_list_of_changes_has_its_fault() {
    let of = |number, fault| Err(ReceiptFault::Change { number, fault });
    let proof = |fault| ChangeFault::Proof(Box::new(fault));
    let [one, two] = [change(5, 0, 10, 1), change(10, 1, 20, 2)];
    let doctored = |edit: fn(&mut ValidatorChange)| {
        let mut change = ValidatorChange::clone(&one);
        edit(&mut change);
        Arc::new(change)
    };
    let refused = Outcome::refused("batch_aborted", crate::chain::Facts::new());
    let later = doctored(|change| {
        change.record = change
            .record
            .replace("\"from_height\":10", "\"from_height\":11")
    });
    let no_quorum = doctored(|change| change.signatures.truncate(change.signatures.len() - 1));
    type Case = (u64, Vec<Arc<ValidatorChange>>, Result<(), ReceiptFault>);
    let cases: Vec<Case> = vec![
        (20, vec![one.clone(), two.clone()], Ok(())),
        (10, vec![], Err(ReceiptFault::Validators)),
        (20, vec![one.clone()], Err(ReceiptFault::Validators)),
        (20, vec![two.clone()], of(1, ChangeFault::Replaces)),
        (
            20,
            vec![two.clone(), one.clone()],
            of(1, ChangeFault::Replaces),
        ),
        (
            20,
            vec![one.clone(), one.clone()],
            of(2, ChangeFault::Order),
        ),
        (
            9,
            vec![one.clone()],
            Err(ReceiptFault::SuperfluousChange { number: 1 }),
        ),
        (
            10,
            vec![one.clone(), two.clone()],
            Err(ReceiptFault::SuperfluousChange { number: 2 }),
        ),
        // Recorded before the one before it is in effect.
        (
            20,
            vec![one.clone(), change(9, 1, 20, 2)],
            of(2, ChangeFault::Order),
        ),
        (20, vec![change(5, 0, 6, 2)], of(1, ChangeFault::FromHeight)),
        (
            2_000_000,
            vec![change(5, 0, 1_000_006, 2)],
            of(1, ChangeFault::FromHeight),
        ),
        (10, vec![later], of(1, proof(ReceiptFault::Inclusion))),
        (
            10,
            vec![no_quorum],
            of(
                1,
                proof(ReceiptFault::Certificate(CertificateError::NoQuorum)),
            ),
        ),
        (
            10,
            vec![doctored(|change| change.height = 4)],
            of(1, proof(ReceiptFault::Header)),
        ),
        (
            10,
            vec![doctored(|change| change.index = 1)],
            of(1, proof(ReceiptFault::Header)),
        ),
        (
            10,
            vec![doctored(|change| change.header.time_ms += 1)],
            of(
                1,
                proof(ReceiptFault::Certificate(CertificateError::Signature(
                    one.signatures[0].kid,
                ))),
            ),
        ),
        (
            10,
            vec![doctored(|change| change.round = 1)],
            of(
                1,
                proof(ReceiptFault::Certificate(CertificateError::Signature(
                    one.signatures[0].kid,
                ))),
            ),
        ),
        (
            10,
            vec![doctored(|change| {
                change.authorization.sig = change.signatures[0].sig
            })],
            of(1, proof(ReceiptFault::SubmitterSignature)),
        ),
        (
            10,
            vec![doctored(|change| {
                change.header.chain_id = "bj-2026".parse().unwrap()
            })],
            of(1, proof(ReceiptFault::OtherChain)),
        ),
        (
            10,
            vec![Arc::new(ValidatorChange {
                outcome: refused,
                ..ValidatorChange::clone(&one)
            })],
            of(1, ChangeFault::NotAccepted),
        ),
        (
            10,
            vec![Arc::new(
                receipt(5, &set(0), &[1, 2, 3], OTHER, &none()).into(),
            )],
            of(1, ChangeFault::OtherRecord),
        ),
    ];
    for (number, (height, changes, due)) in cases.into_iter().enumerate() {
        let mut receipt = good(height);
        receipt.validator_changes = changes.into();
        assert_eq!(receipt.verify(&genesis()), due, "case {number}");
    }
}

#[test]
fn too_few_repeated_foreign_and_outdated_signers_prove_nothing_before_and_after() {
    for (height, era) in [(9_u64, 0_u8), (10, 1), (20, 2)] {
        let verdict = |named: u8, voters: &[u8]| {
            let voters: Vec<u8> = voters.iter().map(|n| n + 2 * era).collect();
            let changes = first(era.into());
            receipt(height, &set(named), &voters, OTHER, &changes).verify(&genesis())
        };
        assert_eq!(verdict(era, &[1, 2, 3]), Ok(()));
        let certificate = |fault| Err(ReceiptFault::Certificate(fault));
        assert_eq!(
            verdict(era, &[1, 2]),
            certificate(CertificateError::NoQuorum)
        );
        assert_eq!(verdict(era, &[]), certificate(CertificateError::NoQuorum));
        assert_eq!(
            verdict(era, &[1, 2, 3, 3]),
            certificate(CertificateError::Order)
        );
        // Two of these are of the next set.
        assert!(matches!(
            verdict(era, &[3, 4, 5, 6]),
            Err(ReceiptFault::Certificate(CertificateError::Foreign(_)))
        ));
        for other in (0..3).filter(|other| *other != era) {
            assert_eq!(verdict(other, &[1, 2, 3]), Err(ReceiptFault::Validators));
        }
    }
    // Those of the first set, after it was replaced, with all the changes.
    let outdated = receipt(10, &set(1), &[1, 2, 3, 4], OTHER, &first(1));
    assert!(matches!(
        outdated.verify(&genesis()),
        Err(ReceiptFault::Certificate(CertificateError::Foreign(_)))
    ));
}

#[test]
fn who_knows_of_a_change_is_not_deceived_by_those_it_replaced() {
    let mut known = ValidatorHistory::new(&genesis());
    let behind = known.clone();
    for change in both().iter() {
        known.push(Arc::clone(change)).unwrap();
    }
    for height in [1, 10, 20] {
        assert_eq!(good(height).verify_knowing(&genesis(), &known), Ok(()));
        assert_eq!(good(height).verify_knowing(&genesis(), &behind), Ok(()));
    }
    let fork = receipt(15, &set(0), &[1, 2, 3, 4], OTHER, &none());
    assert_eq!(fork.verify(&genesis()), Ok(()));
    let other = Err(ReceiptFault::OtherHistory);
    assert_eq!(fork.verify_knowing(&genesis(), &known), other);
    assert_eq!(fork.verify_knowing(&genesis(), &behind), Ok(()));
}

#[test]
fn a_list_of_changes_is_read_strictly() {
    let text = String::from_utf8(good(10).to_json()).unwrap();
    let (head, list) = text.split_once(",\"validator_changes\":").unwrap();
    let form = |text: String| matches!(Receipt::parse(text.as_bytes()), Err(ReceiptFault::Form(_)));
    for list in ["[]}", "null}", "[[]]}", "{}}"] {
        assert!(
            form(format!("{head},\"validator_changes\":{list}")),
            "{list}"
        );
    }
    assert!(form(
        text.replace("\"height\":5,", "\"height\":5,\"extra\":1,")
    ));
    assert!(form(format!(
        "{head},\"validator_changes\":{}",
        list.replace("\"round\":0,", "")
    )));
}

#[test]
fn there_are_at_most_64_changes_and_the_longest_receipt_is_read() {
    let mut history = ValidatorHistory::new(&genesis());
    let era = Era {
        from_height: 10,
        set: Arc::new(set(1)),
        changes: none(),
    };
    history.eras = vec![era; VALIDATOR_CHANGES_MAX];
    let verdict = history.push(change(10, 1, 20, 2));
    assert_eq!(verdict, Err(ChangeFault::TooMany));
    // A full record whose every byte is doubled, 100 signatures, 64 hashes in each of two paths.
    let change_bytes = 2 * 16_384 + 100 * 142 + (64 + 10) * 67 + 2_000;
    assert!((VALIDATOR_CHANGES_MAX + 1) * change_bytes < RECEIPT_BYTES_MAX);
}
