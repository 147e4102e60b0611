//! What validators that are not correct do with what they should send.

use bytes::Bytes;
use consensus::{Message, Proposal, Vote};
use invoice_core::chain::{Block, Certificate};
use invoice_core::crypto::messages::{proposal_message, vote_message};
use invoice_core::crypto::{Hash, Kid, Signature, Signer, sm3};
use tax_node::engine::consortium::frames::{DecidedBlock, Frame, FrameKind, ProposedBlock};

use crate::cast::signer;
use crate::plan::Treason;
use crate::world::World;

/// Ways in which a proposed block can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doctored {
    /// The digest of its changes.
    Effects,
    /// The root of the log.
    Root,
    /// Its time lies ahead of every clock.
    Future,
    /// A record stands in it that the chain has already.
    Again,
    /// A refused claim is said to be accepted.
    Accepted,
}

const DOCTORED: [Doctored; 5] = [
    Doctored::Effects,
    Doctored::Root,
    Doctored::Future,
    Doctored::Again,
    Doctored::Accepted,
];

impl World {
    /// Sends something else, or nothing, in place of a frame.
    pub(crate) fn betray(
        &mut self,
        treason: Treason,
        from: usize,
        to: usize,
        link: u32,
        frame: &Frame,
        encoded: &Bytes,
    ) {
        let kind = frame.kind() as u8;
        let own = match frame {
            Frame::Consensus(_) | Frame::Block(_) => true,
            Frame::Status { .. }
            | Frame::Fetch { .. }
            | Frame::Blocks(_)
            | Frame::Envelopes(_)
            | Frame::LastWord(_) => false,
        };
        match treason {
            Treason::Silent if own => self.tally.lies += 1,
            Treason::Withholding if kind == FrameKind::Block as u8 && (from + to) % 2 == 1 => {
                self.tally.lies += 1;
            }
            // It has what it said it has, and gives nothing of it.
            Treason::Withholding if kind == FrameKind::Blocks as u8 => {
                self.tally.lies += 1;
                self.lie(from, to, link, Frame::Blocks(Vec::new()));
            }
            Treason::Equivocating if to % 2 == 1 => match self.other_word(from, frame) {
                Some(other) => {
                    self.tally.lies += 1;
                    self.lie(from, to, link, other);
                }
                None => self.pass(from, to, link, kind, encoded.clone()),
            },
            Treason::Forging => self.forge(from, to, link, frame, encoded),
            Treason::Boasting => self.boast(from, to, link, frame, encoded),
            Treason::Junk => {
                self.pass(from, to, link, kind, encoded.clone());
                if self.dice.once_in(12) {
                    self.tally.lies += 1;
                    let count = self.dice.below(200) as usize;
                    let mut junk = self.dice.bytes(count);
                    if self.dice.once_in(2) {
                        // Nearly right.
                        junk = encoded.to_vec();
                        if !junk.is_empty() {
                            let place = self.dice.below(junk.len() as u64) as usize;
                            junk[place] ^= 1 << self.dice.below(8);
                        }
                    }
                    let kind = if self.dice.once_in(2) {
                        kind
                    } else {
                        self.dice.below(10) as u8
                    };
                    // No greeting: its loss would be that of a link.
                    if kind != FrameKind::LastWord as u8 {
                        self.pass(from, to, link, kind, junk.into());
                    }
                }
            }
            Treason::Twins
            | Treason::Silent
            | Treason::Withholding
            | Treason::Equivocating
            | Treason::WrongClock => self.pass(from, to, link, kind, encoded.clone()),
        }
    }

    /// Blocks that nobody has, and what it gives in their place.
    fn boast(&mut self, from: usize, to: usize, link: u32, frame: &Frame, encoded: &Bytes) {
        match frame {
            Frame::Status { height } => {
                self.tally.lies += 1;
                let height = (1 << 62) + height;
                self.lie(from, to, link, Frame::Status { height });
            }
            Frame::Blocks(_) => {
                self.tally.lies += 1;
                let node = self.machines[from].node.as_ref();
                let old = node.and_then(|node| node.block(1));
                let old = old.and_then(|(block, certificate)| {
                    Some(DecidedBlock {
                        block: block.encode().ok()?.into(),
                        certificate: certificate.encode().ok()?.into(),
                    })
                });
                match (self.dice.below(3), old) {
                    (0, _) => self.doom(from, to, link),
                    (1, Some(old)) => self.lie(from, to, link, Frame::Blocks(vec![old])),
                    (_, _) => {}
                }
            }
            Frame::Consensus(_)
            | Frame::Block(_)
            | Frame::Fetch { .. }
            | Frame::Envelopes(_)
            | Frame::LastWord(_) => {
                self.pass(from, to, link, frame.kind() as u8, encoded.clone());
            }
        }
    }

