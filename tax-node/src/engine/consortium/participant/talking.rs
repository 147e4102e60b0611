//! What a node says to others, and to whom it passes records.

use std::time::Duration;

use arc_malachitebft_wal::Storage;
use consensus::Message;
use invoice_core::chain::ValidatorSet;
use invoice_core::crypto::Kid;

use super::{Action, Clock, Participant, Stage};
use crate::engine::Replica;
use crate::engine::consortium::Tuning;
use crate::engine::consortium::frames::{Frame, ProposedBlock};

impl<A: Replica, S: Storage> Participant<A, S> {
    /// Passes waiting envelopes of this node's members to whoever proposes next.
    pub(super) fn forward(&mut self) {
        let height = self.height();
        let turn = match self.stage {
            Stage::Deciding if self.proposals.is_proposed(self.machine.round()) => {
                (height.saturating_add(1), 0)
            }
            Stage::Deciding => (height, self.machine.round()),
            Stage::Resting => (height, 0),
        };
        let mut proposer = self.machine.proposer(turn.0, turn.1);
        if !self.votes() {
            // A node without a vote begins no round, and so never sees the turn pass on from a
            // proposer that is away.
            proposer = proposer.filter(|one| self.peers.contains_key(one));
        }
        let Some(proposer) = proposer.or_else(|| self.any_validator()) else {
            return;
        };
        if proposer == self.kid || !self.peers.contains_key(&proposer) {
            return;
        }
        self.forwarding.now(turn);
        while let Some((after, up_to)) = self.forwarding.next() {
            let (envelopes, last) = self.application.waiting_envelopes(after, up_to);
            self.forwarding.sent(turn, last);
            if envelopes.is_empty() {
                continue;
            }
            self.send(proposer, Frame::Envelopes(envelopes));
        }
    }

    /// A validator that a node which follows passes records to when it has no link to the one
    /// whose turn it is.
    pub(super) fn any_validator(&self) -> Option<Kid> {
        let mut validators = self.peers.keys();
        validators
            .find(|peer| self.validators.get(peer).is_some())
            .copied()
    }

    /// Sends the bytes of a block along with its first proposal in a round.
    pub(super) fn send_own_block(&mut self, message: &Message) {
        if let Message::Proposal(proposal) = message
            && proposal.proposer == self.kid
            && self.proposals.propose(proposal.round)
            && let Some((bytes, hints)) = self.proposals.block(&proposal.block_id)
        {
            self.broadcast_block(ProposedBlock {
                height: proposal.height,
                round: proposal.round,
                valid_round: proposal.valid_round,
                proposer: self.kid,
                block_id: proposal.block_id,
                bytes,
                hints,
            });
        }
    }

    pub(super) fn broadcast_block(&mut self, block: ProposedBlock) {
        self.tell_validators(Frame::Block(block));
    }

    pub(super) fn tell_validators(&mut self, frame: Frame) {
        let voters = self
            .peers
            .keys()
            .filter(|peer| self.validators.get(peer).is_some());
        let voters = voters.copied().collect();
        self.actions.push(Action::Send(voters, frame));
    }

    pub(super) fn tell_height(&mut self) {
        let height = self.last_height();
        let peers = self.peers.keys().copied().collect();
        self.actions
            .push(Action::Send(peers, Frame::Status { height }));
    }

    pub(in crate::engine::consortium) fn send(&mut self, peer: Kid, frame: Frame) {
        self.actions.push(Action::Send(vec![peer], frame));
    }

    pub(in crate::engine::consortium) fn set(&mut self, clock: Clock, after: Duration) {
        self.actions.push(Action::Set(clock, after));
    }

    pub(in crate::engine::consortium) fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    pub(in crate::engine::consortium) const fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    pub(in crate::engine::consortium) fn is_deciding(&self) -> bool {
        self.stage == Stage::Deciding
    }

    /// Whether this node has a vote at the next height.
    pub(in crate::engine::consortium) fn votes(&self) -> bool {
        self.validators.get(&self.kid).is_some()
    }
}
