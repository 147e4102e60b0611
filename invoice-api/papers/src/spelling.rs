//! How files spell numbers, sums, dates and texts.

use invoice_core::calendar::Date;
use invoice_core::decimal::DecimalText;
use invoice_core::money::Fen;
use invoice_core::read::{Spelled, deceives};

/// Characters of a text that is kept; what follows is cut off, with a warning.
const TEXT_CHARACTERS_MAX: usize = 1_000;

/// Money with up to four decimals (the files' type is decimal(18,4)), of which the last two must
/// be zeros. A sign of the currency may stand before it.
pub(crate) fn amount(text: &str) -> Option<Fen> {
    let text = text.strip_prefix(['¥', '￥']).unwrap_or(text).trim();
    let mut money = text;
    if let Some((_, decimals)) = text.split_once('.')
        && (3..=4).contains(&decimals.len())
    {
        money = text.trim_end_matches('0');
        let kept = money
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        if kept == 0 {
            money = money.trim_end_matches('.');
        }
    }
    // A negative nothing stands in files of red letters without tax.
    if matches!(money, "-0" | "-0.0" | "-0.00") {
        return Some(Fen::ZERO);
    }
    Fen::parse(money).ok()
}

/// `2024-01-24`, perhaps with a time of day after it, `20240124` or `2024年01月24日`.
pub(crate) fn date(text: &str) -> Option<Date> {
    if let Some((year, rest)) = text.split_once('年') {
        let (month, rest) = rest.split_once('月')?;
        let day = rest.strip_suffix('日')?;
        let number = |text: &str| -> Option<u32> {
            let fits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| text.parse().ok()).flatten()
        };
        let year = i32::try_from(number(year)?).ok()?;
        return Date::new(year, number(month)?, number(day)?).filter(|_| year >= 1000);
    }
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Date::parse_compact(text).ok();
    }
    let day = match text.split_once([' ', 'T']) {
        Some((day, time)) => is_time_of_day(time).then_some(day)?,
        None => text,
    };
    Date::spelled(day).ok()
}

/// `16:23`, `16:23:48` or `16:23:48.123`, in the time of China when a zone is named: in another one
/// the day may be another.
fn is_time_of_day(text: &str) -> bool {
    let text = text.strip_suffix("+08:00").unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let two = |text: &str, below: u32| {
        let fits = text.len() == 2 && digits(text);
        fits && text.parse::<u32>().is_ok_and(|value| value < below)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let fits = match *parts {
        [hour, minute] => two(hour, 24) && two(minute, 60),
        [hour, minute, second] => two(hour, 24) && two(minute, 60) && two(second, 60),
        _ => false,
    };
    fits && (1..=9).contains(&fraction.len()) && digits(fraction)
}

/// A rate as a decimal fraction: `0.06`, `0.130000` or `6%`; the three literals as they are.
pub(crate) fn tax_rate(text: &str) -> Option<String> {
    let text = text.trim();
    if matches!(text, "免税" | "不征税" | "***") {
        return Some(text.to_owned());
    }
    let spelled = match text.strip_suffix(['%', '％']) {
        Some(percent) => {
            let (whole, decimals) = percent
                .trim()
                .split_once('.')
                .unwrap_or((percent.trim(), ""));
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || whole.len() > 2 || !digits(whole) || !digits(decimals) {
                return None;
            }
            format!("0.{whole:0>2}{decimals}")
        }
        None => text.to_owned(),
    };
    let trimmed = match spelled.split_once('.') {
        Some(_) => spelled.trim_end_matches('0').trim_end_matches('.'),
        None => &spelled,
    };
    let rate = invoice_core::invoice::TaxRate::spelled(trimmed).ok()?;
    Some(rate.to_string())
}

/// A quantity or price of up to 25 characters, as text without zeros at the end.
pub(crate) fn decimal(text: &str) -> Option<DecimalText> {
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    };
    DecimalText::spelled(text).ok()
}

/// A text without what hides in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) text: String,
    /// Whether characters that hide or turn writing were taken out.
    pub(crate) changed: bool,
    /// Whether the text was too long, and its end is missing.
    pub(crate) cut: bool,
}

