//! What two good nodes can rely on.

use std::time::Duration;

use bytes::Bytes;

use super::support::*;
use crate::links::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_pair_exchanges_frames_both_ways() {
    let (mut one, mut two) = pair(
        config(1, vec![peer(2, None)]),
        config(2, vec![peer(1, None)]),
    )
    .await;
    one.links.send(&kid(2), Frame::new(VOTE, "aye")).unwrap();
    two.links.send(&kid(1), Frame::new(BLOCK, "")).unwrap();
    let aye = Event::Frame(kid(1), VOTE, Bytes::from("aye"));
    assert_eq!(two.event().await, aye);
    assert_eq!(one.event().await, Event::Frame(kid(2), BLOCK, Bytes::new()));
    let state = one.state(2);
    assert!(state.connected() && !state.dialled && two.state(1).dialled);
    // What was sent is counted after it was, so the other one may have it before.
    let counted = async {
        while one.state(2).bytes_in < 6 || one.state(2).bytes_out < 9 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.unwrap();
    assert_eq!(one.links.counters().connected, 1);
    one.links.stop().await;
    assert_eq!(one.events.recv().await, Some(Event::Disconnected(kid(2))));
    assert_eq!(one.events.recv().await, None);
    assert_eq!(two.event().await, Event::Disconnected(kid(1)));
    let gone = two.links.send(&kid(1), Frame::new(VOTE, "?"));
    assert_eq!(gone, Err(SendError::NotConnected(kid(1))));
    two.links.stop().await;
}
