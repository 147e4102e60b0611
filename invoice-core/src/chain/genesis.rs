//! The genesis file: what a chain begins with, and all that a receipt is verified against.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::Instant;
use crate::crypto::{Hash, PublicKey, sm3};
use crate::identity::MemberId;
use crate::read::Spelled;
use crate::record::{Role, RoleSet};

use super::certificate::{Validator, ValidatorSet, ValidatorSetError};
use super::chain_id::ChainId;
use super::validator_list::Group;
use super::wire;

/// Value of the member `format`.
pub const GENESIS_FORMAT: &str = "piaolian-genesis/1";
/// Longest genesis file, in bytes (4 MiB).
pub const GENESIS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most members that a chain begins with.
pub const GENESIS_MEMBERS_MAX: usize = 10_000;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// A founding member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisMember {
    /// Unified social credit code.
    pub id: MemberId,
    /// The registered name, 1 to 200 characters.
    pub name: String,
    /// What the member may do, at least one role.
    pub roles: RoleSet,
    /// The member's first key.
    pub public_key: PublicKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberJson {
    id: String,
    name: String,
    roles: Vec<String>,
    public_key: PublicKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidatorJson {
    public_key: PublicKey,
    weight: u64,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::optional"
    )]
    group: Option<Group>,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisJson {
    format: String,
    chain_id: ChainId,
    time: String,
    #[serde(deserialize_with = "wire::objects")]
    validators: Vec<ValidatorJson>,
    #[serde(deserialize_with = "wire::objects")]
    members: Vec<MemberJson>,
}

/// Why a file is no genesis file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The file exceeds [`GENESIS_BYTES_MAX`].
    #[error("创世文件过大 / the genesis file is too large")]
    TooLarge,
    /// Not JSON of the form that is due.
    #[error("创世文件格式错误：{0} / the genesis file is malformed: {0}")]
    Json(String),
    /// `format` is not [`GENESIS_FORMAT`].
    #[error("不认识的创世文件版本 / an unknown version of the genesis file")]
    Format,
    /// `time` is not RFC 3339 with an offset.
    #[error("创世时间应为带时区的 RFC 3339 / the time is RFC 3339 with an offset")]
    Time,
    /// The validators are no set.
    #[error(transparent)]
    Validators(#[from] ValidatorSetError),
    /// A member is spelt wrong, repeated, or there are too many.
    #[error("成员 {0} 无效或重复 / member {0} is invalid or occurs twice")]
    Member(String),
}

/// A chain's beginning: its name, time, validators and first members.
///
/// ```
/// use invoice_core::chain::{Genesis, Validator, ValidatorSet};
/// use invoice_core::crypto::SecretKey;
///
/// let public_key = SecretKey::from_bytes(&[7; 32])?.public_key();
/// let validators = ValidatorSet::new(vec![Validator { public_key, weight: 1, group: None, name: "税务局".into() }])?;
/// let genesis = Genesis::compose("sz-2026".parse()?, 1_795_242_600_000, validators, Vec::new())?;
/// assert_eq!(Genesis::parse(genesis.bytes())?, genesis);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    chain_id: ChainId,
    time_ms: i64,
    validators: ValidatorSet,
    members: Vec<GenesisMember>,
    bytes: Vec<u8>,
}

impl Genesis {
    /// Reads a genesis file.
    ///
    /// # Errors
    /// [`GenesisError`], naming what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisError> {
        if bytes.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError::TooLarge);
        }
        let wire::Object(json): wire::Object<GenesisJson> =
            serde_json::from_slice(bytes).map_err(|error| GenesisError::Json(error.to_string()))?;
        if json.format != GENESIS_FORMAT {
            return Err(GenesisError::Format);
        }
        let time = Instant::parse_rfc3339(&json.time).map_err(|_| GenesisError::Time)?;
        let validator = |v: ValidatorJson| Validator {
            public_key: v.public_key,
            weight: v.weight,
            group: v.group,
            name: v.name,
        };
        let validators = ValidatorSet::new(json.validators.into_iter().map(validator).collect())?;
        let members = read_members(json.members)?;
        Ok(Self {
            chain_id: json.chain_id,
            time_ms: time.ms(),
            validators,
            members,
            bytes: bytes.to_vec(),
        })
    }

    /// Writes a genesis file and reads it back.
    ///
    /// # Errors
    /// As [`Genesis::parse`].
    pub fn compose(
        chain_id: ChainId,
        time_ms: i64,
        validators: ValidatorSet,
        members: Vec<GenesisMember>,
    ) -> Result<Self, GenesisError> {
        let validator = |v: &Validator| ValidatorJson {
            public_key: v.public_key.clone(),
            weight: v.weight,
            group: v.group,
            name: v.name.clone(),
        };
        let member = |m: &GenesisMember| MemberJson {
            id: m.id.to_string(),
            name: m.name.clone(),
            roles: m.roles.iter().map(|role| role.to_string()).collect(),
            public_key: m.public_key.clone(),
        };
        let json = GenesisJson {
            format: GENESIS_FORMAT.to_owned(),
            chain_id,
            time: Instant::from_ms(time_ms).to_rfc3339_utc8(),
            validators: validators.validators().iter().map(validator).collect(),
            members: members.iter().map(member).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&json)
            .map_err(|error| GenesisError::Json(error.to_string()))?;
        bytes.push(b'\n');
        Self::parse(&bytes)
    }

    /// The chain's name.
    #[must_use]
    pub const fn chain_id(&self) -> &ChainId {
        &self.chain_id
    }

    /// When the chain begins, in milliseconds since 1970-01-01T00:00:00Z; every block is later.
    #[must_use]
    pub const fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Who decides on blocks.
    #[must_use]
    pub const fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// Who may send records from the beginning.
    #[must_use]
    pub fn members(&self) -> &[GenesisMember] {
        &self.members
    }

    /// The file's exact bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SM3 over 0x03 and the file's exact bytes: what the first block names as its predecessor.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sm3(&[&[0x03], &self.bytes])
    }
}

