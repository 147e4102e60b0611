//! Numbers of natural persons: what was never kept can never leak.

use invoice_core::calendar::Date;
use invoice_core::identity::is_resident_id;

/// Characters of a resident number (GB 11643).
const LENGTH: usize = 18;

/// Whether the number of a party is that of a natural person: a resident number, bare or with a
/// prefix or suffix, or of a length that only personal taxpayer numbers have.
pub(super) fn is_personal(id: &str) -> bool {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric());
    plain && (matches!(id.len(), 17 | 19 | 20) || windows(id).any(is_resident_id))
}

/// Whether a number is built like a resident number but for its check character.
pub(super) fn resembles_resident_id(id: &str) -> bool {
    let day = |text| Date::parse_compact(text).is_ok_and(|day| (1800..2200).contains(&day.year()));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    id.len() == LENGTH && id.get(..17).is_some_and(digits) && id.get(6..14).is_some_and(day)
}

fn windows(text: &str) -> impl Iterator<Item = &str> {
    (0..text.len()).filter_map(|start| text.get(start..start + LENGTH))
}

/// A character of a number, in its usual width, and where it stands.
struct Sign {
    byte: u8,
    place: std::ops::Range<usize>,
}

/// Replaces resident numbers in a text by asterisks, and says whether there were any. They may be
/// written in full width, or with blanks and hyphens between their digits.
pub(super) fn hide_resident_ids(text: String) -> (String, bool) {
    let signs: Vec<Sign> = text
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace() && *c != '-')
        .map(|(start, c)| Sign {
            byte: folded(c),
            place: start..start + c.len_utf8(),
        })
        .collect();
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for (start, window) in signs.windows(LENGTH).enumerate() {
        let [first, .., last] = window else { continue };
        let number: Vec<u8> = window.iter().map(|sign| sign.byte).collect();
        // A part of a longer number, such as an invoice's, is something else.
        let touches = |one: Option<&Sign>, other: &Sign, at: fn(&Sign, &Sign) -> bool| {
            one.is_some_and(|one| one.byte.is_ascii_digit() && at(one, other))
        };
        let before = start.checked_sub(1).and_then(|before| signs.get(before));
        let after = signs.get(start + LENGTH);
        let longer = touches(before, first, |one, first| {
            one.place.end == first.place.start
        }) || touches(after, last, |one, last| last.place.end == one.place.start);
        let free = found
            .last()
            .is_none_or(|known| known.end <= first.place.start);
        if free && !longer && std::str::from_utf8(&number).is_ok_and(is_resident_id) {
            found.push(first.place.start..last.place.end);
        }
    }
    let hidden = !found.is_empty();
    let mut text = text;
    for place in found.into_iter().rev() {
        text.replace_range(place, &"*".repeat(LENGTH));
    }
    (text, hidden)
}

/// The letter or digit that a character stands for; a zero byte for any other.
fn folded(c: char) -> u8 {
    let narrow = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    u8::try_from(narrow)
        .ok()
        .filter(u8::is_ascii_alphanumeric)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_numbers_are_hidden_wherever_they_stand() {
        let stars = "*".repeat(18);
        for (text, due) in [
            ("患者 11010519491231002X 诊断", format!("患者 {stars} 诊断")),
            ("证号11010519491231002x。", format!("证号{stars}。")),
            ("110105 19491231 002X", stars.clone()),
            (
                "2024-01-24 11010519491231002X",
                format!("2024-01-24 {stars}"),
            ),
            ("１１０１０５１９４９１２３１００２Ｘ", stars.clone()),
            (
                "440524188001010014/11010519491231002X",
                format!("{stars}/{stars}"),
            ),
        ] {
            assert_eq!(hide_resident_ids(text.to_owned()), (due, true), "{text}");
        }
        for text in [
            "",
            "甲",
            "24442000000000000016",
            "0440524188001010014",
            "110105194912310021",
        ] {
            assert_eq!(hide_resident_ids(text.to_owned()), (text.to_owned(), false));
        }
    }

    #[test]
    fn personal_numbers_are_told_from_those_of_organisations() {
        for (id, is) in [
            ("11010519491231002X", true),
            ("L11010519491231002X", true),
            ("11010519491231002X01", true),
            ("L1101051949123100", true),
            ("91330000142942095H", false),
            ("110105491231002", false),
            ("", false),
        ] {
            assert_eq!(is_personal(id), is, "{id}");
        }
        assert!(resembles_resident_id("110105194912310021"));
        assert!(!resembles_resident_id("913205830880018839"));
    }
}
