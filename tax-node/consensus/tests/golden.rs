//! The exact bytes of messages and log entries, which old logs and other versions have.

use bytes::Bytes;
use consensus::{
    LOG_ENTRY_BYTES_MAX, LogEntry, MESSAGE_BYTES_MAX, Message, Polka, Proposal, ROUND_MAX,
    RoundChange, RoundChangeReason, RoundVote, Timer, TimerKind, Value, Vote,
};
use invoice_core::chain::VALIDATORS_MAX;
use invoice_core::codec::DecodeError;
use invoice_core::crypto::messages::VoteKind;
use invoice_core::crypto::{Hash, Kid, Signature};

const ID: Hash = Hash::new([0xbb; 32]);

fn kid(byte: u8) -> Kid {
    Kid::new([byte; 16])
}

fn signature() -> Signature {
    Signature::from_bytes(&[0x11; 64]).unwrap()
}

fn vote(kind: VoteKind, block_id: Option<Hash>) -> Vote {
    Vote {
        kind,
        height: 0x102,
        round: 3,
        block_id,
        voter: kid(0xaa),
        signature: signature(),
    }
}

fn proposal(valid_round: Option<u32>) -> Proposal {
    Proposal {
        height: 0x102,
        round: 3,
        block_id: ID,
        valid_round,
        proposer: kid(0xaa),
        signature: signature(),
    }
}

fn polka() -> Polka {
    Polka {
        height: 0x102,
        round: 3,
        block_id: ID,
        signatures: vec![(kid(0xa1), signature()), (kid(0xa2), signature())],
    }
}

fn change(count: usize) -> RoundChange {
    let vote = |n: usize| RoundVote {
        voter: kid(u8::try_from(n).unwrap()),
        kind: VoteKind::Precommit,
        block_id: Some(ID),
        signature: signature(),
    };
    RoundChange {
        height: 0x102,
        round: 3,
        reason: RoundChangeReason::Precommits,
        votes: (0..count).map(vote).collect(),
    }
}

fn value() -> Value {
    Value {
        height: 0x102,
        round: 3,
        valid_round: Some(1),
        proposer: kid(0xaa),
        block_id: ID,
        valid: true,
    }
}

/// Height 0x102 and round 3.
const AT: &str = "000000000000010200000003";

fn pieces() -> [String; 4] {
    [
        "aa".repeat(16),
        "bb".repeat(32),
        "11".repeat(64),
        AT.to_owned(),
    ]
}

#[test]
fn messages_have_these_bytes() {
    let [a, id, sig, at] = pieces();
    let skip = RoundChange {
        reason: RoundChangeReason::Skip,
        votes: vec![RoundVote {
            voter: kid(0xaa),
            kind: VoteKind::Prevote,
            block_id: None,
            signature: signature(),
        }],
        ..change(0)
    };
    let (a1, a2) = ("a1".repeat(16), "a2".repeat(16));
    for (message, golden) in [
        (
            Message::Vote(vote(VoteKind::Prevote, None)),
            format!("0100{at}00{a}{sig}"),
        ),
        (
            Message::Vote(vote(VoteKind::Precommit, Some(ID))),
            format!("0101{at}01{id}{a}{sig}"),
        ),
        (
            Message::Proposal(proposal(None)),
            format!("02{at}{id}00{a}{sig}"),
        ),
        (
            Message::Proposal(proposal(Some(2))),
            format!("02{at}{id}0100000002{a}{sig}"),
        ),
        (
            Message::Polka(polka()),
            format!("03{at}{id}0002{a1}{sig}{a2}{sig}"),
        ),
        (
            Message::RoundChange(skip),
            format!("04{at}000001{a}0000{sig}"),
        ),
        (
            Message::RoundChange(change(1)),
            format!("04{at}010001{}0101{id}{sig}", "00".repeat(16)),
        ),
    ] {
        let bytes = message.encode().unwrap();
        assert_eq!(hex::encode(&bytes), golden);
        assert_eq!((message.height(), message.round()), (0x102, 3));
        assert_eq!(Message::decode(&bytes), Ok(message));
        for end in 0..bytes.len() {
            assert!(Message::decode(&bytes[..end]).is_err());
        }
        let more = [&bytes[..], &[0]].concat();
        assert_eq!(
            Message::decode(&more),
            Err(DecodeError::Trailing { count: 1 })
        );
    }
}

