//! One real node without a network, told by hand what peers say.

use std::sync::Arc;

use bytes::Bytes;
use consensus::{Message, Vote};
use invoice_api::registry::Submission;
use invoice_core::calendar::Instant;
use invoice_core::chain::{Block, Certificate};
use invoice_core::crypto::messages::VoteKind;
use invoice_core::crypto::{Hash, Kid, Signature};
use tax_node::engine::Planted;
use tax_node::engine::consortium::frames::{DecidedBlock, Frame, ProposedBlock};
use tax_node::engine::consortium::{Action, Clock, Event};
use tax_node::node::simulated::{SimulatedConfig, SimulatedDisk, SimulatedNode};

use crate::cast::{BEGIN_MS, SUPERVISOR, beginning, kid, records, signer, validator_key};
use crate::plan::Plan;

/// More than any chain has.
const HUGE: u64 = 1 << 62;

/// Ticks for which a peer is doubted.
const DOUBT_TICKS: u32 = 30;

/// A node of a chain of four validators.
struct Alone {
    node: SimulatedNode,
    own: usize,
}

impl Alone {
    fn new(own: usize) -> Self {
        let beginning = beginning(4);
        let plan = Plan::calm(0, 4);
        let config = SimulatedConfig {
            genesis: beginning.genesis.clone(),
            signer: signer(validator_key(own, false)),
            clock: Arc::new(|| Instant::from_ms(BEGIN_MS)),
            timeouts: plan.timeouts,
            tuning: plan.tuning,
            restored: None,
            planted: Planted::with(None),
        };
        let disk = SimulatedDisk::new(beginning.image.clone());
        let (mut node, _) = SimulatedNode::open(&disk, &config).unwrap();
        node.start().unwrap();
        Self { node, own }
    }

    fn handle(&mut self, event: Event) -> Vec<Action> {
        let mut actions = self.node.handle(event).unwrap();
        while self.node.turn() {
            actions.extend(self.node.handle(Event::Records).unwrap());
        }
        actions
    }

    fn hear(&mut self, from: Kid, frame: Frame) -> Vec<Action> {
        self.handle(Event::Received(from, frame))
    }

    fn others(&self) -> impl Iterator<Item = Kid> + use<> {
        let own = self.own;
        (0..4).filter(move |other| *other != own).map(voter)
    }

    /// The other validators come, as high as this node.
    fn connect(&mut self) {
        for peer in self.others() {
            self.handle(Event::Connected(peer));
            self.hear(peer, Frame::Status { height: 0 });
        }
    }

    fn greet(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        for peer in self.others() {
            actions.extend(self.hear(peer, Frame::LastWord(None)));
        }
        actions
    }

    /// The supervisor comes and says how high it is.
    fn boast(&mut self) -> Vec<Action> {
        let supervisor = kid(SUPERVISOR);
        let mut actions = self.handle(Event::Connected(supervisor));
        actions.extend(self.hear(supervisor, Frame::Status { height: HUGE }));
        actions
    }
}

fn voter(validator: usize) -> Kid {
    kid(validator_key(validator, false))
}

/// Who is asked for blocks.
fn asked(actions: &[Action]) -> Vec<Kid> {
    let mut asked = Vec::new();
    for action in actions {
        if let Action::Send(peers, Frame::Fetch { .. }) = action {
            asked.extend(peers);
        }
    }
    asked
}

fn begins(actions: &[Action]) -> bool {
    let machine = |action: &Action| matches!(action, Action::Set(Clock::Machine(_), _));
    actions.iter().any(machine)
}

fn doubted(actions: &[Action]) -> bool {
    let doubt =
        |action: &Action| matches!(action, Action::Doubt(peer, _) if *peer == kid(SUPERVISOR));
    actions.iter().any(doubt)
}

/// Whether a vote for a block is sent.
fn votes_for(actions: &[Action], id: Hash) -> bool {
    let vote = |action: &Action| matches!(action, Action::Send(_, Frame::Consensus(Message::Vote(vote))) if vote.block_id == Some(id));
    actions.iter().any(vote)
}

