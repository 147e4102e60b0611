//! The real thread, links, clocks and files of a node's part in the agreement.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use consensus::{Machine, Timeouts};
use invoice_core::crypto::{Kid, Signer};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::frames::{Frame, FrameKind};
use super::participant::{Action, Clock, Event, Participant};
use super::progress::Progress;
use super::vote_log::VoteLog;
use super::{Alarm, ConsortiumError, Tuning};
use crate::engine::{Engine, EngineError, Replica};
use crate::links::{self, Events, KindRule, Kinds, Lane, Links, WhenFull};

/// Events that are handled before clocks are looked at again.
const EVENTS_AT_ONCE: usize = 64;
/// How long a node that stops goes on for the sake of records that it took.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Records that wait so long while no block becomes final are told of in the log.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// Links break and come back; the quorum is called lost when it is away for so long.
const QUORUM_LOST_AFTER: Duration = Duration::from_secs(5);

/// Wakes the thread from others.
#[derive(Debug, Default)]
pub struct Wake {
    notify: Notify,
    stopping: AtomicBool,
}

impl Wake {
    /// Something waits to be recorded.
    pub fn records(&self) {
        self.notify.notify_one();
    }

    /// The node stops when what it took is final, or soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.notify.notify_one();
    }
}

/// Figures for monitoring.
#[derive(Debug, Default)]
pub struct Figures {
    /// The height that is being decided.
    pub height: AtomicU64,
    /// Peers whose link stands.
    pub peers: AtomicU64,
    /// The highest block that more than a third of the weight says it has.
    pub highest: AtomicU64,
    /// Seconds for which records have waited while no block became final.
    pub stalled_s: AtomicU64,
    /// The round of it.
    pub round: AtomicU64,
    /// Whether enough validators are in reach for records to become final.
    pub quorum: AtomicBool,
    /// Alarms since the start.
    pub alarms: AtomicU64,
}

/// Agreement with others over links.
pub struct Consortium {
    /// This node's key.
    pub signer: Arc<dyn Signer>,
    /// The links, started with [`kinds`].
    pub links: Arc<Links>,
    /// What comes over them.
    pub events: Events,
    /// File of the log of votes.
    pub log: PathBuf,
    /// When the node first started after its folder was restored, unless it never was.
    pub restored: Option<invoice_core::calendar::Instant>,
    /// How long the steps of a round take.
    pub timeouts: Timeouts,
    /// Other times.
    pub tuning: Tuning,
    /// Wakes the thread.
    pub wake: Arc<Wake>,
    /// Figures for monitoring.
    pub figures: Arc<Figures>,
    /// The runtime that the links live in.
    pub runtime: Handle,
}

/// How links treat each kind of frame.
#[must_use]
pub fn kinds() -> Kinds {
    Kinds::new(FrameKind::ALL.into_iter().map(|kind| {
        let (lane, when_full) = match kind {
            FrameKind::Consensus | FrameKind::LastWord => (Lane::Urgent, WhenFull::Reset),
            FrameKind::Status | FrameKind::Fetch => (Lane::Urgent, WhenFull::DropOldest),
            // A block that is lost costs a round, an answer that is lost is asked for again, and
            // envelopes are forwarded until they are final.
            FrameKind::Block | FrameKind::Blocks | FrameKind::Envelopes => {
                (Lane::Bulk, WhenFull::DropOldest)
            }
        };
        let bytes_max = kind.bytes_max();
        (
            kind as u8,
            KindRule {
                lane,
                bytes_max,
                when_full,
            },
        )
    }))
}

impl Engine for Consortium {
    fn run(self, application: &mut dyn Replica) -> Result<(), EngineError> {
        let chain = application.chain_id().clone();
        let machine = Machine::new(chain, Arc::clone(&self.signer), self.timeouts);
        let log = VoteLog::<File>::open_file(&self.log).map_err(ConsortiumError::Log)?;
        let kid = self.signer.public_key().kid();
        let mut node = Participant::new(application, machine, kid, log, self.tuning.clone())?;
        if let Some(at) = self.restored {
            node.restored(at);
        }
        let shell = Shell {
            progress: Progress::new(Instant::now(), node.height()),
            engine: self,
            clocks: BTreeMap::new(),
            quorum_seen: None,
            stall: Stall::default(),
        };
        Ok(shell.run(node)?)
    }
}

