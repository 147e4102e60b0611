//! What nodes are given, and what they ask for.

use bytes::Bytes;
use invoice_core::crypto::Kid;
use tax_node::engine::consortium::frames::{Frame, FrameKind};
use tax_node::engine::consortium::{Action, Alarm, Clock, ConsortiumError, Event};

use crate::cast::BEGIN_MS;
use crate::machine::Machine;
use crate::oracle::place_of;
use crate::world::{Happening, World};

/// How far a block may lie ahead: what a node bears, by the clock that is furthest ahead, and some
/// blocks in a row.
const AHEAD_MAX_MS: i64 = 5_000 + 2_000 + 100;

impl World {
    pub(crate) fn arrive(&mut self, from: usize, to: usize, link: u32, kind: u8, payload: &Bytes) {
        let Some(peer) = self.links.known_as(to, from, link) else {
            return;
        };
        if self.machines[to].node.is_none() {
            return;
        }
        let frame = FrameKind::from_number(kind).map(|kind| Frame::decode(kind, payload));
        match frame {
            Some(Ok(frame)) => self.handle(to, Event::Received(peer, frame)),
            // As the thread does with what cannot be read.
            Some(Err(_)) | None => self.cut(to, from),
        }
    }

    /// Gives a node an event and does what it asks for.
    pub(crate) fn handle(&mut self, node: usize, event: Event) {
        if self.machines[node].node.is_none() {
            return;
        }
        let number = match &event {
            Event::Connected(_) => 1,
            Event::Disconnected(_) => 2,
            Event::Received(_, frame) => 10 + frame.kind() as u64,
            Event::Elapsed(_) => 3,
            Event::Records => 4,
        };
        if let Event::Received(peer, Frame::LastWord(word)) = &event {
            let machine = &mut self.machines[node];
            machine.greeted.insert(*peer);
            let place = word.as_ref().and_then(place_of);
            if let Some((of, height, ..)) = place
                && of == machine.kid()
                && place > machine.remembered
            {
                machine.shown = machine.shown.max(height);
            }
            if let Some(running) = &machine.node {
                let next = running.point().height + 1;
                self.count_greetings(node, next);
            }
        }
        let Some(running) = &mut self.machines[node].node else {
            return;
        };
        let words = self.tells.then(|| describe(&event));
        let done = running.handle(event);
        self.note(number << 8 | node as u64, &[], || {
            format!("node {node}: {}", words.unwrap_or_default())
        });
        self.after_handling(node, done);
    }

    pub(crate) fn after_handling(
        &mut self,
        node: usize,
        done: Result<Vec<Action>, ConsortiumError>,
    ) {
        match done {
            Ok(actions) => {
                self.carry_out(node, actions);
                self.poll(node);
                let life = self.machines[node].life;
                let soon = self.dice.below(3);
                if self.machines[node].node.is_some() && !self.machines[node].turning {
                    self.machines[node].turning = true;
                    self.after(soon, Happening::Turn { node, life });
                }
                let slow = self.machines[node].slow_ms;
                if slow > 0 {
                    self.machines[node].busy_until = self.now + self.dice.below(slow);
                }
            }
            Err(error) => {
                self.poll(node);
                self.died(node, &error.to_string());
            }
        }
        if self.machines[node].node.is_some() && !self.machines[node].disk.powered() {
            // The power went off in a step beside the blocks.
            self.died(node, "the power is off");
        }
    }

    pub(crate) fn turn(&mut self, node: usize, life: u32) {
        let machine = &mut self.machines[node];
        if machine.life != life {
            return;
        }
        machine.turning = false;
        let Some(running) = &mut machine.node else {
            return;
        };
        let woken = running.turn();
        self.poll(node);
        if woken {
            self.handle(node, Event::Records);
        }
    }