/// The first proposer, its proposal and its block.
fn proposal() -> (usize, Message, ProposedBlock) {
    let mut found = (0..4).filter_map(|own| {
        let mut alone = Alone::new(own);
        alone.connect();
        alone.greet();
        let mut actions = alone.handle(Event::Elapsed(Clock::Heartbeat));
        actions.extend(alone.handle(Event::Elapsed(Clock::Propose)));
        let (mut message, mut block) = (None, None);
        for action in actions {
            if let Action::Send(_, Frame::Consensus(own @ Message::Proposal(_))) = action {
                message = Some(own);
            } else if let Action::Send(_, Frame::Block(own)) = action {
                block = Some(own);
            }
        }
        Some((own, message?, block?))
    });
    found.next().unwrap()
}

#[test]
fn one_peer_that_boasts_does_not_keep_a_node_from_beginning() {
    let mut alone = Alone::new(0);
    alone.connect();
    alone.greet();
    assert_eq!(asked(&alone.boast()), [kid(SUPERVISOR)]);
    assert!(begins(&alone.handle(Event::Elapsed(Clock::Heartbeat))));
}

#[test]
fn more_than_a_third_of_the_weight_does() {
    let mut alone = Alone::new(0);
    alone.connect();
    alone.greet();
    for peer in alone.others().take(2) {
        alone.hear(peer, Frame::Status { height: 7 });
    }
    assert!(!begins(&alone.handle(Event::Elapsed(Clock::Heartbeat))));
}

#[test]
fn a_height_is_believed_on_more_than_a_third_of_the_weight() {
    let mut alone = Alone::new(0);
    alone.connect();
    alone.boast();
    let others: Vec<Kid> = alone.others().collect();
    let mut stated = |peer, height, due| {
        alone.hear(peer, Frame::Status { height });
        assert_eq!(alone.node.peers_and_highest(), (4, due), "{height}");
    };
    stated(others[0], 9, 0);
    stated(others[1], 7, 7);
    stated(others[2], 8, 8);
    stated(others[2], HUGE, 9);
}

#[test]
fn an_answer_without_the_next_block_is_a_reason_for_doubt() {
    let (_, _, block) = proposal();
    let mut old = Block::decode(&block.bytes).unwrap();
    old.header.height = 0;
    let certificate = Certificate::new(0, 0, old.header.id(), Vec::new());
    let old = DecidedBlock {
        block: old.encode().unwrap().into(),
        certificate: certificate.encode().unwrap().into(),
    };
    for answer in [vec![old], Vec::new()] {
        let mut alone = Alone::new(0);
        assert_eq!(asked(&alone.boast()), [kid(SUPERVISOR)]);
        let actions = alone.hear(kid(SUPERVISOR), Frame::Blocks(answer));
        assert!(doubted(&actions));
        assert_eq!(asked(&actions), []);
    }
}

/// An envelope as a node forwards it.
fn forwarded(submission: Submission) -> Bytes {
    let envelopes = (0..4).find_map(|own| {
        let mut alone = Alone::new(own);
        alone.connect();
        let _ = alone.node.submit(submission.clone());
        let actions = alone.handle(Event::Records);
        actions.into_iter().find_map(|action| {
            let Action::Send(_, Frame::Envelopes(envelopes)) = action else {
                return None;
            };
            Some(envelopes)
        })
    });
    envelopes.unwrap().remove(0)
}

#[test]
fn what_peers_forward_takes_no_room_of_this_nodes_members() {
    let papers = &records().papers;
    let mut alone = Alone::new(0);
    alone.connect();
    // In the names of as many members as fill the queue, from all peers.
    for paper in papers.iter().take(3) {
        for submission in [&paper.issue, &paper.locks[0], &paper.locks[1]] {
            let envelope = forwarded(submission.clone());
            for peer in alone.others() {
                let frame = Frame::Envelopes(vec![envelope.clone(); 20_000]);
                alone.node.handle(Event::Received(peer, frame)).unwrap();
            }
        }
    }
    let mut answers = alone.node.submit(papers[5].issue.clone());
    assert_eq!(answers.poll(), None, "it waits");
}

