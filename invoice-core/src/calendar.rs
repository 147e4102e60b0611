//! Dates, months and instants, without a clock.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta};

use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// Milliseconds that Chinese civil time (GB/T 7408.1, UTC+8) is ahead of UTC.
const UTC8_MS: i64 = 8 * 60 * 60 * 1000;

/// A day of the calendar, spelled `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl Date {
    /// The day, unless the calendar lacks it or its year is outside 1 to 9999.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The year, 1 to 9999 for every date that was read.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month in which the day lies.
    #[must_use]
    pub fn month(self) -> Month {
        Month {
            year: self.0.year(),
            month: self.0.month(),
        }
    }

    /// Days since 1970-01-01; negative before it.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0.to_epoch_days()
    }

    /// The day that lies so many days after 1970-01-01, where the calendar reaches.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        NaiveDate::from_epoch_days(days).map(Self)
    }

    /// The day after, unless the calendar ends.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.succ_opt().map(Self)
    }

    /// Reads `YYYYMMDD`, the form inside QR texts and fiscal e-bills.
    ///
    /// # Errors
    /// [`Rule::DateSpelling`].
    pub fn parse_compact(text: &str) -> Result<Self, Rule> {
        let (Some(year), Some(month), Some(day), 8) =
            (text.get(..4), text.get(4..6), text.get(6..), text.len())
        else {
            return Err(Rule::DateSpelling);
        };
        Self::from_parts(year, month, day)
    }

    /// Writes `YYYYMMDD`.
    #[must_use]
    pub fn to_compact(self) -> String {
        format!(
            "{:04}{:02}{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }

    fn from_parts(year: &str, month: &str, day: &str) -> Result<Self, Rule> {
        let date = || Self::new(number(year)?.try_into().ok()?, number(month)?, number(day)?);
        date().ok_or(Rule::DateSpelling)
    }
}

impl Spelled for Date {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let (Some(year), Some("-"), Some(month), Some("-"), Some(day), 10) = (
            text.get(..4),
            text.get(4..5),
            text.get(5..7),
            text.get(7..8),
            text.get(8..),
            text.len(),
        ) else {
            return Err(Rule::DateSpelling);
        };
        Self::from_parts(year, month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }
}

spelled_as_text!(Date, r"^\d{4}-\d{2}-\d{2}$", "2026-11-21");

/// A month of the calendar, spelled `YYYY-MM`: the period of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// 1 to 9999.
    year: i32,
    /// 1 to 12.
    month: u32,
}

impl Month {
    /// The month, unless the calendar lacks it.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        Date::new(year, month, 1).map(Date::month)
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month of the year, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u32 {
        self.month
    }
}

impl Spelled for Month {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let (Some(year), Some("-"), Some(month), 7) =
            (text.get(..4), text.get(4..5), text.get(5..), text.len())
        else {
            return Err(Rule::MonthSpelling);
        };
        Date::from_parts(year, month, "01")
            .map(Date::month)
            .map_err(|_| Rule::MonthSpelling)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

spelled_as_text!(Month, r"^\d{4}-\d{2}$", "2026-11");

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// That many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 §5.6 with its offset; what is finer than a millisecond is cut off.
    ///
    /// A leap second is the first second of the next minute.
    ///
    /// # Errors
    /// [`Rule::TimeSpelling`], also for an instant that in UTC+8 lies outside the years 1 to 9999:
    /// it could not be written again.
    pub fn parse_rfc3339(text: &str) -> Result<Self, Rule> {
        rfc3339_ms(text).map(Self).ok_or(Rule::TimeSpelling)
    }

    /// The instant so many milliseconds later, unless it leaves the range of the type.
    #[must_use]
    pub fn checked_add_ms(self, ms: i64) -> Option<Self> {
        self.0.checked_add(ms).map(Self)
    }

    /// The day in UTC+8. Instants beyond the calendar give its first or last day.
    #[must_use]
    pub fn date_utc8(self) -> Date {
        Date(self.civil_utc8().date_naive())
    }

    /// The month in UTC+8.
    #[must_use]
    pub fn month_utc8(self) -> Month {
        self.date_utc8().month()
    }

    /// Writes `2026-11-21T14:30:00.123+08:00`.
    #[must_use]
    pub fn to_rfc3339_utc8(self) -> String {
        format!(
            "{}+08:00",
            self.civil_utc8().format("%Y-%m-%dT%H:%M:%S%.3f")
        )
    }

    fn civil_utc8(self) -> DateTime<chrono::Utc> {
        let end = if self.0 < 0 {
            DateTime::<chrono::Utc>::MIN_UTC
        } else {
            DateTime::<chrono::Utc>::MAX_UTC
        };
        self.0
            .checked_add(UTC8_MS)
            .and_then(DateTime::from_timestamp_millis)
            .unwrap_or(end)
    }
}

