//! Who is next: one lane per member and origin, served in turn.
//!
//! Clean lanes share chunks, since many signatures verified together are cheap. A signature that
//! fails makes its whole chunk be split, so lanes in which one failed lately are suspect: theirs
//! are verified one by one, apart, and while clean ones wait they get a fixed part of the time
//! that those take, however many there are.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use invoice_api::registry::Submission;
use invoice_core::crypto::Kid;
use invoice_core::state::MemberNo;

use super::reply::Slot;
use super::{
    CHUNK_BYTES_MAX, CHUNK_RECORDS_MAX, CHUNK_SIGNATURES_MAX, LANE_QUANTUM, LANE_SHARE,
    PEER_LANE_SHARE, PEER_SHARE, PEERS_SHARE, QUEUE_BYTES_MAX, QUEUE_ENVELOPES_MAX,
    SUSPECT_CHUNK_MAX,
};
use crate::node::key_cache::KnownKey;

/// How long a lane stays suspect after its last failure.
const SUSPECT_FOR: Duration = Duration::from_secs(10);
/// Suspect lanes that are remembered; beyond them the oldest suspicion is dropped.
const SUSPECTS_MAX: usize = 4_096;
/// Suspects get one part in so many of the time that clean lanes take.
const SUSPECT_TIME_DIVISOR: i64 = 8;
/// How much time suspects may save up, and overdraw, in nanoseconds.
const SUSPECT_CREDIT_MAX: i64 = 20_000_000;

/// Whose envelopes wait together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::node) enum LaneId {
    /// A registered member's, from one origin.
    Member(MemberNo, u64),
    /// Everyone's who names no registered key: nothing of theirs is verified.
    Strangers,
    /// What a peer forwards in the name of a registered member, or of nobody registered: what it
    /// forges makes nobody else suspect.
    Forwarded(Kid, Option<MemberNo>),
}

/// An envelope that waits for verification.
#[derive(Debug)]
pub(in crate::node) struct Waiting {
    pub(in crate::node) submission: Submission,
    pub(in crate::node) key: Option<std::sync::Arc<KnownKey>>,
    pub(in crate::node) slot: Slot,
    /// The peer that forwards it; none for this node's own members.
    pub(in crate::node) peer: Option<Kid>,
}

impl Waiting {
    pub(in crate::node) fn lane(&self) -> LaneId {
        match (self.peer, &self.key) {
            (Some(peer), key) => LaneId::Forwarded(peer, key.as_ref().map(|key| key.number)),
            (None, Some(key)) => LaneId::Member(key.number, self.submission.origin),
            (None, None) => LaneId::Strangers,
        }
    }
}

/// How the signatures of a chunk are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::node) enum Class {
    /// Together.
    Clean,
    /// One by one.
    Suspect,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    envelopes: usize,
    bytes: usize,
}

impl Load {
    /// Whether one more of so many bytes stays within a part of the queue.
    const fn has_room(self, bytes: usize, divisor: usize) -> bool {
        self.envelopes < QUEUE_ENVELOPES_MAX / divisor
            && self.bytes.saturating_add(bytes) <= QUEUE_BYTES_MAX / divisor
    }