#[test]
fn a_member_whose_lane_is_full_drops_nothing_of_others_in_the_frame() {
    let (proposer, ..) = proposal();
    let papers = &records().papers;
    let many = forwarded(papers[0].issue.clone());
    let one = forwarded(papers[1].issue.clone());
    let mut alone = Alone::new(proposer);
    alone.connect();
    let from = alone.others().next().unwrap();
    let mut envelopes = vec![many; 20_000];
    envelopes.push(one);
    let mut actions = alone.hear(from, Frame::Envelopes(envelopes));
    actions.extend(alone.greet());
    actions.extend(alone.handle(Event::Elapsed(Clock::Propose)));
    let block = actions.iter().find_map(|action| {
        let Action::Send(_, Frame::Block(block)) = action else {
            return None;
        };
        Some(Block::decode(&block.bytes).unwrap())
    });
    assert_eq!(block.unwrap().header.count, 2);
}

/// What a peer does that was asked, and comes again.
fn is_asked_after_doubt(leaves: &[Event]) {
    let mut alone = Alone::new(0);
    assert_eq!(asked(&alone.boast()), [kid(SUPERVISOR)]);
    let mut doubt = false;
    for event in leaves {
        let actions = alone.handle(event.clone());
        doubt |= doubted(&actions);
        assert_eq!(asked(&actions), []);
    }
    assert!(doubt);
    for tick in 1..DOUBT_TICKS {
        // It may come as often as it likes.
        alone.handle(Event::Disconnected(kid(SUPERVISOR)));
        assert_eq!(asked(&alone.boast()), [], "{tick}");
        let actions = alone.handle(Event::Elapsed(Clock::Status));
        assert_eq!(asked(&actions), [], "{tick}");
    }
    let actions = alone.handle(Event::Elapsed(Clock::Status));
    assert_eq!(asked(&actions), [kid(SUPERVISOR)]);
}

#[test]
fn doubt_outlives_the_link() {
    let left = Event::Disconnected(kid(SUPERVISOR));
    is_asked_after_doubt(&[Event::Elapsed(Clock::Fetch), left.clone()]);
    is_asked_after_doubt(&[left]);
}

#[test]
fn nobody_takes_the_proposers_place_before_the_first_height_begins() {
    let (proposer, message, block) = proposal();
    let own = (0..4).find(|other| *other != proposer).unwrap();
    let mut alone = Alone::new(own);
    alone.connect();
    alone.greet();
    let other = alone.others().find(|other| *other != voter(proposer));
    let other = other.unwrap();
    for round in 0..3 {
        let false_block = ProposedBlock {
            proposer: other,
            round,
            block_id: Hash::new([9; 32]),
            ..block.clone()
        };
        // In the rounds in which it is its turn it may.
        let actions = alone.hear(other, Frame::Block(false_block));
        assert!(round > 0 || !begins(&actions), "{round}");
    }
    let id = block.block_id;
    let mut actions = alone.hear(voter(proposer), Frame::Block(block));
    actions.extend(alone.hear(voter(proposer), Frame::Consensus(message)));
    assert!(votes_for(&actions, id));
}

#[test]
fn one_validator_does_not_take_the_places_of_all_early_messages() {
    let (proposer, message, block) = proposal();
    let own = (0..4).find(|other| *other != proposer).unwrap();
    let mut alone = Alone::new(own);
    alone.connect();
    let other = alone.others().find(|other| *other != voter(proposer));
    let junk = Vote {
        kind: VoteKind::Prevote,
        height: 1,
        round: 0,
        block_id: None,
        voter: other.unwrap(),
        signature: Signature::from_bytes(&[1; 64]).unwrap(),
    };
    for _ in 0..2_000 {
        let junk = Message::Vote(junk.clone());
        alone.hear(other.unwrap(), Frame::Consensus(junk));
    }
    let id = block.block_id;
    alone.hear(voter(proposer), Frame::Consensus(message));
    alone.hear(voter(proposer), Frame::Block(block));
    assert!(votes_for(&alone.greet(), id));
}
