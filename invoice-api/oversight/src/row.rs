//! The values of rows.

mod activity;
mod claims;
mod head;
mod incidents;
mod merchant;

pub(crate) use activity::Activity;
pub(crate) use claims::{Holders, Holding, Lock};
pub use head::Head;
pub(crate) use incidents::{Incident, OverClaim, Pair};
pub(crate) use merchant::{Merchant, Quota, Series};

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::money::Fen;

use crate::codec::{plus, take_fen};

/// A number of things and the money in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) amount: Fen,
}

impl Tally {
    pub(crate) fn add(&mut self, amount: Fen) {
        self.count = self.count.saturating_add(1);
        self.amount = plus(self.amount, amount);
    }

    pub(crate) fn take(&mut self, amount: Fen) {
        self.count = self.count.saturating_sub(1);
        self.amount = crate::codec::minus(self.amount, amount);
    }

    /// Changes the money in what is counted already.
    pub(crate) fn shift(&mut self, from: Fen, to: Fen) {
        self.amount = plus(self.amount, crate::codec::minus(to, from));
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put_varint(self.count);
        writer.put_signed(self.amount.get());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            count: reader.varint("count")?,
            amount: take_fen(reader)?,
        })
    }

    /// An empty value is nothing counted.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let tally = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(tally)
    }

    /// Nothing counted is an empty value, which is no row.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if *self == Self::default() {
            return Vec::new();
        }
        let mut writer = Writer::with_capacity(12);
        self.write(&mut writer);
        writer.into_bytes()
    }
}
