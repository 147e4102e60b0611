//! The network: which links stand, and what becomes of what is sent.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use consensus::Message;
use invoice_core::crypto::Kid;
use invoice_core::crypto::messages::VoteKind;
use tax_node::engine::consortium::Event;
use tax_node::engine::consortium::frames::{Frame, FrameKind};

use crate::nodes::shown;
use crate::oracle::place_of;
use crate::plan::Treason;
use crate::world::{Happening, World};

/// Longest time until an end notices that the other is gone, in milliseconds.
const NOTICED_MS: u64 = 2_000;
/// Longest time until two nodes try again to connect, in milliseconds.
const REDIAL_MS: u64 = 800;

/// Links between nodes.
#[derive(Default)]
pub(crate) struct Links {
    /// By an end and the key that it knows the other by: the other end, and the link's number.
    ends: BTreeMap<(usize, Kid), (usize, u32)>,
    last: u32,
    /// Nothing gets from the first to the second.
    cut: BTreeSet<(usize, usize)>,
    /// Links that are about to be noticed as gone.
    dying: BTreeSet<u32>,
}

impl Links {
    /// By which key this end knows the other one of a link; `None` when it has not the link.
    pub(crate) fn known_as(&self, node: usize, peer: usize, link: u32) -> Option<Kid> {
        let mut ends = self.ends.iter();
        let found = ends.find(|((of, _), end)| *of == node && **end == (peer, link));
        found.map(|((_, kid), _)| *kid)
    }

    pub(crate) fn other_end(&self, node: usize, peer: Kid) -> Option<usize> {
        self.ends.get(&(node, peer)).map(|(other, _)| *other)
    }

    pub(crate) fn join_all(&mut self) {
        self.cut.clear();
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }
}

impl World {
    /// Two nodes try to connect.
    pub(crate) fn dial(&mut self, one: usize, other: usize) {
        let kids = (self.machines[one].kid(), self.machines[other].kid());
        let linked = self.links.other_end(one, kids.1) == Some(other)
            && self.links.other_end(other, kids.0) == Some(one);
        let running = self.machines[one].node.is_some() && self.machines[other].node.is_some();
        let cut = self.links.is_cut(one, other) || self.links.is_cut(other, one);
        // A node has one link to each key: to which twin changes seldom.
        let taken = self.links.ends.contains_key(&(one, kids.1))
            || self.links.ends.contains_key(&(other, kids.0));
        let switches = !taken || self.dice.once_in(40);
        if !linked && running && !cut && kids.0 != kids.1 && switches {
            for (end, kid) in [(one, kids.1), (other, kids.0)] {
                if let Some((peer, link)) = self.links.ends.get(&(end, kid)).copied() {
                    self.lose(end, peer, link);
                    self.lose(peer, end, link);
                }
            }
            self.links.last += 1;
            self.tally.links += 1;
            let link = self.links.last;
            self.links.ends.insert((one, kids.1), (other, link));
            self.links.ends.insert((other, kids.0), (one, link));
            self.after(
                0,
                Happening::Connected {
                    node: one,
                    peer: other,
                    link,
                },
            );
            self.after(
                0,
                Happening::Connected {
                    node: other,
                    peer: one,
                    link,
                },
            );
        }
        let again = REDIAL_MS / 2 + self.dice.below(REDIAL_MS);
        self.after(again, Happening::Dial { one, other });
    }

    /// An end learns that a link is gone.
    pub(crate) fn lose(&mut self, node: usize, peer: usize, link: u32) {
        if let Some(kid) = self.links.known_as(node, peer, link) {
            self.links.ends.remove(&(node, kid));
            self.handle(node, Event::Disconnected(kid));
        }
    }

    /// A node cuts a link.
    pub(crate) fn cut(&mut self, node: usize, peer: usize) {
        let ends = self.links.ends.iter();
        let found = ends
            .filter(|((of, _), (other, _))| *of == node && *other == peer)
            .map(|(_, (_, link))| *link)
            .next();
        if let Some(link) = found {
            self.lose(node, peer, link);
            let noticed = self.dice.below(100);
            self.after(
                noticed,
                Happening::Lost {
                    node: peer,
                    peer: node,
                    link,
                },
            );
        }
    }

    /// A machine is down: its own ends are gone at once, others notice later.
    pub(crate) fn drop_links_of(&mut self, node: usize) {
        let own: Vec<(usize, u32)> = self
            .links
            .ends
            .iter()
            .filter(|((of, _), _)| *of == node)
            .map(|(_, end)| *end)
            .collect();
        self.links.ends.retain(|(of, _), _| *of != node);
        for (peer, link) in own {
            let noticed = self.dice.below(NOTICED_MS);
            self.after(
                noticed,
                Happening::Lost {
                    node: peer,
                    peer: node,
                    link,
                },
            );
        }
    }

