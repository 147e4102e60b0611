//! What strangers and slow peers may cost.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::support::*;
use crate::links::*;

fn node_with(change: impl FnOnce(&mut Limits)) -> Node {
    let mut config = config(1, vec![peer(2, None)]);
    change(&mut config.limits);
    Node::start(config)
}

#[tokio::test]
async fn silent_strangers_are_cut_off_in_time() {
    let node = node_with(|limits| limits.handshake_timeout = Duration::from_millis(200));
    let begun = Instant::now();
    let mut silent = TcpStream::connect(node.address()).await.unwrap();
    let (mut anonymous, _) = raw(node.address()).await;
    let mut byte = [0];
    let read = timeout(PATIENCE, silent.read(&mut byte)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    assert_eq!(hear(&mut anonymous).await, None);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    until("both are counted", || {
        node.links.counters().refused_timeout == 2
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_strangers_is_bounded_and_does_not_keep_a_peer_out_for_long() {
    let mut node = node_with(|limits| {
        limits.handshake_timeout = Duration::from_millis(500);
        limits.strangers_per_network = 4;
    });
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(TcpStream::connect(node.address()).await.unwrap());
    }
    until("all but four are closed at once", || {
        node.links.counters().refused_room == 96
    })
    .await;
    until("the four are cut off", || {
        node.links.counters().refused_timeout == 4
    })
    .await;
    let _link = raw_link(node.address(), 2, 1).await;
    node.until_connected(2).await;
}

#[tokio::test]
async fn strangers_who_only_hold_their_places_do_not_keep_a_peer_out() {
    let mut node = node_with(|limits| {
        limits.handshake_timeout = Duration::from_secs(600);
        limits.strangers_per_network = 4;
        limits.strangers_max = 4;
    });
    let mut idle = Vec::new();
    for _ in 0..12 {
        idle.push(TcpStream::connect(node.address()).await.unwrap());
    }
    until("the places are taken", || {
        node.links.counters().refused_room == 8
    })
    .await;
    // From the same address, and none of the four goes by itself for ten minutes.
    let _link = raw_link(node.address(), 2, 1).await;
    node.until_connected(2).await;
}

#[tokio::test]
async fn connections_of_one_second_are_bounded() {
    let node = node_with(|limits| limits.connections_per_second = 5);
    let mut flood = Vec::new();
    for _ in 0..50 {
        flood.push(TcpStream::connect(node.address()).await.unwrap());
    }
    // On a slow machine the fifty may take more than one second.
    until("most are closed at once", || {
        node.links.counters().refused_rate >= 20
    })
    .await;
}

/// Sends bytes as a known peer and expects the link to end for it.
async fn is_a_violation(bytes: &[u8], text: &str) {
    let mut node = node_with(|_| ());
    let mut link = raw_link(node.address(), 2, 1).await;
    node.until_connected(2).await;
    say(&mut link, bytes).await;
    assert_eq!(node.event().await, Event::Disconnected(kid(2)));
    until("the end is noted", || node.state(2).last_error.is_some()).await;
    let error = node.state(2).last_error.unwrap();
    assert!(error.contains(text), "{error}");
    assert_eq!(node.links.counters().violations, 1);
}

#[tokio::test]
async fn a_frame_that_is_too_long_or_of_no_kind_ends_the_link() {
    let begin = |length: usize, kind| {
        let mut bytes = BytesMut::new();
        bytes.put_u8(1);
        bytes.put_u32(u32::try_from(length).unwrap());
        bytes.put_u8(kind);
        bytes
    };
    is_a_violation(&begin(FRAME_BYTES_MAX + 1, BLOCK), "the most is 9437184").await;
    is_a_violation(&begin(256 * 1024 + 1, VOTE), "the most is 262144").await;
    is_a_violation(&begin(1, 99), "kind 99").await;
    is_a_violation(&[7], "marked 7").await;
    is_a_violation(&[2], "not begun").await;
}

#[tokio::test]
async fn our_own_frames_are_held_to_the_same_limits() {
    let node = node_with(|_| ());
    let send = |kind, length| node.links.send(&kid(2), Frame::new(kind, vec![0; length]));
    assert_eq!(send(99, 0), Err(SendError::UnknownKind(99)));
    let (kind, length, max) = (STATUS, 1_025, 1_024);
    assert_eq!(
        send(STATUS, 1_025),
        Err(SendError::TooLong { kind, length, max })
    );
    assert_eq!(send(STATUS, 1_024), Err(SendError::NotConnected(kid(2))));
    let nobody = node.links.send(&kid(9), Frame::new(VOTE, ""));
    assert_eq!(nobody, Err(SendError::UnknownPeer(kid(9))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_makes_neither_end_grow() {
    let mut sender = config(1, vec![peer(2, None)]);
    sender.limits.bulk_bytes = 4 * 1024 * 1024;
    sender.limits.urgent_bytes = 1024 * 1024;
    let mut receiver = config(2, vec![peer(1, None)]);
    receiver.limits.inbox_bytes = 0;
    let (mut one, mut two) = pair(sender, receiver).await;
    let inbox_max = FRAME_BYTES_MAX + 256;
    // What may be dropped is dropped: the link stays, the queues stay within their bounds.
    let records = Bytes::from(vec![1; 1024 * 1024]);
    for n in 0..400_u32 {
        one.links
            .send(&kid(2), Frame::new(RECORDS, records.clone()))
            .unwrap();
        let status = n.to_be_bytes().to_vec();
        one.links.send(&kid(2), Frame::new(STATUS, status)).unwrap();
        assert!(one.state(2).queued_bytes <= 5 * 1024 * 1024 + 512);
        assert!(two.state(1).inbox_bytes <= inbox_max);
        if n % 40 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(one.state(2).frames_dropped > 300, "{:?}", one.state(2));
    assert_eq!(one.links.counters().connected, 1);
    // What must not be dropped makes the link anew.
    let block = Bytes::from(vec![2; 3 * 1024 * 1024]);
    let reset = (0..20).find_map(|_| {
        let sent = one.links.send(&kid(2), Frame::new(BLOCK, block.clone()));
        sent.err()
    });
    assert_eq!(reset, Some(SendError::Full(kid(2))));
    assert_eq!(one.event().await, Event::Disconnected(kid(2)));
    assert_eq!(one.links.counters().resets, 1);
    // Whoever takes again finds what had arrived, and then the new link.
    let mut last_status = None;
    loop {
        match two.event().await {
            Event::Frame(_, STATUS, bytes) => {
                assert!(last_status < Some(bytes.clone()), "in order");
                last_status = Some(bytes);
            }
            Event::Frame(_, _, _) => {}
            Event::Disconnected(_) => break,
            Event::Connected(_) => panic!("a second link before the first ended"),
        }
    }
    two.until_connected(1).await;
    one.until_connected(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_is_cut_off_and_a_quiet_one_is_not() {
    let quick = |limits: &mut Limits| {
        limits.beat = Duration::from_millis(100);
        limits.silence_max = Duration::from_millis(1_500);
    };
    let mut node = node_with(quick);
    let _silent = raw_link(node.address(), 2, 1).await;
    node.until_connected(2).await;
    assert_eq!(node.event().await, Event::Disconnected(kid(2)));
    let error = node.state(2).last_error;
    assert!(error.is_none_or(|error| error.contains("nothing was heard")));
    let mut both = [
        config(3, vec![peer(4, None)]),
        config(4, vec![peer(3, None)]),
    ];
    both.iter_mut().for_each(|config| quick(&mut config.limits));
    let [one, two] = both;
    let (mut one, mut two) = pair(one, two).await;
    one.quiet(2_500).await;
    two.quiet(1).await;
}
