//! Machines: how they die, what they lose, and how they come back.

use std::collections::{BTreeMap, BTreeSet};

use invoice_core::crypto::{Hash, Kid};
use tax_node::engine::consortium::Clock;
use tax_node::node::simulated::{SimulatedConfig, SimulatedDisk, SimulatedNode};

use crate::oracle::{Place, furthest};
use crate::plan::{Mishap, Treason};
use crate::world::{Happening, World};

/// A machine and what runs on it.
pub(crate) struct Machine {
    pub(crate) key: u8,
    pub(crate) config: SimulatedConfig,
    image: Vec<u8>,
    pub(crate) disk: SimulatedDisk,
    pub(crate) backup: Option<SimulatedDisk>,
    pub(crate) node: Option<SimulatedNode>,
    /// Counts starts and ends: what was meant for a former life is of no use.
    pub(crate) life: u32,
    /// When each clock was set; a clock that was set again has another tag.
    pub(crate) clocks: BTreeMap<Clock, u64>,
    pub(crate) slow_ms: u64,
    pub(crate) busy_until: u64,
    /// After so many writes and syncs the power goes off, counted from the next precommit.
    pub(crate) strikes: Option<u64>,
    /// Whether a turn of the pipeline is due.
    pub(crate) turning: bool,
    pub(crate) treason: Option<Treason>,
    /// Whether its disk went back in time at any moment.
    pub(crate) forgetful: bool,
    /// Whether it did so since the last start.
    forgets_now: bool,
    /// Whether a mark tells of the last time, and whether none told of another time.
    is_marked: bool,
    pub(crate) was_unmarked: bool,
    /// The furthest word of its own that it remembers.
    pub(crate) remembered: Option<Place>,
    /// Who has greeted since the start, and the highest height at which it was then shown a word of
    /// its own that it did not remember.
    pub(crate) greeted: BTreeSet<Kid>,
    pub(crate) heard_quorum: bool,
    pub(crate) shown: u64,
    /// It has contradicted itself, of which nobody could warn it: it counts as not correct.
    pub(crate) relapsed: bool,
    /// The last block that the oracle has seen of it.
    pub(crate) checked: u64,
    /// The highest index that it told to be final, with the record.
    pub(crate) told: Option<u64>,
    /// Blocks that it proposes to some in place of what it built.
    pub(crate) doctored: BTreeMap<Hash, Hash>,
    /// The last block that was proposed to it at each height.
    pub(crate) proposed: BTreeMap<u64, Hash>,
    /// For how long it stays down after it died by itself.
    down_ms: u64,
}

impl Machine {
    pub(crate) fn new(key: u8, config: SimulatedConfig, image: Vec<u8>) -> Self {
        Self {
            key,
            config,
            disk: SimulatedDisk::new(image.clone()),
            image,
            backup: None,
            node: None,
            life: 0,
            clocks: BTreeMap::new(),
            slow_ms: 0,
            busy_until: 0,
            strikes: None,
            turning: false,
            treason: None,
            forgetful: false,
            forgets_now: false,
            is_marked: false,
            was_unmarked: false,
            remembered: None,
            greeted: BTreeSet::new(),
            heard_quorum: false,
            shown: 0,
            relapsed: false,
            checked: 0,
            told: None,
            doctored: BTreeMap::new(),
            proposed: BTreeMap::new(),
            down_ms: 0,
        }
    }

    pub(crate) fn kid(&self) -> Kid {
        self.config.signer.public_key().kid()
    }

    pub(crate) fn back_up(&mut self) {
        self.backup = Some(self.disk.copy());
    }

    fn end(&mut self) {
        self.life += 1;
        self.turning = false;
        self.busy_until = 0;
        self.greeted.clear();
        self.heard_quorum = false;
        self.shown = 0;
        self.clocks.clear();
    }
}

