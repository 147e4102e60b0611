//! What is known of an issuer.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::money::Fen;

use super::Tally;
use crate::codec::take_fen;

/// An issuer's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merchant {
    pub(crate) issued: Tally,
    /// Documents whose total is a whole multiple of 100 yuan.
    pub(crate) round: u64,
    pub(crate) reversed: Tally,
    /// Reversals of what was claimed already.
    pub(crate) late: u64,
    pub(crate) quota_refused: u64,
    /// Documents that it issued here, by the hour of their block.
    pub(crate) timed: u64,
    /// Hours in which it issued, the current one included.
    pub(crate) hours: u64,
    pub(crate) hour: u32,
    pub(crate) hour_count: u64,
    /// The hour that stood out most: its number of documents, and of those and the hours before.
    pub(crate) burst_hour: u32,
    pub(crate) burst_count: u64,
    pub(crate) burst_before: u64,
    pub(crate) burst_hours: u64,
    /// Over the issuer's own series: numbers from the lowest to the highest, and how many of them
    /// are not there.
    pub(crate) span: u64,
    pub(crate) missing: u64,
    /// The fullest month: its quota, and what was billed in it before reversals.
    pub(crate) quota_limit: Fen,
    pub(crate) quota_billed: Fen,
    pub(crate) quota_year: u16,
    pub(crate) quota_month: u8,
    /// The last record that changed it.
    pub(crate) last: u64,
}

impl Merchant {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        self.issued.write(&mut writer);
        self.reversed.write(&mut writer);
        for number in [
            self.round,
            self.late,
            self.quota_refused,
            self.timed,
            self.hours,
            u64::from(self.hour),
            self.hour_count,
            u64::from(self.burst_hour),
            self.burst_count,
            self.burst_before,
            self.burst_hours,
            self.span,
            self.missing,
            self.last,
        ] {
            writer.put_varint(number);
        }
        writer.put_signed(self.quota_limit.get());
        writer.put_signed(self.quota_billed.get());
        writer.put_u16(self.quota_year);
        writer.put_u8(self.quota_month);
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let hour =
            |number: u64| u32::try_from(number).map_err(|_| DecodeError::Invalid { what: "hour" });
        let merchant = Self {
            issued: Tally::read(&mut reader)?,
            reversed: Tally::read(&mut reader)?,
            round: reader.varint("round")?,
            late: reader.varint("late")?,
            quota_refused: reader.varint("refused")?,
            timed: reader.varint("timed")?,
            hours: reader.varint("hours")?,
            hour: hour(reader.varint("hour")?)?,
            hour_count: reader.varint("hour")?,
            burst_hour: hour(reader.varint("hour")?)?,
            burst_count: reader.varint("burst")?,
            burst_before: reader.varint("burst")?,
            burst_hours: reader.varint("burst")?,
            span: reader.varint("span")?,
            missing: reader.varint("missing")?,
            last: reader.varint("last")?,
            quota_limit: take_fen(&mut reader)?,
            quota_billed: take_fen(&mut reader)?,
            quota_year: reader.u16("year")?,
            quota_month: reader.u8("month")?,
        };
        reader.finish()?;
        Ok(merchant)
    }
}

/// The numbers of one series that an issuer used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) lowest: u64,
    pub(crate) highest: u64,
    pub(crate) count: u64,
}

impl Series {
    pub(crate) fn add(&mut self, number: u64) {
        if self.count == 0 {
            (self.lowest, self.highest) = (number, number);
        }
        self.lowest = self.lowest.min(number);
        self.highest = self.highest.max(number);
        self.count = self.count.saturating_add(1);
    }

    /// Whether a number lies between two that were used.
    pub(crate) fn is_within(&self, number: u64) -> bool {
        self.count > 0 && self.lowest < number && number < self.highest
    }

    /// How many numbers there are from the lowest to the highest.
    pub(crate) fn span(&self) -> u64 {
        if self.count == 0 {
            return 0;
        }
        self.highest.saturating_sub(self.lowest).saturating_add(1)
    }

    pub(crate) fn missing(&self) -> u64 {
        self.span().saturating_sub(self.count)
    }

    /// A series without a number is an empty value, which is no row.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.count == 0 {
            return Vec::new();
        }
        let mut writer = Writer::with_capacity(24);
        writer.put_varint(self.lowest);
        writer.put_varint(self.highest);
        writer.put_varint(self.count);
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let series = Self {
            lowest: reader.varint("lowest")?,
            highest: reader.varint("highest")?,
            count: reader.varint("count")?,
        };
        reader.finish()?;
        Ok(series)
    }
}

/// A month's quota and what was billed in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) limit: Option<Fen>,
    pub(crate) billed: Fen,
}

impl Quota {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(20);
        writer.put_u8(u8::from(self.limit.is_some()));
        writer.put_signed(self.limit.map_or(0, Fen::get));
        writer.put_signed(self.billed.get());
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let given = reader.flag("limit")?;
        let limit = take_fen(&mut reader)?;
        let quota = Self {
            limit: given.then_some(limit),
            billed: take_fen(&mut reader)?,
        };
        reader.finish()?;
        Ok(quota)
    }
}
