//! `change.json`: a change of the validators on its way from one bureau to the other.

use std::path::Path;

use invoice_core::chain::{ChainId, Genesis, Group, Validator, ValidatorSet};
use invoice_core::crypto::messages::validators_message;
use invoice_core::crypto::{Hash, Kid, PublicKey, Signature};
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use invoice_core::record::{Countersignature, NewValidators, ValidatorsChange};
use serde::{Deserialize, Serialize};

use super::failure::{Exit, Failure};
use crate::files;

/// Value of the member `format`.
const FORMAT: &str = "piaolian-validators-change/1";
/// Longest file, in bytes (1 MiB).
const BYTES_MAX: u64 = 1024 * 1024;

/// A validator as the file lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    group: Option<String>,
    weight: u64,
    public_key: PublicKey,
}

/// The other bureau's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    pub(super) by: String,
    pub(super) kid: Kid,
    pub(super) sig: Signature,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeFile {
    format: String,
    pub(super) chain_id: ChainId,
    pub(super) from_height: u64,
    replaces: Hash,
    validators: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) countersigned: Option<Consent>,
    /// The record as it was sent: sent again, it is the same bytes and recorded once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<String>,
}

/// Failure of a file that is none.
fn wrong(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::file(path, error).hint(
        "应为 tax-node validators propose 写出的文件 / a file that tax-node validators propose wrote is due",
    )
}

impl ChangeFile {
    pub(super) fn new(
        chain_id: ChainId,
        from_height: u64,
        current: &ValidatorSet,
        next: &ValidatorSet,
    ) -> Self {
        let line = |validator: &Validator| Line {
            name: validator.name.clone(),
            group: validator.group.map(|group| group.to_string()),
            weight: validator.weight,
            public_key: validator.public_key.clone(),
        };
        Self {
            format: FORMAT.to_owned(),
            chain_id,
            from_height,
            replaces: current.digest(),
            validators: next.validators().iter().map(line).collect(),
            countersigned: None,
            record: None,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let length = std::fs::metadata(path)
            .map_err(|error| wrong(path, error))?
            .len();
        if length > BYTES_MAX {
            return Err(wrong(path, "过大 / too large"));
        }
        let bytes = std::fs::read(path).map_err(|error| wrong(path, error))?;
        Self::parse(&bytes).map_err(|error| wrong(path, error))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match file.format == FORMAT {
            true => Ok(file),
            false => Err(format!("format: {}", file.format)),
        }
    }

    /// Writes the file anew, or in place of what it was.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| wrong(path, error))?;
        bytes.push(b'\n');
        files::write_whole(path, &bytes, files::PUBLIC).map_err(|error| Failure::file(path, error))
    }

    /// The new validators.
    pub(super) fn set(&self) -> Result<ValidatorSet, Failure> {
        let invalid = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Usage, "validators", error).hint(
                "用 tax-node validators propose 重新提议 / propose again with tax-node validators propose",
            )
        };
        let mut validators = Vec::new();
        for line in &self.validators {
            let group = line.group.as_deref().map(Group::spelled).transpose();
            validators.push(Validator {
                public_key: line.public_key.clone(),
                weight: line.weight,
                group: group.map_err(|_| invalid(&format!("{}: group", line.name)))?,
                name: line.name.clone(),
            });
        }
        ValidatorSet::new(validators).map_err(|error| invalid(&error))
    }

    /// What the other bureau signs.
    pub(super) fn message(&self) -> Result<Vec<u8>, Failure> {
        let list = self.set()?.list_digest();
        Ok(validators_message(
            &self.chain_id,
            self.from_height,
            &self.replaces,
            &list,
        ))
    }

    /// The body of the record, once it is countersigned.
    pub(super) fn body(&self) -> Result<Option<ValidatorsChange>, Failure> {
        let Some(consent) = &self.countersigned else {
            return Ok(None);
        };
        let by = MemberId::spelled(&consent.by)
            .map_err(|_| Failure::new(Exit::Usage, "member_id", &consent.by))?;
        Ok(Some(ValidatorsChange {
            change: NewValidators {
                from_height: self.from_height,
                replaces: self.replaces,
                validators: self.set()?,
            },
            countersigned: Countersignature {
                by,
                kid: consent.kid,
                sig: consent.sig,
            },
        }))
    }
}

/// The chain and the validators that a genesis file or an earlier change leaves in charge.
pub(super) fn current(path: &Path) -> Result<(ChainId, ValidatorSet), Failure> {
    let file = |error: String| {
        Failure::file(path, error).hint(
            "应为 genesis.json，或最近一次变更的 change.json / genesis.json is due, or change.json of the last change",
        )
    };
    let length = std::fs::metadata(path)
        .map_err(|error| file(error.to_string()))?
        .len();
    if length > invoice_core::chain::GENESIS_BYTES_MAX as u64 {
        return Err(file("过大 / too large".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| file(error.to_string()))?;
    match Genesis::parse(&bytes) {
        Ok(genesis) => Ok((genesis.chain_id().clone(), genesis.validators().clone())),
        Err(error) => {
            let change = ChangeFile::parse(&bytes).map_err(|_| file(error.to_string()))?;
            Ok((change.chain_id.clone(), change.set()?))
        }
    }
}
