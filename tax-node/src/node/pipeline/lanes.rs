//! Who is next: one lane per member and origin, served in turn.
//!
//! Clean lanes share chunks, since many signatures verified together are cheap. A signature that
//! fails makes its whole chunk be split, so lanes in which one failed lately are suspect: theirs
//! are verified one by one, apart, and while clean ones wait they get a fixed part of the time
//! that those take, however many there are.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use invoice_api::registry::Submission;
use invoice_core::state::MemberNo;

use super::reply::Slot;
use super::{
    CHUNK_BYTES_MAX, CHUNK_RECORDS_MAX, CHUNK_SIGNATURES_MAX, LANE_QUANTUM, LANE_SHARE,
    QUEUE_BYTES_MAX, QUEUE_ENVELOPES_MAX, SUSPECT_CHUNK_MAX,
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
}

/// An envelope that waits for verification.
#[derive(Debug)]
pub(in crate::node) struct Waiting {
    pub(in crate::node) submission: Submission,
    pub(in crate::node) key: Option<std::sync::Arc<KnownKey>>,
    pub(in crate::node) slot: Slot,
}

impl Waiting {
    pub(in crate::node) fn lane(&self) -> LaneId {
        match &self.key {
            Some(key) => LaneId::Member(key.number, self.submission.origin),
            None => LaneId::Strangers,
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

/// All that waits for verification.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: HashMap<LaneId, Lane>,
    clean: VecDeque<LaneId>,
    suspect: VecDeque<LaneId>,
    suspects: HashMap<LaneId, Instant>,
    envelopes: usize,
    bytes: usize,
    /// Nanoseconds that suspects may still take before clean lanes.
    credit: i64,
}

impl Lanes {
    /// Adds an envelope at the end of its lane, or gives it back when there is no room.
    pub(super) fn push(&mut self, waiting: Waiting, now: Instant) -> Option<Waiting> {
        let (id, bytes) = (waiting.lane(), waiting.slot.bytes());
        let (of_lane, of_lane_bytes) = self
            .lanes
            .get(&id)
            .map_or((0, 0), |lane| (lane.waiting.len(), lane.bytes));
        if self.envelopes >= QUEUE_ENVELOPES_MAX
            || of_lane >= QUEUE_ENVELOPES_MAX / LANE_SHARE
            || self.bytes.saturating_add(bytes) > QUEUE_BYTES_MAX
            || of_lane_bytes.saturating_add(bytes) > QUEUE_BYTES_MAX / LANE_SHARE
        {
            return Some(waiting);
        }
        if of_lane == 0 {
            match self.class_of(&id, now) {
                Class::Clean => self.clean.push_back(id),
                Class::Suspect => self.suspect.push_back(id),
            }
        }
        let lane = self.lanes.entry(id).or_default();
        lane.waiting.push_back(waiting);
        lane.bytes = lane.bytes.saturating_add(bytes);
        self.envelopes = self.envelopes.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        None
    }

    pub(super) fn envelopes(&self) -> usize {
        self.envelopes
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
        self.envelopes = self.envelopes.saturating_sub(taken.len());
        self.bytes = self.bytes.saturating_sub(bytes);
        (!taken.is_empty()).then_some((class, taken))
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
            (LaneId::Strangers, _) => Class::Suspect,
            (LaneId::Member(..), Some(failed)) if recent(failed) => Class::Suspect,
            (LaneId::Member(..), _) => Class::Clean,
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