    fn lie(&mut self, from: usize, to: usize, link: u32, frame: Frame) {
        if let Ok(encoded) = frame.encode() {
            self.pass(from, to, link, frame.kind() as u8, encoded);
        }
    }

    fn sign_vote(&self, by: u8, voter: Kid, vote: &Vote) -> Vote {
        let chain = &self.oracle.point().chain_id;
        let (round, id) = (i64::from(vote.round), vote.block_id.as_ref());
        let message = vote_message(chain, vote.kind, vote.height, round, id, &voter);
        Vote {
            voter,
            signature: sign(by, &message),
            ..vote.clone()
        }
    }

    fn sign_proposal(&self, by: u8, own: &Proposal) -> Proposal {
        let chain = &self.oracle.point().chain_id;
        let (id, valid) = (&own.block_id, own.valid_round);
        let message = proposal_message(chain, own.height, own.round, id, valid, &own.proposer);
        Proposal {
            signature: sign(by, &message),
            ..own.clone()
        }
    }

    /// The same step with other contents, well signed.
    fn other_word(&mut self, from: usize, frame: &Frame) -> Option<Frame> {
        let key = self.machines[from].key;
        let kid = self.machines[from].kid();
        match frame {
            Frame::Consensus(Message::Vote(vote)) if vote.voter == kid => {
                let block_id = match vote.block_id {
                    Some(_) if self.dice.once_in(2) => None,
                    Some(id) => Some(later(&id)),
                    // For the last block that it has seen, as if there had been no doubt.
                    None => self.machines[from].proposed.get(&vote.height).copied(),
                };
                let vote = Vote {
                    block_id,
                    ..vote.clone()
                };
                Some(Frame::Consensus(Message::Vote(
                    self.sign_vote(key, kid, &vote),
                )))
            }
            Frame::Consensus(Message::Proposal(own)) if own.proposer == kid => {
                let other = self.machines[from].doctored.get(&own.block_id).copied()?;
                let own = Proposal {
                    block_id: other,
                    ..own.clone()
                };
                let own = self.sign_proposal(key, &own);
                Some(Frame::Consensus(Message::Proposal(own)))
            }
            Frame::Block(block) if block.proposer == kid => {
                let mut other = Block::decode(&block.bytes).ok()?;
                // As good as the first, most times.
                other.header.time_ms += 1;
                self.replaced(from, block, &other)
            }
            Frame::Consensus(_)
            | Frame::Block(_)
            | Frame::Status { .. }
            | Frame::Fetch { .. }
            | Frame::Blocks(_)
            | Frame::Envelopes(_)
            | Frame::LastWord(_) => None,
        }
    }

    /// A block in place of another in the same round.
    fn replaced(&mut self, from: usize, block: &ProposedBlock, other: &Block) -> Option<Frame> {
        let id = other.header.id();
        self.machines[from].doctored.insert(block.block_id, id);
        Some(Frame::Block(ProposedBlock {
            block_id: id,
            bytes: other.encode().ok()?.into(),
            ..block.clone()
        }))
    }

