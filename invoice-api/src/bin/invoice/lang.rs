//! The language of what a person reads.

use clap::ValueEnum;
use invoice_api::client::AnswerLanguage;
use invoice_core::refusal::Language;

/// Chinese or English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is
    /// set decides, and what names neither language is Chinese.
    pub(crate) fn from_environment(value: impl Fn(&str) -> Option<String>) -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let set = names
            .iter()
            .filter_map(|name| value(name))
            .find(|text| !text.is_empty());
        match set {
            Some(text) if text.to_ascii_lowercase().starts_with("en") => Self::En,
            _ => Self::Zh,
        }
    }

    /// One of two texts.
    pub(crate) const fn of<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

impl Lang {
    /// Its part of a fixed text of a library that says everything in both: `中文 / English`.
    pub(crate) fn part(self, both: &str) -> &str {
        match both.split_once(" / ") {
            Some((zh, en)) => self.of(zh, en),
            None => both,
        }
    }
}

impl From<Lang> for AnswerLanguage {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Chinese,
            Lang::En => Self::English,
        }
    }
}

impl From<Lang> for invoice_api::Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Zh,
            Lang::En => Self::En,
        }
    }
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Chinese,
            Lang::En => Self::English,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_both_languages_has_two_parts() {
        assert_eq!(Lang::Zh.part("票据 / a document"), "票据");
        assert_eq!(Lang::En.part("票据 / a document"), "a document");
        assert_eq!(Lang::En.part("a document"), "a document");
    }

    #[test]
    fn the_environment_chooses_and_chinese_is_the_default() {
        for (set, lang) in [
            (vec![], Lang::Zh),
            (vec![("LANG", "en_GB.UTF-8")], Lang::En),
            (vec![("LANG", "C.UTF-8")], Lang::Zh),
            (vec![("LC_ALL", "zh_CN.UTF-8"), ("LANG", "en_US")], Lang::Zh),
            (vec![("LC_ALL", ""), ("LANG", "en_US")], Lang::En),
        ] {
            let value = |name: &str| {
                set.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, text)| (*text).to_owned())
            };
            assert_eq!(Lang::from_environment(value), lang, "{set:?}");
        }
    }
}
