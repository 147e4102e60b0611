//! `party.json`: what a bureau tells the others about its node, with proof that it holds the keys.
//!
//! Without the proof a bureau could enter another's key as its own, and the others would count two
//! votes where there is one.

use std::path::Path;

use invoice_core::chain::Group;
use invoice_core::crypto::{PublicKey, Signature, Signer};
use invoice_core::identity::MemberId;
use invoice_core::read::Spelled;
use serde::{Deserialize, Serialize};

use super::failure::{Exit, Failure};
use crate::links::Role as NodeRole;
use crate::peers::{is_address, is_name};

/// Value of the member `format`.
const FORMAT: &str = "piaolian-party/1";
/// First line of what the keys in the file sign, so that the signature is good for nothing else.
const PURPOSE: &str = "piaolian/1/party\n";
/// Longest file, in bytes.
const BYTES_MAX: u64 = 16 * 1024;

/// What a party says about itself. Its compact JSON, behind [`PURPOSE`], is what its keys sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Party {
    pub(super) format: String,
    pub(super) name: String,
    pub(super) role: NodeRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// The share of its vote; a supervisor has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    /// Where its node waits for the links of others.
    pub(super) address: String,
    pub(super) public_key: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) authority: Option<Authority>,
}

/// The bureau as a member of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authority {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) public_key: PublicKey,
}

/// The file: the party, and a signature of each of its keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartyFile {
    party: Party,
    /// By `public_key`.
    proof: Signature,
    /// By the authority's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authority_proof: Option<Signature>,
}

impl Party {
    /// A party of this format.
    pub(super) fn format() -> String {
        FORMAT.to_owned()
    }

    /// The group as the rules know it.
    pub(super) fn group(&self) -> Option<Group> {
        let group = self.group.as_deref()?;
        Group::spelled(group).ok()
    }

    fn message(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok([PURPOSE.as_bytes(), &serde_json::to_vec(self)?].concat())
    }

    /// What is wrong with the values, apart from the proofs.
    fn fault(&self) -> Option<&'static str> {
        let group_good = self.group.is_none() || self.group().is_some();
        let authority_good = self.authority.as_ref().is_none_or(|authority| {
            MemberId::spelled(&authority.id).is_ok()
                && is_name(&authority.name)
                && self.group.is_some()
                && authority.public_key != self.public_key
        });
        let weight_good = match self.role {
            NodeRole::Validator => self.group.is_some() && self.weight.is_some_and(|w| w > 0),
            NodeRole::Supervisor => self.weight.is_none(),
        };
        match () {
            () if self.format != FORMAT => Some("format"),
            () if !is_name(&self.name) => Some("name"),
            () if !is_address(&self.address) => Some("address"),
            () if !group_good => Some("group"),
            () if !weight_good => Some("role, group, weight"),
            () if !authority_good => Some("authority"),
            () => None,
        }
    }

    /// The file's bytes, signed by the node's key and, when there is an authority, by its key.
    pub(super) fn sign(
        &self,
        node: &dyn Signer,
        authority: Option<&dyn Signer>,
    ) -> Result<Vec<u8>, Failure> {
        if let Some(fault) = self.fault() {
            let text = format!("{fault} 的值无效 / has a value that cannot be used");
            return Err(Failure::new(Exit::Usage, "party", text));
        }
        let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, "party", error);
        let message = self.message().map_err(|error| wrong(&error))?;
        let sign = |signer: &dyn Signer| signer.sign(&message).map_err(|error| wrong(&error));
        let file = PartyFile {
            party: self.clone(),
            proof: sign(node)?,
            authority_proof: authority.map(sign).transpose()?,
        };
        let mut bytes = serde_json::to_vec_pretty(&file).map_err(|error| wrong(&error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a party's file and checks its proofs.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let io = |error| {
            Failure::file(path, error).hint(
                "请向该单位索取 tax-node init party 写出的 party.json / ask the party for the party.json that tax-node init party wrote",
            )
        };
        if std::fs::metadata(path).map_err(io)?.len() > BYTES_MAX {
            return Err(invalid(path, "过大 / too large"));
        }
        let bytes = std::fs::read(path).map_err(io)?;
        let file: PartyFile =
            serde_json::from_slice(&bytes).map_err(|error| invalid(path, error))?;
        if let Some(fault) = file.party.fault() {
            return Err(invalid(path, format!("party.{fault} 无效 / is invalid")));
        }
        file.check().map_err(|place| {
            let text = format!(
                "{}: {place} 与内容不符 / does not match what the file says",
                path.display()
            );
            Failure::new(Exit::Authentication, "party_proof", text).hint(
                "文件被改动过：请向该单位重新索取 / the file was changed: ask the party to send it again",
            )
        })?;
        Ok(file.party)
    }
}

impl PartyFile {
    /// Whether each key in the file signed it.
    fn check(&self) -> Result<(), &'static str> {
        let message = self.party.message().map_err(|_| "party")?;
        if !self.party.public_key.verify(&message, &self.proof) {
            return Err("proof");
        }
        match (&self.party.authority, &self.authority_proof) {
            (None, None) => Ok(()),
            (Some(authority), Some(proof)) if authority.public_key.verify(&message, proof) => {
                Ok(())
            }
            _ => Err("authority_proof"),
        }
    }
}

fn invalid(path: &Path, fault: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, "party", format!("{}: {fault}", path.display()))
        .hint("请向该单位重新索取 party.json / ask the party for its party.json again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_file;
    use invoice_core::crypto::SecretKeySigner;

    fn signer() -> SecretKeySigner {
        SecretKeySigner::new(key_file::generate().unwrap())
    }

    #[test]
    fn a_party_is_read_back_and_every_changed_value_is_noticed() {
        let (node, bureau) = (signer(), signer());
        let party = Party {
            format: Party::format(),
            name: "某税务局".to_owned(),
            role: NodeRole::Validator,
            group: Some("tax".to_owned()),
            weight: Some(1),
            address: "tax.example:27000".to_owned(),
            public_key: node.public_key().clone(),
            authority: Some(Authority {
                id: "11330000DEM0000012".to_owned(),
                name: "某税务局".to_owned(),
                public_key: bureau.public_key().clone(),
            }),
        };
        let bytes = party.sign(&node, Some(&bureau)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("party.json");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(Party::read(&path).unwrap(), party);
        let text = String::from_utf8(bytes).unwrap();
        let other = signer().public_key().to_hex();
        for (from, to, code) in [
            ("\"weight\": 1", "\"weight\": 2", "party_proof"),
            ("\"tax\"", "\"finance\"", "party_proof"),
            ("tax.example", "fax.example", "party_proof"),
            ("\"validator\"", "\"supervisor\"", "party"),
            ("\"tax\"", "\"king\"", "party"),
            ("party/1", "party/2", "party"),
            ("\"role\"", "\"more\": 1, \"role\"", "party"),
            (&node.public_key().to_hex(), &other, "party_proof"),
            (&bureau.public_key().to_hex(), &other, "party_proof"),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            std::fs::write(&path, bad).unwrap();
            assert_eq!(Party::read(&path).unwrap_err().code, code, "{from} -> {to}");
        }
        // Somebody else's authority cannot be claimed.
        let stolen = party.sign(&node, Some(&node)).unwrap();
        std::fs::write(&path, stolen).unwrap();
        assert_eq!(Party::read(&path).unwrap_err().code, "party_proof");
    }
}
