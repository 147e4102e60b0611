//! What a validator writes down before it speaks, so that it says the same after a crash.

use bytes::Bytes;
use invoice_core::chain::BLOCK_BYTES_MAX;
use invoice_core::codec::{DecodeError, EncodeError, Reader, Writer};
use invoice_core::crypto::{Hash, Kid};

use crate::codec;
use crate::message::{MESSAGE_BYTES_MAX, Polka, Proposal, Vote};
use crate::timer::Timer;

/// Largest encoded [`LogEntry`] in bytes: a block, or all validators' signatures.
pub const LOG_ENTRY_BYTES_MAX: usize = if BLOCK_BYTES_MAX > MESSAGE_BYTES_MAX {
    BLOCK_BYTES_MAX + 37
} else {
    MESSAGE_BYTES_MAX
};

/// A block whose bytes are here, and the verdict on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    /// Number of the block.
    pub height: u64,
    /// Round in which it was proposed.
    pub round: u32,
    /// The earlier round in which a quorum prevoted for it, as its proposer said.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: Kid,
    /// The block.
    pub block_id: Hash,
    /// Whether executing it gave what its header says.
    pub valid: bool,
}

/// An entry of the log of one height.
///
/// Encoded big-endian: 1 byte for the kind (1 vote, 2 proposal, 3 polka, 4 value, 5 elapsed,
/// 6 block), then vote, proposal and polka as in a [`Message`](crate::Message);
///
/// - value: height (8), round (4), presence of a valid round (1) and the round (4), proposer (16),
///   block id (32), verdict (1);
/// - elapsed: height (8), round (4), kind of the timer (1);
/// - block: block id (32), length (4), bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// A vote that counts, the validator's own among them.
    Vote(Vote),
    /// A proposal that counts, the validator's own among them.
    Proposal(Proposal),
    /// A quorum of prevotes that came in one message.
    Polka(Polka),
    /// A block that was built or checked.
    Value(Value),
    /// A timer that ran out.
    Elapsed(Timer),
    /// The bytes of a block. Whoever keeps the log writes this before it calls
    /// [`Machine::proposed`](crate::Machine::proposed) or
    /// [`Machine::checked`](crate::Machine::checked); the machine itself passes over it.
    Block {
        /// The block.
        block_id: Hash,
        /// Its encoding.
        bytes: Bytes,
    },
}

impl LogEntry {
    /// Number of the block that it is about; a block's bytes are of no height of their own.
    #[must_use]
    pub const fn height(&self) -> Option<u64> {
        match self {
            Self::Vote(vote) => Some(vote.height),
            Self::Proposal(proposal) => Some(proposal.height),
            Self::Polka(polka) => Some(polka.height),
            Self::Value(value) => Some(value.height),
            Self::Elapsed(timer) => Some(timer.height),
            Self::Block { .. } => None,
        }
    }

    /// The encoding.
    ///
    /// # Errors
    /// [`EncodeError`] for more than 65,535 signatures or a block beyond 2³² − 1 bytes.
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
            Self::Value(value) => {
                writer.put_u8(4);
                value.write(&mut writer);
            }
            Self::Elapsed(timer) => {
                writer.put_u8(5);
                timer.write(&mut writer);
            }
            Self::Block { block_id, bytes } => {
                writer.put_u8(6);
                writer.put(block_id.as_bytes());
                writer.put_bytes32("block", bytes)?;
            }
        }
        Ok(writer.into_bytes())
    }

    /// Reads an encoding and nothing after it.
    ///
    /// # Errors
    /// [`DecodeError`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let entry = match reader.u8("kind of log entry")? {
            1 => Self::Vote(Vote::read(&mut reader)?),
            2 => Self::Proposal(Proposal::read(&mut reader)?),
            3 => Self::Polka(Polka::read(&mut reader)?),
            4 => Self::Value(Value::read(&mut reader)?),
            5 => Self::Elapsed(Timer::read(&mut reader)?),
            6 => Self::Block {
                block_id: reader.hash("block id")?,
                bytes: Bytes::copy_from_slice(reader.bytes32("block", BLOCK_BYTES_MAX)?),
            },
            _ => {
                return Err(DecodeError::Invalid {
                    what: "kind of log entry",
                });
            }
        };
        reader.finish()?;
        Ok(entry)
    }
}

impl Value {
    fn write(&self, writer: &mut Writer) {
        writer.put_u64(self.height);
        writer.put_u32(self.round);
        codec::put_optional_round(writer, self.valid_round);
        writer.put(self.proposer.as_bytes());
        writer.put(self.block_id.as_bytes());
        writer.put_u8(u8::from(self.valid));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            height: codec::height(reader)?,
            round: codec::round(reader)?,
            valid_round: codec::optional_round(reader)?,
            proposer: reader.kid("proposer")?,
            block_id: reader.hash("block id")?,
            valid: reader.flag("verdict")?,
        })
    }
}
