//! Catching up: final blocks from peers, verified and executed like any other.

use std::collections::BTreeSet;

use arc_malachitebft_wal::Storage;
use invoice_core::chain::{Block, Certificate, ValidatorSet};
use invoice_core::crypto::{Hash, Kid};

use super::frames::{DecidedBlock, FETCHED_BLOCKS_MAX, FETCHED_BYTES_TARGET, Frame};
use super::participant::{Action, Clock, Participant, Peer};
use super::{Alarm, ConsortiumError};
use crate::engine::{Fault, Replica, Validity};

/// Answers that a peer gets between two ticks of [`Clock::Status`]: what is enough for catching up
/// at any speed and does not keep the thread from voting.
const SERVED_PER_TICK_MAX: u32 = 32;

/// Ticks of [`Clock::Status`] for which a peer is not asked that did not have what it said, or gave
/// no answer: a liar costs this node one question in so long a time.
const DOUBT_TICKS: u32 = 30;

/// A question for blocks that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fetching {
    /// Who was asked.
    pub(super) from: Kid,
    /// The first height that was asked for.
    pub(super) first: u64,
}

impl<A: Replica, S: Storage> Participant<A, S> {
    /// Sees to it that what peers have and this node has not is fetched.
    pub(super) fn notice_lag(&mut self) {
        if self.fetching.is_some() {
            return;
        }
        let height = self.height();
        let believed = self.peers.values().filter(|peer| peer.is_believed());
        let Some(ahead) = believed.map(|peer| peer.height).max() else {
            return;
        };
        if ahead < height {
            return;
        }
        // The votes that decide this height are on their way, most likely.
        if self.is_deciding() && ahead == height {
            if !self.waits_behind {
                self.waits_behind = true;
                self.set(Clock::Behind, self.tuning().grace);
            }
            return;
        }
        self.ask_if_behind();
    }

    /// Asks a peer that is ahead, another one than the last where there is one.
    pub(super) fn ask_if_behind(&mut self) {
        if self.fetching.is_some() {
            return;
        }
        let height = self.height();
        let mut ahead = self.peers_ahead(Peer::is_believed);
        if ahead.is_empty() {
            // One correct peer among those that did not answer must not be lost for ever.
            ahead = self.peers_ahead(Peer::is_doubted);
            if !has_correct(&self.validators, &ahead) {
                return;
            }
            self.believe(&ahead);
        }
        let after_last = |kid: &&Kid| self.last_asked.is_none_or(|last| **kid > last);
        let Some(peer) = ahead.iter().find(after_last).or(ahead.first()).copied() else {
            return;
        };
        self.last_asked = Some(peer);
        self.fetching = Some(Fetching {
            from: peer,
            first: height,
        });
        self.send(peer, Frame::Fetch { from: height });
        self.set(Clock::Fetch, self.tuning().fetch);
    }

    /// Peers that say that they have the next block.
    fn peers_ahead(&self, of: impl Fn(&Peer) -> bool) -> Vec<Kid> {
        let height = self.height();
        let ahead = |(_, peer): &(&Kid, &Peer)| peer.height >= height && of(peer);
        self.peers
            .iter()
            .filter(ahead)
            .map(|(kid, _)| *kid)
            .collect()
    }

