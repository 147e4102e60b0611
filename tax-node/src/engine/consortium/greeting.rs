//! What a validator has to hear before it signs anything.
//!
//! A disk can go back in time: somebody restores a backup, or a snapshot of a virtual machine. A
//! validator that then signs at a height at which it signed before may contradict itself. So on
//! every link each side first shows the last vote that it has of the other, signed by the other
//! itself and therefore beyond doubt. A validator begins only when peers that make up a quorum with
//! it have greeted, and at heights up to the newest vote that it does not remember it signs nothing.
//!
//! What nobody of that quorum has seen cannot have made a difference together with them; the rest
//! counts, like any fault, against the third of the weight that the agreement bears.

use std::collections::{BTreeMap, BTreeSet};

use consensus::{LogEntry, Vote};
use invoice_core::chain::{ChainId, ValidatorSet};
use invoice_core::crypto::Kid;
use invoice_core::crypto::messages::vote_message;

/// How far a voter got: height, round, and prevote (0) or precommit (1).
type Place = (u64, u32, u8);

/// Greetings, given and heard.
#[derive(Debug)]
pub(super) struct Greeting {
    own: Kid,
    /// The last vote of each validator, verified.
    votes: BTreeMap<Kid, Vote>,
    heard: BTreeSet<Kid>,
    /// Once a quorum has greeted, that is that.
    done: bool,
    /// The highest height at which this node may have signed what it does not remember.
    forbidden: u64,
}

impl Greeting {
    pub(super) const fn new(own: Kid) -> Self {
        Self {
            own,
            votes: BTreeMap::new(),
            heard: BTreeSet::new(),
            done: false,
            forbidden: 0,
        }
    }

    /// Takes note of a verified vote in the log.
    pub(super) fn note(&mut self, entry: &LogEntry) {
        let LogEntry::Vote(vote) = entry else {
            return;
        };
        let place = place_of(vote);
        let last = self.votes.get(&vote.voter);
        if last.is_none_or(|last| place_of(last) < place) {
            self.votes.insert(vote.voter, vote.clone());
        }
    }

    /// The last vote that this node has of a peer.
    pub(super) fn last_vote_of(&self, peer: &Kid) -> Option<Vote> {
        self.votes.get(peer).cloned()
    }

    /// A peer greets, with the last vote that it has of this node.
    pub(super) fn heard(
        &mut self,
        from: Kid,
        vote: Option<&Vote>,
        chain: &ChainId,
        validators: &ValidatorSet,
    ) {
        self.heard.insert(from);
        let Some(vote) = vote.filter(|vote| vote.voter == self.own) else {
            return;
        };
        let known = self.votes.get(&self.own).map(place_of);
        if known.is_some_and(|known| place_of(vote) <= known) {
            return;
        }
        let signed = validators.get(&self.own).is_some_and(|own| {
            let message = vote_message(
                chain,
                vote.kind,
                vote.height,
                i64::from(vote.round),
                vote.block_id.as_ref(),
                &vote.voter,
            );
            own.public_key.verify(&message, &vote.signature)
        });
        if signed {
            self.forbidden = self.forbidden.max(vote.height);
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

    /// Whether this node must not sign at a height.
    pub(super) const fn forbids(&self, height: u64) -> bool {
        height <= self.forbidden
    }
}

const fn place_of(vote: &Vote) -> Place {
    (vote.height, vote.round, vote.kind as u8)
}
