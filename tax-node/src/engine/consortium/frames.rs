//! What nodes say to each other over a link.
//!
//! A frame has a kind (one byte, outside this encoding: links give each kind a limit of its own)
//! and a payload. Integers are big-endian. Nothing here is trusted: a frame only says what a peer
//! claims; signatures inside messages and certificates prove what they prove.

use bytes::Bytes;
use consensus::Message;
use invoice_core::chain::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX};
use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::{Hash, Kid};

/// Longest payload of any frame: a block, its certificate, and what stands around them.
pub const FRAME_BYTES_MAX: usize = BLOCK_BYTES_MAX + 64 * 1024;
/// Bytes of blocks after which an answer to [`Frame::Fetch`] takes no further block.
pub const FETCHED_BYTES_TARGET: usize = 4 * 1024 * 1024;
/// Most blocks in an answer to [`Frame::Fetch`].
pub const FETCHED_BLOCKS_MAX: usize = 1_024;
/// Most envelopes that are forwarded together.
pub const FORWARDED_MAX: usize = 4_096;
/// Bytes of envelopes after which no further one is forwarded together with them.
pub const FORWARDED_BYTES_TARGET: usize = 1024 * 1024;
/// Longest hints of a block's signatures, in bytes: two bits for each envelope.
const HINTS_BYTES_MAX: usize = BLOCK_RECORDS_MAX.div_ceil(4);
/// Longest certificate, in bytes: a hundred validators' signatures and its head.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Longest message of consensus, in bytes: a certificate of votes with its head.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Longest envelope, in bytes: a batch of 1,000 records of 16 KiB would not fit into a block.
const ENVELOPE_BYTES_MAX: usize = BLOCK_BYTES_MAX;

/// The bytes of a proposed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedBlock {
    /// Height that it is proposed for.
    pub height: u64,
    /// Round in which it is proposed.
    pub round: u32,
    /// Round in which it was found valid before, when it is proposed again.
    pub valid_round: Option<u32>,
    /// Who proposes it.
    pub proposer: Kid,
    /// Id of the block, which the signed proposal names as well.
    pub block_id: Hash,
    /// The encoded block.
    pub bytes: Bytes,
    /// Hints of its signatures ([`invoice_core::chain::Block::hints`]): they save the receiver time,
    /// and wrong ones are no fault that anybody could prove.
    pub hints: Bytes,
}

/// A final block with what makes it final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedBlock {
    /// The encoded block.
    pub block: Bytes,
    /// The encoded certificate.
    pub certificate: Bytes,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A signed message of consensus.
    Consensus(Message),
    /// A proposed block.
    Block(ProposedBlock),
    /// The height of the sender's last durable block.
    Status {
        /// That height.
        height: u64,
    },
    /// Asks for final blocks from a height on.
    Fetch {
        /// The first height that is missing.
        from: u64,
    },
    /// Final blocks, one after another.
    Blocks(Vec<DecidedBlock>),
    /// Envelopes of members that wait to be recorded, for whoever proposes next.
    Envelopes(Vec<Bytes>),
    /// The last vote or proposal that the sender has of the receiver, signed by the receiver itself;
    /// sent once on each link, so that a validator whose disk went back in time hears of it.
    LastWord(Option<Message>),
}

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// [`Frame::Consensus`].
    Consensus = 1,
    /// [`Frame::Block`].
    Block = 2,
    /// [`Frame::Status`].
    Status = 3,
    /// [`Frame::Fetch`].
    Fetch = 4,
    /// [`Frame::Blocks`].
    Blocks = 5,
    /// [`Frame::Envelopes`].
    Envelopes = 6,
    /// [`Frame::LastWord`].
    LastWord = 7,
}

impl FrameKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Consensus,
        Self::Block,
        Self::Status,
        Self::Fetch,
        Self::Blocks,
        Self::Envelopes,
        Self::LastWord,
    ];

    /// The kind with a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Longest payload, in bytes.
    #[must_use]
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Consensus | Self::LastWord => MESSAGE_BYTES_MAX,
            Self::Status | Self::Fetch => 8,
            Self::Block | Self::Blocks | Self::Envelopes => FRAME_BYTES_MAX,
        }
    }
}

impl Frame {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> FrameKind {
        match self {
            Self::Consensus(_) => FrameKind::Consensus,
            Self::Block(_) => FrameKind::Block,
            Self::Status { .. } => FrameKind::Status,
            Self::Fetch { .. } => FrameKind::Fetch,
            Self::Blocks(_) => FrameKind::Blocks,
            Self::Envelopes(_) => FrameKind::Envelopes,
            Self::LastWord(_) => FrameKind::LastWord,
        }
    }

