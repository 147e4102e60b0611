//! Who takes part: keys, the genesis file, members, and their signed records, made once.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use invoice_api::registry::Submission;
use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, Genesis, GenesisMember, Group, Validator, ValidatorSet};
use invoice_core::crypto::messages::{batch_message, record_message, validators_message};
use invoice_core::crypto::{HintedSignature, Kid, SecretKey, SecretKeySigner, Signer};
use invoice_core::identity::MemberId;
use invoice_core::merkle;
use invoice_core::record::{Role, RoleSet};
use tax_node::node::simulated::SimulatedDisk;

/// Fewest and most validators of a genesis file.
pub(crate) const VALIDATORS: std::ops::RangeInclusive<usize> = 4..=7;
/// Documents for which records are made.
pub(crate) const DOCUMENTS: usize = 24;
/// Invoices of a batch.
pub(crate) const BATCH: usize = 4;
/// Batches that are made.
pub(crate) const BATCHES: usize = 4;

/// The time at which every run begins: 2026-06-01 in UTC.
pub(crate) const BEGIN_MS: i64 = 1_780_272_000_000;

const TAX: u8 = 10;
const FINANCE: u8 = 11;
const SELLERS: [u8; 3] = [20, 21, 22];
const EMPLOYERS: [u8; 2] = [30, 31];

/// The key of a validator: the one that it begins with, or the one that it is given later.
pub(crate) const fn validator_key(validator: usize, renewed: bool) -> u8 {
    let first = if renewed { 150 } else { 100 };
    // Few validators.
    first + validator as u8
}

/// The key of the supervisor.
pub(crate) const SUPERVISOR: u8 = 90;

/// The signer with a number.
pub(crate) fn signer(number: u8) -> Arc<SecretKeySigner> {
    static SIGNERS: OnceLock<BTreeMap<u8, Arc<SecretKeySigner>>> = OnceLock::new();
    let signers = SIGNERS.get_or_init(|| {
        let make = |number: u8| {
            let secret = SecretKey::from_bytes(&[number; 32]).unwrap();
            (number, Arc::new(SecretKeySigner::new(secret)))
        };
        (1..=199).map(make).collect()
    });
    Arc::clone(&signers[&number])
}

/// The identifier of the key with a number.
pub(crate) fn kid(number: u8) -> Kid {
    signer(number).public_key().kid()
}

fn chain() -> ChainId {
    "sim-2026".parse().unwrap()
}

/// The member whose code begins with these 17 characters.
fn member_id(begins: &str) -> MemberId {
    let checks = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars();
    let mut ids = checks.filter_map(|check| format!("{begins}{check}").parse().ok());
    ids.next().unwrap()
}

fn id_of(number: u8) -> MemberId {
    match number {
        TAX => member_id("11330000000000000"),
        FINANCE => member_id("11330000000000001"),
        _ => member_id(&format!("913301060000000{number:02}")),
    }
}

/// A validator of one vote with this key.
pub(crate) fn validator(number: u8, place: usize) -> Validator {
    let groups = Group::ALL;
    Validator {
        public_key: signer(number).public_key().clone(),
        weight: 1,
        group: Some(groups[place % groups.len()]),
        name: format!("v{number}"),
    }
}

/// A chain's beginning.
pub(crate) struct Beginning {
    pub(crate) genesis: Genesis,
    /// The bytes of its store.
    pub(crate) image: Vec<u8>,
}

/// The beginning of a chain with so many validators.
pub(crate) fn beginning(validators: usize) -> &'static Beginning {
    static BEGINNINGS: OnceLock<Vec<Beginning>> = OnceLock::new();
    let all = BEGINNINGS.get_or_init(|| VALIDATORS.map(begin).collect());
    &all[validators - VALIDATORS.start()]
}

fn begin(validators: usize) -> Beginning {
    let member = |number: u8, name: &str, role| GenesisMember {
        id: id_of(number),
        name: name.to_owned(),
        roles: RoleSet::default().with(role),
        public_key: signer(number).public_key().clone(),
    };
    let mut members = vec![
        member(TAX, "示范税务局", Role::Tax),
        member(FINANCE, "示范财政局", Role::Finance),
    ];
    let sellers = SELLERS.map(|number| member(number, "示范餐饮有限公司", Role::Merchant));
    let employers = EMPLOYERS.map(|number| member(number, "示范科技有限公司", Role::Employer));
    members.extend(sellers);
    members.extend(employers);
    let voters = (0..validators).map(|place| validator(validator_key(place, false), place));
    let set = ValidatorSet::new(voters.collect()).unwrap();
    let genesis = Genesis::compose(chain(), BEGIN_MS - 1_000, set, members).unwrap();
    let image = SimulatedDisk::image(&genesis);
    Beginning { genesis, image }
}