    /// Nothing gets through between these any more; sooner or later their links end.
    pub(crate) fn part(&mut self, pairs: Vec<(usize, usize)>) {
        for (from, to) in pairs {
            self.links.cut.insert((from, to));
            let ends = self.links.ends.iter();
            let found = ends
                .filter(|((of, _), (other, _))| *of == from && *other == to)
                .map(|(_, (_, link))| *link)
                .next();
            if let Some(link) = found {
                self.doom(from, to, link);
            }
        }
    }

    /// A link ends at both ends, some time from now.
    pub(crate) fn doom(&mut self, from: usize, to: usize, link: u32) {
        if self.links.dying.insert(link) {
            for (node, peer) in [(from, to), (to, from)] {
                let noticed = 300 + self.dice.below(NOTICED_MS);
                self.after(noticed, Happening::Lost { node, peer, link });
            }
        }
    }

    /// Sends a frame to each of these peers that there is a link to.
    pub(crate) fn send(&mut self, from: usize, peers: &[Kid], frame: Frame) {
        if let Frame::Consensus(message) = &frame
            && self.machines[from].treason.is_none()
        {
            self.check_own(from, message);
        }
        if let Frame::Consensus(Message::Vote(vote)) = &frame
            && vote.kind == VoteKind::Precommit
            && vote.block_id.is_some()
            && let Some(operations) = self.machines[from].strikes.take()
        {
            self.machines[from].disk.cut_after(operations);
        }
        let encoded = match frame.encode() {
            Ok(encoded) => encoded,
            Err(error) => {
                let words = format!("node {from} makes a frame that cannot be encoded: {error}");
                return self.oracle.violated(words);
            }
        };
        self.note(20 << 8 | from as u64, &encoded, || {
            format!("node {from} sends to {}: {}", peers.len(), shown(&frame))
        });
        if matches!(frame, Frame::Fetch { .. }) {
            self.tally.fetched += 1;
        }
        for peer in peers {
            let Some((to, link)) = self.links.ends.get(&(from, *peer)).copied() else {
                continue;
            };
            match self.machines[from].treason {
                None | Some(Treason::WrongClock | Treason::Twins) => {
                    self.pass(from, to, link, frame.kind() as u8, encoded.clone());
                }
                Some(treason) => self.betray(treason, from, to, link, &frame, &encoded),
            }
        }
    }

    /// A correct node says something: what, and whether it may.
    fn check_own(&mut self, from: usize, message: &Message) {
        let own = match message {
            Message::Vote(vote) => Some(vote.voter),
            Message::Proposal(proposal) => Some(proposal.proposer),
            Message::Polka(_) | Message::RoundChange(_) => None,
        };
        if own != Some(self.machines[from].kid()) {
            return;
        }
        let height = message.height();
        if height == self.oracle.height() + 1 {
            self.count_greetings(from, height);
            if !self.machines[from].heard_quorum {
                let words = format!("node {from} speaks before it has heard a quorum");
                self.oracle.violated(words);
            }
        }
        let contradiction = self.oracle.said(from, message);
        let machine = &mut self.machines[from];
        machine.remembered = machine.remembered.max(place_of(message));
        let Some(words) = contradiction else {
            return;
        };
        if machine.was_unmarked && machine.shown < height {
            // Nobody who greeted knew: it counts among those that are not correct.
            machine.relapsed = true;
            self.tally.relapsed += 1;
        } else {
            self.oracle.violated(words);
        }
    }

    /// Whether a quorum of the validators of a height has greeted a node.
    pub(crate) fn count_greetings(&mut self, node: usize, height: u64) {
        let set = self.oracle.validators(height);
        let machine = &mut self.machines[node];
        let kid = machine.kid();
        let heard = machine.greeted.iter().chain([&kid]);
        let weight = heard.filter_map(|kid| set.get(kid)).map(|one| one.weight);
        machine.heard_quorum |= set.is_quorum(weight.sum());
    }

    /// A frame goes on its way, and may be lost, come twice, or late.
    pub(crate) fn pass(&mut self, from: usize, to: usize, link: u32, kind: u8, payload: Bytes) {
        self.tally.messages += 1;
        let greets = kind == FrameKind::LastWord as u8;
        let lost = self.links.is_cut(from, to)
            || (!self.is_calm && !greets && self.dice.below(100) < self.plan.loss);
        if lost {
            self.tally.lost += 1;
            if greets {
                // A link never loses this and stands.
                self.doom(from, to, link);
            }
            return;
        }
        let twice = !self.is_calm && !greets && self.dice.below(100) < self.plan.twice;
        self.tally.twice += u64::from(twice);
        let far = match self.plan.far {
            Some((node, ms)) if !self.is_calm && (node == from || node == to) => ms,
            Some(_) | None => 0,
        };
        let longest = if self.is_calm {
            self.plan.delay_ms.min(30)
        } else {
            self.plan.delay_ms
        };
        for _ in 0..=u8::from(twice) {
            let delay = 1 + self.dice.below(longest) + far;
            let payload = payload.clone();
            self.after(
                delay,
                Happening::Arrive {
                    from,
                    to,
                    link,
                    kind,
                    payload,
                },
            );
        }
    }
}
