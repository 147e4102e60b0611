//! Nodes of a test, on ports of this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use invoice_core::chain::ChainId;
use invoice_core::crypto::{Hash, Kid, PublicKey, SecretKey, SecretKeySigner, Signer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::links::hello::{Exported, HELLO_BYTES, Hello, Side, hello_message};
use crate::links::*;

/// A small frame that must not be lost.
pub(super) const VOTE: u8 = 1;
/// A large frame that must not be lost.
pub(super) const BLOCK: u8 = 2;
/// A small frame that a later one replaces.
pub(super) const STATUS: u8 = 3;
/// A large frame that may be lost.
pub(super) const RECORDS: u8 = 4;

/// Longest that anything in a test may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn kinds() -> Kinds {
    let rule = |lane, bytes_max, when_full| KindRule {
        lane,
        bytes_max,
        when_full,
    };
    Kinds::new([
        (VOTE, rule(Lane::Urgent, 256 * 1024, WhenFull::Reset)),
        (BLOCK, rule(Lane::Bulk, FRAME_BYTES_MAX, WhenFull::Reset)),
        (STATUS, rule(Lane::Urgent, 1_024, WhenFull::DropOldest)),
        (RECORDS, rule(Lane::Bulk, 1024 * 1024, WhenFull::DropOldest)),
    ])
}

pub(super) fn signer(number: u8) -> Arc<dyn Signer> {
    let secret = SecretKey::from_bytes(&[number; 32]).unwrap();
    Arc::new(SecretKeySigner::new(secret))
}

pub(super) fn key(number: u8) -> PublicKey {
    signer(number).public_key().clone()
}

pub(super) fn kid(number: u8) -> Kid {
    key(number).kid()
}

/// Two numbers of keys, that of the smaller key id first.
pub(super) fn in_order(one: u8, other: u8) -> (u8, u8) {
    if kid(one) < kid(other) {
        (one, other)
    } else {
        (other, one)
    }
}

pub(super) fn genesis() -> Hash {
    Hash::new([7; 32])
}

pub(super) fn chain() -> ChainId {
    "test-links".parse().unwrap()
}

pub(super) fn peer(number: u8, address: Option<SocketAddr>) -> Peer {
    Peer {
        name: format!("node-{number}"),
        address: address.map(|address| address.to_string()),
        public_key: key(number),
        role: Role::Validator,
    }
}

/// Short times, so that tests are quick.
pub(super) fn limits() -> Limits {
    Limits {
        connections_per_second: 1_000,
        backoff_min: Duration::from_millis(20),
        backoff_max: Duration::from_millis(200),
        dial_yield: Duration::from_millis(30),
        ..Limits::default()
    }
}

pub(super) fn config(number: u8, peers: Vec<Peer>) -> LinksConfig {
    LinksConfig {
        chain: chain(),
        genesis: genesis(),
        signer: signer(number),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        peers,
        kinds: kinds(),
        limits: limits(),
    }
}

/// A node of a test.
pub(super) struct Node {
    pub(super) links: Links,
    pub(super) events: Events,
}

impl Node {
    pub(super) fn start(config: LinksConfig) -> Self {
        let (links, events) = Links::start(config, &Handle::current()).unwrap();
        Self { links, events }
    }

    /// A node with a key that knows these others.
    pub(super) fn of(number: u8, peers: Vec<Peer>) -> Self {
        Self::start(config(number, peers))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.links.local_address().unwrap()
    }

    pub(super) async fn event(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event in time").expect("links that run")
    }

    /// Nothing happens for a while.
    pub(super) async fn quiet(&mut self, for_ms: u64) {
        let event = timeout(Duration::from_millis(for_ms), self.events.recv()).await;
        assert!(event.is_err(), "{event:?}");
    }

    pub(super) async fn until_connected(&mut self, number: u8) {
        while self.event().await != Event::Connected(kid(number)) {}
    }

    pub(super) fn state(&self, number: u8) -> PeerState {
        let found = self
            .links
            .peers()
            .into_iter()
            .find(|peer| peer.kid == kid(number));
        found.unwrap()
    }
}

/// Waits until something holds.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}"));
}

/// Two linked nodes; the first waits for the second to connect.
pub(super) async fn pair(first: LinksConfig, second: LinksConfig) -> (Node, Node) {
    let [one, two] = [&first, &second].map(|config| config.signer.public_key().kid());
    let mut first = Node::start(first);
    let mut second = second;
    for peer in &mut second.peers {
        peer.address = Some(first.address().to_string());
    }
    let mut second = Node::start(second);
    assert_eq!(second.event().await, Event::Connected(one));
    assert_eq!(first.event().await, Event::Connected(two));
    (first, second)
}

/// A TLS connection of the connecting end, with the value to be signed; nothing is said yet.
pub(super) type Raw = tokio_rustls::client::TlsStream<TcpStream>;

pub(super) async fn raw(address: SocketAddr) -> (Raw, Exported) {
    let socket = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(tls::client().unwrap());
    let stream = connector.connect(tls::server_name(), socket).await.unwrap();
    let exported = tls::exported(stream.get_ref().1).unwrap();
    (stream, exported)
}

/// The Hello that a node of these keys says as the connecting end.
pub(super) fn hello(from: u8, to: u8, genesis: Hash, exported: &Exported) -> Hello {
    let message = hello_message(
        &chain(),
        &genesis,
        exported,
        Side::Client,
        &kid(from),
        &kid(to),
    );
    Hello {
        genesis,
        from: kid(from),
        to: kid(to),
        signature: signer(from).sign(&message).unwrap(),
    }
}

/// A connection that has shown itself as a known node and heard the answer.
pub(super) async fn raw_link(address: SocketAddr, from: u8, to: u8) -> Raw {
    let (mut stream, exported) = raw(address).await;
    say(&mut stream, &hello(from, to, genesis(), &exported).encode()).await;
    let answer = hear(&mut stream).await.expect("an answer");
    let answer = Hello::decode(&answer).unwrap();
    answer
        .verify(&chain(), &exported, Side::Server, &key(to))
        .unwrap();
    stream
}

pub(super) async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// The other end's Hello, or nothing when it closes without one.
pub(super) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Option<[u8; HELLO_BYTES]> {
    let mut bytes = [0; HELLO_BYTES];
    let read = timeout(PATIENCE, stream.read_exact(&mut bytes))
        .await
        .expect("an end in time");
    read.ok().map(|_| bytes)
}
