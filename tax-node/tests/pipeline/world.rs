//! A chain with a few sellers, and signed envelopes of theirs.

use bytes::Bytes;
use invoice_api::registry::{Asker, Submission};
use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis, GenesisMember, Group, Validator, ValidatorSet};
use invoice_core::crypto::messages::{batch_message, record_message};
use invoice_core::crypto::{HintedSignature, SecretKey, SecretKeySigner, Signer};
use invoice_core::identity::MemberId;
use invoice_core::merkle;
use invoice_core::record::{Role, RoleSet};

/// The clock of the machine.
pub(crate) fn now() -> Instant {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Instant::from_ms(i64::try_from(elapsed.as_millis()).unwrap())
}

/// A member that issues invoices.
pub(crate) struct Seller {
    pub(crate) id: MemberId,
    pub(crate) signer: SecretKeySigner,
    number: u8,
}

/// The chain.
pub(crate) struct World {
    pub(crate) genesis: Genesis,
    pub(crate) sellers: Vec<Seller>,
    /// When all records were written: the same serial makes the same bytes.
    at: Instant,
}

/// The member whose code begins with these 17 characters.
fn member_id(begins: &str) -> MemberId {
    let checks = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars();
    let mut ids = checks.filter_map(|check| format!("{begins}{check}").parse().ok());
    ids.next().unwrap()
}

fn key(number: u8) -> SecretKeySigner {
    SecretKeySigner::new(SecretKey::from_bytes(&[number; 32]).unwrap())
}

impl World {
    /// With one validator, whose key has number 9.
    pub(crate) fn new(sellers: u8) -> Self {
        Self::with_validators(sellers, &[9])
    }

    /// With validators of one vote each, by the numbers of their keys.
    pub(crate) fn with_validators(sellers: u8, validators: &[u8]) -> Self {
        let sellers: Vec<_> = (0..sellers)
            .map(|number| Seller {
                id: member_id(&format!("9133010600000000{number}")),
                signer: key(20 + number),
                number,
            })
            .collect();
        let member = |id, name: &str, role, signer: &SecretKeySigner| GenesisMember {
            id,
            name: name.to_owned(),
            roles: RoleSet::default().with(role),
            public_key: signer.public_key().clone(),
        };
        let tax = member(
            member_id("11330000000000000"),
            "示范税务局",
            Role::Tax,
            &key(10),
        );
        let members = std::iter::once(tax)
            .chain(sellers.iter().map(|seller| {
                member(
                    seller.id,
                    "示范餐饮有限公司",
                    Role::Merchant,
                    &seller.signer,
                )
            }))
            .collect();
        let validator = |(number, group): (&u8, &Group)| Validator {
            public_key: key(*number).public_key().clone(),
            weight: 1,
            group: (validators.len() > 1).then_some(*group),
            name: format!("validator-{number}"),
        };
        let voters = validators.iter().zip(Group::ALL.iter().cycle());
        let validators = ValidatorSet::new(voters.map(validator).collect()).unwrap();
        let chain: ChainId = "test-2026".parse().unwrap();
        let time = Instant::from_ms(now().ms() - 1_000);
        let genesis = Genesis::compose(chain, time.ms(), validators, members).unwrap();
        let at = now();
        Self {
            genesis,
            sellers,
            at,
        }
    }

    /// `invoice.issue` with a number and id of its own.
    pub(crate) fn record(&self, seller: &Seller, serial: u32) -> String {
        let today = self.at.date_utc8();
        let (id, name) = (seller.id, "示范餐饮有限公司");
        let number = format!("2633200000{:02}{serial:08}", seller.number);
        format!(
            r#"{{"type":"invoice.issue","id":"r-{serial}","by":"{id}","at":"{}","invoice":{{"number":"{number}","kind":"82","issue_date":"{today}","seller":{{"id":"{id}","name":"{name}"}},"buyer":{{"name":"个人"}},"lines":[{{"name":"*餐饮服务*餐费","amount":"1000.00","tax_rate":"0.06","tax":"60.00"}}],"total_without_tax":"1000.00","total_tax":"60.00","total":"1060.00"}}}}"#,
            self.at.to_rfc3339_utc8()
        )
    }

    fn signed(&self, seller: &Seller, message: &[u8], records: Vec<Bytes>) -> Submission {
        let signature = seller.signer.sign(message).unwrap();
        let signed = HintedSignature::with_hint(signature, seller.signer.public_key());
        Submission {
            kid: Some(seller.signer.public_key().kid().to_string()),
            sig: Some(signed.to_base64()),
            records,
            batch: false,
            atomic: false,
            receipts: false,
            origin: 0,
        }
    }

    /// An envelope of one record.
    pub(crate) fn single(&self, seller: &Seller, serial: u32) -> Submission {
        let record = Bytes::from(self.record(seller, serial));
        let message = record_message(self.genesis.chain_id(), &record);
        self.signed(seller, &message, vec![record])
    }

    /// An envelope of several records under one signature.
    pub(crate) fn batch(&self, seller: &Seller, serials: std::ops::Range<u32>) -> Submission {
        let records: Vec<Bytes> = serials
            .map(|serial| Bytes::from(self.record(seller, serial)))
            .collect();
        let root = merkle::root(&merkle::leaf_hashes(&records));
        let count = u32::try_from(records.len()).unwrap();
        let message = batch_message(self.genesis.chain_id(), count, &root, false);
        Submission {
            batch: true,
            ..self.signed(seller, &message, records)
        }
    }

    /// The seller, asking.
    pub(crate) fn asker(seller: &Seller) -> Asker {
        Asker {
            member: seller.id,
            roles: RoleSet::default().with(Role::Merchant),
            kid: seller.signer.public_key().kid(),
        }
    }
}