#[test]
fn log_entries_have_these_bytes() {
    let [a, id, sig, at] = pieces();
    let timer = |kind| {
        LogEntry::Elapsed(Timer {
            height: 0x102,
            round: 3,
            kind,
        })
    };
    let (a1, a2) = ("a1".repeat(16), "a2".repeat(16));
    for (entry, golden) in [
        (
            LogEntry::Vote(vote(VoteKind::Precommit, Some(ID))),
            format!("0101{at}01{id}{a}{sig}"),
        ),
        (
            LogEntry::Proposal(proposal(Some(2))),
            format!("02{at}{id}0100000002{a}{sig}"),
        ),
        (
            LogEntry::Polka(polka()),
            format!("03{at}{id}0002{a1}{sig}{a2}{sig}"),
        ),
        (
            LogEntry::Value(value()),
            format!("04{at}0100000001{a}{id}01"),
        ),
        (timer(TimerKind::Propose), format!("05{at}00")),
        (timer(TimerKind::Prevote), format!("05{at}01")),
        (timer(TimerKind::Precommit), format!("05{at}02")),
        (timer(TimerKind::Rebroadcast), format!("05{at}03")),
        (
            LogEntry::Block {
                block_id: ID,
                bytes: Bytes::from_static(b"abc"),
            },
            format!("06{id}00000003616263"),
        ),
    ] {
        let bytes = entry.encode().unwrap();
        assert_eq!(hex::encode(&bytes), golden);
        assert!(bytes.len() <= LOG_ENTRY_BYTES_MAX);
        assert_eq!(LogEntry::decode(&bytes), Ok(entry));
        for end in 0..bytes.len() {
            assert!(LogEntry::decode(&bytes[..end]).is_err());
        }
        assert!(LogEntry::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn a_message_of_everyone_is_the_largest() {
    let bytes = Message::RoundChange(change(VALIDATORS_MAX))
        .encode()
        .unwrap();
    assert_eq!(bytes.len(), MESSAGE_BYTES_MAX);
    assert!(Message::decode(&bytes).is_ok());
    let more = Message::RoundChange(change(VALIDATORS_MAX + 1))
        .encode()
        .unwrap();
    assert_eq!(
        Message::decode(&more),
        Err(DecodeError::TooLarge {
            what: "votes",
            limit: VALIDATORS_MAX
        })
    );
}

#[test]
fn what_no_validator_says_is_not_read() {
    let invalid = |what| Err(DecodeError::Invalid { what });
    let decode = |message: Message| Message::decode(&message.encode().unwrap());
    let good = vote(VoteKind::Prevote, None);
    let at = |height, round| {
        Message::Vote(Vote {
            height,
            round,
            ..good.clone()
        })
    };
    assert!(decode(at(1, ROUND_MAX)).is_ok());
    assert_eq!(decode(at(1, ROUND_MAX + 1)), invalid("round"));
    assert_eq!(decode(at(1, u32::MAX)), invalid("round"));
    assert_eq!(decode(at(0, 0)), invalid("height"));
    for valid_round in [3, 4, u32::MAX] {
        assert!(decode(Message::Proposal(proposal(Some(valid_round)))).is_err());
    }
    let mut twice = polka();
    twice.signatures[1].0 = twice.signatures[0].0;
    assert_eq!(decode(Message::Polka(twice)), invalid("order of voters"));
    let mut backwards = change(2);
    backwards.votes.reverse();
    assert_eq!(
        decode(Message::RoundChange(backwards)),
        invalid("order of voters")
    );
    let mut bytes = Message::Vote(good).encode().unwrap();
    for (place, byte, what) in [
        (0, 0, "kind of message"),
        (0, 5, "kind of message"),
        (1, 2, "kind of vote"),
        (14, 2, "presence of a block id"),
    ] {
        let kept = std::mem::replace(&mut bytes[place], byte);
        assert_eq!(Message::decode(&bytes), invalid(what));
        bytes[place] = kept;
    }
    let end = bytes.len();
    bytes[end - 64..].fill(0);
    assert_eq!(Message::decode(&bytes), invalid("signature"));
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_written_the_same(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400),
        kind in 0_u8..8,
    ) {
        let bytes = [&[kind][..], &bytes].concat();
        if let Ok(message) = Message::decode(&bytes) {
            proptest::prop_assert_eq!(message.encode(), Ok(bytes.clone()));
        }
        if let Ok(entry) = LogEntry::decode(&bytes) {
            proptest::prop_assert_eq!(entry.encode(), Ok(bytes));
        }
    }
}
