//! Amounts in words (价税合计大写), both ways.
//!
//! Two spellings of one amount are compared by reading them, never as texts: 圆 and 元, 整 and 正
//! stand for each other, and 零 before 角 is optional (支付结算办法 annex 1 §2).

use std::fmt;

use crate::money::Fen;

const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];

/// A text that is no amount in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAmount;

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("不是大写金额 / not an amount in words")
    }
}

impl std::error::Error for NotAnAmount {}

/// Writes an amount of up to [`Fen::MAX`] in words, in the one form that this registry prints.
///
/// ```
/// use invoice_core::{amount_words, money::Fen};
/// assert_eq!(amount_words::write(Fen::new(1_640_902)), "壹万陆仟肆佰零玖圆零贰分");
/// ```
#[must_use]
pub fn write(amount: Fen) -> String {
    let mut words = String::new();
    if amount.is_negative() {
        words.push_str("（负数）");
    }
    let fen = amount.get().unsigned_abs();
    let yuan = fen / 100;
    let (jiao, fen) = (fen / 10 % 10, fen % 10);
    if yuan > 0 {
        write_yuan(&mut words, yuan);
        words.push('圆');
    }
    match (jiao, fen) {
        (0, 0) if yuan == 0 => words.push_str("零圆整"),
        (0, 0) => words.push('整'),
        (jiao, 0) => {
            words.extend([digit(jiao), '角', '整']);
        }
        (0, fen) if yuan > 0 => words.extend(['零', digit(fen), '分']),
        (0, fen) => words.extend([digit(fen), '分']),
        (jiao, fen) => words.extend([digit(jiao), '角', digit(fen), '分']),
    }
    words
}

fn digit(value: u64) -> char {
    usize::try_from(value)
        .ok()
        .and_then(|value| DIGITS.get(value).copied())
        .unwrap_or('零')
}

/// Groups of four digits from the highest: 万亿, 亿, 万, and what is below.
fn write_yuan(words: &mut String, yuan: u64) {
    let mut begun = false;
    let mut skipped = false;
    for (unit, scale) in [
        ("万亿", 1_000_000_000_000),
        ("亿", 100_000_000),
        ("万", 10_000),
        ("", 1_u64),
    ] {
        let group = yuan.checked_div(scale).unwrap_or_default() % 10_000;
        if group == 0 {
            skipped = begun;
            continue;
        }
        if begun && (skipped || group < 1000) {
            words.push('零');
        }
        write_group(words, group);
        words.push_str(unit);
        begun = true;
        skipped = false;
    }
}

/// One to four digits, without zeros at either end.
fn write_group(words: &mut String, group: u64) {
    let mut begun = false;
    let mut skipped = false;
    for (unit, scale) in [("仟", 1000), ("佰", 100), ("拾", 10), ("", 1_u64)] {
        let value = group.checked_div(scale).unwrap_or_default() % 10;
        if value == 0 {
            skipped = begun;
            continue;
        }
        if skipped {
            words.push('零');
        }
        words.push(digit(value));
        words.push_str(unit);
        begun = true;
        skipped = false;
    }
}

/// Reads an amount in words.
///
/// Takes 圆 or 元, 整 or 正 or neither, an optional 人民币 or ￥ in front, （负数） before everything, and
/// 零 wherever a zero may be spoken.
///
/// # Errors
/// [`NotAnAmount`] when units do not descend, a unit lacks its digit, the amount is beyond
/// [`Fen::MAX`], or anything else stands there.
pub fn parse(text: &str) -> Result<Fen, NotAnAmount> {
    read(text).ok_or(NotAnAmount)
}

