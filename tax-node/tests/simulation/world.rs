//! Virtual time: what happens next, and to whom.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use invoice_core::calendar::Instant;
use tax_node::engine::Planted;
use tax_node::engine::consortium::{Clock, Event};
use tax_node::node::simulated::SimulatedConfig;
use tax_node::store::fault::Dice;

use crate::cast::{self, BEGIN_MS, beginning, signer, validator_key};
use crate::clients::Clients;
use crate::links::Links;
use crate::machine::Machine;
use crate::oracle::Oracle;
use crate::plan::{Mishap, Plan, Planned, Treason};
use crate::tally::Tally;

/// After everything is healed, all correct nodes must have a new block within this time.
const PROGRESS_WITHIN_MS: u64 = 30_000;

/// And everything that waited then must be final within this one: one block need not take it all,
/// and traitors may delay each.
const ANSWERED_WITHIN_MS: u64 = 60_000;

/// More writes and syncs than there will be.
const NEVER: u64 = 1 << 40;

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Bytes arrive over a link.
    Arrive {
        from: usize,
        to: usize,
        link: u32,
        kind: u8,
        payload: Bytes,
    },
    /// An end of a link learns that it stands.
    Connected { node: usize, peer: usize, link: u32 },
    /// An end of a link learns that it is gone.
    Lost { node: usize, peer: usize, link: u32 },
    /// Two nodes try to connect.
    Dial { one: usize, other: usize },
    /// A clock runs down.
    Ring {
        node: usize,
        life: u32,
        clock: Clock,
        tag: u64,
    },
    /// The pipeline of a node takes its turns.
    Turn { node: usize, life: u32 },
    /// A node starts again.
    Start { node: usize, life: u32 },
    /// Something planned.
    Planned(usize),
    /// A member tries again.
    Retry { entry: usize },
    /// A node is given its new key.
    Renew { node: usize },
    /// From here on nothing bad happens.
    Calm,
}

/// All that exists.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) now: u64,
    pub(crate) sequence: u64,
    events: BTreeMap<(u64, u64), Happening>,
    time: Arc<AtomicI64>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Links,
    pub(crate) clients: Clients,
    pub(crate) oracle: Oracle,
    pub(crate) tally: Tally,
    trace: DefaultHasher,
    /// The trace in words, when somebody reads it.
    pub(crate) tells: bool,
    pub(crate) is_calm: bool,
    /// The final height when it became calm.
    height_at_calm: u64,
    /// How long after that all correct nodes had a new block.
    progress_ms: Option<u64>,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) tally: Tally,
    pub(crate) trace: u64,
}

/// Runs a plan to its end.
pub(crate) fn run(plan: &Plan, tells: bool) -> Outcome {
    let mut world = World::new(plan.clone(), tells);
    world.begin();
    world.go();
    world.end()
}

impl World {
    fn new(plan: Plan, tells: bool) -> Self {
        let beginning = beginning(plan.validators);
        let mut world = Self {
            dice: Dice::new(plan.seed ^ 0x5151_5151),
            now: 0,
            sequence: 0,
            events: BTreeMap::new(),
            time: Arc::new(AtomicI64::new(BEGIN_MS)),
            machines: Vec::new(),
            links: Links::default(),
            clients: Clients::default(),
            oracle: Oracle::new(&beginning.genesis),
            tally: Tally::default(),
            trace: DefaultHasher::new(),
            tells,
            is_calm: false,
            height_at_calm: 0,
            progress_ms: None,
            plan,
        };
        world.tally.seeds = 1;
        for node in 0..world.plan.nodes() {
            let key = if node + 1 == world.plan.nodes() {
                cast::SUPERVISOR
            } else {
                validator_key(node, false)
            };
            world.add_machine(key, None);
        }
        for (node, treason) in world.plan.treasons.clone() {
            world.tally.treasons[treason as usize] += 1;
            world.machines[node].treason = Some(treason);
            if treason == Treason::Twins {
                let key = world.machines[node].key;
                world.add_machine(key, Some(node));
            }
        }
        world
    }

