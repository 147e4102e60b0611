//! Bytes of Hello and frames.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use invoice_core::crypto::Hash;
use proptest::prelude::*;

use super::support::*;
use crate::links::hello::{HELLO_BYTES, Hello, HelloFault, Side, hello_message};
use crate::links::wire::{Assembler, Outgoing, WireFault};
use crate::links::*;

fn put(lane: Lane, frame: &Frame) -> Vec<BytesMut> {
    let mut outgoing = Outgoing::new(lane, frame.clone());
    let mut pieces = Vec::new();
    loop {
        let mut piece = BytesMut::new();
        let last = outgoing.put_piece(&mut piece);
        pieces.push(piece);
        if last {
            return pieces;
        }
    }
}

fn all(bytes: &[u8]) -> Result<Vec<Frame>, WireFault> {
    let mut assembler = Assembler::new(Arc::new(kinds()));
    let mut input = BytesMut::from(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = assembler.next(&mut input)? {
        frames.push(frame);
    }
    Ok(frames)
}

#[test]
fn a_hello_has_these_bytes() {
    let exported = [9; 32];
    let hello = hello(2, 1, genesis(), &exported);
    let bytes = hello.encode();
    assert_eq!(bytes[..2], [0, 1]);
    assert_eq!(bytes[2..34], [7; 32]);
    assert_eq!(bytes[34..50], *kid(2).as_bytes());
    assert_eq!(bytes[50..66], *kid(1).as_bytes());
    assert_eq!(bytes[66..], *hello.signature.as_bytes());
    assert_eq!(Hello::decode(&bytes), Ok(hello));
    let message = hello_message(
        &chain(),
        &genesis(),
        &exported,
        Side::Server,
        &kid(2),
        &kid(1),
    );
    let golden = format!(
        "{}0001{}{}01{}{}",
        hex::encode("piaolian/1/link\ntest-links\n"),
        "07".repeat(32),
        "09".repeat(32),
        kid(2),
        kid(1)
    );
    assert_eq!(hex::encode(message), golden);
}

#[test]
fn a_signature_covers_all_that_a_hello_says() {
    let exported = [9; 32];
    let good = hello(2, 1, genesis(), &exported);
    let wrong = Err(HelloFault::Signature(kid(2)));
    let verify = |hello: &Hello, exported| hello.verify(&chain(), exported, Side::Client, &key(2));
    assert_eq!(verify(&good, &exported), Ok(()));
    assert_eq!(verify(&good, &[8; 32]), wrong);
    let genesis = Hash::new([8; 32]);
    assert_eq!(
        verify(
            &Hello {
                genesis,
                ..good.clone()
            },
            &exported
        ),
        wrong
    );
    assert_eq!(
        verify(
            &Hello {
                to: kid(3),
                ..good.clone()
            },
            &exported
        ),
        wrong
    );
    let other_chain = "other".parse().unwrap();
    assert_eq!(
        good.verify(&other_chain, &exported, Side::Client, &key(2)),
        wrong
    );
    assert_eq!(
        good.verify(&chain(), &exported, Side::Server, &key(2)),
        wrong
    );
    assert_eq!(
        good.verify(&chain(), &exported, Side::Client, &key(3)),
        wrong
    );
    let mut bytes = good.encode();
    bytes[0] = 1;
    assert_eq!(Hello::decode(&bytes), Err(HelloFault::Version(257)));
    assert_eq!(
        Hello::decode(&[0; HELLO_BYTES]),
        Err(HelloFault::Version(0))
    );
}

#[test]
fn a_frame_has_these_bytes() {
    let small = put(Lane::Urgent, &Frame::new(VOTE, "aye"));
    assert_eq!(hex::encode(small.concat()), "010000000301617965");
    let large = Frame::new(BLOCK, vec![5; PIECE_BYTES_MAX + 2]);
    let pieces = put(Lane::Bulk, &large);
    assert_eq!(hex::encode(&pieces[0][..7]), "01000100020205");
    assert_eq!(pieces[0].len(), 6 + PIECE_BYTES_MAX);
    assert_eq!(hex::encode(&pieces[1]), "030505");
    assert_eq!(
        put(Lane::Urgent, &Frame::new(VOTE, vec![1; PIECE_BYTES_MAX])).len(),
        1
    );
    assert_eq!(all(&pieces.concat()), Ok(vec![large]));
}

#[test]
fn pieces_out_of_place_are_faults() {
    let vote = |length: usize| put(Lane::Urgent, &Frame::new(VOTE, vec![0; length])).concat();
    let long = vote(100_000);
    assert_eq!(all(&[0, 0, 0]), Ok(vec![]));
    assert_eq!(all(&[4]), Err(WireFault::Mark(4)));
    assert_eq!(all(&[2]), Err(WireFault::NotBegun));
    assert_eq!(all(&[3]), Err(WireFault::NotBegun));
    let twice = [&long[..6 + PIECE_BYTES_MAX], &vote(1)].concat();
    assert_eq!(all(&twice), Err(WireFault::Unfinished));
    let wrong_lane = [&long[..6 + PIECE_BYTES_MAX], &[3]].concat();
    assert_eq!(all(&wrong_lane), Err(WireFault::NotBegun));
    assert_eq!(all(&[1, 0, 0, 0, 0, 0]), Err(WireFault::Kind(0)));
    let (kind, length, max) = (STATUS, 1_025, 1_024);
    let fault = WireFault::Length { kind, length, max };
    assert_eq!(all(&[1, 0, 0, 4, 1, STATUS]), Err(fault));
}

#[test]
fn a_stated_length_reserves_nothing() {
    let mut assembler = Assembler::new(Arc::new(kinds()));
    let mut input = BytesMut::from(&[1, 0, 0x90, 0, 0, BLOCK][..]);
    assert_eq!(assembler.next(&mut input), Ok(None));
    assert_eq!(assembler.held_bytes(), 0);
    input.extend_from_slice(&vec![0; PIECE_BYTES_MAX]);
    assert_eq!(assembler.next(&mut input), Ok(None));
    assert!(assembler.held_bytes() <= 2 * PIECE_BYTES_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_survive_any_interleaving_and_any_cut(
        sizes in prop::collection::vec((any::<bool>(), 0..200_000_usize), 1..6),
        choices in prop::collection::vec(any::<bool>(), 64),
        cuts in prop::collection::vec(1..70_000_usize, 1..20),
    ) {
        let frames: Vec<(Lane, Frame)> = sizes.iter().enumerate().map(|(n, (urgent, size))| {
            let (lane, kind) = if *urgent { (Lane::Urgent, VOTE) } else { (Lane::Bulk, BLOCK) };
            let fill = u8::try_from(n).unwrap();
            (lane, Frame::new(kind, Bytes::from(vec![fill; *size])))
        }).collect();
        let of = |wanted: Lane| frames.iter().filter(move |(lane, _)| *lane == wanted);
        let pieces = |wanted| of(wanted).flat_map(|(lane, frame)| put(*lane, frame));
        let (mut urgent, mut bulk) = (pieces(Lane::Urgent), pieces(Lane::Bulk));
        let mut bytes = Vec::new();
        for first in choices.iter().cycle() {
            let piece = if *first {
                urgent.next().or_else(|| bulk.next())
            } else {
                bulk.next().or_else(|| urgent.next())
            };
            let Some(piece) = piece else { break };
            bytes.extend_from_slice(&piece);
            bytes.extend_from_slice(if *first { &[0] } else { &[] });
        }
        let mut assembler = Assembler::new(Arc::new(kinds()));
        let (mut input, mut read) = (BytesMut::new(), Vec::new());
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            input.extend_from_slice(now);
            while let Some(frame) = assembler.next(&mut input).unwrap() {
                read.push(frame);
            }
            rest = later;
            if rest.is_empty() { break }
        }
        prop_assert!(input.is_empty());
        prop_assert_eq!(assembler.held_bytes(), 0);
        for (lane, kind) in [(Lane::Urgent, VOTE), (Lane::Bulk, BLOCK)] {
            let read: Vec<_> = read.iter().filter(|frame| frame.kind == kind).collect();
            let sent: Vec<_> = of(lane).map(|(_, frame)| frame).collect();
            prop_assert_eq!(read, sent);
        }
    }
}