fn read(text: &str) -> Option<Fen> {
    let text = text.trim();
    let text = text.strip_prefix("人民币").unwrap_or(text);
    let text = text.strip_prefix(['￥', '¥']).unwrap_or(text);
    let (negative, text) = match strip_negative(text) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (ended, text) = match text.strip_suffix(['整', '正']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (yuan, rest) = match text.find(['圆', '元']) {
        Some(place) => {
            let (yuan, rest) = text.split_at_checked(place)?;
            (read_yuan(yuan)?, rest.strip_prefix(['圆', '元'])?)
        }
        None => (0, text),
    };
    let has_yuan = rest.len() != text.len();
    let (jiao, rest) = read_unit(rest, '角')?;
    let (fen, rest) = read_unit(rest, '分')?;
    let said_something = has_yuan || jiao.is_some() || fen.is_some();
    // 整 says that no 分 follows.
    if !rest.is_empty() || !said_something || (ended && fen.is_some_and(|fen| fen > 0)) {
        return None;
    }
    let total = yuan
        .checked_mul(100)?
        .checked_add(jiao.unwrap_or_default().checked_mul(10)?)?
        .checked_add(fen.unwrap_or_default())?;
    // Words for more than a record may name are not written here, so they are not read either.
    if total > Fen::MAX.get() {
        return None;
    }
    let total = if negative {
        total.checked_neg()?
    } else {
        total
    };
    Some(Fen::new(total))
}

fn strip_negative(text: &str) -> Option<&str> {
    ["（负数）", "(负数)", "负"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
}

/// `[零]digit unit`, or nothing of the kind.
fn read_unit(text: &str, unit: char) -> Option<(Option<i64>, &str)> {
    let Some(place) = text.find(unit) else {
        return Some((None, text));
    };
    let (before, rest) = text.split_at_checked(place)?;
    let before = match before.strip_prefix('零') {
        Some(after_zero) if !after_zero.is_empty() => after_zero,
        _ => before,
    };
    let mut characters = before.chars();
    let value = value_of(characters.next()?)?;
    if characters.next().is_some() {
        return None;
    }
    Some((Some(value), rest.strip_prefix(unit)?))
}

fn value_of(character: char) -> Option<i64> {
    let place = DIGITS.iter().position(|known| *known == character)?;
    place.try_into().ok()
}

/// Whole yuan: 亿 splits first, then 万, then the places of a group.
fn read_yuan(text: &str) -> Option<i64> {
    if text == "零" {
        return Some(0);
    }
    match text.rsplit_once('亿') {
        Some((high, low)) => read_below_yi(high)?
            .checked_mul(100_000_000)?
            .checked_add(read_rest(low, read_below_yi)?),
        None => read_below_yi(text),
    }
}

fn read_below_yi(text: &str) -> Option<i64> {
    match text.split_once('万') {
        Some((high, low)) => read_group(high)?
            .checked_mul(10_000)?
            .checked_add(read_rest(low, read_group)?),
        None => read_group(text),
    }
}

/// What follows a larger unit: nothing, or a number that may begin with 零.
fn read_rest(text: &str, read: fn(&str) -> Option<i64>) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    read(text.strip_prefix('零').unwrap_or(text))
}

/// One to four digits with their units, descending; never nothing.
fn read_group(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut limit = 10_000_i64;
    let mut characters = text.chars().peekable();
    let mut zero_open = false;
    while let Some(character) = characters.next() {
        let value = value_of(character)?;
        if value == 0 {
            // 零 stands between two digits, once.
            if zero_open || total == 0 {
                return None;
            }
            zero_open = true;
            continue;
        }
        let scale = match characters.next() {
            Some('仟') => 1000,
            Some('佰') => 100,
            Some('拾') => 10,
            None => 1,
            Some(_) => return None,
        };
        if scale >= limit {
            return None;
        }
        limit = scale;
        zero_open = false;
        total = total.checked_add(value.checked_mul(scale)?)?;
    }
    (total > 0 && !zero_open).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_written_in_words() {
        let cases: &[(i64, &str)] = &[
            (0, "零圆整"),
            (1, "壹分"),
            (10, "壹角整"),
            (561, "伍圆陆角壹分"),
            (1000, "壹拾圆整"),
            (1001, "壹拾圆零壹分"),
            (1070, "壹拾圆柒角整"),
            (8586, "捌拾伍圆捌角陆分"),
            (32504, "叁佰贰拾伍圆零肆分"),
            (168_032, "壹仟陆佰捌拾圆叁角贰分"),
            (1_000_100, "壹万零壹圆整"),
            (1_600_000, "壹万陆仟圆整"),
            (1_640_902, "壹万陆仟肆佰零玖圆零贰分"),
            (2_000_000_000, "贰仟万圆整"),
            (10_000_000_001, "壹亿圆零壹分"),
            (10_050_000, "壹拾万零伍佰圆整"),
            (10_000_001_000, "壹亿零壹拾圆整"),
            (
                999_999_999_999,
                "玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖圆玖角玖分",
            ),
            (-15000, "（负数）壹佰伍拾圆整"),
        ];
        for (fen, words) in cases {
            assert_eq!(write(Fen::new(*fen)), *words);
            assert_eq!(parse(words), Ok(Fen::new(*fen)), "{words}");
        }
    }

    #[test]
    fn other_spellings_are_read() {
        let cases: &[(&str, i64)] = &[
            ("壹拾圆零柒角整", 1070),
            ("壹仟陆佰捌拾元零叁角贰分", 168_032),
            ("壹仟陆佰捌拾元叁角贰分", 168_032),
            ("壹万陆仟元正", 1_600_000),
            ("壹万陆仟圆", 1_600_000),
            ("人民币壹万零壹圆整", 1_000_100),
            ("(负数)壹佰伍拾圆整", -15000),
            ("壹角", 10),
            ("伍圆零角壹分", 501),
            ("零圆整", 0),
        ];
        for (words, fen) in cases {
            assert_eq!(parse(words), Ok(Fen::new(*fen)), "{words}");
        }
    }

    #[test]
    fn nonsense_is_no_amount() {
        for words in [
            "",
            "整",
            "圆整",
            "壹贰圆整",
            "壹拾壹仟圆整",
            "壹仟贰仟圆",
            "拾圆整",
            "佰圆",
            "壹圆壹",
            "壹圆壹分整",
            "16000.00",
            "壹万万圆",
            "壹角贰角",
            "零零壹圆",
            "壹拾零圆",
            "一百圆整",
            "壹分壹角",
            "壹亿壹亿圆",
            "壹佰亿圆整",
            "壹万壹仟亿圆整",
        ] {
            assert_eq!(parse(words), Err(NotAnAmount), "{words}");
        }
    }

    proptest! {
        #[test]
        fn words_survive_writing_and_reading(fen in -999_999_999_999_i64..=999_999_999_999) {
            prop_assert_eq!(parse(&write(Fen::new(fen))), Ok(Fen::new(fen)));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[零壹贰拾佰仟万亿圆元角分整负]{0,12}") {
            let _ = parse(&text);
        }
    }
}
