//! What links are started with: who we are, who the others are, which frames there are.

use std::net::SocketAddr;
use std::sync::Arc;

use invoice_core::chain::ChainId;
use invoice_core::crypto::{Hash, Kid, PublicKey, Signer};

use super::limits::{FRAME_BYTES_MAX, Limits};

/// What links are started with.
pub struct LinksConfig {
    /// The chain that both ends must serve.
    pub chain: ChainId,
    /// SM3 of the genesis file, which both ends must share.
    pub genesis: Hash,
    /// Our own identity.
    pub signer: Arc<dyn Signer>,
    /// Where others connect to; `None` for a node that only connects to others. Port 0 takes any
    /// free one.
    pub listen: Option<SocketAddr>,
    /// Who may be linked. Ourselves among them are passed over.
    pub peers: Vec<Peer>,
    /// The kinds of frame, the same at all ends.
    pub kinds: Kinds,
    /// How much strangers and slow peers may cost.
    pub limits: Limits,
}

/// What a peer is on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It votes.
    Validator,
    /// It follows and verifies, without a vote.
    Supervisor,
}

impl Role {
    /// The role's word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Supervisor => "supervisor",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A node that may be linked.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What people call it.
    pub name: String,
    /// `host:port` to connect to; `None` when it connects to us and we never to it.
    pub address: Option<String>,
    /// The key that it shows itself with.
    pub public_key: PublicKey,
    /// What it is on the chain.
    pub role: Role,
}

impl Peer {
    /// The short identifier of its key, by which it is called everywhere else.
    #[must_use]
    pub fn kid(&self) -> Kid {
        self.public_key.kid()
    }
}

/// Which of a link's two queues a frame waits in. Each keeps its order; between the two, every
/// piece of a bulk frame lets urgent ones pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Small frames that others wait for, such as votes.
    Urgent,
    /// Blocks and whatever else is large.
    Bulk,
}

/// What happens when a frame finds no room in its queue, even after frames that may be dropped
/// were dropped from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// The link is closed and made anew: for frames whose absence the other end would not notice
    /// otherwise. After [`Event::Connected`](super::Event::Connected) both ends say again what
    /// counts.
    Reset,
    /// The oldest frames that may be dropped make room, or the new one is lost: for frames that a
    /// later one replaces.
    DropOldest,
}

/// How frames of one kind are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRule {
    /// Where they wait.
    pub lane: Lane,
    /// Longest payload in bytes, at most [`FRAME_BYTES_MAX`]; who sends a longer one is cut off.
    pub bytes_max: usize,
    /// What happens when there is no room.
    pub when_full: WhenFull,
}

/// The kinds of frame that a link carries. Who sends another kind is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(Box<[Option<KindRule>; 256]>);

impl Kinds {
    /// A table of kinds; of two rules for one kind the later counts.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = (u8, KindRule)>) -> Self {
        let mut table = Box::new([None; 256]);
        for (kind, mut rule) in rules {
            rule.bytes_max = rule.bytes_max.min(FRAME_BYTES_MAX);
            table[usize::from(kind)] = Some(rule);
        }
        Self(table)
    }

    /// The rule of a kind.
    #[must_use]
    pub fn rule(&self, kind: u8) -> Option<KindRule> {
        self.0[usize::from(kind)]
    }
}

/// A message to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is; one of [`LinksConfig::kinds`].
    pub kind: u8,
    /// Its content, which links never look into.
    pub bytes: bytes::Bytes,
}

impl Frame {
    /// A frame of a kind with a payload.
    #[must_use]
    pub fn new(kind: u8, bytes: impl Into<bytes::Bytes>) -> Self {
        Self {
            kind,
            bytes: bytes.into(),
        }
    }
}