impl World {
    /// Opens what is on the disk of a machine and begins.
    pub(crate) fn start(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.node.is_some() {
            return;
        }
        if machine.is_marked && machine.config.restored.is_none() {
            machine.config.restored = Some((machine.config.clock)());
        }
        let opened = SimulatedNode::open(&machine.disk, &machine.config);
        let (mut running, logged) = match opened {
            Ok(opened) => opened,
            Err(_) if !machine.disk.powered() => {
                // The power went off while it started.
                return self.died(node, "the power went off at the start");
            }
            Err(error) => {
                let words = format!("node {node} does not open: {error}");
                return self.oracle.violated(words);
            }
        };
        let (height, replayed) = (running.point().height, logged.len());
        let told = machine.told.unwrap_or(0);
        let log_size = running.point().frontier.size();
        let forgets = std::mem::take(&mut machine.forgets_now);
        machine.remembered = furthest(machine.kid(), &logged);
        let correct = machine.treason.is_none();
        let (kid, checked) = (machine.kid(), machine.checked);
        if forgets {
            machine.told = None;
            machine.checked = height;
        }
        self.note(11 << 8 | node as u64, &[], || {
            format!("node {node} starts at height {height} with {replayed} entries in its log")
        });
        self.tally.logs_replayed += u64::from(replayed > 0);
        if correct && !forgets {
            self.oracle.remembers(node, kid, height + 1, &logged);
            if height < checked || log_size < told {
                let words = format!(
                    "node {node} had told of height {checked} and {told} records, and has {height} and {log_size} after a start"
                );
                self.oracle.violated(words);
            }
            for height in checked + 1..=height {
                if let Some((block, certificate)) = running.block(height) {
                    self.oracle.decided(node, &block, &certificate);
                }
            }
            self.machines[node].checked = height;
        }
        let started = running.start();
        self.machines[node].node = Some(running);
        self.after_handling(node, started);
    }

    /// A process ended by itself.
    pub(crate) fn died(&mut self, node: usize, why: &str) {
        let machine = &mut self.machines[node];
        if machine.disk.powered() {
            let words = format!("node {node} stopped: {why}");
            machine.node = None;
            if machine.treason.is_none() {
                self.oracle.violated(words);
            }
            return;
        }
        self.tally.power_cuts_amid += 1;
        let down_ms = machine.down_ms;
        self.note(12 << 8 | node as u64, &[], || {
            format!("node {node}: the power went off: {why}")
        });
        self.power_off(node);
        self.stays_down(node, down_ms);
    }

    fn power_off(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        // Nothing that the process does at its end reaches the disk.
        machine.disk.kill_process();
        machine.node = None;
        machine.disk.cut(&mut self.dice);
    }

    fn stays_down(&mut self, node: usize, down_ms: u64) {
        self.machines[node].end();
        self.drop_links_of(node);
        self.poll(node);
        let down_ms = if self.is_calm {
            down_ms.min(300)
        } else {
            down_ms
        };
        let life = self.machines[node].life;
        self.after(down_ms, Happening::Start { node, life });
    }

    pub(crate) fn mishap(&mut self, node: usize, mishap: Mishap, down_ms: u64) {
        let machine = &mut self.machines[node];
        if let Mishap::PowerCutAmid(operations) = mishap {
            machine.down_ms = down_ms;
            machine.disk.cut_after(operations);
            return;
        }
        if let Mishap::PowerCutDeciding(operations) = mishap {
            machine.down_ms = down_ms;
            machine.strikes = Some(operations);
            return;
        }
        self.note(13 << 8 | node as u64, &[], || {
            format!("node {node}: {mishap:?}")
        });
        let machine = &mut self.machines[node];
        match mishap {
            Mishap::Killed => {
                self.tally.kills += 1;
                machine.disk.kill_process();
                machine.node = None;
            }
            Mishap::PowerCut | Mishap::PowerCutAmid(_) | Mishap::PowerCutDeciding(_) => {
                self.tally.power_cuts += 1;
                self.power_off(node);
            }
            Mishap::Wiped => {
                self.tally.wiped += 1;
                machine.disk.kill_process();
                machine.node = None;
                machine.disk = SimulatedDisk::new(machine.image.clone());
                machine.forgetful = true;
                machine.forgets_now = true;
            }
            Mishap::Restored | Mishap::Marked => {
                let Some(backup) = &machine.backup else {
                    return;
                };
                self.tally.restored += 1;
                let copy = backup.copy();
                machine.disk.kill_process();
                machine.node = None;
                machine.disk = copy;
                machine.forgetful = true;
                machine.forgets_now = true;
            }
        }
        if matches!(mishap, Mishap::Wiped | Mishap::Restored | Mishap::Marked) {
            let machine = &mut self.machines[node];
            machine.is_marked = mishap == Mishap::Marked;
            machine.was_unmarked |= !machine.is_marked;
            machine.config.restored = None;
            let kid = self.machines[node].kid();
            self.oracle.forgets(kid);
        }
        self.stays_down(node, down_ms);
    }
}