    fn add_machine(&mut self, key: u8, twin_of: Option<usize>) {
        let node = self.machines.len();
        let beginning = beginning(self.plan.validators);
        let skew = self.plan.skews_ms.get(node).copied().unwrap_or(0);
        let time = Arc::clone(&self.time);
        let planted = if twin_of.is_none() && self.plan.treasons.iter().all(|(of, _)| *of != node) {
            self.plan.planted
        } else {
            None
        };
        let config = SimulatedConfig {
            genesis: beginning.genesis.clone(),
            signer: signer(key),
            clock: Arc::new(move || Instant::from_ms(time.load(Ordering::Relaxed) + skew)),
            timeouts: self.plan.timeouts,
            tuning: self.plan.tuning.clone(),
            restored: None,
            planted: Planted::with(planted),
        };
        let mut machine = Machine::new(key, config, beginning.image.clone());
        if twin_of.is_some() {
            machine.treason = Some(Treason::Twins);
        }
        self.machines.push(machine);
    }

    fn begin(&mut self) {
        for node in 0..self.machines.len() {
            let at = self.dice.below(200);
            self.after(at, Happening::Start { node, life: 0 });
        }
        for one in 0..self.machines.len() {
            for other in one + 1..self.machines.len() {
                let at = 200 + self.dice.below(200);
                self.after(at, Happening::Dial { one, other });
            }
        }
        for number in 0..self.plan.events.len() {
            let at = self.plan.events[number].0;
            self.after(at, Happening::Planned(number));
        }
        self.after(self.plan.calm_ms, Happening::Calm);
    }

    fn go(&mut self) {
        let end = self.plan.calm_ms + ANSWERED_WITHIN_MS;
        let progress_by = self.plan.calm_ms + PROGRESS_WITHIN_MS;
        while let Some(((at, _), happening)) = self.events.pop_first() {
            if at > end || !self.oracle.violations.is_empty() || self.is_done() {
                break;
            }
            self.now = at;
            let time = BEGIN_MS + at as i64;
            self.time.store(time, Ordering::Relaxed);
            self.happen(happening);
            if self.is_calm && self.progress_ms.is_none() && self.have(self.height_at_calm + 1) {
                self.progress_ms = Some(self.now - self.plan.calm_ms);
            }
            if self.progress_ms.is_none() && self.now > progress_by {
                break;
            }
        }
    }

    /// Whether everything that was to come has come.
    fn is_done(&self) -> bool {
        self.progress_ms.is_some() && self.clients.all_answered() && self.have(self.oracle.height())
    }

    /// Whether all correct nodes have the block of a height.
    fn have(&self, height: u64) -> bool {
        self.correct().all(|node| {
            let running = self.machines[node].node.as_ref();
            running.is_some_and(|node| node.point().height >= height)
        })
    }

    /// Nodes that do nothing wrong.
    pub(crate) fn correct(&self) -> impl Iterator<Item = usize> {
        (0..self.machines.len()).filter(|node| self.machines[*node].treason.is_none())
    }

    fn end(mut self) -> Outcome {
        if self.oracle.violations.is_empty() && !self.is_done() {
            let heights: Vec<_> = self
                .machines
                .iter()
                .map(|one| one.node.as_ref().map(|node| node.point().height))
                .collect();
            let waiting = self.clients.unanswered();
            self.oracle.violated(format!(
                "no progress after healing: heights {heights:?}, calm at {}, unanswered {waiting:?}",
                self.height_at_calm
            ));
        }
        if self.oracle.violations.is_empty() {
            self.compare_states();
            self.tally.progress_ms = self.progress_ms.unwrap_or_default();
            self.tally.answered_ms = self.now.saturating_sub(self.plan.calm_ms);
        }
        self.tally.heights = self.oracle.height();
        Outcome {
            violations: self.oracle.violations,
            tally: self.tally,
            trace: self.trace.finish(),
        }
    }

    fn compare_states(&mut self) {
        let expected = self.oracle.state_digest();
        for node in self.correct().collect::<Vec<_>>() {
            let Some(running) = &self.machines[node].node else {
                continue;
            };
            match running.state_digest() {
                Ok(digest) if digest == expected => {}
                Ok(_) => self
                    .oracle
                    .violated(format!("node {node} has another state")),
                Err(error) => self.oracle.violated(format!("node {node}: {error}")),
            }
        }
    }

    pub(crate) fn after(&mut self, ms: u64, happening: Happening) {
        self.sequence += 1;
        self.events
            .insert((self.now + ms, self.sequence), happening);
    }

