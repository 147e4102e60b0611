//! One peer: what is known of it, and which of its connections is the link.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use invoice_core::crypto::{Kid, PublicKey};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::config::{Peer, Role};
use super::events::Inbox;
use super::fault::LinkFault;
use super::limits::Limits;
use super::outbox::Outbox;
use super::shared::Turn;

/// What can be told about a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerState {
    /// The short identifier of its key.
    pub kid: Kid,
    /// What people call it.
    pub name: String,
    /// Where we connect to.
    pub address: Option<String>,
    /// What it is on the chain.
    pub role: Role,
    /// For how long there has been a link; `None` without one.
    pub connected_for: Option<Duration>,
    /// Whether our end made the connection.
    pub dialled: bool,
    /// Bytes received on all its links, before TLS.
    pub bytes_in: u64,
    /// Bytes written to all its links, before TLS.
    pub bytes_out: u64,
    /// Bytes that wait to be sent.
    pub queued_bytes: usize,
    /// Bytes received that the node has not taken yet.
    pub inbox_bytes: usize,
    /// Frames that were dropped since a queue was full.
    pub frames_dropped: u64,
    /// Why the last link ended or the last attempt failed.
    pub last_error: Option<String>,
}

impl PeerState {
    /// Whether there is a link.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.connected_for.is_some()
    }
}

/// A peer as the links keep it.
pub(super) struct Entry {
    pub(super) kid: Kid,
    pub(super) key: PublicKey,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    pub(super) frames_dropped: AtomicU64,
    pub(super) turn: Turn,
    /// Something changed that whoever connects to this peer waits for.
    pub(super) changed: Notify,
    /// Cancelled when the peer is no longer in the list, or everything stops.
    pub(super) gone: CancellationToken,
    known: Mutex<Known>,
}

struct Known {
    name: String,
    address: Option<String>,
    role: Role,
    link: Option<Link>,
    /// Links that were begun so far; the number of the newest.
    links: u64,
    last_error: Option<String>,
}

struct Link {
    number: u64,
    /// The end that connected has the smaller key id: of two connections this one is kept.
    preferred: bool,
    dialled: bool,
    since: Option<Instant>,
    end: LinkEnd,
}

/// How a link is told to end.
#[derive(Clone, Debug)]
pub(super) struct LinkEnd {
    token: CancellationToken,
    fault: Arc<OnceLock<LinkFault>>,
}

impl LinkEnd {
    fn because(&self, fault: LinkFault) {
        let _ = self.fault.set(fault);
        self.token.cancel();
    }

    /// Waits until the link is to end and says why.
    pub(super) async fn told(&self) -> LinkFault {
        self.token.cancelled().await;
        self.fault.get().cloned().unwrap_or(LinkFault::Removed)
    }

    pub(super) fn is_told(&self) -> bool {
        self.token.is_cancelled()
    }
}

/// A connection that may be the link of its peer.
pub(super) struct Claim {
    number: u64,
    pub(super) end: LinkEnd,
}

impl Entry {
    pub(super) fn new(peer: Peer, limits: &Limits, turn: Turn, gone: CancellationToken) -> Self {
        Self {
            kid: peer.kid(),
            key: peer.public_key,
            outbox: Outbox::new(limits),
            inbox: Inbox::new(limits),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            frames_dropped: AtomicU64::new(0),
            turn,
            changed: Notify::new(),
            gone,
            known: Mutex::new(Known {
                name: peer.name,
                address: peer.address,
                role: peer.role,
                link: None,
                links: 0,
                last_error: None,
            }),
        }
    }

    /// Takes over what a new list says of the same key.
    pub(super) fn update(&self, peer: Peer) {
        let mut known = self.lock();
        (known.name, known.role) = (peer.name, peer.role);
        if known.address != peer.address {
            known.address = peer.address;
            drop(known);
            self.changed.notify_one();
        }
    }

    /// Makes a new connection the link, or says that another one stays it.
    ///
    /// Of two connections that both ends made at once, that of the end with the smaller key id
    /// stays, and both ends decide so alone. Of two that one end made the newer stays: that end
    /// has given up the older one.
    pub(super) fn claim(&self, own: &Kid, dialled: bool) -> Option<Claim> {
        let preferred = dialled == (*own < self.kid);
        let mut known = self.lock();
        if let Some(link) = &known.link {
            if link.preferred && !preferred {
                return None;
            }
            link.end.because(LinkFault::Replaced);
        }
        known.links += 1;
        let number = known.links;
        let end = LinkEnd {
            token: self.gone.child_token(),
            fault: Arc::default(),
        };
        known.link = Some(Link {
            number,
            preferred,
            dialled,
            since: None,
            end: end.clone(),
        });
        Some(Claim { number, end })
    }

    /// The link carries frames from now on.
    pub(super) fn begin(&self, claim: &Claim) {
        if let Some(link) = &mut self.lock().link
            && link.number == claim.number
        {
            link.since = Some(Instant::now());
        }
    }

    /// The link is no more.
    pub(super) fn release(&self, claim: &Claim, fault: &LinkFault) {
        let mut known = self.lock();
        known.last_error = Some(fault.to_string());
        if known
            .link
            .as_ref()
            .is_some_and(|link| link.number == claim.number)
        {
            known.link = None;
            drop(known);
            self.changed.notify_one();
        }
    }

    /// Ends the link, if there is one.
    pub(super) fn cut(&self, fault: LinkFault) {
        if let Some(link) = &self.lock().link {
            link.end.because(fault);
        }
    }

    pub(super) fn failed(&self, fault: &LinkFault) {
        self.lock().last_error = Some(fault.to_string());
    }

    pub(super) fn is_linked(&self) -> bool {
        self.lock().link.is_some()
    }

    pub(super) fn name(&self) -> String {
        self.lock().name.clone()
    }

    pub(super) fn role(&self) -> Role {
        self.lock().role
    }

    pub(super) fn address(&self) -> Option<String> {
        self.lock().address.clone()
    }

    pub(super) fn state(&self) -> PeerState {
        let known = self.lock();
        let link = known.link.as_ref();
        PeerState {
            kid: self.kid,
            name: known.name.clone(),
            address: known.address.clone(),
            role: known.role,
            connected_for: link
                .and_then(|link| link.since)
                .map(|since| since.elapsed()),
            dialled: link.is_some_and(|link| link.dialled),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            queued_bytes: self.outbox.waiting_bytes(),
            inbox_bytes: self.inbox.waiting_bytes(),
            frames_dropped: self.frames_dropped.load(Ordering::Relaxed),
            last_error: known.last_error.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