/// Milliseconds of an RFC 3339 date-time; `None` for anything else.
fn rfc3339_ms(text: &str) -> Option<i64> {
    let date = Date::spelled(text.get(..10)?).ok()?;
    let rest = text.get(10..)?.strip_prefix(['T', 't'])?;
    let clock = rest.get(..8)?;
    let (Some(":"), Some(":")) = (clock.get(2..3), clock.get(5..6)) else {
        return None;
    };
    let hour = number(clock.get(..2)?)?;
    let minute = number(clock.get(3..5)?)?;
    let second = number(clock.get(6..)?)?;
    let time = NaiveTime::from_hms_opt(hour, minute, second.min(59))?;
    let leap = match second {
        0..=59 => 0,
        60 => 1,
        _ => return None,
    };
    let rest = rest.get(8..)?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?,
        None => ("0", rest),
    };
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let ms: String = fraction.chars().chain("00".chars()).take(3).collect();
    let at = date
        .0
        .and_time(time)
        .checked_add_signed(TimeDelta::try_seconds(leap)?)?
        .checked_sub_signed(TimeDelta::try_minutes(offset_minutes(offset)?)?)?;
    let civil = at.checked_add_signed(TimeDelta::try_milliseconds(UTC8_MS)?)?;
    Date::new(civil.year(), civil.month(), civil.day())?;
    at.and_utc()
        .timestamp_millis()
        .checked_add(number(&ms)?.into())
}

/// Minutes that a time's offset is ahead of UTC.
fn offset_minutes(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = offset.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = match (hours.len(), minutes.len()) {
        (2, 2) => (number(hours)?, number(minutes)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = i64::from(hours.checked_mul(60)?.checked_add(minutes)?);
    match sign {
        "+" => Some(ahead),
        "-" => ahead.checked_neg(),
        _ => None,
    }
}

/// A short run of ASCII digits; `u32::from_str` alone would take a sign.
fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

impl Spelled for Instant {
    fn spelled(text: &str) -> Result<Self, Rule> {
        Self::parse_rfc3339(text)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339_utc8())
    }
}

spelled_as_text!(
    Instant,
    r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$",
    "2026-11-21T14:30:00.123+08:00"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_exist_in_the_calendar() {
        let cases: &[(&str, bool)] = &[
            ("2026-11-21", true),
            ("2024-02-29", true),
            ("2026-02-29", false),
            ("2026-13-01", false),
            ("2026-00-10", false),
            ("2026-04-31", false),
            ("0000-01-01", false),
            ("2026-1-1", false),
            ("20261121", false),
            ("2026/11/21", false),
            ("+026-11-21", false),
            ("２026-11-2", false),
            ("2026-11-21 ", false),
        ];
        for (text, exists) in cases {
            assert_eq!(Date::spelled(text).is_ok(), *exists, "{text}");
        }
    }

    #[test]
    fn instants_have_an_offset() {
        let cases: &[(&str, Option<i64>)] = &[
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T08:00:00+08:00", Some(0)),
            ("1969-12-31T19:00:00.5-05:00", Some(500)),
            ("1970-01-01t00:00:00.123456789z", Some(123)),
            ("1970-01-01T00:00:60Z", Some(60_000)),
            ("2026-11-21T14:30:00.123+08:00", Some(1_795_242_600_123)),
            ("0001-01-01T00:00:00+08:00", Some(-62_135_625_600_000)),
            ("0001-01-01T00:00:00+08:01", None),
            ("9999-12-31T15:59:59.999Z", Some(253_402_271_999_999)),
            ("9999-12-31T16:00:00Z", None),
            ("2026-11-21T14:30:00", None),
            ("2026-11-21 14:30:00+08:00", None),
            ("2026-11-21T14:30+08:00", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21T14:30:61Z", None),
            ("2026-11-21T14:30:00.Z", None),
            ("2026-11-21T14:30:00+0800", None),
            ("2026-11-21T14:30:00+24:00", None),
            ("2026-11-21T14:30:00+8:00", None),
            ("2026-02-30T14:30:00Z", None),
            ("", None),
        ];
        for (text, ms) in cases {
            assert_eq!(
                Instant::parse_rfc3339(text).ok().map(Instant::ms),
                *ms,
                "{text}"
            );
        }
    }

    #[test]
    fn today_is_the_day_in_utc8() {
        let before = Instant::parse_rfc3339("2026-11-30T15:59:59.999Z").unwrap();
        let after = Instant::parse_rfc3339("2026-11-30T16:00:00Z").unwrap();
        assert_eq!(before.date_utc8().to_string(), "2026-11-30");
        assert_eq!(after.date_utc8().to_string(), "2026-12-01");
        assert_eq!(after.month_utc8().to_string(), "2026-12");
    }

    #[test]
    fn instants_beyond_the_calendar_still_print() {
        for ms in [i64::MIN, i64::MAX] {
            assert!(!Instant::from_ms(ms).to_rfc3339_utc8().is_empty());
        }
    }

    proptest! {
        #[test]
        fn instants_survive_writing_and_reading(ms in 0_i64..253_402_214_400_000) {
            let instant = Instant::from_ms(ms);
            prop_assert_eq!(Instant::parse_rfc3339(&instant.to_rfc3339_utc8()), Ok(instant));
        }

        #[test]
        fn dates_survive_writing_and_reading(days in -719_162_i32..=2_932_896) {
            let date = Date::from_days(days).unwrap();
            prop_assert_eq!(Date::spelled(&date.to_string()), Ok(date));
            prop_assert_eq!(Date::parse_compact(&date.to_compact()), Ok(date));
        }

        #[test]
        fn no_text_breaks_the_readers(text in "\\PC*") {
            let _ = (Instant::parse_rfc3339(&text), Date::spelled(&text), Month::spelled(&text), Date::parse_compact(&text));
        }
    }
}
