//! What about an issuer stands out, with the figures that say so. Signals say where to look, never
//! what is found there: each has harmless causes.

use serde::Serialize;
use utoipa::ToSchema;

use crate::row::Merchant;

/// Documents of a series, and of an issuer, from which on shares mean something.
pub const DOCUMENTS_MIN: u64 = 50;
/// Percent of a series' numbers that must be missing.
pub const GAPS_PERCENT: u64 = 1;
/// Documents of one hour from which on it may be a burst.
pub const BURST_MIN: u64 = 100;
/// How many times as many as in its usual hour.
pub const BURST_TIMES: u64 = 10;
/// Hours in which the issuer issued before, from which on there is a usual hour.
pub const BURST_HOURS: u64 = 24;
/// Percent of documents with round amounts.
pub const ROUND_PERCENT: u64 = 50;
/// Percent of documents that were reversed.
pub const REVERSED_PERCENT: u64 = 10;
/// Reversals from which on their share means something.
pub const REVERSED_MIN: u64 = 5;
/// Percent of a month's quota.
pub const QUOTA_PERCENT: i64 = 90;

/// What stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// Numbers of a series were left out (断号): at least one in a hundred, of a series of which the
    /// issuer used at least half.
    NumberGaps,
    /// Many more documents in an hour than usual.
    Burst,
    /// Half of the totals or more are whole multiples of 100 yuan.
    RoundAmounts,
    /// One document in ten or more was reversed.
    Reversals,
    /// A month's quota was nearly used up, or documents were refused beyond it.
    Quota,
    /// Documents were reversed that somebody had claimed.
    LateReversals,
}

impl SignalKind {
    /// The word in addresses and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NumberGaps => "number_gaps",
            Self::Burst => "burst",
            Self::RoundAmounts => "round_amounts",
            Self::Reversals => "reversals",
            Self::Quota => "quota",
            Self::LateReversals => "late_reversals",
        }
    }
}

/// One signal: `part` of `whole`, and the threshold it is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Signal {
    /// What stands out.
    pub kind: SignalKind,
    /// How many: missing numbers, documents of the hour, round totals, reversals, fen billed.
    pub part: u64,
    /// Of how many: numbers of the span, documents of a usual hour, documents, fen of the quota.
    pub whole: u64,
    /// The least percentage, or for a burst the least multiple, that makes it a signal; 0 where one
    /// case is enough.
    pub threshold: u64,
}

/// All signals of an issuer.
pub(crate) fn of(merchant: &Merchant) -> Vec<Signal> {
    let mut signals = Vec::new();
    let issued = merchant.issued.count;
    let share = |part: u64, whole: u64, percent: u64| {
        whole > 0 && part.saturating_mul(100) >= whole.saturating_mul(percent)
    };
    let mut tell = |kind, part, whole, threshold| {
        signals.push(Signal {
            kind,
            part,
            whole,
            threshold,
        });
    };
    let (missing, span) = (merchant.missing, merchant.span);
    if missing > 0 && span >= DOCUMENTS_MIN && share(missing, span, GAPS_PERCENT) {
        tell(SignalKind::NumberGaps, missing, span, GAPS_PERCENT);
    }
    if merchant.burst_count > 0 {
        let usual = merchant.burst_before / merchant.burst_hours.max(1);
        tell(SignalKind::Burst, merchant.burst_count, usual, BURST_TIMES);
    }
    if issued >= DOCUMENTS_MIN && share(merchant.round, issued, ROUND_PERCENT) {
        tell(
            SignalKind::RoundAmounts,
            merchant.round,
            issued,
            ROUND_PERCENT,
        );
    }
    let reversed = merchant.reversed.count;
    if reversed >= REVERSED_MIN && share(reversed, issued, REVERSED_PERCENT) {
        tell(SignalKind::Reversals, reversed, issued, REVERSED_PERCENT);
    }
    let (billed, limit) = (merchant.quota_billed.get(), merchant.quota_limit.get());
    let full = limit > 0 && billed / QUOTA_PERCENT >= limit / 100;
    if full || merchant.quota_refused > 0 {
        let number = |fen: i64| u64::try_from(fen).unwrap_or(0);
        tell(
            SignalKind::Quota,
            number(billed),
            number(limit),
            QUOTA_PERCENT.unsigned_abs(),
        );
    }
    if merchant.late > 0 {
        tell(SignalKind::LateReversals, merchant.late, reversed, 0);
    }
    signals
}

/// Whether an hour stands out, given what the issuer did in the hours before.
pub(crate) const fn is_burst(count: u64, before: u64, hours: u64) -> bool {
    count >= BURST_MIN
        && hours >= BURST_HOURS
        && count.saturating_mul(hours) >= before.saturating_mul(BURST_TIMES)
}