    /// Takes something down for the trace.
    pub(crate) fn note(&mut self, number: u64, bytes: &[u8], words: impl FnOnce() -> String) {
        self.trace.write_u64(self.now);
        self.trace.write_u64(number);
        self.trace.write(bytes);
        if self.tells {
            println!("{:>6} {}", self.now, words());
        }
    }

    fn happen(&mut self, happening: Happening) {
        // A machine that is slow does one thing after another.
        if let Some(node) = node_of(&happening)
            && self.machines[node].busy_until > self.now
        {
            let wait = self.machines[node].busy_until - self.now;
            return self.after(wait, happening);
        }
        match happening {
            Happening::Arrive {
                from,
                to,
                link,
                kind,
                payload,
            } => self.arrive(from, to, link, kind, &payload),
            Happening::Connected { node, peer, link } => {
                if let Some(peer) = self.links.known_as(node, peer, link) {
                    self.handle(node, Event::Connected(peer));
                }
            }
            Happening::Lost { node, peer, link } => self.lose(node, peer, link),
            Happening::Dial { one, other } => self.dial(one, other),
            Happening::Ring {
                node,
                life,
                clock,
                tag,
            } => {
                let machine = &mut self.machines[node];
                if machine.life == life && machine.clocks.get(&clock) == Some(&tag) {
                    machine.clocks.remove(&clock);
                    self.handle(node, Event::Elapsed(clock));
                }
            }
            Happening::Turn { node, life } => self.turn(node, life),
            Happening::Start { node, life } => {
                if self.machines[node].life == life {
                    self.start(node);
                }
            }
            Happening::Planned(number) => {
                let (_, planned) = self.plan.events[number].clone();
                if !self.is_calm || matches!(planned, Planned::Submit { .. }) {
                    self.planned(planned);
                }
            }
            Happening::Retry { entry } => self.retry(entry),
            Happening::Renew { node } => self.renew(node),
            Happening::Calm => self.calm(),
        }
    }

    fn calm(&mut self) {
        self.note(7 << 8, &[], || "everything is healed".to_owned());
        self.is_calm = true;
        self.height_at_calm = self.oracle.height();
        self.links.join_all();
        for node in 0..self.machines.len() {
            self.machines[node].slow_ms = 0;
            self.machines[node].strikes = None;
            self.machines[node].disk.cut_after(NEVER);
            if self.machines[node].node.is_none() {
                let life = self.machines[node].life;
                let soon = self.dice.below(300);
                self.after(soon, Happening::Start { node, life });
            }
        }
        self.submit_last();
    }

    fn planned(&mut self, planned: Planned) {
        match planned {
            Planned::Mishap {
                node,
                mishap,
                down_ms,
            } => self.mishap(node, mishap, down_ms),
            Planned::Blackout { down_ms } => {
                self.tally.blackouts += 1;
                for node in 0..self.machines.len() {
                    let down = down_ms + self.dice.below(500);
                    self.mishap(node, Mishap::PowerCut, down);
                }
            }
            Planned::Backup { node } => self.machines[node].back_up(),
            Planned::Cut { pairs } => {
                self.tally.partitions += 1;
                self.note(8 << 8, &[], || format!("nothing gets through: {pairs:?}"));
                self.part(pairs);
            }
            Planned::Joined => {
                self.note(9 << 8, &[], || "all reach each other".to_owned());
                self.links.join_all();
            }
            Planned::Slow { node, ms } => {
                self.tally.slow += 1;
                self.machines[node].slow_ms = ms;
            }
            Planned::Submit { what, to } => self.submit_papers(what, &to),
            Planned::Change(change) => self.change(change),
        }
    }
}

/// Whom something happens to, when it takes the machine's time.
const fn node_of(happening: &Happening) -> Option<usize> {
    match happening {
        Happening::Arrive { to: node, .. }
        | Happening::Connected { node, .. }
        | Happening::Lost { node, .. }
        | Happening::Ring { node, .. }
        | Happening::Turn { node, .. } => Some(*node),
        Happening::Dial { .. }
        | Happening::Start { .. }
        | Happening::Planned(_)
        | Happening::Retry { .. }
        | Happening::Renew { .. }
        | Happening::Calm => None,
    }
}