    /// A peer has not what it said it has, or does not answer: it cannot hold this node up.
    pub(super) fn doubt(&mut self, peer: &Kid) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.doubted_ticks = DOUBT_TICKS;
        }
    }

    fn believe(&mut self, peers: &[Kid]) {
        for kid in peers {
            if let Some(peer) = self.peers.get_mut(kid) {
                peer.doubted_ticks = 0;
            }
        }
    }

    /// Answers a peer that is behind.
    pub(super) fn serve(&mut self, peer: Kid, first: u64) -> Result<(), ConsortiumError> {
        let Some(asking) = self.peers.get_mut(&peer) else {
            return Ok(());
        };
        asking.served = asking.served.saturating_add(1);
        if asking.served > SERVED_PER_TICK_MAX {
            return Ok(());
        }
        let blocks =
            self.application
                .decided_from(first, FETCHED_BYTES_TARGET, FETCHED_BLOCKS_MAX)?;
        self.send(peer, Frame::Blocks(blocks));
        Ok(())
    }

    /// Takes blocks that were asked for.
    pub(super) fn fetched(
        &mut self,
        peer: Kid,
        blocks: Vec<DecidedBlock>,
    ) -> Result<(), ConsortiumError> {
        let Some(asked) = self.fetching.take_if(|asked| asked.from == peer) else {
            return Ok(());
        };
        self.actions.push(Action::Stop(Clock::Fetch));
        if blocks.is_empty() && asked.first == self.height() {
            // It has not what it said it has, or no longer: somebody else is asked next.
            self.doubt(&peer);
            return Ok(());
        }
        for decided in blocks {
            if !self.follow(peer, &decided)? {
                break;
            }
        }
        Ok(())
    }

    /// Takes one final block; `false` when what follows it is of no use.
    fn follow(&mut self, peer: Kid, decided: &DecidedBlock) -> Result<bool, ConsortiumError> {
        let read = Block::decode(&decided.block)
            .ok()
            .zip(Certificate::decode(&decided.certificate).ok());
        let Some((block, certificate)) = read else {
            self.actions
                .push(Action::Cut(peer, "blocks that cannot be read"));
            return Ok(false);
        };
        let height = self.height();
        if block.header.height < height {
            // Decided here in the meantime.
            return Ok(true);
        }
        let chain = self.application.chain_id().clone();
        let proven = block.header.height == height
            && certificate.height == height
            && certificate.block_id == block.header.id()
            && (certificate.verify(self.validators(), &chain).is_ok()
                || self.planted.has(Fault::CertificateOfAThird)
                    && is_of_a_third(&certificate, self.validators()));
        if !proven {
            self.actions
                .push(Action::Cut(peer, "a block that is not final"));
            return Ok(false);
        }
        match self.application.check_final(&block)? {
            Validity::Valid => {
                // What the height's log does not hold must not be said later.
                self.leave()?;
                self.commit(block, certificate)?;
                Ok(true)
            }
            Validity::Invalid { reason, proven } => {
                let block_id = certificate.block_id;
                if !proven && !self.is_refuted(peer, block_id) {
                    let why = "a final block with another body than was signed";
                    self.actions.push(Action::Cut(peer, why));
                    return Ok(false);
                }
                // A quorum signed what does not follow from the rules, or this node's own state or
                // program is wrong. Either way it must not go on, and people must know.
                self.actions.push(Action::Raise(Alarm::Disagreement {
                    height,
                    block_id,
                    reason: reason.clone(),
                }));
                Err(ConsortiumError::Disagreement { height, reason })
            }
        }
    }

    /// Takes note that a body of a final block does not execute, which may be the fault of who gave
    /// it. `true` once more than a third of the validators gave such bodies: one of them is correct.
    fn is_refuted(&mut self, peer: Kid, block_id: Hash) -> bool {
        self.refuted.take_if(|(id, _)| *id != block_id);
        let empty = || (block_id, BTreeSet::new());
        let (_, givers) = self.refuted.get_or_insert_with(empty);
        givers.insert(peer);
        has_correct(&self.validators, givers.iter())
    }
}

/// Whether more than a third of the validators are among them: one of them is correct.
fn has_correct<'k>(validators: &ValidatorSet, kids: impl IntoIterator<Item = &'k Kid>) -> bool {
    let among = kids.into_iter().filter_map(|kid| validators.get(kid));
    let weight = among.map(|one| u128::from(one.weight)).sum::<u128>();
    weight.saturating_mul(3) > u128::from(validators.total_weight())
}

/// What a planted fault takes for final.
fn is_of_a_third(certificate: &Certificate, validators: &ValidatorSet) -> bool {
    let signed = certificate.signatures.iter();
    let weights = signed
        .filter_map(|(kid, _)| validators.get(kid))
        .map(|one| one.weight);
    weights.fold(0, u64::saturating_add) > validators.total_weight() / 3
}
