//! Problem documents (RFC 9457) as a client reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer that is not "yes".
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// One line that says what the code means.
    #[serde(default)]
    pub title: String,
    /// What was found in this case, and what helps.
    #[serde(default)]
    pub detail: String,
    /// Every rule that failed, each with a JSON Pointer into the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemItem>,
    /// What to quote when asking the registry's operator.
    #[serde(default)]
    pub trace_id: String,
    /// Everything else that the answer says.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// One failed rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ProblemItem {
    /// The stable code.
    pub code: String,
    /// Where in the record (RFC 6901).
    #[serde(default)]
    pub pointer: String,
    /// What was found there.
    #[serde(default)]
    pub detail: String,
}

impl Problem {
    /// Reads a problem document; `None` when the bytes are not one.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Code and text in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let text = if self.detail.is_empty() {
            &self.title
        } else {
            &self.detail
        };
        format!("{} ({}): {text}", self.code, self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_kept_and_missing_texts_do_not_hurt() {
        let problem =
            Problem::from_json(br#"{"status":409,"code":"document_exists","first_id":"a"}"#);
        let problem = problem.unwrap();
        assert_eq!(problem.code, "document_exists");
        assert_eq!(problem.other["first_id"], "a");
        assert!(Problem::from_json(b"<html>").is_none());
        assert!(Problem::from_json(b"{}").is_none());
    }
}
