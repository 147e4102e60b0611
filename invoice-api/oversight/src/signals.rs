//! What about an issuer stands out, with the figures that say so. Signals say where to look, never
//! what is found there: each has harmless causes.

use invoice_core::money::Fen;
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

/// What stands out, with its figures and the threshold that makes it a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Signal {
    /// Numbers of a series were left out (断号): at least one in a hundred, of a series of which the
    /// issuer used at least half.
    NumberGaps {
        /// Numbers that are not there.
        missing: u64,
        /// Numbers from the lowest to the highest.
        numbers: u64,
        /// The least percentage.
        percent: u64,
    },
    /// Many more documents in an hour than usual.
    Burst {
        /// Documents of the hour.
        documents: u64,
        /// Documents of a usual hour.
        usual: u64,
        /// The least multiple.
        times: u64,
    },
    /// Half of the totals or more are whole multiples of 100 yuan.
    RoundAmounts {
        /// Documents with such a total.
        round: u64,
        /// Documents.
        documents: u64,
        /// The least percentage.
        percent: u64,
    },
    /// One document in ten or more was reversed.
    Reversals {
        /// Reversals.
        reversals: u64,
        /// Documents.
        documents: u64,
        /// The least percentage.
        percent: u64,
    },
    /// A month's quota was nearly used up, or documents were refused beyond it.
    Quota {
        /// Billed in the fullest month without tax, reversals not deducted.
        billed: Fen,
        /// Its quota.
        limit: Fen,
        /// Documents that were refused beyond a quota: one is enough.
        refused: u64,
        /// The least percentage otherwise.
        percent: u64,
    },
    /// Documents were reversed that somebody had claimed: one is enough.
    LateReversals {
        /// Such reversals.
        late: u64,
        /// All reversals.
        reversals: u64,
    },
}

/// All signals of an issuer.
pub(crate) fn of(merchant: &Merchant) -> Vec<Signal> {
    let mut signals = Vec::new();
    let documents = merchant.issued.count;
    let share = |part: u64, whole: u64, percent: u64| {
        whole > 0 && part.saturating_mul(100) >= whole.saturating_mul(percent)
    };
    let (missing, numbers) = (merchant.missing, merchant.span);
    if missing > 0 && numbers >= DOCUMENTS_MIN && share(missing, numbers, GAPS_PERCENT) {
        signals.push(Signal::NumberGaps {
            missing,
            numbers,
            percent: GAPS_PERCENT,
        });
    }
    if merchant.burst_count > 0 {
        signals.push(Signal::Burst {
            documents: merchant.burst_count,
            usual: merchant.burst_before / merchant.burst_hours.max(1),
            times: BURST_TIMES,
        });
    }
    if documents >= DOCUMENTS_MIN && share(merchant.round, documents, ROUND_PERCENT) {
        signals.push(Signal::RoundAmounts {
            round: merchant.round,
            documents,
            percent: ROUND_PERCENT,
        });
    }
    let reversals = merchant.reversed.count;
    if reversals >= REVERSED_MIN && share(reversals, documents, REVERSED_PERCENT) {
        signals.push(Signal::Reversals {
            reversals,
            documents,
            percent: REVERSED_PERCENT,
        });
    }
    let (billed, limit) = (merchant.quota_billed, merchant.quota_limit);
    let product = |one: i64, other: i64| i128::from(one).saturating_mul(other.into());
    let full =
        limit > Fen::ZERO && product(billed.get(), 100) >= product(limit.get(), QUOTA_PERCENT);
    if full || merchant.quota_refused > 0 {
        signals.push(Signal::Quota {
            billed,
            limit,
            refused: merchant.quota_refused,
            percent: QUOTA_PERCENT.unsigned_abs(),
        });
    }
    if merchant.late > 0 {
        signals.push(Signal::LateReversals {
            late: merchant.late,
            reversals,
        });
    }
    signals
}

/// Whether an hour stands out, given what the issuer did in the hours before.
pub(crate) const fn is_burst(count: u64, before: u64, hours: u64) -> bool {
    count >= BURST_MIN
        && hours >= BURST_HOURS
        && count.saturating_mul(hours) >= before.saturating_mul(BURST_TIMES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Tally;

    /// An issuer of whom nothing stands out.
    fn plain(documents: u64) -> Merchant {
        Merchant {
            issued: Tally {
                count: documents,
                amount: Fen::new(1),
            },
            ..Merchant::default()
        }
    }

    fn reversed(count: u64) -> Tally {
        Tally {
            count,
            amount: Fen::new(1),
        }
    }

    #[test]
    fn each_signal_begins_at_its_threshold() {
        let one = |change: fn(&mut Merchant), documents| {
            let mut merchant = plain(documents);
            change(&mut merchant);
            of(&merchant).len()
        };
        type Change = fn(&mut Merchant);
        let cases: [(Change, u64, usize); 17] = [
            (|_| {}, 1_000, 0),
            (|m| (m.missing, m.span) = (1, 100), 99, 1),
            (|m| (m.missing, m.span) = (1, 101), 100, 0),
            (|m| (m.missing, m.span) = (1, 49), 48, 0),
            (|m| (m.burst_count, m.burst_hours) = (100, 24), 200, 1),
            (|m| m.round = 25, 50, 1),
            (|m| m.round = 24, 50, 0),
            (|m| m.round = 49, 49, 0),
            (|m| m.reversed = reversed(5), 50, 1),
            (|m| m.reversed = reversed(5), 51, 0),
            (|m| m.reversed = reversed(4), 4, 0),
            (
                |m| (m.quota_billed, m.quota_limit) = (Fen::new(90), Fen::new(100)),
                1,
                1,
            ),
            (
                |m| (m.quota_billed, m.quota_limit) = (Fen::new(89), Fen::new(100)),
                1,
                0,
            ),
            (
                |m| (m.quota_billed, m.quota_limit) = (Fen::new(8), Fen::new(9)),
                1,
                0,
            ),
            (|m| m.quota_refused = 1, 1, 1),
            (|m| m.late = 1, 1, 1),
            (|m| m.quota_billed = Fen::new(5), 1, 0),
        ];
        for (number, (change, documents, signals)) in cases.into_iter().enumerate() {
            assert_eq!(one(change, documents), signals, "case {number}");
        }
    }

    #[test]
    fn a_burst_is_ten_usual_hours_in_one() {
        for (count, before, hours, burst) in [
            (100, 240, 24, true),
            (99, 24, 24, false),
            (100, 241, 24, false),
            (100, 24, 23, false),
        ] {
            assert_eq!(
                is_burst(count, before, hours),
                burst,
                "{count} {before} {hours}"
            );
        }
    }
}
