//! Times as they stand in receipts and in the genesis file.

use chrono::{DateTime, Datelike as _, FixedOffset, SecondsFormat};

/// Seconds by which Chinese standard time is ahead of UTC.
const UTC8_SECONDS: i32 = 8 * 3600;

/// RFC 3339 in UTC+8 with milliseconds; `None` outside the years 0 to 9999, which it can spell.
pub(super) fn to_rfc3339_utc8(time_ms: i64) -> Option<String> {
    let zone = FixedOffset::east_opt(UTC8_SECONDS)?;
    let time = DateTime::from_timestamp_millis(time_ms)?.with_timezone(&zone);
    (0..=9999)
        .contains(&time.year())
        .then(|| time.to_rfc3339_opts(SecondsFormat::Millis, false))
}

/// Milliseconds since 1970 of an RFC 3339 time with an offset; `None` for one that could not be
/// written in UTC+8.
pub(super) fn parse_rfc3339(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp_millis())
        .filter(|time_ms| to_rfc3339_utc8(*time_ms).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_chinese_standard_time() {
        let text = "2026-11-21T14:30:00.123+08:00";
        let time = parse_rfc3339(text).unwrap();
        assert_eq!(to_rfc3339_utc8(time).unwrap(), text);
        assert_eq!(parse_rfc3339("2026-11-21T06:30:00.123Z"), Some(time));
        assert_eq!(parse_rfc3339("2026-11-21T06:30:00"), None);
        assert_eq!(to_rfc3339_utc8(i64::MAX), None);
    }

    #[test]
    fn a_time_that_could_not_be_written_is_not_read() {
        for (text, good) in [
            ("9999-12-31T15:59:59.999Z", true),
            ("9999-12-31T15:59:60Z", false),
            ("9999-12-31T23:59:59-23:59", false),
            ("0000-01-01T00:00:00+08:00", true),
            ("0000-01-01T00:00:00+08:01", false),
        ] {
            assert_eq!(parse_rfc3339(text).is_some(), good, "{text}");
        }
    }
}
