//! Attempts, over-claims and late reversals one by one, and pairs of members.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;

use super::{Holders, Tally};
use crate::codec::{put_document, put_short, take_document, take_fen, take_member, take_text};

/// A claim that was refused while others held money on the document, or a reversal of what was
/// claimed, or of what is over-claimed since: who did what to which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) by: MemberId,
    pub(crate) id: String,
    pub(crate) document: DocumentKey,
    /// What was asked, taken or is in excess.
    pub(crate) amount: Option<Fen>,
    /// Of an over-claim the largest excess that there was.
    pub(crate) largest: Fen,
    /// The code of a refusal, or empty.
    pub(crate) code: String,
    pub(crate) height: u64,
    pub(crate) time_ms: i64,
    pub(crate) holders: Holders,
    /// The record that mended it, if one did.
    pub(crate) cleared: Option<u64>,
}

impl Incident {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(128);
        writer.put(self.by.as_bytes());
        put_short(&mut writer, self.id.as_bytes());
        put_document(&mut writer, &self.document);
        writer.put_u8(u8::from(self.amount.is_some()));
        writer.put_signed(self.amount.map_or(0, Fen::get));
        writer.put_signed(self.largest.get());
        put_short(&mut writer, self.code.as_bytes());
        writer.put_varint(self.height);
        writer.put_signed(self.time_ms);
        self.holders.write(&mut writer);
        writer.put_u8(u8::from(self.cleared.is_some()));
        writer.put_varint(self.cleared.unwrap_or(0));
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let by = take_member(&mut reader)?;
        let id = take_text(&mut reader, "id")?;
        let document = take_document(&mut reader)?;
        let given = reader.flag("amount")?;
        let amount = take_fen(&mut reader)?;
        let incident = Self {
            by,
            id,
            document,
            amount: given.then_some(amount),
            largest: take_fen(&mut reader)?,
            code: take_text(&mut reader, "code")?,
            height: reader.varint("height")?,
            time_ms: reader.signed("time")?,
            holders: Holders::read(&mut reader)?,
            cleared: {
                let cleared = reader.flag("cleared")?;
                let index = reader.varint("cleared")?;
                cleared.then_some(index)
            },
        };
        reader.finish()?;
        Ok(incident)
    }
}

/// A document that is over-claimed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverClaim {
    /// The reversal since which it is so.
    pub(crate) since: u64,
    /// What reversals left to claim.
    pub(crate) capacity: Fen,
}

impl OverClaim {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(16);
        writer.put_varint(self.since);
        writer.put_signed(self.capacity.get());
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let over = Self {
            since: reader.varint("since")?,
            capacity: take_fen(&mut reader)?,
        };
        reader.finish()?;
        Ok(over)
    }
}

/// One claimant's attempts on what another held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) tally: Tally,
    pub(crate) last: u64,
}

impl Pair {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(16);
        self.tally.write(&mut writer);
        writer.put_varint(self.last);
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let pair = Self {
            tally: Tally::read(&mut reader)?,
            last: reader.varint("last")?,
        };
        reader.finish()?;
        Ok(pair)
    }
}