/// What surrounds the participant.
struct Shell {
    engine: Consortium,
    clocks: BTreeMap<Clock, Instant>,
    progress: Progress,
    /// When a quorum was in reach last.
    quorum_seen: Option<Instant>,
    stall: Stall,
}

/// Since when records wait at one height.
#[derive(Debug, Default)]
struct Stall {
    since: Option<(u64, Instant)>,
    told: bool,
}

impl Stall {
    /// How long they have waited by now, and whether that is to be told.
    fn at(&mut self, now: Instant, height: u64, records: bool) -> (Duration, bool) {
        let (of, since) = match self.since {
            Some((of, since)) if records && of == height => (of, since),
            Some(_) | None => {
                self.told = false;
                (height, now)
            }
        };
        self.since = records.then_some((of, since));
        let waited = now.saturating_duration_since(since);
        let tells = waited >= STALLED_AFTER && !self.told;
        self.told |= tells;
        (waited, tells)
    }
}

/// What the thread woke for.
enum Woken {
    Link(links::Event),
    Records,
    Clock,
    Gone,
}

impl Shell {
    fn run(mut self, mut node: Participant<&mut dyn Replica, File>) -> Result<(), ConsortiumError> {
        let actions = node.start()?;
        self.carry_out(actions);
        let mut stop_at: Option<Instant> = None;
        loop {
            self.show(&node);
            if self.engine.wake.stopping.load(Ordering::Acquire) {
                let until = *stop_at.get_or_insert_with(|| Instant::now() + STOP_PATIENCE);
                if !node.application().has_records() || Instant::now() >= until {
                    return Ok(());
                }
            }
            for _ in 0..EVENTS_AT_ONCE {
                let Some(event) = self.engine.events.try_recv() else {
                    break;
                };
                self.link(&mut node, event)?;
            }
            let now = Instant::now();
            if let Some(clock) = self.due(now) {
                self.clocks.remove(&clock);
                let actions = node.handle(Event::Elapsed(clock))?;
                self.carry_out(actions);
                continue;
            }
            match self.wait() {
                Woken::Link(event) => self.link(&mut node, event)?,
                Woken::Records => {
                    let actions = node.handle(Event::Records)?;
                    self.carry_out(actions);
                }
                Woken::Clock => {}
                Woken::Gone => return Ok(()),
            }
        }
    }

    fn link(
        &mut self,
        node: &mut Participant<&mut dyn Replica, File>,
        event: links::Event,
    ) -> Result<(), ConsortiumError> {
        let event = match event {
            links::Event::Connected(peer) => Event::Connected(peer),
            links::Event::Disconnected(peer) => Event::Disconnected(peer),
            links::Event::Frame(peer, kind, payload) => {
                let frame = FrameKind::from_number(kind).map(|kind| Frame::decode(kind, &payload));
                match frame {
                    Some(Ok(frame)) => Event::Received(peer, frame),
                    Some(Err(_)) | None => {
                        self.cut(&peer, "a frame that cannot be read");
                        return Ok(());
                    }
                }
            }
        };
        let actions = node.handle(event)?;
        self.carry_out(actions);
        Ok(())
    }

    /// The clock that has run down the longest time ago.
    fn due(&self, now: Instant) -> Option<Clock> {
        let first = self.clocks.iter().min_by_key(|(_, at)| **at)?;
        (*first.1 <= now).then_some(*first.0)
    }

