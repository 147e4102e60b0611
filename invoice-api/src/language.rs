//! Which of the two languages an answer is written in.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// A language that every text of the interface exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 中文, unless the request prefers English.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language that a request asks for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .map_or(Self::Zh, Self::preferred)
    }

    /// Reads an `Accept-Language` value (RFC 9110 §12.5.4): English when it is named with a
    /// higher weight than Chinese, or with the same weight and earlier; Chinese in every other
    /// case, unreadable values included.
    #[must_use]
    pub fn preferred(value: &str) -> Self {
        let mut best: Option<(Self, u16)> = None;
        for part in value.split(',') {
            let mut fields = part.split(';');
            let tag = fields
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh" | "*") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            let weight = fields
                .find_map(|field| field.trim().strip_prefix("q=").map(weight))
                .unwrap_or(1_000);
            if weight > 0 && best.is_none_or(|(_, highest)| weight > highest) {
                best = Some((language, weight));
            }
        }
        best.map_or(Self::Zh, |(language, _)| language)
    }

    /// The tag for `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn of_two<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// A quality value in thousandths; what is not one counts as 0.
fn weight(text: &str) -> u16 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1_000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_spoken_only_when_it_is_preferred() {
        for (value, language) in [
            ("", Language::Zh),
            ("en", Language::En),
            ("en-GB,en;q=0.9", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en;q=0.8,zh;q=0.9", Language::Zh),
            ("en,zh", Language::En),
            ("de, en;q=0.5", Language::En),
            ("de", Language::Zh),
            ("*", Language::Zh),
            ("en;q=0", Language::Zh),
            ("en;q=2", Language::Zh),
            ("en;q=0.1234", Language::Zh),
            ("EN-us", Language::En),
        ] {
            assert_eq!(Language::preferred(value), language, "{value}");
        }
    }
}
