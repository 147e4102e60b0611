//! What is odd, collected.

use invoice_core::money::Fen;

use crate::spelling;
use crate::warning::{Warning, WarningCode};

/// Warnings of one document; more say nothing new.
const WARNINGS_MAX: usize = 100;

/// Collects warnings.
#[derive(Debug, Default)]
pub(super) struct Oddities(pub(super) Vec<Warning>);

impl Oddities {
    pub(super) fn note(&mut self, code: WarningCode, detail: impl Into<String>) {
        if self.0.len() < WARNINGS_MAX {
            self.0.push(Warning {
                code,
                detail: detail.into(),
            });
        }
    }

    pub(super) fn text(&mut self, place: &str, text: Option<String>) -> Option<String> {
        let (clean, changed) = spelling::clean(&text?);
        if changed {
            self.note(WarningCode::TextCleaned, place);
        }
        (!clean.is_empty()).then_some(clean)
    }

    /// A sum that may be absent, and is left out when it cannot be read.
    pub(super) fn sum(&mut self, place: &str, text: Option<String>) -> Option<Fen> {
        let text = text?;
        let read = spelling::amount(&text);
        if read.is_none() {
            self.unreadable(place, &text);
        }
        read
    }

    pub(super) fn unreadable(&mut self, place: &str, text: &str) {
        let (text, _) = spelling::clean(text);
        let text: String = text.chars().take(40).collect();
        self.note(WarningCode::ValueUnreadable, format!("{place}: {text}"));
    }
}
