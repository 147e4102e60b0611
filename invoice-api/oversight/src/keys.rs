//! Every kind of row, with its key. All integers are big-endian.
//!
//! | first byte | rest of the key | value |
//! |---|---|---|
//! | 0 head | | how far the rows are complete (`row.rs`) |
//! | 1 cell | measure, level, hour or day u32, region, kind | count varint, amount signed |
//! | 2 list | name | number of entries, last entry (varints) |
//! | 3 chunk | name, 0, number u32 | up to 256 leaf indexes, each as the distance from the one before |
//! | 4 code | code of a refusal | count varint, amount signed |
//! | 5 lock | claimant (18), record id | a live lock |
//! | 6 lock order | day u32 of locking, leaf index u64 | claimant, record id |
//! | 7 lock expiry | expiry in ms u64, leaf index u64 | claimant, record id |
//! | 8 lock day | day u32 of locking | live locks of that day: count, amount |
//! | 9 holder | document key, claimant (18) | what the claimant holds on the document |
//! | 10 attempt | leaf index u64 | a claim that was refused while others held money |
//! | 11 pair | who tried (18), who held (18) | count, amount, last leaf index |
//! | 12 pair rank | !count u64, who tried, who held | |
//! | 13 over-claimed | document key | leaf index of the reversal, capacity left, while it is so |
//! | 14 over-claim | leaf index u64 | document, excess, the largest excess, holders, when cleared |
//! | 15 late reversal | leaf index u64 | a reversal of what was claimed already |
//! | 16 merchant | member (18) | an issuer's figures |
//! | 17 merchant rank | !signals, !log2 of documents, member (18) | |
//! | 18 series | member (18), beginning of the number | lowest, highest, count |
//! | 19 member | member (18) | a member's activity |
//! | 20 quota | member (18), year u16, month u8 | limit, billed |
//! | 21 alias | document key | document key |
//! | 22 total | number | count varint, amount signed |
//! | 23 issuer | document key | member (18): of documents whose records do not tell (`fold/origin.rs`) |
//! | 24 frozen | document key | leaf index u64 of the record that froze it, while it is so |
//! | 25 frozen order | leaf index u64 | document key |
//!
//! A list's name ends with what tells it from others; names are ended by a zero byte in chunk
//! keys only to keep `a` and `ab` apart, which never share a first letter and length.

use invoice_core::identity::{DocumentKey, MemberId, RecordId};

/// The version of the rows: another one is folded anew.
pub const FOLD_VERSION: u32 = 3;

pub(crate) const HEAD: u8 = 0;
pub(crate) const CELL: u8 = 1;
pub(crate) const LIST: u8 = 2;
pub(crate) const CHUNK: u8 = 3;
pub(crate) const CODE: u8 = 4;
pub(crate) const LOCK: u8 = 5;
pub(crate) const LOCK_ORDER: u8 = 6;
pub(crate) const LOCK_EXPIRY: u8 = 7;
pub(crate) const LOCK_DAY: u8 = 8;
pub(crate) const HOLDER: u8 = 9;
pub(crate) const ATTEMPT: u8 = 10;
pub(crate) const PAIR: u8 = 11;
pub(crate) const PAIR_RANK: u8 = 12;
pub(crate) const OVER: u8 = 13;
pub(crate) const OVER_LOG: u8 = 14;
pub(crate) const LATE: u8 = 15;
pub(crate) const MERCHANT: u8 = 16;
pub(crate) const MERCHANT_RANK: u8 = 17;
pub(crate) const SERIES: u8 = 18;
pub(crate) const MEMBER: u8 = 19;
pub(crate) const QUOTA: u8 = 20;
pub(crate) const ALIAS: u8 = 21;
pub(crate) const TOTAL: u8 = 22;
pub(crate) const ISSUER: u8 = 23;
pub(crate) const FROZEN: u8 = 24;
pub(crate) const FROZEN_ORDER: u8 = 25;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Measure {
    /// Documents that were issued or registered.
    Issued = 1,
    /// Reversals (红冲).
    Reversed = 2,
    /// Locks.
    Locked = 3,
    /// Settlements.
    Settled = 4,
    /// Refused records.
    Refused = 5,
    /// Claims that were refused while others held money on the document.
    Attempted = 6,
}

impl Measure {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Issued,
        Self::Reversed,
        Self::Locked,
        Self::Settled,
        Self::Refused,
        Self::Attempted,
    ];

    /// The word in addresses and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Reversed => "reversed",
            Self::Locked => "locked",
            Self::Settled => "settled",
            Self::Refused => "refused",
            Self::Attempted => "attempted",
        }
    }

    /// The measure of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|measure| measure.as_str() == word)
    }
}

