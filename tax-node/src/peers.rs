//! The peers file: who the nodes of a consortium are, and where each of them waits for the others.
//!
//! A JSON array of objects with `name`, `role` (`validator` or `supervisor`), `public_key` (SEC1,
//! hexadecimal) and `address` (`host:port`; absent for a node that only connects to others). The
//! file grants nothing: who votes is on the chain. Who a node is its key says; an address only says
//! where to look for it, so a wrong one costs a connection, never trust.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use invoice_core::crypto::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::links::{PEERS_MAX, Peer, Role};

/// Longest peers file, in bytes (1 MiB).
pub const PEERS_BYTES_MAX: usize = 1024 * 1024;
/// Most characters of a node's name.
pub const PEER_NAME_CHARS_MAX: usize = 200;
/// Longest address, in bytes: a host name of 253 (RFC 1035 §2.3.4), a colon, a port.
pub const PEER_ADDRESS_BYTES_MAX: usize = 253 + 6;

/// A node as the peers file lists it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: Role,
    public_key: PublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

/// Why a file is no peers file.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// More than [`PEERS_BYTES_MAX`].
    #[error("节点清单超过 1 MiB / the peers file is larger than 1 MiB")]
    TooLarge,
    /// More than [`PEERS_MAX`] nodes.
    #[error("节点清单超过 {PEERS_MAX} 个节点 / the peers file has more than {PEERS_MAX} nodes")]
    TooMany,
    /// No JSON list.
    #[error("节点清单不是 JSON 数组 / the peers file is no JSON array: {0}")]
    NoList(String),
    /// An entry has not the form that is due.
    #[error("[{place}] 格式错误 / is malformed: {fault}")]
    Form {
        /// Position of the entry, from 0.
        place: usize,
        /// What the reader met.
        fault: String,
    },
    /// A name is empty, too long or has control characters.
    #[error(
        "[{place}].name 应为 1 至 200 个字符 / is 1 to 200 characters without control characters"
    )]
    Name {
        /// Position of the entry, from 0.
        place: usize,
    },
    /// An address is none.
    #[error("[{place}].address {address:?} 应为 主机:端口 / is host:port")]
    Address {
        /// Position of the entry, from 0.
        place: usize,
        /// What stands there.
        address: String,
    },
    /// A name or key occurs twice.
    #[error("[{place}].{member} 与前面的节点重复 / repeats that of an entry before it")]
    Repeated {
        /// Position of the later entry, from 0.
        place: usize,
        /// `name` or `public_key`.
        member: &'static str,
    },
}

/// Reads a peers file.
///
/// # Errors
/// [`PeersError`], naming the place.
pub fn read(path: &Path) -> Result<Vec<Peer>, PeersError> {
    let io = |source| PeersError::Io {
        path: path.to_owned(),
        source,
    };
    // What the system says of the size is asked first: nobody reads a disk image into memory.
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > PEERS_BYTES_MAX as u64 {
        return Err(PeersError::TooLarge);
    }
    parse(&std::fs::read(path).map_err(io)?)
}

/// Reads the text of a peers file.
///
/// # Errors
/// [`PeersError`], naming the place.
pub fn parse(bytes: &[u8]) -> Result<Vec<Peer>, PeersError> {
    if bytes.len() > PEERS_BYTES_MAX {
        return Err(PeersError::TooLarge);
    }
    let entries: Vec<&RawValue> =
        serde_json::from_slice(bytes).map_err(|error| PeersError::NoList(error.to_string()))?;
    if entries.len() > PEERS_MAX {
        return Err(PeersError::TooMany);
    }
    let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut nodes = Vec::with_capacity(entries.len());
    for (place, entry) in entries.into_iter().enumerate() {
        // A derived reader would take an array of the values, too.
        if !entry.get().starts_with('{') {
            let fault = "an object is due".to_owned();
            return Err(PeersError::Form { place, fault });
        }
        let node: Entry = serde_json::from_str(entry.get()).map_err(|error| PeersError::Form {
            place,
            fault: error.to_string(),
        })?;
        if !is_name(&node.name) {
            return Err(PeersError::Name { place });
        }
        if let Some(address) = node.address.as_ref().filter(|text| !is_address(text)) {
            let address = address.chars().take(PEER_ADDRESS_BYTES_MAX).collect();
            return Err(PeersError::Address { place, address });
        }
        if !names.insert(node.name.clone()) {
            let member = "name";
            return Err(PeersError::Repeated { place, member });
        }
        if !keys.insert(node.public_key.kid()) {
            let member = "public_key";
            return Err(PeersError::Repeated { place, member });
        }
        nodes.push(Peer {
            name: node.name,
            address: node.address,
            public_key: node.public_key,
            role: node.role,
        });
    }
    Ok(nodes)
}

/// Writes a peers file: the same nodes give the same bytes, in whatever order they come.
///
/// # Errors
/// The nodes are no list that [`parse`] would read.
pub fn compose(nodes: &[Peer]) -> Result<Vec<u8>, PeersError> {
    let mut entries: Vec<Entry> = nodes
        .iter()
        .map(|node| Entry {
            name: node.name.clone(),
            role: node.role,
            public_key: node.public_key.clone(),
            address: node.address.clone(),
        })
        .collect();
    entries.sort_by_key(|entry| entry.public_key.kid());
    let mut bytes = serde_json::to_vec_pretty(&entries)
        .map_err(|error| PeersError::NoList(error.to_string()))?;
    bytes.push(b'\n');
    parse(&bytes)?;
    Ok(bytes)
}