    fn wait(&mut self) -> Woken {
        let next = self.clocks.values().min().copied();
        let next = next.unwrap_or_else(|| Instant::now() + STOP_PATIENCE);
        let (events, wake) = (&mut self.engine.events, &self.engine.wake);
        self.engine.runtime.block_on(async {
            tokio::select! {
                event = events.recv() => event.map_or(Woken::Gone, Woken::Link),
                () = wake.notify.notified() => Woken::Records,
                () = tokio::time::sleep_until(next.into()) => Woken::Clock,
            }
        })
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(peers, frame) => match frame.encode() {
                    Ok(bytes) => self.send(peers, &links::Frame::new(frame.kind() as u8, bytes)),
                    Err(error) => tracing::error!(%error, "a frame was not sent"),
                },
                Action::Set(clock, after) => {
                    self.clocks.insert(clock, Instant::now() + after);
                }
                Action::Stop(clock) => {
                    self.clocks.remove(&clock);
                }
                Action::StopMachine => {
                    self.clocks
                        .retain(|clock, _| !matches!(clock, Clock::Machine(_)));
                }
                Action::Cut(peer, why) => self.cut(&peer, why),
                Action::Doubt(peer, why) => tracing::warn!(
                    %peer,
                    why,
                    "暂不向该节点请求区块 / a peer is not asked for blocks for a while"
                ),
                Action::Raise(alarm) => self.raise(&alarm),
                Action::Final(_) => {}
            }
        }
    }

    fn send(&self, peers: Vec<Kid>, frame: &links::Frame) {
        for peer in peers {
            if let Err(error) = self.engine.links.send(&peer, frame.clone()) {
                tracing::debug!(%error, "a frame was not sent");
            }
        }
    }

    fn cut(&self, peer: &Kid, why: &str) {
        tracing::warn!(%peer, why, "断开连接 / a link is cut");
        self.engine.links.reset(peer);
    }

    fn raise(&self, alarm: &Alarm) {
        self.engine.figures.alarms.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%alarm, "警报 / alarm");
    }

    fn show(&mut self, node: &Participant<&mut dyn Replica, File>) {
        let figures = &self.engine.figures;
        figures.height.store(node.height(), Ordering::Relaxed);
        figures
            .round
            .store(u64::from(node.round()), Ordering::Relaxed);
        if node.sees_quorum() {
            self.quorum_seen = Some(Instant::now());
        }
        let quorum = self
            .quorum_seen
            .is_some_and(|seen| seen.elapsed() < QUORUM_LOST_AFTER);
        figures.quorum.store(quorum, Ordering::Relaxed);
        let (peers, highest) = node.peers_and_highest();
        figures.peers.store(peers, Ordering::Relaxed);
        figures.highest.store(highest, Ordering::Relaxed);
        let (height, records) = (node.height(), node.application().has_records());
        let (waited, tells) = self.stall.at(Instant::now(), height, records);
        figures.stalled_s.store(waited.as_secs(), Ordering::Relaxed);
        if tells {
            let seconds = waited.as_secs();
            tracing::warn!(
                height,
                seconds,
                "有记录等待而没有新区块 / records wait and no block becomes final"
            );
        }
        let last = node.height().saturating_sub(1);
        if let Some(told) = self.progress.at(Instant::now(), last, highest) {
            told.log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_wait_at_one_height_are_a_stall_which_is_told_once() {
        let start = Instant::now();
        let mut stall = Stall::default();
        let mut at = |seconds, height, records| {
            let (waited, tells) = stall.at(start + Duration::from_secs(seconds), height, records);
            (waited.as_secs(), tells)
        };
        assert_eq!(at(0, 7, true), (0, false));
        assert_eq!(at(29, 7, true), (29, false));
        assert_eq!(at(30, 7, true), (30, true));
        assert_eq!(at(31, 7, true), (31, false));
        // A block became final, or nothing waits any more.
        assert_eq!(at(40, 8, true), (0, false));
        assert_eq!(at(50, 8, false), (0, false));
        assert_eq!(at(90, 8, true), (0, false));
        assert_eq!(at(120, 8, true), (30, true));
    }
}
