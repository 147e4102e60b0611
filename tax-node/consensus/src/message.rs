//! What validators say to each other. Block bytes travel beside it.

use invoice_core::chain::VALIDATORS_MAX;
use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::messages::VoteKind;
use invoice_core::crypto::{Hash, Kid, Signature};

use crate::codec;

/// Largest number of a round.
///
/// With timers that grow to a minute it is reached after two years at one height; the library
/// counts rounds in 32 bits and is never brought near their end.
pub const ROUND_MAX: u32 = 1_000_000;

/// Largest encoded [`Message`] in bytes: a [`RoundChange`] with a vote of everyone.
pub const MESSAGE_BYTES_MAX: usize = 16 + VALIDATORS_MAX * 114;

/// A signed vote: the precommits of a quorum for one block are its certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote {
    /// First or second vote of the round.
    pub kind: VoteKind,
    /// Number of the block.
    pub height: u64,
    /// Round of the height, from 0.
    pub round: u32,
    /// The block, or none: the voter saw no valid proposal in time.
    pub block_id: Option<Hash>,
    /// Whose vote it is.
    pub voter: Kid,
    /// Over [`vote_message`](invoice_core::crypto::messages::vote_message).
    pub signature: Signature,
}

/// The signed statement of a round's proposer which block it proposes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proposal {
    /// Number of the block.
    pub height: u64,
    /// Round of the height, from 0.
    pub round: u32,
    /// The block.
    pub block_id: Hash,
    /// The earlier round in which a quorum prevoted for this block, if there was one.
    pub valid_round: Option<u32>,
    /// Whose proposal it is.
    pub proposer: Kid,
    /// Over [`proposal_message`](invoice_core::crypto::messages::proposal_message).
    pub signature: Signature,
}

/// The prevotes of a quorum for a block, sent along with what they justify.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Polka {
    /// Number of the block.
    pub height: u64,
    /// Round of the prevotes.
    pub round: u32,
    /// The block that they are for.
    pub block_id: Hash,
    /// Voters and signatures, in ascending order of the voters.
    pub signatures: Vec<(Kid, Signature)>,
}

/// Why a round is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoundChangeReason {
    /// A third of the weight is in that round already.
    Skip,
    /// A quorum precommitted in the round before and decided nothing.
    Precommits,
}

/// One vote of a [`RoundChange`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoundVote {
    /// Whose vote it is.
    pub voter: Kid,
    /// First or second vote of the round.
    pub kind: VoteKind,
    /// The block, or none.
    pub block_id: Option<Hash>,
    /// As in [`Vote`].
    pub signature: Signature,
}

/// Votes that are reason enough to enter a round, for those who missed some.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoundChange {
    /// Number of the block.
    pub height: u64,
    /// Round of the votes.
    pub round: u32,
    /// What the votes show.
    pub reason: RoundChangeReason,
    /// The votes, in ascending order of the voters.
    pub votes: Vec<RoundVote>,
}

/// A message between validators.
///
/// Encoded big-endian: 1 byte for the kind (1 vote, 2 proposal, 3 polka, 4 round change), then
///
/// - vote: kind (1), height (8), round (4), presence of a block id (1) and the id (32), voter (16),
///   signature (64);
/// - proposal: height (8), round (4), block id (32), presence of a valid round (1) and the round
///   (4), proposer (16), signature (64);
/// - polka: height (8), round (4), block id (32), number (2), and each voter (16) and signature (64);
/// - round change: height (8), round (4), reason (1; 0 skip, 1 precommits), number (2), and each
///   voter (16), kind (1), presence of a block id (1) and the id (32), signature (64).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// A vote.
    Vote(Vote),
    /// A proposal.
    Proposal(Proposal),
    /// A quorum of prevotes.
    Polka(Polka),
    /// Votes that justify a new round.
    RoundChange(RoundChange),
}

impl Message {
    /// Number of the block that it is about.
    #[must_use]
    pub const fn height(&self) -> u64 {
        match self {
            Self::Vote(vote) => vote.height,
            Self::Proposal(proposal) => proposal.height,
            Self::Polka(polka) => polka.height,
            Self::RoundChange(change) => change.height,
        }
    }

    /// Round that it is about.
    #[must_use]
    pub const fn round(&self) -> u32 {
        match self {
            Self::Vote(vote) => vote.round,
            Self::Proposal(proposal) => proposal.round,
            Self::Polka(polka) => polka.round,
            Self::RoundChange(change) => change.round,
        }
    }

