//! The words on a page that are no part of the Chinese form, in both languages.

use crate::source::Wording;

impl Wording {
    /// One of two texts.
    #[must_use]
    pub const fn of(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// What a reader is told when characters could not be printed.
    #[must_use]
    pub fn missing(self, missing: &[char]) -> String {
        let named: Vec<String> = missing
            .iter()
            .take(NAMED_MAX)
            .map(|character| format!("U+{:04X}", u32::from(*character)))
            .collect();
        let more = if missing.len() > NAMED_MAX { "…" } else { "" };
        let lead = self.of(
            "以下字符无法打印，以〓代替，原文见附件",
            "These characters could not be printed and stand as 〓; the attached record has them",
        );
        format!("{lead}：{}{more}", named.join(" "))
    }
}

/// Missing characters that are named on the page.
const NAMED_MAX: usize = 20;