/// A document with what is claimed of it.
pub(crate) struct Papers {
    /// Issues the document.
    pub(crate) issue: Submission,
    /// Locks of all its money, by two employers.
    pub(crate) locks: [Submission; 2],
}

/// All that members send.
pub(crate) struct Records {
    pub(crate) papers: Vec<Papers>,
    pub(crate) batches: Vec<Submission>,
}

/// What members send, the same in every run.
pub(crate) fn records() -> &'static Records {
    static RECORDS: OnceLock<Records> = OnceLock::new();
    RECORDS.get_or_init(|| Records {
        papers: (0..DOCUMENTS).map(papers).collect(),
        batches: (0..BATCHES).map(batch).collect(),
    })
}

fn at() -> Instant {
    Instant::from_ms(BEGIN_MS)
}

fn number_of(serial: usize) -> String {
    format!("2633200000{serial:010}")
}

fn issue(serial: usize) -> (u8, String) {
    let seller = SELLERS[serial % SELLERS.len()];
    let (id, number, at, today) = (id_of(seller), number_of(serial), at(), at().date_utc8());
    let record = format!(
        r#"{{"type":"invoice.issue","id":"i-{serial}","by":"{id}","at":"{}","invoice":{{"number":"{number}","kind":"82","issue_date":"{today}","seller":{{"id":"{id}","name":"示范餐饮有限公司"}},"buyer":{{"name":"个人"}},"lines":[{{"name":"*餐饮服务*餐费","amount":"1000.00","tax_rate":"0.06","tax":"60.00"}}],"total_without_tax":"1000.00","total_tax":"60.00","total":"1060.00"}}}}"#,
        at.to_rfc3339_utc8()
    );
    (seller, record)
}

fn papers(serial: usize) -> Papers {
    let (seller, record) = issue(serial);
    let expires = Instant::from_ms(BEGIN_MS + 7 * 24 * 3_600_000).to_rfc3339_utc8();
    let locks = EMPLOYERS.map(|employer| {
        let record = format!(
            r#"{{"type":"claim.lock","id":"l-{serial}","by":"{}","at":"{}","document":"D:{}","kind":"employer","reference":"BX-{serial}","expires_at":"{expires}"}}"#,
            id_of(employer),
            at().to_rfc3339_utc8(),
            number_of(serial),
        );
        single(employer, record)
    });
    Papers {
        issue: single(seller, record),
        locks,
    }
}

fn batch(number: usize) -> Submission {
    // All of one seller.
    let serials = (0..BATCH).map(|n| 1_000 + (number * BATCH + n) * SELLERS.len());
    let issued: Vec<(u8, String)> = serials.map(issue).collect();
    let records: Vec<Bytes> = issued
        .iter()
        .map(|(_, text)| Bytes::from(text.clone()))
        .collect();
    let root = merkle::root(&merkle::leaf_hashes(&records));
    let message = batch_message(&chain(), BATCH as u32, &root, false);
    Submission {
        batch: true,
        ..signed(issued[0].0, &message, records)
    }
}

fn single(by: u8, record: String) -> Submission {
    let record = Bytes::from(record);
    let message = record_message(&chain(), &record);
    signed(by, &message, vec![record])
}

fn signed(by: u8, message: &[u8], records: Vec<Bytes>) -> Submission {
    let signer = signer(by);
    let signature = signer.sign(message).unwrap();
    let signed = HintedSignature::with_hint(signature, signer.public_key());
    Submission {
        kid: Some(signer.public_key().kid().to_string()),
        sig: Some(signed.to_base64()),
        records,
        batch: false,
        atomic: false,
        receipts: false,
        origin: 0,
    }
}

/// A change of the validators by both bureaus.
pub(crate) fn change(
    serial: u64,
    replaces: &ValidatorSet,
    next: &ValidatorSet,
    from_height: u64,
    now_ms: i64,
) -> Submission {
    let (chain, digest) = (chain(), replaces.digest());
    let message = validators_message(&chain, from_height, &digest, &next.list_digest());
    let sig = signer(FINANCE).sign(&message).unwrap();
    let validators: Vec<String> = next
        .validators()
        .iter()
        .map(|one| {
            let group = serde_json::to_string(&one.group).unwrap();
            format!(
                r#"{{"public_key":"{}","weight":{},"group":{group},"name":"{}"}}"#,
                one.public_key.to_hex(),
                one.weight,
                one.name
            )
        })
        .collect();
    let record = format!(
        r#"{{"type":"validators.change","id":"c-{serial}","by":"{}","at":"{}","change":{{"from_height":{from_height},"replaces":"{digest}","validators":[{}]}},"countersigned":{{"by":"{}","kid":"{}","sig":"{sig}"}}}}"#,
        id_of(TAX),
        Instant::from_ms(now_ms).to_rfc3339_utc8(),
        validators.join(","),
        id_of(FINANCE),
        kid(FINANCE),
    );
    single(TAX, record)
}
