//! Links between the nodes of a consortium: secret, of known ends, bounded.
//!
//! A link is a TCP connection with TLS 1.3 for secrecy and SM2 signatures for identity
//! ([`hello`]). It carries frames whose content it does not know, in two lanes, so that a vote
//! never waits behind a block ([`wire`]). Both ends know each other from a list of peers; whoever
//! is not in it is refused before anything costs much ([`Limits`]).
//!
//! A link may break at any time, and what was under way is lost with it. Whoever uses it hears of
//! that ([`Event::Disconnected`], [`Event::Connected`]) and says again what still counts.
//!
//! ```no_run
//! # async fn example(config: tax_node::links::LinksConfig) -> Result<(), Box<dyn std::error::Error>> {
//! use tax_node::links::{Event, Frame, Links};
//!
//! let (links, mut events) = Links::start(config, &tokio::runtime::Handle::current())?;
//! while let Some(event) = events.recv().await {
//!     match event {
//!         Event::Connected(peer) => links.send(&peer, Frame::new(1, "hello"))?,
//!         Event::Frame(peer, kind, bytes) => println!("{peer}: {kind}, {} bytes", bytes.len()),
//!         Event::Disconnected(peer) => println!("{peer} is gone"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod config;
mod counters;
mod dial;
mod events;
mod fault;
mod gate;
mod handshake;
pub mod hello;
mod limits;
mod link;
mod listen;
mod outbox;
mod peer;
mod shared;
#[cfg(test)]
mod tests;
mod tls;
pub mod wire;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use invoice_core::crypto::Kid;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{Frame, KindRule, Kinds, Lane, LinksConfig, Peer, Role, WhenFull};
pub use counters::LinkCounters;
pub use events::{Event, Events};
pub use fault::LinkFault;
pub use limits::{FRAME_BYTES_MAX, Limits, PEERS_MAX, PIECE_BYTES_MAX};
pub use peer::PeerState;
pub use tls::TlsError;

use counters::Counters;
use outbox::Pushed;
use peer::Entry;
use shared::{Shared, StrangerLines};

/// Links could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The address to listen on cannot be taken.
    #[error("无法监听 {address}：{error} / cannot listen on {address}: {error}")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There are more peers than a node can have.
    #[error(transparent)]
    Peers(#[from] TooManyPeers),
}

/// There are more peers than [`PEERS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("节点过多：{0} 个，上限 {PEERS_MAX} / {0} peers are too many, the most is {PEERS_MAX}")]
pub struct TooManyPeers(pub usize);

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nobody in the list of peers.
    #[error("不在节点名单中：{0} / {0} is not among the peers")]
    UnknownPeer(Kid),
    /// There is no link at this moment.
    #[error("与 {0} 没有连接 / there is no link to {0}")]
    NotConnected(Kid),
    /// The queue is full and the link is therefore closed and made anew.
    #[error("发往 {0} 的队列已满，连接将重建 / the queue to {0} is full, the link is made anew")]
    Full(Kid),
    /// The kind is not among [`LinksConfig::kinds`].
    #[error("帧类型 {0} 未知 / frames of kind {0} are unknown")]
    UnknownKind(u8),
    /// The payload is longer than its kind may be.
    #[error(
        "类型 {kind} 的帧有 {length} 字节，上限 {max} / a frame of kind {kind} has {length} bytes, the most is {max}"
    )]
    TooLong {
        /// The kind of the frame.
        kind: u8,
        /// Its length in bytes.
        length: usize,
        /// Longest payload of this kind, in bytes.
        max: usize,
    },
}

/// The links of a node. Clones are the same links; they end by [`Links::stop`] only.
#[derive(Clone)]
pub struct Links {
    shared: Arc<Shared>,
    runtime: Handle,
    address: Option<SocketAddr>,
}

impl Links {
    /// Begins to listen and to connect, in tasks on `runtime`; from any thread.
    ///
    /// # Errors
    /// [`LinksError`]; nothing runs then.
    pub fn start(config: LinksConfig, runtime: &Handle) -> Result<(Self, Events), LinksError> {
        let _within = runtime.enter();
        let listener = config.listen.map(|address| {
            let bound = listen::bind(address);
            bound.map_err(|error| LinksError::Listen { address, error })
        });
        let listener = listener.transpose()?;
        let address = listener.as_ref().and_then(|bound| bound.local_addr().ok());
        let (sender, events) = events::channel();
        let shared = Arc::new(Shared {
            chain: config.chain,
            genesis: config.genesis,
            kid: config.signer.public_key().kid(),
            signer: config.signer,
            kinds: Arc::new(config.kinds),
            limits: config.limits,
            tls_client: tls::client()?,
            tls_server: tls::server()?,
            counters: Counters::default(),
            events: sender,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            peers: RwLock::default(),
            turns: Mutex::default(),
            stranger_lines: StrangerLines::new(),
        });
        let links = Self {
            shared,
            runtime: runtime.clone(),
            address,
        };
        links.set_peers(config.peers)?;
        if let Some(listener) = listener {
            links.spawn(listen::run(Arc::clone(&links.shared), listener));
        }
        Ok((links, events))
    }

