//! The texts of every code that an answer can have, in both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use invoice_core::refusal::catalogue::{Entry, catalogue};
use papers::PaperError;

use crate::fault::Fault;
use crate::language::Language;

/// The codes of the rules, with their texts.
static RULES: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    catalogue()
        .into_iter()
        .map(|entry| (entry.code, entry))
        .collect()
});

/// One line that says what the code means. A code without a text stands for itself.
pub(crate) fn title(code: &str, language: Language) -> String {
    if let Some(fault) = Fault::ALL.iter().find(|fault| fault.code() == code) {
        return language.of_two(fault.zh(), fault.en()).to_owned();
    }
    if let Some(error) = PaperError::ALL.iter().find(|error| error.code() == code) {
        return language.of_two(error.zh(), error.en()).to_owned();
    }
    match RULES.get(code) {
        Some(Entry { explanation, .. }) => language.of_two(explanation.zh, explanation.en),
        None => code,
    }
    .to_owned()
}

/// The title, what was found in this case, and what helps.
pub(crate) fn detail(code: &str, facts: &[(String, String)], language: Language) -> String {
    let mut text = title(code, language);
    if !facts.is_empty() {
        let (open, between, close) = language.of_two(("（", "；", "）"), (" (", "; ", ")"));
        let facts = facts.iter().map(|(name, value)| format!("{name}: {value}"));
        text.push_str(open);
        text.push_str(&facts.collect::<Vec<_>>().join(between));
        text.push_str(close);
    }
    if let Some(Entry { explanation, .. }) = RULES.get(code) {
        let hint = language.of_two(explanation.hint_zh, explanation.hint_en);
        if !hint.is_empty() {
            text.push_str(language.of_two("。", "; "));
            text.push_str(hint);
        }
    }
    text
}
