//! Made-up chains for the tests of the store: real headers, leaves, certificates and changes with
//! contents drawn from a seed. The store does not care what records mean, so these mean nothing.

#![allow(
    dead_code,
    reason = "each test file uses its own part of the support code"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use invoice_core::chain::{
    Authorization, Block, BlockEnvelope, Certificate, Entry, Facts, Header, Leaf, Outcome,
};
use invoice_core::crypto::{Hash, Kid, Signature, sm3};
use invoice_core::merkle::{Frontier, leaf_hash};
use invoice_core::state::{Changes, Table};
use tax_node::store::fault::{Dice, Disk};
use tax_node::store::{
    ClaimRow, CommittedBlock, EventRow, FaultFiles, Files, IndexRows, NewChain, OpenError,
    OpenOptions, Snapshot, Store, Tuning,
};

/// The genesis file of every made-up chain.
pub(crate) const GENESIS: &[u8] = b"{\"format\":\"piaolian-genesis/1\"}";

/// A small cache, so that reads reach the simulated disk.
pub(crate) const CACHE_BYTES: usize = 256 * 1024;

/// A block with everything that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) block: Block,
    pub(crate) certificate: Certificate,
    pub(crate) changes: Changes,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) leaf_hashes: Vec<Hash>,
    pub(crate) rows: IndexRows,
}

impl Made {
    pub(crate) fn committed(&self) -> CommittedBlock<'_> {
        CommittedBlock {
            block: &self.block,
            certificate: &self.certificate,
            changes: &self.changes,
            leaf_hashes: &self.leaf_hashes,
            rows: &self.rows,
        }
    }
}

type State = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// What the store should hold.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) blocks: Vec<Made>,
    state: State,
    frontier: Frontier,
    tip: Hash,
}

pub(crate) fn genesis_hash() -> Hash {
    sm3(&[&[3], GENESIS])
}

fn genesis_state() -> Changes {
    let mut changes = Changes::new();
    changes.put(
        Table::Member,
        b"91310000000000000X",
        b"first member".to_vec(),
    );
    changes
}

fn certificate_of(header: &Header) -> Certificate {
    let id = header.id();
    let mut signature = [1; 64];
    signature[1..32].copy_from_slice(&id.as_bytes()[1..]);
    Certificate {
        height: header.height,
        round: 0,
        block_id: id,
        signatures: vec![(
            Kid::new([7; 16]),
            Signature::from_bytes(&signature).unwrap(),
        )],
    }
}

pub(crate) fn certified(_: &Snapshot, header: &Header, certificate: &Certificate) -> bool {
    *certificate == certificate_of(header)
}

pub(crate) fn options() -> OpenOptions<'static> {
    OpenOptions {
        genesis_hash: genesis_hash(),
        certified: &certified,
        cache_bytes: CACHE_BYTES,
        tuning: TUNING,
    }
}

/// Blocks go into files every few blocks, by whoever commits: a seed repeats exactly.
pub(crate) const TUNING: Tuning = Tuning {
    flush_bytes: 12_000,
    waiting_segments_max: 3,
    dictionaries_at: [400, u64::MAX, u64::MAX],
    inline: true,
};

/// A machine with a disk for the engine and a file system for the rest, whose power goes off for
/// both at once.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    pub(crate) files: FaultFiles,
}

impl Machine {
    /// A machine with the store of a new chain.
    pub(crate) fn new() -> Self {
        let disk = Disk::new(Vec::new());
        with_new_chain(|new| Store::create_on(disk.backend(), new)).unwrap();
        Self {
            files: FaultFiles::new(counted_by(&disk)),
            disk,
        }
    }

