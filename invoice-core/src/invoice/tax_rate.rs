//! Tax rates, and when each was in force.

use std::fmt;

use crate::calendar::Date;
use crate::money::Fen;
use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// A rate of 1, in the unit in which fractions are kept.
const ONE: i128 = 1_000_000;

/// What tax a line bears. The three literals are kept apart from a rate of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxRate {
    /// A fraction of the amount, in millionths: "0.06", "0.060" and "0.060000" are 60,000.
    Fraction(u32),
    /// 免税.
    Exempt,
    /// 不征税.
    NotTaxable,
    /// `***`: several rates, or taxed on a margin (差额征税).
    Starred,
}

/// A rate and its days, both included; `None` is open.
struct InForce {
    millionths: u32,
    from: Option<(i32, u32, u32)>,
    until: Option<(i32, u32, u32)>,
}

const fn rate(
    millionths: u32,
    from: Option<(i32, u32, u32)>,
    until: Option<(i32, u32, u32)>,
) -> InForce {
    InForce {
        millionths,
        from,
        until,
    }
}

/// VAT rates (税率) and levy rates (征收率) by date of issue.
const RATES: &[InForce] = &[
    // 财税〔2018〕32号: 17 and 11 % become 16 and 10 % on 2018-05-01.
    rate(170_000, None, Some((2018, 4, 30))),
    rate(110_000, None, Some((2018, 4, 30))),
    // 财政部 税务总局 海关总署公告2019年第39号: 16 and 10 % become 13 and 9 % on 2019-04-01.
    rate(160_000, Some((2018, 5, 1)), Some((2019, 3, 31))),
    rate(100_000, Some((2018, 5, 1)), Some((2019, 3, 31))),
    rate(130_000, Some((2019, 4, 1)), None),
    rate(90_000, Some((2019, 4, 1)), None),
    // 财税〔2017〕37号: the old class of 13 % ends on 2017-06-30.
    rate(130_000, None, Some((2017, 6, 30))),
    rate(60_000, None, None),
    rate(0, None, None),
    // Levy rates. 3 %: 增值税法 art. 11 from 2026, 暂行条例 art. 12 before.
    rate(30_000, None, None),
    // 财税〔2016〕36号: real estate and labour dispatch. Its end is unconfirmed.
    rate(50_000, Some((2016, 5, 1)), None),
    // 财税〔2016〕36号: individuals who let dwellings. Its end is unconfirmed.
    rate(15_000, Some((2016, 5, 1)), None),
    // 财政部 税务总局公告2020年第13号, 2023年第1号, 2023年第19号. Whether it held between
    // 2022-04-01 and 2022-12-31, when small taxpayers were exempt, and its end are unconfirmed:
    // neither is enforced.
    rate(10_000, Some((2020, 3, 1)), None),
    // 财政部 税务总局公告2020年第17号: dealers in used vehicles. Its end is unconfirmed.
    rate(5_000, Some((2020, 5, 1)), None),
];

impl TaxRate {
    /// Whether a line may bear this rate on a document of that date.
    #[must_use]
    pub fn in_force(self, date: Date) -> bool {
        let Self::Fraction(millionths) = self else {
            return true;
        };
        let day = date.parts();
        RATES.iter().any(|entry| {
            entry.millionths == millionths
                && entry.from.is_none_or(|from| from <= day)
                && entry.until.is_none_or(|until| day <= until)
        })
    }

    /// How far a line's tax is from amount times rate, in millionths of a fen; `None` for `***`.
    ///
    /// 免税 and 不征税 are due nothing.
    #[must_use]
    pub fn tax_error(self, amount: Fen, tax: Fen) -> Option<TaxError> {
        let millionths = match self {
            Self::Fraction(millionths) => i128::from(millionths),
            Self::Exempt | Self::NotTaxable => 0,
            Self::Starred => return None,
        };
        let due = i128::from(amount.get()).saturating_mul(millionths);
        let found = i128::from(tax.get()).saturating_mul(ONE);
        Some(TaxError(due.saturating_sub(found).saturating_abs()))
    }
}

/// A difference of tax, exact to the millionth of a fen; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaxError(i128);

impl TaxError {
    /// Both differences together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether the difference is more than a tolerance.
    #[must_use]
    pub fn exceeds(self, tolerance: Fen) -> bool {
        self.0 > i128::from(tolerance.get()).saturating_mul(ONE)
    }
}

