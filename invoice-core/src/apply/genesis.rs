//! The state before the first block: the founding members and validators.

use crate::chain::Genesis;
use crate::record::RoleSet;
use crate::state::{
    CHAIN_KEY, Changes, KeyEntry, MEMBER_COUNTER, Member, MemberNo, NEWEST_KEY, Table,
    ValidatorsEntry,
};

/// The entries that a genesis file sets.
#[must_use]
pub fn genesis_changes(genesis: &Genesis) -> Changes {
    let mut changes = Changes::new();
    let mut count = 0_u32;
    for founder in genesis.members() {
        let number = MemberNo(count);
        let roles: RoleSet = founder.roles;
        let member = Member {
            number,
            roles,
            suspended: false,
            name: founder.name.clone(),
        };
        changes.put(Table::Member, founder.id.as_bytes(), member.encode());
        changes.put(
            Table::MemberNumber,
            number.0.to_be_bytes(),
            founder.id.as_bytes().to_vec(),
        );
        let key = KeyEntry {
            owner: number,
            public_key: founder.public_key.clone(),
            not_after: None,
            revoked_at: None,
        };
        changes.put(Table::Key, key.public_key.kid().as_bytes(), key.encode());
        count = count.saturating_add(1);
    }
    changes.put(Table::Counter, MEMBER_COUNTER, count.to_be_bytes().to_vec());
    let validators = ValidatorsEntry::genesis(genesis.validators().clone());
    let first = validators.from_height.to_be_bytes();
    changes.put(Table::Validators, first, validators.encode());
    changes.put(Table::Validators, NEWEST_KEY, first.to_vec());
    let chain = genesis.chain_id().as_str().as_bytes();
    changes.put(Table::Validators, CHAIN_KEY, chain.to_vec());
    changes
}
