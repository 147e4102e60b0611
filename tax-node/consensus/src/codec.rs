//! Parts that messages and log entries have in common.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::Hash;
use invoice_core::crypto::messages::VoteKind;

use crate::message::ROUND_MAX;

/// A height, from 1.
pub(crate) fn height(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    match reader.u64("height")? {
        0 => Err(DecodeError::Invalid { what: "height" }),
        height => Ok(height),
    }
}

/// A round, up to [`ROUND_MAX`].
pub(crate) fn round(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let round = reader.u32("round")?;
    if round > ROUND_MAX {
        return Err(DecodeError::Invalid { what: "round" });
    }
    Ok(round)
}

/// 0 for none, or 1 and the round.
pub(crate) fn optional_round(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    reader
        .flag("presence of a round")?
        .then(|| round(reader))
        .transpose()
}

pub(crate) fn put_optional_round(writer: &mut Writer, round: Option<u32>) {
    writer.put_u8(u8::from(round.is_some()));
    if let Some(round) = round {
        writer.put_u32(round);
    }
}

/// 0 for none, or 1 and the 32 bytes of a block id.
pub(crate) fn optional_block(reader: &mut Reader<'_>) -> Result<Option<Hash>, DecodeError> {
    reader
        .flag("presence of a block id")?
        .then(|| reader.hash("block id"))
        .transpose()
}

pub(crate) fn put_optional_block(writer: &mut Writer, block_id: Option<&Hash>) {
    writer.put_u8(u8::from(block_id.is_some()));
    if let Some(block_id) = block_id {
        writer.put(block_id.as_bytes());
    }
}

/// 0 for a prevote, 1 for a precommit, as in what is signed.
pub(crate) fn vote_kind(reader: &mut Reader<'_>) -> Result<VoteKind, DecodeError> {
    Ok(if reader.flag("kind of vote")? {
        VoteKind::Precommit
    } else {
        VoteKind::Prevote
    })
}

pub(crate) fn put_vote_kind(writer: &mut Writer, kind: VoteKind) {
    writer.put_u8(match kind {
        VoteKind::Prevote => 0,
        VoteKind::Precommit => 1,
    });
}