/// The members, each once, with the check digits of their ids.
fn read_members(members: Vec<MemberJson>) -> Result<Vec<GenesisMember>, GenesisError> {
    if members.len() > GENESIS_MEMBERS_MAX {
        return Err(GenesisError::TooLarge);
    }
    let (mut ids, mut kids) = (BTreeSet::new(), BTreeSet::new());
    let mut read = Vec::with_capacity(members.len());
    for member in members {
        let bad = || GenesisError::Member(member.id.chars().take(18).collect());
        let id = MemberId::spelled(&member.id).map_err(|_| bad())?;
        let roles = member
            .roles
            .iter()
            .map(|role| Role::spelled(role))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| bad())?;
        let distinct: RoleSet = roles.iter().copied().collect();
        let name_good = (1..=NAME_CHARS_MAX).contains(&member.name.chars().count());
        let roles_good = !roles.is_empty() && distinct.iter().count() == roles.len();
        let new = ids.insert(id) && kids.insert(member.public_key.kid());
        if !(name_good && roles_good && new) {
            return Err(bad());
        }
        read.push(GenesisMember {
            id,
            name: member.name,
            roles: distinct,
            public_key: member.public_key,
        });
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;

    fn key(n: u8) -> PublicKey {
        SecretKey::from_bytes(&[n; 32]).unwrap().public_key()
    }

    fn genesis() -> Genesis {
        let validators = ValidatorSet::new(vec![Validator {
            public_key: key(7),
            weight: 1,
            group: None,
            name: "税务局".into(),
        }])
        .unwrap();
        let member = GenesisMember {
            id: MemberId::spelled("91440300708461136T").unwrap(),
            name: "深圳税务".into(),
            roles: RoleSet::from_iter([Role::Tax]),
            public_key: key(8),
        };
        Genesis::compose(
            "sz-2026".parse().unwrap(),
            1_795_242_600_123,
            validators,
            vec![member],
        )
        .unwrap()
    }

    #[test]
    fn the_file_reads_like_this() {
        let golden = format!(
            r#"{{
  "format": "piaolian-genesis/1",
  "chain_id": "sz-2026",
  "time": "2026-11-21T14:30:00.123+08:00",
  "validators": [
    {{
      "public_key": "{}",
      "weight": 1,
      "name": "税务局"
    }}
  ],
  "members": [
    {{
      "id": "91440300708461136T",
      "name": "深圳税务",
      "roles": [
        "tax"
      ],
      "public_key": "{}"
    }}
  ]
}}
"#,
            key(7),
            key(8)
        );
        let genesis = genesis();
        assert_eq!(std::str::from_utf8(genesis.bytes()).unwrap(), golden);
        assert_eq!(genesis.hash(), sm3(&[&[3], golden.as_bytes()]));
        assert_ne!(
            Genesis::parse(golden.trim().as_bytes()).unwrap().hash(),
            genesis.hash()
        );
    }

    #[test]
    fn only_the_exact_form_is_a_genesis_file() {
        let text = String::from_utf8(genesis().bytes().to_vec()).unwrap();
        let member = &text[text.find("    {\n      \"id\"").unwrap()..text.rfind("\n  ]").unwrap()];
        for (from, to) in [
            ("genesis/1", "genesis/2"),
            ("sz-2026", "SZ"),
            ("+08:00", ""),
            ("\"weight\": 1", "\"weight\": 0"),
            ("\"weight\": 1", "\"weight\": \"1\""),
            ("\"weight\": 1", "\"weight\": 1.0"),
            ("\"weight\": 1", "\"weight\": 1, \"weight\": 1"),
            ("\"weight\": 1", "\"weight\": 1, \"more\": 1"),
            ("\"tax\"", "\"king\""),
            ("\"tax\"", "\"tax\", \"tax\""),
            ("91440300708461136T", "91440300708461136t"),
            ("\"深圳税务\"", "\"\""),
            ("\"members\": [", &format!("\"members\": [{member},")),
            ("\"format\"", "\"unknown\": 1, \"format\""),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            assert!(Genesis::parse(bad.as_bytes()).is_err(), "{from} -> {to}");
        }
        let array = format!("[\"{GENESIS_FORMAT}\", \"sz\", \"2026-11-21T14:30:00Z\", [], []]");
        assert!(matches!(
            Genesis::parse(array.as_bytes()),
            Err(GenesisError::Json(_))
        ));
    }
}
