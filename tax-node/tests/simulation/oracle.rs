//! What must hold, whatever happens. It keeps a chain and a state of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use consensus::{LogEntry, Message, Proposal, Vote};
use invoice_core::apply::{ChainPoint, Signatures, execute_block, genesis_changes};
use invoice_core::chain::{Block, Certificate, Genesis, ValidatorSet};
use invoice_core::crypto::messages::VoteKind;
use invoice_core::crypto::{Hash, Kid, sm3};
use invoice_core::state::{MemoryState, TypedState};
use tax_node::node::simulated::Rows;

/// What a validator says once in a round: for a proposal `None`, 0 for a prevote, 1 for a precommit.
/// Places of one validator are in the order in which it comes to them.
pub(crate) type Place = (Kid, u64, u32, Option<u8>);

/// Where a vote stands among what its validator says.
fn place_of_vote(vote: &Vote) -> Place {
    let kind = match vote.kind {
        VoteKind::Prevote => 0,
        VoteKind::Precommit => 1,
    };
    (vote.voter, vote.height, vote.round, Some(kind))
}

/// Where a proposal stands among what its proposer says.
const fn place_of_proposal(own: &Proposal) -> Place {
    (own.proposer, own.height, own.round, None)
}

/// Where a message stands among what one validator says; `None` for what several say together.
pub(crate) fn place_of(message: &Message) -> Option<Place> {
    match message {
        Message::Vote(vote) => Some(place_of_vote(vote)),
        Message::Proposal(own) => Some(place_of_proposal(own)),
        Message::Polka(_) | Message::RoundChange(_) => None,
    }
}

/// The place of a log's entry, and what stands there.
fn logged_word(entry: &LogEntry) -> Option<(Place, Option<Hash>)> {
    match entry {
        LogEntry::Vote(vote) => Some((place_of_vote(vote), vote.block_id)),
        LogEntry::Proposal(own) => Some((place_of_proposal(own), Some(own.block_id))),
        LogEntry::Polka(_) | LogEntry::Value(_) | LogEntry::Elapsed(_) | LogEntry::Block { .. } => {
            None
        }
    }
}

/// The furthest place of a validator's own in a log.
pub(crate) fn furthest(kid: Kid, logged: &[LogEntry]) -> Option<Place> {
    let places = logged
        .iter()
        .filter_map(logged_word)
        .map(|(place, _)| place);
    places.filter(|(of, ..)| *of == kid).max()
}

/// What is known to be final, and what was told.
pub(crate) struct Oracle {
    state: MemoryState,
    point: ChainPoint,
    /// Ids of the final blocks, from height 1 on.
    ids: Vec<Hash>,
    /// Leaf index of each record by the hash of its bytes.
    places: HashMap<Hash, u64>,
    /// Who holds all money of a document, by its text.
    locked: HashMap<String, u64>,
    /// What correct validators said.
    said: BTreeMap<Place, Option<Hash>>,
    /// What of it their disks hold, or should.
    written: BTreeSet<Place>,
    pub(crate) violations: Vec<String>,
}

/// Violations that are kept: the first is what matters.
const VIOLATIONS_MAX: usize = 5;

impl Oracle {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let mut state = MemoryState::new();
        state.apply(&genesis_changes(genesis));
        Self {
            state,
            point: ChainPoint::genesis(genesis),
            ids: Vec::new(),
            places: HashMap::new(),
            locked: HashMap::new(),
            said: BTreeMap::new(),
            written: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn violated(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(what);
        }
    }

    /// The last final height.
    pub(crate) fn height(&self) -> u64 {
        self.point.height
    }

    /// The validators of a height, as far as they are known.
    pub(crate) fn validators(&self, height: u64) -> Arc<ValidatorSet> {
        let entry = TypedState(&self.state).validators_at(height);
        Arc::new(entry.unwrap().unwrap().set)
    }

    /// Where the chain stands.
    pub(crate) fn point(&self) -> &ChainPoint {
        &self.point
    }

    /// The newest validators, and from which height on they decide.
    pub(crate) fn newest_validators(&self) -> (u64, ValidatorSet) {
        let newest = TypedState(&self.state)
            .newest_validators()
            .unwrap()
            .unwrap();
        (newest.from_height, newest.set)
    }