    /// Where this node listens, with the port that it was given.
    #[must_use]
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Queues a frame for a peer.
    ///
    /// `Ok` means that it waits, or that its kind may be dropped and was. It does not mean that
    /// it arrives: the link may break.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Full`] the link is made anew.
    pub fn send(&self, peer: &Kid, frame: Frame) -> Result<(), SendError> {
        let rule = self.rule(&frame)?;
        let entry = self.shared.peer(peer);
        self.push(&*entry.ok_or(SendError::UnknownPeer(*peer))?, frame, rule)
    }

    /// Queues a frame for every peer that is linked, and says for how many.
    ///
    /// # Errors
    /// [`SendError::UnknownKind`] and [`SendError::TooLong`]; what befalls a single peer is no
    /// error of all.
    pub fn broadcast(&self, frame: &Frame) -> Result<usize, SendError> {
        self.broadcast_where(frame, |_| true)
    }

    /// As [`Links::broadcast`], to the peers of one role.
    ///
    /// # Errors
    /// As [`Links::broadcast`].
    pub fn broadcast_to(&self, role: Role, frame: &Frame) -> Result<usize, SendError> {
        self.broadcast_where(frame, |peer| peer.role() == role)
    }

    fn broadcast_where(
        &self,
        frame: &Frame,
        chosen: impl Fn(&Entry) -> bool,
    ) -> Result<usize, SendError> {
        let rule = self.rule(frame)?;
        let peers = self.shared.all_peers();
        let chosen = peers.iter().filter(|peer| chosen(peer));
        Ok(chosen
            .filter(|peer| self.push(peer, frame.clone(), rule).is_ok())
            .count())
    }

    /// The list of peers from now on: links to others end, links to those that stay are kept.
    /// Ourselves in the list are passed over; of two entries with one key the later counts.
    ///
    /// # Errors
    /// [`TooManyPeers`]; the list stays as it was.
    pub fn set_peers(&self, peers: Vec<Peer>) -> Result<(), TooManyPeers> {
        let own = self.shared.kid;
        let others = peers.into_iter().map(|peer| (peer.kid(), peer));
        let others: HashMap<Kid, Peer> = others.filter(|(kid, _)| *kid != own).collect();
        if others.len() > PEERS_MAX {
            return Err(TooManyPeers(others.len()));
        }
        let mut entries = self
            .shared
            .peers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        entries.retain(|kid, entry| {
            let stays = others.contains_key(kid);
            if !stays {
                entry.gone.cancel();
            }
            stays
        });
        for (kid, peer) in others {
            if let Some(entry) = entries.get(&kid) {
                entry.update(peer);
                continue;
            }
            let gone = self.shared.stop.child_token();
            let entry = Arc::new(Entry::new(
                peer,
                &self.shared.limits,
                self.shared.turn(kid),
                gone,
            ));
            entries.insert(kid, Arc::clone(&entry));
            self.spawn(dial::run(Arc::clone(&self.shared), entry));
        }
        Ok(())
    }

    /// Closes the link to a peer that misbehaved, if there is one; it is made anew.
    pub fn reset(&self, peer: &Kid) {
        if let Some(entry) = self.shared.peer(peer) {
            entry.cut(LinkFault::Closed);
        }
    }

    /// What can be told about each peer, by key id.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerState> {
        let peers = self.shared.all_peers();
        peers.iter().map(|peer| peer.state()).collect()
    }

    /// What happened since the start.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.shared.counters.read()
    }

    /// Closes all links and stops listening. When it returns no task of the links runs, and the
    /// events end once they are received.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.events.end();
    }

    fn rule(&self, frame: &Frame) -> Result<KindRule, SendError> {
        let rule = self.shared.kinds.rule(frame.kind);
        let rule = rule.ok_or(SendError::UnknownKind(frame.kind))?;
        if frame.bytes.len() > rule.bytes_max {
            return Err(SendError::TooLong {
                kind: frame.kind,
                length: frame.bytes.len(),
                max: rule.bytes_max,
            });
        }
        Ok(rule)
    }

    fn push(&self, peer: &Entry, frame: Frame, rule: KindRule) -> Result<(), SendError> {
        let dropped = match peer.outbox.push(frame, rule) {
            Pushed::Queued { dropped } => dropped,
            Pushed::Dropped { dropped } => dropped + 1,
            Pushed::Closed => return Err(SendError::NotConnected(peer.kid)),
            Pushed::Full => {
                peer.cut(LinkFault::Full);
                return Err(SendError::Full(peer.kid));
            }
        };
        peer.frames_dropped.fetch_add(dropped, Ordering::Relaxed);
        let all = &self.shared.counters.frames_dropped;
        all.fetch_add(dropped, Ordering::Relaxed);
        Ok(())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn_on(task, &self.runtime);
    }
}
