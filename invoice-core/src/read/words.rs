//! Texts for people.

use super::Spelled;
use crate::refusal::Rule;

/// Words for people: 1 to `MAX` characters, not blank, on one line, nothing that hides or turns
/// writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words<const MAX: usize>(pub String);

impl<const MAX: usize> Spelled for Words<MAX> {
    fn spelled(text: &str) -> Result<Self, Rule> {
        judge_words(text, MAX, |_| false).map(|()| Self(text.to_owned()))
    }
}

/// A note of up to `MAX` characters, which may have several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose<const MAX: usize>(pub String);

impl<const MAX: usize> Spelled for Prose<MAX> {
    fn spelled(text: &str) -> Result<Self, Rule> {
        judge_words(text, MAX, |c| matches!(c, '\n' | '\r' | '\t')).map(|()| Self(text.to_owned()))
    }
}

fn judge_words(text: &str, max: usize, allowed: impl Fn(char) -> bool) -> Result<(), Rule> {
    if text.trim_start().is_empty() {
        return Err(Rule::TextBlank);
    }
    if text.bytes().any(may_begin_deceiver) && text.chars().any(|c| deceives(c) && !allowed(c)) {
        return Err(Rule::ControlCharacter);
    }
    // No text has more characters than bytes.
    if text.len() > max && text.chars().count() > max {
        return Err(Rule::TextTooLong);
    }
    Ok(())
}

/// Whether a character hides in a text or turns it: control characters, line separators, byte order
/// marks, marks of the direction of writing, and what shows as nothing (soft hyphen, fillers, tags;
/// Unicode TR 36 §3). A name that holds one shows as another name.
///
/// ```
/// assert!(invoice_core::read::deceives('\u{202e}'));
/// assert!(!invoice_core::read::deceives('票'));
/// ```
#[must_use]
pub fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{3164}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Whether the UTF-8 form of a character that [`deceives`] can begin with this byte.
const fn may_begin_deceiver(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | 0x7f | 0xc2 | 0xd8 | 0xe1..=0xe3 | 0xef | 0xf3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_deceives_begins_with_a_byte_that_is_looked_for() {
        for c in ('\0'..=char::MAX).filter(|c| deceives(*c)) {
            let first = c.encode_utf8(&mut [0; 4]).as_bytes()[0];
            assert!(may_begin_deceiver(first), "{c:?}");
        }
    }

    #[test]
    fn words_are_visible_short_and_on_one_line() {
        let cases: &[(&str, Result<(), Rule>)] = &[
            ("票链", Ok(())),
            ("（四字）", Ok(())),
            ("a—b", Ok(())),
            ("", Err(Rule::TextBlank)),
            (" \u{3000}\t\n", Err(Rule::TextBlank)),
            ("一\n二", Err(Rule::ControlCharacter)),
            ("一\u{202e}二", Err(Rule::ControlCharacter)),
            ("\u{feff}一", Err(Rule::ControlCharacter)),
            ("a\u{7f}", Err(Rule::ControlCharacter)),
            ("a\u{85}b", Err(Rule::ControlCharacter)),
            ("a\u{ad}b", Err(Rule::ControlCharacter)),
            ("一\u{61c}二", Err(Rule::ControlCharacter)),
            ("一\u{180e}二", Err(Rule::ControlCharacter)),
            ("一\u{3164}二", Err(Rule::ControlCharacter)),
            ("一\u{e0041}二", Err(Rule::ControlCharacter)),
            ("一二三四五", Err(Rule::TextTooLong)),
            ("一二三四五\0", Err(Rule::ControlCharacter)),
        ];
        for (text, answer) in cases {
            assert_eq!(Words::<4>::spelled(text).map(|_| ()), *answer, "{text:?}");
        }
        assert!(Prose::<4>::spelled("一\r\n二").is_ok());
    }
}