    /// A correct node has this block as final.
    pub(crate) fn decided(&mut self, node: usize, block: &Block, certificate: &Certificate) {
        let (height, id) = (block.header.height, block.header.id());
        if height <= self.point.height {
            if self.ids[height as usize - 1] != id {
                self.violated(format!(
                    "node {node} has another final block {height}: a fork"
                ));
            }
            return;
        }
        if height != self.point.height + 1 {
            return self.violated(format!(
                "node {node} has block {height} without its predecessor"
            ));
        }
        let set = self.validators(height);
        if certificate.block_id != id || certificate.height != height {
            self.violated(format!("the certificate of block {height} is for another"));
        }
        if let Err(error) = certificate.verify(&set, &self.point.chain_id) {
            self.violated(format!("the certificate of block {height}: {error}"));
        }
        if block.header.validators != set.digest() {
            self.violated(format!("block {height} names other validators"));
        }
        let executed = execute_block(&self.point, &self.state, block, Signatures::Trust);
        let executed = match executed {
            Ok(executed) => executed,
            Err(error) => {
                self.violated(format!("a final block is not valid: {error}"));
                // It cannot be followed any further.
                return;
            }
        };
        let leaves = block.header.first_index..;
        let entries = block
            .envelopes
            .iter()
            .flat_map(|envelope| &envelope.entries);
        for (index, entry) in leaves.zip(entries) {
            let hash = sm3(&[&entry.record]);
            if let Some(first) = self.places.insert(hash, index) {
                self.violated(format!("a record is final twice, at {first} and {index}"));
            }
            let text = String::from_utf8_lossy(&entry.record);
            if text.starts_with(r#"{"type":"claim.lock""#) && entry.outcome.is_accepted() {
                let document = text.split(r#""document":""#).nth(1).unwrap_or_default();
                let document = document.split('"').next().unwrap_or_default().to_owned();
                if let Some(first) = self.locked.insert(document, index) {
                    self.violated(format!("money was claimed twice, at {first} and {index}"));
                }
            }
        }
        self.state.apply(&executed.changes);
        self.point = self.point.after(&block.header, executed.frontier);
        self.ids.push(id);
    }

    /// Whether a record is final at this place.
    pub(crate) fn stands_at(&self, record: &[u8], index: u64) -> bool {
        self.places.get(&sm3(&[record])) == Some(&index)
    }

    /// A correct validator says this for the first time or again; tells when it says something else
    /// than before.
    pub(crate) fn said(&mut self, node: usize, message: &Message) -> Option<String> {
        let place = place_of(message)?;
        let what = match message {
            Message::Vote(vote) => vote.block_id,
            Message::Proposal(own) => Some(own.block_id),
            Message::Polka(_) | Message::RoundChange(_) => return None,
        };
        self.written.insert(place);
        let first = *self.said.entry(place).or_insert(what);
        // What was said last is what the log holds.
        self.said.insert(place, what);
        let (_, height, round, kind) = place;
        (first != what).then(|| {
            format!(
                "node {node} signs twice at height {height}, round {round} ({kind:?}): {first:?} and {what:?}"
            )
        })
    }

    /// The disk of a validator went back in time.
    pub(crate) fn forgets(&mut self, kid: Kid) {
        self.written.retain(|(of, ..)| *of != kid);
    }

    /// What a validator said is remembered by its own log after a start, unless its height is over.
    pub(crate) fn remembers(&mut self, node: usize, kid: Kid, next: u64, logged: &[LogEntry]) {
        let said: Vec<(Place, Option<Hash>)> = self
            .said
            .range((kid, next, 0, None)..)
            .take_while(|((of, ..), _)| *of == kid)
            .filter(|(place, _)| self.written.contains(*place))
            .map(|(place, what)| (*place, *what))
            .collect();
        for (place, what) in said {
            let (_, height, round, kind) = place;
            let known = logged
                .iter()
                .any(|entry| logged_word(entry) == Some((place, what)));
            if !known {
                self.violated(format!(
                    "node {node} has forgotten what it said at height {height}, round {round} ({kind:?})"
                ));
            }
            // A precommit promises that the block can be had again.
            let bytes = logged.iter().any(|entry| {
                matches!(entry, LogEntry::Block { block_id, .. } if Some(*block_id) == what)
            });
            if kind == Some(1) && what.is_some() && !bytes {
                self.violated(format!(
                    "node {node} has lost the block that it voted for at height {height}"
                ));
            }
        }
    }

    /// The digest of every entry of the state.
    pub(crate) fn state_digest(&self) -> Hash {
        let mut rows = Rows::default();
        for (table, key, value) in self.state.iter() {
            rows.add(table, key, value);
        }
        rows.digest()
    }
}