    const fn add(&mut self, bytes: usize) {
        self.envelopes = self.envelopes.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    const fn remove(&mut self, bytes: usize) {
        self.envelopes = self.envelopes.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// All that waits for verification.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<LaneId, Lane>,
    clean: VecDeque<LaneId>,
    suspect: VecDeque<LaneId>,
    suspects: HashMap<LaneId, Instant>,
    all: Load,
    /// What peers forwarded, of all and of each of which something waits.
    forwarded: Load,
    peers: HashMap<Kid, Load>,
    /// Nanoseconds that suspects may still take before clean lanes.
    credit: i64,
}

impl Lanes {
    /// Adds an envelope at the end of its lane, or gives it back when there is no room.
    pub(super) fn push(&mut self, waiting: Waiting, now: Instant) -> Option<Waiting> {
        let (id, bytes) = (waiting.lane(), waiting.slot.bytes());
        let of_lane = self.lanes.get(&id).map_or(Load::default(), |lane| Load {
            envelopes: lane.waiting.len(),
            bytes: lane.bytes,
        });
        let has_room = self.all.has_room(bytes, 1)
            && match waiting.peer {
                None => of_lane.has_room(bytes, LANE_SHARE),
                Some(peer) => self.has_room_for(&peer, of_lane, bytes),
            };
        if !has_room {
            return Some(waiting);
        }
        if let Some(peer) = waiting.peer {
            self.forwarded.add(bytes);
            self.peers.entry(peer).or_default().add(bytes);
        }
        if of_lane.envelopes == 0 {
            match self.class_of(&id, now) {
                Class::Clean => self.clean.push_back(id),
                Class::Suspect => self.suspect.push_back(id),
            }
        }
        let lane = self.lanes.entry(id).or_default();
        lane.waiting.push_back(waiting);
        lane.bytes = lane.bytes.saturating_add(bytes);
        self.all.add(bytes);
        None
    }

    /// Whether a peer may add something to a lane. The first envelope of a peer, and of a lane,
    /// may be larger than its part.
    fn has_room_for(&self, peer: &Kid, of_lane: Load, bytes: usize) -> bool {
        const PEER: usize = PEERS_SHARE * PEER_SHARE;
        let of_peer = self.peers.get(peer);
        self.forwarded.has_room(bytes, PEERS_SHARE)
            && of_peer.is_none_or(|load| load.has_room(bytes, PEER))
            && (of_lane.envelopes == 0 || of_lane.has_room(bytes, PEER * PEER_LANE_SHARE))
    }

    pub(super) fn envelopes(&self) -> usize {
        self.all.envelopes
    }

    /// What is verified next; `None` when nothing waits.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Class, Vec<Waiting>)> {
        self.regroup(now);
        let class = if self.clean.is_empty() || (self.credit > 0 && !self.suspect.is_empty()) {
            Class::Suspect
        } else {
            Class::Clean
        };
        let envelopes_max = match class {
            Class::Clean => CHUNK_SIGNATURES_MAX,
            Class::Suspect => SUSPECT_CHUNK_MAX,
        };
        let mut taken = Vec::new();
        let (mut records, mut bytes) = (0_usize, 0_usize);
        'lanes: while taken.len() < envelopes_max {
            let ring = self.ring(class);
            let Some(id) = ring.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&id) else {
                continue;
            };
            let mut turn = LANE_QUANTUM.min(envelopes_max.saturating_sub(taken.len()));
            while let Some(next) = lane.waiting.front()
                && turn > 0
            {
                let more_records = records.saturating_add(next.submission.records.len());
                let more_bytes = bytes.saturating_add(next.slot.bytes());
                let full = more_records > CHUNK_RECORDS_MAX || more_bytes > CHUNK_BYTES_MAX;
                if full && !taken.is_empty() {
                    self.ring(class).push_front(id);
                    break 'lanes;
                }
                (records, bytes) = (more_records, more_bytes);
                turn = turn.saturating_sub(1);
                if let Some(next) = lane.waiting.pop_front() {
                    lane.bytes = lane.bytes.saturating_sub(next.slot.bytes());
                    taken.push(next);
                }
            }
            if lane.waiting.is_empty() {
                self.lanes.remove(&id);
            } else {
                self.ring(class).push_back(id);
            }
        }
        for taken in &taken {
            self.left(taken.peer, taken.slot.bytes());
        }
        (!taken.is_empty()).then_some((class, taken))
    }

    fn left(&mut self, peer: Option<Kid>, bytes: usize) {
        self.all.remove(bytes);
        let Some(peer) = peer else { return };
        self.forwarded.remove(bytes);
        if let Some(load) = self.peers.get_mut(&peer) {
            load.remove(bytes);
            if load.envelopes == 0 {
                self.peers.remove(&peer);
            }
        }
    }

    /// Learns how long a chunk took and in which lanes signatures failed.
    pub(super) fn done(&mut self, class: Class, took: Duration, failed: &[LaneId], now: Instant) {
        let nanos = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        let credit = match class {
            Class::Clean => self.credit.saturating_add(nanos / SUSPECT_TIME_DIVISOR),
            Class::Suspect => self.credit.saturating_sub(nanos),
        };
        self.credit = credit.clamp(-SUSPECT_CREDIT_MAX, SUSPECT_CREDIT_MAX);
        for id in failed {
            if self.suspects.len() >= SUSPECTS_MAX
                && !self.suspects.contains_key(id)
                && let Some(oldest) = self.oldest_suspect()
            {
                self.suspects.remove(&oldest);
            }
            self.suspects.insert(*id, now);
        }
    }

    /// Empties all lanes.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn oldest_suspect(&self) -> Option<LaneId> {
        let oldest = self.suspects.iter().min_by_key(|(_, failed)| **failed);
        oldest.map(|(id, _)| *id)
    }

    fn ring(&mut self, class: Class) -> &mut VecDeque<LaneId> {
        match class {
            Class::Clean => &mut self.clean,
            Class::Suspect => &mut self.suspect,
        }
    }

    fn class_of(&self, id: &LaneId, now: Instant) -> Class {
        let recent = |failed: &Instant| now.saturating_duration_since(*failed) < SUSPECT_FOR;
        match (id, self.suspects.get(id)) {
            (LaneId::Strangers | LaneId::Forwarded(_, None), _) => Class::Suspect,
            (LaneId::Member(..) | LaneId::Forwarded(..), Some(failed)) if recent(failed) => {
                Class::Suspect
            }
            (LaneId::Member(..) | LaneId::Forwarded(..), _) => Class::Clean,
        }
    }

    /// Moves lanes whose class has changed, and forgets old suspicions.
    fn regroup(&mut self, now: Instant) {
        if self.suspects.is_empty() {
            return;
        }
        self.suspects
            .retain(|_, failed| now.saturating_duration_since(*failed) < SUSPECT_FOR);
        let rings = std::mem::take(&mut self.clean)
            .into_iter()
            .chain(std::mem::take(&mut self.suspect))
            .collect::<Vec<_>>();
        for id in rings {
            match self.class_of(&id, now) {
                Class::Clean => self.clean.push_back(id),
                Class::Suspect => self.suspect.push_back(id),
            }
        }
    }
}
