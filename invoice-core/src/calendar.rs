//! Dates, months and instants, without a clock.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate};

use crate::read::{Spelled, spelled_as_text};
use crate::refusal::Rule;

/// Milliseconds that Chinese civil time (GB/T 7408.1, UTC+8) is ahead of UTC.
const UTC8_MS: i64 = 8 * 60 * 60 * 1000;
/// Milliseconds of a day without a leap second.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

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
        match text.as_bytes() {
            [y1, y2, y3, y4, m1, m2, d1, d2] => {
                Self::from_digits([*y1, *y2, *y3, *y4], [*m1, *m2], [*d1, *d2])
            }
            _ => None,
        }
        .ok_or(Rule::DateSpelling)
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

    fn from_digits(year: [u8; 4], month: [u8; 2], day: [u8; 2]) -> Option<Self> {
        Self::new(number(year)?.try_into().ok()?, number(month)?, number(day)?)
    }

    fn from_ascii(bytes: &[u8; 10]) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *bytes else {
            return None;
        };
        Self::from_digits([y1, y2, y3, y4], [m1, m2], [d1, d2])
    }

    /// Year, month and day: they sort as the dates do.
    pub(crate) fn parts(self) -> (i32, u32, u32) {
        (self.0.year(), self.0.month(), self.0.day())
    }
}

impl Spelled for Date {
    fn spelled(text: &str) -> Result<Self, Rule> {
        let bytes = text.as_bytes().try_into().ok();
        bytes.and_then(Self::from_ascii).ok_or(Rule::DateSpelling)
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
        let date = match text.as_bytes() {
            [y1, y2, y3, y4, b'-', m1, m2] => {
                Date::from_digits([*y1, *y2, *y3, *y4], [*m1, *m2], *b"01")
            }
            _ => None,
        };
        date.map(Date::month).ok_or(Rule::MonthSpelling)
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
    let (date, rest) = text.as_bytes().split_first_chunk::<10>()?;
    let date = Date::from_ascii(date)?;
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else {
        return None;
    };
    let (hour, minute, second) = (
        number([*h1, *h2])?,
        number([*m1, *m2])?,
        number([*s1, *s2])?,
    );
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (ms, offset) = match rest {
        [b'.', rest @ ..] => fraction_ms(rest)?,
        _ => (0, rest),
    };
    // A date of four-digit years and less than two days more: far from the ends of the type.
    let minutes = i64::from(date.days())
        .checked_mul(24)?
        .checked_add(hour.into())?
        .checked_mul(60)?
        .checked_add(minute.into())?
        .checked_sub(offset_minutes(offset)?)?;
    let at = minutes
        .checked_mul(60)?
        .checked_add(second.into())?
        .checked_mul(1000)?
        .checked_add(ms.into())?;
    let civil_days = at.checked_add(UTC8_MS)?.div_euclid(DAY_MS);
    let civil = Date::from_days(civil_days.try_into().ok()?)?;
    (1..=9999).contains(&civil.year()).then_some(at)
}

/// Milliseconds of the digits after the point, and what follows them.
fn fraction_ms(rest: &[u8]) -> Option<(u32, &[u8])> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (fraction, offset) = rest.split_at_checked(digits)?;
    let mut ms = [b'0'; 3];
    for (to, from) in ms.iter_mut().zip(fraction) {
        *to = *from;
    }
    Some((number(ms)?, offset))
}

/// Minutes that a time's offset is ahead of UTC.
fn offset_minutes(offset: &[u8]) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match offset {
        [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let (hours, minutes) = (number([*h1, *h2])?, number([*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = i64::from(hours.checked_mul(60)?.checked_add(minutes)?);
    if *sign == b'-' {
        ahead.checked_neg()
    } else {
        Some(ahead)
    }
}

/// The value of a short run of ASCII digits.
fn number<const N: usize>(digits: [u8; N]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.checked_sub(b'0'))??;
        value.checked_mul(10)?.checked_add(digit.into())
    })
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