    /// The payload.
    ///
    /// # Errors
    /// [`EncodeError`] for what this node never makes: a part of more than 4 GiB, a message with
    /// more signatures than there are validators.
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::new();
        match self {
            Self::Consensus(message) => writer.put(&message.encode()?),
            Self::Block(block) => {
                writer.put_u64(block.height);
                writer.put_u32(block.round);
                writer.put_u8(u8::from(block.valid_round.is_some()));
                writer.put_u32(block.valid_round.unwrap_or_default());
                writer.put(block.proposer.as_bytes());
                writer.put(block.block_id.as_bytes());
                writer.put_bytes32("hints", &block.hints)?;
                writer.put(&block.bytes);
            }
            Self::Status { height } | Self::Fetch { from: height } => writer.put_u64(*height),
            Self::Blocks(blocks) => {
                for decided in blocks {
                    writer.put_bytes32("certificate", &decided.certificate)?;
                    writer.put_bytes32("block", &decided.block)?;
                }
            }
            Self::Envelopes(envelopes) => {
                for envelope in envelopes {
                    writer.put_bytes32("envelope", envelope)?;
                }
            }
            Self::LastWord(word) => {
                if let Some(word) = word {
                    writer.put(&word.encode()?);
                }
            }
        }
        Ok(writer.into_bytes().into())
    }

    /// Reads a payload and nothing after it.
    ///
    /// # Errors
    /// [`DecodeError`], naming what is wrong.
    pub fn decode(kind: FrameKind, payload: &Bytes) -> Result<Self, DecodeError> {
        if payload.len() > kind.bytes_max() {
            return Err(DecodeError::TooLarge {
                what: "frame",
                limit: kind.bytes_max(),
            });
        }
        let mut reader = Reader::new(payload);
        let frame = match kind {
            FrameKind::Consensus => return Message::decode(payload).map(Self::Consensus),
            FrameKind::LastWord if payload.is_empty() => return Ok(Self::LastWord(None)),
            FrameKind::LastWord => {
                return match Message::decode(payload)? {
                    word @ (Message::Vote(_) | Message::Proposal(_)) => {
                        Ok(Self::LastWord(Some(word)))
                    }
                    Message::Polka(_) | Message::RoundChange(_) => {
                        Err(DecodeError::Invalid { what: "last word" })
                    }
                };
            }
            FrameKind::Status => Self::Status {
                height: reader.u64("height")?,
            },
            FrameKind::Fetch => Self::Fetch {
                from: reader.u64("first height")?,
            },
            FrameKind::Block => Self::Block(read_block(&mut reader, payload)?),
            FrameKind::Blocks => {
                let mut blocks = Vec::new();
                while reader.remaining() > 0 {
                    if blocks.len() >= FETCHED_BLOCKS_MAX {
                        return Err(too_many("blocks", FETCHED_BLOCKS_MAX));
                    }
                    let certificate =
                        take_part(&mut reader, payload, "certificate", CERTIFICATE_BYTES_MAX)?;
                    let block = take_part(&mut reader, payload, "block", BLOCK_BYTES_MAX)?;
                    blocks.push(DecidedBlock { block, certificate });
                }
                Self::Blocks(blocks)
            }
            FrameKind::Envelopes => {
                let mut envelopes = Vec::new();
                while reader.remaining() > 0 {
                    if envelopes.len() >= FORWARDED_MAX {
                        return Err(too_many("envelopes", FORWARDED_MAX));
                    }
                    let envelope = take_part(&mut reader, payload, "envelope", ENVELOPE_BYTES_MAX)?;
                    envelopes.push(envelope);
                }
                Self::Envelopes(envelopes)
            }
        };
        reader.finish()?;
        Ok(frame)
    }
}

fn read_block(reader: &mut Reader<'_>, payload: &Bytes) -> Result<ProposedBlock, DecodeError> {
    let (height, round) = (reader.u64("height")?, reader.u32("round")?);
    let again = reader.flag("proposed again")?;
    let valid_round = reader.u32("valid round")?;
    if !again && valid_round != 0 {
        return Err(DecodeError::Invalid {
            what: "valid round",
        });
    }
    Ok(ProposedBlock {
        height,
        round,
        valid_round: again.then_some(valid_round),
        proposer: reader.kid("proposer")?,
        block_id: reader.hash("block id")?,
        hints: take_part(reader, payload, "hints", HINTS_BYTES_MAX)?,
        bytes: payload.slice_ref(reader.take("block", reader.remaining())?),
    })
}

const fn too_many(what: &'static str, limit: usize) -> DecodeError {
    DecodeError::TooLarge { what, limit }
}

/// Takes bytes behind their length, sharing the payload.
fn take_part(
    reader: &mut Reader<'_>,
    payload: &Bytes,
    what: &'static str,
    limit: usize,
) -> Result<Bytes, DecodeError> {
    Ok(payload.slice_ref(reader.bytes32(what, limit)?))
}
