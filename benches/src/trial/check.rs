//! Reading what all nodes have, when they have stopped.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use invoice_core::chain::{Certificate, Genesis, Header};
use invoice_core::crypto::{Hash, sm3};
use invoice_core::record::{Body, parse_record};
use serde::Serialize;
use tax_node::store::{CACHE_BYTES, OpenOptions, Snapshot, Store, Tuning};

use super::client::Told;
use super::{node_folder, open};
use crate::Failure;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checked {
    /// Height of each node's chain.
    pub heights: Vec<u64>,
    /// Records in the longest.
    pub records: u64,
    /// Answers that clients were given.
    pub answers: u64,
    /// Longest time until a record was settled, in milliseconds.
    pub slowest_ms: u64,
    /// Documents that more than one member tried to claim wholly.
    pub contested: u64,
    /// What is wrong: empty when there is one history that has everything exactly once.
    pub wrong: Vec<String>,
}

/// Faults that are told; more only repeat them.
const WRONG_MAX: usize = 20;

/// A record as the chain has it.
struct Recorded {
    height: u64,
    index: u64,
    accepted: bool,
    times: u32,
}

/// What a node's store says.
struct Chain {
    ids: Vec<Hash>,
    records: HashMap<String, Recorded>,
    /// Locks over whole documents: accepted ones and all.
    locks: BTreeMap<String, (u32, u32)>,
}

/// Compares all nodes with each other and with what clients were told.
///
/// # Errors
/// A store or a log cannot be read.
pub fn run(folder: &Path, logs: &[PathBuf]) -> Result<Checked, Failure> {
    let (about, genesis) = open(folder)?;
    let mut found = Checked::default();
    let mut longest: Option<Chain> = None;
    for number in 1..=about.peers.len() {
        let chain = read(&node_folder(folder, number), &genesis)?;
        found.heights.push(chain.ids.len() as u64);
        let Some(other) = &longest else {
            longest = Some(chain);
            continue;
        };
        let differs = chain
            .ids
            .iter()
            .zip(&other.ids)
            .position(|(one, other)| one != other);
        if let Some(place) = differs {
            let height = place + 1;
            found.wrong.push(format!(
                "区块不同 / node {number} has another block {height}"
            ));
        }
        if chain.ids.len() > other.ids.len() {
            longest = Some(chain);
        }
    }
    let Some(chain) = longest else {
        return Err("没有节点 / there is no node".into());
    };
    found.records = chain
        .records
        .values()
        .map(|record| u64::from(record.times))
        .sum();
    for (hash, record) in &chain.records {
        if record.times != 1 {
            found.wrong.push(format!(
                "重复上链 / {hash} is recorded {} times",
                record.times
            ));
        }
    }
    for (document, (accepted, all)) in &chain.locks {
        found.contested += u64::from(*all > 1);
        if *accepted > 1 {
            found
                .wrong
                .push(format!("重复报销 / {document} is claimed {accepted} times"));
        }
    }
    for log in logs {
        for line in std::io::BufReader::new(std::fs::File::open(log)?).lines() {
            let told: Told = serde_json::from_str(&line?)?;
            found.answers += 1;
            found.slowest_ms = found.slowest_ms.max(told.ms);
            let recorded = chain.records.get(&told.sm3);
            let holds = recorded.is_some_and(|recorded| {
                recorded.accepted == told.accepted
                    && told
                        .place
                        .is_none_or(|place| place == (recorded.height, recorded.index))
            });
            if !holds {
                let what = recorded.map(|at| (at.height, at.index, at.accepted));
                found
                    .wrong
                    .push(format!("应答不符 / told {told:?}, recorded {what:?}"));
            }
        }
    }
    found.wrong.truncate(WRONG_MAX);
    Ok(found)
}

fn read(folder: &Path, genesis: &Genesis) -> Result<Chain, Failure> {
    let validators = genesis.validators();
    let certified = |_: &Snapshot, header: &Header, certificate: &Certificate| {
        certificate.height == header.height
            && certificate.block_id == header.id()
            && certificate.verify(validators, genesis.chain_id()).is_ok()
    };
    let options = OpenOptions {
        genesis_hash: genesis.hash(),
        certified: &certified,
        cache_bytes: CACHE_BYTES / 4,
        tuning: Tuning::default(),
    };
    let store = Store::open(folder, &options)?;
    let snapshot = store.snapshot()?;
    let mut read = Chain {
        ids: Vec::new(),
        records: HashMap::new(),
        locks: BTreeMap::new(),
    };
    for stored in snapshot.blocks_from(1) {
        let stored = stored?;
        let block = stored.block;
        if !certified(&snapshot, &block.header, &stored.certificate) {
            let height = block.header.height;
            return Err(format!(
                "{}: 区块未终局 / block {height} is not final",
                folder.display()
            )
            .into());
        }
        read.ids.push(block.header.id());
        let entries = block
            .envelopes
            .iter()
            .flat_map(|envelope| &envelope.entries);
        for (entry, index) in entries.zip(block.header.first_index..) {
            let accepted = entry.outcome.is_accepted();
            let hash = sm3(&[&entry.record]).to_string();
            let recorded = read.records.entry(hash).or_insert(Recorded {
                height: block.header.height,
                index,
                accepted,
                times: 0,
            });
            recorded.times += 1;
            if let Ok(parsed) = parse_record(&entry.record)
                && let Ok(record) = parsed.record
                && let Body::ClaimLock(lock) = &record.body
            {
                let locks = read.locks.entry(lock.document.to_string()).or_default();
                locks.0 += u32::from(accepted);
                locks.1 += 1;
            }
        }
    }
    Ok(read)
}
