//! What arrives on a link between nodes: the Hello of its other end, pieces of frames, and what
//! frames mean.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tax_node::engine::consortium::frames::{self, FrameKind};
use tax_node::links::hello::{HELLO_BYTES, Hello};
use tax_node::links::wire::{Assembler, Outgoing, WireFault};
use tax_node::links::{Frame, KindRule, Kinds, Lane, PIECE_BYTES_MAX, WhenFull};

/// Kind 1 is urgent and short, kind 2 is bulk and long; there is no other.
fn kinds() -> Arc<Kinds> {
    let rule = |lane, bytes_max| KindRule {
        lane,
        bytes_max,
        when_full: WhenFull::Reset,
    };
    Arc::new(Kinds::new([
        (1, rule(Lane::Urgent, 100)),
        (2, rule(Lane::Bulk, 3 * PIECE_BYTES_MAX)),
    ]))
}

pub(crate) fn run(bytes: &[u8]) {
    let Some((chosen, rest)) = super::choice(bytes, 3) else {
        return;
    };
    match chosen {
        0 => hello(rest),
        2 => meaning(rest),
        _ => frames(rest),
    }
}

/// A whole frame as the nodes' agreement reads it: its kind, then its payload.
fn meaning(bytes: &[u8]) {
    let Some((kind, payload)) = bytes.split_first() else {
        return;
    };
    let Some(kind) = FrameKind::from_number(kind & 7) else {
        return;
    };
    let payload = Bytes::copy_from_slice(payload);
    if let Ok(frame) = frames::Frame::decode(kind, &payload) {
        assert_eq!(frame.kind(), kind);
        assert_eq!(frame.encode().as_ref(), Ok(&payload));
    }
}

fn hello(bytes: &[u8]) {
    let Ok(bytes) = <&[u8; HELLO_BYTES]>::try_from(bytes) else {
        return;
    };
    if let Ok(hello) = Hello::decode(bytes) {
        assert_eq!(hello.encode(), *bytes);
    }
}

/// All frames that arrive in portions of these lengths, and what ended them.
fn read(bytes: &[u8], portion: usize) -> (Vec<Frame>, Option<WireFault>) {
    let mut assembler = Assembler::new(kinds());
    let (mut input, mut frames) = (BytesMut::new(), Vec::new());
    let mut arrived = 0;
    for portion in bytes.chunks(portion) {
        input.extend_from_slice(portion);
        arrived += portion.len();
        loop {
            match assembler.next(&mut input) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
        // What is held is what arrived, and never what was announced.
        assert!(assembler.held_bytes() <= 2 * arrived);
    }
    (frames, None)
}

fn frames(bytes: &[u8]) {
    let (frames, fault) = read(bytes, bytes.len().max(1));
    for portion in [1, 2, 7, 1_000] {
        assert_eq!(read(bytes, portion), (frames.clone(), fault));
    }
    // What was read is written and read again.
    let mut again = BytesMut::new();
    for frame in &frames {
        let lane = if frame.kind == 1 {
            Lane::Urgent
        } else {
            Lane::Bulk
        };
        let mut outgoing = Outgoing::new(lane, frame.clone());
        while !outgoing.put_piece(&mut again) {}
    }
    assert_eq!(read(&again, again.len().max(1)), (frames, None));
}
