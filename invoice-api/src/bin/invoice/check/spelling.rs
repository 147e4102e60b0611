//! What people write, in the one spelling that the registry takes.

use invoice_core::identity::DocumentKey;
use invoice_core::read::Spelled;

use crate::failure::Failure;

/// A document key out of a key, a number of 20 digits, or a code and a number.
pub(super) fn document(number: &str, code: Option<&str>) -> Result<String, Failure> {
    let number = number.trim();
    let key = match (
        code.map(str::trim).filter(|code| !code.is_empty()),
        number.len(),
    ) {
        (_, 20) if is_digits(number) => format!("D:{number}"),
        (Some(code), 8) if is_digits(number) => format!("P:{code}-{number}"),
        (Some(code), 10) if is_digits(number) => format!("F:{code}-{number}"),
        _ => number.to_owned(),
    };
    match DocumentKey::spelled(&key) {
        Ok(key) => Ok(key.to_string()),
        Err(_) => {
            let text = format!("不是票据号码 / not the number of a document: {number}");
            Err(Failure::usage("document_spelling", text).with_hint(
                "数电票写 20 位号码；纸票写 P:代码-号码；财政票据写 F:代码-号码 / 20 digits, or P:code-number, or F:code-number",
            ))
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An amount without what spreadsheets put around it.
pub(super) fn amount(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '¥' | '￥' | ',' | '，' | '元' | ' '))
        .collect()
}

/// A date as `YYYY-MM-DD`; what is none is left as it is, for the registry to refuse.
pub(super) fn date(text: &str) -> String {
    let text = text.trim();
    if let (8, true) = (text.len(), is_digits(text)) {
        return format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    }
    let parts: Vec<&str> = text
        .split(['-', '/', '.', '年', '月', '日'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    match parts[..] {
        [year, month, day]
            if year.len() == 4
                && month.len() <= 2
                && day.len() <= 2
                && parts.iter().all(|part| is_digits(part)) =>
        {
            format!("{year}-{month:0>2}-{day:0>2}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_known_by_their_numbers() {
        for (number, code, key) in [
            ("24442000000012345678", None, Some("D:24442000000012345678")),
            (
                "D:24442000000012345678",
                None,
                Some("D:24442000000012345678"),
            ),
            (
                "24442000000012345678",
                Some("044031900111"),
                Some("D:24442000000012345678"),
            ),
            (
                "12345678",
                Some("044031900111"),
                Some("P:044031900111-12345678"),
            ),
            (
                "12345678",
                Some("4403190011"),
                Some("P:4403190011-12345678"),
            ),
            (
                "0123456789",
                Some("33060122"),
                Some("F:33060122-0123456789"),
            ),
            ("12345678", None, None),
            ("２４４４２０００００００１２３４５６７８", None, None),
            ("", None, None),
        ] {
            assert_eq!(document(number, code).ok().as_deref(), key, "{number}");
        }
    }

    #[test]
    fn dates_and_amounts_come_as_spreadsheets_write_them() {
        for (written, meant) in [
            ("2026-11-20", "2026-11-20"),
            ("20261120", "2026-11-20"),
            ("2026/1/2", "2026-01-02"),
            ("2026年11月2日", "2026-11-02"),
            ("20/11/2026", "20/11/2026"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(date(written), meant);
        }
        assert_eq!(amount("¥ 1,600.00 元"), "1600.00");
    }
}
