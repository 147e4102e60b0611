//! What is written: results to standard output, everything else to standard error.

use std::io::{self, Write};

use invoice_core::refusal::catalogue;
use serde::Serialize;

use crate::failure::Failure;
use crate::lang::Lang;

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// The language of the text.
    pub(crate) lang: Lang,
}

impl Output {
    /// Writes one line of a result. Whoever closed the pipe has read enough.
    pub(crate) fn line(self, text: &str) {
        let _closed = writeln!(io::stdout().lock(), "{text}");
    }

    /// Writes one JSON object, when JSON is wanted.
    pub(crate) fn json(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.line(&text);
        }
    }

    /// Writes a remark that is no part of the result.
    pub(crate) fn note(self, text: &str) {
        let _closed = writeln!(io::stderr().lock(), "{text}");
    }

    /// Writes why the command failed and what to do next.
    pub(crate) fn failure(self, failure: &Failure) {
        let known = hint(&failure.code, self.lang).filter(|hint| !failure.message.contains(hint));
        let hint = failure.hint.as_deref().or(known);
        if self.json {
            self.json(&failure.to_json(hint));
            return;
        }
        let code = format!("[{}]", failure.code);
        match failure.message.contains(&code) {
            true => self.note(&failure.message),
            false => self.note(&format!("{} {code}", failure.message)),
        }
        if let Some(problem) = &failure.problem {
            for item in &problem.errors {
                self.note(&format!(
                    "  {} [{}] {}",
                    item.pointer, item.code, item.detail
                ));
            }
            if !problem.trace_id.is_empty() {
                self.note(&format!("  trace_id: {}", problem.trace_id));
            }
        }
        if let Some(hint) = hint {
            self.note(&format!("→ {hint}"));
        }
    }
}

/// What the catalogue says to do about a code.
fn hint(code: &str, lang: Lang) -> Option<&'static str> {
    let entry = catalogue::explain(code)?;
    Some(entry.explanation.hint(lang.into())).filter(|hint| !hint.is_empty())
}

/// Columns that a text takes on a terminal: Chinese characters and full-width forms take two.
pub(crate) fn columns(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// Lines of a table whose columns stand under each other.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| columns(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let blanks = width.saturating_sub(columns(cell));
                format!("{cell}{}", " ".repeat(blanks))
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = table(&[
            row(["票据", "结果", "可报销"]),
            row(["D:1", "not found", ""]),
        ]);
        assert_eq!(lines, ["票据  结果       可报销", "D:1   not found"]);
    }
}