    fn forge(&mut self, from: usize, to: usize, link: u32, frame: &Frame, encoded: &Bytes) {
        let key = self.machines[from].key;
        let kid = self.machines[from].kid();
        let kind = frame.kind() as u8;
        match frame {
            Frame::Consensus(Message::Vote(vote)) if vote.voter == kid => {
                let id = vote
                    .block_id
                    .and_then(|id| self.machines[from].doctored.get(&id));
                let vote = Vote {
                    block_id: id.copied().or(vote.block_id),
                    ..vote.clone()
                };
                let own = self.sign_vote(key, kid, &vote);
                self.lie(from, to, link, Frame::Consensus(Message::Vote(own)));
                // And the same in everybody else's name.
                let others: Vec<Kid> = self.machines.iter().map(|one| one.kid()).collect();
                for other in others.into_iter().filter(|other| *other != kid) {
                    if self.dice.once_in(3) {
                        self.tally.lies += 1;
                        let vote = self.sign_vote(key, other, &vote);
                        self.lie(from, to, link, Frame::Consensus(Message::Vote(vote)));
                    }
                }
            }
            Frame::Consensus(Message::Proposal(own)) if own.proposer == kid => {
                let own = match self.machines[from].doctored.get(&own.block_id) {
                    Some(other) => {
                        let own = Proposal {
                            block_id: *other,
                            ..own.clone()
                        };
                        self.sign_proposal(key, &own)
                    }
                    None => own.clone(),
                };
                self.lie(from, to, link, Frame::Consensus(Message::Proposal(own)));
            }
            Frame::Block(block) if block.proposer == kid => {
                // The same for all, so that it could win.
                let how = DOCTORED[(block.block_id.as_bytes()[0] % 5) as usize];
                let doctored = Block::decode(&block.bytes)
                    .ok()
                    .and_then(|block| self.doctor(how, block))
                    .and_then(|other| self.replaced(from, block, &other));
                match doctored {
                    Some(doctored) => {
                        self.tally.lies += 1;
                        self.lie(from, to, link, doctored);
                    }
                    None => self.pass(from, to, link, kind, encoded.clone()),
                }
            }
            Frame::Blocks(blocks) => {
                let cut: Vec<DecidedBlock> = blocks.iter().filter_map(cut_certificate).collect();
                self.tally.lies += 1;
                self.lie(from, to, link, Frame::Blocks(cut));
            }
            Frame::Status { height } if self.dice.once_in(4) => {
                self.tally.lies += 1;
                let height = height + 1 + self.dice.below(3);
                self.lie(from, to, link, Frame::Status { height });
            }
            Frame::Consensus(_)
            | Frame::Block(_)
            | Frame::Status { .. }
            | Frame::Fetch { .. }
            | Frame::Envelopes(_)
            | Frame::LastWord(_) => self.pass(from, to, link, kind, encoded.clone()),
        }
    }

    /// A block that breaks a rule, as consistent as it can be otherwise.
    fn doctor(&self, how: Doctored, mut block: Block) -> Option<Block> {
        match how {
            Doctored::Effects => block.header.effects_root = later(&block.header.effects_root),
            Doctored::Root => block.header.log_root = later(&block.header.log_root),
            Doctored::Future => block.header.time_ms += 600_000,
            Doctored::Again => {
                let first = block.envelopes.first()?.clone();
                block.envelopes.push(first);
                self.reseal(&mut block)?;
            }
            Doctored::Accepted => {
                let entries = block.envelopes.iter_mut().flat_map(|one| &mut one.entries);
                let refused = entries.into_iter().find(|one| !one.outcome.is_accepted())?;
                refused.outcome = invoice_core::chain::Outcome::accepted();
                self.reseal(&mut block)?;
            }
        }
        Some(block)
    }

    /// The header's figures about the leaves of a doctored block.
    fn reseal(&self, block: &mut Block) -> Option<()> {
        let point = self.oracle.point();
        if block.header.height != point.height + 1 {
            return None;
        }
        let hashes = invoice_core::chain::leaf_hashes(block.leaves()).ok()?;
        let mut frontier = point.frontier.clone();
        frontier.extend(&hashes);
        block.header.count = u32::try_from(hashes.len()).ok()?;
        block.header.log_size = frontier.size();
        block.header.log_root = frontier.root();
        Some(())
    }
}

fn sign(by: u8, message: &[u8]) -> Signature {
    signer(by).sign(message).unwrap()
}

/// Another digest.
fn later(id: &Hash) -> Hash {
    sm3(&[b"other", id.as_bytes()])
}

/// A final block whose certificate has too few signatures: half of them.
fn cut_certificate(decided: &DecidedBlock) -> Option<DecidedBlock> {
    let certificate = Certificate::decode(&decided.certificate).ok()?;
    let keep = certificate.signatures.len() * 2 / 3;
    let signatures = certificate.signatures.iter().take(keep).cloned().collect();
    let cut = Certificate::new(
        certificate.height,
        certificate.round,
        certificate.block_id,
        signatures,
    );
    Some(DecidedBlock {
        block: decided.block.clone(),
        certificate: cut.encode().ok()?.into(),
    })
}
