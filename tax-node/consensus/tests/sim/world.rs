//! Time, links, crashes, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use consensus::{Evidence, LogEntry, Machine, Message, Output, Timer, Voting};
use invoice_core::chain::{Certificate, CertificateError, ValidatorSet};
use invoice_core::crypto::messages::{proposal_message, vote_message};
use invoice_core::crypto::{Hash, Kid, Signer, sm3};

use super::plan::{Plan, chain, signer, timeouts};

/// What a run left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Violations of what must hold.
    pub(crate) faults: Vec<String>,
    /// Blocks of each node.
    pub(crate) heights: Vec<u64>,
    /// Blocks that any node had at each time that was asked for, in [`Plan::partitions`]' order:
    /// at their ends.
    pub(crate) at_partition_ends: Vec<u64>,
    /// Highest round of a decision.
    pub(crate) last_round: u32,
    /// Proofs that a key signed twice.
    pub(crate) evidence: usize,
    /// Log entries that were gone through after a crash.
    pub(crate) replayed: usize,
    /// Messages signed by nodes that had lost their log, at the height where they had.
    pub(crate) spoke_without_memory: usize,
    /// A digest of all that happened.
    pub(crate) trace: u64,
    /// Virtual time at the end.
    pub(crate) end_ms: u64,
    /// The decided certificates, by height.
    pub(crate) decided: BTreeMap<u64, Hash>,
}

/// A block as it travels; its bytes are left out.
#[derive(Clone, Copy, Debug)]
struct Block {
    height: u64,
    round: u32,
    valid_round: Option<u32>,
    proposer: Kid,
    id: Hash,
}

#[derive(Clone, Debug)]
enum Wire {
    Message(Vec<u8>),
    Block(Block),
    Ask(u64),
    Decided(Certificate),
}

#[derive(Debug)]
enum Event {
    Arrive {
        from: usize,
        to: usize,
        wire: Wire,
    },
    Ring {
        node: usize,
        timer: Timer,
        tag: u64,
    },
    Built {
        node: usize,
        life: u32,
        height: u64,
        round: u32,
    },
    Executed {
        node: usize,
        life: u32,
        block: Block,
    },
    Begin {
        node: usize,
        life: u32,
    },
    Crash {
        node: usize,
        down_ms: u64,
        forgets: bool,
    },
    Restart {
        node: usize,
    },
    PartitionEnds,
}

struct Node {
    key: usize,
    machine: Option<Machine>,
    life: u32,
    /// Durable: decided blocks, the log of the height after them.
    chain: Vec<Certificate>,
    log: Vec<Vec<u8>>,
    forgot: bool,
    /// Not durable.
    unsynced: Vec<Vec<u8>>,
    blocks: BTreeSet<Hash>,
    held: Vec<Block>,
    timers: BTreeMap<Timer, u64>,
}

impl Node {
    fn height(&self) -> u64 {
        self.chain.len() as u64 + 1
    }

    fn sync(&mut self) {
        self.log.append(&mut self.unsynced);
    }

    fn write(&mut self, entry: &LogEntry) {
        let bytes = entry.encode().expect("it fits");
        assert_eq!(LogEntry::decode(&bytes).as_ref(), Ok(entry));
        self.unsynced.push(bytes);
    }
}

struct World<'a> {
    plan: &'a Plan,
    random: u64,
    now: u64,
    sequence: u64,
    events: BTreeMap<(u64, u64), Event>,
    nodes: Vec<Node>,
    sets: BTreeMap<u64, Arc<ValidatorSet>>,
    outcome: Outcome,
}

/// Runs a plan to its end.
pub(crate) fn run(plan: &Plan) -> Outcome {
    let node = |key: &usize| Node {
        key: *key,
        machine: None,
        life: 0,
        chain: Vec::new(),
        log: Vec::new(),
        forgot: false,
        unsynced: Vec::new(),
        blocks: BTreeSet::new(),
        held: Vec::new(),
        timers: BTreeMap::new(),
    };
    let mut world = World {
        plan,
        random: plan.seed,
        now: 0,
        sequence: 0,
        events: BTreeMap::new(),
        nodes: plan.keys.iter().map(node).collect(),
        sets: BTreeMap::new(),
        outcome: Outcome::default(),
    };
    for node in (0..plan.keys.len()).filter(|node| !plan.dead.contains(node)) {
        world.after(1, Event::Restart { node });
    }
    for crash in &plan.crashes {
        world.after(
            crash.at_ms,
            Event::Crash {
                node: crash.node,
                down_ms: crash.down_ms,
                forgets: crash.forgets,
            },
        );
    }
    for partition in &plan.partitions {
        world.after(partition.to_ms, Event::PartitionEnds);
    }
    while let Some(((at, _), event)) = world.events.pop_first() {
        if at > plan.end_ms || world.is_finished() {
            break;
        }
        world.now = at;
        world.note(&format!("{at} {event:?}"));
        world.happen(event);
    }
    world.outcome.end_ms = world.now;
    world.outcome.heights = world.nodes.iter().map(|n| n.chain.len() as u64).collect();
    world.outcome
}

