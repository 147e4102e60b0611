//! What a validator has to hear before it signs anything.
//!
//! A disk can go back in time: somebody restores a backup, or a snapshot of a virtual machine. A
//! validator that then signs at a height at which it signed before may contradict itself. So on
//! every link each side first shows the last vote or proposal that it has of the other, signed by
//! the other itself and therefore beyond doubt. A validator begins only when peers that make up a
//! quorum with it have greeted, and at heights up to the newest word of its own that it does not
//! remember it signs nothing.
//!
//! What nobody of that quorum has seen cannot have made a difference together with them; the rest
//! counts, like any fault, against the third of the weight that the agreement bears.
//!
//! A node that knows that its disk went back, because the command that restored it left a mark, can
//! do better: it signs nothing before a block is final whose time lies after its first start. All
//! that it signed before is at lower heights.

use std::collections::{BTreeMap, BTreeSet};

use consensus::{LogEntry, Message};
use invoice_core::calendar::Instant;
use invoice_core::chain::{ChainId, ValidatorSet};
use invoice_core::crypto::messages::{VoteKind, proposal_message, vote_message};
use invoice_core::crypto::{Kid, PublicKey};

use crate::engine::CLOCK_SKEW_MAX_MS;

/// How far after the first start since its disk went back a block's time must lie for this node to
/// sign after it: a block may be so far ahead of the clocks that accepted it, those clocks wrong by
/// as much, and this node's own.
const RESTORED_SLACK_MS: i64 = 3 * CLOCK_SKEW_MAX_MS;

/// How far a validator got: height, round, and proposal (0), prevote (1) or precommit (2).
type Place = (u64, u32, u8);

/// Greetings, given and heard.
#[derive(Debug)]
pub(super) struct Greeting {
    own: Kid,
    /// The key itself: it may have signed at heights whose validators are not known yet.
    key: PublicKey,
    /// The last vote or proposal of each validator, verified.
    words: BTreeMap<Kid, Message>,
    heard: BTreeSet<Kid>,
    /// Once a quorum has greeted, that is that.
    done: bool,
    /// The highest height at which this node may have signed what it does not remember.
    forbidden: u64,
    /// When it first started after its disk went back in time, as far as it knows.
    restored: Option<Instant>,
}

impl Greeting {
    pub(super) fn new(key: PublicKey) -> Self {
        Self {
            own: key.kid(),
            key,
            words: BTreeMap::new(),
            heard: BTreeSet::new(),
            done: false,
            forbidden: 0,
            restored: None,
        }
    }

    /// Whether an entry is a vote or a proposal of this node itself.
    pub(super) fn is_own(&self, entry: &LogEntry) -> bool {
        match entry {
            LogEntry::Vote(vote) => vote.voter == self.own,
            LogEntry::Proposal(proposal) => proposal.proposer == self.own,
            LogEntry::Polka(_)
            | LogEntry::Value(_)
            | LogEntry::Elapsed(_)
            | LogEntry::Block { .. } => false,
        }
    }

    /// Takes note of a verified vote or proposal in the log.
    pub(super) fn note(&mut self, entry: &LogEntry) {
        let message = match entry {
            LogEntry::Vote(vote) => Message::Vote(vote.clone()),
            LogEntry::Proposal(proposal) => Message::Proposal(proposal.clone()),
            LogEntry::Polka(_)
            | LogEntry::Value(_)
            | LogEntry::Elapsed(_)
            | LogEntry::Block { .. } => return,
        };
        let Some((whose, place)) = place_of(&message) else {
            return;
        };
        let last = self.words.get(&whose).and_then(place_of);
        if last.is_none_or(|(_, last)| last < place) {
            self.words.insert(whose, message);
        }
    }

    /// The last vote or proposal that this node has of a peer.
    pub(super) fn last_word_of(&self, peer: &Kid) -> Option<Message> {
        self.words.get(peer).cloned()
    }

    /// A peer greets, with the last word that it has of this node.
    pub(super) fn heard(&mut self, from: Kid, word: Option<&Message>, chain: &ChainId) {
        self.heard.insert(from);
        let Some((word, (whose, place))) = word.and_then(|word| Some((word, place_of(word)?)))
        else {
            return;
        };
        let known = self.words.get(&self.own).and_then(place_of);
        if whose != self.own || known.is_some_and(|(_, known)| place <= known) {
            return;
        }
        let (message, signature) = match word {
            Message::Vote(vote) => {
                let (round, id) = (i64::from(vote.round), vote.block_id.as_ref());
                let message = vote_message(chain, vote.kind, vote.height, round, id, &vote.voter);
                (message, &vote.signature)
            }
            Message::Proposal(own) => {
                let (id, valid_round) = (&own.block_id, own.valid_round);
                let message =
                    proposal_message(chain, own.height, own.round, id, valid_round, &whose);
                (message, &own.signature)
            }
            Message::Polka(_) | Message::RoundChange(_) => return,
        };
        if self.key.verify(&message, signature) {
            self.forbidden = self.forbidden.max(word.height());
        }
    }

    /// A peer left before the greetings were complete.
    pub(super) fn left(&mut self, peer: &Kid) {
        self.heard.remove(peer);
    }

    /// Whether enough have greeted.
    pub(super) fn is_done(&mut self, validators: &ValidatorSet) -> bool {
        let weight_of = |kid: &Kid| validators.get(kid).map_or(0, |validator| validator.weight);
        let weight = self
            .heard
            .iter()
            .chain([&self.own])
            .map(weight_of)
            .fold(0, u64::saturating_add);
        self.done |= validators.is_quorum(weight);
        self.done
    }

    /// This node's disk went back in time before it started at this moment.
    pub(super) const fn restored(&mut self, at: Instant) {
        self.restored = Some(at);
    }

    /// Whether this node must not sign at a height after a block of this time. A mark of a restored
    /// disk does not silence a validator that is a quorum by itself: nobody else could make a block.
    pub(super) fn forbids(&self, height: u64, last: Instant, validators: &ValidatorSet) -> bool {
        let is_old = |restored: Instant| {
            let fresh = restored.checked_add_ms(RESTORED_SLACK_MS);
            fresh.is_none_or(|fresh| last <= fresh)
        };
        let weight = validators.get(&self.own).map_or(0, |own| own.weight);
        height <= self.forbidden
            || (self.restored.is_some_and(is_old) && !validators.is_quorum(weight))
    }
}

/// Whose word it is, and how far that validator got with it.
fn place_of(message: &Message) -> Option<(Kid, Place)> {
    match message {
        Message::Proposal(own) => Some((own.proposer, (own.height, own.round, 0))),
        Message::Vote(vote) => {
            let step = match vote.kind {
                VoteKind::Prevote => 1,
                VoteKind::Precommit => 2,
            };
            Some((vote.voter, (vote.height, vote.round, step)))
        }
        Message::Polka(_) | Message::RoundChange(_) => None,
    }
}