impl Spelled for TaxRate {
    fn spelled(text: &str) -> Result<Self, Rule> {
        match text {
            "免税" => return Ok(Self::Exempt),
            "不征税" => return Ok(Self::NotTaxable),
            "***" => return Ok(Self::Starred),
            _ => {}
        }
        let decimals = match text.as_bytes() {
            b"0" => &b"0"[..],
            [b'0', b'.', decimals @ ..] if (1..=6).contains(&decimals.len()) => decimals,
            _ => return Err(Rule::TaxRateSpelling),
        };
        let mut millionths = 0_u32;
        for place in 0..6 {
            let digit = match decimals.get(place) {
                Some(digit @ b'0'..=b'9') => digit.saturating_sub(b'0'),
                Some(_) => return Err(Rule::TaxRateSpelling),
                None => 0,
            };
            millionths = millionths.saturating_mul(10).saturating_add(digit.into());
        }
        Ok(Self::Fraction(millionths))
    }
}

impl fmt::Display for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fraction(0) => f.write_str("0"),
            Self::Fraction(millionths) => {
                let (mut digits, mut rest) = (*b"0.000000", *millionths);
                for digit in digits.iter_mut().skip(2).rev() {
                    *digit = digit.wrapping_add(u8::try_from(rest % 10).unwrap_or_default());
                    rest = rest.div_euclid(10);
                }
                let text = std::str::from_utf8(&digits).unwrap_or_default();
                f.write_str(text.trim_end_matches('0'))
            }
            Self::Exempt => f.write_str("免税"),
            Self::NotTaxable => f.write_str("不征税"),
            Self::Starred => f.write_str("***"),
        }
    }
}

spelled_as_text!(TaxRate, r"^(0|0\.\d{1,6}|免税|不征税|\*\*\*)$", "0.06");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_fractions_or_literals() {
        let cases: &[(&str, Option<&str>)] = &[
            ("0.06", Some("0.06")),
            ("0.060", Some("0.06")),
            ("0.130000", Some("0.13")),
            ("0", Some("0")),
            ("0.00", Some("0")),
            ("0.005", Some("0.005")),
            ("免税", Some("免税")),
            ("不征税", Some("不征税")),
            ("***", Some("***")),
            ("6%", None),
            ("6", None),
            ("1.06", None),
            (".06", None),
            ("00.06", None),
            ("0.", None),
            ("-0.06", None),
            ("0.0600000", None),
            ("0.06 ", None),
            ("**", None),
            ("", None),
        ];
        for (text, written) in cases {
            let rate = TaxRate::spelled(text).ok().map(|rate| rate.to_string());
            assert_eq!(rate.as_deref(), *written, "{text}");
        }
    }

    #[test]
    fn rates_follow_the_date_of_issue() {
        let cases: &[(&str, &str, bool)] = &[
            ("0.17", "2018-04-30", true),
            ("0.17", "2018-05-01", false),
            ("0.11", "2018-04-30", true),
            ("0.16", "2018-04-30", false),
            ("0.16", "2018-05-01", true),
            ("0.16", "2019-03-31", true),
            ("0.16", "2019-04-01", false),
            ("0.10", "2019-03-31", true),
            ("0.10", "2019-04-01", false),
            ("0.13", "2017-06-30", true),
            ("0.13", "2017-07-01", false),
            ("0.13", "2019-03-31", false),
            ("0.13", "2019-04-01", true),
            ("0.09", "2019-04-01", true),
            ("0.06", "2026-11-21", true),
            ("0.03", "2026-11-21", true),
            ("0.05", "2026-11-21", true),
            ("0.01", "2026-11-21", true),
            ("0.015", "2026-11-21", true),
            ("0.005", "2026-11-21", true),
            ("0", "2026-11-21", true),
            ("0.07", "2026-11-21", false),
            ("免税", "2026-11-21", true),
            ("***", "2026-11-21", true),
        ];
        for (rate, date, valid) in cases {
            let date = Date::spelled(date).unwrap();
            assert_eq!(
                TaxRate::spelled(rate).unwrap().in_force(date),
                *valid,
                "{rate} {date}"
            );
        }
    }
}
