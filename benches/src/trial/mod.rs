//! A consortium under faults: folders for real nodes, clients that do not give up, and a checker
//! that reads what all nodes have afterwards.
//!
//! `scripts/network_trial.py` starts the nodes in network namespaces and breaks what they need.

pub mod check;
pub mod client;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use invoice_core::chain::{Genesis, Group, Validator, ValidatorSet};
use invoice_core::crypto::SecretKey;
use serde::{Deserialize, Serialize};
use tax_node::key_file;
use tax_node::node::{Node, system_clock};

use crate::Failure;
use crate::cast::Cast;
use crate::input::Setting;
use crate::input::files::CHAIN;

const ABOUT: &str = "trial.json";
const GENESIS: &str = "genesis.json";

/// What a trial is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    /// Who takes part.
    pub setting: Setting,
    /// When it was made.
    pub at_ms: i64,
    /// How many of the nodes vote; they come first.
    pub validators: usize,
    /// Where each node is reached by the others.
    pub peers: Vec<SocketAddr>,
}

/// A node in the peers file.
#[derive(Serialize)]
struct PeerEntry {
    name: String,
    role: &'static str,
    public_key: String,
    address: String,
}

/// The folder of a node, by its number from 1.
#[must_use]
pub fn node_folder(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("node-{number}"))
}

/// Makes the folders of a new consortium, as `tax-node start` wants them.
///
/// # Errors
/// They cannot be written.
pub fn prepare(
    folder: &Path,
    setting: Setting,
    cast: &Cast,
    validators: usize,
    peers: &[SocketAddr],
) -> Result<(), Failure> {
    if validators > peers.len() {
        return Err("投票节点多于节点 / more validators than nodes".into());
    }
    let now = (system_clock())();
    let keys = peers.iter().map(|_| key_file::generate());
    let keys = keys.collect::<Result<Vec<SecretKey>, _>>()?;
    let voting = keys.iter().take(validators).zip(1..);
    let set = voting
        .zip(Group::ALL.into_iter().cycle())
        .map(|((key, number), group)| Validator {
            public_key: key.public_key(),
            weight: 1,
            group: (validators > 1).then_some(group),
            name: format!("validator-{number}"),
        });
    let genesis = cast.genesis_of(CHAIN, ValidatorSet::new(set.collect())?, now);
    let entries = keys.iter().zip(peers).zip(1..);
    let entries: Vec<PeerEntry> = entries
        .map(|((key, address), number)| PeerEntry {
            name: format!("node-{number}"),
            role: match number <= validators {
                true => "validator",
                false => "supervisor",
            },
            public_key: key.public_key().to_hex(),
            address: address.to_string(),
        })
        .collect();
    for (key, number) in keys.iter().zip(1..) {
        let node = node_folder(folder, number);
        fs::create_dir_all(&node)?;
        Node::create(&node, &genesis)?;
        fs::write(node.join(GENESIS), genesis.bytes())?;
        fs::write(
            node.join("peers.json"),
            serde_json::to_vec_pretty(&entries)?,
        )?;
        let name = match number <= validators {
            true => "validator.pem",
            false => "node.pem",
        };
        key_file::write_new(&node.join("keys").join(name), key, None)?;
    }
    fs::write(folder.join(GENESIS), genesis.bytes())?;
    let about = About {
        setting,
        at_ms: now.ms(),
        validators,
        peers: peers.to_vec(),
    };
    Ok(fs::write(
        folder.join(ABOUT),
        serde_json::to_vec_pretty(&about)?,
    )?)
}

/// What a folder is about, and its genesis file.
///
/// # Errors
/// There is no trial.
pub fn open(folder: &Path) -> Result<(About, Genesis), Failure> {
    let about = fs::read(folder.join(ABOUT))?;
    let genesis = fs::read(folder.join(GENESIS))?;
    Ok((serde_json::from_slice(&about)?, Genesis::parse(&genesis)?))
}
