//! The values of rows.

use invoice_core::codec::{DecodeError, Reader, Writer};
use invoice_core::crypto::Hash;
use invoice_core::identity::{DocumentKey, MemberId};
use invoice_core::money::Fen;

use crate::codec::{
    plus, put_document, put_short, take_document, take_fen, take_member, take_short, take_text,
};

/// Holders that one row names; their number is exact.
pub(crate) const HOLDERS_NAMED_MAX: usize = 8;
/// Kinds of records that a member's row counts apart.
const TYPES_MAX: usize = 255;

/// How far the rows are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// [`FOLD_VERSION`](crate::FOLD_VERSION) of whoever wrote the rows.
    pub version: u32,
    /// Hash of the chain's genesis file.
    pub genesis: Hash,
    /// The last block that was folded.
    pub height: u64,
    /// Its id; the genesis hash at height 0.
    pub block: Hash,
    /// Its time, in milliseconds.
    pub time_ms: i64,
    /// Records of the log up to it.
    pub log_size: u64,
    /// Blocks whose records could not be read any more, since their year was moved away before
    /// they were folded. Their records are in no figure.
    pub left_out: u64,
}

impl Head {
    /// Before the first block.
    #[must_use]
    pub const fn genesis(version: u32, genesis: Hash, time_ms: i64) -> Self {
        Self {
            version,
            genesis,
            height: 0,
            block: genesis,
            time_ms,
            log_size: 0,
            left_out: 0,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.put_u32(self.version);
        writer.put(self.genesis.as_bytes());
        writer.put_u64(self.height);
        writer.put(self.block.as_bytes());
        writer.put_i64(self.time_ms);
        writer.put_u64(self.log_size);
        writer.put_u64(self.left_out);
        writer.into_bytes()
    }

    /// Reads the row; of another version only that much is sure to be readable.
    ///
    /// # Errors
    /// The bytes are no such row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let head = Self {
            version: reader.u32("version")?,
            genesis: reader.hash("genesis")?,
            height: reader.u64("height")?,
            block: reader.hash("block")?,
            time_ms: reader.i64("time")?,
            log_size: reader.u64("log size")?,
            left_out: reader.u64("left out")?,
        };
        reader.finish()?;
        Ok(head)
    }
}

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

/// A claim that was refused while others held money on the document, or a reversal of what was
/// claimed, or of what is over-claimed since: who did what to which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) by: MemberId,
    pub(crate) id: String,
    pub(crate) document: DocumentKey,
    /// What was asked, taken or is in excess.
    pub(crate) amount: Option<Fen>,
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

    pub(crate) fn encode(&self) -> Vec<u8> {
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

/// What a member did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) last: u64,
    /// By the word of the record's type, sorted: accepted, refused.
    pub(crate) types: Vec<(String, u64, u64)>,
}

impl Activity {
    pub(crate) fn add(&mut self, kind: &str, accepted: bool) {
        let place = self
            .types
            .binary_search_by(|(known, ..)| known.as_str().cmp(kind));
        let place = match place {
            Ok(place) => place,
            Err(_) if self.types.len() >= TYPES_MAX => return,
            Err(place) => {
                self.types.insert(place, (kind.to_owned(), 0, 0));
                place
            }
        };
        if let Some((_, good, bad)) = self.types.get_mut(place) {
            let counter = if accepted { good } else { bad };
            *counter = counter.saturating_add(1);
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.put_signed(self.first_ms);
        writer.put_signed(self.last_ms);
        writer.put_varint(self.last);
        writer.put_u8(u8::try_from(self.types.len()).unwrap_or(u8::MAX));
        for (kind, accepted, refused) in &self.types {
            put_short(&mut writer, kind.as_bytes());
            writer.put_varint(*accepted);
            writer.put_varint(*refused);
        }
        writer.into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut reader = Reader::new(bytes);
        let mut activity = Self {
            first_ms: reader.signed("first")?,
            last_ms: reader.signed("last")?,
            last: reader.varint("last")?,
            types: Vec::new(),
        };
        for _ in 0..reader.u8("types")? {
            let kind = take_short(&mut reader, "type")?;
            let kind = std::str::from_utf8(kind)
                .map_err(|_| DecodeError::Invalid { what: "type" })?
                .to_owned();
            let counts = (reader.varint("accepted")?, reader.varint("refused")?);
            activity.types.push((kind, counts.0, counts.1));
        }
        reader.finish()?;
        Ok(activity)
    }
}
