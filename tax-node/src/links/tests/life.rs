//! Links that break, meet, come back and change.

use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

use super::support::*;
use crate::links::*;

/// A port that was free a moment ago.
async fn free_port() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_killed_is_linked_again_when_it_is_back() {
    let address = free_port().await;
    let (first, second) = in_order(1, 2);
    // Either end may be the one that is killed.
    for (killed, stays) in [(first, second), (second, first)] {
        let mut node = Node::of(stays, vec![peer(killed, Some(address))]);
        let known = vec![peer(stays, None)];
        for _ in 0..3 {
            let mut start = config(killed, known.clone());
            start.listen = Some(address);
            let back = Node::start(start);
            assert_eq!(node.event().await, Event::Connected(kid(killed)));
            node.links
                .send(&kid(killed), Frame::new(VOTE, "still here"))
                .unwrap();
            back.links.stop().await;
            drop(back);
            assert_eq!(node.event().await, Event::Disconnected(kid(killed)));
        }
        node.links.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_connect_at_once_end_with_one_link() {
    for round in 0..10 {
        let addresses = [free_port().await, free_port().await];
        let of = |own: u8, other: u8, at: usize, other_at: usize| {
            let mut config = config(own, vec![peer(other, Some(addresses[other_at]))]);
            config.listen = Some(addresses[at]);
            config.limits.dial_yield = Duration::ZERO;
            Node::start(config)
        };
        let (mut one, mut two) = (of(1, 2, 0, 1), of(2, 1, 1, 0));
        one.until_connected(2).await;
        two.until_connected(1).await;
        // What was made twice is settled; then frames pass and nothing more happens.
        tokio::time::sleep(Duration::from_millis(200)).await;
        until("both are linked", || {
            one.state(2).connected() && two.state(1).connected()
        })
        .await;
        assert_ne!(
            one.state(2).dialled,
            two.state(1).dialled,
            "round {round}: one connection"
        );
        while one.events.try_recv().is_some() {}
        while two.events.try_recv().is_some() {}
        one.links.send(&kid(2), Frame::new(VOTE, "one")).unwrap();
        two.links.send(&kid(1), Frame::new(VOTE, "two")).unwrap();
        assert_eq!(
            two.event().await,
            Event::Frame(kid(1), VOTE, Bytes::from("one"))
        );
        assert_eq!(
            one.event().await,
            Event::Frame(kid(2), VOTE, Bytes::from("two"))
        );
        one.links.stop().await;
        two.links.stop().await;
    }
}

#[tokio::test]
async fn the_newer_of_two_connections_that_one_end_made_is_kept() {
    let mut node = Node::of(1, vec![peer(2, None)]);
    let _given_up = raw_link(node.address(), 2, 1).await;
    assert_eq!(node.event().await, Event::Connected(kid(2)));
    let mut newer = raw_link(node.address(), 2, 1).await;
    assert_eq!(node.event().await, Event::Disconnected(kid(2)));
    assert_eq!(node.event().await, Event::Connected(kid(2)));
    say(&mut newer, &[1, 0, 0, 0, 2, VOTE, b'h', b'i']).await;
    assert_eq!(
        node.event().await,
        Event::Frame(kid(2), VOTE, Bytes::from("hi"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_peers_changes_while_links_run() {
    let (mut one, mut two) = pair(
        config(1, vec![peer(2, None)]),
        config(2, vec![peer(1, None)]),
    )
    .await;
    let mut three = Node::of(3, vec![peer(1, Some(one.address()))]);
    three.quiet(100).await;
    // Three comes in; the link to two stays and learns its new name.
    let mut renamed = peer(2, None);
    renamed.name = "二号".into();
    one.links
        .set_peers(vec![renamed, peer(3, None), peer(1, None)])
        .unwrap();
    assert_eq!(one.event().await, Event::Connected(kid(3)));
    assert_eq!(three.event().await, Event::Connected(kid(1)));
    assert_eq!(one.state(2).name, "二号");
    assert_eq!(one.links.peers().len(), 2, "a node is no peer of its own");
    let frame = Frame::new(STATUS, "all");
    assert_eq!(one.links.broadcast(&frame), Ok(2));
    assert_eq!(one.links.broadcast_to(Role::Supervisor, &frame), Ok(0));
    let all = Event::Frame(kid(1), STATUS, Bytes::from("all"));
    assert_eq!((two.event().await, three.event().await), (all.clone(), all));
    // Two goes out and stays out.
    one.links.set_peers(vec![peer(3, None)]).unwrap();
    assert_eq!(one.event().await, Event::Disconnected(kid(2)));
    assert_eq!(two.event().await, Event::Disconnected(kid(1)));
    until("two is a stranger", || {
        one.links.counters().refused_unknown >= 2
    })
    .await;
    one.quiet(50).await;
    assert!(one.state(3).connected());
    let many: Vec<_> = (0..2_u16).map(|_| peer(4, None)).collect();
    assert_eq!(
        one.links.set_peers(many),
        Ok(()),
        "one key twice is one peer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_frames_arrive_whole_and_in_order_in_both_lanes() {
    const FRAMES: u32 = 10_000;
    let (one, mut two) = pair(
        config(1, vec![peer(2, None)]),
        config(2, vec![peer(1, None)]),
    )
    .await;
    let content = |kind: u8, number: u32| {
        // Now and then a frame of several pieces.
        let length = match (kind, number % 1_000) {
            (VOTE, 999) => 200_000,
            (BLOCK, 500) => 700_000,
            _ => 40 + usize::try_from(number % 97).unwrap(),
        };
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.resize(length, kind ^ number.to_be_bytes()[3]);
        Bytes::from(bytes)
    };
    let links = one.links.clone();
    let sender = tokio::spawn(async move {
        for number in 0..FRAMES {
            for kind in [VOTE, BLOCK] {
                let frame = Frame::new(kind, content(kind, number));
                links.send(&kid(2), frame).unwrap();
            }
            while links.peers()[0].queued_bytes > 1_000_000 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let mut next = [0; 2];
    while next != [FRAMES; 2] {
        let Event::Frame(from, kind, bytes) = two.event().await else {
            panic!("the link broke");
        };
        assert_eq!(from, kid(1));
        let next = &mut next[usize::from(kind - VOTE)];
        assert!(bytes == content(kind, *next), "frame {next} of kind {kind}");
        *next += 1;
    }
    sender.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_overtakes_a_block() {
    let (one, mut two) = pair(
        config(1, vec![peer(2, None)]),
        config(2, vec![peer(1, None)]),
    )
    .await;
    let block = Bytes::from(vec![0; FRAME_BYTES_MAX]);
    for _ in 0..3 {
        one.links
            .send(&kid(2), Frame::new(BLOCK, block.clone()))
            .unwrap();
    }
    one.links.send(&kid(2), Frame::new(VOTE, "aye")).unwrap();
    let mut kinds = Vec::new();
    while kinds.len() < 4 {
        if let Event::Frame(_, kind, _) = two.event().await {
            kinds.push(kind);
        }
    }
    assert_eq!(kinds, [VOTE, BLOCK, BLOCK, BLOCK]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_to_one_key_never_overlap_even_when_it_leaves_and_comes_back() {
    let (mut one, two) = pair(
        config(1, vec![peer(2, None)]),
        config(2, vec![peer(1, None)]),
    )
    .await;
    let address = two.links.local_address();
    for _ in 0..20 {
        one.links.set_peers(Vec::new()).unwrap();
        one.links.set_peers(vec![peer(2, address)]).unwrap();
        assert_eq!(one.event().await, Event::Disconnected(kid(2)));
        assert_eq!(one.event().await, Event::Connected(kid(2)));
    }
}
