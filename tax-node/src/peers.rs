//! The peers file: who the nodes of a consortium are and where they listen.
//!
//! A JSON array of objects with `name`, `role` (`validator` or `supervisor`), `public_key` (SEC1,
//! hexadecimal) and `address` (`host:port`; absent for a node that only connects to others). The
//! file grants nothing: who votes is on the chain. It says whom to talk to.

use std::collections::BTreeSet;
use std::path::Path;

use invoice_core::crypto::PublicKey;
use serde::{Deserialize, Serialize};

use crate::links::{PEERS_MAX, Peer, Role};

/// Longest peers file, in bytes.
const PEERS_BYTES_MAX: usize = 1024 * 1024;
/// Longest name or address, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// Why a peers file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is too long, or has too many nodes.
    #[error("节点名单过大 / the list of peers is too large")]
    TooLarge,
    /// Not JSON of the form that is due.
    #[error("节点名单格式错误：{0} / the list of peers is malformed: {0}")]
    Form(#[from] serde_json::Error),
    /// An entry is wrong.
    #[error("节点名单第 {number} 项（{name}）：{what} / peer {number} ({name}): {what}")]
    Entry {
        /// Place in the list, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleJson {
    Validator,
    Supervisor,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeerJson {
    name: String,
    role: RoleJson,
    public_key: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

/// Reads the peers file.
///
/// # Errors
/// [`PeersError`], naming the entry that is wrong.
pub fn read(path: &Path) -> Result<Vec<Peer>, PeersError> {
    parse(&std::fs::read(path)?)
}

/// Reads the bytes of a peers file.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: &[u8]) -> Result<Vec<Peer>, PeersError> {
    if bytes.len() > PEERS_BYTES_MAX {
        return Err(PeersError::TooLarge);
    }
    let listed: Vec<PeerJson> = serde_json::from_slice(bytes)?;
    if listed.len() > PEERS_MAX {
        return Err(PeersError::TooLarge);
    }
    let mut kids = BTreeSet::new();
    let mut peers = Vec::with_capacity(listed.len());
    for (number, peer) in (1..).zip(listed) {
        let texts = [Some(&peer.name), peer.address.as_ref()];
        let fits = |text: &&String| (1..=TEXT_CHARS_MAX).contains(&text.chars().count());
        let wrong = if !texts.iter().flatten().all(fits) {
            Some("name and address have 1 to 200 characters")
        } else if peer
            .address
            .as_ref()
            .is_some_and(|address| !is_address(address))
        {
            Some("an address is host:port")
        } else if !kids.insert(peer.public_key.kid()) {
            Some("its key occurs twice")
        } else {
            None
        };
        if let Some(what) = wrong {
            let name = peer.name.chars().take(40).collect();
            return Err(PeersError::Entry { number, name, what });
        }
        peers.push(Peer {
            name: peer.name,
            address: peer.address,
            public_key: peer.public_key,
            role: match peer.role {
                RoleJson::Validator => Role::Validator,
                RoleJson::Supervisor => Role::Supervisor,
            },
        });
    }
    Ok(peers)
}

/// Writes a peers file: the same list gives the same bytes.
///
/// # Errors
/// None that JSON texts and keys could cause.
pub fn compose(peers: &[Peer]) -> Result<Vec<u8>, PeersError> {
    let listed: Vec<PeerJson> = peers
        .iter()
        .map(|peer| PeerJson {
            name: peer.name.clone(),
            role: match peer.role {
                Role::Validator => RoleJson::Validator,
                Role::Supervisor => RoleJson::Supervisor,
            },
            public_key: peer.public_key.clone(),
            address: peer.address.clone(),
        })
        .collect();
    let mut bytes = serde_json::to_vec_pretty(&listed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|n| n > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use invoice_core::crypto::SecretKey;

    fn peer(n: u8, address: Option<&str>) -> Peer {
        Peer {
            name: format!("节点 {n}"),
            address: address.map(str::to_owned),
            public_key: SecretKey::from_bytes(&[n; 32]).unwrap().public_key(),
            role: if n == 1 {
                Role::Validator
            } else {
                Role::Supervisor
            },
        }
    }

    #[test]
    fn a_list_reads_back_as_it_was_written() {
        let peers = [peer(1, Some("10.0.0.1:27100")), peer(2, None)];
        let read = parse(&compose(&peers).unwrap()).unwrap();
        assert_eq!(read.len(), 2);
        for (read, peer) in read.iter().zip(&peers) {
            assert_eq!(format!("{read:?}"), format!("{peer:?}"));
        }
    }

    #[test]
    fn a_wrong_entry_is_named() {
        for (peers, expected) in [
            (vec![peer(1, Some("nowhere"))], "host:port"),
            (vec![peer(1, Some("host:0"))], "host:port"),
            (vec![peer(1, Some(":27100"))], "host:port"),
            (vec![peer(1, None), peer(2, None), peer(1, None)], "twice"),
        ] {
            let error = parse(&compose(&peers).unwrap()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(parse(b"{}").is_err());
        assert!(parse(b"[{\"name\":\"a\",\"more\":1}]").is_err());
    }
}
