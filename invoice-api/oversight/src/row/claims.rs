//! Live locks, and what claimants hold.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;

use crate::codec::{
    plus, put_document, put_short, take_document, take_fen, take_member, take_text,
};

/// Holders that one row names; their number is exact.
const HOLDERS_NAMED_MAX: usize = 8;

/// A live lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) index: u64,
    pub(crate) document: DocumentKey,
    pub(crate) amount: Fen,
    pub(crate) locked_ms: i64,
    pub(crate) expires_ms: i64,
    /// The word of the claim's kind.
    pub(crate) kind: String,
}

impl Lock {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.put_varint(self.index);
        put_document(&mut writer, &self.document);
        writer.put_signed(self.amount.get());
        writer.put_signed(self.locked_ms);
        writer.put_signed(self.expires_ms);
        put_short(&mut writer, self.kind.as_bytes());
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let lock = Self {
            index: reader.varint("index")?,
            document: take_document(&mut reader)?,
            amount: take_fen(&mut reader)?,
            locked_ms: reader.signed("locked at")?,
            expires_ms: reader.signed("expires at")?,
            kind: take_text(&mut reader, "kind")?,
        };
        reader.finish()?;
        Ok(lock)
    }
}

/// What one claimant holds on one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Live locks.
    pub(crate) locks: u64,
    pub(crate) locked: Fen,
    pub(crate) settled: Fen,
}

impl Holding {
    /// All that it holds.
    pub(crate) fn money(&self) -> Fen {
        plus(self.locked, self.settled)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.locks == 0 && self.settled == Fen::ZERO {
            return Vec::new();
        }
        let mut writer = Writer::with_capacity(16);
        self.write(&mut writer);
        writer.into_bytes()
    }

    fn write(&self, writer: &mut Writer) {
        writer.put_varint(self.locks);
        writer.put_signed(self.locked.get());
        writer.put_signed(self.settled.get());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            locks: reader.varint("locks")?,
            locked: take_fen(reader)?,
            settled: take_fen(reader)?,
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let holding = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(holding)
    }
}

/// Everyone who holds money on a document: so many, the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holders {
    pub(crate) number: u64,
    pub(crate) named: Vec<(MemberId, Holding)>,
}

impl From<Vec<(MemberId, Holding)>> for Holders {
    fn from(mut holders: Vec<(MemberId, Holding)>) -> Self {
        let number = holders.len() as u64;
        holders.truncate(HOLDERS_NAMED_MAX);
        Self {
            number,
            named: holders,
        }
    }
}

impl Holders {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put_varint(self.number);
        writer.put_u8(u8::try_from(self.named.len()).unwrap_or(0));
        for (member, holding) in &self.named {
            writer.put(member.as_bytes());
            holding.write(writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = reader.varint("holders")?;
        let mut named = Vec::new();
        for _ in 0..reader.u8("holders")? {
            named.push((take_member(reader)?, Holding::read(reader)?));
        }
        Ok(Self { number, named })
    }
}
