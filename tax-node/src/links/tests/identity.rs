//! Who is refused.

use std::net::SocketAddr;
use std::time::Duration;

use invoice_core::crypto::Hash;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::support::*;
use crate::links::hello::Hello;
use crate::links::*;

const ANY_PORT: &str = "127.0.0.1:0";

/// A node of key 1 that knows key 2 and waits for it.
fn waiting() -> Node {
    Node::of(1, vec![peer(2, None)])
}

/// Says these bytes on a new connection and expects to be cut off without an answer.
async fn is_refused(node: &mut Node, hello: impl FnOnce(&[u8; 32]) -> Vec<u8>) {
    let (mut stream, exported) = raw(node.address()).await;
    say(&mut stream, &hello(&exported)).await;
    assert_eq!(hear(&mut stream).await, None);
    node.quiet(50).await;
    assert_eq!(node.links.counters().connected, 0);
}

#[tokio::test]
async fn a_key_that_is_not_in_the_list_is_refused() {
    let mut node = waiting();
    let stranger = |exported: &_| hello(3, 1, genesis(), exported).encode().to_vec();
    is_refused(&mut node, stranger).await;
    assert_eq!(node.links.counters().refused_unknown, 1);
}

#[tokio::test]
async fn another_genesis_another_node_and_another_version_are_refused() {
    let mut node = waiting();
    let other = Hash::new([8; 32]);
    is_refused(&mut node, |exported| {
        hello(2, 1, other, exported).encode().to_vec()
    })
    .await;
    is_refused(&mut node, |exported| {
        hello(2, 3, genesis(), exported).encode().to_vec()
    })
    .await;
    is_refused(&mut node, |exported| {
        let mut bytes = hello(2, 1, genesis(), exported).encode().to_vec();
        bytes[1] = 2;
        bytes
    })
    .await;
    assert_eq!(node.links.counters().refused_mismatch, 3);
}

#[tokio::test]
async fn a_signature_of_another_key_or_of_another_field_is_refused() {
    let mut node = waiting();
    is_refused(&mut node, |exported| {
        let mut forged = hello(3, 1, genesis(), exported);
        forged.from = kid(2);
        forged.encode().to_vec()
    })
    .await;
    is_refused(&mut node, |exported| {
        let mut moved = hello(2, 3, genesis(), exported);
        moved.to = kid(1);
        moved.encode().to_vec()
    })
    .await;
    is_refused(&mut node, |exported| {
        let mut bytes = hello(2, 1, genesis(), exported).encode().to_vec();
        bytes[66..].fill(0);
        bytes
    })
    .await;
    assert_eq!(node.links.counters().refused_signature, 3);
}

#[tokio::test]
async fn a_hello_is_good_on_one_connection_only() {
    let mut node = waiting();
    let (mut stream, exported) = raw(node.address()).await;
    let seen = hello(2, 1, genesis(), &exported).encode();
    say(&mut stream, &seen).await;
    assert!(hear(&mut stream).await.is_some());
    node.until_connected(2).await;
    drop(stream);
    assert_eq!(node.event().await, Event::Disconnected(kid(2)));
    let (mut again, _) = raw(node.address()).await;
    say(&mut again, &seen).await;
    assert_eq!(hear(&mut again).await, None);
    assert_eq!(node.links.counters().refused_signature, 1);
}

/// Ends TLS towards whoever connects, begins it anew towards `target`, and passes the Hello on.
async fn man_in_the_middle(listener: TcpListener, target: SocketAddr) {
    let acceptor = TlsAcceptor::from(tls::server().unwrap());
    let connector = TlsConnector::from(tls::client().unwrap());
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let Ok(mut victim) = acceptor.accept(socket).await else {
            continue;
        };
        let onward = TcpStream::connect(target).await.unwrap();
        let mut onward = connector.connect(tls::server_name(), onward).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut victim, &mut onward).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_man_in_the_middle_is_refused() {
    let mut node = waiting();
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let between = listener.local_addr().unwrap();
    let man = tokio::spawn(man_in_the_middle(listener, node.address()));
    let mut victim = Node::of(2, vec![peer(1, Some(between))]);
    until("the node sees wrong signatures", || {
        node.links.counters().refused_signature >= 2
    })
    .await;
    node.quiet(50).await;
    victim.quiet(50).await;
    assert_eq!(victim.links.counters().connected, 0);
    assert!(victim.state(1).last_error.is_some());
    man.abort();
}

#[tokio::test]
async fn a_man_in_the_middle_cannot_pass_the_answer_on_either() {
    // The man has the client's Hello accepted by nobody, but answers with a Hello of the right
    // node that was made for another connection.
    let mut node = waiting();
    let (mut stream, exported) = raw(node.address()).await;
    say(&mut stream, &hello(2, 1, genesis(), &exported).encode()).await;
    let answer = hear(&mut stream).await.unwrap();
    assert_eq!(Hello::decode(&answer).unwrap().from, kid(1));
    node.until_connected(2).await;
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut victim = Node::of(2, vec![peer(1, Some(address))]);
    let (socket, _) = listener.accept().await.unwrap();
    let acceptor = TlsAcceptor::from(tls::server().unwrap());
    let mut caught = acceptor.accept(socket).await.unwrap();
    assert!(hear(&mut caught).await.is_some());
    say(&mut caught, &answer).await;
    until("the victim sees a wrong signature", || {
        victim.links.counters().refused_signature == 1
    })
    .await;
    victim.quiet(50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_leads_to_another_peer_gives_no_link() {
    let other = Node::of(3, vec![peer(2, None)]);
    let node = Node::of(2, vec![peer(1, Some(other.address()))]);
    until("the other is told whom we look for", || {
        other.links.counters().refused_mismatch >= 1
    })
    .await;
    until("the attempt failed", || node.state(1).last_error.is_some()).await;
    assert_eq!(node.links.counters().connected, 0);
}

#[tokio::test]
async fn what_is_not_tls_is_cut_off() {
    let node = waiting();
    let mut plain = TcpStream::connect(node.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    until("it is refused", || node.links.counters().refused_tls == 1).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(node.links.counters().connected, 0);
}