impl World<'_> {
    fn is_finished(&self) -> bool {
        let living = self.nodes.iter().enumerate();
        living
            .filter(|(node, _)| !self.plan.dead.contains(node))
            .all(|(_, node)| node.chain.len() as u64 >= self.plan.heights)
    }

    /// SplitMix64.
    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    /// FNV-1a.
    fn note(&mut self, text: &str) {
        for byte in text.bytes() {
            self.outcome.trace =
                (self.outcome.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + ms, self.sequence), event);
    }

    fn fault(&mut self, what: String) {
        let seed = self.plan.seed;
        if self.outcome.faults.len() < 5 {
            self.outcome.faults.push(format!("seed {seed}: {what}"));
        }
    }

    fn set(&mut self, height: u64) -> Arc<ValidatorSet> {
        let plan = self.plan;
        let set = self.sets.entry(height).or_insert_with(|| plan.set(height));
        Arc::clone(set)
    }

    fn send(&mut self, from: usize, to: usize, wire: Wire) {
        let calm = self.now >= self.plan.calm_ms;
        let apart = self.plan.partitions.iter().any(|partition| {
            (partition.from_ms..partition.to_ms).contains(&self.now)
                && partition.sides[from] != partition.sides[to]
        });
        if apart || (!calm && self.random(100) < self.plan.loss) {
            return;
        }
        let copies = if !calm && self.random(100) < self.plan.twice {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = 1 + self.random(self.plan.delay_ms);
            let wire = wire.clone();
            self.after(delay, Event::Arrive { from, to, wire });
        }
    }

    fn broadcast(&mut self, from: usize, wire: &Wire) {
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            self.send(from, to, wire.clone());
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { from, to, wire } => self.arrive(from, to, wire),
            Event::Ring { node, timer, tag } => {
                if self.nodes[node].timers.get(&timer) == Some(&tag) {
                    self.nodes[node].timers.remove(&timer);
                    self.drive(node, |machine| machine.elapsed(timer));
                }
            }
            Event::Built {
                node,
                life,
                height,
                round,
            } => {
                let at = &mut self.nodes[node];
                if at.life != life || at.height() != height || at.machine.is_none() {
                    return;
                }
                let salt = self.random(u64::MAX);
                let mut id = *sm3(&[&salt.to_be_bytes(), &[node as u8]]).as_bytes();
                id[0] = if self.plan.bad.contains(&node) {
                    0xba
                } else {
                    0
                };
                let id = Hash::new(id);
                self.keep_block(node, id);
                let block = Block {
                    height,
                    round,
                    valid_round: None,
                    proposer: self.kid(node),
                    id,
                };
                self.broadcast(node, &Wire::Block(block));
                self.drive(node, |machine| machine.proposed(round, id));
            }
            Event::Executed { node, life, block } => {
                let at = &self.nodes[node];
                if at.life != life || at.height() != block.height || at.machine.is_none() {
                    return;
                }
                self.keep_block(node, block.id);
                let valid = block.id.as_bytes()[0] != 0xba;
                let Block {
                    height,
                    round,
                    valid_round,
                    proposer,
                    id,
                } = block;
                self.drive(node, |machine| {
                    machine.checked(height, round, valid_round, proposer, id, valid)
                });
            }
            Event::Begin { node, life } => {
                if self.nodes[node].life == life && self.nodes[node].machine.is_some() {
                    self.begin(node);
                }
            }
            Event::Crash {
                node,
                down_ms,
                forgets,
            } => self.crash(node, down_ms, forgets),
            Event::Restart { node } => {
                let key = self.nodes[node].key;
                let machine = Machine::new(chain(), signer(key), timeouts());
                self.nodes[node].machine = Some(machine);
                self.begin(node);
            }
            Event::PartitionEnds => {
                let most = self.nodes.iter().map(|node| node.chain.len() as u64).max();
                self.outcome.at_partition_ends.extend(most);
            }
        }
    }

    fn kid(&self, node: usize) -> Kid {
        signer(self.nodes[node].key).public_key().kid()
    }

    fn crash(&mut self, node: usize, down_ms: u64, forgets: bool) {
        let kept = self.random(4) as usize;
        let at = &mut self.nodes[node];
        if at.machine.take().is_none() {
            return;
        }
        at.life += 1;
        at.timers.clear();
        at.held.clear();
        at.blocks.clear();
        // What was not synced may be there nevertheless, from the front.
        at.unsynced.truncate(kept);
        at.sync();
        if forgets {
            at.log.clear();
            at.forgot = true;
        }
        self.after(down_ms, Event::Restart { node });
    }

    /// The bytes of a block become durable.
    fn keep_block(&mut self, node: usize, id: Hash) {
        let at = &mut self.nodes[node];
        at.blocks.insert(id);
        at.write(&LogEntry::Block {
            block_id: id,
            bytes: Bytes::from_static(b"block"),
        });
        at.sync();
    }

    fn begin(&mut self, node: usize) {
        let height = self.nodes[node].height();
        let set = self.set(height);
        let next = self.set(height + 1);
        let at = &mut self.nodes[node];
        let logged: Vec<LogEntry> = at
            .log
            .iter()
            .map(|bytes| LogEntry::decode(bytes).expect("what was written"))
            .collect();
        for entry in &logged {
            if let LogEntry::Block { block_id, .. } = entry {
                at.blocks.insert(*block_id);
            }
        }
        self.outcome.replayed += logged.len();
        let voting = if at.forgot {
            Voting::MustNot
        } else {
            Voting::May
        };
        self.drive(node, |machine| machine.begin(height, set, logged, voting));
        if let Some(machine) = &mut self.nodes[node].machine {
            machine.foresee(next).expect("small weights");
        }
        for block in std::mem::take(&mut self.nodes[node].held) {
            self.arrive(node, node, Wire::Block(block));
        }
    }

    fn arrive(&mut self, from: usize, to: usize, wire: Wire) {
        let height = self.nodes[to].height();
        let Some(machine) = &self.nodes[to].machine else {
            return;
        };
        let begun = machine.height() == height;
        match wire {
            Wire::Message(bytes) => {
                let message = Message::decode(&bytes).expect("what was sent");
                if let Some(certificate) = self.decision(to, message.height()) {
                    self.send(to, from, Wire::Decided(certificate));
                } else if message.height() > height && self.random(4) == 0 {
                    self.send(to, from, Wire::Ask(height));
                }
                self.drive(to, |machine| machine.receive(message));
            }
            Wire::Block(block) if block.height == height && begun => {
                let life = self.nodes[to].life;
                let work = 1 + self.random(15);
                self.after(
                    work,
                    Event::Executed {
                        node: to,
                        life,
                        block,
                    },
                );
            }
            Wire::Block(block) => {
                if block.height >= height && self.nodes[to].held.len() < 64 {
                    self.nodes[to].held.push(block);
                }
            }
            Wire::Ask(height) => {
                if let Some(certificate) = self.decision(to, height) {
                    self.send(to, from, Wire::Decided(certificate));
                }
            }
            Wire::Decided(certificate) => {
                if certificate.height == height && begun {
                    self.drive(to, Machine::leave);
                    self.keep_block(to, certificate.block_id);
                    self.commit(to, certificate);
                }
            }
        }
    }

    fn decision(&self, node: usize, height: u64) -> Option<Certificate> {
        let place = usize::try_from(height.checked_sub(1)?).ok()?;
        self.nodes[node].chain.get(place).cloned()
    }

    fn drive(
        &mut self,
        node: usize,
        call: impl FnOnce(&mut Machine) -> Result<Vec<Output>, consensus::MachineError>,
    ) {
        let Some(machine) = &mut self.nodes[node].machine else {
            return;
        };
        match call(machine) {
            Ok(outputs) => outputs
                .into_iter()
                .for_each(|output| self.follow(node, output)),
            Err(error) => self.fault(format!("node {node} stopped: {error}")),
        }
    }

    fn follow(&mut self, node: usize, output: Output) {
        self.note(&format!("{node} {output:?}"));
        match output {
            Output::Log(entry) => self.nodes[node].write(&entry),
            Output::Send(message) => {
                self.nodes[node].sync();
                let kid = self.kid(node);
                let own = match &message {
                    Message::Vote(vote) => vote.voter == kid,
                    Message::Proposal(proposal) => proposal.proposer == kid,
                    Message::Polka(_) | Message::RoundChange(_) => false,
                };
                if own && self.nodes[node].forgot {
                    self.outcome.spoke_without_memory += 1;
                }
                let bytes = message.encode().expect("it fits");
                assert!(bytes.len() <= consensus::MESSAGE_BYTES_MAX);
                assert_eq!(Message::decode(&bytes), Ok(message));
                self.broadcast(node, &Wire::Message(bytes));
            }
            Output::Start(timer, duration) => {
                self.sequence += 1;
                let tag = self.sequence;
                self.nodes[node].timers.insert(timer, tag);
                let ms = u64::try_from(duration.as_millis()).expect("a short time");
                self.after(ms, Event::Ring { node, timer, tag });
            }
            Output::Stop(timer) => {
                self.nodes[node].timers.remove(&timer);
            }
            Output::StopAll => self.nodes[node].timers.clear(),
            Output::Build { round, .. } => {
                let (life, height) = (self.nodes[node].life, self.nodes[node].height());
                let work = 1 + self.random(20);
                self.after(
                    work,
                    Event::Built {
                        node,
                        life,
                        height,
                        round,
                    },
                );
            }
            Output::Resend {
                round,
                valid_round,
                block_id,
                proposer,
            } => {
                if !self.nodes[node].blocks.contains(&block_id) {
                    self.fault(format!("node {node} is to resend a block that it has not"));
                }
                let height = self.nodes[node].height();
                let block = Block {
                    height,
                    round,
                    valid_round,
                    proposer,
                    id: block_id,
                };
                self.broadcast(node, &Wire::Block(block));
            }
            Output::Misbehaved(evidence) => {
                for found in evidence {
                    self.judge(&found);
                }
            }
            Output::Decided(certificate) => {
                self.nodes[node].sync();
                self.outcome.last_round = self.outcome.last_round.max(certificate.round);
                self.commit(node, certificate);
            }
        }
    }

    /// Evidence names only those who have twins, and both messages are theirs.
    fn judge(&mut self, evidence: &Evidence) {
        let Evidence { kid, first, second } = evidence;
        self.outcome.evidence += 1;
        let holders = self.plan.keys.iter();
        let count = holders
            .filter(|key| signer(**key).public_key().kid() == *kid)
            .count();
        if count < 2 {
            self.fault(format!("an honest validator is accused: {evidence:?}"));
        }
        for message in [first, second] {
            let key = (0..10)
                .map(|key| signer(key).public_key().clone())
                .find(|key| key.kid() == *kid)
                .expect("a known key");
            let good = match message {
                Message::Vote(vote) => {
                    let Message::Vote(other) = (if message == first { second } else { first })
                    else {
                        panic!("of the same kind");
                    };
                    assert_ne!(vote.block_id, other.block_id);
                    let (round, id) = (i64::from(vote.round), vote.block_id);
                    let bytes =
                        vote_message(&chain(), vote.kind, vote.height, round, id.as_ref(), kid);
                    key.verify(&bytes, &vote.signature)
                }
                Message::Proposal(own) => {
                    let bytes = proposal_message(
                        &chain(),
                        own.height,
                        own.round,
                        &own.block_id,
                        own.valid_round,
                        kid,
                    );
                    key.verify(&bytes, &own.signature)
                }
                Message::Polka(_) | Message::RoundChange(_) => false,
            };
            if !good {
                self.fault(format!("evidence that proves nothing: {evidence:?}"));
            }
        }
    }

    fn commit(&mut self, node: usize, certificate: Certificate) {
        let (height, id) = (certificate.height, certificate.block_id);
        let set = self.set(height);
        if height != self.nodes[node].height() {
            self.fault(format!("node {node} decides {height} out of turn"));
            return;
        }
        if let Err(error) = certificate.verify(&set, &chain()) {
            self.fault(format!("certificate of {height}: {error}"));
        }
        let mut cut = certificate.clone();
        let weight = |cut: &Certificate| {
            let signers = cut.signatures.iter();
            let weights = signers.map(|(kid, _)| set.get(kid).map_or(0, |v| v.weight));
            weights.sum::<u64>()
        };
        while set.is_quorum(weight(&cut)) {
            cut.signatures.pop();
        }
        if cut.verify(&set, &chain()) != Err(CertificateError::NoQuorum) {
            self.fault(format!(
                "a certificate of {height} holds with too few signers"
            ));
        }
        if id.as_bytes()[0] == 0xba {
            self.fault(format!("an invalid block is decided at {height}"));
        }
        if !self.nodes[node].blocks.contains(&id) {
            self.fault(format!(
                "node {node} decided {height} without the block's bytes"
            ));
        }
        let first = *self.outcome.decided.entry(height).or_insert(id);
        if first != id {
            self.fault(format!("fork at {height}: {first} and {id}"));
        }
        let at = &mut self.nodes[node];
        at.chain.push(certificate);
        at.log.clear();
        at.unsynced.clear();
        at.timers.clear();
        at.blocks.clear();
        at.forgot = false;
        let life = at.life;
        let work = 1 + self.random(15);
        self.after(work, Event::Begin { node, life });
    }
}