    /// Another machine with the same bytes, all of them durable. The store here is closed.
    pub(crate) fn copy(&self) -> Self {
        let disk = Disk::new(self.disk.durable());
        Self {
            files: self.files.copy(counted_by(&disk)),
            disk,
        }
    }

    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        self.open_with(&options())
    }

    pub(crate) fn open_with(&self, options: &OpenOptions<'_>) -> Result<Store, OpenError> {
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        Store::open_on(self.disk.backend(), &files, Path::new(FOLDER), options)
    }

    /// Cuts the power for all; true when the cut came in the middle of something.
    pub(crate) fn cut(&self, dice: &mut Dice) -> bool {
        self.files.cut(dice);
        self.disk.cut(dice)
    }

    /// Ends the process but not the machine.
    pub(crate) fn kill_process(&self) {
        self.files.kill_process();
        self.disk.kill_process();
    }

    /// After opening: no file lies there that the manifest does not name, and each has its digest.
    pub(crate) fn compare_files(&self, store: &Store) -> Result<(), String> {
        let snapshot = store.snapshot().map_err(|error| error.to_string())?;
        let away = snapshot.check_files().map_err(|error| error.to_string())?;
        let folder = Path::new(FOLDER);
        let years = (1970..2100).map(|year| folder.join("epochs").join(year.to_string()));
        let mut found: Vec<_> = std::iter::once(folder.join("runs"))
            .chain(years)
            .flat_map(|folder| {
                let names = self.files.list(&folder).unwrap();
                names.into_iter().map(move |name| folder.join(name))
            })
            .collect();
        let mut named: Vec<_> = snapshot
            .files()
            .into_iter()
            .map(|path| folder.join(path))
            .collect();
        found.sort();
        named.sort();
        if found == named && away.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "files {found:?} instead of {named:?}; away {away:?}"
            ))
        }
    }
}

fn counted_by(disk: &Disk) -> Arc<dyn Fn() -> std::io::Result<()> + Send + Sync> {
    let disk = disk.clone();
    Arc::new(move || disk.step())
}

/// Where the simulated files lie.
pub(crate) const FOLDER: &str = "/node";