/// A text on one line, without the characters that hide or turn writing.
pub(crate) fn clean(text: &str) -> Cleaned {
    tidy(text, ' ')
}

/// A text whose lines stay lines.
pub(crate) fn clean_lines(text: &str) -> Cleaned {
    tidy(&text.replace("\r\n", "\n"), '\n')
}

fn tidy(text: &str, line_end: char) -> Cleaned {
    let mut done = Cleaned::default();
    let mut characters = text.trim().chars();
    for c in characters.by_ref().take(TEXT_CHARACTERS_MAX) {
        match c {
            '\n' | '\r' => done.text.push(line_end),
            '\t' => done.text.push(' '),
            c if deceives(c) => done.changed = true,
            c => done.text.push(c),
        }
    }
    done.cut = characters.next().is_some();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let cases: &[(&str, Option<i64>)] = &[
            ("16000.00", Some(1_600_000)),
            ("133.0000", Some(13_300)),
            ("133.5000", Some(13_350)),
            ("-133.5", Some(-13_350)),
            ("¥318.00", Some(31_800)),
            ("-0.00", Some(0)),
            ("0.0000", Some(0)),
            ("16000.001", None),
            ("16000.0010", None),
            ("1.6e4", None),
            ("1,600.00", None),
            ("", None),
            ("¥", None),
        ];
        for (text, due) in cases {
            assert_eq!(amount(text).map(Fen::get), *due, "{text}");
        }
    }

    #[test]
    fn dates_have_three_spellings() {
        let cases: &[(&str, Option<&str>)] = &[
            ("2024-01-24", Some("2024-01-24")),
            ("2024-01-24 16:23:48", Some("2024-01-24")),
            ("2024-01-24T16:23:48", Some("2024-01-24")),
            ("20240124", Some("2024-01-24")),
            ("2020年10月10日", Some("2020-10-10")),
            ("2020年1月1日", Some("2020-01-01")),
            ("2020年13月1日", None),
            ("20年1月1日", None),
            ("2024-02-30", None),
            ("24.01.2024", None),
            ("2024-01-24 16:23", Some("2024-01-24")),
            ("2024-01-24T16:23:48.123+08:00", Some("2024-01-24")),
            ("2024-01-24T23:30:00Z", None),
            ("2024-01-24 or 2025-02-02", None),
            ("2024-01-24 24:00:00", None),
            ("2024-01-24 ", None),
            ("", None),
        ];
        for (text, due) in cases {
            let read = date(text).map(|date| date.to_string());
            assert_eq!(read.as_deref(), *due, "{text}");
        }
    }

    #[test]
    fn rates_have_two_spellings_and_three_words() {
        let cases: &[(&str, Option<&str>)] = &[
            ("0.06", Some("0.06")),
            ("0.130000", Some("0.13")),
            ("6%", Some("0.06")),
            ("13%", Some("0.13")),
            ("1.5%", Some("0.015")),
            ("0%", Some("0")),
            ("0.00", Some("0")),
            ("免税", Some("免税")),
            ("***", Some("***")),
            ("130%", None),
            ("six", None),
        ];
        for (text, due) in cases {
            assert_eq!(tax_rate(text).as_deref(), *due, "{text}");
        }
    }

    #[test]
    fn texts_hide_nothing() {
        let of = |text: &str, changed, cut| Cleaned {
            text: text.to_owned(),
            changed,
            cut,
        };
        assert_eq!(
            clean(" 甲\u{202e}乙\n丙\u{1b} "),
            of("甲乙 丙", true, false)
        );
        assert_eq!(clean("甲 乙"), of("甲 乙", false, false));
        for hidden in ['\u{61c}', '\u{ad}', '\u{180e}', '\u{3164}', '\u{e0041}'] {
            assert_eq!(clean(&format!("甲{hidden}乙")), of("甲乙", true, false));
        }
        assert_eq!(
            clean_lines("甲\r\n乙\t\n丙"),
            of("甲\n乙 \n丙", false, false)
        );
        assert_eq!(
            clean(&"甲".repeat(1_000)),
            of(&"甲".repeat(1_000), false, false)
        );
        assert_eq!(
            clean(&"甲".repeat(1_001)),
            of(&"甲".repeat(1_000), false, true)
        );
    }
}