/// Whether a text is good as a node's name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=PEER_NAME_CHARS_MAX).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && text.trim() == text
}

/// Whether a new node may have this name. Commands take `NAME=FILE`, and whoever reads a list must
/// see what stands there: marks that turn the direction of writing (Unicode UAX #9) hide it.
#[must_use]
pub fn is_new_name(text: &str) -> bool {
    let turns = |c: char| {
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    is_name(text) && !text.contains('=') && !text.chars().any(turns)
}

/// Whether others can connect to an address as it stands: every other address of the form
/// `host:port` but those that mean "all addresses of this machine".
#[must_use]
pub fn is_reachable(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let inner = host.trim_start_matches('[').trim_end_matches(']');
    let address = inner.parse::<std::net::IpAddr>();
    !address.is_ok_and(|address| address.to_canonical().is_unspecified())
}

/// Whether a text is `host:port`: a name, an IPv4 address or an IPv6 address in brackets.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let port_good = !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host_good = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        }
    };
    port_good && host_good && text.len() <= PEER_ADDRESS_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use invoice_core::crypto::SecretKey;

    fn node(number: u8) -> Peer {
        Peer {
            name: format!("节点 {number}"),
            role: Role::Validator,
            public_key: SecretKey::from_bytes(&[number; 32]).unwrap().public_key(),
            address: Some(format!("node-{number}.example:27000")),
        }
    }

    #[test]
    fn the_same_nodes_give_the_same_bytes() {
        let one = compose(&[node(1), node(2), node(3)]).unwrap();
        assert_eq!(one, compose(&[node(3), node(1), node(2)]).unwrap());
        assert_eq!(parse(&one).unwrap().len(), 3);
        assert_eq!(compose(&parse(&one).unwrap()).unwrap(), one);
        let mut silent = node(4);
        (silent.address, silent.role) = (None, Role::Supervisor);
        let read = parse(&compose(&[silent.clone()]).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", [silent]));
    }

    #[test]
    fn what_is_not_exactly_a_list_of_nodes_is_refused_at_its_place() {
        let good = String::from_utf8(compose(&[node(1), node(2)]).unwrap()).unwrap();
        for (from, to, place) in [
            ("\"validator\"", "\"king\"", "[0]"),
            ("\"role\"", "\"more\": 1, \"role\"", "[0]"),
            ("\"role\": \"validator\",", "", "[0]"),
            ("\"role\"", "\"name\": \"x\", \"role\"", "[0]"),
            ("\"04", "\"05", "[0]"),
            (":27000", ":0", "[0].address"),
            (":27000", "", "[0].address"),
            (":27000", ":70000", "[0].address"),
            ("node-1.example:", "", ".address"),
            ("节点 1", "", ".name"),
            ("节点 1", "节点 2", "[1].name"),
            ("[", "{", "JSON"),
            ("]\n", "", "JSON"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let fault = parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(place), "{from} -> {to}: {fault}");
        }
        let key = |number: u8| node(number).public_key.to_hex();
        let twice = good.replace(&key(2), &key(1));
        assert!(matches!(
            parse(twice.as_bytes()),
            Err(PeersError::Repeated {
                place: 1,
                member: "public_key"
            })
        ));
        assert!(matches!(
            parse(b"[[1]]"),
            Err(PeersError::Form { place: 0, .. })
        ));
        let many = vec!["{}"; PEERS_MAX + 1].join(",");
        assert!(matches!(
            parse(format!("[{many}]").as_bytes()),
            Err(PeersError::TooMany)
        ));
        assert!(matches!(
            parse(&vec![b' '; PEERS_BYTES_MAX + 1]),
            Err(PeersError::TooLarge)
        ));
    }

    #[test]
    fn a_new_name_shows_what_it_is() {
        for (name, good) in [
            ("税务 1", true),
            ("tax-1", true),
            ("", false),
            ("tax=1", false),
            ("tax\u{7}", false),
            ("tax\u{202e}1", false),
            ("\u{2066}tax", false),
            ("tax\u{200f}", false),
        ] {
            assert_eq!(is_new_name(name), good, "{name:?}");
        }
    }

    #[test]
    fn nobody_connects_to_all_addresses() {
        for (address, good) in [
            ("tax.example:27000", true),
            ("127.0.0.1:27000", true),
            ("[::1]:27000", true),
            ("0.0.0.0:27000", false),
            ("[::]:27000", false),
            ("[::ffff:0.0.0.0]:27000", false),
        ] {
            assert_eq!(is_reachable(address), good, "{address}");
        }
    }

    #[test]
    fn addresses_are_names_or_numbers_with_a_port() {
        for (text, good) in [
            ("127.0.0.1:27000", true),
            ("[::1]:27000", true),
            ("tax.example:1", true),
            ("::1:27000", false),
            ("tax.example", false),
            (":27000", false),
            ("tax.example:+1", false),
            ("http://tax.example:1", false),
            ("a b:1", false),
        ] {
            assert_eq!(is_address(text), good, "{text}");
        }
    }
}
