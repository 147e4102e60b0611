//! What a command prints: text for people, JSON for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::failure::Failure;

/// Chinese or English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the environment; what names neither language is Chinese.
    pub(super) fn from_environment(value: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| value(name))
            .find(|text| !text.is_empty());
        match set {
            Some(text) if text.to_ascii_lowercase().starts_with("en") => Self::En,
            Some(_) | None => Self::Zh,
        }
    }
}

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) lang: Lang,
}

impl Output {
    /// One of two texts.
    pub(super) const fn of<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// Writes a line of a result. Whoever closed the pipe has read enough.
    pub(super) fn line(self, text: &str) {
        let _closed = writeln!(io::stdout().lock(), "{text}");
    }

    /// Writes a result: as JSON, or as lines of text.
    pub(super) fn result(self, value: &impl Serialize, lines: &[String]) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(text) => self.line(&text),
                Err(error) => self.note(&error.to_string()),
            }
        } else {
            lines.iter().for_each(|line| self.line(line));
        }
    }

    /// Writes a remark that is no part of the result.
    pub(super) fn note(self, text: &str) {
        let _closed = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says why the command failed and what to do next.
    pub(super) fn failure(self, failure: &Failure) {
        if self.json {
            self.result(
                &serde_json::json!({
                    "error": { "code": failure.code, "detail": failure.text, "hint": failure.hint }
                }),
                &[],
            );
            return;
        }
        self.note(&format!("{} [{}]", failure.text, failure.code));
        if let Some(hint) = &failure.hint {
            self.note(&format!("→ {hint}"));
        }
    }
}
