//! The texts of every code that an answer can have, in both languages.

use invoice_core::refusal::{Entry, catalogue};

use crate::fault::Fault;
use crate::language::Language;

/// One line that says what the code means. A code without a text stands for itself.
pub(crate) fn title(code: &str, language: Language) -> String {
    if let Some(fault) = Fault::ALL.iter().find(|fault| fault.code() == code) {
        return language.of_two(fault.zh(), fault.en()).to_owned();
    }
    match entry(code) {
        Some(entry) => language.of_two(entry.zh, entry.en).to_owned(),
        None => code.to_owned(),
    }
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
    if let Some(hint) = entry(code)
        .map(|entry| language.of_two(entry.hint_zh, entry.hint_en))
        .filter(|hint| !hint.is_empty())
    {
        text.push_str(language.of_two("", " "));
        text.push_str(hint);
    }
    text
}

/// The catalogue's entry for a code of the rules.
pub(crate) fn entry(code: &str) -> Option<&'static Entry> {
    catalogue().iter().find(|entry| entry.code == code)
}