pub(crate) fn with_new_chain<T>(create: impl FnOnce(&NewChain<'_>) -> T) -> T {
    let state = genesis_state();
    create(&NewChain {
        genesis: GENESIS,
        genesis_hash: genesis_hash(),
        time_ms: 0,
        state: &state,
    })
}

impl Default for Chain {
    fn default() -> Self {
        let mut chain = Self {
            blocks: Vec::new(),
            state: State::new(),
            frontier: Frontier::new(),
            tip: genesis_hash(),
        };
        apply(&mut chain.state, &genesis_state());
        chain
    }
}

fn apply(state: &mut State, changes: &Changes) {
    for (table, key, value) in changes.iter() {
        match value {
            Some(value) => state.insert((table, key.to_vec()), value.to_vec()),
            None => state.remove(&(table, key.to_vec())),
        };
    }
}

fn any_authorization(dice: &mut Dice, entries: usize) -> Authorization {
    let kid = Kid::new([dice.below(9) as u8; 16]);
    let signature = Signature::from_bytes(&[dice.below(250) as u8 + 1; 64]).unwrap();
    if entries == 1 && dice.once_in(2) {
        return Authorization::Single { kid, signature };
    }
    let omitted: Vec<(u32, Hash)> = (0..dice.below(4) as u32)
        .map(|position| (position, sm3(&[b"omitted", &dice.bytes(8)])))
        .collect();
    let count = (entries + omitted.len()) as u32;
    Authorization::Batch {
        kid,
        signature,
        atomic: dice.once_in(2),
        count,
        omitted,
    }
}

fn any_outcome(dice: &mut Dice) -> Outcome {
    let facts = Facts::new().with("remaining", dice.below(1_000));
    if dice.once_in(4) {
        Outcome::refused("claim_exceeds_remaining", facts)
    } else {
        Outcome::accepted()
    }
}

fn member(dice: &mut Dice) -> [u8; 18] {
    [b'A' + dice.below(5) as u8; 18]
}

impl Chain {
    pub(crate) fn height(&self) -> u64 {
        self.blocks.len() as u64
    }

    pub(crate) fn log_size(&self) -> u64 {
        self.frontier.size()
    }

    /// A next block of `leaf_count` leaves, of up to `record_bytes` bytes each. It is not appended.
    pub(crate) fn make(&self, dice: &mut Dice, leaf_count: usize, record_bytes: u64) -> Made {
        let first_index = self.log_size();
        let mut left = leaf_count;
        let mut envelopes = Vec::new();
        while left > 0 {
            let entries = 1 + dice.below(left.min(4) as u64) as usize;
            left -= entries;
            let entries: Vec<Entry> = (0..entries)
                .map(|_| {
                    let length = 1 + dice.below(record_bytes) as usize;
                    let record = if dice.once_in(2) {
                        dice.bytes(length)
                    } else {
                        vec![b'r'; length]
                    };
                    Entry {
                        record: record.into(),
                        outcome: any_outcome(dice),
                    }
                })
                .collect();
            envelopes.push(BlockEnvelope {
                authorization: any_authorization(dice, entries.len()),
                entries,
                parity: None,
            });
        }

        let leaves: Vec<Vec<u8>> = envelopes
            .iter()
            .flat_map(|envelope: &BlockEnvelope| {
                let kid = envelope.authorization.kid();
                let leaf = move |Entry { record, outcome }: &Entry| {
                    Leaf {
                        kid,
                        record,
                        outcome,
                    }
                    .encode()
                    .unwrap()
                };
                envelope.entries.iter().map(leaf)
            })
            .collect();
        let leaf_hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let records = envelopes
            .iter()
            .flat_map(|envelope| &envelope.entries)
            .map(|entry| &entry.record);
        let rows = rows(dice, first_index, records);

        let mut changes = Changes::new();
        for _ in 0..dice.below(3 + 2 * leaf_count.min(50) as u64) {
            let table = Table::ALL[dice.below(Table::ALL.len() as u64) as usize];
            let key = vec![b'k'; 1 + dice.below(12) as usize];
            if dice.once_in(4) {
                changes.remove(table, key);
            } else {
                let length = dice.below(120) as usize;
                changes.put(table, key, dice.bytes(length));
            }
        }
        let mut frontier = self.frontier.clone();
        for hash in &leaf_hashes {
            frontier.push(*hash);
        }
        let header = header(
            self.height() + 1,
            self.tip,
            first_index,
            leaf_count as u32,
            &frontier,
            changes.root(),
        );
        let certificate = certificate_of(&header);
        Made {
            block: Block { header, envelopes },
            certificate,
            changes,
            leaves,
            leaf_hashes,
            rows,
        }
    }

    /// A next block of a size drawn from `dice`: mostly small, sometimes with several bundles,
    /// sometimes large enough to make the file grow.
    pub(crate) fn make_any(&self, dice: &mut Dice) -> Made {
        match dice.below(40) {
            0 => self.make(dice, 60, 12_000),
            1..4 => {
                let leaves = dice.below(300) as usize;
                self.make(dice, leaves, 60)
            }
            _ => {
                let leaves = dice.below(7) as usize;
                self.make(dice, leaves, 300)
            }
        }
    }

    pub(crate) fn append(&mut self, made: Made) {
        apply(&mut self.state, &made.changes);
        for hash in &made.leaf_hashes {
            self.frontier.push(*hash);
        }
        self.tip = made.block.header.id();
        self.blocks.push(made);
    }

    /// Compares everything in the store with this chain.
    pub(crate) fn compare(&self, store: &Store) -> Result<(), String> {
        let text = |error: tax_node::store::ReadError| error.to_string();
        let snapshot = store.snapshot().map_err(text)?;
        let head = snapshot.head();
        if (head.height, head.block_id, &head.frontier) != (self.height(), self.tip, &self.frontier)
        {
            return Err(format!(
                "head is {} instead of {}",
                head.height,
                self.height()
            ));
        }
        if snapshot.genesis().map_err(text)? != GENESIS {
            return Err("another genesis".into());
        }
        for (height, made) in (1..).zip(&self.blocks) {
            let stored = snapshot
                .block(height)
                .map_err(text)?
                .ok_or("block is missing")?;
            if stored.block != made.block || stored.certificate != made.certificate {
                return Err(format!("block {height} differs"));
            }
            if height + 4 > self.height() {
                let first = made.block.header.first_index;
                if snapshot
                    .leaves(first, made.leaves.len() as u32)
                    .map_err(text)?
                    != made.leaves
                {
                    return Err(format!("leaves of block {height} differ"));
                }
                for (index, hash) in (first..).zip(&made.leaf_hashes) {
                    if snapshot.node(0, index).map_err(text)? != *hash {
                        return Err(format!("hash of leaf {index} differs"));
                    }
                }
            }
            if let Some(damage) = snapshot
                .first_difference(height, &made.rows)
                .map_err(text)?
            {
                return Err(damage.to_string());
            }
        }
        self.compare_counts(&snapshot.row_counts().map_err(text)?)?;
        let mut state = State::new();
        for table in Table::ALL {
            let mut visit = |key: &[u8], value: &[u8]| {
                state.insert((table, key.to_vec()), value.to_vec());
            };
            snapshot.state_rows(table, &mut visit).map_err(text)?;
        }
        if state != self.state {
            return Err("the state differs".into());
        }
        self.replay(store)
    }

    fn compare_counts(&self, counts: &tax_node::store::RowCounts) -> Result<(), String> {
        let sum = |count: fn(&IndexRows) -> usize| -> u64 {
            self.blocks
                .iter()
                .map(|made| count(&made.rows) as u64)
                .sum()
        };
        let expected = tax_node::store::RowCounts {
            records: sum(|rows| rows.records.len()),
            timeline: sum(|rows| rows.timeline.len()),
            claims: sum(|rows| rows.claims.len()),
            events: sum(|rows| rows.events.len()),
            events_by_member: sum(|rows| rows.events.iter().map(|event| event.members.len()).sum()),
        };
        if *counts == expected {
            Ok(())
        } else {
            Err(format!("{counts:?} instead of {expected:?}"))
        }
    }

    /// Replays the last blocks as the node does on opening, with the made-up changes in the place
    /// of an execution, and checks the state before each block.
    pub(crate) fn replay(&self, store: &Store) -> Result<(), String> {
        let mut replay = store.tail_for_replay().map_err(|error| error.to_string())?;
        while let Some(stored) = replay.next_block().map_err(|error| error.to_string())? {
            let made = &self.blocks[stored.block.header.height as usize - 1];
            replay
                .advance(made.changes.clone())
                .map_err(|error| error.to_string())?;
        }
        replay.finish().map_err(|error| error.to_string())
    }

    /// The value of an entry after the last block.
    pub(crate) fn value(&self, table: Table, key: &[u8]) -> Option<&Vec<u8>> {
        self.state.get(&(table, key.to_vec()))
    }
}

fn header(
    height: u64,
    previous: Hash,
    first_index: u64,
    count: u32,
    frontier: &Frontier,
    effects_root: Hash,
) -> Header {
    Header {
        chain_id: "power-cut-1".parse().unwrap(),
        height,
        // A few dozen blocks a year, so that bodies of several years are there.
        time_ms: height as i64 * 864_000_000,
        previous,
        first_index,
        count,
        log_size: frontier.size(),
        log_root: frontier.root(),
        effects_root,
        validators: sm3(&[b"validators"]),
    }
}

fn rows<'a>(
    dice: &mut Dice,
    first_index: u64,
    records: impl Iterator<Item = &'a Bytes>,
) -> IndexRows {
    let mut rows = IndexRows::default();
    for (leaf_index, record) in (first_index..).zip(records) {
        rows.records.push((sm3(&[record]), leaf_index));
        if dice.once_in(2) {
            rows.timeline
                .push((vec![b'd'; 1 + dice.below(20) as usize], leaf_index));
        }
        if dice.once_in(3) {
            rows.claims.push(ClaimRow {
                member: member(dice),
                leaf_index,
                claim: dice.bytes(8),
            });
        }
        for number in 0..dice.below(3) as u32 {
            let members = vec![member(dice)];
            rows.events.push(EventRow {
                leaf_index,
                number,
                bytes: (number > 0 || dice.once_in(2)).then(|| dice.bytes(30)),
                members,
            });
        }
    }
    rows
}
