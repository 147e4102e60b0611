//! Times as they stand in receipts and in the genesis file.

use chrono::{DateTime, FixedOffset, SecondsFormat};

/// Seconds by which Chinese standard time is ahead of UTC.
const UTC8_SECONDS: i32 = 8 * 3600;

/// RFC 3339 in UTC+8 with milliseconds; `None` outside the years that it can spell.
pub(super) fn to_rfc3339_utc8(time_ms: i64) -> Option<String> {
    let zone = FixedOffset::east_opt(UTC8_SECONDS)?;
    let time = DateTime::from_timestamp_millis(time_ms)?.with_timezone(&zone);
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, false))
}

/// Milliseconds since 1970 of an RFC 3339 time with an offset.
pub(super) fn parse_rfc3339(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp_millis())
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
}
