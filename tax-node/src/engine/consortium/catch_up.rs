//! Catching up: final blocks from peers, verified and executed like any other.

use std::collections::BTreeSet;

use arc_malachitebft_wal::Storage;
use invoice_core::chain::{Block, Certificate, ValidatorSet};
use invoice_core::crypto::{Hash, Kid};

use super::frames::{DecidedBlock, FETCHED_BLOCKS_MAX, FETCHED_BYTES_TARGET, Frame};
use super::participant::{Action, Clock, Participant};
use super::{Alarm, ConsortiumError};
use crate::engine::{Fault, Replica, Validity};

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
        let peers = self.peers.iter();
        let believed = peers.filter(|(kid, _)| !self.doubts.is_doubted(kid));
        let Some(ahead) = believed.map(|(_, peer)| peer.height).max() else {
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
        let mut ahead = self.peers_ahead();
        if ahead.iter().all(|peer| self.doubts.is_doubted(peer)) {
            // One correct peer among those that did not answer must not be lost for ever.
            if !has_correct(&self.validators, &ahead) {
                return;
            }
            self.doubts.believe(&ahead);
        }
        ahead.retain(|peer| !self.doubts.is_doubted(peer));
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

    /// Whether this node had better wait for the blocks that it asked for than begin a height.
    ///
    /// One peer's word is not enough: it would keep this node from voting for as long as it likes
    /// to state a height and give nothing.
    pub(super) fn waits_for_blocks(&self) -> bool {
        self.fetching.is_some()
            && (self.follows || has_correct(&self.validators, &self.peers_ahead()))
    }

    /// The highest block that peers with more than a third of the weight say they have.
    pub(super) fn highest_believed(&self) -> u64 {
        let mut heights: Vec<u64> = self.peers.values().map(|peer| peer.height).collect();
        heights.sort_unstable();
        let stated = |height: &u64| {
            let peers = self.peers.iter().filter(|(_, peer)| peer.height >= *height);
            has_correct(&self.validators, peers.map(|(kid, _)| kid))
        };
        heights.into_iter().rev().find(stated).unwrap_or_default()
    }

    /// Peers that say that they have the next block.
    fn peers_ahead(&self) -> Vec<Kid> {
        let height = self.height();
        let ahead = self.peers.iter().filter(|(_, peer)| peer.height >= height);
        ahead.map(|(kid, _)| *kid).collect()
    }

    /// A peer has not what it said it has, or does not give it: it cannot hold this node up.
    pub(super) fn doubt(&mut self, peer: Kid, why: &'static str) {
        self.follows = false;
        let stated = self.peers.get(&peer).map_or(0, |peer| peer.height);
        if self.doubts.doubt(peer, stated) {
            self.actions.push(Action::Doubt(peer, why));
        }
    }

    /// Cuts the link to a peer whose answer no correct node gives.
    fn cut(&mut self, peer: Kid, why: &'static str) {
        self.doubt(peer, why);
        self.actions.push(Action::Cut(peer, why));
    }

    /// Answers a peer that is behind.
    pub(super) fn serve(&mut self, peer: Kid, first: u64) -> Result<(), ConsortiumError> {
        if !self.doubts.may_serve(peer) {
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
        let before = self.height();
        for decided in blocks {
            if !self.follow(peer, &decided)? {
                break;
            }
        }
        if self.height() > before {
            self.follows = !self.doubts.is_doubted(&peer);
        } else if asked.first == before {
            // It has not what it said it has, or no longer, whatever it sent in its place:
            // somebody else is asked next.
            self.doubt(peer, "an answer without the next block");
        }
        Ok(())
    }

    /// Takes one final block; `false` when what follows it is of no use.
    fn follow(&mut self, peer: Kid, decided: &DecidedBlock) -> Result<bool, ConsortiumError> {
        let read = Block::decode(&decided.block)
            .ok()
            .zip(Certificate::decode(&decided.certificate).ok());
        let Some((block, certificate)) = read else {
            self.cut(peer, "blocks that cannot be read");
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
            self.cut(peer, "a block that is not final");
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
                    self.cut(peer, why);
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