    fn carry_out(&mut self, node: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(peers, frame) => self.send(node, &peers, frame),
                Action::Set(clock, after) => {
                    let tag = self.sequence;
                    let machine = &mut self.machines[node];
                    machine.clocks.insert(clock, tag);
                    let life = machine.life;
                    let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                    let happening = Happening::Ring {
                        node,
                        life,
                        clock,
                        tag,
                    };
                    self.after(ms, happening);
                }
                Action::Stop(clock) => {
                    self.machines[node].clocks.remove(&clock);
                }
                Action::StopMachine => self.machines[node]
                    .clocks
                    .retain(|clock, _| !matches!(clock, Clock::Machine(_))),
                Action::Cut(peer, _) => {
                    self.tally.cuts += 1;
                    if let Some(other) = self.links.other_end(node, peer) {
                        self.cut(node, other);
                    }
                }
                Action::Doubt(peer, why) => {
                    self.tally.doubted += 1;
                    self.note(14 << 8 | node as u64, peer.as_bytes(), || {
                        format!("node {node} doubts {:.8}: {why}", peer.to_string())
                    });
                }
                Action::Raise(alarm) => self.raised(node, &alarm),
                Action::Final(height) => self.finalised(node, height),
            }
        }
    }

    fn finalised(&mut self, node: usize, height: u64) {
        let machine = &self.machines[node];
        if machine.treason.is_some() {
            return;
        }
        let block = machine.node.as_ref().and_then(|node| node.block(height));
        match block {
            Some((block, certificate)) => {
                let id = block.header.id();
                self.note(5 << 8 | node as u64, id.as_bytes(), || {
                    format!(
                        "node {node}: block {height} ({} records from {}) is final in round {}",
                        block.header.count, block.header.first_index, certificate.round
                    )
                });
                if height > self.oracle.height() && certificate.round > 0 {
                    self.tally.rounds_above_0 += 1;
                }
                self.oracle.decided(node, &block, &certificate);
                if block.header.time_ms > BEGIN_MS + self.now as i64 + AHEAD_MAX_MS {
                    let words = format!("block {height} lies ahead of every correct clock");
                    self.oracle.violated(words);
                }
                self.machines[node].checked = height;
                self.renew_keys();
            }
            // The power went off in a step beside the block.
            None if !self.machines[node].disk.powered() => {}
            None => {
                let words = format!("node {node} has not the block {height} that it says is final");
                self.oracle.violated(words);
            }
        }
    }

    fn raised(&mut self, node: usize, alarm: &Alarm) {
        self.note(6 << 8 | node as u64, &[], || {
            format!("node {node}: ALARM {alarm}")
        });
        if self.machines[node].treason.is_some() {
            return;
        }
        match alarm {
            Alarm::Disagreement { .. } => self.oracle.violated(format!("node {node}: {alarm}")),
            Alarm::InvalidProposal { proposer, .. } => {
                self.tally.invalid_proposals += 1;
                if !self.is_traitor(*proposer) {
                    self.oracle.violated(format!("node {node}: {alarm}"));
                }
            }
            Alarm::Misbehaved(evidence) => {
                self.tally.misbehaved += 1;
                if let Some(one) = evidence.iter().find(|one| !self.is_traitor(one.kid)) {
                    let words = format!("node {node} has evidence against {:?}", one);
                    self.oracle.violated(words);
                }
            }
            Alarm::Forgotten { .. } => {
                self.tally.forgotten += 1;
                if !self.machines[node].forgetful {
                    self.oracle.violated(format!("node {node}: {alarm}"));
                }
            }
        }
    }

    pub(crate) fn is_traitor(&self, of: Kid) -> bool {
        let wrong = |one: &&Machine| one.treason.is_some() || one.relapsed;
        let mut traitors = self.machines.iter().filter(wrong);
        traitors.any(|one| one.kid() == of)
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Received(peer, frame) => format!("from {:.8}: {}", peer.to_string(), shown(frame)),
        Event::Connected(_) | Event::Disconnected(_) | Event::Elapsed(_) | Event::Records => {
            format!("{event:?}")
        }
    }
}

/// A frame in few words.
pub(crate) fn shown(frame: &Frame) -> String {
    match frame {
        Frame::Block(block) => format!(
            "block {:.8} of height {} round {}",
            block.block_id.to_string(),
            block.height,
            block.round
        ),
        Frame::Blocks(blocks) => format!("{} final blocks", blocks.len()),
        Frame::Envelopes(envelopes) => format!("{} envelopes", envelopes.len()),
        Frame::Consensus(message) => {
            let text = format!("{message:?}");
            text.chars().take(170).collect()
        }
        Frame::Status { .. } | Frame::Fetch { .. } | Frame::LastWord(_) => {
            let text = format!("{frame:?}");
            text.chars().take(170).collect()
        }
    }
}
