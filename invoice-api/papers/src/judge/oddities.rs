//! What is odd, collected.

use invoice_core::money::Fen;

use super::personal::hide_resident_ids;
use crate::spelling::{self, Cleaned};
use crate::warning::{Warning, WarningCode};

/// Warnings of one document; more say nothing new.
const WARNINGS_MAX: usize = 100;
/// Every kind of them has room.
const _: () = assert!(WarningCode::ALL.len() < WARNINGS_MAX);

/// Collects warnings.
#[derive(Debug, Default)]
pub(super) struct Oddities(pub(super) Vec<Warning>);

impl Oddities {
    pub(super) fn note(&mut self, code: WarningCode, detail: impl Into<String>) {
        let warning = Warning {
            code,
            detail: detail.into(),
        };
        if self.0.len() < WARNINGS_MAX {
            self.0.push(warning);
            return;
        }
        // Many small oddities must not hide a grave one: a new kind takes the place of a repetition.
        let count = |code: WarningCode| self.0.iter().filter(|known| known.code == code).count();
        if count(code) == 0
            && let Some(place) = self.0.iter().rposition(|known| count(known.code) > 1)
            && let Some(known) = self.0.get_mut(place)
        {
            *known = warning;
        }
    }

    pub(super) fn text(&mut self, place: &str, text: Option<String>) -> Option<String> {
        self.keep(place, spelling::clean(&text?))
    }

    /// As [`Oddities::text`], of a text that may have several lines.
    pub(super) fn lines(&mut self, place: &str, text: Option<String>) -> Option<String> {
        self.keep(place, spelling::clean_lines(&text?))
    }

    fn keep(&mut self, place: &str, cleaned: Cleaned) -> Option<String> {
        if cleaned.changed {
            self.note(WarningCode::TextCleaned, place);
        }
        if cleaned.cut {
            self.note(WarningCode::TextCut, place);
        }
        let (text, hidden) = hide_resident_ids(cleaned.text);
        if hidden {
            self.note(WarningCode::PersonalNumberDropped, place);
        }
        (!text.is_empty()).then_some(text)
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
        let (text, _) = hide_resident_ids(spelling::clean(text).text);
        let text: String = text.chars().take(40).collect();
        self.note(WarningCode::ValueUnreadable, format!("{place}: {text}"));
    }
}
