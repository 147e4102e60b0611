//! A small chain with fixed keys: the genesis file, block and receipts from which the committed
//! inputs were made.

use invoice_core::chain::{
    Authorization, Block, BlockEnvelope, Certificate, Entry, Facts, Genesis, GenesisMember, Header,
    Inclusion, Outcome, Receipt, ReceiptAuthorization, ReceiptSignature, Validator,
    ValidatorChanges, ValidatorSet,
};
use invoice_core::crypto::messages::{batch_message, precommit_message, record_message};
use invoice_core::crypto::{Hash, SecretKey, SecretKeySigner, Signer, sm3};
use invoice_core::merkle::{inclusion_path, leaf_hash, root};
use invoice_core::record::{Role, RoleSet};

/// What the members sign: the first alone, the others as a batch whose second is not recorded.
pub const RECORDS: [&str; 4] = [
    r#"{"type":"x","id":"r-1","by":"91440300708461136T","note":"票\n链"}"#,
    r#"{"type":"x","id":"r-2","by":"91440300708461136T"}"#,
    r#"{"type":"x","id":"r-3","by":"91440300708461136T"}"#,
    r#"{"type":"x","id":"r-4","by":"91440300708461136T"}"#,
];

const TIME: &str = "2026-11-21T14:30:00.123+08:00";
const TIME_MS: i64 = 1_795_242_600_123;

/// The key made of one byte: 1 is the validator's, 2 the member's.
#[must_use]
pub fn signer(n: u8) -> SecretKeySigner {
    let secret = SecretKey::from_bytes(&[n; 32]);
    SecretKeySigner::new(secret.expect("the number is a key"))
}

/// The genesis file.
#[must_use]
pub fn genesis() -> Genesis {
    let validator = Validator {
        public_key: signer(1).public_key().clone(),
        weight: 1,
        group: None,
        name: "税务局".into(),
    };
    let member = GenesisMember {
        id: "91440300708461136T".parse().expect("a good code"),
        name: "甲公司".into(),
        roles: RoleSet::from_iter([Role::Tax, Role::Merchant]),
        public_key: signer(2).public_key().clone(),
    };
    Genesis::compose(
        "sz-2026".parse().expect("a good name"),
        TIME_MS - 1000,
        ValidatorSet::new(vec![validator]).expect("one validator is a set"),
        vec![member],
    )
    .expect("a good file")
}

fn outcomes() -> [Outcome; 3] {
    let facts = Facts::new()
        .with("remaining", "40.00")
        .with("asked", "60.00");
    [
        Outcome::accepted(),
        Outcome::refused("claim_exceeds_remaining", facts.clone()),
        Outcome::Accepted { detail: facts },
    ]
}

/// The first block: one single record, and a batch of three.
#[must_use]
pub fn block() -> Block {
    let (genesis, member) = (genesis(), signer(2));
    let (chain, kid) = (genesis.chain_id(), member.public_key().kid());
    let [first, second, third] = outcomes();
    let entry = |at: usize, outcome: Outcome| Entry {
        record: RECORDS[at].into(),
        outcome,
    };
    let sign = |message: &[u8]| member.sign(message).expect("the key signs");
    let single = BlockEnvelope {
        authorization: Authorization::Single {
            kid,
            signature: sign(&record_message(chain, RECORDS[0].as_bytes())),
        },
        entries: vec![entry(0, first)],
        parity: None,
    };
    let signed = [1, 2, 3].map(|at: usize| leaf_hash(RECORDS[at].as_bytes()));
    let batch = BlockEnvelope {
        authorization: Authorization::Batch {
            kid,
            signature: sign(&batch_message(chain, 3, &root(&signed), false)),
            atomic: false,
            count: 3,
            omitted: vec![(1, signed[1])],
        },
        entries: vec![entry(1, second), entry(3, third)],
        parity: None,
    };
    let mut block = Block {
        header: Header {
            chain_id: chain.clone(),
            height: 1,
            time_ms: TIME_MS,
            previous: genesis.hash(),
            first_index: 0,
            count: 3,
            log_size: 3,
            log_root: sm3(&[]),
            effects_root: sm3(&[]),
            validators: genesis.validators().digest(),
        },
        envelopes: vec![single, batch],
    };
    block.header.log_root = root(&log_leaves(&block));
    block
}

fn log_leaves(block: &Block) -> Vec<Hash> {
    let hash = |leaf: invoice_core::chain::Leaf<'_>| leaf.hash().expect("a short record");
    block.leaves().map(hash).collect()
}

/// The validator's certificate for the block.
#[must_use]
pub fn certificate() -> Certificate {
    let (validator, block) = (signer(1), block());
    let (kid, chain) = (validator.public_key().kid(), &block.header.chain_id);
    let vote = precommit_message(chain, 1, 0, &block.id(), &kid);
    Certificate {
        height: 1,
        round: 0,
        block_id: block.id(),
        signatures: vec![(kid, validator.sign(&vote).expect("the key signs"))],
    }
}

/// The receipts of the block's records.
#[must_use]
pub fn receipts() -> Vec<Receipt> {
    let (block, certificate) = (block(), certificate());
    let leaves = log_leaves(&block);
    let member = signer(2).public_key().clone();
    let mut receipts = Vec::new();
    for envelope in &block.envelopes {
        for (place, entry) in envelope.entries.iter().enumerate() {
            let index = receipts.len() as u64;
            let node = |level: u8, index: u64| {
                let start = (index << level) as usize;
                Ok::<_, std::convert::Infallible>(root(&leaves[start..start + (1 << level)]))
            };
            let record = String::from_utf8(entry.record.to_vec()).expect("a record is text");
            let number = RECORDS.iter().position(|known| *known == record);
            let number = number.expect("the record is known") + 1;
            receipts.push(Receipt {
                chain_id: block.header.chain_id.clone(),
                by: "91440300708461136T".into(),
                id: format!("r-{number}"),
                record,
                outcome: entry.outcome.clone(),
                height: 1,
                index,
                time: TIME.into(),
                inclusion: Inclusion {
                    tree_size: 3,
                    path: inclusion_path(index, 3, node).expect("inside the tree"),
                },
                header: block.header.clone(),
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
                    kid: member.kid(),
                    public_key: member.clone(),
                    sig: envelope.authorization.signature(),
                    batch: envelope.batch_proof(place),
                },
                validator_changes: ValidatorChanges::default(),
            });
        }
    }
    receipts
}