    /// The encoding.
    ///
    /// # Errors
    /// [`EncodeError`] for more than 65,535 signatures.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new();
        match self {
            Self::Vote(vote) => {
                writer.put_u8(1);
                vote.write(&mut writer);
            }
            Self::Proposal(proposal) => {
                writer.put_u8(2);
                proposal.write(&mut writer);
            }
            Self::Polka(polka) => {
                writer.put_u8(3);
                polka.write(&mut writer)?;
            }
            Self::RoundChange(change) => {
                writer.put_u8(4);
                change.write(&mut writer)?;
            }
        }
        Ok(writer.into_bytes())
    }

    /// Reads an encoding and nothing after it. Whether the signatures are good is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let message = match reader.u8("kind of message")? {
            1 => Self::Vote(Vote::read(&mut reader)?),
            2 => Self::Proposal(Proposal::read(&mut reader)?),
            3 => Self::Polka(Polka::read(&mut reader)?),
            4 => Self::RoundChange(RoundChange::read(&mut reader)?),
            _ => {
                return Err(DecodeError::Invalid {
                    what: "kind of message",
                });
            }
        };
        reader.finish()?;
        Ok(message)
    }
}

impl Vote {
    pub(crate) fn write(&self, writer: &mut Writer) {
        codec::put_vote_kind(writer, self.kind);
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        codec::put_optional_block(writer, self.block_id.as_ref());
        writer.put(self.voter.as_bytes());
        writer.put(self.signature.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: codec::vote_kind(reader)?,
            height: codec::height(reader)?,
            round: codec::round(reader)?,
            block_id: codec::optional_block(reader)?,
            voter: reader.kid("voter")?,
            signature: reader.signature("signature")?,
        })
    }
}

impl Proposal {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        writer.put(self.block_id.as_bytes());
        codec::put_optional_round(writer, self.valid_round);
        writer.put(self.proposer.as_bytes());
        writer.put(self.signature.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (height, round) = (codec::height(reader)?, codec::round(reader)?);
        let block_id = reader.hash("block id")?;
        let valid_round = codec::optional_round(reader)?;
        if valid_round.is_some_and(|valid| valid >= round) {
            return Err(DecodeError::Invalid {
                what: "valid round",
            });
        }
        Ok(Self {
            height,
            round,
            block_id,
            valid_round,
            proposer: reader.kid("proposer")?,
            signature: reader.signature("signature")?,
        })
    }
}

impl Polka {
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        writer.put(self.block_id.as_bytes());
        writer.put_count16("signatures", self.signatures.len())?;
        for (voter, signature) in &self.signatures {
            writer.put(voter.as_bytes());
            writer.put(signature.as_bytes());
        }
        Ok(())
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (height, round) = (codec::height(reader)?, codec::round(reader)?);
        let block_id = reader.hash("block id")?;
        let mut signatures: Vec<(Kid, Signature)> = Vec::new();
        for _ in 0..reader.count16("signatures", VALIDATORS_MAX)? {
            let voter = reader.kid("voter")?;
            ascending(signatures.last().map(|(last, _)| last), &voter)?;
            signatures.push((voter, reader.signature("signature")?));
        }
        Ok(Self {
            height,
            round,
            block_id,
            signatures,
        })
    }
}

impl RoundChange {
    fn write(&self, writer: &mut Writer) -> Result<(), EncodeError> {
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        writer.put_u8(match self.reason {
            RoundChangeReason::Skip => 0,
            RoundChangeReason::Precommits => 1,
        });
        writer.put_count16("votes", self.votes.len())?;
        for vote in &self.votes {
            writer.put(vote.voter.as_bytes());
            codec::put_vote_kind(writer, vote.kind);
            codec::put_optional_block(writer, vote.block_id.as_ref());
            writer.put(vote.signature.as_bytes());
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (height, round) = (codec::height(reader)?, codec::round(reader)?);
        let reason = if reader.flag("reason of a round change")? {
            RoundChangeReason::Precommits
        } else {
            RoundChangeReason::Skip
        };
        let mut votes: Vec<RoundVote> = Vec::new();
        for _ in 0..reader.count16("votes", VALIDATORS_MAX)? {
            let voter = reader.kid("voter")?;
            ascending(votes.last().map(|last| &last.voter), &voter)?;
            votes.push(RoundVote {
                voter,
                kind: codec::vote_kind(reader)?,
                block_id: codec::optional_block(reader)?,
                signature: reader.signature("signature")?,
            });
        }
        Ok(Self {
            height,
            round,
            reason,
            votes,
        })
    }
}

fn ascending(last: Option<&Kid>, next: &Kid) -> Result<(), DecodeError> {
    if last.is_some_and(|last| last >= next) {
        return Err(DecodeError::Invalid {
            what: "order of voters",
        });
    }
    Ok(())
}