/// How long a bucket of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Hours since 1970 UTC, which begin with those of UTC+8.
    Hour = 0,
    /// Days since 1970-01-01 in UTC+8.
    Day = 1,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const UTC8_MS: i64 = 8 * HOUR_MS;

impl Level {
    /// The bucket of an instant in milliseconds; instants before 1970 are in the first.
    #[must_use]
    pub fn bucket(self, time_ms: i64) -> u32 {
        let number = match self {
            Self::Hour => time_ms.div_euclid(HOUR_MS),
            Self::Day => time_ms.saturating_add(UTC8_MS).div_euclid(DAY_MS),
        };
        u32::try_from(number.max(0)).unwrap_or(u32::MAX)
    }

    /// The first millisecond of a bucket.
    #[must_use]
    pub fn start_ms(self, bucket: u32) -> i64 {
        match self {
            Self::Hour => i64::from(bucket).saturating_mul(HOUR_MS),
            Self::Day => i64::from(bucket)
                .saturating_mul(DAY_MS)
                .saturating_sub(UTC8_MS),
        }
    }

    /// The word in addresses and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// A key of its parts.
pub(crate) fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut key = Vec::with_capacity(length.saturating_add(1));
    key.push(kind);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// The first key after all that begin so.
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    vec![u8::MAX; 64]
}

pub(crate) fn head() -> Vec<u8> {
    vec![HEAD]
}

pub(crate) fn cell(measure: Measure, level: Level, time: u32, region: u8, kind: u8) -> Vec<u8> {
    key(
        CELL,
        &[
            &[measure as u8, level as u8],
            &time.to_be_bytes(),
            &[region, kind],
        ],
    )
}

pub(crate) fn total(total: Total) -> Vec<u8> {
    vec![TOTAL, total as u8]
}

pub(crate) fn lock(by: &MemberId, id: &RecordId) -> Vec<u8> {
    key(LOCK, &[by.as_bytes(), id.as_str().as_bytes()])
}

pub(crate) fn lock_expiry(expires_ms: i64, index: u64) -> Vec<u8> {
    let expires = u64::try_from(expires_ms).unwrap_or(0);
    key(LOCK_EXPIRY, &[&expires.to_be_bytes(), &index.to_be_bytes()])
}

pub(crate) fn lock_order(locked_ms: i64, index: u64) -> Vec<u8> {
    let day = Level::Day.bucket(locked_ms);
    key(LOCK_ORDER, &[&day.to_be_bytes(), &index.to_be_bytes()])
}

pub(crate) fn by_index(kind: u8, index: u64) -> Vec<u8> {
    key(kind, &[&index.to_be_bytes()])
}

pub(crate) fn by_document(kind: u8, document: &DocumentKey) -> Vec<u8> {
    key(kind, &[&document.to_bytes()])
}

pub(crate) fn by_member(kind: u8, member: &MemberId) -> Vec<u8> {
    key(kind, &[member.as_bytes()])
}

pub(crate) fn holder(document: &DocumentKey, member: &MemberId) -> Vec<u8> {
    key(HOLDER, &[&document.to_bytes(), member.as_bytes()])
}

pub(crate) fn pair_rank(count: u64, tried: &MemberId, held: &MemberId) -> Vec<u8> {
    let rank = !count;
    key(
        PAIR_RANK,
        &[&rank.to_be_bytes(), tried.as_bytes(), held.as_bytes()],
    )
}

/// Sums over the whole chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Total {
    Issued = 1,
    Reversed = 2,
    Locked = 3,
    Settled = 4,
    Refused = 5,
    Attempted = 6,
    /// Locks that are live now.
    Live = 7,
    /// Locks that ran out.
    Expired = 8,
    /// Documents that are over-claimed now, with the excess.
    OverOpen = 9,
    /// All that ever were, each with its largest excess.
    Over = 10,
    Late = 11,
    Members = 12,
    Merchants = 13,
    /// Merchants with a signal.
    Signalled = 14,
    Frozen = 15,
}

impl From<Measure> for Total {
    fn from(measure: Measure) -> Self {
        match measure {
            Measure::Issued => Self::Issued,
            Measure::Reversed => Self::Reversed,
            Measure::Locked => Self::Locked,
            Measure::Settled => Self::Settled,
            Measure::Refused => Self::Refused,
            Measure::Attempted => Self::Attempted,
        }
    }
}
