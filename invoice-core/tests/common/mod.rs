//! The members that the tests' chains begin with.
#![allow(dead_code, reason = "each test crate uses its part of this module")]

use std::sync::OnceLock;

use invoice_core::calendar::Instant;
use invoice_core::chain::{Genesis, GenesisMember, Validator, ValidatorSet};
use invoice_core::crypto::{Kid, SecretKey};
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use invoice_core::record::{Role, RoleSet};

/// Tax authority.
pub(crate) const TAX: usize = 0;
/// Finance authority.
pub(crate) const FINANCE: usize = 1;
/// Health insurance authority.
pub(crate) const HEALTH: usize = 2;
/// Issues invoices.
pub(crate) const MERCHANT: usize = 3;
/// Issues invoices too.
pub(crate) const OTHER_MERCHANT: usize = 4;
/// Issues bills, and as a private one invoices with a payment split.
pub(crate) const HOSPITAL: usize = 5;
/// Claims `employer` and `reference`.
pub(crate) const EMPLOYER: usize = 6;
/// Competes with it.
pub(crate) const OTHER_EMPLOYER: usize = 7;
/// Claims `commercial` and `reference`.
pub(crate) const INSURER: usize = 8;

const ROLES: [Role; 9] = [
    Role::Tax,
    Role::Finance,
    Role::Health,
    Role::Merchant,
    Role::Merchant,
    Role::Hospital,
    Role::Employer,
    Role::Employer,
    Role::Insurer,
];

/// The chain that the tests run: noon of 2026-11-21 in UTC+8, one validator, the members above.
pub(crate) fn genesis() -> &'static Genesis {
    static GENESIS: OnceLock<Genesis> = OnceLock::new();
    GENESIS.get_or_init(|| {
        let validator = Validator {
            public_key: secret(100).public_key(),
            weight: 1,
            group: None,
            name: "税务局".into(),
        };
        let members = (0..)
            .zip(ROLES)
            .map(|(number, role)| GenesisMember {
                id: member_id(number),
                name: format!("成员{number}"),
                roles: RoleSet::from_iter([role]),
                public_key: secret(number + 1).public_key(),
            })
            .collect();
        let validators = ValidatorSet::new(vec![validator]).expect("one validator");
        let begin = Instant::parse_rfc3339("2026-11-21T12:00:00+08:00").expect("an instant");
        let chain = "test-2026".parse().expect("a name");
        Genesis::compose(chain, begin.ms(), validators, members).expect("a genesis file")
    })
}

/// The id of a member: those of the genesis file come first.
pub(crate) fn id_of(member: usize) -> MemberId {
    static IDS: OnceLock<Vec<MemberId>> = OnceLock::new();
    IDS.get_or_init(|| (0..ROLES.len()).map(|n| member_id(n as u16)).collect())[member]
}

/// The key that the genesis file registers for a member.
pub(crate) fn kid_of(member: usize) -> Kid {
    genesis().members()[member].public_key.kid()
}

/// A well-spelt member id by number.
pub(crate) fn member_id(number: u16) -> MemberId {
    let first = format!("91440300MA000{number:04}");
    let check = MemberId::check_character(&first).expect("17 characters");
    MemberId::spelled(&format!("{first}{check}")).expect("an id")
}

/// A secret key by number.
pub(crate) fn secret(number: u16) -> SecretKey {
    let mut bytes = [1; 32];
    bytes[30..].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("in range")
}
